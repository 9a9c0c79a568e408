//! The transaction, with a failure at each of its points, on file systems of each kind.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::root::Root;
use super::survey::Survey;
use super::targets::targets;
use super::transaction::{self, moves::Moves};
use super::*;
use crate::render::Secrecy;

const OPTIONS: Options = Options {
    sides: &Side::ALL,
    clusters: Vec::new(),
    prune: true,
    kustomization: true,
    plaintext_secrets: false,
};

fn manifest(side: Side, cluster: &str, name: &str, text: &str) -> Manifest {
    Manifest {
        side,
        cluster: cluster.to_owned(),
        object: format!("{cluster} {name}"),
        file_name: format!("10-{name}.yaml"),
        text: format!("kind: {text}\n"),
        secrecy: match name {
            "secret" => Secrecy::InValues,
            _ => Secrecy::Public,
        },
        secrets: Vec::new(),
    }
}

/// Manifests of clusters, three for each side.
fn fleet(clusters: &[&str], names: &[&str], text: &str) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    for side in Side::ALL {
        for cluster in clusters {
            for name in names {
                manifests.push(manifest(side, cluster, name, text));
            }
        }
    }
    manifests
}

/// Everything below a folder: of folders the mode, of files also inode, times and content.
fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let mut state = format!("{:o}", metadata.mode());
            if metadata.is_dir() {
                folders.push(path.clone());
            } else {
                let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
                let content = fs::read_to_string(&path).unwrap();
                state += &format!(" {} {seconds}.{nanoseconds} {content}", metadata.ino());
            }
            found.insert(path.strip_prefix(root).unwrap().to_owned(), state);
        }
    }
    found
}

/// The texts of a tree.
fn texts(root: &Path) -> BTreeMap<PathBuf, String> {
    let is_file = |path: &PathBuf| root.join(path).is_file();
    let paths = tree(root).into_keys().filter(is_file);
    paths
        .map(|path| (path.clone(), fs::read_to_string(root.join(path)).unwrap()))
        .collect()
}

/// Writes, with something done between the look at the tree and the first change to it.
fn write_disturbed(
    root: &Path,
    manifests: &[Manifest],
    moves: &Moves,
    disturb: impl FnOnce(),
) -> Result<Summary> {
    let targets = targets(manifests, &OPTIONS)?;
    let locked = Root::lock(root, &mut || ())?;
    let survey = Survey {
        root,
        options: &OPTIONS,
        sweeps: true,
    };
    let plan = survey.plan(Some(locked.fd()), targets)?;
    disturb();
    let progress = Progress::new(false);
    transaction::run(&plan, locked.fd(), moves, &progress).inspect_err(|_| locked.unmake())
}

