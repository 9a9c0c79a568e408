//! `--templates`: own templates in place of the built-in ones, and beside them.

mod given_away;
mod mistakes;

use std::fs;

use serde_yaml::Value;

use crate::objects::{documents, identities, object, yaml};
use crate::support::{Run, Sandbox, project, values};

/// A template of a ConfigMap `extra` with one key.
fn extra(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n  namespace: default\n\
         data:\n  a: {value}\n"
    )
}

fn with_template(path: &str, text: impl AsRef<[u8]>) -> Sandbox {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("c0.yaml", VALUES);
    sandbox.write(&format!("own/{path}"), text);
    sandbox
}

const VALUES: &str = "name: c0
storage:
  endpoint: http://minio:9091
  credentials: {accessKeyId: SENTINEL-id, secretAccessKey: SENTINEL-key}
  extraEnv: {FOO: bar}
serviceAccount:
  extraRules: [{apiGroups: [''], resources: [pods], verbs: [get, list]}]
cluster:
  skus: [{cpu: 8, gpuSku: a100}]
labels: {team: ml}
annotations: {note: 'a \"b\"'}
token: none
";

fn render(sandbox: &Sandbox) -> Run {
    sandbox.render(&["--templates", "own"])
}

/// Value of the only key of the ConfigMap `extra`, rendered on the compute side.
#[track_caller]
fn rendered(value: &str) -> Value {
    let run = render(&with_template("compute/90-extra.yaml.j2", extra(value)));
    object(run.succeeds_quietly(), "ConfigMap", "extra")["data"]["a"].clone()
}

/// The messages of a run in which the ConfigMap `extra` has this value.
#[track_caller]
fn refused(value: &str, parts: &[&str]) {
    let run = render(&with_template("compute/90-extra.yaml.j2", extra(value)));
    println!("case: {value:?}");
    run.fails_with(&["failed to render the template `own/compute/90-extra.yaml.j2`"]);
    run.fails_with(parts);
    assert!(!run.stderr.contains("SENTINEL"), "{}", run.stderr);
}

#[test]
fn copies_of_the_built_in_templates_change_nothing() {
    let sandbox = with_template("README.md", "the built-in templates");
    for side in ["compute", "control-plane"] {
        for entry in fs::read_dir(project().join("templates").join(side)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            sandbox.write(
                &format!("own/{side}/{name}"),
                fs::read(entry.path()).unwrap(),
            );
        }
    }
    for scope in ["cluster", "namespace"] {
        let scoped = VALUES.replace(
            "serviceAccount:",
            &format!("serviceAccount:\n  scope: {scope}"),
        );
        sandbox.write("c0.yaml", scoped);
        assert_eq!(render(&sandbox), sandbox.render(&[]), "{scope}");
        render(&sandbox).succeeds_quietly();
    }
    for name in ["external-secrets", "external-config-map"] {
        let path = project().join(format!("fixtures/values/{name}.yaml"));
        let text = fs::read_to_string(path).unwrap();
        let (before, after) = text.split_once("kubeconfig:\n").unwrap();
        let (_path, after) = after.split_once('\n').unwrap();
        sandbox.write("c0.yaml", format!("{before}{after}"));
        assert_eq!(render(&sandbox), sandbox.render(&[]), "{name}");
        render(&sandbox).succeeds();
    }
}

#[test]
fn a_template_replaces_the_built_in_one_of_its_name() {
    let text = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ service_account.name }}\n  \
                namespace: default\nautomountServiceAccountToken: false\n";
    let sandbox = with_template("compute/10-serviceaccount.yaml.j2", text);
    let own = render(&sandbox);
    let built_in = sandbox.render(&[]);
    assert_eq!(
        identities(own.succeeds_quietly()),
        identities(built_in.succeeds_quietly())
    );
    assert_eq!(
        object(&own.stdout, "ServiceAccount", "ray-manager"),
        yaml(&text.replace("{{ service_account.name }}", "ray-manager"))
    );
    let others = |run: &Run| documents(&run.stdout).split_off(1);
    assert_eq!(others(&own), others(&built_in));
}

#[test]
fn a_template_of_another_name_adds_an_object_at_its_number() {
    let sandbox = with_template("compute/15-extra.yaml.j2", extra("b"));
    let run = render(&sandbox);
    let identities = identities(run.succeeds_quietly());
    assert_eq!(
        identities[..3],
        [
            "ServiceAccount/ray-manager",
            "ConfigMap/extra",
            "ClusterRole/ray-manager"
        ]
    );
    sandbox
        .render(&["--templates", "own", "-o", "out"])
        .succeeds();
    assert!(
        sandbox
            .path()
            .join("out/compute/c0/15-configmap-extra.yaml")
            .is_file()
    );
}

