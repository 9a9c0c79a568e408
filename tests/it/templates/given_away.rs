//! `templates`: the built-in templates as files.

use std::fs;
use std::os::unix::fs::symlink;

use ma_register::render::VARIABLES;
use ma_register::side::Side;

use crate::support::{Sandbox, fixture_names, project, render_fixture, run};

#[test]
fn each_is_the_built_in_one_with_a_comment_before_it() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(["templates", "own"]);
    assert_eq!(run.succeeds(), "");
    assert_eq!(run.stderr, "`own`: 15 templates written\n");
    let built_in = {
        let mut names: Vec<String> = Vec::new();
        for side in ["compute", "control-plane"] {
            for entry in fs::read_dir(project().join("templates").join(side)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                names.push(format!("{side}/{name}"));
            }
        }
        names.sort();
        names
    };
    assert_eq!(sandbox.files("own"), built_in);
    for name in built_in {
        let text = sandbox.read(&format!("own/{name}"));
        let (head, rest) = text.split_once("#}\n").unwrap();
        let original = fs::read_to_string(project().join("templates").join(&name)).unwrap();
        assert_eq!(rest, original, "{name}");
        assert!(
            head.lines().all(|line| line.chars().count() <= 100),
            "{head}"
        );
        let side = match name.starts_with("compute/") {
            true => Side::Compute,
            false => Side::ControlPlane,
        };
        for variables in VARIABLES {
            let is_of_side = variables.side.is_none_or(|only| only == side);
            let flat = head.split_whitespace().collect::<Vec<_>>().join(" ");
            let point = format!("- {}: {}", variables.names, variables.meaning);
            assert_eq!(flat.contains(&point), is_of_side, "{name}: {point}");
        }
    }
}

#[test]
fn the_first_lines_say_what_there_is() {
    let sandbox = Sandbox::new();
    sandbox.run(["templates", "own"]).succeeds();
    let text = sandbox.read("own/control-plane/10-secret-ca.yaml.j2");
    insta::assert_snapshot!(
        "head_of_a_template",
        text.split_once("apiVersion").unwrap().0
    );
}

#[test]
fn unchanged_ones_render_the_same_directory() {
    let sandbox = Sandbox::new();
    sandbox.run(["templates", "own"]).succeeds();
    for name in fixture_names("values") {
        let flags = ["--plaintext-secrets", "--kustomization", "-o"];
        let render = |root: &str, more: &[&str]| {
            let arguments = [&flags[..], &[root], more].concat();
            run(&mut render_fixture(&sandbox, &name, &arguments), "").succeeds();
        };
        render("plain", &[]);
        render("with", &["--templates", "own"]);
    }
    let files = sandbox.files("plain");
    assert!(files.len() > 80, "{}", files.len());
    assert_eq!(sandbox.files("with"), files);
    for file in files {
        let (one, other) = (format!("plain/{file}"), format!("with/{file}"));
        assert_eq!(sandbox.read(&one), sandbox.read(&other), "{file}");
    }
}

#[test]
fn nothing_is_overwritten_and_then_nothing_is_written() {
    let mine = "own/control-plane/30-cluster.yaml.j2";
    let sandbox = Sandbox::new();
    sandbox.write(mine, "mine");
    sandbox.run(["templates", "own"]).fails_with(&[
        "error: failed to write into `own`\n",
        "caused by: there is already `own/control-plane/30-cluster.yaml.j2`, and nothing is overwritten: remove what is there, or name another folder\n",
    ]);
    assert_eq!(sandbox.files("own"), ["control-plane/30-cluster.yaml.j2"]);
    assert_eq!(sandbox.read(mine), "mine");
    fs::remove_file(sandbox.path().join(mine)).unwrap();
    symlink("/nowhere", sandbox.path().join(mine)).unwrap();
    sandbox.run(["templates", "own"]).fails_with(&[
        "30-cluster.yaml.j2` (a symbolic link to nothing), and nothing is overwritten",
    ]);
    assert_eq!(sandbox.files("own"), ["control-plane/30-cluster.yaml.j2"]);

    // Other files are in nobody's way, and the program's own are after the first time.
    fs::remove_file(sandbox.path().join(mine)).unwrap();
    sandbox.write("own/compute/15-mine.yaml.j2", "mine");
    sandbox.run(["templates", "own"]).succeeds();
    assert_eq!(sandbox.files("own").len(), 16);
    sandbox
        .run(["templates", "own"])
        .fails_with(&["and 5 more, and nothing"]);
}

#[test]
fn what_was_written_is_removed_where_the_rest_cannot_be() {
    let sandbox = Sandbox::new();
    sandbox.write("own/control-plane", "a file");
    sandbox
        .run(["templates", "own"])
        .fails_with(&["failed to write into `own`", "10-secret-ca.yaml.j2`"]);
    assert_eq!(sandbox.files("own"), ["control-plane"]);
    assert!(!sandbox.path().join("own/compute").exists());
    sandbox.run(["templates", "own/control-plane"]).fails();
    sandbox.run(["templates", "new/own"]).succeeds();
    assert_eq!(sandbox.files("new/own").len(), 15);
}

#[test]
fn nothing_is_written_through_a_link_below_the_folder() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path().join("own")).unwrap();
    fs::create_dir(sandbox.path().join("elsewhere")).unwrap();
    let link = sandbox.path().join("own/control-plane");
    symlink("../elsewhere", &link).unwrap();
    sandbox.run(["templates", "own"]).fails_with(&[
        "error: failed to write into `own`\n",
        "caused by: `own/control-plane` is a symbolic link, and nothing is written through one: remove it, or name another folder\n",
    ]);
    assert_eq!(sandbox.files("elsewhere"), [""; 0]);
    assert!(!sandbox.path().join("own/compute").exists());
    // A link to nothing, as a folder in it, as itself, and before it.
    fs::remove_dir(sandbox.path().join("elsewhere")).unwrap();
    for folder in ["own", "own/control-plane", "own/control-plane/more"] {
        sandbox.run(["templates", folder]).fails_with(&[
            "caused by: `own/control-plane` is a symbolic link to nothing: remove it, or make the folder that it names\n",
        ]);
    }
    assert_eq!(sandbox.files("own"), ["control-plane"]);
    // What the user names may be a link.
    fs::create_dir(sandbox.path().join("elsewhere")).unwrap();
    sandbox.run(["templates", "own/control-plane"]).succeeds();
    assert_eq!(sandbox.files("elsewhere").len(), 15);
}
