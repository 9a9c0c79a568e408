# Changes the tokens: the last of serviceAccount.tokenSecrets is made and handed to the control plane, whose controller is
# restarted, since it keeps its clients. The tokens before it stay good until their Secrets are deleted, which REVOKE_OLD=yes
# does after everything has been verified. It can be run again. No token or key is written to a file, printed or put into an
# argument. What it does, in order, is main, at its end.
#
# Settings, as environment variables; switches are yes or no:
#   REVOKE_OLD=yes          delete the Secrets of the old tokens at the end
#   TIMEOUT=120             seconds to wait for the token, for the controller and the like
#   FORCE_CONFLICTS=yes     take over fields that something else manages
#   TAKE_OVER=yes           take over a compute cluster, or objects, of another registration
#   SAME_TOKEN=yes          make the new token Secret also where it may be a deleted one, which gets the token that it had
#   CONTROLLER=NAMESPACE/deployment/NAME (or NAMESPACE/pod/NAME)
#                           where the controller isn't michelangelo-controllermgr in ma-system or in default
#   RESTART=no              don't restart it: you do

# Sets missing to the old token Secrets that are gone, and left_over to those that are there.
find_old_secrets() {
  local secret
  missing='' left_over=''
  for secret in $old_token_secrets; do
    if exists on_compute default secrets "$secret"; then
      left_over="$left_over $secret"
    else
      missing="$missing $secret"
    fi
  done
}

# Whether the control plane has the new token and an old one is revoked already, which applying would bring back.
is_partly_revoked() {
  find_old_secrets
  [ -n "$missing" ] && same_token
}

check_old_secrets() {
  find_old_secrets
  [ -z "$missing" ] ||
    fail "$name: there is no token Secret$missing to rotate away from, and applying would make it, with the token that it had if it was there before" \
      "if it was deleted to revoke its token: remove it from serviceAccount.tokenSecrets of $values, then run \`$program runbook register\`" \
      "serviceAccount.tokenSecrets of $values: the old ones first, the new one last" \
      "a cluster that isn't registered yet: \`$program runbook register\`"
}

# Without a restart after the new token has come, the controller would be left with the revoked one.
check_revocation() {
  [ "$REVOKE_OLD $RESTART" != 'yes no' ] || same_token ||
    fail "$name: the control plane doesn't have the new token yet, so the old one can't be revoked in a run that doesn't restart the controller" \
      'the order: run this script with RESTART=no alone, restart the controller, and then run it with REVOKE_OLD=yes RESTART=no'
}

rotate() {
  if is_partly_revoked; then
    say "$name: the control plane has the new token, and$missing is revoked: nothing is applied again"
    return
  fi
  apply_compute
  wait_for_token
  restart_due=yes
  apply_control_plane
  stage "$name: check that the control plane has the new token"
  start_waiting
  until same_token; do
    keep_waiting_for_token ||
      fail_without_new_token
  done
  say 'it has'
}

fail_without_new_token() {
  local what="$name: the control plane's Secret cluster-$name-client-token doesn't hold the token of $token_secret"
  case $token_from in
    pipe | store) fail "$what" "who else writes that Secret: $(shown "${control_plane[@]}" -n default describe secret "cluster-$name-client-token")" ;;
    *) fail "$what" "where the token comes from: token in $values; put this one there, and run the script again: $(shown_token)" ;;
  esac
}

# Nobody changes what the values name while this waits.
keep_waiting_for_token() { [ "$token_from" != values ] && keep_waiting; }

revoke() {
  local secret
  stage "$name: revoke the old tokens"
  find_old_secrets
  if [ "$REVOKE_OLD" != yes ]; then
    for secret in $left_over; do
      say "still good: the token of $secret"
    done
    if has_new_clients; then
      say 'to revoke it, run this script with REVOKE_OLD=yes'
    else
      say "to revoke it, restart the controller ($(shown_restart)), which may still use it, and run this script with REVOKE_OLD=yes RESTART=no"
    fi
    return
  fi
  for secret in $left_over; do
    check_that_nobody_uses "$secret"
    changed=yes
    on_compute -n default delete secret "$secret" --ignore-not-found ||
      fail "$name: the Secret $secret can't be deleted, so its token is still good" 'the message above'
  done
  verify_token
  verify_health
  say "remove $old_token_secrets from serviceAccount.tokenSecrets in $values, and from what a GitOps tool applies:" \
    'a Secret that is made again under that name gets the very same token again. Never use the name again.'
}

# check_that_nobody_uses SECRET: as far as can be seen, right before its token is revoked.
check_that_nobody_uses() {
  local other
  [ "$RESTART" = no ] || has_new_clients ||
    fail "$name: the controller may still use the token of $1, so it is not revoked" \
      'the old Pods of the controller, which were not seen' \
      'RESTART=no, beside REVOKE_OLD=yes, once you know that they have ended'
  same_token ||
    fail "$name: the control plane doesn't hold the token of $token_secret any more, so $1 is not revoked" \
      "who else writes that Secret, as a GitOps tool may: $(shown "${control_plane[@]}" -n default describe secret "cluster-$name-client-token")"
  find_others_at_server
  for other in $others; do
    if is_token_of "$1" "$other"; then
      fail "$name: the Cluster $other uses the token of $1, so it is not revoked" \
        "that registration: $(shown "${control_plane[@]}" -n ma-system describe clusters.michelangelo.api "$other")"
    fi
  done
}

main() {
  local cluster left=()
  setting REVOKE_OLD no
  setting FORCE_CONFLICTS no
  setting TAKE_OVER no
  setting SAME_TOKEN no
  setting RESTART yes
  check_timeout
  check_tools
  check_control_plane
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    check_compute
    if is_partly_revoked; then
      if [ -z "$left_over" ]; then
        verify
        say "the token is that of $token_secret, and the old ones are revoked: nothing to do" \
          "remove $old_token_secrets from serviceAccount.tokenSecrets in $values"
        continue
      fi
      check_who_else_is_there
    else
      check_old_secrets
      check_current_secret
      check_registration
      check_revocation
    fi
    left+=("$cluster")
  done
  if [ "${#left[@]}" -eq 0 ]; then
    stage 'done'
    return
  fi
  need_controller
  for cluster in "${left[@]}"; do
    use "$cluster"
    rotate
  done
  restart_controller || not_restarted
  for cluster in "${left[@]}"; do
    use "$cluster"
    verify
  done
  for cluster in "${left[@]}"; do
    use "$cluster"
    revoke
  done
  stage 'done'
  say "rotated: ${left[*]}"
}

main
