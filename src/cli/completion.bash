_ma_register() {
  # bash has split words at `=` and `:` as well: what stands together in the line is one word.
  local -a words=()
  local part next rest=$COMP_LINE last=-1 i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=${COMP_WORDS[i]}
    next=${rest#"${rest%%[![:blank:]]*}"}
    if [[ $i -gt 0 && $next == "$rest" ]] &&
      [[ $part == [=:]* || ${COMP_WORDS[i - 1]} == *[=:] ]]; then
      words[last]+=$part
    else
      last=$((last + 1))
      words[last]=$part
    fi
    rest=${next#"$part"}
  done

  # Of a candidate, bash wants what comes after the last of these.
  local before='' word=${words[last]}
  if [[ $word == *[=:]* ]]; then
    before=${word%"${word##*[=:]}"}
  fi

  COMPREPLY=()
  local candidate
  while IFS= read -r candidate || [[ -n $candidate ]]; do
    candidate=${candidate#"$before"}
    if [[ $candidate == *[[:space:]\'\"\\\$\`\&\|\;\<\>\(\)\*\?\[\]\!#]* ]]; then
      printf -v candidate %q "$candidate"
    fi
    COMPREPLY+=("$candidate")
  done < <(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$last VARIABLE=bash COMPLETER -- "${words[@]}" 2>/dev/null)

  # A folder goes on, and so does a flag with its value.
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -o nosort -F _ma_register PROGRAM 2>/dev/null || complete -F _ma_register PROGRAM
