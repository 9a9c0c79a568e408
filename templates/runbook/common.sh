# --- Talking, stopping, waiting ---

# How long to wait for something that another program does, in seconds.
TIMEOUT=${TIMEOUT:-120}
current_stage='the start'
restart_due=no

stage() {
  current_stage=$*
  printf '\n== %s ==\n' "$*"
}

say() { printf '   %s\n' "$@"; }

# A command as it can be pasted into a shell.
shown() { printf '%q ' "$@"; }

# fail WHAT [LOOK_AT...]: ends the script.
fail() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  if [ "$#" -gt 0 ]; then
    printf '  look at: %s\n' "$@" >&2
  fi
  exit 1
}

on_exit() {
  local code=$?
  if [ "$code" -ne 0 ]; then
    printf '\nStopped at: %s. What came before it is done; mend what is wrong and run the script again.\n' "$current_stage" >&2
    if [ "$restart_due" = yes ]; then
      printf 'The controller has not been restarted yet, and keeps its clients with the old token and CA until it is:\n  %s-n ma-system rollout restart deployment/michelangelo-controllermgr\n' \
        "$(shown "${control_plane[@]}")" >&2
    fi
  fi
}
trap on_exit EXIT

# until SOMETHING; do keep_waiting || fail …; done, after start_waiting.
start_waiting() { give_up_at=$((SECONDS + TIMEOUT)); }
keep_waiting() { [ "$SECONDS" -lt "$give_up_at" ] && sleep 2; }

# --- The two sides ---

on_compute() { "${compute[@]}" "$@"; }
on_control_plane() { "${control_plane[@]}" "$@"; }

# exists SIDE NAMESPACE KIND NAME
exists() { "$1" -n "$2" get "$3" "$4" --ignore-not-found -o name | grep . >/dev/null; }

# data SIDE SECRET KEY: a value of a Secret in base64; for pipes only, as it may be secret.
data() { "$1" -n default get secret "$2" --ignore-not-found -o "jsonpath={.data.$3}"; }

# has_data SIDE SECRET KEY: whether the Secret is there and the value isn't empty.
has_data() { data "$@" | grep . >/dev/null; }

# --- Prerequisites ---

check_tools() {
  stage 'check the tools'
  case $TIMEOUT in
    '' | *[!0-9]*) fail 'TIMEOUT is not a number of seconds' ;;
  esac
  local tool
  for tool in kubectl ma-register cksum cmp; do
    command -v "$tool" >/dev/null || fail "there is no program $tool on the PATH" "the PATH, or how $tool is installed here"
  done
}

# reach SIDE TITLE: the context is there, and its API server answers.
reach() {
  "$1" config view --minify >/dev/null ||
    fail "$2: kubectl doesn't know this context" \
      "whether the kubeconfig is the one that was there when this script was made, KUBECONFIG included" \
      "the contexts there are: $(shown_side "$1")config get-contexts"
  "$1" get --raw /readyz --request-timeout=30s >/dev/null ||
    fail "$2: the API server can't be reached, doesn't take your credentials, or isn't ready" \
      "the network between this machine and it (VPN, firewall), and your credentials' expiry" \
      "$(shown_side "$1")get --raw '/readyz?verbose'"
}

shown_side() {
  case $1 in
    on_compute) shown "${compute[@]}" ;;
    *) shown "${control_plane[@]}" ;;
  esac
}

check_control_plane() {
  stage 'check the control plane'
  reach on_control_plane 'the control plane'
  on_control_plane get crd clusters.michelangelo.api -o name >/dev/null ||
    fail "the control plane has no Clusters (clusters.michelangelo.api), or you may not look" \
      "whether this context is the control plane's, not a compute cluster's" \
      "whether Michelangelo's control plane is installed: its API server makes the CRD"
  on_control_plane get namespace ma-system -o name >/dev/null ||
    fail "the control plane has no namespace ma-system, the only one in which the controller takes Clusters" \
      "whether this context is the control plane's" \
      "$(shown "${control_plane[@]}")create namespace ma-system"
}
