//! No secret reaches a message, or a manifest that isn't there for it.
//!
//! Every place that can hold a secret holds `SENTINEL` and the place's name, and the program is
//! run in ways that succeed and in ways that fail right beside one.

mod misplaced;
mod places;
mod templates;
mod tokens;
mod watch;

use std::process::Command;

use serde_yaml::Value;

use crate::support::texts::escaped;
use crate::support::{
    Sandbox, base64, ca_line, fixture, fixture_bytes, fixture_environment, fixture_names,
    fixture_text, kubeconfig_of, render_fixture,
};
use misplaced::misplaced;
use places::{EVERYWHERE, damaged, everywhere};
use tokens::jwt;
use watch::{Watch, planted};

const BOTH: [&str; 2] = ["--side", "both"];

/// A values file that leaves the kubeconfig to a flag, with a secret in each place of its own.
const VALUES: &str = "name: c0
storage:
  endpoint: http://minio.example.com:9091
  credentials:
    accessKeyId: SENTINEL-access-key-id
    secretAccessKey: SENTINEL-secret-access-key
  extraEnv:
    DATABASE_PASSWORD: SENTINEL-extra-env
token: {env: TOKEN}
";

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command();
    command
        .env("TOKEN", jwt())
        .args(["render", "-f", "c0.yaml"])
        .args(arguments);
    command
}

/// A command that renders both sides with the kubeconfig `kubeconfig`.
fn both(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.render_command(&BOTH);
    command.env("TOKEN", jwt());
    command
}

#[test]
fn fixture_kubeconfigs_give_away_nothing() {
    let mut watch = Watch::new();
    watch.write("c0.yaml", VALUES);
    for name in fixture_names("kubeconfigs") {
        if name == "minikube-ca" {
            continue;
        }
        let path = fixture(&format!("kubeconfigs/{name}.kubeconfig"));
        let text = fixture_text(&format!("kubeconfigs/{name}.kubeconfig"));
        assert!(planted(&text) > 0, "{name} has no sentinel");
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let contexts = document["contexts"].as_sequence().unwrap();
        let names = contexts
            .iter()
            .map(|context| context["name"].as_str().unwrap());
        for context in names.chain(["no such context"]) {
            let flags = ["--kubeconfig", &path, "--context", context];
            for more in [
                &["--side", "both"][..],
                &["--side", "compute", "--strict"],
                &["--output-dir", "out", "--plaintext-secrets"],
                &["--output-dir", "refused"],
                &[],
            ] {
                let arguments = [&flags, more].concat();
                let mut command = command(watch.sandbox(), &arguments);
                watch.run(&format!("{name} {context} {more:?}"), &mut command, "");
            }
            watch.check_files("out");
        }
        // With no context chosen, and with the kubeconfig in the place of other files.
        for arguments in [
            &["--kubeconfig", &path, "--side", "both"][..],
            &["--kubeconfig", "c0.yaml", "--side", "both"],
            &[
                "--kubeconfig",
                "c0.yaml",
                "--side",
                "both",
                "--token-file",
                &path,
            ],
        ] {
            watch.run(&name, &mut command(watch.sandbox(), arguments), "");
        }
        let mut command = watch.sandbox().command();
        command.args(["render", "--side", "both", "-f", &path]);
        watch.run(&name, &mut command, "");
    }
    watch.has_seen(20, 60);
}

#[test]
fn fixture_values_give_away_nothing() {
    let mut watch = Watch::new();
    for name in fixture_names("values") {
        for arguments in [
            &BOTH[..],
            &["--side", "compute"],
            &["--side", "control-plane", "--strict"],
            &["--output-dir", "out", "--plaintext-secrets"],
            &["--output-dir", "refused"],
            &["--kubeconfig", "/dev/null", "--side", "both"],
        ] {
            let mut command = render_fixture(watch.sandbox(), &name, arguments);
            watch.run(&format!("{name} {arguments:?}"), &mut command, "");
        }
    }
    watch.check_files("out");
    for name in ["aks", "openshift"] {
        let secret = fixture_text(&format!("secrets/{name}-secret-access-key"));
        assert_eq!(planted(&secret), 1, "{name}");
        let file = format!("out/compute/compute-{name}/40-configmap-michelangelo-config.yaml");
        assert_eq!(planted(&watch.sandbox().read(&file)), 1, "{file}");
    }
    watch.has_seen(40, 15);
}

