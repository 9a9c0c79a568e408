//! `diff`: what a render into a directory would change.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::fleet::{cluster, with_clusters};
use crate::support::{Run, Sandbox, fixture_text, run, values};

/// Runs `render` or `diff` of some clusters of the folder `clusters` with `out`.
fn of_clusters(sandbox: &Sandbox, command: &str, names: &[&str], further: &[&str]) -> Run {
    let files = names.iter().map(|name| format!("clusters/{name}.yaml"));
    let begin = [command, "-o", "out", "-f"].map(str::to_owned);
    let further = further.iter().map(|&argument| argument.to_owned());
    sandbox.run(begin.into_iter().chain(files).chain(further))
}

/// What a diff shows, with the exit code of differences.
#[track_caller]
fn differences(run: &Run) -> &str {
    assert_eq!(run.code, 1, "{}", run.stderr);
    &run.stdout
}

/// The lines of a diff that are added or removed.
fn changes(diff: &str) -> Vec<&str> {
    let is_change = |line: &&str| {
        line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
    };
    diff.lines().filter(is_change).collect()
}

#[test]
fn nothing_differs_from_what_was_rendered() {
    let sandbox = with_clusters(&["a", "b"]);
    of_clusters(&sandbox, "render", &["a", "b"], &[]).succeeds();
    let run = of_clusters(&sandbox, "diff", &["a", "b"], &[]);
    assert_eq!(run.succeeds(), "");
    assert_eq!(
        run.stderr,
        "`out`: 0 to add, 0 to change, 0 to remove, 14 unchanged\n"
    );
}

#[test]
fn a_change_of_one_value_is_a_change_of_its_lines() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    let all = ["a", "b", "c"];
    of_clusters(&sandbox, "render", &all, &[]).succeeds();
    sandbox.write("clusters/b.yaml", cluster("b", "cluster: {region: eu}\n"));
    let run = of_clusters(&sandbox, "diff", &all, &[]);
    let diff = differences(&run);
    assert_eq!(changes(diff), ["+  region: \"eu\""]);
    assert!(diff.starts_with(
        "--- out/control-plane/b/30-cluster-b.yaml\n+++ out/control-plane/b/30-cluster-b.yaml\n@@ "
    ));
    let before = sandbox.files("out");
    of_clusters(&sandbox, "render", &all, &[]).succeeds();
    assert_eq!(sandbox.files("out"), before);
    of_clusters(&sandbox, "diff", &all, &[]).succeeds();
}

#[test]
fn files_are_added_changed_and_removed_in_order() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    of_clusters(&sandbox, "render", &["a", "b"], &[]).succeeds();
    sandbox.write("clusters/b.yaml", cluster("b", "labels: {team: ml}\n"));
    let run = of_clusters(&sandbox, "diff", &["b", "c"], &["--prune"]);
    let diff = differences(&run);
    let heads = diff
        .lines()
        .filter(|line| line.starts_with("--- ") || line.starts_with("+++ "));
    let heads: Vec<&str> = heads.filter(|line| !line.contains("/dev/null")).collect();
    let of = |mark: &str, name: &str| {
        let begin = format!("{mark} out/");
        let in_folder =
            |line: &&&str| line.starts_with(&begin) && line.contains(&format!("/{name}/"));
        heads.iter().filter(in_folder).count()
    };
    assert_eq!((of("---", "a"), of("+++", "a")), (7, 0));
    assert_eq!((of("---", "b"), of("+++", "b")), (7, 7));
    assert_eq!((of("---", "c"), of("+++", "c")), (0, 7));
    assert_eq!(
        run.stderr,
        "`out`: 7 to add, 7 to change, 7 to remove, 0 unchanged\n"
    );
    // Without pruning the files of `a` stay, which is said.
    let run = of_clusters(&sandbox, "diff", &["b", "c"], &[]);
    assert!(!differences(&run).contains("/a/"));
    assert!(run.stderr.contains("note: ") && run.stderr.contains("`out/compute/a`"));
    assert!(run.stderr.contains("0 to remove"));
}

#[test]
fn a_diff_changes_nothing_and_makes_nothing() {
    let sandbox = with_clusters(&["a"]);
    let run = of_clusters(&sandbox, "diff", &["a"], &["--kustomization"]);
    assert!(differences(&run).contains("+++ out/control-plane/kustomization.yaml\n"));
    assert!(!sandbox.path().join("out").exists());
    // A stray temporary is the next render's to remove.
    sandbox.write("out/compute/.ma-register-1.tmp", "");
    differences(&of_clusters(&sandbox, "diff", &["a"], &[]));
    assert_eq!(sandbox.files("out"), ["compute/.ma-register-1.tmp"]);
}

