//! Many clusters in a directory: what comes, changes, goes and fails together.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use insta::assert_snapshot;

use super::{fleet, render_fleet, run_in_shell_with, tree};
use crate::support::{Run, Sandbox, run};

/// What a run has said, and what it has made of a directory: its files with their modes, and of
/// which there was an earlier one with another text.
fn shown(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let list = || -> Vec<(String, String)> {
        let file = |path: String| {
            let text = sandbox.read(&format!("out/{path}"));
            (path, text)
        };
        sandbox.files("out").into_iter().map(file).collect()
    };
    let before = list();
    let run = render_fleet(sandbox, "clusters/fleet.yaml", arguments);
    run.succeeds();
    let mut text = run.stderr;
    let after = list();
    for (path, now) in &after {
        let old = before.iter().find(|(other, _)| other == path);
        let state = match old {
            None => "added    ",
            Some((_, old)) if old == now => "unchanged",
            Some(_) => "changed  ",
        };
        let file = sandbox.path().join("out").join(path);
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
        writeln!(text, "{state} {mode:o} {path}").unwrap();
    }
    for (path, _) in &before {
        if after.iter().all(|(other, _)| other != path) {
            writeln!(text, "removed       {path}").unwrap();
        }
    }
    text
}

/// A directory with clusters `a`, `b` and `c`, and values by which `a` has gone, `b` has changed and
/// now has keys, `c` is called `e`, and `d` has come.
fn changed() -> Sandbox {
    let sandbox = Sandbox::new();
    fleet(&sandbox, "clusters/fleet.yaml", &["a", "b", "c"], "");
    render_fleet(&sandbox, "clusters/fleet.yaml", &["--kustomization"]).succeeds();
    sandbox.write("out/README.md", "mine");
    sandbox.write("out/compute/a/notes.md", "mine");
    sandbox.write(
        "out/control-plane/mine/kustomization.yaml",
        "resources: []\n",
    );
    fleet(&sandbox, "clusters/fleet.yaml", &["b", "d", "e"], "");
    let values = sandbox.read("clusters/fleet.yaml");
    let changed = values.replacen(
        "credentials: workloadIdentity\n",
        "credentials: {accessKeyId: id, secretAccessKey: key}\n  extraEnv: {A: b}\n",
        1,
    );
    assert_ne!(changed, values);
    sandbox.write("clusters/fleet.yaml", changed);
    sandbox
}

#[test]
fn a_fleet_that_changes() {
    assert_snapshot!(shown(&changed(), &["--kustomization"]));
}

#[test]
fn a_fleet_that_changes_and_is_pruned() {
    let sandbox = changed();
    assert_snapshot!(shown(&sandbox, &["--kustomization", "--prune"]));
    assert_eq!(sandbox.read("out/compute/a/notes.md"), "mine");
    assert!(!sandbox.path().join("out/compute/c").exists());
    assert!(!sandbox.path().join("out/control-plane/a").exists());
}

#[test]
fn lists_of_the_clusters() {
    let sandbox = changed();
    let list = "out/control-plane/kustomization.yaml";
    render_fleet(&sandbox, "clusters/fleet.yaml", &["--kustomization"]).succeeds();
    let kept = sandbox.read(list);
    let arguments = ["--kustomization", "--prune"];
    render_fleet(&sandbox, "clusters/fleet.yaml", &arguments).succeeds();
    assert_snapshot!(format!("kept:\n{kept}\npruned:\n{}", sandbox.read(list)));
}

#[test]
fn a_change_in_one_cluster_touches_no_other_file() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..30).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fleet(&sandbox, "clusters/fleet.yaml", &names, "");
    let run = render_fleet(&sandbox, "clusters/fleet.yaml", &[]);
    assert!(run.stderr.contains("210 added"), "{}", run.stderr);
    let before = tree(&sandbox.path().join("out"));
    let values = sandbox.read("clusters/fleet.yaml");
    let values = values.replacen("storage:\n", "cluster: {region: here}\nstorage:\n", 1);
    sandbox.write("clusters/fleet.yaml", values);
    let run = render_fleet(&sandbox, "clusters/fleet.yaml", &[]);
    let expected = "0 added, 1 changed, 0 removed, 209 unchanged";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    let after = tree(&sandbox.path().join("out"));
    let differ = before
        .iter()
        .filter(|(path, state)| after.get(*path) != Some(*state));
    assert_eq!(differ.count(), 1);
    assert_eq!(before.len(), after.len());
}

/// The last cluster of the last side is the one in whose way something is.
#[test]
fn what_is_in_the_way_of_one_cluster_stops_all() {
    let put: [(&str, &str); 3] = [
        ("out/control-plane/z", "is not a folder"),
        (
            "out/control-plane/z/30-cluster-z.yaml",
            "not made by this program",
        ),
        ("out/control-plane/z/30-cluster-z.yaml/x", "in the way"),
    ];
    for (place, message) in put {
        let sandbox = changed();
        fleet(&sandbox, "clusters/more.yaml", &["b", "d", "z"], "");
        sandbox.write(place, "mine");
        let before = tree(sandbox.path());
        let arguments = ["--kustomization", "--prune"];
        let run = render_fleet(&sandbox, "clusters/more.yaml", &arguments);
        run.fails_with(&["control-plane/z", message]);
        assert_eq!(tree(sandbox.path()), before, "{place}");
    }
}

