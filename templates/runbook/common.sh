# --- The program, and settings ---

# A plugin of kubectl has another name on the PATH.
program=ma-register
if ! command -v ma-register >/dev/null && command -v kubectl-ma_register >/dev/null; then
  program='kubectl ma-register'
  ma-register() { kubectl ma-register "$@"; }
fi
# The script's file; nothing where bash reads it from a pipe.
script=${BASH_SOURCE[0]:-}

# setting NAME DEFAULT: makes a setting that is a switch yes or no.
setting() {
  case ${!1:-$2} in
    yes | true) printf -v "$1" yes ;;
    no | false) printf -v "$1" no ;;
    *) fail "the setting $1 is neither yes nor no" ;;
  esac
}

check_timeout() {
  TIMEOUT=${TIMEOUT:-120}
  case $TIMEOUT in
    *[!0-9]* | ???????*) fail 'TIMEOUT is not a number of seconds' ;;
  esac
  TIMEOUT=$((10#$TIMEOUT))
  [ "$TIMEOUT" -gt 0 ] || fail 'TIMEOUT is 0, and nothing is done at once'
}

# --- Talking, stopping, waiting ---

current_stage='the start'
# Whether anything may have been, in either cluster.
changed=no
restart_due=no
saved_pod=''
trouble=''
# What kubectl says where it fails.
errors=$(mktemp)

stage() {
  current_stage=$*
  trouble=''
  printf '\n== %s ==\n' "$*"
}

say() { printf '   %s\n' "$@"; }

# For what somebody else has to look after.
warn() { printf '   %s\n' "$@" >&2; }

# unchecked WHETHER: what you may not ask, or what couldn't be told.
unchecked() { warn "NOT CHECKED: $1${trouble:+; kubectl said: $trouble}"; }

# A command as it can be pasted into a shell.
shown() {
  local command
  command=$(printf '%q ' "$@")
  printf '%s' "${command% }"
}

# fail WHAT [LOOK_AT_OR_SETTING...]: ends the script.
fail() {
  local hint
  printf '\nerror: %s\n' "$1" >&2
  shift
  if [ -n "$trouble" ]; then
    printf '  kubectl said: %s\n' "$trouble" >&2
  fi
  for hint in "$@"; do
    case $hint in
      [[:upper:]]*=*) printf '  or set: %s\n' "$hint" >&2 ;;
      *) printf '  look at: %s\n' "$hint" >&2 ;;
    esac
  done
  exit 1
}

on_exit() {
  local code=$?
  rm -f "$errors"
  if [ "$code" -ne 0 ]; then
    printf '\nStopped at: %s. ' "$current_stage" >&2
    if [ "$changed" = yes ]; then
      printf 'What came before it is done; mend what is wrong and run the script again.\n' >&2
    else
      printf 'Nothing has been changed; mend what is wrong and run the script again.\n' >&2
    fi
    if [ "$restart_due" = yes ]; then
      printf 'The controller has not been restarted yet, and keeps its clients with the old token and CA until it is:\n  %s\n' "$(shown_restart)" >&2
    fi
  fi
  if [ -n "$saved_pod" ]; then
    printf 'What the Pod of the controller was is kept in %s, its environment included. If the Pod is gone:\n  %s\n' \
      "$saved_pod" "$(shown "${control_plane[@]}" create -f "$saved_pod")" >&2
  fi
}
trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# until SOMETHING; do keep_waiting || fail …; done, after start_waiting.
start_waiting() { give_up_at=$((SECONDS + TIMEOUT)); }
keep_waiting() { [ "$SECONDS" -lt "$give_up_at" ] && sleep 2; }

# --- The two sides ---

on_compute() { "${compute[@]}" "$@"; }
on_control_plane() { "${control_plane[@]}" "$@"; }

# shown_kubectl SIDE ARGUMENT...: the call as it can be pasted.
shown_kubectl() {
  case $1 in
    on_compute) shown "${compute[@]}" "${@:2}" ;;
    *) shown "${control_plane[@]}" "${@:2}" ;;
  esac
}

# look SIDE ARGUMENT...: sets found to what kubectl gets, nothing where there is nothing. Where that can't be told it is
# false, and trouble says why.
look() {
  local side=$1
  shift
  trouble=''
  if found=$("$side" get --ignore-not-found --request-timeout=30s "$@" 2>"$errors"); then
    return
  fi
  found=''
  trouble=$(cat "$errors")
  case $trouble in
    # Without its kind there can't be any of it.
    "error: the server doesn't have a resource type"*) trouble='' ;;
    *) return 1 ;;
  esac
}

# get SIDE ARGUMENT...: the same, and ends the script where it can't be told.
get() {
  look "$@" || fail "it can't be told whether this is there: $(shown_kubectl "$1" get "${@:2}")" \
    'the network, and your rights there'
}

# is_there SIDE NAMESPACE KIND NAME: for waiting, as it takes what can't be told for no.
is_there() { look "$1" -n "$2" "$3" "$4" -o name && [ -n "$found" ]; }

# exists SIDE NAMESPACE KIND NAME: ends the script where it can't be told.
exists() {
  get "$1" -n "$2" "$3" "$4" -o name
  [ -n "$found" ]
}

# has_data SIDE SECRET KEY: whether the Secret is there and the value isn't empty; for waiting, as is_there.
has_data() { look "$1" -n default secret "$2" -o "$(is_filled "$3")" && [ -n "$found" ]; }

# holds SIDE SECRET KEY: the same; ends the script where it can't be told.
holds() {
  get "$1" -n default secret "$2" -o "$(is_filled "$3")"
  [ -n "$found" ]
}

