//! Mistakes in a values file that show while it is read: keys and types.

use super::{refused, refused_from_line_5, refused_storage};
use crate::support::values;

#[test]
fn unknown_keys_are_answered_with_the_known_ones() {
    for (further, parts) in [
        (
            "clustre: {}",
            &[
                "line 5",
                "unknown key `clustre`",
                "did you mean `cluster`?",
                "known: `name`, `kubeconfig`, `cluster`, `storage`, `serviceAccount`, `token`, `externalSecrets`, `labels`, `annotations`, `allow`",
            ][..],
        ),
        (
            "Labels: {}",
            &["line 5", "unknown key `Labels`", "did you mean `labels`?"],
        ),
        ("zzz: SENTINEL", &["line 5", "unknown key `zzz`; known"]),
        (
            "cluster: {regoin: a}",
            &[
                "line 5",
                "`cluster.regoin`",
                "did you mean `region`?",
                "known: `sla`, `dc`, `region`, `zone`, `skus`",
            ],
        ),
        (
            "cluster:\n  skus:\n    - cpu: 8\n    - memoryGB: '3'",
            &[
                "line 8",
                "`cluster.skus[1].memoryGB`",
                "did you mean `memoryGb`?",
            ],
        ),
        (
            "cluster: {region:eu}",
            &[
                "line 5",
                "`cluster`",
                "the key `region` needs a `:` and a space",
            ],
        ),
        (
            "kubeconfig:\n  file: x",
            &[
                "line 6",
                "`kubeconfig.file`",
                "known: `path`, `context`, `server`, `certificateAuthority`",
            ],
        ),
        (
            "serviceAccount:\n  tokenSecret: x",
            &[
                "line 6",
                "`serviceAccount.tokenSecret`",
                "did you mean `tokenSecrets`?",
            ],
        ),
        (
            "serviceAccount:\n  extraRules:\n    - nonResourceUrls: []",
            &["line 7", "did you mean `nonResourceURLs`?"],
        ),
        (
            "\"a\\e[31mb\": 1",
            &["line 5", "unknown key, not shown", "known: `name`"],
        ),
    ] {
        refused_from_line_5(further, parts);
    }
    refused_storage(
        "endPoint: http://minio",
        &[
            "line 5",
            "`storage.endPoint`",
            "did you mean `endpoint`?",
            "known: `fileSystem`, `scheme`, `endpoint`, `credentials`, `extraEnv`",
        ],
    );
}

#[test]
fn repeated_keys_are_named_with_their_place() {
    refused(&values("name: c1\n"), &["line 1", "key `name` twice"]);
    refused_from_line_5(
        "labels:\n  a: SENTINEL\n  a: SENTINEL",
        &["line 6", "key `a` twice"],
    );
    refused_from_line_5(
        "labels: {a: SENTINEL, \"a\": SENTINEL}",
        &["line 5", "key `a` twice"],
    );
}

#[test]
fn values_of_another_type_are_not_shown() {
    for (further, parts) in [
        (
            "cluster: SENTINEL",
            &["line 5", "`cluster`", "expected a mapping, found a string"][..],
        ),
        (
            "cluster: [SENTINEL]",
            &["line 5", "`cluster`", "expected a mapping, found a list"],
        ),
        (
            "cluster: 5",
            &["line 5", "`cluster`", "expected a mapping, found a number"],
        ),
        (
            "cluster: {region: 5}",
            &[
                "line 5",
                "`cluster.region`",
                "expected a string, found a number; put it in quotes",
            ],
        ),
        (
            "cluster: {region: true}",
            &[
                "line 5",
                "expected a string, found a boolean; put it in quotes",
            ],
        ),
        (
            "cluster: {region: 1.5}",
            &[
                "line 5",
                "expected a string, found a number; put it in quotes",
            ],
        ),
        (
            "cluster: {region: [SENTINEL]}",
            &["line 5", "expected a string, found a list"],
        ),
        (
            "cluster: {sla: [SENTINEL]}",
            &[
                "line 5",
                "`cluster.sla`",
                "expected one of `production`, `ephemeral`",
            ],
        ),
        (
            "cluster: {sla: prod}",
            &[
                "line 5",
                "`cluster.sla`",
                "unknown value `prod`",
                "did you mean `production`?",
            ],
        ),
        (
            "cluster: {dc: aws}",
            &["line 5", "`cluster.dc`", "known: `on-prem`, `gcp`, `oci`"],
        ),
        (
            "cluster: {skus: {cpu: 8}}",
            &[
                "line 5",
                "`cluster.skus`",
                "expected a list, found a mapping",
            ],
        ),
        (
            "cluster:\n  skus:\n    - cpu: SENTINEL",
            &[
                "line 7",
                "`cluster.skus[0].cpu`",
                "expected a whole number",
                "found a string",
            ],
        ),
        (
            "cluster: {skus: [{cpu: 1.5}]}",
            &[
                "line 5",
                "`cluster.skus[0].cpu`",
                "expected a whole number",
                "found a number",
            ],
        ),
        (
            "cluster: {skus: [{cpu: 99999999999}]}",
            &[
                "line 5",
                "`cluster.skus[0].cpu`",
                "32 bits",
                "found a number",
            ],
        ),
        (
            "cluster: {skus: [{cpu: -1}]}",
            &["`cluster.skus[0].cpu`", "negative"],
        ),
        (
            "cluster: {skus: [{memoryGb: 32}]}",
            &["line 5", "`cluster.skus[0].memoryGb`", "put it in quotes"],
        ),
        (
            "cluster: {skus: [[8]]}",
            &[
                "line 5",
                "`cluster.skus[0]`",
                "expected a mapping, found a list",
            ],
        ),
        (
            "cluster: {skus: [SENTINEL]}",
            &[
                "line 5",
                "`cluster.skus[0]`",
                "expected a mapping, found a string",
            ],
        ),
        (
            "labels: [SENTINEL]",
            &["line 5", "`labels`", "expected a mapping, found a list"],
        ),
        (
            "labels: {a: 5}",
            &[
                "line 5",
                "`labels.a`",
                "expected a string, found a number; put it in quotes",
            ],
        ),
        (
            "labels: {a: }",
            &["line 5", "`labels.a`", "expected a string, found nothing"],
        ),
        (
            "labels: {5: SENTINEL}",
            &["line 5", "`labels`", "a key is not a string", "quotes"],
        ),
        (
            "annotations: {a: true}",
            &["line 5", "`annotations.a`", "put it in quotes"],
        ),
        (
            "allow: ca-expired",
            &["line 5", "`allow`", "expected a list, found a string"],
        ),
        (
            "allow: [5]",
            &["line 5", "`allow[0]`", "expected a string, found a number"],
        ),
        (
            "serviceAccount: {tokenSecrets: SENTINEL}",
            &[
                "line 5",
                "`serviceAccount.tokenSecrets`",
                "expected a list, found a string",
            ],
        ),
        (
            "kubeconfig: {path: [SENTINEL]}",
            &[
                "line 5",
                "`kubeconfig.path`",
                "expected a string, found a list",
            ],
        ),
    ] {
        refused_from_line_5(further, parts);
    }
    refused_storage(
        "scheme: s3",
        &["line 5", "`storage.scheme`", "known: `http`, `https`"],
    );
    refused_storage(
        "extraEnv: {A: 5}",
        &["line 5", "`storage.extraEnv.A`", "put it in quotes"],
    );
    refused_storage(
        "extraEnv: {A: {env: HOME}}",
        &["line 5", "`storage.extraEnv.A`", "found a mapping"],
    );
}
