//! A folder that can't be written, or a disk that is full: an error, and every file stays as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use serde_json::json;

use crate::support::{Folder, PROGRAM, cluster, differing, files, run, values_file};

/// A command of a wrapper that runs the program and renders into `out`.
fn render(folder: &Folder, wrapper: &[&str]) -> Command {
    let program = [wrapper, &[PROGRAM, "render", "-f", "values.yaml", "-o", "out"]].concat();
    let mut command = Command::new(program[0]);
    command.current_dir(folder.path("")).args(&program[1..]);
    command
}

/// A folder with values and the directory that they render to, changed in every file since.
fn changed(name: usize) -> Folder {
    let folder = Folder::new();
    let write = |number, more| folder.write("values.yaml", values_file(&[cluster(number, more)]));
    write(0, json!({}));
    run(&mut render(&folder, &[])).succeeds();
    // One of the files is larger than the others together.
    let environment = json!({"LONG": "x".repeat(100_000)});
    let storage = json!({"credentials": "workloadIdentity", "extraEnv": environment});
    write(name, json!({"labels": {"a": "b"}, "storage": storage}));
    folder
}

#[test]
fn a_full_disk_changes_nothing() {
    // Blocks that a file may have: none, and enough for all files but one.
    for blocks in ["0", "32"] {
        let folder = changed(0);
        let before = files(&folder.path("out"));
        let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", blocks];
        assert_eq!(run(&mut render(&folder, &limited)).code, 2, "{blocks}");
        assert_eq!(differing(&files(&folder.path("out")), &before), [""; 0], "{blocks}");
    }
}

#[test]
fn a_read_only_folder_changes_nothing() {
    // Permissions don't bind root, who can give that right up.
    let is_root = fs::metadata(Folder::new().path("")).unwrap().uid() == 0;
    let bound = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"];
    let wrapper = if is_root { &bound[..] } else { &[] };
    for (closed, cluster) in [
        ("out/compute/c0", 0),
        ("out/control-plane/c0", 0),
        ("out/compute", 1),
        ("out/control-plane", 1),
    ] {
        let folder = changed(cluster);
        let before = files(&folder.path("out"));
        fs::set_permissions(folder.path(closed), Permissions::from_mode(0o555)).unwrap();
        let failed = run(&mut render(&folder, wrapper));
        fs::set_permissions(folder.path(closed), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(failed.code, 2, "{closed}");
        assert_eq!(differing(&files(&folder.path("out")), &before), [""; 0], "{closed}");
        run(&mut render(&folder, wrapper)).succeeds();
    }
}
