//! Secrets in the wrong places of a values file.

use super::tokens::jwt;
use super::watch::Watch;

/// Values files that have to be refused: with a secret in a wrong place, or in a right one that
/// is wrong besides.
pub fn misplaced() -> Vec<String> {
    let token = jwt();
    let identity = "{credentials: workloadIdentity}";
    let keys = |keys: &str| format!("storage: {{credentials: {keys}}}");
    let mut lines: Vec<String> = [
        // A word where a mapping belongs, and the other way round.
        "SENTINEL",
        "73901846520",
        "[SENTINEL]",
        "{a: SENTINEL}",
        "\"\\u0000SENTINEL\"",
        "{accessKeyId: SENTINEL}",
        "{secretAccessKey: SENTINEL}",
        "{accessKeyId: a, secretAccessKey: 73901846520}",
        "{accessKeyId: 73901846520, secretAccessKey: a}",
        "{accessKeyId: a, secretAccessKey: 73901846520.5}",
        "{accessKeyId: a, secretAccessKey: 7390184652073901846520739018465207390184652}",
        "{accessKeyId: a, secretAccessKey: [SENTINEL]}",
        "{accessKeyId: a, secretAccessKey: {value: SENTINEL}}",
        "{accessKeyId: a, secretAccessKey: !secret SENTINEL}",
        // A key that isn't one.
        "{accessKeyId: a, secretAccesKey: SENTINEL}",
        "{accessKeyId: a, secretAccessKey: SENTINEL, sessionToken: SENTINEL}",
        "{accessKeyId: a, secretAccessKey: SENTINEL, secretAccessKey: SENTINEL}",
        "{accessKeyId: a, secretAccessKey: SENTINEL, existingSecret: true}",
        "{existingSecret: SENTINEL}",
        "{externalSecret: SENTINEL}",
        "{externalSecret: {key: SENTINEL}}",
        "{externalSecret: {SENTINEL: a}}",
        "{externalSecret: {key:SENTINEL}}",
        "{externalSecret: {key: SENTINEL, accessKeyIdProperty: a, secretAccessKeyProperty: a}}",
        "{externalSecret: {key: SENTINEL x, accessKeyIdProperty: a, secretAccessKeyProperty: b}}",
        "{externalSecret: {key: x, accessKeyIdProperty: a, secretAccessKeyProperty: SENTINELé}}",
        "{externalSecret: {key: x, accessKeyIdProperty: 73901846520, secretAccessKeyProperty: b}}",
        "{externalSecret: {key: x, accessKeyIdProperty: a, secretAccessKeyProperty: b}, secretAccessKey: SENTINEL}",
        "{accessKeyId: a, secretAccessKey: SENTINEL, configMap: true}",
        // No S3 key.
        "{accessKeyId: a, secretAccessKey: \"SENTINEL \"}",
        "{accessKeyId: a, secretAccessKey: \"SENTINEL\\n\"}",
        "{accessKeyId: a, secretAccessKey: SENTINELé}",
        "{accessKeyId: a, secretAccessKey: \"SENTINEL\\u0000\"}",
        "{accessKeyId: a, secretAccessKey: <SENTINEL>}",
        "{accessKeyId: a, secretAccessKey: \"SENTINEL\\uFDD0\"}",
        "{accessKeyId: a, secretAccessKey: {env: A, file: SENTINEL}}",
        "{accessKeyId: a, secretAccessKey: {env: [SENTINEL]}}",
        // The key itself where a file belongs.
        "{accessKeyId: a, secretAccessKey: {file: wJalrXUtnFEMI/K7MDENG/bPxSENTINEL}}",
        "{accessKeyId: {file: AKIAIOSFODNN7SENTINEL}, secretAccessKey: a}",
        "{accessKeyId: {file: /a/SENTINEL}, secretAccessKey: {file: /SENTINEL/a}}",
        // The same where the name of a variable belongs.
        "{accessKeyId: a, secretAccessKey: {env: SENTINEL/+x}}",
        "{accessKeyId: a, secretAccessKey: {env: \"SENTINEL=x\"}}",
    ]
    .map(keys)
    .into();
    lines.extend(
        [
            "storage: SENTINEL", "storage: 73901846520", "storage: [SENTINEL]",
            "storage: {credentials: workloadIdentity, endpoint: \"http://admin:SENTINEL@minio:9091\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"http://admin:SENTINEL\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"admin:SENTINEL\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"http://admin:SENT@INEL/SENTINEL@minio\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"http://minio:9091/?secret=SENTINEL\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"http://minio:9091/#SENTINEL\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"s3://admin:SENTINEL\"}",
            "storage: {credentials: workloadIdentity, endpoint: \"http://admin:SENTINEL /\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"s3://admin:SENTINEL@bucket\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"s3://admin:SENT/INEL-SENTINEL@bucket\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"s3://SENTINEL@bucket\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"s3://admin:SENT/INEL SENTINEL@bucket\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"admin:SENTINEL\"}",
            "storage: {credentials: workloadIdentity, fileSystem: \"s3://b?secret=SENTINEL x\"}",
            "storage: {credentials: workloadIdentity, secretAccessKey: SENTINEL}",
            "storage: {credentials: workloadIdentity, wJalrXUtnFEMI7SENTINEL: a}",
            "storage: {credentials: workloadIdentity, extraEnv: {AWS_SECRET_ACCESS_KEY: SENTINEL}}",
            "storage: {credentials: workloadIdentity, extraEnv: {A: [SENTINEL]}}",
            "storage: {credentials: workloadIdentity, extraEnv: {A: 73901846520}}",
            "storage: {credentials: workloadIdentity, extraEnv: {A B: SENTINEL}}",
            "storage: {credentials: workloadIdentity, extraEnv: {A: \"SENTINEL\\u0000\"}}",
            "storage: {credentials: workloadIdentity, extraEnv: {A: \"SENTINEL\\uFDD0\"}}",
            "storage: {credentials: workloadIdentity, extraEnv: SENTINEL}",
        ]
        .map(str::to_owned),
    );
    for more in [
        "token: SENTINEL",
        "token: 73901846520",
        "token: [SENTINEL]",
        "token: {value: SENTINEL}",
        "token: {file: [SENTINEL]}",
        "token: {env: A, file: SENTINEL}",
        "token: {env: SENTINEL-x}",
        "token: {env: 73901846520}",
        "token: {file: 73901846520}",
        "token: {file: SENTINEL/a/b}",
        "token: {file: wJalrXUtnFEMI7SENTINEL}",
        "token: {file: hvs.CAESISENTINEL7wJalrXUtnFEMI}",
        "token: !secret SENTINEL",
        "token: none\ntoken: SENTINEL",
        "token: |\n  SENTINEL",
        "secretAccessKey: SENTINEL",
        "password: SENTINEL",
        "credentials: SENTINEL",
        "kubeconfig: SENTINEL",
        "kubeconfig: {token: SENTINEL}",
        "kubeconfig: {path: [SENTINEL]}",
        "kubeconfig: {server: \"https://admin:SENTINEL@h.example\"}",
        "kubeconfig: {server: \"https://admin:SENTINEL\"}",
        "kubeconfig: {server: \"admin:SENTINEL\"}",
        "kubeconfig: {server: \"https://h.example/?SENTINEL\"}",
        "kubeconfig: {certificateAuthority: \"-----BEGIN PRIVATE KEY-----\\nSENTINEL\"}",
        "serviceAccount: SENTINEL",
        "serviceAccount: {tokenSecrets: SENTINEL}",
        "serviceAccount: {token: SENTINEL}",
        "cluster: SENTINEL",
        "cluster: {token: SENTINEL}",
        "externalSecrets: SENTINEL",
        "externalSecrets: {token: SENTINEL}",
        "externalSecrets: {keyPrefix: SENTINEL}",
        "externalSecrets: {property: SENTINEL.x}",
        "externalSecrets: {refreshInterval: [SENTINEL]}",
        "externalSecrets: {computeStore: SENTINEL}",
        "token: {externalSecret: SENTINEL}",
        "labels: SENTINEL",
        "labels: [SENTINEL]",
        "annotations: SENTINEL",
        "annotations: {a: [SENTINEL]}",
        "allow: SENTINEL",
        "allow: {token: SENTINEL}",
        // What looks like a generated one, where a word belongs.
        "wJalrXUtnFEMI7SENTINEL: a",
        "wJalrXUtnFEMI7SENTINEL: a\nwJalrXUtnFEMI7SENTINEL: a",
        "cluster: {sla: wJalrXUtnFEMI7SENTINEL}",
        "externalSecrets: {computeStore: {name: a, kind: wJalrXUtnFEMI7SENTINEL}}",
        "serviceAccount: {scope: wJalrXUtnFEMI7SENTINEL}",
        "allow: [wJalrXUtnFEMI7SENTINEL]",
    ] {
        lines.push(format!("storage: {identity}\n{more}"));
    }
    // The token itself in every place where a text may stand and few texts are good.
    for place in [
        "kubeconfig: {path: TOKEN}",
        "kubeconfig: {context: TOKEN}",
        "kubeconfig: {server: TOKEN}",
        "kubeconfig: {certificateAuthority: TOKEN}",
        "cluster: {sla: TOKEN}",
        "cluster: {dc: TOKEN}",
        "serviceAccount: {name: TOKEN}",
        "serviceAccount: {tokenSecrets: [TOKEN]}",
        "serviceAccount: {tokenSecrets: [a, a, TOKEN]}",
        "serviceAccount: {scope: TOKEN}",
        "token: TOKEN",
        "token: {externalSecret: TOKEN}",
        "externalSecrets: {computeStore: {name: TOKEN, kind: SecretStore}}",
        "externalSecrets: {controlPlaneStore: {name: a, kind: TOKEN}}",
        "externalSecrets: {keyPrefix: TOKEN}",
        "externalSecrets: {property: TOKEN}",
        "externalSecrets: {refreshInterval: TOKEN}",
        "externalSecrets: {TOKEN: a}",
        "token: {file: TOKEN}",
        "token: {env: TOKEN}",
        "token: {TOKEN: x}",
        "TOKEN: x",
        "token: {TOKEN}",
        "labels: {a: TOKEN}",
        "labels: {TOKEN: a}",
        "annotations: {TOKEN: a}",
        "allow: [TOKEN]",
        "name: TOKEN",
    ] {
        lines.push(format!(
            "storage: {identity}\n{}",
            place.replace("TOKEN", &token)
        ));
    }
    for place in [
        "endpoint: TOKEN",
        "fileSystem: TOKEN",
        "scheme: TOKEN",
        "TOKEN: a",
        "extraEnv: {TOKEN: a}",
    ] {
        let place = place.replace("TOKEN", &token);
        lines.push(format!(
            "storage: {{credentials: workloadIdentity, {place}}}"
        ));
    }
    let refused = |lines: String| {
        let name = if lines.contains("\nname: ") {
            ""
        } else {
            "name: c0\n"
        };
        let token = if lines.contains("\ntoken: ") {
            ""
        } else {
            "\ntoken: none"
        };
        format!("{name}{lines}{token}\n")
    };
    lines.into_iter().map(refused).collect()
}

