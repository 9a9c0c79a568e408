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
        .replace("<ONE OF THESE>", "workloadIdentity")
        .replace("# token: none", "token: none")
        .replace("<HOST AS THE CONTROL PLANE REACHES IT>", "203.0.113.7")
        .replace("<PORT>", "6443")
        .replace("<PEM FILE OR system>", "system")
        .replace("<NAME>", "c0")
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
        sandbox
            .run(render)
            .fails_with(&["`storage.credentials`: it is or holds a placeholder, `<...>`; put one of these there: "]);
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
            "  server: https://<HOST AS THE CONTROL PLANE REACHES IT>:<PORT>\n",
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
        let comments: Vec<&str> = starter
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("# "))
            .collect();
        assert!(comments.join(" ").contains(reason), "{starter}");
        // Long words aside, such as a path.
        assert!(starter.lines().all(|line| line.len() <= 80), "{starter}");
        // It can't be rendered by oversight.
        let with_storage = starter.replace("<ONE OF THESE>", "workloadIdentity");
        sandbox.write("c0.yaml", with_storage);
        sandbox
            .run(["render", "-f", "c0.yaml", "--side", "compute"])
            .fails_with(&["placeholder", "`<...>`"]);
    }
}

#[test]
fn everything_that_is_left_open_is_told_in_one_run() {
    let sandbox = Sandbox::new();
    let open =
        kubeconfig_of("server: https://127.0.0.1:6550").replace("name: ctx", "name: default");
    sandbox.write(
        "kubeconfig",
        open.replace("context: ctx", "context: default"),
    );
    let run = init(&sandbox, &[]);
    let starter = run.succeeds_quietly();
    sandbox.write("c0.yaml", starter);
    let line = |begin: &str| {
        let at = starter.lines().position(|line| line.starts_with(begin));
        at.unwrap_or_else(|| panic!("no {begin}")) + 1
    };
    let told = |key: &str, begin: &str| {
        format!(
            "caused by: line {}: `{key}`: it is or holds a placeholder, `<...>`; put ",
            line(begin)
        )
    };
    let run = sandbox.run(["render", "-f", "c0.yaml", "-o", "out"]);
    run.fails_with(&[
        &told("storage.credentials", "  credentials: <"),
        &told("name", "name: <"),
        &told("kubeconfig.server", "  server: https://<"),
        &told(
            "kubeconfig.certificateAuthority",
            "  certificateAuthority: <",
        ),
    ]);
    assert_eq!(run.stderr.matches("error: ").count(), 4, "{}", run.stderr);
}

