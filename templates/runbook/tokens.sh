# --- What registering and rotating share ---

check_registration() {
  local secret
  on_compute get crd rayclusters.ray.io rayjobs.ray.io -o name >/dev/null ||
    fail "$name: the compute cluster lacks KubeRay's rayclusters.ray.io or rayjobs.ray.io, or you may not look" \
      "whether this context is the compute cluster's, not the control plane's" \
      "whether the KubeRay operator is installed there: $(shown "${compute[@]}")-n ray-system get pods"
  if [ "$token_from" = store ]; then
    on_compute get crd pushsecrets.external-secrets.io -o name >/dev/null ||
      fail "$name: the compute cluster has no External Secrets Operator, which has to copy the token into the store" \
        "$(shown "${compute[@]}")get crd pushsecrets.external-secrets.io"
    on_control_plane get crd externalsecrets.external-secrets.io -o name >/dev/null ||
      fail "$name: the control plane has no External Secrets Operator, which has to fetch the token from the store" \
        "$(shown "${control_plane[@]}")get crd externalsecrets.external-secrets.io"
  fi
  check_values
  # A Secret that is made again under its old name gets its old token again.
  if exists on_compute default secrets "$token_secret"; then
    for secret in $old_token_secrets; do
      exists on_compute default secrets "$secret" ||
        fail "$name: the token Secret $secret has been deleted, and applying would bring it and its old token back" \
          "serviceAccount.tokenSecrets of $values: remove $secret from it"
    done
  fi
}

apply_compute() {
  stage "$name: apply the compute side"
  "${render[@]}" --side compute |
    on_compute apply --server-side --force-conflicts="${FORCE_CONFLICTS:-false}" -f - ||
    fail "$name: the compute side can't be applied" \
      "the message above; your rights there: $(shown "${compute[@]}")auth can-i --list" \
      "after a conflict: who else manages the field; FORCE_CONFLICTS=true takes it over"
}

wait_for_token() {
  stage "$name: wait for the token"
  start_waiting
  until has_data on_compute "$token_secret" token; do
    keep_waiting ||
      fail "$name: Kubernetes has not put a token into the Secret $token_secret" \
        "whether the ServiceAccount is there: $(shown "${compute[@]}")-n default get serviceaccount $service_account" \
        "the Secret's annotation kubernetes.io/service-account.name, which has to be $service_account: $(shown "${compute[@]}")-n default describe secret $token_secret" \
        'a Secret that is applied before its ServiceAccount is deleted again: run the script again'
  done
  say "the Secret $token_secret has one"
}

# What the control plane's two Secrets hold, as a number that tells whether they change.
fingerprint() {
  {
    data on_control_plane "cluster-$name-ca-data" cadata
    data on_control_plane "cluster-$name-client-token" token
  } | cksum
}

# The token goes from one cluster to the other through pipes, past every file and argument.
apply_control_plane() {
  stage "$name: apply the control-plane side"
  local had_token=no before
  if has_data on_control_plane "cluster-$name-client-token" token; then
    had_token=yes
  fi
  before=$(fingerprint)
  if [ "$token_from" = pipe ]; then
    on_compute -n default get secret "$token_secret" -o go-template='{{.data.token | base64decode}}' |
      "${render[@]}" --side control-plane --token-file - |
      on_control_plane apply --server-side --force-conflicts="${FORCE_CONFLICTS:-false}" -f - ||
      cannot_apply_control_plane
  else
    "${render[@]}" --side control-plane |
      on_control_plane apply --server-side --force-conflicts="${FORCE_CONFLICTS:-false}" -f - ||
      cannot_apply_control_plane
  fi
  case $token_from in
    pipe) ;;
    store) wait_for_store ;;
    values) say "the token is the one that $values names" ;;
    elsewhere) say "someone else makes the Secret cluster-$name-client-token" ;;
  esac
  # A client that was made before keeps the old token and CA.
  if [ "$had_token" = yes ] && [ "$(fingerprint)" != "$before" ]; then
    restart_due=yes
  fi
}

cannot_apply_control_plane() {
  fail "$name: the control-plane side can't be rendered or applied" \
    "the message above, and what it names in $values" \
    "your rights there: $(shown "${control_plane[@]}")-n ma-system auth can-i --list" \
    "after a conflict: who else manages the field; FORCE_CONFLICTS=true takes it over"
}

# The operators look once in a while; a new annotation makes them look now.
wait_for_store() {
  start_waiting
  until same_token; do
    on_compute -n default annotate --overwrite pushsecrets.external-secrets.io "$service_account-token" "force-sync=$(date +%s)" >/dev/null ||
      fail "$name: the operator can't be told to push the token" 'the message above'
    on_control_plane -n default annotate --overwrite externalsecrets.external-secrets.io "cluster-$name-client-token" "force-sync=$(date +%s)" >/dev/null ||
      fail "$name: the operator can't be told to pull the token" 'the message above'
    keep_waiting ||
      fail "$name: the token has not come through the store" \
        "the push: $(shown "${compute[@]}")-n default describe pushsecret $service_account-token" \
        "the pull: $(shown "${control_plane[@]}")-n default describe externalsecret cluster-$name-client-token" \
        "externalSecrets of $values: both stores have to be the same one, and may have to be told that the operator owns the key"
  done
  on_compute -n default wait --for=condition=Ready "pushsecrets.external-secrets.io/$service_account-token" --timeout="${TIMEOUT}s" ||
    fail "$name: the PushSecret isn't ready" \
      "$(shown "${compute[@]}")-n default describe pushsecret $service_account-token"
  on_control_plane -n default wait --for=condition=Ready "externalsecrets.external-secrets.io/cluster-$name-client-token" --timeout="${TIMEOUT}s" ||
    fail "$name: the ExternalSecret isn't ready" \
      "$(shown "${control_plane[@]}")-n default describe externalsecret cluster-$name-client-token"
}

