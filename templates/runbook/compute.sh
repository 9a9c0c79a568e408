# --- The compute cluster ---

check_compute() {
  stage "$name: check the compute cluster"
  reach on_compute "the compute cluster of $name"
}

# What is wrong with the values, or with the files and variables that they name, is said before anything is changed.
check_values() {
  "${render[@]}" --side compute >/dev/null ||
    fail "$name: the compute side can't be rendered" "the message above, and the values file $values"
}
