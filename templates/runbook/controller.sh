# --- The controller ---

# Sets controller to NAMESPACE/KIND/NAME, or to nothing where it isn't found.
find_controller() {
  local kind namespace
  controller=${CONTROLLER:-}
  case $controller in
    '') ;;
    ?*/deployment/?* | ?*/pod/?*)
      exists on_control_plane "${controller%%/*}" "$(kind_of_controller)" "${controller##*/}" ||
        fail "the setting CONTROLLER names $controller, which isn't there"
      return
      ;;
    *) fail 'the setting CONTROLLER is neither NAMESPACE/deployment/NAME nor NAMESPACE/pod/NAME' ;;
  esac
  # In the sandbox it is a bare Pod.
  for kind in deployment pod; do
    for namespace in ma-system default; do
      if is_there on_control_plane "$namespace" "$kind" michelangelo-controllermgr; then
        controller=$namespace/$kind/michelangelo-controllermgr
        return
      fi
    done
  done
}

# For what can't end well without a restart.
need_controller() {
  [ "$RESTART" = no ] || [ -n "$controller" ] ||
    fail 'the controller michelangelo-controllermgr, which has to be restarted, is not seen as a Deployment or a Pod in ma-system or in default' \
      "where it is: $(shown "${control_plane[@]}" get deployments,pods --all-namespaces)" \
      'CONTROLLER=NAMESPACE/deployment/NAME names another; RESTART=no leaves the restart to you'
}

kind_of_controller() {
  local kind=${controller#*/}
  printf '%s' "${kind%%/*}"
}

# on_controller ARGUMENT...: kubectl in the controller's namespace.
on_controller() { on_control_plane -n "${controller%%/*}" "$@"; }

# shown_on_controller ARGUMENT...: the same, to be pasted.
shown_on_controller() { shown "${control_plane[@]}" -n "${controller%%/*}" "$@"; }

shown_restart() {
  case $controller in
    */deployment/*) shown_on_controller rollout restart "${controller#*/}" ;;
    */pod/*) printf '%s | %s' "$(shown_on_controller get "${controller#*/}" -o yaml)" "$(shown_on_controller replace --force -f -)" ;;
    *) printf 'the restart of michelangelo-controllermgr, wherever it runs' ;;
  esac
}

# Whether every client of the controller was made after the control plane got what it has now.
clients_are_new=no
has_new_clients() { [ "$clients_are_new" = yes ]; }

# It keeps a client for each host and port for good, and what it last read of a Cluster. False where it didn't restart.
restart_controller() {
  stage 'restart the controller'
  if [ "$RESTART" = no ]; then
    warn "LEFT TO YOU, as RESTART=no says: $(shown_restart)"
    return
  fi
  changed=yes
  case $controller in
    */pod/*) replace_pod ;;
    *) restart_deployment ;;
  esac
}

restart_deployment() {
  local selector pods='' pods_are_known=no
  # The Pods of now are waited for: one that ends may still write what its last probe found.
  # shellcheck disable=SC2016 # these are the template's variables
  if look on_control_plane -n "${controller%%/*}" "${controller#*/}" \
    -o 'go-template={{range $key, $value := .spec.selector.matchLabels}}{{$key}}={{$value}},{{end}}'; then
    selector=${found%,}
    if [ -n "$selector" ] && look on_control_plane -n "${controller%%/*}" pods -l "$selector" -o name; then
      pods=$found
      pods_are_known=yes
    fi
  fi
  on_controller rollout restart "${controller#*/}" || return
  restart_due=no
  on_controller rollout status "${controller#*/}" --timeout="${TIMEOUT}s" || return
  start_waiting
  while [ -n "$pods" ] && is_one_there "$pods"; do
    keep_waiting || return
  done
  if [ "$pods_are_known" = yes ]; then
    clients_are_new=yes
  else
    unchecked 'whether the old Pods of the controller have ended, as they are not seen'
  fi
}

# is_one_there PODS: whether any of these lines is still a Pod.
is_one_there() {
  local pod
  while read -r pod; do
    look on_control_plane -n "${controller%%/*}" "$pod" -o name || return 0
    [ -z "$found" ] || return 0
  done <<<"$1"
  return 1
}

# Nothing would bring a bare Pod back after a plain delete, so what it was is kept until it runs again.
replace_pod() {
  saved_pod=$(mktemp)
  on_controller get "${controller#*/}" -o yaml >"$saved_pod" || {
    rm -f "$saved_pod"
    saved_pod=''
    return 1
  }
  on_controller replace --force -f "$saved_pod" || return
  restart_due=no
  rm -f "$saved_pod"
  saved_pod=''
  on_controller wait --for=condition=Ready "${controller#*/}" --timeout="${TIMEOUT}s" || return
  clients_are_new=yes
}

not_restarted() {
  fail 'the controller did not restart' \
    "$(shown_on_controller describe "${controller#*/}")"
}