#[test]
fn editors_find_the_schema() {
    let sandbox = Sandbox::with_cluster();
    for (arguments, place) in [
        (&[][..], "ma-register.schema.json"),
        (&["--schema", "../s.json"], "../s.json"),
        (
            &["--schema=https://git.example.com/s.json"],
            "https://git.example.com/s.json",
        ),
    ] {
        let run = init(&sandbox, arguments);
        let first = run.succeeds_quietly().lines().next().unwrap().to_owned();
        assert_eq!(first, format!("# yaml-language-server: $schema={place}"));
    }
    for wrong in ["", "a b", "a\nname: b"] {
        init(&sandbox, &["--schema", wrong]).fails_with(&["`--schema`", "white space"]);
    }
    for wrong in [
        "https://me:SENTINEL@git.example.com/s",
        "https://git.example.com/s?token=SENTINEL",
    ] {
        let run = init(&sandbox, &["--schema", wrong]);
        run.fails_with(&["`--schema`", "others read"]);
        assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
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
    init(&sandbox, &["--context", "stagin"])
        .fails_with(&["`stagin` is not in it (did you mean `staging`?)"]);
    init(&sandbox, &["--context", "zzz"]).fails_with(&["`zzz` is not in it; it has"]);
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
    // What can't be read again isn't named either.
    let run = sandbox.run_with_input(["init", "--kubeconfig", "-"], &content);
    assert!(
        run.succeeds_quietly()
            .contains("\n  # path: compute.kubeconfig\n")
    );
    let run = sandbox.run_with_input(["init", "--kubeconfig", "/dev/stdin"], &content);
    assert!(!run.succeeds_quietly().contains("/dev/stdin"));
    init(&sandbox, &[]).fails_with(&["`kubeconfig`", "No such file"]);
}

#[test]
fn a_name_is_given_or_guessed_or_left_open() {
    let sandbox = Sandbox::with_cluster();
    let name = |context: &str, arguments: &[&str]| {
        let content = kubeconfig("server: https://203.0.113.7");
        let content = content.replace(": ctx\n", &format!(": '{context}'\n"));
        sandbox.write("kubeconfig", content);
        let run = init(&sandbox, arguments);
        let values: Value = serde_yaml::from_str(run.succeeds_quietly()).unwrap();
        values["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name("arn:aws:eks:r:1:cluster/Jobs", &[]), "jobs");
    assert_eq!(name("default/api-jobs:6443/kube:admin", &[]), "api-jobs");
    assert_eq!(name("jobs", &["--name", "mine"]), "mine");
    for context in ["kubernetes-admin@kubernetes", "default", "ÄÖ"] {
        assert_eq!(name(context, &[]), "<NAME>", "{context}");
    }
    let starter = init(&sandbox, &[]).stdout;
    sandbox.write(
        "c0.yaml",
        starter.replace("<ONE OF THESE>", "workloadIdentity"),
    );
    sandbox
        .run(["render", "-f", "c0.yaml", "-o", "out"])
        .fails_with(&["`name`\ncaused by: it is or holds a placeholder, `<...>`"]);
    for wrong in ["", "Mine", "a.b", "-", &"a".repeat(64)] {
        init(&sandbox, &["--name", wrong]).fails_with(&["`--name`"]);
    }
}

#[test]
fn what_can_not_be_read_of_the_certificate_authority_is_left_open() {
    for authority in [
        "certificate-authority: nosuchfile.crt",
        "certificate-authority: a.crt\ncertificate-authority-data: YQ==",
    ] {
        let sandbox = Sandbox::new();
        let content = kubeconfig_of(&format!("server: https://203.0.113.7\n{authority}"));
        sandbox.write("kubeconfig", content);
        let run = init(&sandbox, &[]);
        let starter = run.succeeds_quietly();
        assert!(starter.contains("  # failed to read the certificate authority of"));
        assert!(starter.contains("  certificateAuthority: <PEM FILE OR system>\n"));
        sandbox.write(
            "c0.yaml",
            starter.replace("<ONE OF THESE>", "workloadIdentity"),
        );
        sandbox
            .run(["render", "-f", "c0.yaml", "-o", "out"])
            .fails_with(&["`kubeconfig.certificateAuthority`", "placeholder, `<...>`"]);
    }
}

/// The starter with one of its commented options in use, for each of them.
fn options(starter: &str) -> Vec<String> {
    let lines: Vec<&str> = starter.lines().collect();
    let option = |line: &str| {
        let (indentation, text) = line.split_once("# ")?;
        let key = text.split(": ").next()?.trim_end_matches(':');
        let is_key = text.contains(':') && key.bytes().all(|byte| byte.is_ascii_alphabetic());
        (is_key && indentation.trim().is_empty()).then(|| (indentation.to_owned(), key.to_owned()))
    };
    let mut found = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        let Some((indentation, key)) = option(line) else {
            continue;
        };
        let inner = format!("{indentation}#   ");
        let length = lines[position + 1..]
            .iter()
            .take_while(|line| line.starts_with(&inner))
            .count();
        let mut used = String::new();
        for (other, line) in lines.iter().enumerate() {
            let live = format!("{indentation}{key}: ");
            if (position..=position + length).contains(&other) {
                used.push_str(&line.replacen("# ", "", 1));
            } else if !line.starts_with(&live) {
                used.push_str(line);
            }
            used.push('\n');
        }
        found.push(used);
    }
    found
}

#[test]
fn every_option_can_be_taken_as_it_stands() {
    let sandbox = Sandbox::with_cluster();
    let run = init(&sandbox, &[]);
    let schema: serde_json::Value =
        serde_json::from_str(sandbox.run(["schema"]).succeeds_quietly()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let options = options(run.succeeds_quietly());
    assert!(options.len() > 14, "{}", options.len());
    for text in options {
        let text = text.replace("<ONE OF THESE>", "workloadIdentity");
        let values: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&values)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{text}");
    }
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