type FileSystem = (&'static str, fn() -> Moves);

/// File systems by what they can: all, no flags of `renameat2`, no links either, and all but to move
/// folders.
fn file_systems() -> [FileSystem; 4] {
    [
        ("all", Moves::default),
        ("links", || Moves::poor(true)),
        ("neither", || Moves::poor(false)),
        ("overlay", Moves::of_overlay),
    ]
}

/// A tree, and the manifests of a run that adds, changes and removes files and folders.
fn before_and_after() -> (TempDir, PathBuf, Vec<Manifest>) {
    let sandbox = tempfile::tempdir().unwrap();
    let root = sandbox.path().join("out");
    let old = fleet(
        &["a", "b", "gone", "kept"],
        &["one", "secret", "old"],
        "Old",
    );
    write_disturbed(&root, &old, &Moves::default(), || ()).unwrap();
    fs::write(root.join("compute/kept/mine.yaml"), "mine").unwrap();
    let mut new = fleet(&["a", "b"], &["new", "one", "secret"], "Old");
    new.extend(fleet(&["c"], &["one", "secret"], "New"));
    for manifest in &mut new {
        if manifest.file_name.contains("one") {
            manifest.text = "kind: New\n".to_owned();
        }
    }
    (sandbox, root, new)
}

#[test]
fn every_kind_of_change_comes_about() {
    for (case, moves) in file_systems() {
        let (_sandbox, root, new) = before_and_after();
        let summary = write_disturbed(&root, &new, &moves(), || ()).unwrap();
        let expected = Summary {
            // Of 2 sides: `new` of 2 clusters, and 3 files of another one.
            added: 2 * (2 + 3),
            // `one` and `kustomization.yaml` of 2 clusters; and the list of clusters.
            changed: 2 * 4 + 1,
            unchanged: 2 * 2,
            // `old` of 2 clusters, and 4 files of each of 2 others.
            removed: 2 * (2 + 8),
            stale: Vec::new(),
        };
        assert_eq!(summary, expected, "{case}");
        // The same as a tree that was never another one, but for what isn't the program's.
        let fresh = root.with_file_name("fresh");
        write_disturbed(&fresh, &new, &Moves::default(), || ()).unwrap();
        let mut expected = texts(&fresh);
        expected.insert("compute/kept/mine.yaml".into(), "mine".to_owned());
        assert_eq!(texts(&root), expected, "{case}");
        assert!(!root.join("control-plane/gone").exists(), "{case}");
        let again = write_disturbed(&root, &new, &moves(), || ()).unwrap();
        assert_eq!(
            (again.added, again.changed, again.removed),
            (0, 0, 0),
            "{case}"
        );
    }
}

/// Each path that the run changes is made unfit for that in turn, after the look at it.
#[test]
fn a_failure_at_any_point_restores_everything() {
    let paths: Vec<PathBuf> = {
        let (_sandbox, root, new) = before_and_after();
        let before = texts(&root);
        write_disturbed(&root, &new, &Moves::default(), || ()).unwrap();
        let after = texts(&root);
        let all = before.keys().chain(after.keys());
        let changed = all.filter(|path| before.get(*path) != after.get(*path));
        let mut changed: Vec<PathBuf> = changed.cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    };
    assert_eq!(paths.len(), 2 * (2 + 3) + 2 * 4 + 1 + 2 * (2 + 8));
    for (case, moves) in file_systems() {
        for path in &paths {
            let (sandbox, root, new) = before_and_after();
            let is_gone = ["compute/gone", "control-plane/gone", "control-plane/kept"]
                .iter()
                .any(|folder| path.starts_with(folder));
            let is_whole = is_gone || path.iter().any(|part| part == "c");
            // Whole folders are moved at once, which doesn't fail by what is in them.
            let path = if is_whole {
                path.parent().unwrap()
            } else {
                path
            };
            let place = root.join(path);
            let aside = sandbox.path().join("aside");
            let was_there = place.exists();
            let before = tree(&root);
            let result = write_disturbed(&root, &new, &moves(), || {
                if was_there {
                    fs::rename(&place, &aside).unwrap();
                }
                if !is_gone {
                    fs::create_dir(&place).unwrap();
                }
            });
            let error = format!("{:#}", result.expect_err("it fails"));
            assert!(error.contains("failed to "), "{case}: {error}");
            assert!(!error.contains("restore"), "{case}: {error}");
            if !is_gone {
                fs::remove_dir(&place).unwrap();
            }
            if was_there {
                fs::rename(&aside, &place).unwrap();
            }
            let after = tree(&root);
            if case == "neither" {
                // A copy takes the place of what was replaced.
                assert!(before.keys().eq(after.keys()), "{case}: {path:?}");
                let states = before.iter().zip(&after);
                for ((path, before), (_, after)) in states {
                    let content = |state: &str| {
                        let mut parts = state.splitn(4, ' ').map(str::to_owned);
                        (parts.next(), parts.nth(2))
                    };
                    assert_eq!(content(before), content(after), "{path:?}");
                }
            } else {
                assert_eq!(before, after, "{case}: {path:?}");
            }
        }
    }
}

/// A file that someone puts in the place of ours after the look at it is theirs.
#[test]
fn what_comes_in_the_meantime_is_not_lost() {
    for (case, moves) in file_systems() {
        for path in [
            "compute/a/10-new.yaml",
            "compute/a/10-one.yaml",
            "compute/a/10-old.yaml",
            "control-plane/kustomization.yaml",
        ] {
            let (_sandbox, root, new) = before_and_after();
            let place = root.join(path);
            let result = write_disturbed(&root, &new, &moves(), || {
                let _ = fs::remove_file(&place);
                fs::write(&place, "theirs").unwrap();
            });
            assert!(result.is_err(), "{case}: {path}");
            assert_eq!(fs::read_to_string(&place).unwrap(), "theirs", "{case}");
            let is_temporary = |path: &PathBuf| path.to_string_lossy().contains(".tmp");
            assert!(!tree(&root).keys().any(is_temporary), "{case}: {path}");
        }
    }
}

#[test]
fn a_foreign_file_in_a_folder_that_goes_stays_where_it_is() {
    for (case, moves) in file_systems() {
        let (_sandbox, root, new) = before_and_after();
        let place = root.join("control-plane/gone/note");
        write_disturbed(&root, &new, &moves(), || {
            fs::write(&place, "theirs").unwrap();
        })
        .unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "theirs", "{case}");
        assert_eq!(fs::read_dir(place.parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn a_new_directory_is_removed_again() {
    let sandbox = tempfile::tempdir().unwrap();
    let root = sandbox.path().join("one/two");
    let new = fleet(&["a", "b"], &["one"], "New");
    let result = write_disturbed(&root, &new, &Moves::default(), || {
        fs::create_dir_all(root.join("compute")).unwrap();
    });
    // The side's folder came in the meantime, and isn't this run's to remove.
    assert!(result.is_err());
    assert!(root.join("compute").exists());
    fs::remove_dir(root.join("compute")).unwrap();
    fs::remove_dir_all(sandbox.path().join("one")).unwrap();

    // Two manifests of one name that only the file system takes for the same.
    let mut twice = fleet(&["a"], &["one"], "New");
    let name = "x".repeat(300);
    for manifest in &mut twice {
        manifest.cluster = name.clone();
    }
    assert!(write(&root, &twice, &OPTIONS, &Progress::new(false), &mut || ()).is_err());
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn secrets_are_located_in_the_text_with_its_header() {
    for name in ["secret", "one"] {
        let mut manifests = vec![manifest(Side::Compute, "a", name, "hidden")];
        if let [manifest] = manifests.as_mut_slice() {
            manifest.secrets.push(6..12);
        }
        let plan = plan(Path::new("no-such-folder"), &manifests, &OPTIONS).unwrap();
        let file = plan.files().find(|file| file.manifest.is_some()).unwrap();
        let text = file.text();
        let found: Vec<&str> = file
            .secrets()
            .into_iter()
            .map(|range| text.get(range).unwrap())
            .collect();
        assert_eq!(found, ["hidden"], "{name}");
    }
}

#[test]
fn a_plan_tells_what_would_be_done_and_does_nothing() {
    let (_sandbox, root, new) = before_and_after();
    let before = tree(&root);
    fs::write(root.join("compute/.ma-register-9.tmp"), "").unwrap();
    let plan = plan(&root, &new, &OPTIONS).unwrap();
    let count = |state: &State| plan.files().filter(|file| file.state == *state).count();
    assert_eq!(
        (
            count(&State::New),
            count(&State::Changed),
            count(&State::Unchanged),
            plan.stale().count()
        ),
        (10, 9, 4, 20)
    );
    for file in plan.files().filter(|file| file.state == State::Changed) {
        let old = plan.old(&file.path).unwrap();
        assert!(is_generated(&old));
        assert!(!holds_secrets(&old));
        assert_ne!(old, file.text().into_bytes());
    }
    for stale in plan.stale() {
        let old = plan.old(&stale.path).unwrap();
        assert_eq!(stale.holds_secrets, holds_secrets(&old));
        assert_eq!(
            stale.holds_secrets,
            stale.path.ends_with("10-secret.yaml"),
            "{stale:?}"
        );
    }
    fs::remove_file(root.join("compute/.ma-register-9.tmp")).unwrap();
    assert_eq!(tree(&root), before);
    let missing = root.with_file_name("missing");
    let fresh = super::plan(&missing, &new, &OPTIONS).unwrap();
    assert!(fresh.files().all(|file| file.state == State::New));
    assert!(!missing.exists());
}

/// Enough clusters for several threads.
#[test]
fn a_large_fleet_is_written_and_restored_alike() {
    let sandbox = tempfile::tempdir().unwrap();
    let root = sandbox.path().join("out");
    let names: Vec<String> = (0..300).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let old = fleet(&names, &["one", "two"], "Old");
    let summary = write_disturbed(&root, &old, &Moves::default(), || ()).unwrap();
    assert_eq!(summary.added, 300 * 2 * 3 + 1);
    let before = tree(&root);
    let (kept, _) = names.split_at(200);
    let mut new = fleet(kept, &["one"], "Old");
    new.extend(fleet(&["d1", "d2"], &["one"], "New"));
    for manifest in new.iter_mut().step_by(3) {
        manifest.text = "kind: New\n".to_owned();
    }
    let place = root.join("control-plane/kustomization.yaml");
    let aside = sandbox.path().join("aside");
    let result = write_disturbed(&root, &new, &Moves::default(), || {
        fs::rename(&place, &aside).unwrap();
        fs::create_dir(&place).unwrap();
    });
    assert!(result.is_err());
    fs::remove_dir(&place).unwrap();
    fs::rename(&aside, &place).unwrap();
    assert_eq!(tree(&root), before);
    write_disturbed(&root, &new, &Moves::default(), || ()).unwrap();
    let fresh = sandbox.path().join("fresh");
    write_disturbed(&fresh, &new, &Moves::default(), || ()).unwrap();
    assert_eq!(texts(&root), texts(&fresh));
}
