# Gives the compute clusters their side, hands each one's token to the control plane, and verifies that the controller reaches
# them. It can be run again: what is there already is left or brought up to date, and the controller, which keeps its clients
# and what it read, is restarted where one of the Clusters was there before. No token or key is written to a file, printed or
# put into an argument. What it does, in order, is main, at its end.
#
# Settings, as environment variables; switches are yes or no:
#   TIMEOUT=120             seconds to wait for the token, for the controller and the like
#   FORCE_CONFLICTS=yes     take over fields that something else manages
#   TAKE_OVER=yes           take over a compute cluster, or objects, of another registration
#   SAME_TOKEN=yes          make token Secrets that aren't there, also where they were deleted: each gets the token that it had
#   CONTROLLER=NAMESPACE/deployment/NAME (or NAMESPACE/pod/NAME)
#                           where the controller isn't michelangelo-controllermgr in ma-system or in default
#   RESTART=no              don't restart it: you do

check_token_secrets() {
  local secret
  check_current_secret
  if [ "$SAME_TOKEN" = yes ] || ! was_registered; then
    return
  fi
  for secret in $old_token_secrets; do
    exists on_compute default secrets "$secret" ||
      fail "$name: the token Secret $secret has been deleted, which revoked its token; applying would bring it and the same token back" \
        "serviceAccount.tokenSecrets of $values: remove $secret from it, and make this script again" \
        'SAME_TOKEN=yes makes it again, with the token that it had'
  done
}

# Whether the controller may have a client for it, or have read it.
is_known_to_controller() {
  exists on_control_plane ma-system clusters.michelangelo.api "$name" && return
  find_others_at_server
  [ -n "$others" ]
}

register() {
  apply_compute
  wait_for_token
  if is_known_to_controller; then
    restart_due=yes
  fi
  apply_control_plane
  if [ "$token_from" = pipe ] && ! same_token; then
    fail "$name: the control plane doesn't hold the token of $token_secret, though it was just applied" \
      "who else writes the Secret cluster-$name-client-token: $(shown "${control_plane[@]}" -n default get secret "cluster-$name-client-token" --show-managed-fields -o 'jsonpath={.metadata.managedFields}')"
  fi
}

main() {
  local cluster
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
    check_registration
    check_token_secrets
    if is_known_to_controller; then
      need_controller
    fi
  done
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    register
  done
  if [ "$restart_due" = yes ]; then
    restart_controller || not_restarted
  fi
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    verify
  done
  stage 'done'
  say "registered: ${clusters[*]}" \
    'a job asks for one of them by the label michelangelo/cluster-affinity'
}

main
