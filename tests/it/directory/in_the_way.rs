//! What stands where a file or folder is to be: an error, and everything stays as it was.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{CLUSTER, CONFIG_MAP, HEADER, render, run_in_shell, tree};
use crate::support::{Sandbox, values};

/// The run fails, its messages hold these parts, and nothing has changed.
#[track_caller]
fn refuses(sandbox: &Sandbox, parts: &[&str]) {
    let before = tree(sandbox.path());
    render(sandbox).fails_with(parts);
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn a_file_of_someone_else_is_never_replaced() {
    for (case, text) in [
        ("empty", String::new()),
        ("other text", "kind: Cluster\n".to_owned()),
        ("the header further down", format!("---\n{HEADER}")),
        ("a part of the header", HEADER.trim_end().to_owned()),
        (
            "a header with other line ends",
            HEADER.replace('\n', "\r\n"),
        ),
        ("no text", "\u{0}".repeat(100)),
    ] {
        let sandbox = Sandbox::with_cluster();
        sandbox.write(&format!("out/{CLUSTER}"), text);
        println!("case: {case}");
        refuses(
            &sandbox,
            &["`out`", CLUSTER, "not made by this program", "move it away"],
        );
    }
}

/// The control-plane side is rendered and checked last.
#[test]
fn a_late_failure_leaves_nothing_behind() {
    let sandbox = Sandbox::with_cluster();
    render(&sandbox).succeeds();
    sandbox.write(&format!("out/{CLUSTER}"), "mine");
    sandbox.write("c0.yaml", values("token: none\nlabels: {team: ml}\n"));
    refuses(&sandbox, &[CLUSTER]);
    fs::remove_dir_all(sandbox.path().join("out/compute")).unwrap();
    refuses(&sandbox, &[CLUSTER]);
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    // A write beyond the limit fails like one to a full disk, once the signal is ignored.
    const FULL: &str = "trap '' XFSZ; ulimit -f 0";
    let sandbox = Sandbox::with_cluster();
    let before = tree(sandbox.path());
    let fails = |sandbox: &Sandbox| {
        run_in_shell(sandbox, FULL, &[]).fails_with(&[
            "failed to write",
            "out/compute/c0/",
            "large",
        ]);
    };
    fails(&sandbox);
    assert_eq!(tree(sandbox.path()), before);
    render(&sandbox).succeeds();
    sandbox.write("c0.yaml", values("token: none\nlabels: {team: ml}\n"));
    let before = tree(sandbox.path());
    fails(&sandbox);
    assert_eq!(tree(sandbox.path()), before);
}

/// Puts something at a path.
type Put = fn(&Path);

#[test]
fn only_a_file_is_accepted_at_a_files_place() {
    let place = format!("out/{CONFIG_MAP}");
    let cases: [(&str, Put); 5] = [
        ("a folder", |path| fs::create_dir(path).unwrap()),
        ("a FIFO", |path| {
            mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        }),
        ("a link to a generated file", |path| {
            let target = path.with_file_name("target.yaml");
            fs::write(&target, format!("{HEADER}kind: ConfigMap\n")).unwrap();
            symlink(target, path).unwrap();
        }),
        ("a link to nothing", |path| {
            symlink("nothing", path).unwrap()
        }),
        ("a link to itself", |path| {
            symlink(path.file_name().unwrap(), path).unwrap()
        }),
    ];
    for (case, put) in cases {
        let sandbox = Sandbox::with_cluster();
        let path = sandbox.path().join(&place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        put(&path);
        println!("case: {case}");
        refuses(&sandbox, &[&place, "in the way", "move it away"]);
    }
}

#[test]
fn only_a_folder_is_accepted_at_a_folders_place() {
    for place in [
        "out/compute",
        "out/compute/c0",
        "out/control-plane",
        "out/control-plane/c0",
    ] {
        let sandbox = Sandbox::with_cluster();
        sandbox.write(place, "a file");
        refuses(&sandbox, &[place, "is not a folder"]);
    }
}

#[test]
fn no_symbolic_link_below_the_directory_is_followed() {
    for place in [
        "out/compute",
        "out/compute/c0",
        "out/control-plane",
        "out/control-plane/c0",
    ] {
        for target in ["outside", "no-such-folder"] {
            let sandbox = Sandbox::with_cluster();
            fs::create_dir(sandbox.path().join("outside")).unwrap();
            let link = sandbox.path().join(place);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(sandbox.path().join(target), link).unwrap();
            println!("case: {place} -> {target}");
            refuses(&sandbox, &[place, "symbolic link"]);
            assert_eq!(sandbox.files("outside"), [""; 0], "{place}");
        }
    }
}

#[test]
fn the_directory_itself_may_be_a_link_to_a_folder() {
    let sandbox = Sandbox::with_cluster();
    fs::create_dir(sandbox.path().join("deploy")).unwrap();
    symlink("deploy", sandbox.path().join("out")).unwrap();
    render(&sandbox).succeeds();
    assert_eq!(sandbox.files("deploy").len(), 7);
    assert!(sandbox.path().join("out").is_symlink());
    let before = tree(sandbox.path());
    render(&sandbox).succeeds();
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn a_directory_that_is_no_folder_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("out", "a file");
    refuses(&sandbox, &["`out`", "not a folder"]);

    let sandbox = Sandbox::with_cluster();
    symlink("nowhere", sandbox.path().join("out")).unwrap();
    refuses(&sandbox, &["`out`", "symbolic link to nothing"]);

    let sandbox = Sandbox::with_cluster();
    sandbox.write("parent", "a file");
    let before = tree(sandbox.path());
    sandbox
        .render(&["-o", "parent/out"])
        .fails_with(&["parent"]);
    assert_eq!(tree(sandbox.path()), before);
}

#[test]
fn names_in_messages_are_escaped() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("o\u{1b}[2Jut", "a file");
    let run = sandbox.render(&["-o", "o\u{1b}[2Jut"]);
    run.fails_with(&["`o\\u{1b}[2Jut`"]);
    assert!(!run.stderr.contains('\u{1b}'));
}

#[test]
fn a_name_too_long_for_a_file_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::with_cluster();
    let long = "a".repeat(250);
    let values = values(&format!(
        "token: none\nserviceAccount: {{tokenSecrets: [{long}]}}\n"
    ));
    sandbox.write("c0.yaml", values);
    sandbox.render(&[]).succeeds();
    let run = sandbox.render_into("d", &[]);
    run.fails_with(&["file name", "265 bytes", "at most 255", "shorter name"]);
    assert!(!sandbox.path().join("d").exists());
}
