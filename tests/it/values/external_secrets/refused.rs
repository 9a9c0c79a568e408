//! What is refused of the two forms, and of the settings of the stores.

use serde_yaml::Value;

use super::{COMPUTE, CONTROL_PLANE, KEY, both_forms, key_in_store, spec, stream, token_by_store};
use crate::support::{Sandbox, run, values};
use crate::values::refused;

#[test]
fn each_form_needs_its_stores_only() {
    stream(&key_in_store(KEY, ""));
    stream(&token_by_store(&format!("{COMPUTE}, {CONTROL_PLANE}")));
    // Settings that nothing uses may come from elsewhere.
    let plain = stream(&values("token: none\n"));
    for settings in [
        "",
        "{}",
        "null",
        "{property: null}",
        "{keyPrefix: a/, refreshInterval: 1h}",
    ] {
        let text = values(&format!("token: none\nexternalSecrets: {settings}\n"));
        assert_eq!(stream(&text), plain);
    }
    let text = values(&format!(
        "token: none\nexternalSecrets: {{{COMPUTE}, {CONTROL_PLANE}}}\n"
    ));
    assert_eq!(stream(&text), plain);
}

#[test]
fn a_missing_store_is_named_with_the_form_that_needs_it() {
    let compute = "`externalSecrets.computeStore` is missing";
    let control_plane = "`externalSecrets.controlPlaneStore` is missing";
    for (settings, parts) in [
        (
            CONTROL_PLANE,
            [compute, "needed by `token: externalSecret`"],
        ),
        ("", [compute, "needed by `token: externalSecret`"]),
        (
            COMPUTE,
            [control_plane, "needed by `token: externalSecret`"],
        ),
        (
            "computeStore: null, property: x",
            [
                compute,
                "`externalSecrets: {computeStore: {name: NAME, kind: ClusterSecretStore}}`",
            ],
        ),
    ] {
        refused(&token_by_store(settings), &parts);
    }
    refused(
        &values("token: externalSecret\n"),
        &[compute, "needed by `token: externalSecret`"],
    );
    refused(
        &key_in_store(KEY, "").replace(COMPUTE, CONTROL_PLANE),
        &[compute, "needed by `storage.credentials.externalSecret`"],
    );
    // Whichever side is rendered.
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", token_by_store(COMPUTE));
    for side in ["compute", "control-plane"] {
        run(&mut sandbox.render_command(&["--side", side]), "").fails_with(&[control_plane]);
    }
}

