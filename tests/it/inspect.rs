//! `inspect`: what was read and concluded.

use std::time::{Duration, SystemTime};

use clap::Parser as _;
use insta::assert_snapshot;
use ma_register::cli::Cli;
use ma_register::command::{self, Outside};
use ma_register::output::{Progress, Report};
use serde_json::Value;

use crate::fleet::{cluster, with_clusters};
use crate::support::{
    Run, Sandbox, fixture_environment, fixture_names, fixture_text, kubeconfig, kubeconfig_of,
    project, run, values,
};

/// Runs it in the project's folder, so that paths are the same everywhere.
fn inspect(arguments: &[&str]) -> Run {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command
        .current_dir(project())
        .envs(fixture_environment())
        .arg("inspect")
        .args(arguments);
    run(&mut command, "")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn values_files() -> Vec<String> {
    let names = fixture_names("values");
    names
        .iter()
        .map(|name| format!("fixtures/values/{name}.yaml"))
        .collect()
}

/// What a terminal of this width shows, its colours aside.
fn on_terminal(width: u16, arguments: &[&str]) -> String {
    shown(width, false, arguments)
}

fn shown(width: u16, in_colour: bool, arguments: &[&str]) -> String {
    let root = format!("{}/", project().display());
    let absolute = |argument: &&str| argument.replace("fixtures/", &format!("{root}fixtures/"));
    let arguments: Vec<String> = arguments.iter().map(absolute).collect();
    let words = ["ma-register", "inspect"].map(str::to_owned).into_iter();
    let cli = Cli::try_parse_from(words.chain(arguments)).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut outside = Outside {
        out: &mut out,
        report: Report::new(&mut err, None),
        colours_output: in_colour,
        width: Some(width),
        progress: Progress::new(false),
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
    };
    command::run(cli, &mut outside).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_terminal_gets_the_colours_of_messages() {
    let clusters = [
        "-f",
        "fixtures/values/minikube.yaml",
        "fixtures/refused/k3d-loopback.yaml",
    ];
    let plain = shown(160, false, &clusters);
    let coloured = shown(160, true, &clusters);
    assert!(coloured.starts_with("\x1b[1mNAME "), "{coloured}");
    for mark in [
        "\x1b[1;33mwarning[token-expires]\x1b[0m: ",
        "\x1b[1;31merror[loopback-server]\x1b[0m: ",
    ] {
        assert!(coloured.contains(mark), "{coloured}");
    }
    let codes = ["\x1b[1;33m", "\x1b[1;31m", "\x1b[1m", "\x1b[0m"];
    let without = codes
        .iter()
        .fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(without, plain);
    // What is accepted stands out no more.
    let accepted = ["-f", "fixtures/values/k3d.yaml"];
    assert_eq!(shown(80, true, &accepted), shown(80, false, &accepted));
}

#[test]
fn one_cluster() {
    let token = ["--token-file", "fixtures/tokens/long-lived.token"];
    let seed = [&["-f", "fixtures/values/seed.yaml"], &token[..]].concat();
    assert_snapshot!("inspect_seed", inspect(&seed).succeeds_quietly());
    for name in ["k3d", "minikube", "gke-dns", "external-secrets", "aks"] {
        let run = inspect(&["-f", &format!("fixtures/values/{name}.yaml")]);
        assert_snapshot!(format!("inspect_{name}"), run.succeeds_quietly());
    }
}

#[test]
fn several_clusters() {
    let files = values_files();
    let arguments: Vec<&str> = std::iter::once("-f")
        .chain(files.iter().map(String::as_str))
        .collect();
    let run = inspect(&arguments);
    let table = run.succeeds_quietly();
    assert_snapshot!("inspect_all", table);
    // One line a cluster where no terminal is.
    let rows = table.split("\n\n").next().unwrap();
    assert_eq!(rows.lines().count(), files.len() + 1);
    assert!(!table.contains('\u{1b}') && table.lines().all(|line| line == line.trim_end()));
}

#[test]
fn a_terminal_is_not_overrun() {
    let token = ["--token-file", "fixtures/tokens/long-lived.token"];
    let seed = [&["-f", "fixtures/values/seed.yaml"], &token[..]].concat();
    let several = [
        "-f",
        "fixtures/values/eks.yaml",
        "fixtures/values/k3d.yaml",
        "fixtures/values/minikube.yaml",
        "fixtures/values/gke-dns.yaml",
    ];
    for width in [60, 80, 100, 160] {
        for arguments in [&seed[..], &several] {
            let text = on_terminal(width, arguments);
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(
                widest <= usize::from(width),
                "{widest} columns on {width}:\n{text}"
            );
            assert!(!text.contains(['\u{1b}', '\u{200b}']), "{text}");
        }
        // No port is cut, nor a row for a host's sake.
        let text = on_terminal(width, &several);
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap();
        for name in ["compute-eks ", "compute-gke-dns "] {
            assert!(row(name).contains(":443  "), "{text}");
        }
        let text = on_terminal(width, &several[..2]);
        assert!(text.lines().any(|line| line.ends_with("443")), "{text}");
    }
    let root = project().display().to_string();
    let text = on_terminal(80, &several);
    let (rows, _) = text.split_once("\n\n").unwrap();
    assert!(!rows.contains(&root));
    assert_snapshot!("inspect_at_80_columns", rows);
    let text = on_terminal(160, &several);
    assert_snapshot!("inspect_at_160_columns", text.split_once("\n\n").unwrap().0);
}

#[test]
fn json_is_a_list_with_an_object_for_each_cluster() {
    let run = inspect(&["-f", "fixtures/values/k3d.yaml", "--format", "json"]);
    assert_snapshot!("inspect_json", run.succeeds_quietly());
    let files = values_files();
    let arguments: Vec<&str> = ["--format", "json", "-f"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let run = inspect(&arguments);
    run.succeeds_quietly();
    let list = json(&run);
    let names: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), files.len());
    assert!(names.is_sorted());
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for cluster in list.as_array().unwrap() {
        assert_eq!(keys(cluster), keys(&list[0]));
        assert_eq!(keys(&cluster["token"]), keys(&list[0]["token"]));
        assert_eq!(keys(&cluster["storage"]), keys(&list[0]["storage"]));
    }
}

#[test]
fn the_fingerprint_is_the_one_of_openssl() {
    // openssl x509 -in fixtures/certificates/ca.crt -noout -fingerprint -sha256
    let sandbox = Sandbox::with_cluster();
    let run = sandbox.run([
        "inspect",
        "-f",
        "c0.yaml",
        "--kubeconfig",
        "kubeconfig",
        "--format",
        "json",
    ]);
    run.succeeds_quietly();
    assert_eq!(
        json(&run)[0]["certificateAuthority"]["certificates"][0]["sha256"],
        FINGERPRINT
    );
}

const FINGERPRINT: &str = "65:06:68:93:D6:98:AE:5C:1B:6B:40:CA:B8:47:42:71:36:C1:CB:DC:BC:24:F5:6F:8C:36:1D:48:54:F0:35:75";

#[test]
fn what_was_not_given_is_no_error() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "c0.yaml",
        "name: c0\nstorage: {credentials: workloadIdentity}\n",
    );
    let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    let table = sandbox.run(arguments);
    assert!(
        table
            .succeeds_quietly()
            .contains("\ntoken          not given, which the control-plane side needs\n")
    );
    assert!(
        table
            .stdout
            .contains("\n  endpoint     AWS itself, by https\n")
    );
    sandbox.write("token", fixture_text("tokens/expired.token"));
    let with = sandbox.run(arguments.iter().chain(&["--token-file", "token"]));
    assert!(with.succeeds_quietly().contains("warning[token-expired]: "));
}

