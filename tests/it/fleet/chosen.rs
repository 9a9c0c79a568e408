//! `--cluster`: some of the clusters that the values files have.

use super::{cluster, clusters, render, with_clusters};
use crate::support::Sandbox;

const CONTROL_PLANE: [&str; 2] = ["--side", "control-plane"];

/// Three clusters in one file, and each in its own.
fn with_all() -> Sandbox {
    let sandbox = with_clusters(&["a", "b", "c"]);
    let documents = ["c", "a", "b"].map(|name| cluster(name, ""));
    sandbox.write("clusters/all.yaml", documents.join("---\n"));
    sandbox
}

#[test]
fn only_those_that_are_named_are_rendered() {
    let sandbox = with_all();
    let a = render(&sandbox, &["a"], &CONTROL_PLANE);
    let chosen = |names: &[&str]| {
        let flags = [&CONTROL_PLANE[..], &["--cluster"], names].concat();
        render(&sandbox, &["all"], &flags)
    };
    assert_eq!(chosen(&["a"]), a);
    assert_eq!(clusters(chosen(&["b", "c"]).succeeds_quietly()), ["b", "c"]);
    assert_eq!(chosen(&["c", "--cluster", "b"]), chosen(&["b", "c"]));
    assert_eq!(chosen(&["a", "a"]), a);
    // Flags about one cluster are about that one.
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    sandbox.write(
        "clusters/all.yaml",
        sandbox
            .read("clusters/all.yaml")
            .replace("token: none\n", ""),
    );
    let mut command = sandbox.command();
    command.args([
        "render",
        "-f",
        "clusters/all.yaml",
        "--side",
        "control-plane",
        "--token-file",
        "-",
    ]);
    let all = crate::support::run(&mut command, token);
    all.fails_with(&[
        "`--token-file`: it is the token of one cluster, and 3 are read: choose it by `--cluster`",
    ]);
    let one = crate::support::run(command.args(["--cluster", "b"]), token);
    // It is another service account's, or none's.
    one.fails_with(&["error[token-wrong-subject]"]);
}

#[test]
fn one_that_is_not_there_suggests_the_right_one() {
    let sandbox = with_clusters(&["eu-west", "us-east"]);
    let flags = [&CONTROL_PLANE[..], &["--cluster", "us-east", "eu-wst"]].concat();
    let run = render(&sandbox, &["eu-west", "us-east"], &flags);
    run.fails_with(&[
        "`--cluster`: no values file has the name `eu-wst` (did you mean `eu-west`?); there are `eu-west`, `us-east`",
    ]);
    let flags = [&CONTROL_PLANE[..], &["--cluster", "x", "eu-wst", "x"]].concat();
    let run = render(&sandbox, &["eu-west", "us-east"], &flags);
    run.fails_with(&[
        "no values file has the name `eu-wst` (did you mean `eu-west`?), `x`; there are",
    ]);
}

#[test]
fn what_can_not_be_read_may_be_the_one() {
    let sandbox = with_all();
    sandbox.write("clusters/b.yaml", "name: [b\n");
    let chosen = |files: &[&str], names: &[&str]| {
        let flags = [&CONTROL_PLANE[..], &["--cluster"], names].concat();
        render(&sandbox, files, &flags)
    };
    let unreadable = "failed to read the values file `clusters/b.yaml`";
    let run = chosen(&["a", "b"], &["a"]);
    run.fails_with(&[unreadable]);
    assert!(!run.stderr.contains("--cluster"), "{}", run.stderr);
    // Neither what is wrong with the file hides the name, nor the other way round.
    chosen(&["a", "b", "c"], &["a", "x", "b"]).fails_with(&[
        unreadable,
        "`--cluster`: none of the values that can be read has the name `b`, `x`; there are `a`, `c`\n",
    ]);
    chosen(&["b"], &["b"]).fails_with(&[
        unreadable,
        "`--cluster`: none of the values that can be read has the name `b`\n",
    ]);
    // Of values that are wrong only otherwise the name is known.
    sandbox.write("clusters/b.yaml", "name: b\nnosuchkey: 1\n");
    let run = chosen(&["a", "b"], &["b"]);
    run.fails_with(&["`nosuchkey`"]);
    assert!(!run.stderr.contains("--cluster"), "{}", run.stderr);
    chosen(&["a", "b"], &["x"]).fails_with(&["has the name `x`; there are `a`, `b`\n"]);
}

