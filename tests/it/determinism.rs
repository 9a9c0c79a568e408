//! The same inputs give the same bytes, whoever renders them, where and when.

use std::path::Path;

use crate::fleet::with_clusters;
use crate::support::{Sandbox, run};

const NAMES: [&str; 6] = ["b", "a", "f", "c", "e", "d"];

/// Every file below a folder, with its content.
fn tree(sandbox: &Sandbox, folder: &str) -> Vec<(String, String)> {
    let files = sandbox.files(folder).into_iter();
    files
        .map(|file| {
            let text = sandbox.read(&format!("{folder}/{file}"));
            (file, text)
        })
        .collect()
}

#[test]
fn neither_folder_nor_user_locale_time_zone_or_order_matter() {
    let sandbox = with_clusters(&NAMES);
    let render = |out: &str, folder: &Path, files: &[String], environment: &[(&str, &str)]| {
        let mut command = sandbox.command();
        command
            .current_dir(folder)
            .envs(environment.iter().copied())
            .args(["render", "--kustomization", "-o"])
            .arg(sandbox.path().join(out))
            .arg("-f")
            .args(files);
        run(&mut command, "").succeeds();
        tree(&sandbox, out)
    };
    let files = |prefix: &str, names: &[&str]| -> Vec<String> {
        let file = |name: &&str| format!("{prefix}{name}.yaml");
        names.iter().map(file).collect()
    };
    let root = sandbox.path();
    let first = render("one", root, &files("clusters/", &NAMES), &[]);
    assert_eq!(first.len(), 6 * 9 + 1);

    let mut sorted = NAMES;
    sorted.sort_unstable();
    let environment = [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "de_DE.UTF-8"),
        ("TZ", "Pacific/Kiritimati"),
        ("USER", "someone"),
        ("LOGNAME", "someone"),
        ("HOSTNAME", "elsewhere"),
        ("HOME", "/nonexistent"),
        ("RAYON_NUM_THREADS", "1"),
    ];
    let clusters = root.join("clusters");
    assert_eq!(
        render("two", &clusters, &files("./", &sorted), &environment),
        first
    );
    let absolute = format!("{}/", clusters.display());
    let other_folder = root.join("two/compute");
    let threads = [("RAYON_NUM_THREADS", "7")];
    assert_eq!(
        render("three", &other_folder, &files(&absolute, &NAMES), &threads),
        first
    );
    // All clusters as documents of one file, in another order.
    let documents = sorted
        .iter()
        .rev()
        .map(|name| sandbox.read(&format!("clusters/{name}.yaml")));
    let documents: Vec<String> = documents.collect();
    sandbox.write("clusters/all.yaml", documents.join("---\n"));
    assert_eq!(
        render("four", root, &files("clusters/", &["all"]), &[]),
        first
    );
    // One by one.
    for name in sorted {
        render("five", root, &files("clusters/", &[name]), &[]);
    }
    assert_eq!(tree(&sandbox, "five"), first);
}