is_filled() { printf 'go-template={{with .data}}{{if .%s}}yes{{end}}{{end}}' "$1"; }

# data SIDE SECRET KEY: a value of a Secret in base64; for pipes only, as it may be secret.
data() { "$1" -n default get secret "$2" -o "jsonpath={.data.$3}"; }

# serves SIDE GROUP RESOURCE...: whether its API server has all of them. To ask so takes no rights.
serves() {
  local side=$1 group=$2 resource
  shift 2
  trouble=''
  # It fails also where some other group can't be told.
  found=$("$side" api-resources --api-group="$group" -o name 2>"$errors") || trouble=$(cat "$errors")
  for resource in "$@"; do
    case $'\n'$found$'\n' in
      *$'\n'"$resource.$group"$'\n'*) ;;
      *)
        [ -z "$trouble" ] ||
          fail "${name:+$name: }it can't be told whether there is $resource.$group" "$(shown_kubectl "$side" api-resources --api-group="$group")"
        return 1
        ;;
    esac
  done
}

# may SIDE ARGUMENT...: whether you may do that; false also where it can't be told.
may() {
  trouble=''
  "$1" auth can-i "${@:2}" --quiet 2>"$errors" && return
  trouble=$(cat "$errors")
  return 1
}

# --- Prerequisites ---

check_tools() {
  stage 'check the tools'
  local tool
  for tool in kubectl "$program" cmp; do
    command -v "${tool%% *}" >/dev/null || fail "there is no program $tool on the PATH" "the PATH, or how $tool is installed here"
  done
  check_that_nothing_changed
}

# The same inputs make the same script; where they don't, it is about other contexts, hosts or objects than when it was read.
check_that_nothing_changed() {
  local again
  again="$program $(shown "${made_by[@]}")"
  if [ ! -f "$script" ]; then
    say 'this script is no file, so it is not checked whether it is up to date'
    return
  fi
  ma-register "${made_by[@]}" >/dev/null 2>"$errors" || {
    cat "$errors" >&2
    fail "this script can't be made again" \
      'the message above, and whether this is the folder in which the script was made' \
      "$again"
  }
  ma-register "${made_by[@]}" 2>/dev/null | cmp -s - "$script" ||
    fail 'this script is not what it would be today: the values, the kubeconfig or the program have changed since, or it was made in another folder' \
      "what differs: $again | diff $(shown "$script") -" \
      "make it again, and read it: $again"
}

# reach SIDE TITLE: the context is there, and its API server answers and takes the credentials.
reach() {
  "$1" config view --minify >/dev/null ||
    fail "$2: kubectl doesn't know this context" \
      "whether the kubeconfig is the one that was there when this script was made, KUBECONFIG included" \
      "the contexts there are: $(shown_kubectl "$1" config get-contexts)"
  # Everyone who is let in at all may ask what they may do.
  "$1" auth can-i create selfsubjectaccessreviews.authorization.k8s.io --all-namespaces --quiet --request-timeout=30s ||
    fail "$2: the API server can't be reached, or doesn't take your credentials" \
      "the network between this machine and it (VPN, firewall), and your credentials' expiry" \
      "$(shown_kubectl "$1" auth can-i create selfsubjectaccessreviews.authorization.k8s.io --all-namespaces)"
}

check_control_plane() {
  stage 'check the control plane'
  reach on_control_plane 'the control plane'
  serves on_control_plane michelangelo.api clusters ||
    fail 'the control plane has no Clusters (clusters.michelangelo.api)' \
      "whether this context is the control plane's, not a compute cluster's" \
      "whether Michelangelo's control plane is installed: its API server makes the CRD"
  if ! look on_control_plane namespace ma-system -o name; then
    unchecked 'whether the control plane has the namespace ma-system'
  elif [ -z "$found" ]; then
    fail "the control plane has no namespace ma-system, the only one in which the controller takes Clusters" \
      "whether this context is the control plane's" \
      "$(shown "${control_plane[@]}" create namespace ma-system)"
  fi
  find_controller
}

# --- Other registrations ---

# Sets others to the Clusters at the same host and port, but for those of this script, and moved to the host and port of the
# Cluster of this name, where they are others.
find_others_at_server() {
  local other other_host other_port
  get on_control_plane -n ma-system clusters.michelangelo.api \
    -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.kubernetes.rest.host} {.spec.kubernetes.rest.port}{"\n"}{end}'
  others='' moved=''
  while read -r other other_host other_port; do
    if [ "$other" = "$name" ] && [ "$other_host $other_port" != "$host $port" ]; then
      moved="$other_host, port $other_port"
    fi
    case " ${clusters[*]} " in
      *" $other "*) ;;
      *) [ "$other_host $other_port" != "$host $port" ] || others="$others $other" ;;
    esac
  done <<<"$found"
}

# find_owners SIDE OBJECT...: adds a line to foreign for what says that it is another registration's, and to nobodys for what
# says nothing.
find_owners() {
  local side=$1 line object namespace owner
  shift
  for line in "$@"; do
    read -r object namespace <<<"$line"
    get "$side" ${namespace:+-n "$namespace"} "$object" -o 'jsonpath={.metadata.name} {.metadata.labels.app\.kubernetes\.io/instance}'
    [ -n "$found" ] || continue
    read -r _ owner <<<"$found"
    case $owner in
      "$name") ;;
      '') nobodys="$nobodys"$'\n'"     $object" ;;
      *) foreign="$foreign"$'\n'"     $object (of $owner)" ;;
    esac
  done
}