#[test]
fn settings_are_checked_even_where_nothing_uses_them() {
    let long = "a".repeat(254);
    let long = format!("computeStore: {{name: {long}, kind: SecretStore}}");
    for (settings, parts) in [
        (
            "computeStore: {name: vault}",
            &[
                "line 5",
                "`externalSecrets.computeStore`",
                "the key `kind` is missing",
            ][..],
        ),
        (
            "controlPlaneStore: {kind: SecretStore}",
            &[
                "line 5",
                "`externalSecrets.controlPlaneStore`",
                "the key `name` is missing",
            ],
        ),
        (
            "computeStore: vault",
            &[
                "line 5",
                "`externalSecrets.computeStore`",
                "expected a mapping, found a string",
            ],
        ),
        (
            "computeStore: {name: vault, kind: Secretstore}",
            &[
                "line 5",
                "`externalSecrets.computeStore.kind`",
                "unknown value `Secretstore` (did you mean `SecretStore`?); known: `SecretStore`, `ClusterSecretStore`",
            ],
        ),
        (
            "computeStore: {name: Vault, kind: SecretStore}",
            &[
                "`externalSecrets.computeStore`",
                "`name`",
                "`Vault` is not a name that Kubernetes takes",
            ],
        ),
        (
            "controlPlaneStore: {name: '', kind: SecretStore}",
            &["`externalSecrets.controlPlaneStore`", "`` is not a name"],
        ),
        (&long, &["`externalSecrets.computeStore`", "at most 253"]),
        (
            "computeStore: {name: a, kind: SecretStore, namespace: b}",
            &["line 5", "unknown key `namespace`", "known: `name`, `kind`"],
        ),
        (
            "store: {name: a, kind: SecretStore}",
            &[
                "line 5",
                "`externalSecrets.store`",
                "known: `computeStore`, `controlPlaneStore`, `keyPrefix`, `property`, `refreshInterval`",
            ],
        ),
        (
            "keyPrefix: Michelangelo/",
            &["`externalSecrets.keyPrefix`", "`a-z`, `0-9`, `/` and `-`"],
        ),
        ("keyPrefix: a_b", &["`externalSecrets.keyPrefix`", "`a-z`"]),
        (
            "keyPrefix: 'a b'",
            &["`externalSecrets.keyPrefix`", "`a-z`"],
        ),
        ("keyPrefix: a.b", &["`externalSecrets.keyPrefix`", "`a-z`"]),
        (
            "keyPrefix: zürich",
            &["`externalSecrets.keyPrefix`", "`a-z`"],
        ),
        (
            "property: ''",
            &["`externalSecrets.property`", "empty", "`property: null`"],
        ),
        (
            "property: a.b",
            &["`externalSecrets.property`", "letters, digits, `_` and `-`"],
        ),
        (
            "property: 'a b'",
            &["`externalSecrets.property`", "letters"],
        ),
        (
            "property: 5",
            &[
                "line 5",
                "`externalSecrets.property`",
                "found a number; put it in quotes",
            ],
        ),
        (
            "property: [SENTINEL]",
            &["line 5", "`externalSecrets.property`", "found a list"],
        ),
        (
            "refreshInterval: 60",
            &[
                "line 5",
                "`externalSecrets.refreshInterval`",
                "found a number",
            ],
        ),
        (
            "refreshInterval: 1d",
            &[
                "`externalSecrets.refreshInterval`",
                "`1d` is not a duration",
                "`1h30m`",
                "`24h`",
                "`0s`",
            ],
        ),
        (
            "refreshInterval: ''",
            &["`externalSecrets.refreshInterval`", "is not a duration"],
        ),
        (
            "refreshInterval: 1.5h",
            &["`externalSecrets.refreshInterval`", "is not a duration"],
        ),
        (
            "refreshInterval: -1h",
            &["`externalSecrets.refreshInterval`", "is not a duration"],
        ),
        (
            "refreshInterval: 500ms",
            &["`externalSecrets.refreshInterval`", "is not a duration"],
        ),
        (
            "refreshInterval: 2562048h",
            &[
                "`externalSecrets.refreshInterval`",
                "longer than Kubernetes can express",
            ],
        ),
    ] {
        refused(
            &values(&format!("token: none\nexternalSecrets: {{{settings}}}\n")),
            parts,
        );
    }
    for settings in ["SENTINEL", "[SENTINEL]", "externalSecret"] {
        refused(
            &values(&format!("token: none\nexternalSecrets: {settings}\n")),
            &["line 5", "`externalSecrets`", "expected a mapping"],
        );
    }
}

#[test]
fn the_place_of_the_storages_key_is_checked() {
    let place = "storage.credentials.externalSecret";
    let remote = |key: &str, id: &str, secret: &str| {
        format!("{{key: {key}, accessKeyIdProperty: {id}, secretAccessKeyProperty: {secret}}}")
    };
    for (key, id, secret, parts) in [
        ("''", "id", "secret", [".key`", "it is empty"]),
        (
            "id",
            "''",
            "secret",
            [".accessKeyIdProperty`", "it is empty"],
        ),
        (
            "id",
            "id",
            "''",
            [".secretAccessKeyProperty`", "it is empty"],
        ),
        ("'SENTINEL a'", "id", "secret", [".key`", "white space"]),
        ("\"SENTINEL\\n\"", "id", "secret", [".key`", "white space"]),
        ("SENTINELä", "id", "secret", [".key`", "non-ASCII"]),
        (
            "a",
            "'SENTINEL a'",
            "secret",
            [".accessKeyIdProperty`", "white space"],
        ),
        (
            "a",
            "id",
            "'SENTINEL\ta'",
            [".secretAccessKeyProperty`", "white space"],
        ),
        (
            "'<path to the key>'",
            "id",
            "secret",
            [".key`", "placeholder"],
        ),
        (
            "a",
            "CHANGEME",
            "secret",
            [".accessKeyIdProperty`", "placeholder"],
        ),
        (
            "a",
            "id",
            "'${SECRET}'",
            [".secretAccessKeyProperty`", "placeholder"],
        ),
        (
            "a",
            "SENTINEL",
            "SENTINEL",
            ["same property twice", "two halves"],
        ),
        (
            "5",
            "id",
            "secret",
            [".key`", "found a number; put it in quotes"],
        ),
    ] {
        let text = key_in_store(&remote(key, id, secret), "");
        refused(&text, &parts);
        refused(&text, &[&format!("`{place}")]);
    }
    // Someone else chose these, so nearly everything is fine.
    for (key, id, secret) in [
        ("a.b:c@d#1", "data.id", "data['secret']"),
        ("projects/1/secrets/a/versions/latest", "id", "ID"),
    ] {
        let escaped = format!("\"{secret}\"");
        let found = stream(&key_in_store(&remote(key, id, &escaped), ""));
        let data = &spec(&found, "ExternalSecret", "aws-credentials")["data"];
        assert_eq!(data[0]["remoteRef"]["key"], Value::from(key));
        assert_eq!(data[0]["remoteRef"]["property"], Value::from(id));
        assert_eq!(data[1]["remoteRef"]["key"], Value::from(key));
        assert_eq!(data[1]["remoteRef"]["property"], Value::from(secret));
    }
}

