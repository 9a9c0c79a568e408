//! The end of each command's help: examples, and what it reads and writes.

/// Of the program.
pub const PROGRAM: &str = "\
Examples:
  ma-register init --kubeconfig compute.kubeconfig > c0.yaml
  ma-register inspect -f c0.yaml
  ma-register runbook register -f c0.yaml \\
    --control-plane-context control-plane > register.sh
  ma-register render -f clusters/*.yaml --output-dir deploy --prune

Reads: what the arguments, the values files and the environment name; no API.
Writes: standard output, or below the directory that is named. Messages go to standard error.
Exit code: 0 done, 1 differences that `diff` found, 2 anything wrong.";

/// Of `init`.
pub const INIT: &str = "\
Examples:
  ma-register init --kubeconfig compute.kubeconfig > c0.yaml
  ma-register init --context my-compute-cluster > c0.yaml

Reads: the kubeconfig.
Writes: the values file to standard output.
Exit code: 0 done, 2 anything wrong.";

/// Of `inspect`.
pub const INSPECT: &str = "\
Examples:
  ma-register inspect -f c0.yaml
  ma-register inspect -f clusters/*.yaml
  ma-register inspect -f clusters/*.yaml --format json |
    jq -r '.[] | [.name, .token.expires] | @tsv'

Reads: what `render` reads with the same flags.
Writes: a table or JSON to standard output. Notes and errors go to standard error.
Exit code: 0 done, findings or not unless `--strict` is given, 2 where anything can't be used or told; the rest is shown all the same.";

/// Of `render`.
pub const RENDER: &str = "\
Examples:
  ma-register render -f c0.yaml --side compute |
    kubectl --context COMPUTE apply -f -
  ma-register render -f c0.yaml --side control-plane --token-file token |
    kubectl --context CONTROL_PLANE apply -f -
  ma-register render -f clusters/*.yaml --output-dir deploy --prune

Reads: the values files, the kubeconfigs, and the files that the values files name.
Writes: standard output, or files below DIR. Warnings and errors go to standard error.
Exit code: 0 done, 2 anything wrong; then nothing has been written.";

/// Of `diff`.
pub const DIFF: &str = "\
Examples:
  ma-register diff -f clusters/*.yaml -o deploy --prune
  ma-register diff -f clusters/*.yaml -o deploy --prune --quiet ||
    echo deploy is not up to date, or something is wrong

Reads: what `render` reads with the same flags, and DIR.
Writes: the diff to standard output. Warnings, errors and a summary go to standard error.
Exit code: 0 no difference, 1 some, 2 anything wrong.";

/// Of `runbook`.
pub const RUNBOOK: &str = "\
Examples:
  ma-register runbook register -f c0.yaml \\
    --control-plane-context control-plane > register.sh
  ma-register runbook rotate -f clusters/*.yaml \\
    --control-plane-context control-plane > rotate.sh
  REVOKE_OLD=yes bash rotate.sh

Reads: the values files and the kubeconfigs; no token and no key.
Writes: the script to standard output. Warnings and errors go to standard error.
Exit code: 0 done, 2 anything wrong.";

/// Of `schema`.
pub const SCHEMA: &str = "\
Examples:
  ma-register schema > ma-register.schema.json
  # Where there are defaults:
  ma-register schema --fleet > ma-register.schema.json

Reads: nothing.
Writes: the schema (draft 2020-12) to standard output.
Exit code: 0 done, 2 anything wrong.";

/// Of `templates`.
pub const TEMPLATES: &str = "\
Examples:
  ma-register templates own
  ma-register render -f c0.yaml --side compute --templates own

Reads: nothing.
Writes: DIR/compute and DIR/control-plane. A file that is there already is an error.
Exit code: 0 done, 2 anything wrong; then nothing has been written.";

/// Of `completions`.
pub const COMPLETIONS: &str = "\
Examples:
  # In ~/.bashrc; in ~/.zshrc, after compinit, with zsh:
  eval \"$(ma-register completions bash)\"
  # In ~/.config/fish/config.fish:
  ma-register completions fish | source
  # In ~/.config/elvish/rc.elv:
  eval (ma-register completions elvish | slurp)
  # In $PROFILE of PowerShell:
  ma-register completions powershell | Out-String | Invoke-Expression

Reads: nothing.
Writes: the script to standard output.
Exit code: 0 done, 2 anything wrong.";

/// Of `man`.
pub const MAN: &str = "\
Examples:
  ma-register man | man -l -
  ma-register man --output-dir ~/.local/share/man/man1

Reads: nothing.
Writes: standard output, or DIR/ma-register.1, DIR/ma-register-render.1 and so on, in place of older ones.
Exit code: 0 done, 2 anything wrong.";

/// Of `runbook register`.
pub const REGISTER: &str = "\
Examples:
  ma-register runbook register -f c0.yaml \\
    --control-plane-context control-plane > register.sh
  less register.sh && bash register.sh

Reads: the values files and the kubeconfigs; no token and no key.
Writes: the script to standard output. Warnings and errors go to standard error.
Exit code: 0 done, 2 anything wrong.";

/// Of `runbook rotate`.
pub const ROTATE: &str = "\
Examples:
  ma-register runbook rotate -f c0.yaml \\
    --control-plane-context control-plane > rotate.sh
  bash rotate.sh && REVOKE_OLD=yes bash rotate.sh

Reads: the values files, each with the new name at the end of `serviceAccount.tokenSecrets`, and the kubeconfigs; no token and no key.
Writes: the script to standard output. Warnings and errors go to standard error.
Exit code: 0 done, 2 anything wrong.";

/// Of `runbook deregister`.
pub const DEREGISTER: &str = "\
Examples:
  ma-register runbook deregister -f c0.yaml \\
    --control-plane-context control-plane > deregister.sh
  less deregister.sh && bash deregister.sh
  ma-register runbook deregister -f c0.yaml --compute-is-gone \\
    --control-plane-context control-plane > deregister.sh

Reads: the values files and the kubeconfigs; no token and no key.
Writes: the script to standard output. Warnings and errors go to standard error.
Exit code: 0 done, 2 anything wrong.";
