# --- What registering and rotating share ---

check_compute() {
  stage "$name: check the compute cluster"
  reach on_compute "the compute cluster of $name"
}

check_registration() {
  serves on_compute ray.io rayclusters rayjobs ||
    fail "$name: the compute cluster lacks KubeRay's rayclusters.ray.io or rayjobs.ray.io" \
      "whether this context is the compute cluster's, not the control plane's" \
      "whether KubeRay is installed there: $(shown "${compute[@]}" api-resources --api-group=ray.io)"
  look_for_kuberay
  check_operator on_compute "the compute cluster, which takes the token to the store or the keys from it" "${compute_objects[@]}"
  check_operator on_control_plane "the control plane, which takes the token from the store" "${control_plane_objects[@]}"
  check_values
  check_who_else_is_there
}

# Its operator is mostly here; where it is elsewhere or can't be seen, nothing is wrong yet.
look_for_kuberay() {
  if ! look on_compute -n ray-system deployments.apps -o name || [ -z "$found" ]; then
    unchecked "whether KubeRay's operator runs, without which jobs wait forever: no Deployment is seen in ray-system"
  fi
}

# check_operator SIDE TITLE OBJECT...: what of the objects is for the External Secrets Operator has one.
check_operator() {
  local side=$1 title=$2 kind
  shift 2
  for kind in externalsecret pushsecret; do
    case " $*" in
      *" $kind.external-secrets.io/"*)
        serves "$side" external-secrets.io "${kind}s" ||
          fail "$name: there is no External Secrets Operator (${kind}s.external-secrets.io) on $title" \
            "$(shown_kubectl "$side" api-resources --api-group=external-secrets.io)"
        ;;
    esac
  done
}

# What is wrong with the values, or with the files and variables that they name, is said before anything is changed.
check_values() {
  "${render[@]}" --side compute >/dev/null ||
    fail "$name: the compute side can't be rendered" "the message above, and the values file $values"
  if [ "$token_from" != pipe ]; then
    "${render[@]}" --side control-plane >/dev/null || cannot_render_control_plane
  fi
}

cannot_render_control_plane() {
  if [ "$token_from" = values ]; then
    fail "$name: the control-plane side can't be rendered" \
      "the message above, and token in $values" \
      'the token has to be put there by you; Kubernetes makes it when the compute side is applied:' \
      "$program $(shown "${render[@]:1}" --side compute) | $(shown "${compute[@]}" apply --server-side -f -)" \
      "$(shown_token)"
  fi
  fail "$name: the control-plane side can't be rendered" "the message above, and the values file $values"
}

# What prints the token of the current token Secret.
shown_token() { shown "${compute[@]}" -n default get secret "$token_secret" -o 'go-template={{.data.token | base64decode}}'; }

# Applying would give another registration's objects this one's name.
check_who_else_is_there() {
  find_others_at_server
  if [ -n "$moved" ] && [ "$TAKE_OVER" != yes ]; then
    fail "$name: the control plane has a Cluster of that name at $moved, and it would be changed to $host, port $port" \
      "whether that is another compute cluster: name in $values, and the context" \
      'TAKE_OVER=yes, where it is the same compute cluster at a new address'
  fi
  if [ -n "$others" ]; then
    say "at the same server there is also the Cluster$others"
    [ "$TAKE_OVER" = yes ] ||
      fail "$name: the compute cluster is registered by another name already, and the controller would use one client for both" \
        "that registration: $(shown "${control_plane[@]}" -n ma-system get clusters.michelangelo.api)" \
        "whether the context is the right one, and kubeconfig.server in $values" \
        'TAKE_OVER=yes goes on nevertheless'
  fi
  foreign='' nobodys=''
  find_owners on_compute "${compute_objects[@]}"
  find_owners on_control_plane "${control_plane_objects[@]}"
  if [ -n "$foreign" ]; then
    say "these belong to another registration:$foreign"
    [ "$TAKE_OVER" = yes ] ||
      fail "$name: objects of another registration would be taken over" \
        'who uses them: the name after "of", perhaps in another control plane' \
        'TAKE_OVER=yes takes them over'
  fi
  if [ -n "$nobodys" ]; then
    say "these are there, don't say whose they are, and will be this registration's:$nobodys"
    [ "$TAKE_OVER" = yes ] || exists on_control_plane ma-system clusters.michelangelo.api "$name" ||
      fail "$name: it isn't registered yet, so these objects are somebody else's" \
        'who uses them: by another control plane, or made by hand for this one' \
        'TAKE_OVER=yes takes them over'
  fi
}

