//! A folder that may not be written into: an error, and everything stays as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::tree;
use crate::support::{Run, Sandbox, run};

/// Someone whom permissions bind, as they don't bind root.
const NOBODY: u32 = 65534;

/// Renders into `out` as someone whom permissions bind, who owns everything in the sandbox.
fn render(sandbox: &Sandbox) -> Run {
    // The build folder may be closed to others.
    let program = sandbox.path().join("ma-register");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_ma-register"), &program).unwrap();
    }
    let mut command = Command::new(program);
    command.current_dir(sandbox.path()).env_clear();
    command.args(["render", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"]);
    if is_root() {
        give(sandbox.path());
        command.uid(NOBODY).gid(NOBODY);
    }
    run(command.args(["-o", "out"]), "")
}

/// What root makes belongs to root.
fn is_root() -> bool {
    fs::metadata(Sandbox::new().path()).unwrap().uid() == 0
}

fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_read_only_folder_leaves_everything_as_it_was() {
    for folder in [
        "out",
        "out/compute",
        "out/control-plane",
        "out/control-plane/c0",
    ] {
        let sandbox = Sandbox::with_cluster();
        render(&sandbox).succeeds();
        // Every file changes, and another cluster's side is wholly new.
        let values = sandbox.read("c0.yaml") + "labels: {team: ml}\n";
        let name = if folder.ends_with("c0") { "c0" } else { "c1" };
        sandbox.write(
            "c0.yaml",
            values.replace("name: c0", &format!("name: {name}")),
        );
        if folder == "out" {
            fs::remove_dir_all(sandbox.path().join("out/compute")).unwrap();
        }
        let closed = sandbox.path().join(folder);
        fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
        let before = tree(&sandbox.path().join("out"));
        render(&sandbox).fails_with(&["failed to write into `out`", folder, "Permission denied"]);
        assert_eq!(tree(&sandbox.path().join("out")), before, "{folder}");
        fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
        render(&sandbox).succeeds();
    }
}
