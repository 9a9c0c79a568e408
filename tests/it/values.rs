//! The values file: what each key does.

mod checks;
mod credentials;
mod external_secrets;
mod mistakes;
mod sources;
mod text;

use serde_yaml::Value;

use crate::objects::{documents, identities, object, yaml};
use crate::support::{Run, Sandbox, fixture_bytes, kubeconfig_of, values};

/// Renders both sides of this values file.
fn render(text: &str) -> Run {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", text);
    sandbox.render(&[])
}

/// The run with this values file fails with these parts, and names the file.
#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    println!("case: {text:?}");
    let run = render(text);
    run.fails_with(&["`c0.yaml`"]);
    run.fails_with(parts);
    assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
}

/// A values file with a good beginning of four lines is refused for the fifth and those after it.
#[track_caller]
fn refused_from_line_5(further: &str, parts: &[&str]) {
    refused(&values(&format!("token: none\n{further}\n")), parts);
}

/// Lines under `storage`, of which the first stands in line 5.
#[track_caller]
fn refused_storage(lines: &str, parts: &[&str]) {
    let text =
        format!("name: c0\ntoken: none\nstorage:\n  credentials: workloadIdentity\n  {lines}\n");
    refused(&text, parts);
}

/// Standard output of a run with a good values file that has these further lines.
#[track_caller]
fn rendered(further: &str) -> String {
    println!("case: {further:?}");
    render(&values(&format!("token: none\n{further}")))
        .succeeds_quietly()
        .to_owned()
}

/// The ConfigMap's data with these lines under `storage`.
#[track_caller]
fn config(storage: &str) -> Value {
    println!("case: {storage:?}");
    let lines: String = storage.lines().map(|line| format!("  {line}\n")).collect();
    let run = render(&format!("name: c0\ntoken: none\nstorage:\n{lines}"));
    object(run.succeeds_quietly(), "ConfigMap", "michelangelo-config")["data"].clone()
}

fn cluster_spec(further: &str) -> Value {
    object(&rendered(further), "Cluster", "c0")["spec"].clone()
}

#[test]
fn name_is_in_every_object() {
    let longest = format!("a-{}", "1".repeat(61));
    for name in ["c0", "0", "michelangelo-compute-0", &longest] {
        let run = render(&format!(
            "name: '{name}'\ntoken: none\nstorage: {{credentials: workloadIdentity}}\n"
        ));
        let stream = run.succeeds_quietly();
        for object in documents(stream) {
            assert_eq!(
                object["metadata"]["labels"]["app.kubernetes.io/instance"],
                Value::from(name)
            );
        }
        let rest = &object(stream, "Cluster", name)["spec"]["kubernetes"]["rest"];
        let ca = format!("cluster-{name}-ca-data");
        assert_eq!(rest["caDataTag"], Value::from(ca.as_str()));
        assert_eq!(
            rest["tokenTag"],
            Value::from(format!("cluster-{name}-client-token"))
        );
        object(stream, "Secret", &ca);
    }
}

#[test]
fn only_what_is_given_is_in_the_cluster() {
    assert_eq!(
        cluster_spec(""),
        yaml(
            "kubernetes: {rest: {host: 'https://203.0.113.7', port: '6443', \
             tokenTag: cluster-c0-client-token, caDataTag: cluster-c0-ca-data}, skus: []}"
        )
    );
}

#[test]
fn cluster_is_copied_into_the_spec() {
    for (key, expected) in [
        ("sla: production", "sla: SLA_TYPE_PRODUCTION"),
        ("sla: ephemeral", "sla: SLA_TYPE_EPHEMERAL"),
        ("dc: on-prem", "dc: DC_TYPE_ON_PREM"),
        ("dc: gcp", "dc: DC_TYPE_CLOUD_GCP"),
        ("dc: oci", "dc: DC_TYPE_CLOUD_OCI"),
        ("region: us-east-1", "region: us-east-1"),
        ("region: 'no'", "region: 'no'"),
        ("zone: '1_000'", "zone: '1_000'"),
    ] {
        let mut spec = cluster_spec(&format!("cluster: {{{key}}}\n"));
        spec.as_mapping_mut().unwrap().remove("kubernetes");
        assert_eq!(spec, yaml(expected), "{key}");
    }
    let skus = "[{cpu: 8, memoryGb: '32', diskSizeGb: '100', gpu: 1, gpuSku: a100}, {cpu: 0}]";
    assert_eq!(
        cluster_spec(&format!("cluster: {{skus: {skus}}}\n"))["kubernetes"]["skus"],
        yaml(skus)
    );
    assert_eq!(
        cluster_spec("cluster: {skus: []}\n")["kubernetes"]["skus"],
        yaml("[]")
    );
}