apply() {
  local force=false
  if [ "$FORCE_CONFLICTS" = yes ]; then
    force=true
  fi
  "$1" apply --server-side --force-conflicts="$force" -f -
}

apply_compute() {
  stage "$name: apply the compute side"
  changed=yes
  "${render[@]}" --side compute | apply on_compute ||
    fail "$name: the compute side can't be applied" \
      "the message above; your rights there: $(shown "${compute[@]}" -n default auth can-i --list)" \
      "after a conflict: who else manages the field; FORCE_CONFLICTS=yes takes it over"
}

wait_for_token() {
  stage "$name: wait for the token"
  start_waiting
  until has_data on_compute "$token_secret" token; do
    keep_waiting ||
      fail "$name: Kubernetes has not put a token into the Secret $token_secret" \
        "whether the ServiceAccount is there: $(shown "${compute[@]}" -n default get serviceaccount "$service_account")" \
        "the Secret's annotation kubernetes.io/service-account.name, which has to be $service_account: $(shown "${compute[@]}" -n default describe secret "$token_secret")" \
        'a Secret that is applied before its ServiceAccount is deleted again: run the script again'
  done
  say "the Secret $token_secret has one"
}

# The token goes from one cluster to the other through pipes, past every file and argument.
apply_control_plane() {
  stage "$name: apply the control-plane side"
  if [ "$token_from" = pipe ]; then
    on_compute -n default get secret "$token_secret" -o go-template='{{.data.token | base64decode}}' |
      "${render[@]}" --side control-plane --token-file - |
      apply on_control_plane || cannot_apply_control_plane
  else
    "${render[@]}" --side control-plane | apply on_control_plane || cannot_apply_control_plane
  fi
  case $token_from in
    pipe) ;;
    store) wait_for_store ;;
    values) say "the token is the one that $values names" ;;
    elsewhere) say "someone else makes the Secret cluster-$name-client-token" ;;
  esac
}

cannot_apply_control_plane() {
  fail "$name: the control-plane side can't be rendered or applied" \
    "the message above, and what it names in $values" \
    "your rights there: $(shown "${control_plane[@]}" -n ma-system auth can-i --list)" \
    "and for the Secrets: $(shown "${control_plane[@]}" -n default auth can-i --list)" \
    "after a conflict: who else manages the field; FORCE_CONFLICTS=yes takes it over"
}

# The operators look once in a while; a new annotation makes them look now.
wait_for_store() {
  local push="pushsecrets.external-secrets.io/$service_account-token"
  local pull="externalsecrets.external-secrets.io/cluster-$name-client-token"
  local look_at_push look_at_pull
  look_at_push=$(shown "${compute[@]}" -n default describe "$push")
  look_at_pull=$(shown "${control_plane[@]}" -n default describe "$pull")
  start_waiting
  until same_token; do
    on_compute -n default annotate --overwrite "$push" "force-sync=$(date +%s)" >/dev/null ||
      fail "$name: the operator can't be told to push the token" 'the message above' "$look_at_push"
    on_control_plane -n default annotate --overwrite "$pull" "force-sync=$(date +%s)" >/dev/null ||
      fail "$name: the operator can't be told to pull the token" 'the message above' "$look_at_pull"
    keep_waiting ||
      fail "$name: the token has not come through the store" \
        "the push: $look_at_push" \
        "the pull: $look_at_pull" \
        "externalSecrets of $values: both stores have to be the same one, and may have to be told that the operator owns the key"
  done
  on_compute -n default wait --for=condition=Ready "$push" --timeout="${TIMEOUT}s" ||
    fail "$name: the PushSecret isn't ready" "$look_at_push"
  on_control_plane -n default wait --for=condition=Ready "$pull" --timeout="${TIMEOUT}s" ||
    fail "$name: the ExternalSecret isn't ready" "$look_at_pull"
}

# Whether the control plane holds the token of the current token Secret.
same_token() { is_token_of "$token_secret" "$name"; }