/// Three clusters in a directory `out`, of which `a` has a file that it yields no more, and of which `b`
/// isn't in any values file any more.
fn narrowed(flags: &[&str]) -> Sandbox {
    let sandbox = with_all();
    render(&sandbox, &["all"], &[&["-o", "out"], flags].concat()).succeeds();
    let narrow = "serviceAccount: {scope: namespace}\n";
    sandbox.write("clusters/a.yaml", cluster("a", narrow));
    let documents = [cluster("c", "labels: {team: ml}\n"), cluster("a", narrow)];
    sandbox.write("clusters/all.yaml", documents.join("---\n"));
    sandbox
}

const GONE: [&str; 2] = [
    "compute/a/20-clusterrole-ray-manager.yaml",
    "compute/a/30-clusterrolebinding-ray-manager-binding.yaml",
];

#[test]
fn the_files_of_others_are_none_of_its_business() {
    let sandbox = narrowed(&[]);
    let of_others = |sandbox: &Sandbox| -> Vec<(String, String)> {
        let files = sandbox.files("out").into_iter();
        files
            .filter(|file| !file.contains("/a/"))
            .map(|file| (sandbox.read(&format!("out/{file}")), file))
            .collect()
    };
    let before = of_others(&sandbox);
    let chosen = ["-o", "out", "--cluster", "a"];
    let pruned = [&chosen[..], &["--prune"]].concat();
    let diff = |flags: &[&str]| sandbox.run([&["diff", "-f", "clusters/all.yaml"], flags].concat());
    let note = format!(
        "note: not rendered by this run and left: `out/{}`, `out/{}`; `--prune`",
        GONE[0], GONE[1]
    );
    let run = diff(&chosen);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.starts_with(&note), "{}", run.stderr);
    assert!(!run.stdout.contains("/b/") && !run.stdout.contains("/c/"));
    let run = diff(&pruned);
    assert!(run.stderr.contains(" 2 to remove, "), "{}", run.stderr);
    assert!(!run.stderr.contains("note"), "{}", run.stderr);
    assert!(!run.stdout.contains("/b/") && !run.stdout.contains("/c/"));

    let run = render(&sandbox, &["all"], &chosen);
    run.succeeds();
    assert!(run.stderr.starts_with(&note), "{}", run.stderr);
    assert_eq!(of_others(&sandbox), before);
    let run = render(&sandbox, &["all"], &pruned);
    assert_eq!(
        run.stderr,
        "`out`: 0 added, 0 changed, 2 removed, 7 unchanged\n"
    );
    assert_eq!(of_others(&sandbox), before);
    assert!(
        GONE.iter()
            .all(|file| !sandbox.path().join("out").join(file).exists())
    );
    // One side alone is as narrow.
    let one_side = [&pruned[..], &["--side", "compute"]].concat();
    render(&sandbox, &["all"], &one_side).succeeds();
    assert_eq!(of_others(&sandbox), before);
    assert_eq!(diff(&pruned).code, 0);
    // A run about all of them finds the rest.
    let run = render(&sandbox, &["all"], &["-o", "out", "--prune"]);
    assert!(run.stderr.contains(" 7 removed, "), "{}", run.stderr);
}

#[test]
fn the_list_of_clusters_keeps_the_others() {
    const LIST: &str = "out/control-plane/kustomization.yaml";
    let sandbox = narrowed(&["--kustomization"]);
    let list = sandbox.read(LIST);
    assert!(
        list.ends_with("\n  - \"a\"\n  - \"b\"\n  - \"c\"\n"),
        "{list}"
    );
    for flags in [&["--kustomization"][..], &["--kustomization", "--prune"]] {
        let flags = [&["-o", "out", "--cluster", "a"], flags].concat();
        render(&sandbox, &["all"], &flags).succeeds();
        assert_eq!(sandbox.read(LIST), list);
    }
    // Taking one's own away would leave the list with a folder that is none.
    let flags = ["-o", "out", "--cluster", "a", "--prune"];
    let run = render(&sandbox, &["all"], &flags);
    run.fails_with(&[
        "a/kustomization.yaml` would be removed",
        "write `--kustomization`",
    ]);
    // It is about all of them, so a run about some that makes none hasn't one too many.
    let run = render(&sandbox, &["all"], &["-o", "out", "--cluster", "a"]);
    assert!(run.stderr.contains("/control-plane/a/kustomization.yaml`"));
    assert!(!run.stderr.contains(LIST), "{}", run.stderr);
}