#[test]
fn empty_sections_are_as_good_as_none() {
    let plain = rendered("");
    for section in [
        "kubeconfig",
        "cluster",
        "serviceAccount",
        "labels",
        "annotations",
    ] {
        for nothing in ["", "{}", "null"] {
            assert_eq!(
                rendered(&format!("{section}: {nothing}\n")),
                plain,
                "{section}: {nothing}"
            );
        }
    }
    assert_eq!(rendered("allow: []\n"), plain);
}

#[test]
fn storage_decides_about_the_configmap() {
    for (storage, expected) in [
        (
            "",
            "{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: https}",
        ),
        (
            "endpoint: http://minio:9091",
            "{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: http, AWS_ENDPOINT_URL: 'http://minio:9091'}",
        ),
        (
            "endpoint: https://s3.example.com",
            "{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: https, AWS_ENDPOINT_URL: 'https://s3.example.com'}",
        ),
        (
            "scheme: http",
            "{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: http}",
        ),
        (
            "fileSystem: gs://bucket/path",
            "{MA_FILE_SYSTEM: 'gs://bucket/path', MA_FILE_SYSTEM_S3_SCHEME: https}",
        ),
        (
            "extraEnv: {MLFLOW_TRACKING_URI: 'http://mlflow:5000', A_NUMBER: '0777', EMPTY: ''}",
            "{MA_FILE_SYSTEM: 's3://default', MA_FILE_SYSTEM_S3_SCHEME: https, A_NUMBER: '0777', EMPTY: '', MLFLOW_TRACKING_URI: 'http://mlflow:5000'}",
        ),
    ] {
        let found = config(&format!("credentials: workloadIdentity\n{storage}"));
        assert_eq!(found, yaml(expected), "{storage}");
    }
}

#[test]
fn the_configmaps_keys_have_a_fixed_order() {
    let found = config(
        "extraEnv: {ZZ: z, AA: a}\nendpoint: http://minio:9091\n\
         credentials: {accessKeyId: i, secretAccessKey: s}",
    );
    let keys: Vec<&str> = found
        .as_mapping()
        .unwrap()
        .keys()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "MA_FILE_SYSTEM",
            "MA_FILE_SYSTEM_S3_SCHEME",
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AA",
            "ZZ",
        ]
    );
}

#[test]
fn endpoints_of_every_form_are_taken_as_they_are() {
    for endpoint in [
        "http://minio:9091",
        "http://minio.default.svc.cluster.local:9000",
        "https://s3.eu-central-1.amazonaws.com",
        "https://S3.Example.com/",
        "https://storage.example.com/path/below",
        "https://203.0.113.9:9000",
        "https://[2001:db8::9]:9000",
        "https://[2001:db8::9]",
    ] {
        let found = config(&format!(
            "credentials: workloadIdentity\nendpoint: '{endpoint}'"
        ));
        assert_eq!(found["AWS_ENDPOINT_URL"], Value::from(endpoint));
    }
}

#[test]
fn service_account_names_its_objects() {
    let stream = rendered("serviceAccount: {name: runner}\n");
    assert_eq!(
        identities(&stream)[..5],
        [
            "ServiceAccount/runner",
            "ClusterRole/runner",
            "ClusterRoleBinding/runner-binding",
            "ConfigMap/michelangelo-config",
            "Secret/runner-token",
        ]
    );
    let binding = object(&stream, "ClusterRoleBinding", "runner-binding");
    assert_eq!(
        binding["subjects"],
        yaml("[{kind: ServiceAccount, name: runner, namespace: default}]")
    );
    assert_eq!(
        binding["roleRef"],
        yaml("{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: runner}")
    );
}

#[test]
fn every_token_secret_is_rendered_without_data() {
    let stream = rendered("serviceAccount: {tokenSecrets: [old, new]}\n");
    for name in ["old", "new"] {
        let secret = object(&stream, "Secret", name);
        assert_eq!(secret["type"], yaml("kubernetes.io/service-account-token"));
        assert_eq!(
            secret["metadata"]["annotations"],
            yaml("{kubernetes.io/service-account.name: ray-manager}")
        );
        assert!(
            secret.get("data").is_none() && secret.get("stringData").is_none(),
            "{name}"
        );
    }
    let account = object(&stream, "ServiceAccount", "ray-manager");
    assert!(account.get("secrets").is_none());
}

#[test]
fn extra_rules_follow_those_for_ray() {
    let rules = "[{apiGroups: ['', apps], resources: [pods, deployments], verbs: [get]}, \
                 {apiGroups: [''], resources: [configmaps], resourceNames: [a], verbs: ['*']}, \
                 {nonResourceURLs: [/metrics], verbs: [get]}]";
    let stream = rendered(&format!("serviceAccount: {{extraRules: {rules}}}\n"));
    let found = object(&stream, "ClusterRole", "ray-manager")["rules"]
        .as_sequence()
        .unwrap()
        .clone();
    assert_eq!(found[0]["resources"], yaml("[rayclusters, rayjobs]"));
    assert_eq!(Value::from(found[1..].to_vec()), yaml(rules));
}