#[test]
fn a_template_of_the_other_sides_name_adds_too() {
    let sandbox = with_template("control-plane/10-serviceaccount.yaml.j2", extra("b"));
    let run = render(&sandbox);
    object(run.succeeds_quietly(), "ServiceAccount", "ray-manager");
    object(&run.stdout, "ConfigMap", "extra");
}

#[test]
fn an_added_template_may_render_nothing() {
    for nothing in [
        String::new(),
        "# nothing\n".to_owned(),
        "---\n".to_owned(),
        format!("{{% if name == \"c1\" %}}\n{}{{% endif %}}\n", extra("b")),
    ] {
        let sandbox = with_template("compute/90-extra.yaml.j2", &nothing);
        assert_eq!(render(&sandbox), sandbox.render(&[]), "{nothing:?}");
    }
}

#[test]
fn an_objects_name_can_not_leave_the_directory() {
    let text = extra("b").replace("name: extra", "name: {{ '../../../x' }}");
    let sandbox = with_template("compute/90-extra.yaml.j2", text);
    let run = sandbox.render(&["--templates", "own", "-o", "out"]);
    run.fails_with(&["90-extra.yaml.j2", "not a name"]);
    let text = extra("b").replace("name: extra", "name: 'system:x'");
    let sandbox = with_template("compute/90-extra.yaml.j2", text);
    sandbox
        .render(&["--templates", "own", "-o", "out"])
        .succeeds();
    let file = "out/compute/c0/90-configmap-system_x.yaml";
    assert!(sandbox.path().join(file).is_file());
}

#[test]
fn notes_and_hidden_files_are_let_be() {
    for name in [
        "README.md",
        ".10-serviceaccount.yaml.j2.swp",
        ".gitignore",
        ".hidden.yaml.j2",
    ] {
        let sandbox = with_template(&format!("compute/{name}"), "not a template {{");
        assert_eq!(render(&sandbox), sandbox.render(&[]), "{name}");
    }
}

#[test]
fn loops_and_conditions_work() {
    assert_eq!(
        rendered(
            "\n    {% for key, value in labels | items %}\n    {% if loop.first or key == 'team' %}\n    {{ key }}: {{ value }}\n    {% endif %}\n    {% endfor %}"
        ),
        yaml("{app.kubernetes.io/instance: c0, team: ml}")
    );
    assert_eq!(
        rendered("{{ 'yes' if cluster is undefined else 'no' }}"),
        yaml("'yes'")
    );
}

#[test]
fn values_keep_their_types() {
    for (value, expected) in [
        ("{{ 5 }}", "5"),
        ("{{ -5 }}", "-5"),
        ("{{ true }}", "true"),
        ("{{ 'true' }}", "'true'"),
        ("{{ '5' }}", "'5'"),
        ("{{ 'no' }}", "'no'"),
        ("{{ 'a: b # c' }}", "'a: b # c'"),
        ("{{ [1, 'x', false] }}", "[1, 'x', false]"),
        ("{{ [] }}", "[]"),
        ("{{ {'b': [1], 'c': {}} }}", "{b: [1], c: {}}"),
        ("{{ service_account.token_secrets }}", "[ray-manager-token]"),
        (
            "{{ service_account.extra_rules }}",
            "[{apiGroups: [''], resources: [pods], verbs: [get, list]}]",
        ),
        ("{{ ('x-' ~ name) | upper }}", "X-C0"),
        ("{{ name | b64encode }}", "YzA="),
        ("{{ annotations }}", "{note: 'a \"b\"'}"),
    ] {
        assert_eq!(rendered(value), yaml(expected), "{value}");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_accepted() {
    let text = extra("{{ name }}");
    for bytes in [
        text.replace('\n', "\r\n").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes(),
    ] {
        let run = render(&with_template("compute/90-extra.yaml.j2", &bytes));
        let found = object(run.succeeds_quietly(), "ConfigMap", "extra");
        assert_eq!(found, yaml(&text.replace("{{ name }}", "c0")), "{bytes:?}");
    }
}

#[test]
fn values_can_not_change_the_structure() {
    let sandbox = with_template("compute/README.md", "");
    let tricky = "x\\n---\\nkind: ClusterRoleBinding\\n{{ token.text }}\\u2028\\\"'";
    sandbox.write(
        "c0.yaml",
        values(&format!(
            "token: none\nannotations: {{note: \"{tricky}\"}}\n"
        )),
    );
    let run = render(&sandbox);
    assert_eq!(identities(run.succeeds_quietly()).len(), 7);
    for object in documents(&run.stdout) {
        assert_eq!(
            object["metadata"]["annotations"]["note"],
            yaml(&format!("\"{tricky}\""))
        );
    }
}
