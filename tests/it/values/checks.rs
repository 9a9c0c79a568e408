//! Values of the right type that make no sense: each has a message of its own.

use super::{refused, refused_from_line_5, refused_storage, rendered};

#[test]
fn a_name_is_a_dns_label() {
    refused(
        "storage: {credentials: workloadIdentity}\n",
        &["line 1", "`name` is missing"],
    );
    refused(
        "name:\nstorage: {}\n",
        &["line 1", "`name`", "expected a string, found nothing"],
    );
    refused(
        "name: 5\nstorage: {}\n",
        &["line 1", "`name`", "found a number; put it in quotes"],
    );
    let long = "a".repeat(65);
    for (name, part) in [
        (long.as_str(), "65 characters, and at most 63"),
        (
            "Compute-0",
            "`Compute-0` is not a name that Kubernetes takes",
        ),
        ("a.b", "is not a name"),
        ("a_b", "is not a name"),
        ("-a", "is not a name"),
        ("a-", "is not a name"),
        ("", "is not a name"),
        ("../../etc", "is not a name"),
        ("z\u{fc}rich", "is not a name"),
    ] {
        let text =
            format!("name: '{name}'\ntoken: none\nstorage: {{credentials: workloadIdentity}}\n");
        refused(&text, &["`name`", part]);
    }
}

#[test]
fn labels_and_annotations_are_those_that_kubernetes_takes() {
    let too_long = format!("labels: {{{}: a}}", "k".repeat(64));
    let too_long_value = format!("labels: {{a: {}}}", "v".repeat(64));
    for (further, parts) in [
        (
            "labels: {'a b': c}",
            &["`labels`", "`a b` is not a key"][..],
        ),
        ("labels: {'': c}", &["`labels`", "`` is not a key"]),
        (
            "labels: {'a/b/c': d}",
            &["`labels`", "`a/b/c` is not a key"],
        ),
        ("labels: {'exa mple/a': d}", &["`labels`", "is not a key"]),
        (&too_long, &["`labels`", "is not a key"]),
        (
            "labels: {a: 'b c'}",
            &["`labels`, `a`", "`b c` is not a label's value"],
        ),
        (
            "labels: {a: 'b-'}",
            &["`labels`, `a`", "is not a label's value"],
        ),
        (
            "labels: {a: 'https://x'}",
            &["`labels`, `a`", "is not a label's value"],
        ),
        (&too_long_value, &["`labels`, `a`", "at most 63"]),
        (
            "annotations: {'a b': c}",
            &["`annotations`", "`a b` is not a key"],
        ),
        (
            "annotations: {'/a': c}",
            &["`annotations`", "`/a` is not a key"],
        ),
        (
            "annotations: {kubernetes.io/service-account.name: default}",
            &[
                "`annotations`",
                "`kubernetes.io/service-account.name`",
                "Kubernetes' own",
            ],
        ),
        (
            "annotations: {kubernetes.io/service-account.uid: x}",
            &["`annotations`", "Kubernetes' own"],
        ),
        (
            "annotations: {kubectl.kubernetes.io/last-applied-configuration: x}",
            &["`annotations`", "Kubernetes' own"],
        ),
        (
            "labels: {Example.com/team: x}",
            &["`labels`", "`Example.com/team` is not a key"],
        ),
        (
            "serviceAccount: {name: cluster-admin}",
            &["`serviceAccount.name`", "`cluster-admin` is a role"],
        ),
        (
            "serviceAccount: {name: default}",
            &["`serviceAccount.name`", "every pod"],
        ),
    ] {
        refused_from_line_5(further, parts);
    }
    for own in ["managed-by", "part-of", "instance"] {
        let label = format!("app.kubernetes.io/{own}");
        refused_from_line_5(
            &format!("labels: {{{label}: x}}"),
            &["`labels`", &label, "already"],
        );
    }
    let huge = format!("annotations: {{a: '{}'}}", "x".repeat(256 * 1024));
    refused_from_line_5(&huge, &["`annotations`", "262145 bytes", "262144"]);
}

