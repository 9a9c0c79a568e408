//! Runs that are killed at any moment: each file is whole, old or new, and the next run cleans up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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

/// How far a run has come.
#[derive(Clone, Copy)]
enum Phase {
    /// It writes beside the places.
    Staging,
    /// It moves what it has written to its places.
    Installing,
}

impl Phase {
    /// Waits until a run has come so far, or has ended.
    fn wait_for(self, run: &mut Child, out: &Path) {
        let has = |folder: &str, is: &dyn Fn(&Path) -> bool| {
            let entries = fs::read_dir(out.join(folder)).into_iter().flatten();
            entries.flatten().any(|entry| is(&entry.path()))
        };
        let is_there = || match self {
            // The first folders of each kind: one that changes, and one that comes.
            Self::Staging => has("compute/c10", &is_temporary) || has("compute", &is_temporary),
            // Any of those that come.
            Self::Installing => has("compute", &|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.len() == 3 && name.starts_with("c2"))
            }),
        };
        while !is_there() && run.try_wait().unwrap().is_none() {}
    }
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
    // After, and how long a run is from each of its phases on.
    let mut phases = [Phase::Staging, Phase::Installing].map(|phase| (phase, Duration::ZERO));
    let mut after = BTreeMap::new();
    let mut after_folders = Vec::new();
    for (phase, remaining) in &mut phases {
        drop(fs::remove_dir_all(&out));
        copy(&old, &out);
        let mut child = command(&sandbox, "new.yaml").spawn().unwrap();
        phase.wait_for(&mut child, &out);
        let start = Instant::now();
        assert!(child.wait().unwrap().success());
        *remaining = start.elapsed();
        after = texts(&out);
        after_folders = folders(&out);
    }
    assert_ne!(before, after);
    let (mut begun, mut installing) = (0, 0);
    for moment in 0..MOMENTS {
        let (phase, remaining) = phases[usize::from(moment % 2 == 0)];
        fs::remove_dir_all(&out).unwrap();
        copy(&old, &out);
        let mut child = command(&sandbox, "new.yaml").spawn().unwrap();
        phase.wait_for(&mut child, &out);
        // Most of them early, as all phases but the first are short.
        sleep(remaining * (moment * moment) / (MOMENTS * MOMENTS));
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
        begun += u32::from(found != before && found != after);
        let is_in =
            |path: &PathBuf, text: &String, tree: &BTreeMap<_, _>| tree.get(path) == Some(text);
        let is_new = |(path, text): (&PathBuf, &String)| {
            is_in(path, text, &after) && !is_in(path, text, &before)
        };
        installing += u32::from(found.iter().any(is_new) && found != after);
        run("new.yaml");
        assert_eq!(texts(&out), after, "{moment}");
        assert_eq!(folders(&out), after_folders, "{moment}");
    }
    println!("of {MOMENTS} runs {begun} had begun to write, and {installing} to install");
    assert!(begun > 0, "no run was killed while it was writing");
}
