//! `storage.credentials` and `token`: the forms that secrets have.

use std::fs;

use serde_yaml::Value;

use super::{refused, render};
use crate::objects::{object, yaml};
use crate::support::{Run, Sandbox, base64, fixture_text, values};

fn with_credentials(credentials: &str) -> String {
    format!("name: c0\ntoken: none\nstorage: {{credentials: {credentials}}}\n")
}

fn with_keys(access_key_id: &str, secret_access_key: &str) -> String {
    with_credentials(&format!(
        "{{accessKeyId: {access_key_id}, secretAccessKey: {secret_access_key}}}"
    ))
}

/// The run has rendered these keys into the Secret and into the ConfigMap.
#[track_caller]
fn has_keys(run: &Run, access_key_id: &str, secret_access_key: &str) {
    let stream = run.succeeds_quietly();
    let secret = object(stream, "Secret", "aws-credentials");
    assert_eq!(secret["type"], yaml("Opaque"));
    let config = &object(stream, "ConfigMap", "michelangelo-config")["data"];
    for (name, key) in [
        ("AWS_ACCESS_KEY_ID", access_key_id),
        ("AWS_SECRET_ACCESS_KEY", secret_access_key),
    ] {
        assert_eq!(secret["data"][name], Value::from(base64(key)));
        assert_eq!(config[name], Value::from(key));
    }
}

#[test]
fn keys_are_literals_or_read_from_files_and_variables() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("secrets/key", "from/file+=\r\n");
    for (access_key_id, secret_access_key, expected) in [
        ("id", "key", ["id", "key"]),
        // Of these, YAML 1.1 would make a number, a boolean and a date.
        ("'0777'", "'no'", ["0777", "no"]),
        ("'2024-01-01'", "'~'", ["2024-01-01", "~"]),
        (
            "{env: KEY_ID}",
            "{file: secrets/key}",
            ["from-env", "from/file+="],
        ),
        ("id", "{env: KEY_ID}", ["id", "from-env"]),
    ] {
        sandbox.write("c0.yaml", with_keys(access_key_id, secret_access_key));
        let mut command = sandbox.render_command(&["--side", "both"]);
        command.env("KEY_ID", " from-env\n");
        has_keys(
            &crate::support::run(&mut command, ""),
            expected[0],
            expected[1],
        );
    }
}

#[test]
fn without_keys_there_is_no_secret_and_no_configmap_key() {
    for credentials in ["workloadIdentity", "{existingSecret: true}"] {
        let run = render(&with_credentials(credentials));
        let stream = run.succeeds_quietly();
        assert!(!stream.contains("aws-credentials"), "{credentials}");
        assert!(!stream.contains("AWS_"), "{credentials}");
    }
}

#[test]
fn other_forms_of_credentials_are_refused() {
    for (credentials, parts) in [
        (
            "{accessKeyId: SENTINEL}",
            &[
                "line 3",
                "`storage.credentials`",
                "`secretAccessKey` is missing",
            ][..],
        ),
        (
            "{secretAccessKey: SENTINEL}",
            &[
                "line 3",
                "`storage.credentials`",
                "`accessKeyId` is missing",
            ],
        ),
        (
            "{}",
            &[
                "line 3",
                "`storage.credentials`",
                "expected one of",
                "workloadIdentity",
                "existingSecret",
            ],
        ),
        (
            "{existingSecret: false}",
            &["line 3", "`storage.credentials`", "expected one of"],
        ),
        (
            "{existingSecret: 'true'}",
            &[
                "line 3",
                "`storage.credentials.existingSecret`",
                "a boolean",
                "found a string",
            ],
        ),
        (
            "{existingSecret: true, accessKeyId: a, secretAccessKey: SENTINEL}",
            &["line 3", "expected one of"],
        ),
        (
            "SENTINEL",
            &["line 3", "`storage.credentials`", "expected one of"],
        ),
        (
            "workloadidentity",
            &["line 3", "`storage.credentials`", "`workloadIdentity`"],
        ),
        (
            "true",
            &["line 3", "`storage.credentials`", "found a boolean"],
        ),
        (
            "[SENTINEL]",
            &["line 3", "`storage.credentials`", "found a list"],
        ),
        (
            "{accessKeyID: SENTINEL}",
            &[
                "line 3",
                "`storage.credentials.accessKeyID`",
                "did you mean `accessKeyId`",
            ],
        ),
    ] {
        refused(&with_credentials(credentials), parts);
    }
    refused(
        "name: c0\ntoken: none\nstorage: {}\n",
        &["`storage.credentials` is missing", "workloadIdentity"],
    );
    refused(
        "name: c0\ntoken: none\nstorage:\n",
        &["`storage` is missing", "credentials"],
    );
    refused(
        "name: c0\ntoken: none\n",
        &["`storage` is missing", "credentials"],
    );
}