#[test]
fn scope_namespace_gives_a_role_and_no_clusterrole() {
    let stream = rendered("serviceAccount: {scope: namespace}\n");
    assert_eq!(
        identities(&stream)[..3],
        [
            "ServiceAccount/ray-manager",
            "Role/ray-manager",
            "RoleBinding/ray-manager-binding"
        ]
    );
    assert!(!stream.contains("ClusterRole"));
    for (kind, name) in [
        ("Role", "ray-manager"),
        ("RoleBinding", "ray-manager-binding"),
    ] {
        assert_eq!(
            object(&stream, kind, name)["metadata"]["namespace"],
            yaml("default"),
            "{kind}"
        );
    }
    let binding = object(&stream, "RoleBinding", "ray-manager-binding");
    assert_eq!(binding["roleRef"]["kind"], yaml("Role"));
    assert_eq!(rendered("serviceAccount: {scope: cluster}\n"), rendered(""));
}

#[test]
fn labels_and_annotations_are_on_every_object() {
    let stream = rendered(
        "labels: {team: ml, example.com/cost-centre: '0777', empty: ''}\n\
         annotations: {note: \"any text: # 'of' \\\"any\\\" kind\\n\", example.com/a: 'true'}\n",
    );
    for object in documents(&stream) {
        let metadata = &object["metadata"];
        assert_eq!(
            metadata["labels"],
            yaml(
                "{app.kubernetes.io/managed-by: ma-register, app.kubernetes.io/part-of: michelangelo, \
                 app.kubernetes.io/instance: c0, team: ml, example.com/cost-centre: '0777', empty: ''}"
            )
        );
        assert_eq!(
            metadata["annotations"]["note"],
            yaml("\"any text: # 'of' \\\"any\\\" kind\\n\"")
        );
        assert_eq!(metadata["annotations"]["example.com/a"], yaml("'true'"));
    }
}

#[test]
fn without_annotations_there_is_no_such_key() {
    for object in documents(&rendered("")) {
        if object["type"] != yaml("kubernetes.io/service-account-token") {
            assert!(
                object["metadata"].get("annotations").is_none(),
                "{object:?}"
            );
        }
    }
}

#[test]
fn kubeconfig_says_where_and_what_is_read() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("sub/own.kubeconfig", sandbox.read("kubeconfig"));
    sandbox.write("sub/other.crt", fixture_bytes("certificates/edge-ca.crt"));
    sandbox.write(
        "c0.yaml",
        values(
            "token: none\nkubeconfig: {path: sub/own.kubeconfig, context: ctx, \
             server: 'https://API.example.com', certificateAuthority: sub/other.crt}\n",
        ),
    );
    let run = sandbox.run(["render", "-f", "c0.yaml", "--side", "control-plane"]);
    let rest =
        object(run.succeeds_quietly(), "Cluster", "c0")["spec"]["kubernetes"]["rest"].clone();
    assert_eq!(
        (&rest["host"], &rest["port"]),
        (&yaml("https://api.example.com"), &yaml("'443'"))
    );
    let expected = crate::support::base64(fixture_bytes("certificates/edge-ca.crt"));
    let secret = object(&run.stdout, "Secret", "cluster-c0-ca-data");
    assert_eq!(secret["data"]["cadata"], Value::from(expected));
}

#[test]
fn system_roots_are_an_empty_certificate_authority() {
    let stream = rendered("kubeconfig: {certificateAuthority: system}\n");
    assert_eq!(
        object(&stream, "Secret", "cluster-c0-ca-data")["data"],
        yaml("{cadata: ''}")
    );
    assert!(stream.contains("caDataTag"));
}

#[test]
fn allow_accepts_a_finding() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "kubeconfig",
        kubeconfig_of(&format!(
            "server: https://127.0.0.1:6443\n{}",
            crate::support::ca_line()
        )),
    );
    sandbox
        .render(&[])
        .fails_with(&["error[loopback-server]: ", "allow: [loopback-server]"]);
    sandbox.write("c0.yaml", values("token: none\nallow: [loopback-server]\n"));
    sandbox.render(&[]).succeeds_quietly();
    // Accepting what isn't there, or twice, does no harm.
    sandbox.write(
        "c0.yaml",
        values("token: none\nallow: [loopback-server, ca-expired, ca-expired]\n"),
    );
    sandbox.render(&["--strict"]).succeeds_quietly();
}
