# --- The compute cluster ---

check_compute() {
  stage "$name: check the compute cluster"
  reach on_compute "the compute cluster of $name"
}