#[test]
fn a_full_disk_leaves_a_fleet_as_it_was() {
    let sandbox = changed();
    let before = tree(sandbox.path());
    let arguments = [
        "render",
        "-f",
        "clusters/fleet.yaml",
        "-o",
        "out",
        "--prune",
    ];
    // Writes beyond the limit fail like those to a full disk, once the signal is ignored.
    let run = run_in_shell_with(&sandbox, "trap '' XFSZ; ulimit -f 0", &arguments);
    run.fails_with(&["failed to write", "out/c", "large"]);
    assert_eq!(tree(sandbox.path()), before);
}

/// A file system of its own that is nearly full, with room for none, some and most of the files.
#[test]
fn a_disk_that_fills_up_leaves_a_fleet_as_it_was() {
    const SCRIPT: &str = r#"
        mount -t tmpfs -o size=2m none out || exit 77
        state() { (cd out/deploy && find . -printf '%p %m %i %T@\n' -type f -exec cksum {} \; | sort); }
        "$0" render -f clusters/old.yaml -o out/deploy 2>messages || exit 1
        before=$(state)
        failed=0
        for room in 0 1 2 5 10 20 40 80; do
            head -c 4m /dev/zero >out/fill 2>messages
            size=$(stat -c %s out/fill)
            truncate -s $((size - room * 4096)) out/fill
            if "$0" render -f clusters/new.yaml -o out/deploy --prune 2>messages; then
                echo "with room for $room it succeeds"
            else
                failed=$((failed + 1))
                grep -q "No space left" messages || { cat messages; exit 2; }
                # The times of folders change as temporaries come and go.
                [ "$(state | grep -v '^[^ ]* 7')" = "$(echo "$before" | grep -v '^[^ ]* 7')" ] || exit 3
            fi
            rm out/fill
        done
        echo "$failed failed"
        "$0" render -f clusters/new.yaml -o out/deploy --prune 2>messages || exit 4
    "#;
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (old, new) = (names.split_at(15).0, names.split_at(5).1);
    fleet(&sandbox, "clusters/old.yaml", old, "");
    fleet(&sandbox, "clusters/new.yaml", new, "labels: {team: ml}\n");
    fs::create_dir(sandbox.path().join("out")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "/bin/sh", "-c", SCRIPT])
        .arg(env!("CARGO_BIN_EXE_ma-register"))
        .current_dir(sandbox.path());
    let is_possible = Command::new("unshare")
        .args(["-rm", "/bin/sh", "-c", "mount -t tmpfs none /mnt"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_possible {
        // Not `eprintln!`, which the test harness hides as long as a test passes.
        let skipped = b"NOT CHECKED with a full file system: none can be mounted here\n";
        std::io::stderr().write_all(skipped).unwrap();
        return;
    }
    let Run {
        code,
        stdout,
        stderr,
    } = run(&mut command, "");
    let messages = sandbox.read("messages");
    assert_eq!(code, 0, "{stdout}{stderr}{messages}");
    assert!(stdout.contains(" failed"), "{stdout}");
    assert!(!stdout.contains("\n0 failed"), "{stdout}");
}

#[test]
fn many_files_with_secrets_are_named_in_part() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (10..24).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fleet(&sandbox, "clusters/fleet.yaml", &names, "");
    let values = sandbox.read("clusters/fleet.yaml");
    let values = values.replace("token: none", "token: {file: token}");
    sandbox.write("clusters/fleet.yaml", values);
    let token = crate::support::fixture_text("tokens/long-lived.token");
    sandbox.write("clusters/token", token);
    let run = render_fleet(&sandbox, "clusters/fleet.yaml", &[]);
    run.fails_with(&[
        "control-plane/c19/20-secret-cluster-c19-client-token.yaml` and 4 more: write `--plaintext-secrets`",
    ]);
    assert!(!run.stderr.contains("c20"), "{}", run.stderr);
    assert!(!sandbox.path().join("out").exists());
}

#[test]
fn an_object_that_two_clusters_have_is_refused() {
    let sandbox = Sandbox::new();
    fleet(&sandbox, "clusters/fleet.yaml", &["a", "b"], "");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shared\n";
    sandbox.write("own/control-plane/90-shared.yaml.j2", template);
    let own = ["--templates", "own"];
    render_fleet(&sandbox, "clusters/fleet.yaml", &own).fails_with(&["`a`", "`b`", "`shared`"]);
    assert!(!sandbox.path().join("out").exists());
    fs::rename(
        sandbox.path().join("own/control-plane"),
        sandbox.path().join("own/compute"),
    )
    .unwrap();
    render_fleet(&sandbox, "clusters/fleet.yaml", &own).succeeds();
}