#[test]
fn a_key_that_can_not_be_read_is_named_with_its_place() {
    let key = "`storage.credentials.secretAccessKey`";
    for (value, parts) in [
        (
            "{env: UNSET}",
            &[key, "environment variable `UNSET` is not set"][..],
        ),
        (
            "{env: ''}",
            &[key, "`env` is not the name of an environment variable"],
        ),
        (
            "{env: A=B}",
            &[key, "`env` is not the name of an environment variable"],
        ),
        (
            "{file: no-such-file}",
            &[key, "failed to read `no-such-file`", "No such file"],
        ),
        ("{file: ''}", &[key, "the path of `file` is empty"]),
        ("{file: .}", &[key, "is a folder"]),
        (
            "{env: A, file: SENTINEL}",
            &[
                "line 3",
                key,
                "exactly one of `{env: NAME}` and `{file: PATH}`",
            ],
        ),
        (
            "{}",
            &[
                "line 3",
                key,
                "exactly one of `{env: NAME}` and `{file: PATH}`",
            ],
        ),
        (
            "{environment: SENTINEL}",
            &[
                "line 3",
                "`storage.credentials.secretAccessKey`",
                "unknown key, not shown",
                "known: `env`, `file`",
            ],
        ),
        (
            "{env: [SENTINEL]}",
            &[
                "line 3",
                "`storage.credentials.secretAccessKey.env`",
                "expected a string, found a list",
            ],
        ),
        ("123456", &["line 3", key, "found a number", "quotes"]),
        ("", &["line 3", "`secretAccessKey` is missing"]),
        ("''", &[key, "empty", "workloadIdentity"]),
        ("'SENTINEL key'", &[key, "white space"]),
        ("\"SENTINEL\\n\"", &[key, "white space"]),
        ("'SENTINEL\u{fc}'", &[key, "non-ASCII"]),
        ("'<< SECRET KEY >>'", &[key, "placeholder"]),
        ("CHANGEME", &[key, "placeholder"]),
        ("'${SECRET_KEY}'", &[key, "placeholder"]),
    ] {
        refused(&with_keys("id", value), parts);
    }
}

#[test]
fn a_variable_without_text_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", with_keys("id", "{env: KEY}"));
    for value in ["", "  ", "\n"] {
        let mut command = sandbox.render_command(&["--side", "both"]);
        crate::support::run(command.env("KEY", value), "").fails_with(&[
            "`c0.yaml`",
            "`storage.credentials.secretAccessKey`",
            "`KEY` is empty",
        ]);
    }
}

#[test]
fn a_file_without_text_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", with_keys("id", "{file: key}"));
    for (content, part) in [
        (&b""[..], "`key` holds nothing but white space"),
        (b" \r\n", "`key` holds nothing but white space"),
        (b"SENTINEL\xff", "not UTF-8"),
    ] {
        sandbox.write("key", content);
        let run = sandbox.render(&[]);
        run.fails_with(&["`c0.yaml`", "`storage.credentials.secretAccessKey`", part]);
        assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
    }
}

#[test]
fn a_token_is_read_from_a_file_or_a_variable() {
    let sandbox = Sandbox::with_cluster();
    let token = fixture_text("tokens/long-lived.token");
    sandbox.write("secrets/token", format!("{token}\n"));
    for form in ["{file: secrets/token}", "{env: TOKEN}"] {
        sandbox.write("c0.yaml", values(&format!("token: {form}\n")));
        let mut command = sandbox.render_command(&["--side", "both"]);
        let run = crate::support::run(command.env("TOKEN", format!("{token}\n")), "");
        let secret = object(run.succeeds_quietly(), "Secret", "cluster-c0-client-token");
        assert_eq!(
            secret["data"]["token"],
            Value::from(base64(&token)),
            "{form}"
        );
        assert_eq!(secret["type"], yaml("Opaque"));
    }
}

#[test]
fn other_forms_of_a_token_are_refused() {
    for (token, parts) in [
        (
            "SENTINEL",
            &[
                "line 4",
                "`token`",
                "{file: PATH}",
                "{env: NAME}",
                "none",
                "never stands in a values file",
            ][..],
        ),
        ("None", &["line 4", "`token`", "`none`"]),
        (
            "{}",
            &[
                "line 4",
                "`token`",
                "exactly one of `{env: NAME}` and `{file: PATH}`",
            ],
        ),
        (
            "{env: A, file: B}",
            &["line 4", "`token`", "exactly one of"],
        ),
        (
            "{value: SENTINEL}",
            &[
                "line 4",
                "`token`",
                "unknown key, not shown",
                "known: `env`, `file`",
            ],
        ),
        ("5", &["line 4", "`token`", "found a number"]),
        ("false", &["line 4", "`token`", "found a boolean"]),
        ("[SENTINEL]", &["line 4", "`token`", "found a list"]),
        ("{env: UNSET}", &["`token`", "`UNSET` is not set"]),
        ("{file: no-such-file}", &["`token`", "`no-such-file`"]),
    ] {
        refused(&values(&format!("token: {token}\n")), parts);
    }
}

#[test]
fn a_token_that_is_none_is_refused_and_not_shown() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", values("token: {file: token}\n"));
    for (content, part) in [
        ("", "holds nothing but white space"),
        ("\n\n", "holds nothing but white space"),
        ("SENTINEL two", "white space"),
        ("'SENTINEL'", "quotes"),
        ("{\"token\": \"SENTINEL\"}", "document"),
    ] {
        sandbox.write("token", content);
        let run = sandbox.render(&[]);
        run.fails_with(&["`token` of `c0.yaml`", part]);
        assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
    }
    fs::write(sandbox.path().join("token"), "SENTINEL").unwrap();
    let run = sandbox.render(&[]);
    run.fails_with(&["error[token-not-jwt]: ", "`c0.yaml`"]);
    assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
}
