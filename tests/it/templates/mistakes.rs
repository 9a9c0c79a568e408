//! What is wrong with an own template, and how it is said.

use std::fs;

use super::{extra, refused, render, rendered, with_template};
use crate::objects::yaml;
use crate::support::{Sandbox, run};

#[test]
fn a_replaced_template_has_to_render_the_object_that_is_meant() {
    let meant = "ServiceAccount` `ray-manager` of namespace `default`";
    for (template, part) in [
        ("", "it renders nothing"),
        (
            "kind: Secret\nmetadata: {name: ray-manager, namespace: default}",
            "it renders the `Secret` `ray-manager` of namespace `default`",
        ),
        (
            "kind: ServiceAccount\nmetadata: {name: other, namespace: default}",
            "it renders the `ServiceAccount` `other` of namespace `default`",
        ),
        (
            "kind: ServiceAccount\nmetadata: {name: ray-manager, namespace: kube-system}",
            "`ray-manager` of namespace `kube-system`",
        ),
        (
            "kind: ServiceAccount\nmetadata: {name: ray-manager}",
            "`ray-manager` without a namespace",
        ),
    ] {
        let text = if template.is_empty() {
            String::new()
        } else {
            format!("apiVersion: v1\n{template}\n")
        };
        let run = render(&with_template("compute/10-serviceaccount.yaml.j2", text));
        run.fails_with(&[
            "failed to render the cluster `c0`",
            "`own/compute/10-serviceaccount.yaml.j2`",
            part,
            meant,
        ]);
    }
    let text = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ray-manager, namespace: default}\n";
    render(&with_template("compute/20-clusterrole.yaml.j2", text))
        .fails_with(&["has to render the `ClusterRole` `ray-manager` without a namespace"]);
}

#[test]
fn a_template_renders_one_kubernetes_object() {
    for (text, part) in [
        (
            format!("{}---\n{}", extra("b"), extra("c")),
            "several documents",
        ),
        ("just text\n".to_owned(), "no Kubernetes object"),
        ("- apiVersion: v1\n".to_owned(), "no Kubernetes object"),
        ("5\n".to_owned(), "no Kubernetes object"),
        ("{{ name }}\n".to_owned(), "no Kubernetes object"),
        (
            "kind: ConfigMap\nmetadata: {name: extra}\n".to_owned(),
            "`apiVersion` is missing",
        ),
        (
            "apiVersion: 1\nkind: ConfigMap\nmetadata: {name: extra}\n".to_owned(),
            "`apiVersion` is missing or not a string",
        ),
        (
            "apiVersion: v1\nmetadata: {name: extra}\n".to_owned(),
            "`kind` is missing",
        ),
        (
            "apiVersion: v1\nkind: ../x\nmetadata: {name: extra}\n".to_owned(),
            "`kind` is missing or not a word",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\n".to_owned(),
            "`metadata.name` is missing",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}\n".to_owned(),
            "`metadata.name` is missing or not a name",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 5}\n".to_owned(),
            "`metadata.namespace` is not a string",
        ),
    ] {
        let run = render(&with_template("compute/90-extra.yaml.j2", &text));
        println!("case: {text:?}");
        run.fails_with(&["`own/compute/90-extra.yaml.j2`", part]);
    }
}

#[test]
fn two_templates_can_not_render_the_same_object() {
    let sandbox = with_template("compute/90-extra.yaml.j2", extra("b"));
    sandbox.write("own/compute/91-extra.yaml.j2", extra("c"));
    render(&sandbox).fails_with(&[
        "91-extra.yaml.j2",
        "`ConfigMap` `extra`",
        "90-extra.yaml.j2",
        "renders too",
    ]);
    let config_map = extra("b").replace("name: extra", "name: michelangelo-config");
    render(&with_template("compute/90-extra.yaml.j2", config_map)).fails_with(&[
        "90-extra.yaml.j2",
        "compute/40-configmap.yaml.j2 (built in)",
    ]);
}