# is_token_of SECRET CLUSTER: whether the control plane holds that Secret's token for that Cluster; where it can't be told, it
# doesn't. Nothing of either is shown.
is_token_of() {
  has_data on_compute "$1" token &&
    has_data on_control_plane "cluster-$2-client-token" token &&
    cmp -s <(data on_compute "$1" token || echo 'not read') \
      <(data on_control_plane "cluster-$2-client-token" token || echo 'not read either')
}

# --- Deleted token Secrets ---

# Whether there may be a token that was revoked.
was_registered() {
  { holds on_control_plane "cluster-$name-client-token" token ||
    exists on_control_plane ma-system clusters.michelangelo.api "$name"; } &&
    exists on_compute default serviceaccounts "$service_account"
}

# A token Secret that is made again under its old name gets its old token again, and deleting it may have been meant to
# revoke that. So the current one is made only where it is known to be new: where the control plane holds another one's token.
check_current_secret() {
  local secret
  if [ "$SAME_TOKEN" = yes ] || exists on_compute default secrets "$token_secret" || ! was_registered; then
    return
  fi
  for secret in $old_token_secrets; do
    if is_token_of "$secret" "$name"; then
      return
    fi
  done
  if is_token_of_another; then
    return
  fi
  fail "$name: the token Secret $token_secret isn't there: it is new, or was deleted, which revoked its token, and applying would bring the same token back" \
    "if it was deleted: append a name that was never used to serviceAccount.tokenSecrets of $values, remove this one, and make this script again" \
    'SAME_TOKEN=yes, where the name was never used, or the token may come back'
}

# Whether the control plane's token says itself that it is another Secret's than the current one.
is_token_of_another() {
  local said
  [ "$token_from" = pipe ] && has_data on_control_plane "cluster-$name-client-token" token || return
  said=$(control_plane_token 2>/dev/null | "${render[@]}" --side control-plane --token-file - 2>&1 >/dev/null) || true
  case $said in
    *token-secret-not-current*) true ;;
    *) false ;;
  esac
}

# --- Verification ---

control_plane_token() {
  on_control_plane -n default get secret "cluster-$name-client-token" -o go-template='{{.data.token | base64decode}}'
}

# Whose token the control plane holds, as the compute cluster says when it is shown it; nothing where it isn't taken.
token_owner() {
  {
    printf '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"'
    control_plane_token
    printf '"}}'
  } | on_compute create -f - -o 'jsonpath={.status.user.username}'
}

verify_token() {
  local white owner
  holds on_control_plane "cluster-$name-client-token" token ||
    fail "$name: the control plane's Secret cluster-$name-client-token is missing, or has no token" \
      "an empty token is as bad as a wrong one: the controller keeps it until it is restarted" \
      "where the token comes from: token in $values"
  white=$(control_plane_token | tr -d '[:graph:]' | wc -c) ||
    fail "$name: the control plane's Secret cluster-$name-client-token can't be read" 'the message above'
  [ "$white" -eq 0 ] ||
    fail "$name: there is white space around or in the token of cluster-$name-client-token, so every request would fail" \
      "whoever makes that Secret: a file or variable with a line's end"
  if ! may on_compute create tokenreviews.authentication.k8s.io --all-namespaces; then
    unchecked "whether the compute cluster takes the control plane's token, since you may not ask it (create tokenreviews.authentication.k8s.io)"
    return
  fi
  owner=$(token_owner) ||
    fail "$name: the compute cluster can't be asked about the control plane's token" 'the message above' \
      "your rights there: $(shown "${compute[@]}" auth can-i create tokenreviews.authentication.k8s.io --all-namespaces)"
  [ "$owner" = "system:serviceaccount:default:$service_account" ] ||
    fail "$name: the compute cluster takes the control plane's token for '${owner:-nobody}', not for system:serviceaccount:default:$service_account" \
      "whether the token has been revoked or has expired, or is another cluster's" \
      "whether the contexts are the right ones"
  say "the compute cluster takes the control plane's token"
}

# What the service account may do is asked in its name.
verify_rights() {
  local resource
  if ! may on_compute impersonate "serviceaccounts/$service_account" -n default; then
    unchecked "whether $service_account may create Ray clusters and jobs, since you may not ask in its name (impersonate serviceaccounts/$service_account)"
    return
  fi
  for resource in rayclusters.ray.io rayjobs.ray.io; do
    may on_compute create "$resource" -n default --as="system:serviceaccount:default:$service_account" ||
      fail "$name: $service_account may not create $resource in default" \
        "its role: $(shown_object role)" \
        "and the role's binding: $(shown_object binding)" \
        "$(shown "${compute[@]}" -n default auth can-i --list --as="system:serviceaccount:default:$service_account")"
  done
  say "$service_account may create Ray clusters and jobs"
}