#[test]
fn storage_is_checked() {
    for (lines, parts) in [
        (
            "fileSystem: default",
            &["`storage.fileSystem`", "no scheme", "s3://default"][..],
        ),
        ("fileSystem: ''", &["`storage.fileSystem`", "no scheme"]),
        (
            "fileSystem: 's3://'",
            &["`storage.fileSystem`", "not an fsspec URL"],
        ),
        (
            "fileSystem: 's3://a b'",
            &["`storage.fileSystem`", "not an fsspec URL"],
        ),
        (
            "fileSystem: 's3://id:SENTINEL@bucket'",
            &["`storage.fileSystem`", "credentials in it"],
        ),
        (
            "fileSystem: 's3://<BUCKET NAME>'",
            &["`storage.fileSystem`", "placeholder"],
        ),
        (
            "endpoint: minio:9091",
            &[
                "`storage.endpoint`",
                "it has no scheme",
                "http://minio:9091",
            ],
        ),
        ("endpoint: ''", &["`storage.endpoint`", "no scheme"]),
        (
            "endpoint: http://127.1:9000",
            &["`storage.endpoint`", "not a URL with a host"],
        ),
        (
            "endpoint: http://2130706433",
            &["`storage.endpoint`", "not a URL with a host"],
        ),
        (
            "endpoint: http://minio..svc",
            &["`storage.endpoint`", "not a URL with a host"],
        ),
        (
            "endpoint: 's3://minio'",
            &["`storage.endpoint`", "neither `http://` nor `https://`"],
        ),
        ("endpoint: 'http://'", &["`storage.endpoint`", "a host"]),
        (
            "endpoint: 'http://:9091'",
            &["`storage.endpoint`", "a host"],
        ),
        ("endpoint: 'http://minio:'", &["`storage.endpoint`", "port"]),
        (
            "endpoint: 'http://minio:0'",
            &["`storage.endpoint`", "port"],
        ),
        (
            "endpoint: 'http://minio:65536'",
            &["`storage.endpoint`", "port"],
        ),
        (
            "endpoint: 'http://minio:port'",
            &["`storage.endpoint`", "port"],
        ),
        ("endpoint: 'http://[2001:db8::9'", &["`storage.endpoint`"]),
        ("endpoint: 'http://2001:db8::9'", &["`storage.endpoint`"]),
        (
            "endpoint: 'http://id:SENTINEL@minio:9091'",
            &[
                "`storage.endpoint`",
                "user or password",
                "`storage.credentials`",
            ],
        ),
        ("endpoint: 'http://minio:9091?a=b'", &["`storage.endpoint`"]),
        (
            "endpoint: 'http://minio:9091/#a'",
            &["`storage.endpoint`", "fragment"],
        ),
        (
            "endpoint: 'http://minio:9091/a b'",
            &["`storage.endpoint`", "white space"],
        ),
        (
            "endpoint: '<< MINIO STORAGE URL >>'",
            &["`storage.endpoint`", "placeholder"],
        ),
        (
            "endpoint: 'http://<host>:9091'",
            &["`storage.endpoint`", "placeholder"],
        ),
        (
            "endpoint: http://minio:9091\n  scheme: https",
            &[
                "error[storage-scheme-mismatch]: ",
                "`storage.scheme`",
                "`storage.endpoint`",
                "allow: [storage-scheme-mismatch]",
            ],
        ),
        (
            "endpoint: http://localhost:9091",
            &["error[loopback-storage]: ", "`storage.endpoint`", "pod"],
        ),
        (
            "endpoint: 'http://127.0.0.1:9091'",
            &["error[loopback-storage]: "],
        ),
        (
            "endpoint: 'http://[::1]:9091'",
            &["error[loopback-storage]: "],
        ),
        (
            "extraEnv: {AWS_ENDPOINT_URL: x}",
            &["`storage.extraEnv`", "`AWS_ENDPOINT_URL`", "can't set"],
        ),
        (
            "extraEnv: {AWS_SECRET_ACCESS_KEY: SENTINEL}",
            &["`storage.extraEnv`", "`AWS_SECRET_ACCESS_KEY`"],
        ),
        (
            "extraEnv: {MA_FILE_SYSTEM: x}",
            &["`storage.extraEnv`", "`MA_FILE_SYSTEM`"],
        ),
        (
            "extraEnv: {1A: x}",
            &[
                "`storage.extraEnv`",
                "`1A` is not the name of an environment variable",
            ],
        ),
        (
            "extraEnv: {'A B': x}",
            &["`storage.extraEnv`", "`A B` is not the name"],
        ),
        (
            "extraEnv: {'': x}",
            &["`storage.extraEnv`", "`` is not the name"],
        ),
        ("extraEnv: {A: \"a\\0b\"}", &["`storage.extraEnv.A`", "NUL"]),
    ] {
        refused_storage(lines, parts);
    }
}

