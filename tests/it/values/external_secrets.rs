//! The `externalSecret` forms of `token` and `storage.credentials`, and `externalSecrets`.

mod refused;

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use serde_yaml::Value;

use super::render;
use crate::objects::{documents, identities, object, yaml};
use crate::support::{Sandbox, run, values};

const COMPUTE: &str = "computeStore: {name: vault, kind: SecretStore}";
const CONTROL_PLANE: &str = "controlPlaneStore: {name: central.vault, kind: ClusterSecretStore}";
const KEY: &str = "{key: s3/compute-0, accessKeyIdProperty: id, secretAccessKeyProperty: secret}";

/// A values file with both forms, these settings beside the stores, and further lines.
fn both_forms(settings: &str, further: &str) -> String {
    format!(
        "name: c0\nstorage: {{credentials: {{externalSecret: {KEY}}}}}\ntoken: externalSecret\n\
         externalSecrets: {{{COMPUTE}, {CONTROL_PLANE}{settings}}}\n{further}"
    )
}

/// A values file with the form of `storage.credentials`, and keys beside it.
fn key_in_store(remote: &str, beside: &str) -> String {
    format!(
        "name: c0\nstorage: {{credentials: {{externalSecret: {remote}{beside}}}}}\ntoken: none\n\
         externalSecrets: {{{COMPUTE}}}\n"
    )
}

/// A values file with the form of `token`, and these settings.
fn token_by_store(settings: &str) -> String {
    values(&format!(
        "token: externalSecret\nexternalSecrets: {{{settings}}}\n"
    ))
}

/// Standard output of a run with this values file.
#[track_caller]
fn stream(text: &str) -> String {
    println!("case: {text:?}");
    render(text).succeeds_quietly().to_owned()
}

fn spec(stream: &str, kind: &str, name: &str) -> Value {
    object(stream, kind, name)["spec"].clone()
}

const OWN_LABELS: &str = "{app.kubernetes.io/managed-by: ma-register, app.kubernetes.io/part-of: michelangelo, app.kubernetes.io/instance: c0}";

#[test]
fn the_token_is_pushed_to_one_store_and_pulled_from_the_other() {
    let stream = stream(&both_forms("", ""));
    assert_eq!(
        spec(&stream, "PushSecret", "ray-manager-token"),
        yaml(
            "
refreshInterval: 1h0m0s
updatePolicy: Replace
deletionPolicy: None
secretStoreRefs: [{name: vault, kind: SecretStore}]
selector: {secret: {name: ray-manager-token}}
template: {engineVersion: v2, mergePolicy: Replace, type: Opaque}
data:
  - match: {secretKey: token, remoteRef: {remoteKey: michelangelo/c0, property: token}}
    conversionStrategy: None
"
        )
    );
    assert_eq!(
        spec(&stream, "ExternalSecret", "cluster-c0-client-token"),
        yaml(&format!(
            "
refreshInterval: 1h0m0s
secretStoreRef: {{name: central.vault, kind: ClusterSecretStore}}
target:
  name: cluster-c0-client-token
  creationPolicy: Owner
  deletionPolicy: Retain
  template:
    engineVersion: v2
    mergePolicy: Replace
    type: Opaque
    metadata: {{labels: {OWN_LABELS}}}
data:
  - secretKey: token
    remoteRef:
      {{key: michelangelo/c0, property: token, conversionStrategy: Default, decodingStrategy: None, metadataPolicy: None}}
"
        ))
    );
    let with_none = render(&values("token: none\n"));
    assert_eq!(
        object(&stream, "Cluster", "c0"),
        object(with_none.succeeds_quietly(), "Cluster", "c0")
    );
}