#[test]
fn every_place_of_a_kubeconfig_is_kept() {
    let mut watch = Watch::new();
    watch.write("c0.yaml", VALUES);
    let good = everywhere();
    for place in EVERYWHERE {
        assert!(
            planted(&good) >= EVERYWHERE.len() && watch::holds(&good, place),
            "{place}"
        );
    }
    let render = |watch: &mut Watch, label: &str, text: &str, more: &[&str]| {
        watch.write("kubeconfig", text);
        watch.run(label, both(watch.sandbox()).args(more), "")
    };
    assert_eq!(render(&mut watch, "good", &good, &[]).code, 0);
    render(&mut watch, "strict", &good, &["--strict"]).fails_with(&["proxy-ignored"]);
    for (label, text) in damaged(&good) {
        render(&mut watch, &label, &text, &[]);
    }
    let mut in_utf16 = vec![0xff, 0xfe];
    in_utf16.extend(good.encode_utf16().flat_map(u16::to_le_bytes));
    for (label, bytes) in [
        ("cut off", good.as_bytes()[..good.len() - 7].to_vec()),
        ("not UTF-8", [good.as_bytes(), b"\xff"].concat()),
        ("UTF-16", in_utf16[..in_utf16.len() - 1].to_vec()),
        (
            "a list",
            good.replace("\n", "\n  ")
                .replacen("apiVersion", "- apiVersion", 1)
                .into(),
        ),
        (
            "twice",
            [good.as_bytes(), b"\n---\n", good.as_bytes()].concat(),
        ),
        (
            "other kind",
            good.replace("kind: Config", "kind: Secret").into_bytes(),
        ),
    ] {
        watch.write("kubeconfig", &bytes);
        watch.run(label, &mut both(watch.sandbox()), "");
        let stdin = String::from_utf8_lossy(&bytes);
        let arguments = ["--kubeconfig", "-", "--side", "both"];
        watch.run(label, &mut command(watch.sandbox(), &arguments), &stdin);
    }
    watch.has_seen(20, 200);
}

#[test]
fn every_place_of_a_values_file_is_kept() {
    let mut watch = Watch::new();
    let cluster = format!("server: https://203.0.113.7:6443\n{}", ca_line());
    watch.write("kubeconfig", kubeconfig_of(&cluster));
    let run = |watch: &mut Watch, label: &str, text: &str| {
        watch.write("c0.yaml", text);
        watch.run(label, &mut both(watch.sandbox()), "")
    };
    assert_eq!(planted(VALUES), 3);
    assert_eq!(run(&mut watch, "good", VALUES).code, 0);
    for (label, text) in damaged(VALUES) {
        run(&mut watch, &label, &text);
    }
    for text in misplaced() {
        assert!(planted(&text) > 0, "{text}");
        assert_eq!(run(&mut watch, &text, &text).code, 2, "{text}");
    }
    watch.has_seen(10, 120);
}

