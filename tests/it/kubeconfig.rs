//! What of a kubeconfig counts, and which cluster of it is chosen.

use crate::check::{
    SERVED, SERVER, each, good_kubeconfig, hides_secrets, refused, server, two_contexts, with_user,
};
use crate::support::{Sandbox, ca_data_line, ca_line, kubeconfig, kubeconfig_of, values};

#[test]
fn without_a_current_context_none_is_guessed() {
    let sandbox = Sandbox::with_cluster();
    let one_context = |current: &str| good_kubeconfig().replace("current-context: ctx", current);
    each(
        [
            ("absent", two_contexts("")),
            ("empty", two_contexts("current-context: \"\"")),
            ("null", two_contexts("current-context:")),
        ],
        |text| {
            let parts = [
                "current-context is empty",
                "`kubeconfig.context`",
                "`--context`",
                "the contexts `blue`, `green`",
            ];
            refused(&sandbox.render_kubeconfig(text), &parts);
        },
    );
    each(
        [
            ("absent, one context", one_context("")),
            ("empty, one context", one_context("current-context: ''")),
        ],
        |text| {
            let parts = ["current-context is empty", "the contexts `ctx`"];
            refused(&sandbox.render_kubeconfig(text), &parts);
        },
    );
    for text in ["", "# nothing\n", "{}", "apiVersion: v1\nkind: Config\n"] {
        refused(&sandbox.render_kubeconfig(text), &["it has no contexts"]);
    }
}

#[test]
fn a_named_context_is_chosen_over_the_current_one() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("kubeconfig", two_contexts("current-context: blue"));
    assert_eq!(
        server(sandbox.render(&[]).succeeds_quietly()),
        "https://blue.example.com:6443"
    );
    let green = "https://green.example.com:6443";
    let run = sandbox.render(&["--context", "green"]);
    assert_eq!(server(run.succeeds_quietly()), green);
    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {context: green}\n"),
    );
    assert_eq!(server(sandbox.render(&[]).succeeds_quietly()), green);
}

#[test]
fn an_unknown_context_is_refused_with_the_choices() {
    let sandbox = Sandbox::with_cluster();
    let choices = "the contexts `blue`, `green`";
    let current = sandbox.render_kubeconfig(two_contexts("current-context: red"));
    refused(&current, &["`red`", "current-context", choices]);

    sandbox.write("kubeconfig", two_contexts("current-context: blue"));
    let flag = sandbox.render(&["--context", "red"]);
    refused(&flag, &["`red`", choices]);
    // An empty name is not the current one.
    refused(&sandbox.render(&["--context", ""]), &["``", choices]);

    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {context: red}\n"),
    );
    refused(&sandbox.render(&[]), &["`red`", choices]);
}

#[test]
fn a_context_whose_cluster_is_missing_is_refused_with_the_choices() {
    let sandbox = Sandbox::with_cluster();
    let text = two_contexts("current-context: blue").replace("cluster: k-blue", "cluster: k-red");
    let parts = ["`blue`", "`k-red`", "the clusters `k-blue`, `k-green`"];
    refused(&sandbox.render_kubeconfig(text), &parts);

    let text = two_contexts("current-context: blue").replace("cluster: k-blue, ", "");
    let parts = ["the context `blue` names no cluster"];
    refused(&sandbox.render_kubeconfig(text), &parts);

    let text = good_kubeconfig();
    let without_clusters = text.split("clusters:").next().unwrap();
    let parts = ["`ctx`", "`k`", "it has no clusters"];
    refused(&sandbox.render_kubeconfig(without_clusters), &parts);
}

#[test]
fn only_the_chosen_cluster_is_looked_at() {
    let sandbox = Sandbox::with_cluster();
    let broken = ca_data_line("-----BEGIN PRIVATE KEY-----\nU0VOVElORUw=\n");
    let text = good_kubeconfig()
        + &format!(
            "  - name: other\n    cluster: {{server: 'http://a b', {broken}, proxy-url: []}}\n"
        );
    let run = sandbox.render_kubeconfig(text);
    assert_eq!(server(run.succeeds_quietly()), SERVED);
    hides_secrets(&run);
}

#[test]
fn users_are_never_read_and_nothing_is_executed() {
    let sandbox = Sandbox::with_cluster();
    let user = |user: &str| {
        good_kubeconfig().replace(
            "{token: SENTINEL-user-token, password: SENTINEL-user-password}",
            user,
        )
    };
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, \
                args: [-c, 'touch SENTINEL-ran'], interactiveMode: Always}}";
    each(
        [
            (
                "the context's user is missing",
                good_kubeconfig().replace("user: u", "user: other"),
            ),
            (
                "the context has no user",
                good_kubeconfig().replace(", user: u", ""),
            ),
            (
                "two methods of authentication",
                user("{token: SENTINEL-1, username: x, password: SENTINEL-2}"),
            ),
            (
                "a client certificate's file is missing",
                user("{client-certificate: /nowhere/SENTINEL.crt, client-key: nowhere.key}"),
            ),
            ("a plugin is to be executed", user(exec)),
            (
                "a plugin and a token",
                user(&exec.replacen('{', "{token: SENTINEL-3, ", 1)),
            ),
            ("no user at all", user("null")),
            ("users are no list", {
                let text = good_kubeconfig();
                let (before, after) = text.split_once("users:").unwrap();
                let (_, clusters) = after.split_once("clusters:").unwrap();
                format!("{before}users: 7\nclusters:{clusters}")
            }),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            assert_eq!(server(run.succeeds_quietly()), SERVED);
            assert!(!run.stdout.contains("SENTINEL"));
            assert_eq!(sandbox.files(""), ["c0.yaml", "kubeconfig"]);
        },
    );
}

