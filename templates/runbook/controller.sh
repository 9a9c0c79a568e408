# --- The controller ---

# It keeps a client for each host and port for good, so a changed token or CA takes a restart.
restart_controller() {
  stage 'restart the controller'
  local namespace
  for namespace in ma-system default; do
    if exists on_control_plane "$namespace" deployments.apps michelangelo-controllermgr; then
      restart_deployment "$namespace" || not_restarted "$namespace" deployment
      restart_due=no
      return
    fi
  done
  # In the sandbox it is a bare Pod.
  for namespace in ma-system default; do
    if exists on_control_plane "$namespace" pods michelangelo-controllermgr; then
      replace_pod "$namespace" || not_restarted "$namespace" pod
      restart_due=no
      return
    fi
  done
  fail 'the controller michelangelo-controllermgr is neither a Deployment nor a Pod, in ma-system or in default' \
    "where it is, to restart it by hand: $(shown "${control_plane[@]}")get deployments,pods --all-namespaces"
}

restart_deployment() {
  on_control_plane -n "$1" rollout restart deployment/michelangelo-controllermgr || return
  on_control_plane -n "$1" rollout status deployment/michelangelo-controllermgr --timeout="${TIMEOUT}s"
}

# Nothing would bring a bare Pod back after a plain delete.
replace_pod() {
  on_control_plane -n "$1" get pod michelangelo-controllermgr -o yaml |
    on_control_plane -n "$1" replace --force -f - || return
  on_control_plane -n "$1" wait --for=condition=Ready pod/michelangelo-controllermgr --timeout="${TIMEOUT}s"
}

not_restarted() {
  fail 'the controller did not restart' \
    "$(shown "${control_plane[@]}")-n $1 describe $2 michelangelo-controllermgr"
}