#[test]
fn findings_are_no_errors_and_have_their_remedies() {
    let run = inspect(&["-f", "fixtures/refused/k3d-loopback.yaml"]);
    let table = run.succeeds_quietly();
    assert!(
        table.contains("findings       error[loopback-server]: "),
        "{table}"
    );
    assert!(
        table.contains("; set `kubeconfig.server` in the values file"),
        "{table}"
    );
}

#[test]
fn an_error_of_one_cluster_hides_nothing_of_the_others() {
    let sandbox = with_clusters(&["a", "b", "c", "d", "e"]);
    let with_token = cluster("b", "").replace("token: none", "token: {file: nowhere}");
    sandbox.write("clusters/b.yaml", with_token);
    sandbox.write("clusters/c.yaml", "name: c\nnosuchkey: 1\n");
    sandbox.write(
        "clusters/d.kubeconfig",
        kubeconfig("server: http://203.0.113.4"),
    );
    let files = ["a", "b", "c", "d", "e"].map(|name| format!("clusters/{name}.yaml"));
    let arguments = |format: &str| -> Vec<String> {
        let begin = ["inspect", "--format", format, "-f"].map(str::to_owned);
        begin
            .into_iter()
            .chain(files.iter().cloned())
            .chain(["clusters/nowhere.yaml".to_owned()])
            .collect()
    };
    let run = sandbox.run(arguments("json"));
    assert_eq!(run.code, 2);
    let list = json(&run);
    let shown: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(shown, ["a", "b", "c", "d", "e", "-"]);
    assert_eq!(list[0]["errors"].as_array().unwrap().len(), 0);
    // What could be told of them is there.
    assert_eq!(list[1]["server"]["host"], "https://203.0.113.2");
    assert_eq!(list[1]["token"]["from"], "file");
    assert_eq!(list[1]["token"]["kind"], Value::Null);
    let error = list[1]["errors"][0].as_str().unwrap();
    assert!(
        error.starts_with("failed to read `token` of `clusters/b.yaml`: "),
        "{error}"
    );
    let server = &list[3]["server"];
    assert_eq!(
        (&server["host"], &server["port"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(server["given"], "http://203.0.113.4");
    assert_eq!(
        list[3]["certificateAuthority"]["certificates"][0]["sha256"],
        FINGERPRINT
    );
    // Values that can't be read have an entry.
    for (position, file) in [(2, "clusters/c.yaml"), (5, "clusters/nowhere.yaml")] {
        let entry = list[position].as_object().unwrap();
        assert!(entry.keys().eq(list[0].as_object().unwrap().keys()));
        assert_eq!(entry["valuesFile"], file);
        assert_eq!(
            (&entry["token"], &entry["server"]),
            (&Value::Null, &Value::Null)
        );
        let error = entry["errors"][0].as_str().unwrap();
        assert!(
            error.starts_with("failed to read the values file"),
            "{error}"
        );
    }
    let table = sandbox.run(arguments("table"));
    assert_eq!((table.code, &table.stderr), (2, &run.stderr));
    assert_snapshot!(
        "inspect_errors",
        format!("{}\n{}", table.stdout, table.stderr)
    );
}

#[test]
fn a_token_file_is_named_though_it_holds_nothing() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values(""));
    sandbox.write("blank", "\n");
    let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    let run = sandbox.run(arguments.iter().chain(&["--token-file", "blank"]));
    assert_eq!(run.code, 2);
    let line = "\ntoken          -, from the file blank\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    // The path of a values file may be the token itself.
    sandbox.write("c0.yaml", values("token: {file: hunter2}\n"));
    let run = sandbox.run(arguments);
    assert!(run.stdout.contains("\ntoken          -, from the file\n"));
    assert!(!run.stdout.contains("hunter2"));
}

#[test]
fn the_file_of_the_certificate_authority_is_named() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("pki/ca.crt", fixture_text("certificates/ca.crt"));
    let inspect = || {
        let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
        let table = sandbox.run(arguments).succeeds_quietly().to_owned();
        let run = sandbox.run(arguments.iter().chain(&["--format", "json"]));
        let at = &json(&run)[0]["certificateAuthority"]["at"];
        (table, at.as_str().map(str::to_owned))
    };
    let (table, at) = inspect();
    assert!(table.contains("\nCA             1 certificate, from the kubeconfig\n"));
    assert_eq!(at, None);
    let lines = "server: https://203.0.113.7:6443\ncertificate-authority: pki/ca.crt";
    sandbox.write("kubeconfig", kubeconfig_of(lines));
    let (table, at) = inspect();
    assert!(
        table.contains("1 certificate, from the kubeconfig's file pki/ca.crt\n"),
        "{table}"
    );
    assert_eq!(at.as_deref(), Some("pki/ca.crt"));
    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {certificateAuthority: pki/ca.crt}\n"),
    );
    let (table, at) = inspect();
    let by_values =
        "from the file pki/ca.crt, by `kubeconfig.certificateAuthority` of the values file\n";
    assert!(table.contains(by_values), "{table}");
    assert_eq!(at.as_deref(), Some("pki/ca.crt"));
}