#[test]
fn other_forms_of_the_place_are_refused() {
    let credentials = |text: &str| {
        format!(
            "name: c0\ntoken: none\nstorage: {{credentials: {text}}}\nexternalSecrets: {{{COMPUTE}}}\n"
        )
    };
    let place = "`storage.credentials";
    for (text, parts) in [
        (
            "externalSecret",
            &[
                "line 3",
                place,
                "where the store has the key",
                "accessKeyIdProperty: …",
            ][..],
        ),
        (
            "{externalSecret: {}}",
            &["line 3", place, "the key `key` is missing"],
        ),
        (
            "{externalSecret: {key: SENTINEL, accessKeyIdProperty: a}}",
            &[
                "line 3",
                place,
                "the key `secretAccessKeyProperty` is missing",
            ],
        ),
        (
            "{externalSecret: {key: SENTINEL, secretAccessKeyProperty: a}}",
            &["line 3", place, "the key `accessKeyIdProperty` is missing"],
        ),
        (
            "{externalSecret: {key: a, accessKeyIdProperty: a, secretAccessKeyProprety: b}}",
            &[
                "line 3",
                ".secretAccessKeyProprety`",
                "did you mean `secretAccessKeyProperty`?",
            ],
        ),
        (
            "{externalSecret: {SENTINEL}}",
            &[
                "line 3",
                place,
                "unknown key, not shown",
                "known: `key`, `accessKeyIdProperty`",
            ],
        ),
        (
            "{externalSecret: SENTINEL}",
            &["line 3", ".externalSecret`", "found a string"],
        ),
        (
            "{externalSecret: true}",
            &["line 3", ".externalSecret`", "found a boolean"],
        ),
        (
            "{externalSecret: null}",
            &["line 3", place, "expected one of", "externalSecret"],
        ),
        (
            "{configMap: true}",
            &[
                "line 3",
                place,
                "`configMap` stands beside `externalSecret` only",
            ],
        ),
        (
            "{configMap: true, accessKeyId: a, secretAccessKey: SENTINEL}",
            &["line 3", place, "`configMap` stands beside"],
        ),
        (
            "{configMap: false, existingSecret: true}",
            &["line 3", place, "`configMap` stands beside"],
        ),
    ] {
        refused(&credentials(text), parts);
    }
    for (beside, parts) in [
        (
            ", configMap: 'yes'",
            &["line 2", "`storage.credentials.configMap`", "a boolean"][..],
        ),
        (
            ", existingSecret: true",
            &["line 2", place, "expected one of"],
        ),
        (
            ", accessKeyId: a, secretAccessKey: SENTINEL",
            &["line 2", place, "expected one of"],
        ),
    ] {
        refused(&key_in_store(KEY, beside), parts);
    }
}

#[test]
fn the_tokens_form_is_a_word() {
    let word = "`token: externalSecret`";
    for token in [
        "{externalSecret: true}",
        "{externalSecret: }",
        "{externalSecret: {key: SENTINEL}}",
        "{externalSecret: SENTINEL, env: A}",
    ] {
        let text = values(&format!(
            "token: {token}\nexternalSecrets: {{{COMPUTE}, {CONTROL_PLANE}}}\n"
        ));
        refused(
            &text,
            &["line 4", "`token`", word, "under `externalSecrets`"],
        );
    }
    refused(
        &values("token: externalsecret\n"),
        &["line 4", "`token`", "`externalSecret`"],
    );
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", both_forms("", ""));
    sandbox
        .render(&["--token-file", "no-such-file"])
        .fails_with(&["`token`", "`--token-file`", "remove one of them"]);
    sandbox.write("c0.yaml", values(""));
    sandbox.render(&[]).fails_with(&["where the token", word]);
}
