//! Templates of one's own that fail while they hold a secret.

use super::tokens::jwt;
use super::watch::Watch;
use crate::support::{Run, Sandbox};

/// What goes wrong, with the secret as `SECRET`. Each stands in the place of a built-in template.
const FAILING: &[&str] = &[
    // Errors of the engine.
    "a: {{ SECRET + 1 }}",
    "a: {{ 1 / SECRET }}",
    "a: {{ -SECRET }}",
    "a: {{ SECRET.a }}",
    "a: {{ SECRET.a.b }}",
    "a: {{ SECRET['a'] }}",
    "a: {{ SECRET() }}",
    "a: {{ SECRET.upper() }}",
    "a: {{ (SECRET ~ '') + 1 }}",
    "a: {{ (SECRET ~ '') / 2 }}",
    "a: {{ -(SECRET ~ '') }}",
    "a: {{ (SECRET ~ '')() }}",
    "a: {{ (SECRET ~ '').nosuch() }}",
    "a: {{ (SECRET ~ '').nosuch.nosuch }}",
    "a: {{ (SECRET ~ '') | int }}",
    "a: {{ (SECRET ~ '') | float }}",
    "a: {{ (SECRET ~ '') | round }}",
    "a: {{ (SECRET ~ '') | items }}",
    "a: {{ (SECRET ~ '') | dictsort }}",
    "a: {{ (SECRET ~ '') | sum }}",
    "a: {{ (SECRET ~ '') | map(SECRET ~ '') | list }}",
    "a: {{ [1] | map(SECRET ~ '') | list }}",
    "a: {{ [1] | select(SECRET ~ '') | list }}",
    "a: {{ [1] | join(SECRET) + SECRET }}",
    "a: {{ [SECRET] | sum }}",
    "a: {{ [SECRET ~ '', 1] | sum }}",
    "a: {{ {'a': SECRET} | items | first | int }}",
    "a: {{ {}[SECRET ~ ''].a }}",
    "a: {{ range(SECRET) }}",
    "a: {{ range(SECRET ~ '') }}",
    "a: {{ dict(SECRET ~ '') }}",
    "a: {{ namespace(SECRET ~ '') }}",
    "a: {{ SECRET | b64encode(1) }}",
    "a: {{ SECRET | b64encode | b64encode | nosuch }}",
    "a: {{ [SECRET] | b64encode }}",
    "a: {{ SECRET | nosuch }}",
    "a: {{ SECRET is nosuch }}",
    "a: {{ nosuch(SECRET) }}",
    "a: {{ SECRET | safe }}",
    "a: {{ SECRET | pprint }}",
    "a: {{ debug() }}",
    "{{ debug(SECRET) }}",
    "{% include SECRET ~ '' %}",
    "{% include SECRET %}",
    "{% extends SECRET ~ '' %}",
    "{% import SECRET ~ '' as a %}",
    "{% for a in SECRET %}a: {{ a }}{% endfor %}\n{{ nosuch }}",
    "{% for a, b in [SECRET ~ ''] %}{{ a }}{% endfor %}",
    "{% set a, b = SECRET ~ '' %}a: {{ a }}",
    "{% macro m(x) %}{{ x + 1 }}{% endmacro %}a: {{ m(SECRET ~ '') }}",
    "{% macro m(x) %}{{ x }}{% endmacro %}a: {{ m(SECRET) }}",
    "{% set c %}{{ SECRET }}{% endset %}a: {{ c }}",
    "a: {{ SECRET ~ nosuch }}",
    "a: {{ SECRET }}\nb: {{ nosuch }}",
    "a: {{ SECRET }}\nb: {{ 1.5 }}",
    "a: {{ SECRET }}\nb: {{ none }}",
    "a: {{ SECRET ~ '\u{fdd0}' }}",
    "a: {{ SECRET",
    "a: {{ SECRET }}{% endif %}",
    // Documents that aren't what they have to be.
    "a: \"{{ SECRET }}\"",
    "a: '{{ SECRET }}'",
    "a: x{{ SECRET }}",
    "a: {{ SECRET }}{{ SECRET }}",
    "a: |\n  {{ SECRET }}",
    "a: !!int {{ SECRET }}",
    "a: !x {{ SECRET }}",
    "{{ SECRET }}",
    "- {{ SECRET }}",
    "{{ SECRET }}: a\n{{ SECRET }}: b",
    "{{ SECRET }}: [",
    "a: {{ SECRET }}\n b: c",
    "a: {{ SECRET }}\n---\na: {{ SECRET }}",
    "a: &{{ SECRET }} b",
    "a: *{{ SECRET }}",
    "<<: {{ SECRET }}",
    "{{ SECRET }}\n: : :",
    // Objects with the secret in the place of their name.
    "apiVersion: v1\nkind: {{ SECRET }}\nmetadata: {name: a, namespace: default}",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ SECRET }}, namespace: default}",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: {{ SECRET }}}",
    "apiVersion: {{ SECRET }}\nkind: Secret\nmetadata: {name: a}",
    "apiVersion: v1\nkind: {{ SECRET ~ '' }}\nmetadata: {name: {{ SECRET | b64encode }}}",
    "apiVersion: v1\nkind: {{ SECRET | upper | replace('-', '') | replace('.', '') }}\nmetadata: {name: a}",
    "apiVersion: v1\nkind: Secret\nmetadata: {{ SECRET }}",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: [{{ SECRET }}]}",
];

