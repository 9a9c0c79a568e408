# Gives the compute clusters their side, hands each one's token to the control plane, and verifies that the controller reaches
# them. It can be run again: what is there already is left or brought up to date. No token or key is written to a file, printed
# or put into an argument.
#
# Settings, as environment variables:
#   TIMEOUT=120             seconds to wait for the token, for the controller and the like
#   FORCE_CONFLICTS=true    take over fields that something else manages

register() {
  apply_compute
  wait_for_token
  apply_control_plane
  if [ "$token_from" = pipe ] && ! same_token; then
    fail "$name: the control plane doesn't hold the token of $token_secret, though it was just applied" \
      "who else writes the Secret cluster-$name-client-token: $(shown "${control_plane[@]}")-n default get secret cluster-$name-client-token --show-managed-fields -o jsonpath='{.metadata.managedFields}'"
  fi
}

main() {
  local cluster
  check_tools
  check_control_plane
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    check_compute
    check_registration
  done
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    register
  done
  if [ "$restart_due" = yes ]; then
    restart_controller
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
