//! What `deregister` deletes: what was known when the script was made, and nothing else.

use std::fs;

use super::{DEREGISTER, REGISTER, position, world};
use crate::support::values;

const CONFIRM: (&str, &str) = ("CONFIRM", "yes");

#[test]
fn it_is_listed_in_the_script() {
    let world = world("");
    let script = world.script(DEREGISTER);
    let script = script.succeeds_quietly();
    let list = "      compute_objects=(\n        'secret/ray-manager-token default'\n        'configmap/michelangelo-config default'\n        clusterrolebinding.rbac.authorization.k8s.io/ray-manager-binding\n        clusterrole.rbac.authorization.k8s.io/ray-manager\n        'serviceaccount/ray-manager default'\n      )\n";
    assert!(script.contains(list), "{script}");
    let list = "      control_plane_objects=(\n        'cluster.michelangelo.api/c0 ma-system'\n        'secret/cluster-c0-client-token default'\n        'secret/cluster-c0-ca-data default'\n      )\n";
    assert!(script.contains(list), "{script}");
}

#[test]
fn no_key_is_needed() {
    let world = world("");
    let keys = "credentials: {accessKeyId: {env: NOT_SET}, secretAccessKey: {file: none}}";
    let text = values("kubeconfig: {path: config}\ntoken: {file: none}\n");
    let text = text.replace("credentials: workloadIdentity", keys);
    world.sandbox.write("my values/c0.yaml", text);
    world.keep(&world.script(DEREGISTER));
    let secret = world.object("compute/secret.aws-credentials");
    fs::write(&secret, "    \"app.kubernetes.io/instance\": \"c0\"\n").unwrap();
    world.start(&[CONFIRM]).succeeds();
    assert!(!secret.exists());
}

#[test]
fn objects_of_own_templates_go_too() {
    let world = world("");
    let sandbox = &world.sandbox;
    let labels = "  labels: {app.kubernetes.io/instance: {{ name }}}\n";
    for (file, kind) in [
        ("compute/80-quota", "apiVersion: v1\nkind: ResourceQuota"),
        (
            "control-plane/80-alert",
            "apiVersion: alerts.example.com/v1\nkind: Alert",
        ),
        (
            "control-plane/90-alert",
            "apiVersion: gone.example.com/v1\nkind: Gone",
        ),
    ] {
        let text = format!("{kind}\nmetadata:\n  name: of-c0\n  namespace: ma\n{labels}");
        sandbox.write(&format!("own/{file}.yaml.j2"), text);
    }
    let object = |object: &str| world.object(object);
    for path in [
        object("compute/resourcequota.of-c0"),
        object("control-plane/alert.of-c0"),
        object("control-plane/gone.of-c0"),
    ] {
        fs::write(path, "    \"app.kubernetes.io/instance\": \"c0\"\n").unwrap();
    }
    fs::write(object("control-plane/crd.alerts.alerts.example.com"), "").unwrap();
    let arguments = [
        "runbook",
        DEREGISTER,
        "-f",
        "my values/c0.yaml",
        "--templates",
        "own",
    ];
    world.keep(&world.script_by(&arguments));
    world.start(&[CONFIRM]).succeeds();
    assert!(!object("compute/resourcequota.of-c0").exists());
    assert!(!object("control-plane/alert.of-c0").exists());
    // A kind that the cluster doesn't know is no obstacle.
    assert!(object("control-plane/gone.of-c0").exists());
}

#[test]
fn what_the_operator_makes_goes_after_what_it_makes_it_of() {
    let world = world(
        "token: externalSecret\nexternalSecrets:\n  computeStore: {name: v, kind: ClusterSecretStore}\n  \
         controlPlaneStore: {name: v, kind: ClusterSecretStore}\n",
    );
    world.run(REGISTER, &[("TIMEOUT", "600")]).succeeds();
    let secret = world.object("control-plane/secret.cluster-c0-client-token");
    let text = fs::read_to_string(&secret).unwrap();
    fs::write(
        &secret,
        format!("    \"app.kubernetes.io/instance\": \"c0\"\n{text}"),
    )
    .unwrap();
    world.calls();
    world.run(DEREGISTER, &[CONFIRM]).succeeds();
    let calls = world.calls();
    let order = [
        "delete externalsecret.external-secrets.io/cluster-c0-client-token",
        "delete secret/cluster-c0-client-token",
        "delete pushsecret.external-secrets.io/ray-manager-token",
        "delete secret/ray-manager-token",
    ];
    let positions = order.map(|part| position(&calls, part));
    assert!(positions.is_sorted(), "{positions:?} {calls:#?}");
    assert!(!secret.exists());
}

#[test]
fn someone_elses_secret_stays() {
    let world = world("token: none\n");
    let secret = world.object("control-plane/secret.cluster-c0-client-token");
    fs::write(&secret, "data:\n").unwrap();
    let run = world.run(DEREGISTER, &[CONFIRM]);
    assert!(run.succeeds().contains("left to whoever made it"));
    assert!(secret.exists());
}

#[test]
fn a_compute_cluster_that_is_gone_is_left_out() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.fail_on("compute", "*");
    let run = world.run(DEREGISTER, &[CONFIRM]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("--compute-is-gone"), "{}", run.stderr);
    fs::remove_file(world.sandbox.path().join("my values/config")).unwrap();
    let run = world.script(DEREGISTER);
    run.fails_with(&["my values/config"]);
    world.calls();
    let gone = [
        "runbook",
        DEREGISTER,
        "-f",
        "my values/c0.yaml",
        "--compute-is-gone",
    ];
    world.keep(&world.script_by(&gone));
    world.start(&[CONFIRM]).succeeds();
    assert!(!world.has("control-plane/cluster.c0"));
    assert!(!world.has("control-plane/secret.cluster-c0-ca-data"));
    let calls = world.calls();
    assert!(!calls.iter().any(|call| call.starts_with("compute")));
    position(&calls, "rollout restart");
}

#[test]
fn several_that_are_gone_are_one_script() {
    let world = world("");
    let sandbox = &world.sandbox;
    sandbox.write("c1.yaml", values("").replace("c0", "c1"));
    sandbox.write("c_2.yaml", values("").replace("c0", "c_2"));
    let gone = [
        "runbook",
        DEREGISTER,
        "--compute-is-gone",
        "-f",
        "my values/c0.yaml",
    ];
    let script = world.script_by(&[&gone[..], &["c1.yaml"]].concat());
    assert!(script.succeeds_quietly().contains("clusters=(c0 c1)\n"));
    // What is wrong with the name is all that is told.
    let wrong = world.script_by(&[&gone[..], &["c_2.yaml"]].concat());
    wrong.fails_with(&["c_2"]);
    assert!(
        !wrong.stderr.contains("invalid:") && !wrong.stderr.contains("failed to use :"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn the_compute_side_goes_also_where_the_controller_does_not_restart() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.fail_on("control-plane", "* rollout restart *");
    let run = world.run(DEREGISTER, &[CONFIRM]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("the controller did not restart"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("has not been restarted yet"),
        "{}",
        run.stderr
    );
    assert!(!world.has("compute/secret.ray-manager-token"));
}