#[test]
fn content_in_the_place_of_a_path_gives_away_nothing() {
    let mut watch = Watch::new();
    watch.write(
        "c0.yaml",
        "name: c0\nstorage: {credentials: workloadIdentity}\n",
    );
    let content = crate::support::kubeconfig("server: https://203.0.113.7:6443");
    assert!(super::planted(&content) > 0);
    let json = content.replace('\n', " ");
    let spaced = format!(" {{\"users\":[{{\"token\":\"SENTINEL\"}}]}} {json}");
    for content in [content.as_str(), &json, &format!("{{{json}}}"), &spaced] {
        let arguments = ["render", "-f", "c0.yaml", "--side", "compute"];
        let mut command = watch.sandbox().command();
        command.args(arguments).env("KUBECONFIG", content);
        let run = watch.run("KUBECONFIG", &mut command, "");
        run.fails_with(&[
            "`KUBECONFIG` holds a kubeconfig's content",
            "`--kubeconfig -`",
        ]);
    }
    for flag in ["--kubeconfig", "--token-file"] {
        let mut command = watch.sandbox().command();
        command.args(["render", "-f", "c0.yaml", "--side", "control-plane"]);
        if flag != "--kubeconfig" {
            watch.write("kubeconfig", &content);
            command.args(["--kubeconfig", "kubeconfig"]);
        }
        let run = watch.run(flag, command.args([flag, &content]), "");
        run.fails_with(&["`***`", "several lines"]);
    }
}

#[test]
fn a_missing_space_gives_away_nothing() {
    let mut watch = Watch::new();
    for credentials in [
        "{accessKeyId: a, secretAccessKey:SENTINEL}",
        "{accessKeyId: a, SENTINEL}",
        "{accessKeyId: a, secretAccessKey SENTINEL: x}",
        "{accessKeyId: a, secretAccessKey: {SENTINEL}}",
    ] {
        let values = format!("name: c0\nstorage:\n  credentials: {credentials}\n");
        watch.write("c0.yaml", values);
        let mut command = watch.sandbox().command();
        command.args(["render", "-f", "c0.yaml", "--side", "compute"]);
        let run = watch.run(credentials, &mut command, "");
        run.fails_with(&["line 3", "secretAccessKey"]);
    }
}
