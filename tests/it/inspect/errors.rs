//! What is said where something is wrong, and what is never said.

use super::*;

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
    // Where only one has it, the key is named as well.
    assert!(inspect(&files[..1]).stderr.starts_with(
        "error: failed to use `kubeconfig.path` of `clusters/a.yaml`\ncaused by: failed to read the kubeconfig `clusters/shared.kubeconfig`"
    ));
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

/// The same rule for messages and for what is shown of the place.
#[test]
fn a_path_is_shown_unless_it_may_be_the_secret() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("tokens/c0.token", fixture_text("tokens/long-lived.token"));
    sandbox.write("tokens/folder7of7something/x", "");
    sandbox.write("tokens/empty7and7like7a7secret", "");
    let inspect = |line: &str, input: &str, file: &str| {
        let text = format!("name: c0\n{line}");
        sandbox.write("c0.yaml", &text);
        let arguments = ["inspect", "--kubeconfig", "kubeconfig", "--format", "json"];
        let run = sandbox.run_with_input(arguments.iter().chain(&["-f", file]), input);
        assert_eq!(run.code, 2, "{text}");
        run
    };
    let token = |path: &str| {
        format!("storage: {{credentials: workloadIdentity}}\ntoken: {{file: {path}}}\n")
    };
    let key = |path: &str| {
        format!(
            "token: none\nstorage: {{credentials: {{accessKeyId: a, secretAccessKey: {{file: {path}}}}}}}\n"
        )
    };
    // Mostly somebody has misspelt the file.
    for path in [
        "tokn",
        "tokens/c0.tokn",
        "tokens/of-cluster-2024-01-01.token",
        "./tokens/c0",
        "tokens/folder7of7something",
        "tokens/empty7and7like7a7secret",
    ] {
        let run = inspect(&token(path), "", "c0.yaml");
        let list = json(&run);
        let error = list[0]["errors"][0].as_str().unwrap();
        assert!(error.contains(&format!("`{path}`")), "{error}");
        assert_eq!(list[0]["token"]["at"], path, "{error}");
        let run = inspect(&key(path), "", "c0.yaml");
        assert!(run.stderr.contains(&format!("`{path}`")), "{}", run.stderr);
        let credentials = &json(&run)[0]["storage"]["credentials"];
        assert_eq!(credentials["secretAccessKey"]["at"], path);
    }
    for path in [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "/wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIAIOSFODNN7EXAMPLE",
        "tokens/AKIAIOSFODNN7EXAMPLE",
        "abcdef.0123456789abcdef",
    ] {
        for (lines, named) in [
            (token(path), "`token.file`"),
            (key(path), "`storage.credentials.secretAccessKey.file`"),
        ] {
            let run = inspect(&lines, "", "c0.yaml");
            let message = format!(
                "failed to read the file that {named} names, whose path is not shown since it may be the secret itself"
            );
            assert!(run.stderr.contains(&message), "{}", run.stderr);
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(!all.contains(path), "{all}");
            // On standard input it has no folder.
            let run = inspect(&lines, &format!("name: c0\n{lines}"), "-");
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(!all.contains(path), "{all}");
        }
    }
}
