//! Where kubeconfigs are found: a named file, a list, the home folder, standard input.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::check::{
    SERVED, SERVER, authority, each, good_kubeconfig, kubeconfig_with_authority, refused, server,
    two_contexts,
};
use crate::support::{
    Run, Sandbox, ca_line, fixture, fixture_bytes, fixture_text, kubeconfig, kubeconfig_of, run,
    values,
};

/// Renders with `KUBECONFIG` in place of the flag.
fn render_list(sandbox: &Sandbox, list: &str) -> Run {
    run(bare_render(sandbox).env("KUBECONFIG", list), "")
}

/// Renders with another kubeconfig behind the flag, and a text on standard input.
fn render_named(sandbox: &Sandbox, kubeconfig: &str, input: &str) -> Run {
    let mut command = bare_render(sandbox);
    run(command.args(["--kubeconfig", kubeconfig]), input)
}

/// A render that names no kubeconfig.
fn bare_render(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command();
    command.args(["render", "-f", "c0.yaml", "--side", "both"]);
    command
}

#[test]
fn a_missing_entry_of_the_list_is_passed_over_with_a_note() {
    let sandbox = Sandbox::with_cluster();
    each(
        [
            ("before", "nowhere:kubeconfig"),
            ("after", "kubeconfig:nowhere"),
            ("with empty entries", "::nowhere::kubeconfig:"),
        ],
        |list| {
            let run = render_list(&sandbox, list);
            assert_eq!(server(run.succeeds()), SERVED);
            let lines: Vec<&str> = run.stderr.lines().collect();
            let [note] = lines.as_slice() else {
                panic!("{}", run.stderr)
            };
            assert!(note.starts_with("note: "), "{note}");
            assert!(note.contains("`nowhere`") && note.contains("`KUBECONFIG`"));
        },
    );
}

#[test]
fn a_list_that_leads_to_no_file_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(".kube/config", good_kubeconfig());
    let run = render_list(&sandbox, "nowhere:neither/here");
    refused(&run, &["`KUBECONFIG`", "`nowhere`", "`neither/here`"]);
    for list in [":", "::"] {
        let run = render_list(&sandbox, list);
        refused(&run, &["`KUBECONFIG`", "separators", "`--kubeconfig`"]);
    }
}

#[test]
fn an_entry_of_the_list_that_is_there_and_cannot_be_read_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("folder/file", "");
    refused(
        &render_list(&sandbox, "kubeconfig:folder"),
        &["`folder`", "`KUBECONFIG`", "folder, not a file"],
    );
    sandbox.write("broken", "clusters: [");
    refused(&render_list(&sandbox, "kubeconfig:broken"), &["`broken`"]);
}

#[test]
fn without_a_list_the_home_folder_has_the_kubeconfig() {
    let sandbox = Sandbox::with_cluster();
    let missing = run(&mut bare_render(&sandbox), "");
    refused(
        &missing,
        &[".kube/config", "`--kubeconfig`", "`KUBECONFIG`"],
    );

    sandbox.write(".kube/config", good_kubeconfig());
    let unset = run(&mut bare_render(&sandbox), "");
    assert_eq!(server(unset.succeeds_quietly()), SERVED);
    let empty = render_list(&sandbox, "");
    assert_eq!(server(empty.succeeds_quietly()), SERVED);

    let homeless = run(bare_render(&sandbox).env_remove("HOME"), "");
    refused(&homeless, &["`KUBECONFIG`", "`HOME`"]);
}

#[test]
fn several_kubeconfigs_are_merged_as_client_go_does() {
    let sandbox = Sandbox::with_cluster();
    let without_current = |text: &str| text.replace("current-context: ctx\n", "");
    sandbox.write(
        "nothing-current",
        kubeconfig("server: https://first.example.com")
            .replace("current-context: ctx", "current-context: \"\""),
    );
    sandbox.write("blue", two_contexts("current-context: blue"));
    sandbox.write("green", two_contexts("current-context: green"));
    sandbox.write("empty", "");
    sandbox.write(
        "only-server",
        without_current(&kubeconfig_of("server: https://bare.example.com")),
    );
    sandbox.write(
        "only-cluster",
        format!(
            "clusters:\n- name: k\n  cluster:\n    {SERVER}\n    {}\n",
            ca_line()
        ),
    );
    sandbox.write(
        "only-context",
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n",
    );
    each(
        [
            (
                "an empty current context shadows none",
                ("nothing-current:blue", "https://blue.example.com:6443"),
            ),
            (
                "the first current context wins",
                ("green:blue", "https://green.example.com:6443"),
            ),
            (
                "the first entry of a name wins",
                (
                    "nothing-current:kubeconfig",
                    "https://first.example.com:443",
                ),
            ),
            (
                "a context and its cluster stand in two files",
                ("only-context:only-cluster", SERVED),
            ),
            ("an empty file is no mistake", ("empty:kubeconfig", SERVED)),
            (
                "a file named twice is read once",
                ("kubeconfig:kubeconfig", SERVED),
            ),
        ],
        |(list, expected)| {
            let run = render_list(&sandbox, list);
            assert_eq!(server(run.succeeds_quietly()), expected);
        },
    );
    // Whole entries: the first file's cluster doesn't take the second's certificate authority.
    let run = render_list(&sandbox, "only-server:kubeconfig");
    refused(&run, &["`only-server`", "no certificate authority"]);
    // Messages name every file that was searched.
    let run = render_list(&sandbox, "only-server:only-cluster");
    refused(&run, &["`only-server`, `only-cluster`", "current-context"]);
}