#[test]
fn the_storages_key_is_pulled_into_its_secret() {
    let stream = stream(&key_in_store(KEY, ""));
    assert_eq!(
        spec(&stream, "ExternalSecret", "aws-credentials"),
        yaml(&format!(
            "
refreshInterval: 1h0m0s
secretStoreRef: {{name: vault, kind: SecretStore}}
target:
  name: aws-credentials
  creationPolicy: Owner
  deletionPolicy: Retain
  template:
    engineVersion: v2
    mergePolicy: Replace
    type: Opaque
    metadata: {{labels: {OWN_LABELS}}}
data:
  - secretKey: AWS_ACCESS_KEY_ID
    remoteRef: {{key: s3/compute-0, property: id, conversionStrategy: Default, decodingStrategy: None, metadataPolicy: None}}
  - secretKey: AWS_SECRET_ACCESS_KEY
    remoteRef: {{key: s3/compute-0, property: secret, conversionStrategy: Default, decodingStrategy: None, metadataPolicy: None}}
"
        ))
    );
    let config = &object(&stream, "ConfigMap", "michelangelo-config")["data"];
    assert_eq!(
        config,
        &yaml("{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: https}")
    );
    let without = render(&key_in_store(KEY, ", configMap: false"));
    assert_eq!(without.succeeds_quietly(), stream);
}

#[test]
fn the_operator_can_make_the_config_map_as_well() {
    let text = key_in_store(KEY, ", configMap: true").replace(
        "storage: {",
        "storage: {endpoint: 'http://minio:9091', extraEnv: {A: '{{ .B }}', B: plain}, ",
    ) + "annotations: {note: '{{ x }}'}\nallow: [generic-target-flag]\n";
    let stream = stream(&text);
    assert_eq!(
        spec(&stream, "ExternalSecret", "michelangelo-config"),
        yaml(&format!(
            "
refreshInterval: 1h0m0s
secretStoreRef: {{name: vault, kind: SecretStore}}
target:
  name: michelangelo-config
  manifest: {{apiVersion: v1, kind: ConfigMap}}
  creationPolicy: Owner
  deletionPolicy: Retain
  template:
    engineVersion: v2
    mergePolicy: Replace
    metadata: {{labels: {OWN_LABELS}, annotations: {{note: '{{{{ x }}}}'}}}}
    data:
      MA_FILE_SYSTEM: s3://default
      MA_FILE_SYSTEM_S3_SCHEME: http
      AWS_ENDPOINT_URL: http://minio:9091
      AWS_ACCESS_KEY_ID: '{{{{ .AWS_ACCESS_KEY_ID }}}}'
      AWS_SECRET_ACCESS_KEY: '{{{{ .AWS_SECRET_ACCESS_KEY }}}}'
      A: '{{{{ \"{{{{\" }}}} .B }}}}'
      B: plain
data:
  - secretKey: AWS_ACCESS_KEY_ID
    remoteRef: {{key: s3/compute-0, property: id, conversionStrategy: Default, decodingStrategy: None, metadataPolicy: None}}
  - secretKey: AWS_SECRET_ACCESS_KEY
    remoteRef: {{key: s3/compute-0, property: secret, conversionStrategy: Default, decodingStrategy: None, metadataPolicy: None}}
"
        ))
    );
    // The operator takes the annotations of a Secret for templates.
    let of_secret = spec(&stream, "ExternalSecret", "aws-credentials");
    assert_eq!(
        of_secret["target"]["template"]["metadata"]["annotations"],
        yaml("{note: '{{ \"{{\" }} x }}'}")
    );
    assert!(!identities(&stream).contains(&"ConfigMap/michelangelo-config".to_owned()));
}

#[test]
fn settings_reach_both_sides() {
    let token = |stream: &str| {
        let push = spec(stream, "PushSecret", "ray-manager-token");
        let pull = spec(stream, "ExternalSecret", "cluster-c0-client-token");
        let remote = &push["data"][0]["match"]["remoteRef"];
        assert_eq!(push["refreshInterval"], pull["refreshInterval"]);
        let key = remote["remoteKey"].as_str().unwrap().to_owned();
        let interval = pull["refreshInterval"].as_str().unwrap().to_owned();
        (
            key,
            remote["property"].as_str().map(str::to_owned),
            interval,
        )
    };
    for (settings, key, property, interval) in [
        (", keyPrefix: ''", "c0", Some("token"), "1h0m0s"),
        (", keyPrefix: a/b-1", "a/b-1c0", Some("token"), "1h0m0s"),
        (", keyPrefix: /a/", "/a/c0", Some("token"), "1h0m0s"),
        (
            ", property: A_b-1",
            "michelangelo/c0",
            Some("A_b-1"),
            "1h0m0s",
        ),
        (", property: null", "michelangelo/c0", None, "1h0m0s"),
        (", property: ", "michelangelo/c0", None, "1h0m0s"),
        (
            ", refreshInterval: 90m",
            "michelangelo/c0",
            Some("token"),
            "1h30m0s",
        ),
        (
            ", refreshInterval: 30s",
            "michelangelo/c0",
            Some("token"),
            "30s",
        ),
        (
            ", refreshInterval: 0s",
            "michelangelo/c0",
            Some("token"),
            "0s",
        ),
        (
            ", refreshInterval: null",
            "michelangelo/c0",
            Some("token"),
            "1h0m0s",
        ),
        (
            ", keyPrefix: null",
            "michelangelo/c0",
            Some("token"),
            "1h0m0s",
        ),
    ] {
        let stream = stream(&both_forms(settings, ""));
        let expected = (
            key.to_owned(),
            property.map(str::to_owned),
            interval.to_owned(),
        );
        assert_eq!(token(&stream), expected, "{settings}");
        let storage = spec(&stream, "ExternalSecret", "aws-credentials");
        assert_eq!(storage["refreshInterval"], Value::from(interval));
    }
}

