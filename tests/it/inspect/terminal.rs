//! What a terminal shows.

use std::time::{Duration, SystemTime};

use clap::Parser as _;
use insta::assert_snapshot;
use ma_register::cli::Cli;
use ma_register::command::{self, Outside};
use ma_register::output::{Progress, Report};
use unicode_width::UnicodeWidthStr as _;

use super::*;

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
fn wide_characters_take_two_columns() {
    let sandbox = with_clusters(&["a", "b"]);
    for (name, context) in [
        ("a", "\u{96c6}\u{7fa4}".repeat(40)),
        ("b", "ctx".to_owned()),
    ] {
        let file = format!("clusters/{name}.kubeconfig");
        let text = sandbox.read(&file).replace("ctx", &context);
        sandbox.write(&file, text);
    }
    let files = ["a", "b"].map(|name| {
        let path = sandbox.path().join(format!("clusters/{name}.yaml"));
        path.to_str().unwrap().to_owned()
    });
    let text = on_terminal(140, &["-f", &files[0], &files[1]]);
    let lines: Vec<&str> = text.lines().collect();
    // Each row is one line, and none is shorter than it has to be.
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().all(|line| line.width() <= 140), "{text}");
    assert!(lines[0].width() >= 138, "{text}");
    assert!(lines[1].contains("\u{7fa4}\u{2026}"), "{text}");
    // Whatever stands before it, each column begins at one place.
    let server = |line: &str| line.split_once("203.0.113.").unwrap().0.width();
    assert_eq!(server(lines[1]), server(lines[2]), "{text}");
}
