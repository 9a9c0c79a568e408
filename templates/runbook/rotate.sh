# Changes the tokens: the last of serviceAccount.tokenSecrets is made and handed to the control plane, whose controller is
# restarted, since it keeps its clients. The tokens before it stay good until their Secrets are deleted, which REVOKE_OLD=yes
# does after everything has been verified. It can be run again. No token or key is written to a file, printed or put into an
# argument.
#
# Settings, as environment variables:
#   REVOKE_OLD=yes          delete the Secrets of the old tokens at the end
#   TIMEOUT=120             seconds to wait for the token, for the controller and the like
#   FORCE_CONFLICTS=true    take over fields that something else manages

# Whether the old token Secrets are gone and the control plane has the new token: there is nothing left to do, and applying
# would bring the old tokens back.
is_rotated() {
  local secret
  for secret in $old_token_secrets; do
    if exists on_compute default secrets "$secret"; then
      return 1
    fi
  done
  same_token
}

check_old_secrets() {
  local secret
  for secret in $old_token_secrets; do
    exists on_compute default secrets "$secret" ||
      fail "$name: there is no token Secret $secret to rotate away from, and applying would make it" \
        "serviceAccount.tokenSecrets of $values: the old ones first, the new one last" \
        "a cluster that isn't registered yet: ma-register runbook register"
  done
}

rotate() {
  apply_compute
  wait_for_token
  apply_control_plane
  stage "$name: check that the control plane has the new token"
  start_waiting
  until same_token; do
    keep_waiting ||
      fail "$name: the control plane's Secret cluster-$name-client-token doesn't hold the token of $token_secret" \
        "where the token comes from: token in $values; put the token of $token_secret there and run the script again"
  done
  restart_due=yes
  say 'it has'
}

revoke() {
  local secret
  stage "$name: revoke the old tokens"
  for secret in $old_token_secrets; do
    if [ "${REVOKE_OLD:-}" = yes ]; then
      on_compute -n default delete secret "$secret" --ignore-not-found ||
        fail "$name: the Secret $secret can't be deleted, so its token is still good" 'the message above'
    else
      say "still good: the token of $secret. To revoke it, run this script with REVOKE_OLD=yes, or:" \
        "  $(shown "${compute[@]}")-n default delete secret $secret"
    fi
  done
  if [ "${REVOKE_OLD:-}" = yes ]; then
    verify_token
  fi
  say "Once it is revoked, remove it from serviceAccount.tokenSecrets in $values, and from what a GitOps tool applies:" \
    "a Secret that is made again under that name gets the very same token again. Never use the name again."
}

main() {
  local cluster left=()
  check_tools
  check_control_plane
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    check_compute
    if is_rotated; then
      say "the token is that of $token_secret, and the old ones are revoked: nothing to do" \
        "remove $old_token_secrets from serviceAccount.tokenSecrets in $values"
    else
      check_old_secrets
      check_registration
      left+=("$cluster")
    fi
  done
  if [ "${#left[@]}" -eq 0 ]; then
    stage 'done'
    return
  fi
  for cluster in "${left[@]}"; do
    use "$cluster"
    rotate
  done
  restart_controller
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