#[test]
fn no_secret_is_needed_nor_rendered() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", both_forms("", ""));
    let compute = [
        "ServiceAccount/ray-manager",
        "ClusterRole/ray-manager",
        "ClusterRoleBinding/ray-manager-binding",
        "ConfigMap/michelangelo-config",
        "ExternalSecret/aws-credentials",
        "Secret/ray-manager-token",
        "PushSecret/ray-manager-token",
    ];
    let control_plane = [
        "Secret/cluster-c0-ca-data",
        "ExternalSecret/cluster-c0-client-token",
        "Cluster/c0",
    ];
    for (side, expected) in [("compute", &compute[..]), ("control-plane", &control_plane)] {
        let run = run(&mut sandbox.render_command(&["--side", side]), "");
        assert_eq!(identities(run.succeeds_quietly()), expected, "{side}");
    }
    for object in documents(sandbox.render(&[]).succeeds_quietly()) {
        let name = object["metadata"]["name"].as_str().unwrap();
        let data = object["data"].as_mapping();
        let keys = data
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str().unwrap());
        let keys: Vec<&str> = keys.collect();
        match (object["kind"].as_str().unwrap(), name) {
            ("Secret", "cluster-c0-ca-data") => assert_eq!(keys, ["cadata"]),
            ("Secret", "ray-manager-token") => assert_eq!(keys, [""; 0]),
            ("Secret", _) => panic!("{name}"),
            ("ConfigMap", _) => assert!(!keys.iter().any(|key| key.starts_with("AWS_"))),
            _ => {}
        }
    }
    // Nothing has to be allowed to stand in a directory, and nothing is hidden there.
    sandbox.render_into("deploy", &[]).succeeds();
    let files = sandbox.files("deploy");
    for file in [
        "compute/c0/50-externalsecret-aws-credentials.yaml",
        "compute/c0/70-pushsecret-ray-manager-token.yaml",
        "control-plane/c0/20-externalsecret-cluster-c0-client-token.yaml",
    ] {
        assert!(files.contains(&file.to_owned()), "{files:?}");
    }
    assert_eq!(files.len(), compute.len() + control_plane.len());
    for file in files {
        let path = sandbox.path().join("deploy").join(&file);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o044, 0o044, "{file}");
    }
}

#[test]
fn a_rotation_changes_one_line_of_what_was_there() {
    let secrets = |names: &str| {
        stream(&both_forms(
            "",
            &format!("serviceAccount: {{tokenSecrets: [{names}]}}\n"),
        ))
    };
    let (before, after) = (
        secrets("ray-manager-token"),
        secrets("ray-manager-token, second"),
    );
    let added = object(&after, "Secret", "second");
    assert_eq!(added["type"], yaml("kubernetes.io/service-account-token"));
    let kept: Vec<&str> = after
        .split("---\n")
        .filter(|document| {
            !(document.contains("kind: Secret\n") && document.contains("name: \"second\"\n"))
        })
        .collect();
    let kept = kept.join("---\n");
    let lines: Vec<(&str, &str)> = before
        .lines()
        .zip(kept.lines())
        .filter(|(before, after)| before != after)
        .collect();
    assert_eq!(before.lines().count(), kept.lines().count());
    assert_eq!(
        lines,
        [(
            "      name: \"ray-manager-token\"",
            "      name: \"second\""
        )]
    );
}

