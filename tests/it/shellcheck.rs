//! shellcheck as the judge of shell scripts.

use std::process::Command;

use crate::support::Sandbox;

/// What shellcheck has to say about a script.
pub fn shellcheck(script: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.write("script.sh", script);
    let mut command = Command::new("shellcheck");
    command.arg("script.sh").current_dir(sandbox.path());
    match command.output() {
        Ok(output) => String::from_utf8(output.stdout).unwrap(),
        Err(error) => panic!(
            "shellcheck can't be run, so nothing is known about the scripts: install it (Debian's package `shellcheck`): {error}"
        ),
    }
}
