# Takes the compute clusters out of the control plane, and its objects out of them: the Cluster first, so that no job is sent
# any more, then the control plane's Secrets, a restart of the controller, which keeps its clients, and at last the compute
# side. What is gone already is passed over, so it can be run again.
#
# Settings, as environment variables:
#   CONFIRM=yes             don't ask
#   COMPUTE_IS_GONE=yes     the compute clusters don't exist any more: clean up the control plane alone
#   DELETE_SHARED=yes       delete objects of the compute side that another registration has taken over, too
#   TIMEOUT=120             seconds to wait for the controller and the like

# The objects of the compute side that are there and don't say that they belong to this registration.
shared_objects() {
  "${render[@]}" --side compute |
    on_compute get --ignore-not-found -f - --no-headers \
      -o 'custom-columns=INSTANCE:.metadata.labels.app\.kubernetes\.io/instance,KIND:.kind,NAME:.metadata.name' |
    while read -r instance kind object; do
      [ -z "$object" ] || [ "$instance" = "$name" ] || printf '%s %s (of %s)\n' "$kind" "$object" "$instance"
    done
}

check_deregistration() {
  local shared jobs
  check_compute
  check_values
  shared=$(shared_objects) ||
    fail "$name: the compute side can't be looked at" 'the message above'
  if [ -n "$shared" ]; then
    say "these don't belong to this registration alone:" "$shared"
    [ "${DELETE_SHARED:-}" = yes ] ||
      fail "$name: objects that are shared would be deleted" \
        'who else uses them: another registration of this compute cluster, or a control plane that is its own compute cluster' \
        'DELETE_SHARED=yes deletes them nevertheless'
  fi
  # Without KubeRay there are none.
  jobs=$(on_compute -n default get rayjobs.ray.io,rayclusters.ray.io --ignore-not-found -o name 2>/dev/null) || jobs=''
  if [ -n "$jobs" ]; then
    say 'these stay, and the control plane can stop them no more:' "$jobs"
  fi
}

confirm() {
  local answer=''
  stage 'confirm'
  say "to be deregistered: ${clusters[*]}"
  if [ "${CONFIRM:-}" = yes ]; then
    return
  fi
  [ -t 0 ] || fail 'nobody can be asked here whether this is meant' 'CONFIRM=yes, which answers the question'
  read -r -p '   Type yes to go on: ' answer || true
  [ "$answer" = yes ] || fail 'not confirmed: nothing has been deleted'
}

delete_control_plane() {
  stage "$name: delete the Cluster, then its Secrets"
  restart_due=yes
  on_control_plane -n ma-system delete clusters.michelangelo.api "$name" --ignore-not-found --timeout="${TIMEOUT}s" ||
    fail "$name: the Cluster isn't gone" \
      'whether the controller runs: it has to remove its finalizer' \
      "$(shown "${control_plane[@]}")-n ma-system get clusters.michelangelo.api $name -o yaml"
  if [ "$token_from" = store ]; then
    # Before the Secret, which its operator would make again.
    on_control_plane -n default delete externalsecrets.external-secrets.io "cluster-$name-client-token" --ignore-not-found ||
      fail "$name: the ExternalSecret can't be deleted" 'the message above'
  fi
  on_control_plane -n default delete secret "cluster-$name-ca-data" --ignore-not-found ||
    fail "$name: the Secret cluster-$name-ca-data can't be deleted" 'the message above'
  if [ "$token_from" = elsewhere ]; then
    say "left to whoever made it: the Secret cluster-$name-client-token"
  else
    on_control_plane -n default delete secret "cluster-$name-client-token" --ignore-not-found ||
      fail "$name: the Secret cluster-$name-client-token can't be deleted" 'the message above'
  fi
}

delete_compute() {
  stage "$name: delete the compute side"
  "${render[@]}" --side compute | on_compute delete --ignore-not-found --timeout="${TIMEOUT}s" -f - ||
    fail "$name: the compute side can't be deleted" 'the message above'
  if [ "$token_from" = store ]; then
    say "the store still holds the token, which is good for nothing now: delete its key there"
  fi
}

main() {
  local cluster
  check_tools
  check_control_plane
  if [ "${COMPUTE_IS_GONE:-}" != yes ]; then
    for cluster in "${clusters[@]}"; do
      use "$cluster"
      check_deregistration
    done
  fi
  confirm
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    delete_control_plane
  done
  restart_controller
  if [ "${COMPUTE_IS_GONE:-}" != yes ]; then
    for cluster in "${clusters[@]}"; do
      use "$cluster"
      delete_compute
    done
  fi
  stage 'done'
  say "deregistered: ${clusters[*]}" \
    'remove their values files, and what was rendered of them, from where a GitOps tool would apply it again'
}

main
