# Changes the tokens: the last of serviceAccount.tokenSecrets is made and handed to the control plane, whose controller is
# restarted, since it keeps its clients. The tokens before it stay good until their Secrets are deleted, which REVOKE_OLD=yes
# does after everything has been verified. It can be run again. No token or key is written to a file, printed or put into an
# argument.
#
# Settings, as environment variables; switches are yes or no:
#   REVOKE_OLD=yes          delete the Secrets of the old tokens at the end
#   TIMEOUT=120             seconds to wait for the token, for the controller and the like
#   FORCE_CONFLICTS=yes     take over fields that something else manages
#   TAKE_OVER=yes           take over a compute cluster, or objects, of another registration
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
      'run this script with RESTART=no alone, restart the controller, and then run it with REVOKE_OLD=yes RESTART=no'
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
      fail "$name: the control plane's Secret cluster-$name-client-token doesn't hold the token of $token_secret" \
        "where the token comes from: token in $values; put this one there, and run the script again: $(shown_token)"
  done
  say 'it has'
}

# Nobody changes what the values name while this waits.
keep_waiting_for_token() { [ "$token_from" != values ] && keep_waiting; }

revoke() {
  local secret
  stage "$name: revoke the old tokens"
  find_old_secrets
  for secret in $left_over; do
    if [ "$REVOKE_OLD" = yes ]; then
      changed=yes
      on_compute -n default delete secret "$secret" --ignore-not-found ||
        fail "$name: the Secret $secret can't be deleted, so its token is still good" 'the message above'
    else
      say "still good: the token of $secret. To revoke it, run this script with REVOKE_OLD=yes, or:" \
        "  $(shown "${compute[@]}" -n default delete secret "$secret")"
    fi
  done
  if [ "$REVOKE_OLD" = yes ]; then
    verify_token
    verify_health
  fi
  say "Once it is revoked, remove it from serviceAccount.tokenSecrets in $values, and from what a GitOps tool applies:" \
    "a Secret that is made again under that name gets the very same token again. Never use the name again."
}

main() {
  local cluster left=()
  setting REVOKE_OLD no
  setting FORCE_CONFLICTS no
  setting TAKE_OVER no
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
    else
      check_old_secrets
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
