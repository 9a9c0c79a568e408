//! `init`: a starter values file from a kubeconfig's context.

use proptest::prelude::*;
use serde_yaml::Value;

use crate::support::texts::{any_text, escaped};
use crate::support::{Run, Sandbox, fixture_text, kubeconfig, kubeconfig_of};

/// A starter of a kubeconfig that stands as `kubeconfig`.
fn init(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let begin = ["init", "--kubeconfig", "kubeconfig"];
    sandbox.run(begin.iter().chain(arguments))
}

/// The starter with the storage filled in, and what stands in angle brackets.
fn filled(starter: &str) -> String {
    starter
        .replace(
            "  # credentials: workloadIdentity",
            "  credentials: workloadIdentity",
        )
        .replace("# token: none", "token: none")
        .replace("<HOST AS THE CONTROL PLANE REACHES IT>", "203.0.113.7")
        .replace("<PEM FILE OR system>", "system")
}

#[test]
fn a_starter_of_every_provider_renders_once_it_is_filled_in() {
    for (name, context) in [
        ("seed", None),
        ("eks", None),
        ("aks", None),
        ("gke", None),
        ("gke-dns", None),
        ("k3d", None),
        ("ipv6", None),
        ("rancher", Some("compute-0")),
        ("rancher", Some("compute-0-cp1")),
        ("minikube", None),
        ("several-contexts", Some("staging")),
        ("several-contexts", Some("edge")),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(
            "kubeconfig",
            fixture_text(&format!("kubeconfigs/{name}.kubeconfig")),
        );
        let authority = fixture_text("kubeconfigs/minikube-ca.crt");
        sandbox.write("minikube-ca.crt", authority);
        let context: Vec<&str> = context
            .iter()
            .flat_map(|name| ["--context", name])
            .collect();
        let run = init(&sandbox, &context);
        let starter = run.succeeds_quietly();
        assert!(!starter.contains("SENTINEL"), "{starter}");
        // As it is, it says what there is to be done.
        sandbox.write("c0.yaml", starter);
        let render = ["render", "-f", "c0.yaml", "-o", "out"];
        sandbox.run(render).fails_with(&["storage"]);
        sandbox.write("c0.yaml", filled(starter));
        sandbox.run(render).succeeds();
    }
}

#[test]
fn what_the_control_plane_could_not_use_is_left_open_with_the_reason() {
    for (cluster, open, reason) in [
        (
            kubeconfig("server: https://127.0.0.1:6550"),
            "  server: https://<HOST AS THE CONTROL PLANE REACHES IT>:6550\n",
            "is the machine itself",
        ),
        (
            kubeconfig("server: https://rancher.example.com/k8s/clusters/c-1"),
            "  server: https://<HOST AS THE CONTROL PLANE REACHES IT>:6443\n",
            "path",
        ),
        (
            kubeconfig_of("server: https://203.0.113.7"),
            "  certificateAuthority: <PEM FILE OR system>\n",
            "no certificate authority",
        ),
        (
            kubeconfig_of("server: https://203.0.113.7\ninsecure-skip-tls-verify: true"),
            "  certificateAuthority: <PEM FILE OR system>\n",
            "insecure-skip-tls-verify",
        ),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("kubeconfig", cluster);
        let run = init(&sandbox, &[]);
        let starter = run.succeeds_quietly();
        assert!(starter.contains(open), "{starter}");
        let comments: String = starter
            .lines()
            .filter(|line| line.trim_start().starts_with('#'))
            .collect();
        assert!(comments.contains(reason), "{starter}");
        // It can't be rendered by oversight.
        let storage = "  # credentials: workloadIdentity";
        let with_storage = starter.replace(storage, "  credentials: workloadIdentity");
        sandbox.write("c0.yaml", with_storage);
        sandbox
            .run(["render", "-f", "c0.yaml", "--side", "compute"])
            .fails();
    }
}

#[test]
fn one_of_several_contexts_is_chosen_by_the_user() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "kubeconfig",
        fixture_text("kubeconfigs/several-contexts.kubeconfig"),
    );
    init(&sandbox, &[]).fails_with(&["`--context`", "`edge`, `production`, `staging`"]);
    let run = init(&sandbox, &["--context", "staging", "--name", "mine"]);
    let values: Value = serde_yaml::from_str(run.succeeds_quietly()).unwrap();
    assert_eq!(values["name"], Value::from("mine"));
    assert_eq!(values["kubeconfig"]["context"], Value::from("staging"));
    assert_eq!(values["kubeconfig"]["path"], Value::from("kubeconfig"));
}

#[test]
fn the_default_kubeconfig_needs_no_path() {
    let sandbox = Sandbox::new();
    let content = kubeconfig("server: https://203.0.113.7");
    sandbox.write(".kube/config", &content);
    let run = sandbox.run(["init"]);
    let values: Value = serde_yaml::from_str(run.succeeds_quietly()).unwrap();
    assert_eq!(values["name"], Value::from("ctx"));
    assert!(values["kubeconfig"].get("path").is_none());
    let run = sandbox.run_with_input(["init", "--kubeconfig", "-"], &content);
    assert!(run.succeeds_quietly().contains("  path: <KUBECONFIG>\n"));
    init(&sandbox, &[]).fails_with(&["`kubeconfig`", "No such file"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_context_is_called_it_is_found_again(name in any_text()) {
        prop_assume!(!name.is_empty() && !name.contains('\0'));
        let sandbox = Sandbox::new();
        let quoted = escaped(&name);
        let content = kubeconfig("server: https://203.0.113.7")
            .replace("name: ctx\n", &format!("name: {quoted}\n"))
            .replace("current-context: ctx\n", "");
        sandbox.write("kubeconfig", content);
        let run = init(&sandbox, &[]);
        // What is no text for YAML is refused before.
        if run.code == 0 {
            let values: Value = serde_yaml::from_str(&run.stdout).unwrap();
            prop_assert_eq!(&values["kubeconfig"]["context"], &Value::from(name));
            sandbox.write("c0.yaml", filled(&run.stdout));
            prop_assert_eq!(sandbox.run(["render", "-f", "c0.yaml", "-o", "out"]).code, 0);
        }
    }
}