#[test]
fn mistakes_in_a_template_name_its_file_and_line() {
    for (value, line, part) in [
        ("{{ nothing_of_this_name }}", 7, "undefined"),
        ("{{ storage.nothing }}", 7, "undefined"),
        ("b\n  c: {{ nothing_of_this_name }}", 8, "undefined"),
        ("{% if nothing_of_this_name %}b{% endif %}", 7, "undefined"),
        ("{{ name", 7, "end"),
        ("{% if name %}b", 7, "end"),
        ("{{ name + }}", 7, "unexpected"),
        ("{{ name | no_such_filter }}", 7, "no_such_filter"),
        ("{{ name is no_such_test }}", 7, "no_such_test"),
        ("{{ no_such_function() }}", 7, ""),
        ("[b", 7, "not valid YAML"),
        ("b\n c: d", 8, "not valid YAML"),
        ("b\n  a: c", 7, "has a key twice"),
        ("a-{{ name }}", 7, "a part of a YAML scalar"),
        ("{{ name }}-a", 7, ""),
        ("\"{{ name }}\"", 7, "without quotes around"),
        ("'{{ name }}'", 7, "a part of a YAML scalar"),
        ("b\n  c: |\n    {{ name }}", 9, "a part of a YAML scalar"),
        ("{{ name }}{{ name }}", 7, ""),
        ("{{ 1.5 }}", 7, "not whole"),
        ("{{ none }}", 7, "nothing can't be printed"),
        ("{{ 5 | b64encode }}", 7, "b64encode takes a string"),
        (
            "{% set x %}b{{ name }}{% endset %}{{ x }}",
            7,
            "captured output",
        ),
    ] {
        refused(value, &[&format!("line {line}"), part]);
    }
}

#[test]
fn a_value_can_not_escape_its_quotes() {
    for filter in ["safe", "escape", "e", "pprint", "tojson"] {
        refused(&format!("{{{{ name | {filter} }}}}"), &[filter, "line 7"]);
    }
    refused("{{ debug() }}", &["debug", "line 7"]);
    for turned in ["false", "'html'"] {
        let value = format!("{{% autoescape {turned} %}}{{{{ 'a: <b>' }}}}{{% endautoescape %}}");
        assert_eq!(rendered(&value), yaml("'a: <b>'"), "{turned}");
    }
}

#[test]
fn a_secret_in_an_error_is_not_shown() {
    // The last pair is the secret half of the S3 key.
    let secret = "(storage.keys | last | last)";
    for value in [
        format!("a-{{{{ {secret} }}}}"),
        format!("'{{{{ {secret} }}}}'"),
        format!("\"{{{{ {secret} }}}}\""),
        format!("{{{{ {secret} }}}}: ["),
        format!("|\n    {{{{ {secret} }}}}"),
        format!("{{{{ {secret} | int }}}}"),
        format!("{{{{ {secret} | float }}}}"),
        format!("{{{{ {secret} + 1 }}}}"),
        format!("{{{{ -({secret} | upper) }}}}"),
        format!("{{{{ 'b'[{secret}] }}}}"),
        format!("{{{{ storage[{secret} | upper] }}}}"),
        format!("{{{{ {secret}.nothing }}}}"),
        format!("{{{{ {secret}() }}}}"),
        format!("{{{{ {{}}[{secret}].x }}}}"),
        format!("{{{{ name | replace({secret}) }}}}"),
        // The engine's own words about these hold the value.
        format!("{{{{ name | indent(2, **{{({secret} ~ ''): 1}}) }}}}"),
        format!("{{{{ [1] | sort(**{{({secret} ~ ''): 1}}) }}}}"),
        format!("{{% for x in {secret} | int %}}{{% endfor %}}"),
        format!("{{{{ range({secret} | upper) }}}}"),
    ] {
        refused(&value, &[]);
    }
}

#[test]
fn misnamed_files_are_refused() {
    for (name, part) in [
        ("foo.yaml", "does not end in `.yaml.j2`"),
        ("10-serviceaccount.yaml", "does not end in `.yaml.j2`"),
        ("10-serviceaccount.yml.j2", "does not end in `.yaml.j2`"),
        ("10-serviceaccount.j2", "does not end in `.yaml.j2`"),
        ("foo.yaml.j2", "two digits"),
        ("1-x.yaml.j2", "two digits"),
        ("100-x.yaml.j2", "two digits"),
        ("10x.yaml.j2", "two digits"),
    ] {
        let run = render(&with_template(&format!("compute/{name}"), extra("b")));
        run.fails_with(&[&format!("`own/compute/{name}`"), part]);
    }
}

#[test]
fn missing_folders_are_an_error_where_both_are_missing() {
    let sandbox = Sandbox::with_cluster();
    render(&sandbox).fails_with(&["`own`", "does not exist"]);
    fs::create_dir(sandbox.path().join("own")).unwrap();
    render(&sandbox).fails_with(&["`own`", "`compute`", "`control-plane`"]);
    for side in ["compute", "control-plane"] {
        let sandbox = Sandbox::with_cluster();
        fs::create_dir_all(sandbox.path().join("own").join(side)).unwrap();
        assert_eq!(render(&sandbox), sandbox.render(&[]), "{side}");
    }
    let sandbox = Sandbox::with_cluster();
    sandbox.write("own/compute", "a file");
    render(&sandbox).fails_with(&["own/compute"]);
}