#[test]
fn placeholders_are_refused() {
    for (further, parts) in [
        (
            "cluster: {region: '<REGION>'}",
            &["`cluster.region`", "placeholder"][..],
        ),
        ("cluster: {zone: TODO}", &["`cluster.zone`", "placeholder"]),
        ("cluster: {region: ''}", &["`cluster.region`", "empty"]),
        (
            "kubeconfig: {server: 'https://compute-cluster.example.com'}",
            &[
                "`kubeconfig.server`",
                "placeholder",
                "compute-cluster.example.com",
            ],
        ),
        (
            "kubeconfig: {server: 'https://<< HOST >>:6443'}",
            &["`kubeconfig.server`", "placeholder"],
        ),
    ] {
        refused_from_line_5(further, parts);
    }
}

#[test]
fn the_service_account_is_checked() {
    for (content, parts) in [
        (
            "name: Ray",
            &["`serviceAccount.name`", "`Ray` is not a name"][..],
        ),
        ("name: ''", &["`serviceAccount.name`", "is not a name"]),
        (
            "tokenSecrets: []",
            &["`serviceAccount.tokenSecrets`", "empty"],
        ),
        (
            "tokenSecrets: [a, b, a]",
            &["`serviceAccount.tokenSecrets`", "`a` stands in it twice"],
        ),
        (
            "tokenSecrets: [aws-credentials]",
            &[
                "`serviceAccount.tokenSecrets`",
                "`aws-credentials`",
                "storage",
            ],
        ),
        (
            "tokenSecrets: [a_b]",
            &["`serviceAccount.tokenSecrets`", "`a_b` is not a name"],
        ),
        (
            "scope: all",
            &[
                "line 5",
                "`serviceAccount.scope`",
                "unknown value `all`",
                "known: `cluster`, `namespace`",
            ],
        ),
        (
            "extraRules: {verbs: [get]}",
            &[
                "line 5",
                "`serviceAccount.extraRules`",
                "expected a list, found a mapping",
            ],
        ),
        (
            "extraRules: [{apiGroups: [''], resources: [pods]}]",
            &[
                "line 5",
                "`serviceAccount.extraRules[0]`",
                "`verbs` is missing",
            ],
        ),
        (
            "extraRules: [{apiGroups: [''], resources: [pods], verbs: []}]",
            &["`serviceAccount.extraRules[0]`", "`verbs` is empty"],
        ),
        (
            "extraRules: [{verbs: [get]}]",
            &[
                "`serviceAccount.extraRules[0]`",
                "`apiGroups`",
                "`resources`",
                "`nonResourceURLs`",
            ],
        ),
        (
            "extraRules: [{verbs: [get], resources: [pods]}]",
            &["`serviceAccount.extraRules[0]`", "`apiGroups`"],
        ),
        (
            "extraRules: [{verbs: [get], apiGroups: [''], resources: [pods], nonResourceURLs: [/a]}]",
            &["`serviceAccount.extraRules[0]`", "write two"],
        ),
        (
            "scope: namespace, extraRules: [{verbs: [get], nonResourceURLs: [/a]}]",
            &[
                "`serviceAccount.extraRules[0]`",
                "`nonResourceURLs`",
                "`serviceAccount.scope` is `namespace`",
            ],
        ),
        (
            "extraRules: [{verbs: get, apiGroups: [''], resources: [pods]}]",
            &[
                "line 5",
                "`serviceAccount.extraRules[0].verbs`",
                "expected a list, found a string",
            ],
        ),
    ] {
        refused_from_line_5(&format!("serviceAccount: {{{content}}}"), parts);
    }
}

#[test]
fn allow_takes_known_codes_only() {
    refused_from_line_5(
        "allow: [ca-expired, loopback-servr]",
        &[
            "`allow`",
            "unknown code `loopback-servr`",
            "did you mean `loopback-server`?",
            "known: ",
            "`storage-scheme-mismatch`",
        ],
    );
    rendered("allow: [ca-expired]\n");
}

#[test]
fn file_systems_of_other_kinds_are_accepted() {
    for url in [
        "s3://bucket/team@prod",
        "hdfs://user@namenode:8020/user/x@y",
        "abfs://container@account.dfs.core.windows.net/path",
        "gs://bucket",
    ] {
        let storage = format!(
            "name: c0\nstorage:\n  credentials: workloadIdentity\n  fileSystem: {url}\ntoken: none\n"
        );
        let sandbox = crate::support::Sandbox::with_cluster();
        sandbox.write("c0.yaml", storage);
        let run = sandbox.render(&[]);
        assert!(
            run.succeeds_quietly().contains(&format!("\"{url}\"")),
            "{url}"
        );
    }
}
