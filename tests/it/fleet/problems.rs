//! Everything that is wrong is told in one run.

use super::{CONTROL_PLANE, cluster, render, with_clusters};
use crate::support::{Sandbox, kubeconfig, values};

#[test]
fn problems_of_every_cluster_are_told() {
    let sandbox = with_clusters(&["a", "b", "c", "d", "e"]);
    sandbox.write("clusters/a.yaml", cluster("a", "labels: {x: '-'}\n"));
    sandbox.write("clusters/b.yaml", cluster("b", "colour: red\n"));
    sandbox.write("clusters/c.kubeconfig", "[");
    let run = render(&sandbox, &["a", "b", "c", "d", "e"], &["-o", "out"]);
    run.fails_with(&[
        "`clusters/a.yaml`",
        "`labels`",
        "`clusters/b.yaml`",
        "`colour`",
        "`clusters/c.kubeconfig`",
    ]);
    let last = run.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        "error: failed to render 3 of 5 clusters, so nothing has been written for any of them"
    );
    assert!(!sandbox.path().join("out").exists());
}

#[test]
fn problems_of_one_cluster_are_told_at_once() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: Upper
cluster: {region: ''}
storage:
  endpoint: ftp://x
  credentials: workloadIdentity
serviceAccount: {name: default}
labels: {x: '-'}
annotations: {'?': y}
allow: [nothing]
token: {file: nowhere}
",
    );
    sandbox.write("kubeconfig", kubeconfig("server: ssh://203.0.113.7"));
    let run = sandbox.render(&[]);
    run.fails_with(&[
        "`name`",
        "`cluster.region`",
        "`storage.endpoint`",
        "`serviceAccount.name`",
        "`labels`",
        "`annotations`",
        "`allow`",
        "`nowhere`",
        "ssh",
    ]);
    assert_eq!(run.stderr.matches("error: ").count(), 9, "{}", run.stderr);
}

#[test]
fn problems_of_the_storage_are_told_at_once() {
    let sandbox = Sandbox::with_cluster();
    let render = |storage: &str, more: &str| {
        let values = format!("name: c0\ntoken: none\nstorage: {storage}\n{more}");
        sandbox.write("c0.yaml", values);
        let run = sandbox.render(&[]);
        let count = run.stderr.matches("error: ").count();
        (run, count)
    };
    let keys = "{accessKeyId: {env: NOPE}, secretAccessKey: {env: NOPE2}}";
    let (run, count) = render(
        &format!(
            "{{fileSystem: x, endpoint: 'minio:1', credentials: {keys}, extraEnv: {{a b: c, AWS_ENDPOINT_URL: d}}}}"
        ),
        "",
    );
    run.fails_with(&[
        "`storage.fileSystem`",
        "`storage.endpoint`",
        "caused by: `storage.credentials.accessKeyId`\ncaused by: the environment variable `NOPE` is not set\n",
        "caused by: `storage.credentials.secretAccessKey`\ncaused by: the environment variable `NOPE2` is not set\n",
        "`a b` is not the name of an environment variable",
        "`storage.extraEnv` sets `AWS_ENDPOINT_URL`",
    ]);
    assert_eq!(count, 6, "{}", run.stderr);
    // One half that is wrong doesn't hide that the other can't be read, nor a store that is wrong the rest.
    let (run, count) = render(
        "{endpoint: 'http://localhost', credentials: {accessKeyId: a b, secretAccessKey: {env: NOPE}}}",
        "externalSecrets: {keyPrefix: UPPER}\n",
    );
    run.fails_with(&[
        "error[loopback-storage]: ",
        "`storage.credentials.accessKeyId`",
        "`NOPE` is not set",
        "`externalSecrets.keyPrefix`",
    ]);
    assert_eq!(count, 4, "{}", run.stderr);
    let (run, count) = render("{fileSystem: x}", "");
    run.fails_with(&["`storage.fileSystem`", "`storage.credentials` is missing"]);
    assert_eq!(count, 2, "{}", run.stderr);
}

#[test]
fn mistakes_of_one_document_are_told_at_once() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: c0
colour: red
cluster:
  sla: gold
  skus: [{cpu: x}]