#[test]
fn a_refused_server_is_shown_as_it_was_given_but_for_secrets() {
    let sandbox = Sandbox::with_cluster();
    let arguments = ["inspect", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"];
    for (url, shown) in [
        ("https://u:hunter2@h:6443", "https://***@h:6443"),
        ("https://h/k8s/clusters/c-1", "https://h/k8s/clusters/c-1"),
        ("hunter2", "***"),
    ] {
        sandbox.write("kubeconfig", kubeconfig(&format!("server: {url}")));
        let table = sandbox.run(arguments);
        let line = format!("\nserver         refused: {shown}\nCA ");
        assert!(table.stdout.contains(&line), "{}", table.stdout);
        let list = json(&sandbox.run(arguments.iter().chain(&["--format", "json"])));
        assert_eq!(list[0]["server"]["given"], shown);
        assert_eq!(list[0]["server"]["host"], Value::Null);
    }
}

#[test]
fn what_could_not_be_checked_is_not_free_of_findings() {
    const NOT_ALL: &str = "not everything could be checked: see the errors\n";
    let sandbox = with_clusters(&["a", "b"]);
    sandbox.write("clusters/a.kubeconfig", "kind: Pod");
    let arguments = ["inspect", "-f", "clusters/a.yaml"];
    let run = sandbox.run(arguments);
    assert_eq!(run.code, 2);
    let line = format!("\nfindings       {NOT_ALL}");
    assert!(run.stdout.ends_with(&line), "{}", run.stdout);
    // What is known is there as well.
    let storage = "{endpoint: \"http://localhost:9000\", credentials: workloadIdentity}";
    let values =
        format!("name: a\nkubeconfig: {{path: a.kubeconfig}}\ntoken: none\nstorage: {storage}\n");
    sandbox.write("clusters/a.yaml", values);
    let run = sandbox.run(arguments);
    assert!(
        run.stdout
            .contains("\nfindings       error[loopback-storage]: ")
    );
    assert!(run.stdout.ends_with(&format!("\n               {NOT_ALL}")));
    let rows = sandbox.run(arguments.iter().chain(&["clusters/b.yaml"]));
    let cells = |name: &str| {
        let row = rows.stdout.lines().find(|row| row.starts_with(name));
        row.unwrap().to_owned()
    };
    assert!(cells("a ").ends_with("  incomplete: 2 errors"));
    assert!(cells("b ").ends_with("  -"));
}

#[test]
fn an_error_names_the_clusters_that_it_is_about() {
    let sandbox = with_clusters(&["a", "b", "c"]);
    for name in ["a", "c"] {
        let with_shared = cluster(name, "").replace(&format!("path: {name}."), "path: shared.");
        sandbox.write(&format!("clusters/{name}.yaml"), with_shared);
    }
    sandbox.write("clusters/shared.kubeconfig", "kind: Pod");
    let files = ["clusters/a.yaml", "clusters/b.yaml", "clusters/c.yaml"];
    let inspect = |arguments: &[&str]| {
        let run = sandbox.run([&["inspect", "-f"], arguments].concat());
        assert_eq!(run.code, 2);
        run
    };
    let run = inspect(&files);
    assert_eq!(
        run.stderr.lines().next(),
        Some("error: failed to inspect `a` (`clusters/a.yaml`), `c` (`clusters/c.yaml`)")
    );
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    assert!(
        inspect(&files[..1])
            .stderr
            .starts_with("error: failed to read the kubeconfig `clusters/shared.kubeconfig`")
    );
    let list = json(&inspect(&[&files[..], &["--format", "json"]].concat()));
    let error = list[0]["errors"][0].as_str().unwrap();
    assert!(
        error.starts_with("failed to read the kubeconfig"),
        "{error}"
    );
    assert_eq!(list[0]["errors"], list[2]["errors"]);
}

#[test]
fn flags_about_one_cluster_are_refused_for_several() {
    let sandbox = with_clusters(&["a", "b"]);
    sandbox.write("token", fixture_text("tokens/long-lived.token"));
    sandbox
        .run([
            "inspect",
            "-f",
            "clusters/a.yaml",
            "clusters/b.yaml",
            "--token-file",
            "token",
        ])
        .fails_with(&["`--token-file`: it is the token of one cluster"]);
    // Clusters of one run are compared.
    sandbox.write(
        "clusters/b.kubeconfig",
        sandbox.read("clusters/a.kubeconfig"),
    );
    let run = sandbox.run([
        "inspect",
        "-f",
        "clusters/a.yaml",
        "clusters/b.yaml",
        "--format",
        "json",
    ]);
    run.succeeds_quietly();
    let list = json(&run);
    for (position, other) in [
        (0, "`b` (`clusters/b.yaml`)"),
        (1, "`a` (`clusters/a.yaml`)"),
    ] {
        let finding = &list[position]["findings"][0];
        assert_eq!(finding["code"], "duplicate-endpoint");
        let text = finding["text"].as_str().unwrap();
        assert!(
            text.contains(&format!("and so is that of {other}")),
            "{text}"
        );
    }
    let twice = sandbox.run(["inspect", "-f", "clusters/a.yaml", "clusters/a.yaml"]);
    assert_eq!(twice.code, 2);
    assert!(
        twice.stderr.contains("the file is given twice"),
        "{}",
        twice.stderr
    );
}

#[test]
fn a_token_in_any_place_is_masked() {
    // As short as a file's name may be.
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln";
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        token,
        sandbox
            .read("kubeconfig")
            .replace("name: ctx", &format!("name: {token}"))
            .replace("current-context: ctx", ""),
    );
    let values_with = |storage: &str| {
        format!(
            "name: {token}\nkubeconfig: {{path: {token}, context: {token}, server: \"https://h/{token}\"}}\nstorage: {storage}\n"
        )
    };
    for storage in [
        format!(
            "{{fileSystem: \"s3://b/{token}\", endpoint: \"http://minio:9000/{token}\", credentials: workloadIdentity}}"
        ),
        format!(
            "{{credentials: {{accessKeyId: {{file: {token}}}, secretAccessKey: {{env: {token}}}}}}}"
        ),
        format!(
            "{{credentials: {{externalSecret: {{key: {token}, accessKeyIdProperty: a, secretAccessKeyProperty: b}}}}}}"
        ),
    ] {
        sandbox.write("c0.yaml", values_with(&storage));
        for format in ["json", "table"] {
            let run = sandbox.run([
                "inspect",
                "-f",
                "c0.yaml",
                "--token-file",
                token,
                "--format",
                format,
            ]);
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(all.contains("***"), "{all}");
            assert!(!all.contains(token), "{all}");
        }
    }
}

#[test]
fn json_has_escapes_for_what_could_act_on_a_terminal() {
    const ODD: &str = "a\u{202e}b\u{7f}c\u{e0001}d\u{9b}e\u{2028}\n\u{1b}f";
    let sandbox = Sandbox::with_cluster();
    let named = format!("name: {}", serde_json::to_string(ODD).unwrap());
    sandbox.write(
        "kubeconfig",
        (sandbox.read("kubeconfig"))
            .replace("current-context: ctx\n", "")
            .replace(
                "name: ctx",
                &named
                    .replace('\u{7f}', "\\u007f")
                    .replace('\u{9b}', "\\u009b"),
            ),
    );
    let arguments = ["--kubeconfig", "kubeconfig", "--context", ODD];
    let run = sandbox.run(
        ["inspect", "-f", "c0.yaml", "--format", "json"]
            .iter()
            .chain(&arguments),
    );
    let text = run.succeeds_quietly();
    assert!(
        text.contains(r#""a\u202eb\u007fc\udb40\udc01d\u009be\u2028\n\u001bf""#),
        "{text}"
    );
    assert_eq!(json(&run)[0]["context"], ODD);
}
