//! If the folder can't be written or the disk is full, the run fails and changes no file.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use serde_json::json;

use crate::support::{Folder, PROGRAM, cluster, differing, files, run, values_file};

/// Returns a command that renders into `out`, started by a wrapper.
fn render(folder: &Folder, wrapper: &[&str]) -> Command {
    let program = [wrapper, &[PROGRAM, "render", "-f", "values.yaml", "-o", "out"]].concat();
    let mut command = Command::new(program[0]);
    command.current_dir(folder.path("")).args(&program[1..]);
    command
}

/// Returns a folder with a rendered directory, and values that change every file in it.
fn changed(name: usize) -> Folder {
    let folder = Folder::new();
    let write = |number, more| folder.write("values.yaml", values_file(&[cluster(number, more)]));
    write(0, json!({}));
    run(&mut render(&folder, &[])).succeeds();
    // Makes one file larger than all others together.
    let environment = json!({"LONG": "x".repeat(100_000)});
    let storage = json!({"collectorSecret": "none", "credentials": "workloadIdentity", "extraEnv": environment});
    write(name, json!({"labels": {"a": "b"}, "storage": storage}));
    folder
}

#[test]
fn a_full_disk_changes_nothing() {
    // The largest file size in blocks: none can be written, or all but one.
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
    // Root ignores permissions unless it drops the capability.
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