#[test]
fn odd_entries_that_are_not_ours_are_passed_over() {
    let sandbox = Sandbox::with_cluster();
    let good = good_kubeconfig();
    let context = |entry: &str| good.replace("contexts:\n", &format!("contexts:\n  - {entry}\n"));
    each(
        [
            (
                "an `auth-provider` without a config",
                with_user("  - {name: u, user: {auth-provider: {name: oidc, config: null}}}\n"),
            ),
            (
                "a context without a cluster",
                context("{name: z, context: {user: u}}"),
            ),
            (
                "a context that is null",
                context("{name: z, context: null}"),
            ),
            (
                "a context without a name",
                context("{context: {cluster: k}}"),
            ),
            (
                "a context whose name is null",
                context("{name: null, context: {cluster: k}}"),
            ),
            ("two contexts whose names are null", {
                context("{name: null, context: {}}\n  - {name: ~, context: {}}")
            }),
            ("an entry that is null", context("null")),
            (
                "a cluster that is null",
                format!("{good}  - name: z\n    cluster:\n"),
            ),
            (
                "a cluster whose name is null",
                format!("{good}  - name:\n    cluster: {{}}\n"),
            ),
            (
                "an unknown field at the top",
                format!("{good}later: {{since: v2}}\n"),
            ),
            (
                "an unknown field of the cluster",
                kubeconfig(&format!(
                    "{SERVER}\nlater: [1, null]\ndisable-compression: 1"
                )),
            ),
            (
                "a null list of users",
                with_user("").replace("users:", "users: null"),
            ),
            ("preferences and extensions that are null", {
                format!("{good}preferences: null\nextensions: null\n")
            }),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            assert_eq!(server(run.succeeds_quietly()), SERVED);
        },
    );
}

#[test]
fn names_that_stand_twice_in_a_list_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let context = "  - name: ctx\n    context: {cluster: k, user: u}\n";
    let contexts = good_kubeconfig().replace(context, &context.repeat(2));
    refused(
        &sandbox.render_kubeconfig(contexts),
        &["`contexts`", "`ctx`", "twice"],
    );
    let clusters = format!("{}  - name: k\n    cluster: {{}}\n", good_kubeconfig());
    refused(
        &sandbox.render_kubeconfig(clusters),
        &["`clusters`", "`k`", "twice"],
    );
    let user = "  - name: u\n";
    let users = good_kubeconfig().replace(user, &format!("{user}    user: {{}}\n{user}"));
    refused(
        &sandbox.render_kubeconfig(users),
        &["`users`", "`u`", "twice"],
    );
}

#[test]
fn a_key_in_the_wrong_case_is_refused_with_the_right_one() {
    let sandbox = Sandbox::with_cluster();
    let cluster = |lines: &str| kubeconfig_of(&format!("{lines}\n{}", ca_line()));
    each(
        [
            (
                "Server",
                (cluster("Server: https://h.example"), "`Server`", "`server`"),
            ),
            (
                "SERVER",
                (cluster("SERVER: https://h.example"), "`SERVER`", "`server`"),
            ),
            (
                "the authority",
                (
                    good_kubeconfig()
                        .replace("certificate-authority-data", "Certificate-Authority-Data"),
                    "`Certificate-Authority-Data`",
                    "`certificate-authority-data`",
                ),
            ),
            (
                "the list of clusters",
                (
                    good_kubeconfig().replace("clusters:", "Clusters:"),
                    "`Clusters`",
                    "`clusters`",
                ),
            ),
        ],
        |(text, found, expected)| {
            refused(
                &sandbox.render_kubeconfig(text),
                &[found, expected, "the case matters"],
            );
        },
    );
}

#[test]
fn names_that_look_like_numbers_are_names() {
    let sandbox = Sandbox::with_cluster();
    let named = |name: &str| {
        good_kubeconfig()
            .replace("current-context: ctx", &format!("current-context: {name}"))
            .replace("name: ctx", &format!("name: {name}"))
            .replace("cluster: k,", &format!("cluster: {name},"))
            .replace("name: k\n", &format!("name: {name}\n"))
    };
    each(
        [
            ("1", named("1")),
            ("a long number", named("111122223333")),
            ("a fraction", named("1.5")),
            ("a boolean", named("true")),
            (
                "quoted in one place",
                named("1").replace("current-context: 1", "current-context: '1'"),
            ),
            (
                "an unquoted cluster",
                named("1").replace("cluster: 1,", "cluster: \"1\","),
            ),
        ],
        |text| {
            let run = sandbox.render_kubeconfig(text);
            assert_eq!(server(run.succeeds_quietly()), SERVED);
        },
    );
    sandbox.write("kubeconfig", named("1").replace("current-context: 1", ""));
    let run = sandbox.render(&["--context", "1"]);
    assert_eq!(server(run.succeeds_quietly()), SERVED);
}