#[test]
fn quiet_tells_by_the_exit_code_alone() {
    let sandbox = with_clusters(&["a"]);
    let run = of_clusters(&sandbox, "diff", &["a"], &["--quiet"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (1, "", "")
    );
    let run = of_clusters(&sandbox, "render", &["a"], &["--quiet"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "")
    );
    let run = of_clusters(&sandbox, "diff", &["a"], &["-q"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "")
    );
    sandbox.write("clusters/a.yaml", "name: [");
    of_clusters(&sandbox, "diff", &["a"], &["--quiet"]).fails();
}

#[test]
fn a_reader_that_has_seen_enough_does_not_hide_the_differences() {
    let sandbox = with_clusters(&["a"]);
    let mut command = sandbox.command();
    command.args(["diff", "-o", "out", "-f", "clusters/a.yaml"]);
    // Its reader is gone before anything is written.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert_eq!(
        messages,
        "`out`: 7 to add, 0 to change, 0 to remove, 0 unchanged\n"
    );
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let sandbox = with_clusters(&["a"]);
    let plain = of_clusters(&sandbox, "diff", &["a"], &[]);
    assert!(!differences(&plain).contains('\u{1b}'));
    let always = of_clusters(&sandbox, "diff", &["a"], &["--color", "always"]);
    assert!(differences(&always).contains("\u{1b}[32m+kind: ServiceAccount"));
    let never = of_clusters(&sandbox, "diff", &["a"], &["--color=never"]);
    assert_eq!(never, plain);
}

#[test]
fn what_a_render_would_refuse_a_diff_refuses() {
    let sandbox = with_clusters(&["a"]);
    sandbox.write("out/compute/a/10-serviceaccount-ray-manager.yaml", "mine");
    of_clusters(&sandbox, "diff", &["a"], &[]).fails_with(&["not made by this program", "`out`"]);

    let sandbox = with_clusters(&["a"]);
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    let with_token = cluster("a", "").replace("token: none", "token: {file: ../token}");
    sandbox.write("clusters/a.yaml", with_token);
    of_clusters(&sandbox, "diff", &["a"], &[]).fails_with(&["`--plaintext-secrets`"]);
    differences(&of_clusters(
        &sandbox,
        "diff",
        &["a"],
        &["--plaintext-secrets"],
    ));
    sandbox
        .run(["diff", "-f", "clusters/a.yaml"])
        .fails_with(&["--output-dir"]);
}

#[test]
fn secrets_are_seen_to_change_and_not_what_to() {
    let sandbox = Sandbox::with_cluster();
    let keys = |secret: &str| {
        format!(
            "name: c0\nstorage:\n  credentials: {{accessKeyId: SENTINEL-id, secretAccessKey: SENTINEL-{secret}}}\ntoken: none\n"
        )
    };
    sandbox.write("c0.yaml", keys("one"));
    sandbox.render_into("out", &[]).succeeds();
    let diff = |further: &[&str]| {
        let mut command = sandbox.command();
        let inputs = ["-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
        command.arg("diff").args(inputs).args(["-o", "out"]);
        run(command.args(further), "")
    };
    diff(&[]).succeeds();
    sandbox.write("c0.yaml", keys("two"));
    let run = diff(&[]);
    assert_eq!(
        changes(differences(&run)),
        [
            "-  \"AWS_SECRET_ACCESS_KEY\": \"*** (before)\"",
            "+  \"AWS_SECRET_ACCESS_KEY\": \"*** (after)\"",
            "-  \"AWS_SECRET_ACCESS_KEY\": \"*** (before)\"",
            "+  \"AWS_SECRET_ACCESS_KEY\": \"*** (after)\"",
        ]
    );
    let hides = |text: &str| {
        assert!(!text.contains("SENTINEL"), "{text}");
        let encoded = crate::support::base64("SENTINEL-one");
        assert!(!text.contains(&encoded[..12]), "{text}");
    };
    hides(&run.stdout);
    // The other way round: what was there is gone, also where Git has reset the mode.
    sandbox.write("c0.yaml", values("token: none\n"));
    for file in sandbox.files("out") {
        let path = sandbox.path().join("out").join(file);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let run = diff(&["--prune"]);
    assert!(differences(&run).contains("+++ /dev/null"));
    hides(&run.stdout);
    sandbox.write("c0.yaml", keys("one"));
    let run = diff(&[]);
    assert!(
        differences(&run).contains("the same content, another mode"),
        "{}",
        run.stdout
    );
    hides(&run.stdout);
}

#[test]
fn a_fleet_without_secrets_is_compared_without_any() {
    let sandbox = with_clusters(&["a", "b"]);
    let external = "externalSecrets:
  computeStore: {name: vault, kind: ClusterSecretStore}
  controlPlaneStore: {name: vault, kind: ClusterSecretStore}
";
    for name in ["a", "b"] {
        let values = cluster(name, external)
            .replace("token: none", "token: externalSecret")
            .replace(
                "workloadIdentity",
                "{externalSecret: {key: s3, accessKeyIdProperty: id, secretAccessKeyProperty: key}}",
            );
        sandbox.write(&format!("clusters/{name}.yaml"), values);
    }
    of_clusters(&sandbox, "render", &["a", "b"], &[]).succeeds();
    let values = sandbox
        .read("clusters/b.yaml")
        .replace("key: s3,", "key: s3/b,");
    sandbox.write("clusters/b.yaml", values);
    let run = of_clusters(&sandbox, "diff", &["a", "b"], &[]);
    assert_eq!(
        changes(differences(&run)),
        [
            "-        key: \"s3\"",
            "+        key: \"s3/b\"",
            "-        key: \"s3\"",
            "+        key: \"s3/b\"",
        ]
    );
}