#[test]
fn certificate_authorities_and_servers_give_away_nothing() {
    let mut watch = Watch::new();
    watch.write("c0.yaml", VALUES);
    let certificate = String::from_utf8(fixture_bytes("certificates/ca.crt")).unwrap();
    let at = |server: &str, rest: &str| format!("server: {}\n{rest}", escaped(server));
    let good = "https://203.0.113.7:6443";
    let mut clusters: Vec<String> = Vec::new();
    for url in places::servers() {
        clusters.push(at(&url, &ca_line()));
    }
    for url in places::proxies() {
        clusters.push(at(
            good,
            &format!("proxy-url: {}\n{}", escaped(url), ca_line()),
        ));
    }
    for (number, pem) in places::keys(&certificate).iter().enumerate() {
        assert!(planted(pem) > 0, "{pem}");
        watch.write(&format!("ca-{number}"), pem);
        let data = base64(pem);
        let text = escaped(pem);
        for line in [
            format!("certificate-authority: ca-{number}"),
            format!("certificate-authority-data: {data}"),
            format!("certificate-authority-data: {text}"),
            format!("certificate-authority-data: [{text}]"),
            format!("certificate-authority: [{text}]"),
        ] {
            clusters.push(at(good, &line));
        }
        // A path has to be named; one that is a key is told by its form.
        if pem.contains("-----BEGIN ") || *pem == jwt() {
            clusters.push(at(good, &format!("certificate-authority: {text}")));
            clusters.push(at(good, &format!("certificate-authority: {data}")));
        }
    }
    for cluster in &clusters {
        let is_by_file = cluster.contains("certificate-authority: ca-");
        assert!(planted(cluster) > 0 || is_by_file, "{cluster}");
        watch.write("kubeconfig", kubeconfig_of(cluster));
        watch.run(cluster, &mut both(watch.sandbox()), "");
    }
    watch.has_seen(5, 50);
}

const BOTH_FORMATS: [&str; 2] = ["table", "json"];

/// Shows with the same inputs what was read; findings and errors may be among it, and secrets not.
fn inspect(watch: &mut Watch, formats: &[&str], label: &str, arguments: &[&str]) {
    for format in formats {
        let mut command = watch.sandbox().command();
        command
            .env("TOKEN", jwt())
            .envs(fixture_environment())
            .args(["inspect", "--format", format])
            .args(arguments);
        watch.show(label, &mut command);
    }
}

#[test]
fn what_is_inspected_gives_away_nothing() {
    let mut watch = Watch::new();
    watch.write("c0.yaml", VALUES);
    for name in fixture_names("kubeconfigs") {
        let path = fixture(&format!("kubeconfigs/{name}.kubeconfig"));
        inspect(
            &mut watch,
            &BOTH_FORMATS,
            &name,
            &["-f", "c0.yaml", "--kubeconfig", &path],
        );
        inspect(&mut watch, &BOTH_FORMATS, &name, &["-f", &path]);
    }
    for name in fixture_names("values") {
        inspect(
            &mut watch,
            &BOTH_FORMATS,
            &name,
            &["-f", &fixture(&format!("values/{name}.yaml"))],
        );
    }
    let by_flag = ["-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    let mut kubeconfigs: Vec<(String, String)> = damaged(&everywhere());
    kubeconfigs.push(("good".to_owned(), everywhere()));
    for url in places::servers() {
        let cluster = format!("server: {}\n{}", escaped(&url), ca_line());
        kubeconfigs.push((url, kubeconfig_of(&cluster)));
    }
    for (label, text) in kubeconfigs {
        watch.write("kubeconfig", &text);
        inspect(&mut watch, &["json"], &label, &by_flag);
    }
    // The values file's own server is shown beside the kubeconfig's.
    let with_server = format!("{VALUES}kubeconfig: {{server: https://203.0.113.9}}\n");
    watch.write("with-server.yaml", with_server);
    for url in places::servers() {
        let cluster = format!("server: {}\n{}", escaped(&url), ca_line());
        watch.write("kubeconfig", kubeconfig_of(&cluster));
        let arguments = ["-f", "with-server.yaml", "--kubeconfig", "kubeconfig"];
        inspect(&mut watch, &["json"], &url, &arguments);
    }
    let cluster = format!("server: https://203.0.113.7:6443\n{}", ca_line());
    watch.write("kubeconfig", kubeconfig_of(&cluster));
    let damaged_values = damaged(VALUES).into_iter().map(|(_, text)| text);
    for text in damaged_values.chain(misplaced()) {
        watch.write("c0.yaml", &text);
        inspect(&mut watch, &["json"], &text, &by_flag);
    }
    watch.has_seen(60, 100);
}