storage:
  credentials: {accessKeyId: a}
  endpoint: [1]
token: maybe
labels: {x: 1}
",
    );
    let run = sandbox.render(&[]);
    run.fails_with(&[
        "line 2: `colour`",
        "line 4: `cluster.sla`",
        "line 5: `cluster.skus[0].cpu`",
        "line 7: `storage.credentials`",
        "line 8: `storage.endpoint`",
        "line 9: `token`",
        "line 10: `labels.x`",
    ]);
    assert_eq!(run.stderr.matches("error: ").count(), 7, "{}", run.stderr);
}

#[test]
fn what_is_there_and_wrong_is_not_told_to_be_missing() {
    let sandbox = Sandbox::with_cluster();
    for (lines, count) in [
        ("name: 5\nstorage: {credentials: workloadIdentity}\n", 1),
        (
            "name: c0\nstorage: {credentials: {accessKeyId: {env: A, file: b}, secretAccessKey: [x]}}\n",
            2,
        ),
        (
            "name: 5\nstorage: {credentials: {externalSecret: {key: [x]}}, fileSystem: 1}\n",
            3,
        ),
    ] {
        sandbox.write("c0.yaml", lines);
        let run = sandbox.render(&[]);
        run.fails();
        for key in ["name", "accessKeyId", "credentials", "key"] {
            let missing = format!("the key `{key}` is missing");
            assert!(!run.stderr.contains(&missing), "{}", run.stderr);
        }
        assert_eq!(
            run.stderr.matches("error: ").count(),
            count,
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_mistake_names_its_document_and_its_line_in_the_file() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    let all = [
        cluster("a", ""),
        cluster("b", "colour: red\n"),
        cluster("c", "labels: {x: '-'}\n"),
    ];
    sandbox.write("clusters/all.yaml", all.join("---\n"));
    let file = sandbox.read("clusters/all.yaml");
    let line = file
        .lines()
        .position(|line| line.starts_with("colour"))
        .unwrap()
        + 1;
    render(&sandbox, &["all"], &CONTROL_PLANE).fails_with(&[
        "failed to read the values file `clusters/all.yaml`, document 2",
        &format!("line {line}: `colour`"),
        "failed to use the values file `clusters/all.yaml`, document 3",
        "2 of 3 clusters",
    ]);
}

#[test]
fn a_merge_key_that_merges_nothing_names_its_document() {
    let sandbox = with_clusters(&["a", "b"]);
    let all = [cluster("a", ""), cluster("b", "<<: 5\n")];
    sandbox.write(
        "clusters/all.yaml",
        format!("# All.\n{}", all.join("---\n")),
    );
    let begin = all[0].lines().count() + 3;
    render(&sandbox, &["all"], &CONTROL_PLANE).fails_with(&[
        "`clusters/all.yaml`",
        &format!("line {begin}: in the document that begins here a merge key `<<`"),
    ]);
}

#[test]
fn names_are_unique() {
    let sandbox = with_clusters(&["a", "b"]);
    sandbox.write(
        "clusters/other.yaml",
        cluster("b", "").replace("name: b", "name: a"),
    );
    render(&sandbox, &["a", "other"], &CONTROL_PLANE).fails_with(&[
        "`clusters/other.yaml`",
        "`name` is `a`",
        "`clusters/a.yaml`",
    ]);
    render(&sandbox, &["a", "a"], &CONTROL_PLANE)
        .fails_with(&["`name` is `a`", "the file is given twice"]);
}

#[test]
fn two_clusters_with_one_endpoint_are_denied() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    for name in ["b", "c"] {
        // The same, however it is written.
        let same = kubeconfig("server: HTTPS://203.0.113.1:6443/");
        sandbox.write(&format!("clusters/{name}.kubeconfig"), same);
    }
    let all = ["c", "b", "a"];
    let run = render(&sandbox, &all, &CONTROL_PLANE);
    run.fails_with(&[
        "error[duplicate-endpoint]: `clusters/b.yaml`",
        "error[duplicate-endpoint]: `clusters/c.yaml`",
        "`https://203.0.113.1:6443`",
        "`a` (`clusters/a.yaml`)",
        "`allow: [duplicate-endpoint]`",
        "2 of 3 clusters",
    ]);
    // Whichever of the two accepts it, and of each two.
    let strict = [&CONTROL_PLANE[..], &["--strict"]].concat();
    for accepting in ["a", "b", "c", "ab", "bc", "ac"] {
        for name in all {
            let allow = match accepting.contains(name) {
                true => "allow: [duplicate-endpoint]\n",
                false => "",
            };
            sandbox.write(&format!("clusters/{name}.yaml"), cluster(name, allow));
        }
        let run = render(&sandbox, &all, &strict);
        if accepting.len() == 2 {
            run.succeeds_quietly();
            continue;
        }
        let others: Vec<&str> = ["a", "b", "c"]
            .into_iter()
            .filter(|name| *name != accepting)
            .collect();
        run.fails_with(&[
            &format!("the server of `{}` is", others[1]),
            &format!("so is that of `{}`", others[0]),
            "1 of 3 clusters",
        ]);
    }
}

#[test]
fn what_is_wrong_with_what_clusters_share_is_told_once() {
    let sandbox = with_clusters(&["a", "b"]);
    for name in ["a", "b"] {
        let values = values("kubeconfig: {path: shared, context: x}\ntoken: none\n");
        sandbox.write(&format!("clusters/{name}.yaml"), values.replace("c0", name));
    }
    let run = render(&sandbox, &["a", "b"], &CONTROL_PLANE);
    run.fails_with(&[
        "failed to render `a` (`clusters/a.yaml`), `b` (`clusters/b.yaml`)\n",
        "`clusters/shared`",
        "No such file",
        "2 of 2 clusters",
    ]);
    assert_eq!(
        run.stderr.matches("No such file").count(),
        1,
        "{}",
        run.stderr
    );
}

#[test]
fn a_problem_of_one_input_names_the_document_that_uses_it() {
    let sandbox = with_clusters(&["a", "b"]);
    let wrong = cluster("b", "").replace("b.kubeconfig}", "b.kubeconfig, context: nowhere}");
    let all = [cluster("a", ""), wrong];
    sandbox.write("clusters/all.yaml", all.join("---\n"));
    let run = render(&sandbox, &["all"], &CONTROL_PLANE);
    run.fails_with(&[
        "failed to use `kubeconfig.context` of `clusters/all.yaml`, document 2\n",
        "`nowhere`",
        "1 of 2 clusters",
    ]);
    // The key that isn't to blame isn't named.
    std::fs::remove_file(sandbox.path().join("clusters/b.kubeconfig")).unwrap();
    let run = render(&sandbox, &["all"], &CONTROL_PLANE);
    run.fails_with(&["failed to use `kubeconfig.path` of `clusters/all.yaml`, document 2\n"]);
}

#[test]
fn what_all_of_them_lack_is_told_once() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    for name in ["a", "b", "c"] {
        let without = cluster(name, "").replace("token: none\n", "");
        sandbox.write(&format!("clusters/{name}.yaml"), without);
    }
    let run = render(&sandbox, &["a", "b", "c"], &CONTROL_PLANE);
    run.fails_with(&["failed to render `a` (`clusters/a.yaml`), `b` (`clusters/b.yaml`), `c` (`clusters/c.yaml`)\n"]);
    assert_eq!(
        run.stderr.matches("nothing says where the token").count(),
        1,
        "{}",
        run.stderr
    );
}

#[test]
fn only_one_input_is_standard_input() {
    let sandbox = with_clusters(&["a"]);
    for flags in [
        &["-f", "-", "-"][..],
        &["-f", "-", "--defaults", "-"],
        &[
            "-f",
            "clusters/a.yaml",
            "--defaults",
            "-",
            "--kubeconfig",
            "-",
        ],
    ] {
        sandbox
            .run(["render"].iter().chain(&CONTROL_PLANE).chain(flags))
            .fails_with(&["standard input", "only one"]);
    }
}
