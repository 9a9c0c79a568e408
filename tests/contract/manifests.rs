//! Compares the manifests of each fixture byte for byte. `UPDATE=1 cargo test --test contract manifests` rewrites the
//! expected files; review their diff.

use std::fs;
use std::path::Path;

use similar::TextDiff;

use crate::support::{Folder, PROJECT, SIDES, differing, files, fixture, fixtures, run};

#[test]
fn every_fixture_renders_to_its_manifests() {
    let folder = Path::new(PROJECT).join("tests/contract/manifests");
    let is_update = std::env::var_os("UPDATE").is_some();
    if is_update {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
    }
    let mut expected = files(&folder);
    let mut report = String::new();
    for fixture_name in fixtures() {
        for side in SIDES {
            let name = format!("{fixture_name}.{side}.yaml");
            let run = run(&mut fixture(&["render", "--side", side], &fixture_name));
            if is_update {
                fs::write(folder.join(&name), run.succeeds()).unwrap();
                continue;
            }
            let text = expected.remove(&name).unwrap_or_default();
            let diff = TextDiff::from_lines(text.as_str(), run.succeeds());
            report += &diff.unified_diff().header(&name, "rendered").to_string();
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(expected.is_empty(), "of no fixture: {:?}", expected.keys());
}

#[test]
fn every_template_is_built_in() {
    let folder = Folder::new();
    run(&mut folder.command(&["templates", "out"])).succeeds();
    let mut there = files(&Path::new(PROJECT).join("templates"));
    there.retain(|path, _| !path.starts_with("runbook/") && path != "init.yaml.j2");
    assert_eq!(differing(&files(&folder.path("out")), &there), Vec::<String>::new());
}

#[test]
fn every_template_is_used_by_a_fixture() {
    let folder = Folder::new();
    run(&mut folder.command(&["templates", "out"])).succeeds();
    let out = folder.path("out");
    let mut unused = files(&out);
    unused.retain(|path, _| path != "metadata.yaml.j2");
    for (path, text) in &unused {
        fs::write(out.join(path), format!("# from {path}\n{text}")).unwrap();
    }
    for name in fixtures() {
        let flags = ["render", "--side", "both", "--templates", out.to_str().unwrap()];
        let run = run(&mut fixture(&flags, &name));
        unused.retain(|path, _| !run.succeeds().contains(&format!("# from {path}\n")));
    }
    assert!(unused.is_empty(), "{:?}", unused.keys());
}