# Whether the control plane holds the token of the current token Secret. Nothing of either is shown.
same_token() {
  has_data on_compute "$token_secret" token &&
    has_data on_control_plane "cluster-$name-client-token" token &&
    cmp -s <(data on_compute "$token_secret" token) <(data on_control_plane "cluster-$name-client-token" token)
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

# What the controller's last probe found, and when.
health() {
  on_control_plane -n ma-system get clusters.michelangelo.api "$name" \
    -o 'jsonpath={range .status.statusConditions[?(@.type=="Ready")]}{.status} {.lastUpdatedTimestamp}{end}'
}

is_healthy_since() {
  local now
  now=$(health) || return 1
  case $now in
    'CONDITION_STATUS_TRUE '?*) [ "$now" != "$1" ] ;;
    CONDITION_STATUS_TRUE*) true ;;
    *) false ;;
  esac
}

verify_token() {
  local owner
  has_data on_control_plane "cluster-$name-client-token" token ||
    fail "$name: the control plane's Secret cluster-$name-client-token is missing, or has no token" \
      "an empty token is as bad as a wrong one: the controller keeps it until it is restarted" \
      "where the token comes from: token in $values"
  [ "$(control_plane_token | tr -d '[:graph:]' | wc -c)" -eq 0 ] ||
    fail "$name: there is white space around or in the token of cluster-$name-client-token, so every request would fail" \
      "whoever makes that Secret: a file or variable with a line's end"
  owner=$(token_owner) ||
    fail "$name: the compute cluster can't be asked about the control plane's token" \
      "your rights there: $(shown "${compute[@]}")auth can-i create tokenreviews.authentication.k8s.io"
  [ "$owner" = "system:serviceaccount:default:$service_account" ] ||
    fail "$name: the compute cluster takes the control plane's token for '${owner:-nobody}', not for system:serviceaccount:default:$service_account" \
      "whether the token has been revoked or has expired, or is another cluster's" \
      "whether the contexts are the right ones"
  say "the compute cluster takes the control plane's token"
}

verify() {
  stage "$name: verify"
  local resource before
  exists on_compute default serviceaccounts "$service_account" ||
    fail "$name: the compute cluster has no ServiceAccount $service_account in default" \
      "who removed it, and whether the contexts are the right ones"
  for resource in rayclusters.ray.io rayjobs.ray.io; do
    on_compute -n default auth can-i create "$resource" --as="system:serviceaccount:default:$service_account" --quiet ||
      fail "$name: $service_account may not create $resource in default" \
        "its role and binding: $(shown "${compute[@]}")describe clusterrole,role $service_account" \
        "whether you may ask: it takes the right to impersonate"
  done
  say "$service_account may create Ray clusters and jobs"

  start_waiting
  until exists on_compute default configmaps michelangelo-config; do
    keep_waiting ||
      fail "$name: the compute cluster has no ConfigMap michelangelo-config in default, which Ray pods take their environment from" \
        "$(shown "${compute[@]}")-n default get configmaps,externalsecrets"
  done
  if [ "$storage_secret" = yes ]; then
    until has_data on_compute aws-credentials AWS_ACCESS_KEY_ID; do
      keep_waiting ||
        fail "$name: the compute cluster has no Secret aws-credentials in default, or no AWS_ACCESS_KEY_ID in it" \
          "who makes it: storage.credentials in $values" \
          "$(shown "${compute[@]}")-n default get secrets,externalsecrets"
    done
  fi
  say 'the storage settings are there'

  if [ "$private_ca" = yes ]; then
    has_data on_control_plane "cluster-$name-ca-data" cadata ||
      fail "$name: the control plane's Secret cluster-$name-ca-data is missing, or has no cadata" \
        "$(shown "${control_plane[@]}")-n default describe secret cluster-$name-ca-data"
  fi
  verify_token

  exists on_control_plane ma-system clusters.michelangelo.api "$name" ||
    fail "$name: the control plane has no Cluster $name in ma-system" \
      "$(shown "${control_plane[@]}")-n ma-system get clusters.michelangelo.api"
  before=$(health) || before=''
  say 'the Cluster is there; waiting for the next probe of the controller, which it does every 30 s'
  start_waiting
  until is_healthy_since "$before"; do
    keep_waiting ||
      fail "$name: the controller doesn't report the Cluster as ready; the last it said: $(health)" \
        "its conditions: $(shown "${control_plane[@]}")-n ma-system describe clusters.michelangelo.api $name" \
        "the controller's log: $(shown "${control_plane[@]}")-n ma-system logs deployment/michelangelo-controllermgr" \
        "whether the control plane's network reaches the compute cluster's API server at the Cluster's host and port (firewall, kubeconfig.server in $values)" \
        'whether the CA is that of the compute cluster' \
        'whether the controller has been restarted since the token or the CA changed: it keeps its clients'
  done
  say 'the controller reaches the compute cluster'
}
