#compdef PROGRAM

_ma_register() {
  # The words without their quotes; that of the last one may be open.
  local -a typed=("${(@Q)words}")
  if [[ -n $compstate[quote] ]]; then
    typed[CURRENT]=${words[CURRENT]#[\"\']}
  fi

  local -a lines candidates shown folders shown_folders as_is
  local line value
  lines=("${(@f)$(_CLAP_COMPLETE_INDEX=$((CURRENT - 1)) VARIABLE=zsh COMPLETER -- "${typed[@]}" 2>/dev/null)}")
  for line in $lines; do
    value=${line%%$'\t'*}
    line=${line//$'\t'/  -- }
    # Within quotes zsh does the quoting itself. A `~` stands for the home directory only without.
    if [[ -z $compstate[quote] ]]; then
      as_is=(-Q)
      if [[ $value == \~/* ]]; then
        value="~/${(q)value#\~/}"
      else
        value=${(q)value}
      fi
    fi
    if [[ $value == */ ]]; then
      folders+=("$value")
      shown_folders+=("$line")
    else
      candidates+=("$value")
      shown+=("$line")
    fi
  done
  (( $#folders )) && compadd $as_is -S '' -d shown_folders -V folders -a folders
  (( $#candidates )) && compadd $as_is -l -d shown -V values -a candidates
}

compdef _ma_register PROGRAM
