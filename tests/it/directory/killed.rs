//! Runs that are killed at any moment: each file is whole, old or new, and the next run cleans up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{fleet, texts, tree};
use crate::support::Sandbox;

/// How many moments runs are killed at.
const MOMENTS: u32 = 40;

fn command(sandbox: &Sandbox, values: &str) -> Command {
    let mut command = sandbox.command();
    command
        .args(["render", "-f", values])
        .args(["-o", "out", "--prune", "--kustomization"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

/// The folders below one, in order.
fn folders(root: &Path) -> Vec<String> {
    let is_folder = |path: &String| Path::new(path).is_dir();
    tree(root).into_keys().filter(is_folder).collect()
}

fn is_temporary(path: &Path) -> bool {
    let is_of_temporary = |part: &str| part.starts_with(".ma-register-") && part.ends_with(".tmp");
    path.iter()
        .any(|part| part.to_str().is_some_and(is_of_temporary))
}

#[test]
fn a_killed_run_leaves_whole_files_and_the_next_one_cleans_up() {
    let sandbox = Sandbox::new();
    let out = sandbox.path().join("out");
    let old = sandbox.path().join("old");
    // Of the clusters before some go, some change and some stay; and some come.
    let names: Vec<String> = (0..30).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (before, new) = (names.split_at(20).0, names.split_at(10).1);
    fleet(&sandbox, "old.yaml", before, "");
    fleet(
        &sandbox,
        "new.yaml",
        new,
        "cluster: {region: here}\nlabels: {a: b}\n",
    );
    let run = |values: &str| assert!(command(&sandbox, values).status().unwrap().success());
    run("old.yaml");
    fs::rename(&out, &old).unwrap();
    let before = texts(&old);
    // After, and how long a whole run takes.
    let mut whole = Duration::MAX;
    let mut after = BTreeMap::new();
    let mut after_folders = Vec::new();
    for _ in 0..3 {
        drop(fs::remove_dir_all(&out));
        copy(&old, &out);
        let start = Instant::now();
        run("new.yaml");
        whole = whole.min(start.elapsed());
        after = texts(&out);
        after_folders = folders(&out);
    }
    assert_ne!(before, after);
    let (mut unfinished, mut begun, mut swept) = (0, 0, 0);
    for moment in 0..MOMENTS {
        fs::remove_dir_all(&out).unwrap();
        copy(&old, &out);
        let mut child = command(&sandbox, "new.yaml").spawn().unwrap();
        sleep(whole * moment / MOMENTS);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = texts(&out);
        for (path, text) in &found {
            let is_whole = [before.get(path), after.get(path)].contains(&Some(text));
            assert!(is_whole || is_temporary(path), "{moment}: {path:?}: {text}");
        }
        for path in before.keys().filter(|path| after.contains_key(*path)) {
            assert!(found.contains_key(path), "{moment}: {path:?} is missing");
        }
        let is_other = |tree: &BTreeMap<PathBuf, String>| u32::from(*tree != found);
        unfinished += is_other(&after);
        begun += is_other(&after) * is_other(&before);
        swept += u32::from(found.keys().any(|path| is_temporary(path)));
        run("new.yaml");
        assert_eq!(texts(&out), after, "{moment}");
        assert_eq!(folders(&out), after_folders, "{moment}");
    }
    println!("{unfinished} of {MOMENTS} were unfinished, {begun} begun; {swept} left temporaries");
    assert!(unfinished > 0, "no run was killed before its end");
}