#[test]
fn neither_side_sees_the_secrets_of_the_other() {
    refused("{{ token.text }}", &["undefined", "line 7"]);
    refused("{{ ca.pem }}", &["undefined", "line 7"]);
    for name in ["storage.keys", "storage", "storage.environment"] {
        let text = extra(&format!("{{{{ {name} }}}}"));
        let run = render(&with_template("control-plane/90-extra.yaml.j2", text));
        run.fails_with(&["own/control-plane/90-extra.yaml.j2", "undefined", "line 7"]);
    }
}

#[test]
fn templates_of_a_side_that_is_not_rendered_are_still_checked() {
    let sandbox = with_template("control-plane/90-extra.yaml.j2", "{{");
    let mut command = sandbox.render_command(&["--side", "compute", "--templates", "own"]);
    run(&mut command, "").fails_with(&["own/control-plane/90-extra.yaml.j2", "line 1"]);
}

#[test]
fn what_the_engine_or_kubectl_would_take_differently_is_refused() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";
    let deep = format!(
        "{}a{}",
        "{% if true %}".repeat(4000),
        "{% endif %}".repeat(4000)
    );
    let cases: &[(String, &str)] = &[
        (
            "{% set t %}{{ name }}{% endset %}a: {{ t | b64encode }}".to_owned(),
            "has not arrived",
        ),
        (
            "{% filter b64encode %}{{ name }}{% endfilter %}".to_owned(),
            "has not arrived",
        ),
        (
            format!("%YAML 1.1\n---\n{object}"),
            "a line begins with `%` or `---`",
        ),
        (
            "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n".to_owned(),
            "a line begins with `%` or `---`",
        ),
        (object.replace("ConfigMap", "List"), "it renders a List"),
        (object.replace("name: x", "name: 'x y'"), "not a name"),
        (object.replace("name: x", "name: '../x'"), "not a name"),
        (
            format!("a: {{{{ {}1 }}}}", "-".repeat(5000)),
            "longer than 4096 bytes",
        ),
        (
            format!("a: {{{{ 1{} }}}}", "+1".repeat(3000)),
            "longer than 4096 bytes",
        ),
        ("#".repeat(70_000), "more than 65536 bytes"),
        (deep, "failed to render the template"),
        (
            "{% set x | replace('=', '') %}{{ name }}{% endset %}a: {{ x | b64encode }}".to_owned(),
            "has not arrived",
        ),
        (
            "a: {% for x in [['b']] recursive %}{% if x is string %}{{ x }}{% else %}{{ loop(x) | b64encode }}{% endif %}{% endfor %}".to_owned(),
            "has not arrived",
        ),
        (
            format!("{{% if false %}}{}{{% endif %}}", "{% elif false %}".repeat(4000)),
            "more than 500 `elif` tags",
        ),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
                .to_owned(),
            "ran out of fuel",
        ),
    ];
    for (template, part) in cases {
        let sandbox = with_template("compute/70-extra.yaml.j2", template);
        let run = sandbox.render(&["--templates", "own"]);
        assert!(run.stderr.len() < 2000, "{}", run.stderr);
        run.fails_with(&["70-extra.yaml.j2", part]);
    }
}

#[test]
fn the_same_object_on_both_sides_is_refused_in_one_stream() {
    let sandbox = Sandbox::with_cluster();
    let secret = "serviceAccount: {tokenSecrets: [cluster-c0-ca-data]}\ntoken: none\n";
    sandbox.write("c0.yaml", crate::support::values(secret));
    sandbox
        .render(&[])
        .fails_with(&["both sides for one cluster", "`cluster-c0-ca-data`"]);
}

#[test]
fn long_expressions_end_with_a_result_or_an_error() {
    for expression in [
        format!("{}1", "-".repeat(4000)),
        format!("1{}", "+1".repeat(2000)),
        format!("name{}", ".a".repeat(2000)),
        format!("name{}", "|string".repeat(580)),
        format!("{}1{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1{}", "[".repeat(2000), "]".repeat(2000)),
        format!("{} true", "not ".repeat(1000)),
    ] {
        let text = format!("# {{{{ {expression} }}}}\n");
        let sandbox = with_template("compute/70-extra.yaml.j2", &text);
        let run = sandbox.render(&["--templates", "own"]);
        assert!([0, 2].contains(&run.code), "{expression}");
    }
}

#[test]
fn separators_around_an_object_are_let_be() {
    let object = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\n";
    let sandbox = with_template("compute/70-extra.yaml.j2", object);
    sandbox.render(&["--templates", "own"]).succeeds_quietly();
}
