# Takes the compute clusters out of the control plane, and its objects out of them: the Cluster first, so that no job is sent
# any more, then the control plane's other objects, a restart of the controller, which keeps its clients, and at last the
# compute side. What is deleted is listed below, by its kind, name and namespace. What is gone already is passed over, so it
# can be run again. What it does, in order, is main, at its end.
#
# Settings, as environment variables; switches are yes or no:
#   CONFIRM=yes             don't ask
#   DELETE_SHARED=yes       delete what another registration uses, too
#   TIMEOUT=120             seconds to wait for the controller and the like
#   CONTROLLER=NAMESPACE/deployment/NAME (or NAMESPACE/pod/NAME)
#                           where the controller isn't michelangelo-controllermgr in ma-system or in default
#   RESTART=no              don't restart it: you do

check_deregistration() {
  local only_compute=no
  if [ "$compute_is_gone" = no ]; then
    stage "$name: check the compute cluster"
    reach on_compute "the compute cluster of $name (if it doesn't exist any more, make this script with --compute-is-gone)"
  fi
  stage "$name: check who else uses what would be deleted"
  foreign='' nobodys=''
  find_owners on_control_plane "${control_plane_objects[@]}"
  [ -n "$foreign$nobodys" ] || only_compute=yes
  if [ "$compute_is_gone" = no ]; then
    find_owners on_compute "${compute_objects[@]}"
    find_others_at_server
    if [ -n "$moved" ] && [ "$DELETE_SHARED" != yes ]; then
      fail "$name: the control plane has a Cluster of that name at $moved, and this script is about the compute cluster at $host, port $port" \
        "whether that is another compute cluster: name in $values, and the context" \
        'DELETE_SHARED=yes, where it is the same compute cluster at another address'
    fi
    if [ -n "$others" ]; then
      say "at the same server there is also the Cluster$others"
      [ "$DELETE_SHARED" = yes ] ||
        fail "$name: the compute cluster is registered by another name too, and would lose its service account and settings" \
          "that registration: $(shown "${control_plane[@]}" -n ma-system get clusters.michelangelo.api)" \
          'to leave the compute side alone, make this script with --compute-is-gone' \
          'DELETE_SHARED=yes deletes it nevertheless'
    fi
  fi
  [ -z "$foreign" ] || say "these belong to another registration:$foreign"
  [ -z "$nobodys" ] || say "these don't say whose they are, by the label app.kubernetes.io/instance:$nobodys"
  if [ -n "$foreign$nobodys" ] && [ "$DELETE_SHARED" != yes ]; then
    set -- 'who else uses them: another registration of this compute cluster, or a control plane that is its own compute cluster'
    if [ "$only_compute" = yes ]; then
      set -- "$@" 'to leave the compute side alone, make this script with --compute-is-gone'
    fi
    fail "$name: objects would be deleted that aren't known to be this registration's alone" "$@" \
      'DELETE_SHARED=yes deletes them nevertheless'
  fi
  if [ "$compute_is_gone" = no ]; then
    find_jobs
  fi
}

find_jobs() {
  local kind
  for kind in rayjobs.ray.io rayclusters.ray.io; do
    if ! look on_compute -n default "$kind" -o name; then
      unchecked "whether there are $kind, which would stay"
    elif [ -n "$found" ]; then
      say 'these stay, and the control plane can stop them no more:' "$found"
    fi
  done
}

confirm() {
  local answer='' cluster
  stage 'confirm'
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    say "to be deregistered: $name" "  from the control plane, by $(shown "${control_plane[@]}"):"
    printf '       %s\n' "${control_plane_objects[@]}"
    if [ "$compute_is_gone" = no ]; then
      say "  from the compute cluster, by $(shown "${compute[@]}"):"
      printf '       %s\n' "${compute_objects[@]}"
    fi
  done
  if [ "$CONFIRM" = yes ]; then
    return
  fi
  [ -t 0 ] || fail 'nobody can be asked here whether this is meant' 'CONFIRM=yes, which answers the question'
  read -r -p '   Type yes to go on: ' answer || true
  [ "$answer" = yes ] || fail 'not confirmed: nothing has been deleted'
}

# remove SIDE OBJECT: where it is there.
remove() {
  local side=$1 object namespace
  read -r object namespace <<<"$2"
  get "$side" ${namespace:+-n "$namespace"} "$object" -o name
  if [ -z "$found" ]; then
    say "gone: $object"
    return
  fi
  "$side" ${namespace:+-n "$namespace"} delete "$object" --ignore-not-found --timeout="${TIMEOUT}s" && return
  case $object in
    cluster.michelangelo.api/*)
      fail "$name: the Cluster isn't gone" \
        "whether the controller runs, which has to remove the Cluster's finalizer: $(shown "${control_plane[@]}" get pods --all-namespaces)" \
        "the finalizer: $(shown_kubectl "$side" -n "$namespace" get "$object" -o yaml)" \
        "only if the controller is gone for good: $(shown_kubectl "$side" -n "$namespace" patch "$object" --type=merge -p '{"metadata":{"finalizers":null}}')"
      ;;
    *)
      fail "$name: $object can't be deleted" "the message above, and $(shown_kubectl "$side" ${namespace:+-n "$namespace"} describe "$object")"
      ;;
  esac
}

delete_control_plane() {
  local object
  stage "$name: delete the Cluster, then what else the control plane has of it"
  changed=yes
  restart_due=yes
  for object in "${control_plane_objects[@]}"; do
    remove on_control_plane "$object"
  done
  if [ "$token_from" = elsewhere ]; then
    say "left to whoever made it: the Secret cluster-$name-client-token"
  fi
}

delete_compute() {
  local object
  stage "$name: delete the compute side"
  for object in "${compute_objects[@]}"; do
    remove on_compute "$object"
  done
  if [ "$token_from" = store ]; then
    say "the store still holds the token, which is good for nothing now: delete its key there"
  fi
}

main() {
  local cluster restarted=yes
  setting CONFIRM no
  setting DELETE_SHARED no
  setting RESTART yes
  check_timeout
  check_tools
  check_control_plane
  need_controller
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    check_deregistration
  done
  confirm
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    delete_control_plane
  done
  # The compute side goes also where this fails: its tokens should be good for nothing.
  restart_controller || restarted=no
  for cluster in "${clusters[@]}"; do
    use "$cluster"
    if [ "$compute_is_gone" = no ]; then
      delete_compute
    fi
  done
  [ "$restarted" = yes ] || not_restarted
  stage 'done'
  say "deregistered: ${clusters[*]}" \
    'remove their values files, and what was rendered of them, from where a GitOps tool would apply it again'
}

main
