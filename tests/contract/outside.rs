//! The same inputs give the same bytes, whatever the time and place, and without other programs or the network.

use std::fs;
use std::io::pipe;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{
    Folder, PROGRAM, PROJECT, cluster, differing, files, fixture, fixtures, run, values_file,
};

#[test]
fn the_same_inputs_give_the_same_bytes_anywhere() {
    let elsewhere = Folder::new();
    let from = format!("{PROJECT}/fixtures");
    let copied = Command::new("cp").args(["-r", &from]).arg(elsewhere.path("")).status();
    assert!(copied.unwrap().success());
    for name in fixtures() {
        for arguments in
            [&["render", "--side", "both"][..], &["inspect", "-o", "json"], &["diff", "-o", "out"]]
        {
            let here = run(&mut fixture(arguments, &name));
            assert_eq!(here, run(&mut fixture(arguments, &name)), "{name}");
            let mut there = fixture(arguments, &name);
            there.current_dir(elsewhere.path("")).env("TZ", "Asia/Tokyo").env("USER", "other");
            there.env("LANG", "de_DE.UTF-8").env("LC_ALL", "tr_TR.UTF-8").env("HOSTNAME", "other");
            assert_eq!(here, run(&mut there), "{name}");
        }
        let trees = ["one", "other"].map(|out| {
            let out = elsewhere.path(&format!("{name}/{out}"));
            let flags =
                ["render", "--plaintext-secrets", "--kustomization", "-o", out.to_str().unwrap()];
            run(&mut fixture(&flags, &name)).succeeds();
            files(&out)
        });
        assert!(!trees[0].is_empty());
        assert_eq!(differing(&trees[0], &trees[1]), [""; 0], "{name}");
    }
}

/// The module and name of each item that opens a connection or starts a program.
const WAYS: [(&str, &str); 9] = [
    ("process", "Command"),
    ("net", "TcpStream"),
    ("net", "TcpListener"),
    ("net", "UdpSocket"),
    ("net", "ToSocketAddrs"),
    ("net", "UnixStream"),
    ("net", "UnixListener"),
    ("net", "UnixDatagram"),
    ("libc", ""),
];

/// Returns the first of `WAYS` that a source uses, by full path or in a `use`, grouped or renamed.
fn way_of(source: &str) -> Option<&'static str> {
    let text: String = source.lines().filter(|line| !line.trim().starts_with("//")).collect();
    let words = |text: &str| -> Vec<String> {
        let separator = |c: char| !c.is_alphanumeric() && c != '_';
        text.split(separator).map(str::to_owned).collect()
    };
    let uses = |statement: &str, module: &str, name: &str| {
        let words = words(statement);
        let has = |word: &str| words.iter().any(|it| it == word);
        let is_all = statement.contains(&format!("{module}::*"));
        words.first().is_some_and(|it| it == "use")
            && has(module)
            && (has(name)
                || is_all
                || words.windows(2).any(|it| it[1] == "as" && [module, "self"].contains(&&*it[0])))
    };
    let statements: Vec<&str> = text.split(';').flat_map(|it| it.split("use ").last()).collect();
    WAYS.into_iter().find_map(|(module, name)| {
        let is_named = words(&text).windows(3).any(|it| it[0] == module && it[2] == name);
        let is_used = statements.iter().any(|it| uses(&format!("use {it}"), module, name));
        (is_named || is_used).then_some(if name.is_empty() { module } else { name })
    })
}

#[test]
fn the_search_for_ways_out_finds_them() {
    for source in [
        "use std::process::{Command, ExitCode};",
        "use std::{io, process::Command};",
        "use std::process::{\n    ExitCode,\n    Command as C,\n};",
        "use std::process as p;\nfn f() { p::Command::new(\"ls\"); }",
        "use std::process::{self as p};\nfn f() { p::Command::new(\"ls\"); }",
        "use std::process;\nfn f() { process::Command::new(\"ls\"); }",
        "use std::process::*;",
        "fn f() { std::process::Command::new(\"ls\"); }",
        "use std::os::unix::net::UnixStream;",
        "fn f() { std::net::TcpStream::connect(\"a:1\"); }",
        "use std::net::{IpAddr, ToSocketAddrs as _};",
    ] {
        assert!(way_of(source).is_some(), "{source}");
    }
    for source in ["use std::process::ExitCode;", "use std::net::{IpAddr, Ipv6Addr};"] {
        assert_eq!(way_of(source), None, "{source}");
    }
}

#[test]
fn no_code_opens_a_connection_or_starts_a_program() {
    let sources = files(&Path::new(PROJECT).join("src"));
    assert!(sources.len() > 10);
    for (name, source) in sources {
        assert_eq!(way_of(&source), None, "src/{name}");
    }
    let lock = fs::read_to_string(format!("{PROJECT}/Cargo.lock")).unwrap();
    for package in [
        "curl",
        "h2",
        "hickory-resolver",
        "hyper",
        "isahc",
        "mio",
        "native-tls",
        "openssl",
        "quinn",
        "reqwest",
        "rustls",
        "socket2",
        "tokio",
        "ureq",
    ] {
        assert!(!lock.contains(&format!("name = \"{package}\"\n")), "{package} in Cargo.lock");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = Folder::new();
    for arguments in [
        &["render", "--side", "both"][..],
        &["inspect"],
        &["inspect", "-o", "json"],
        &["diff", "-o", "nowhere"],
        &["runbook", "register", "--control-plane-context", "cp"],
        &["schema"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut command = match arguments[0] {
            "schema" | "completions" | "--help" => folder.command(arguments),
            _ => fixture(arguments, "k3d"),
        };
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).output().unwrap();
        let code = if arguments[0] == "diff" { 1 } else { 0 };
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
    folder.write("values.yaml", values_file(&[cluster(0, json!({"labels": {"a": "b c"}}))]));
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = folder.command(&["inspect", "-f", "values.yaml"]).stdout(writer).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
    let mut shell = Command::new("bash");
    let line = "set -o pipefail; \"$0\" render -f fixtures/values/k3d.yaml --side both | head -n 1";
    let output = shell.current_dir(PROJECT).args(["-c", line, PROGRAM]).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_closed_pipe_of_messages_changes_nothing_else() {
    let folder = Folder::new();
    // `PATH` is a finding, so the run prints a message.
    let storage = json!({"collectorSecret": "none", "credentials": "workloadIdentity", "extraEnv": {"PATH": "/bin"}});
    folder.write("values.yaml", values_file(&[cluster(0, json!({"storage": storage}))]));
    for (flags, code) in [(&[][..], 0), (&["--strict"], 2)] {
        let arguments = [&["render", "--side", "both", "-f", "values.yaml"], flags].concat();
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = folder.command(&arguments).stderr(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}");
        assert_eq!(output.stdout.is_empty(), code == 2, "{flags:?}");
    }
}