/// The same object as another template, with the secret as its name.
const SAME_NAME: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: {{ SECRET }}, namespace: default}\n";

const TARGETS: [(&str, &str, &str); 2] = [
    (
        "compute",
        "t/compute/50-secret-storage.yaml.j2",
        "storage.keys[1][1]",
    ),
    (
        "control-plane",
        "t/control-plane/20-secret-token.yaml.j2",
        "token.text",
    ),
];

fn watch() -> Watch {
    let watch = Watch::new();
    watch.write("kubeconfig", Sandbox::with_cluster().read("kubeconfig"));
    watch.write("c0.yaml", super::VALUES);
    watch
}

#[track_caller]
fn render(watch: &mut Watch, side: &str, label: &str) -> Run {
    let arguments = ["--templates", "t", "--side", side];
    let mut command = watch.sandbox().render_command(&arguments);
    watch.run(label, command.env("TOKEN", jwt()), "")
}

#[track_caller]
fn fails(watch: &mut Watch, side: &str, template: &str) {
    let run = render(watch, side, template);
    assert_eq!(run.code, 2, "{template}\n{}", run.stdout);
}

#[test]
fn templates_that_fail_give_away_nothing() {
    for (side, file, secret) in TARGETS {
        let mut watch = watch();
        // The secret is there: the same file without a mistake prints it.
        let good = "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME, namespace: default}\ndata:\n  token: {{ SECRET | b64encode }}\n";
        let name = if side == "compute" {
            "aws-credentials"
        } else {
            "cluster-c0-client-token"
        };
        watch.write(file, good.replace("NAME", name).replace("SECRET", secret));
        let run = render(&mut watch, side, "good");
        assert!(super::planted(run.succeeds()) > 0);

        for template in FAILING {
            let template = template.replace("SECRET", secret);
            watch.write(file, &template);
            fails(&mut watch, side, &template);
        }
    }
}

#[test]
fn added_templates_that_fail_give_away_nothing() {
    for (side, _, secret) in TARGETS {
        let mut watch = watch();
        let template = SAME_NAME.replace("SECRET", secret);
        watch.write(&format!("t/{side}/70-one.yaml.j2"), &template);
        watch.write(&format!("t/{side}/71-other.yaml.j2"), &template);
        fails(&mut watch, side, &template);
    }
}

#[test]
fn a_secret_does_not_become_a_files_name() {
    let sandbox = Sandbox::with_cluster();
    let values = super::VALUES.replace("SENTINEL-secret-access-key", "{env: KEY}");
    sandbox.write("c0.yaml", values.replace("{env: TOKEN}", "none"));
    sandbox.write(
        "t/compute/70-one.yaml.j2",
        SAME_NAME.replace("SECRET", "storage.keys[1][1]"),
    );
    let mut command = sandbox.render_command(&["--templates", "t"]);
    command.args(["-o", "out", "--plaintext-secrets"]);
    let run = crate::support::run(command.env("KEY", "sentinel-key"), "");
    run.fails_with(&["70-one.yaml.j2", "`metadata.name` holds a secret"]);
    assert!(!run.stderr.contains("sentinel-key"), "{}", run.stderr);
}