#[test]
fn the_service_accounts_name_is_the_push_secrets() {
    let further = "serviceAccount: {name: robot, tokenSecrets: [a, b]}\n";
    let stream = stream(&both_forms("", further));
    let push = spec(&stream, "PushSecret", "robot-token");
    assert_eq!(push["selector"]["secret"]["name"], yaml("b"));
}

#[test]
fn own_templates_see_the_settings_where_a_form_is_used() {
    let template = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n  namespace: default\ndata:\n  a: {value}\n"
        )
    };
    let sandbox = Sandbox::with_cluster();
    let rendered = |side: &str, value: &str| {
        sandbox.write(
            &format!("own-{side}/{side}/90-extra.yaml.j2"),
            template(value),
        );
        let own = format!("own-{side}");
        let run = run(
            &mut sandbox.render_command(&["--side", side, "--templates", &own]),
            "",
        );
        object(run.succeeds_quietly(), "ConfigMap", "extra")["data"]["a"].clone()
    };
    let used = "{{ 'yes' if external_secrets else 'no' }}";
    for side in ["compute", "control-plane"] {
        assert_eq!(rendered(side, used), yaml("'no'"), "{side}");
    }
    sandbox.write("c0.yaml", both_forms("", ""));
    for (side, value, expected) in [
        ("compute", "{{ external_secrets.store.name }}", "vault"),
        (
            "compute",
            "{{ external_secrets.store.kind }}",
            "SecretStore",
        ),
        (
            "control-plane",
            "{{ external_secrets.store.name }}",
            "central.vault",
        ),
        (
            "control-plane",
            "{{ external_secrets.refresh_interval }}",
            "1h0m0s",
        ),
        (
            "compute",
            "{{ external_secrets.token.key }}",
            "michelangelo/c0",
        ),
        (
            "control-plane",
            "{{ external_secrets.token.property }}",
            "token",
        ),
        (
            "compute",
            "{{ external_secrets.storage.key }}",
            "s3/compute-0",
        ),
    ] {
        assert_eq!(
            rendered(side, value),
            Value::from(expected),
            "{side} {value}"
        );
    }
    sandbox.write("c0.yaml", key_in_store(KEY, ""));
    assert_eq!(rendered("compute", used), yaml("'yes'"));
    let token = "{{ 'yes' if external_secrets.token else 'no' }}";
    assert_eq!(rendered("compute", token), yaml("'no'"));
    assert_eq!(rendered("control-plane", used), yaml("'no'"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_pushed_is_what_is_pulled(
        name in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        prefix in prop::option::of("[a-z0-9/-]{0,20}"),
        property in prop::option::of(prop::option::of("[A-Za-z0-9_-]{1,20}")),
    ) {
        let mut settings = String::new();
        if let Some(prefix) = &prefix {
            settings.push_str(&format!(", keyPrefix: '{prefix}'"));
        }
        match &property {
            None => {}
            Some(None) => settings.push_str(", property: null"),
            Some(Some(property)) => settings.push_str(&format!(", property: '{property}'")),
        }
        let text = both_forms(&settings, "").replacen("name: c0", &format!("name: '{name}'"), 1);
        let stream = stream(&text);
        let push = spec(&stream, "PushSecret", "ray-manager-token");
        let pull = spec(&stream, "ExternalSecret", &format!("cluster-{name}-client-token"));
        let (pushed, pulled) = (&push["data"][0]["match"], &pull["data"][0]);
        prop_assert_eq!(&pushed["remoteRef"]["remoteKey"], &pulled["remoteRef"]["key"]);
        prop_assert_eq!(pushed["remoteRef"].get("property"), pulled["remoteRef"].get("property"));
        let key = format!("{}{name}", prefix.as_deref().unwrap_or("michelangelo/"));
        prop_assert_eq!(&pulled["remoteRef"]["key"], &Value::from(key));
        let property = property.unwrap_or_else(|| Some("token".to_owned())).map(Value::from);
        prop_assert_eq!(pulled["remoteRef"].get("property"), property.as_ref());
        // The key of the Secret on either side is the one that its reader looks for.
        prop_assert_eq!(&pushed["secretKey"], &Value::from("token"));
        prop_assert_eq!(&pulled["secretKey"], &Value::from("token"));
    }
}
