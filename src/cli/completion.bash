_ma_register() {
  # The words as the shell will read them: bash has split them at further characters, and has left the
  # quotes in. Of a candidate it wants what comes after the last of those characters, or after a quote
  # that is open.
  local -a words=()
  local line=${COMP_LINE:0:COMP_POINT} word='' before='' outer='' quote='' is_word=no is_target=no
  local character i
  for ((i = 0; i < ${#line}; i++)); do
    character=${line:i:1}
    if [[ -n $quote && $character == "$quote" ]]; then
      quote=''
      before=$outer
    elif [[ $quote == \' ]]; then
      word+=$character
    elif [[ $character == \\ ]]; then
      i=$((i + 1))
      word+=${line:i:1}
      is_word=yes
    elif [[ -n $quote ]]; then
      word+=$character
    elif [[ $character == [\'\"] ]]; then
      quote=$character
      outer=$before
      before=$word
      is_word=yes
    elif [[ $character == [[:blank:]\<\>] ]]; then
      if [[ $is_word == yes && $is_target == no ]]; then
        words+=("$word")
      fi
      if [[ $character == [\<\>] ]]; then
        is_target=yes
      elif [[ $is_word == yes ]]; then
        is_target=no
      fi
      word='' before='' is_word=no
    else
      if [[ $COMP_WORDBREAKS == *"$character"* ]]; then
        # These two belong to what comes after.
        case $character in
          @ | \$) before=$word ;;
          *) before=$word$character ;;
        esac
      fi
      word+=$character
      is_word=yes
    fi
  done

  COMPREPLY=()
  if [[ $is_target == yes ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  words+=("$word")

  local candidate home
  while IFS=$'\t' read -r candidate _; do
    candidate=${candidate#"$before"}
    if [[ -n $quote ]]; then
      # What would mean something within the quotes is left to be typed.
      if [[ $candidate == *["$quote"]* || ($quote == \" && $candidate == *[\$\`\\]*) ]]; then
        continue
      fi
    elif [[ $candidate == *[!a-zA-Z0-9_./:=@%+-]* ]]; then
      home=''
      if [[ $word == \~/* && -z $before ]]; then
        home=\~/
      fi
      printf -v candidate %q "${candidate#"$home"}"
      candidate=$home$candidate
    fi
    COMPREPLY+=("$candidate")
  done < <(_CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) VARIABLE=bash COMPLETER -- "${words[@]}" 2>/dev/null)

  # A folder goes on, and so does a flag with its value.
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}

complete -o nosort -F _ma_register PROGRAM 2>/dev/null || complete -F _ma_register PROGRAM
