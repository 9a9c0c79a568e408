//! Runs that are killed at any moment: each file is whole, old or new, and the next run cleans up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{cluster_values, texts};
use crate::support::Sandbox;

/// How many moments runs are killed at.
const MOMENTS: u32 = 40;

fn command(sandbox: &Sandbox, values: &str) -> Command {
    let mut command = sandbox.command();
    command
        .args(["render", "-f", values, "--kubeconfig", "kubeconfig"])
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

fn is_temporary(path: &Path) -> bool {
    let is_of_temporary = |part: &str| part.starts_with(".ma-register-") && part.ends_with(".tmp");
    path.iter()
        .any(|part| part.to_str().is_some_and(is_of_temporary))
}

/// Values with many objects, so that there is time to be killed in.
fn values_with(name: &str, secrets: std::ops::Range<u32>, label: &str) -> String {
    let secrets: Vec<String> = secrets.map(|number| format!("secret-{number}")).collect();
    let further = format!(
        "token: none\nlabels: {{team: {label}}}\nserviceAccount: {{tokenSecrets: [{}]}}\n",
        secrets.join(", ")
    );
    cluster_values(name, &further)
}

#[test]
fn a_killed_run_leaves_whole_files_and_the_next_one_cleans_up() {
    let sandbox = Sandbox::with_cluster();
    let out = sandbox.path().join("out");
    let old = sandbox.path().join("old");
    // Before: a cluster that goes, and one whose files change, come and go.
    sandbox.write("gone.yaml", values_with("gone", 0..20, "old"));
    sandbox.write("old.yaml", values_with("c0", 0..60, "old"));
    sandbox.write("new.yaml", values_with("c0", 30..90, "new"));
    let run = |values: &str| assert!(command(&sandbox, values).status().unwrap().success());
    run("old.yaml");
    fs::rename(&out, &old).unwrap();
    run("gone.yaml");
    for side in ["compute", "control-plane"] {
        let folder = Path::new(side).join("gone");
        fs::rename(out.join(&folder), old.join(&folder)).unwrap();
    }
    fs::remove_dir_all(&out).unwrap();
    let before = texts(&old);
    // After, and how long a whole run takes, the longest of a few.
    let mut whole = Duration::ZERO;
    let mut after = BTreeMap::new();
    for _ in 0..3 {
        drop(fs::remove_dir_all(&out));
        copy(&old, &out);
        let start = Instant::now();
        run("new.yaml");
        whole = whole.max(start.elapsed());
        after = texts(&out);
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
        let has_folder = |folder: &str| out.join(folder).exists();
        assert!(!has_folder("compute/gone"), "{moment}");
        assert!(!has_folder("control-plane/gone"), "{moment}");
    }
    println!("{unfinished} of {MOMENTS} were unfinished, {begun} begun; {swept} left temporaries");
    assert!(unfinished > 0, "no run was killed before its end");
}