# shown_object WORD: what describes the compute side's object of the kind that ends so.
shown_object() {
  local line object namespace
  for line in "${compute_objects[@]}"; do
    read -r object namespace <<<"$line"
    case ${object%%.*} in
      *"$1")
        shown "${compute[@]}" ${namespace:+-n "$namespace"} describe "$object"
        return
        ;;
    esac
  done
}

verify_storage() {
  start_waiting
  until is_there on_compute default configmaps michelangelo-config; do
    keep_waiting ||
      fail "$name: the compute cluster has no ConfigMap michelangelo-config in default, which Ray pods take their environment from" \
        "who makes it: storage in $values" \
        "$(shown "${compute[@]}" -n default get configmaps)"
  done
  if [ "$storage_secret" = yes ]; then
    until has_data on_compute aws-credentials AWS_ACCESS_KEY_ID; do
      keep_waiting ||
        fail "$name: the compute cluster has no Secret aws-credentials in default, or no AWS_ACCESS_KEY_ID in it" \
          "who makes it: storage.credentials in $values" \
          "$(shown "${compute[@]}" -n default describe secret aws-credentials)"
    done
  fi
  say 'the storage settings are there'
}

# Sets probe to what the controller's last probe found, and when.
look_at_health() {
  look on_control_plane -n ma-system clusters.michelangelo.api "$name" \
    -o 'jsonpath={range .status.statusConditions[?(@.type=="Ready")]}{.status} {.lastUpdatedTimestamp}{end}' || return
  probe=$found
}

is_healthy_since() {
  look_at_health || return
  case $probe in
    'CONDITION_STATUS_TRUE '?*) [ "$probe" != "$1" ] ;;
    CONDITION_STATUS_TRUE*) true ;;
    *) false ;;
  esac
}

verify_health() {
  local before
  start_waiting
  until look_at_health; do
    keep_waiting ||
      fail "$name: it can't be told what the controller says of the Cluster" 'the network, and your rights there'
  done
  before=$probe
  say 'waiting for the next probe of the controller, which it does every 30 s'
  start_waiting
  until is_healthy_since "$before"; do
    keep_waiting ||
      fail "$name: within $TIMEOUT s the controller has not reported again that the Cluster is ready; the last it said: ${probe:-nothing}" \
        "its conditions: $(shown "${control_plane[@]}" -n ma-system describe clusters.michelangelo.api "$name")" \
        "the controller's log: $(shown_logs)" \
        "whether the control plane's network reaches the compute cluster's API server at $host, port $port (firewall, kubeconfig.server in $values)" \
        'whether the CA is that of the compute cluster' \
        "whether the controller has been restarted since the token or the CA changed, as it keeps its clients: $(shown_restart)"
  done
  if has_new_clients || [ "$restart_due" = no ]; then
    say 'the controller reaches the compute cluster'
  else
    say 'the controller reaches the compute cluster, perhaps as before its restart'
  fi
}

shown_logs() {
  if [ -n "$controller" ]; then
    shown_on_controller logs "${controller#*/}"
  else
    printf 'that of michelangelo-controllermgr, wherever it runs'
  fi
}

verify() {
  stage "$name: verify"
  exists on_compute default serviceaccounts "$service_account" ||
    fail "$name: the compute cluster has no ServiceAccount $service_account in default" \
      "who removed it, and whether the contexts are the right ones"
  verify_rights
  verify_storage
  if [ "$private_ca" = yes ]; then
    holds on_control_plane "cluster-$name-ca-data" cadata ||
      fail "$name: the control plane's Secret cluster-$name-ca-data is missing, or has no cadata" \
        "$(shown "${control_plane[@]}" -n default describe secret "cluster-$name-ca-data")"
  fi
  verify_token
  exists on_control_plane ma-system clusters.michelangelo.api "$name" ||
    fail "$name: the control plane has no Cluster $name in ma-system" \
      "$(shown "${control_plane[@]}" -n ma-system get clusters.michelangelo.api)"
  say 'the Cluster is there'
  verify_health
}