#[test]
fn a_relative_authority_stands_beside_the_kubeconfig_that_names_it() {
    let sandbox = Sandbox::with_cluster();
    let relative = kubeconfig_with_authority("certificate-authority: ca.crt");
    sandbox.write("one/kubeconfig", "contexts: []\n");
    sandbox.write("one/ca.crt", fixture_bytes("certificates/edge-ca.crt"));
    sandbox.write("two/kubeconfig", relative);
    sandbox.write("two/ca.crt", fixture_bytes("certificates/ca.crt"));
    sandbox.write("ca.crt", fixture_bytes("certificates/k3d-ca.crt"));
    let expected = fixture_text("certificates/ca.crt");
    let list = render_list(&sandbox, "one/kubeconfig:two/kubeconfig");
    assert_eq!(authority(list.succeeds_quietly()), expected);

    let minikube = fixture("kubeconfigs/minikube.kubeconfig");
    let run = render_list(&sandbox, &minikube);
    assert_eq!(
        authority(run.succeeds_quietly()),
        fixture_text("kubeconfigs/minikube-ca.crt")
    );
}

#[test]
fn a_missing_kubeconfig_is_refused_and_a_list_is_explained() {
    let sandbox = Sandbox::with_cluster();
    let render = |path: &str| render_named(&sandbox, path, "");
    let plain = render("nowhere");
    refused(&plain, &["`nowhere`", "No such file"]);
    assert!(!plain.stderr.contains("KUBECONFIG"), "{}", plain.stderr);
    let list = render("kubeconfig:nowhere");
    refused(
        &list,
        &["`kubeconfig:nowhere`", "environment variable `KUBECONFIG`"],
    );
    refused(&render("."), &["`.`", "it is a folder, not a file"]);

    sandbox.write(
        "c0.yaml",
        values("token: none\nkubeconfig: {path: nowhere}\n"),
    );
    refused(&run(&mut bare_render(&sandbox), ""), &["`nowhere`"]);
}

#[test]
fn a_kubeconfig_comes_through_standard_input() {
    let sandbox = Sandbox::with_cluster();
    let render = |text: &str| render_named(&sandbox, "-", text);
    assert_eq!(
        server(render(&good_kubeconfig()).succeeds_quietly()),
        SERVED
    );

    let absolute = format!("certificate-authority: {}", fixture("certificates/ca.crt"));
    let run = render(&kubeconfig_with_authority(&absolute));
    assert_eq!(
        authority(run.succeeds_quietly()),
        fixture_text("certificates/ca.crt")
    );

    sandbox.write("ca.crt", fixture_bytes("certificates/ca.crt"));
    let run = render(&kubeconfig_with_authority("certificate-authority: ca.crt"));
    refused(
        &run,
        &["`ca.crt`", "relative", "standard input", "absolute path"],
    );
}

#[test]
fn a_kubeconfig_comes_through_a_named_pipe() {
    let sandbox = Sandbox::with_cluster();
    let pipe = sandbox.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let writer = std::thread::spawn(move || fs::write(pipe, good_kubeconfig()).unwrap());
    let run = render_named(&sandbox, "pipe", "");
    assert_eq!(server(run.succeeds_quietly()), SERVED);
    writer.join().unwrap();
}

#[test]
fn a_symbolic_link_is_where_the_kubeconfig_stands() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write(
        "real/config",
        kubeconfig_with_authority("certificate-authority: pki/ca.crt"),
    );
    sandbox.write("real/pki/ca.crt", fixture_bytes("certificates/edge-ca.crt"));
    fs::create_dir(sandbox.path().join("link")).unwrap();
    symlink("../real/config", sandbox.path().join("link/config")).unwrap();
    let render = || render_list(&sandbox, "link/config");
    refused(&render(), &["`link/pki/ca.crt`", "No such file"]);
    sandbox.write("link/pki/ca.crt", fixture_bytes("certificates/ca.crt"));
    assert_eq!(
        authority(render().succeeds_quietly()),
        fixture_text("certificates/ca.crt")
    );
}

#[test]
fn a_tilde_in_a_path_has_no_meaning() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("ca.crt", fixture_bytes("certificates/ca.crt"));
    let text = kubeconfig_with_authority("certificate-authority: ~/ca.crt");
    refused(&sandbox.render_kubeconfig(&text), &["`~/ca.crt`"]);
    sandbox.write("there/kubeconfig", &text);
    let run = render_list(&sandbox, "there/kubeconfig");
    refused(&run, &["`there/~/ca.crt`"]);
}
