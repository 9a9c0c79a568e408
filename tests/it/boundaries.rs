//! What the program must not be able to do, read off its sources and its dependencies.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

/// Packages that open connections, or exist for those that do.
const NETWORKING: [&str; 16] = [
    "async-std",
    "curl",
    "h2",
    "hyper",
    "hyper-util",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "ureq",
    "tower-http",
];

/// The networking packages that a lock file names.
fn networking(lock: &str) -> Vec<&str> {
    lock.lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .filter(|name| NETWORKING.contains(name))
        .collect()
}

/// What follows each `prefix` in a source: a name, or each name of a list in braces.
fn names_after<'a>(source: &'a str, prefix: &str) -> Vec<&'a str> {
    source
        .match_indices(prefix)
        .filter_map(|(position, _)| source.get(position + prefix.len()..))
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list
                .split('}')
                .next()
                .unwrap_or_default()
                .split(',')
                .collect(),
            None => vec![rest],
        })
        .map(|text| {
            let text = text.trim_start();
            let end = text
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len());
            text.get(..end).unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Uses of the standard library in a source that would reach beyond files and streams.
fn reaches_out(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (module, allowed) in [
        ("std::net::", &["IpAddr", "Ipv4Addr", "Ipv6Addr"][..]),
        ("std::process::", &["ExitCode"]),
        ("std::os::unix::net::", &[]),
        ("std::", &["net", "process"]),
    ] {
        let names = names_after(source, module);
        let is_whole = module == "std::";
        for name in names {
            // `use std::{net::…}` and `use std::net;` would hide what is used of it.
            let is_hidden =
                is_whole && allowed.contains(&name) && !source.contains(&format!("std::{name}::"));
            if is_hidden || (!is_whole && !allowed.contains(&name)) {
                found.push(format!("{module}{name}"));
            }
        }
    }
    found
}

/// The parts of the crate, each with the parts that it must not know.
const UPWARDS: [(&str, &[&str]); 6] = [
    (
        "input",
        &["command", "cli", "output", "render", "registration"],
    ),
    ("registration", &["command", "cli", "output", "render"]),
    ("render", &["command", "cli", "output"]),
    (
        "runbook",
        &[
            "command",
            "cli",
            "output",
            "render",
            "registration",
            "input",
        ],
    ),
    ("output", &["command", "cli"]),
    ("cli", &["command", "output", "render", "registration"]),
];

/// Packages, each with the parts of the crate that know it.
const CONFINED: [(&str, &[&str]); 9] = [
    ("comfy_table", &["output"]),
    ("clap", &["cli", "command", "main"]),
    ("clap_complete", &["cli", "command"]),
    ("clap_mangen", &["command"]),
    ("schemars", &["input"]),
    ("minijinja", &["render"]),
    ("kube", &["input"]),
    ("similar", &["output"]),
    ("tempfile", &["output"]),
];

/// What a source of a part of the crate must not import.
fn strays(part: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, forbidden) in UPWARDS.iter().filter(|(name, _)| *name == part) {
        for name in names_after(source, "crate::") {
            if forbidden.contains(&name) {
                found.push(format!("crate::{name}"));
            }
        }
    }
    for (package, at_home) in CONFINED {
        let is_used = source
            .match_indices(&format!("{package}::"))
            .any(|(position, _)| {
                let before = source.get(..position).unwrap_or_default();
                !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '-'))
            });
        if is_used && !at_home.contains(&part) {
            found.push(package.to_owned());
        }
    }
    found
}

/// A source without the lines that are comments, which may speak of anything.
fn without_comments(source: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    source.split_inclusive('\n').filter(is_code).collect()
}

/// Every source file with the part of the crate that it belongs to: the first folder or file name
/// below `src/`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = project().join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).unwrap();
                let first = Path::new(relative.components().next().unwrap().as_os_str());
                let part = first.file_stem().unwrap().to_str().unwrap().to_owned();
                let text = without_comments(&fs::read_to_string(&path).unwrap());
                found.push((part, relative.to_owned(), text));
            }
        }
    }
    assert!(found.len() > 10, "sources are found");
    found
}

#[test]
fn no_dependency_can_open_a_connection() {
    let lock = fs::read_to_string(project().join("Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"kube\""), "the lock file is read");
    assert_eq!(networking(&lock), [""; 0]);
}

#[test]
fn networking_packages_are_recognised() {
    let lock = "[[package]]\nname = \"http\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.0.0\"\n\
                dependencies = [\n \"mio\",\n]\n\n[[package]]\nname = \"hyper-util\"\n";
    assert_eq!(networking(lock), ["tokio", "hyper-util"]);
}

#[test]
fn no_source_opens_a_connection_or_runs_a_program() {
    for (_, path, text) in sources() {
        assert_eq!(reaches_out(&text), [""; 0], "{}", path.display());
    }
}

#[test]
fn connections_and_programs_are_recognised() {
    for (source, expected) in [
        ("use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};", &[][..]),
        ("use std::process::ExitCode;", &[]),
        ("host.parse::<std::net::Ipv6Addr>()", &[]),
        ("use std::net::TcpStream;", &["std::net::TcpStream"]),
        (
            "use std::net::{IpAddr,\n    UdpSocket};",
            &["std::net::UdpSocket"],
        ),
        (
            "std::process::Command::new(\"sh\")",
            &["std::process::Command"],
        ),
        ("std::process::exit(1)", &["std::process::exit"]),
        (
            "use std::os::unix::net::UnixStream;",
            &["std::os::unix::net::UnixStream"],
        ),
        ("use std::net;", &["std::net"]),
        ("use std::{fs, process};", &["std::process"]),
        ("use std::{net::TcpStream};", &["std::net"]),
    ] {
        assert_eq!(reaches_out(source), expected, "{source}");
    }
}

#[test]
fn imports_run_one_way() {
    for (part, path, text) in sources() {
        assert_eq!(strays(&part, &text), [""; 0], "{}", path.display());
    }
}

#[test]
fn imports_upwards_are_recognised() {
    for (part, source, expected) in [
        ("input", "use crate::text::shown;", &[][..]),
        ("render", "use crate::registration::Registration;", &[]),
        (
            "input",
            "use crate::registration::Registration;",
            &["crate::registration"],
        ),
        (
            "registration",
            "use crate::output::Report;",
            &["crate::output"],
        ),
        (
            "render",
            "use crate::{cli::Cli, text::shown};",
            &["crate::cli"],
        ),
        ("output", "crate::command::run(cli)", &["crate::command"]),
        ("command", "use crate::{cli, output};", &[]),
        ("cli", "use clap::Parser;", &[]),
        ("input", "use clap::Parser;", &["clap"]),
        ("main", "use minijinja::Value;", &["minijinja"]),
        ("render", "minijinja::Error::new()", &[]),
        ("registration", "kube::config::Cluster", &["kube"]),
        ("registration", "use my_kube::config;", &[]),
    ] {
        assert_eq!(strays(part, source), expected, "{part}: {source}");
    }
}

/// What reads or writes the outside, or asks the clock.
const OUTSIDE: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::io",
    "File::",
    "read_dir(",
    ".exists()",
    ".is_dir()",
    "SystemTime::now",
    "Instant::now",
];

fn touches(source: &str) -> Vec<&'static str> {
    let is_in = |name: &&str| source.contains(*name);
    OUTSIDE.into_iter().filter(is_in).collect()
}

#[test]
fn only_reading_and_writing_touch_the_outside() {
    for (part, path, text) in sources() {
        let is_pure = ["registration", "render", "runbook"].contains(&part.as_str());
        if is_pure && !path.ends_with("tests.rs") {
            let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            assert_eq!(touches(program), [""; 0], "{}", path.display());
        }
    }
}

#[test]
fn touching_the_outside_is_recognised() {
    for (source, expected) in [
        ("use std::fmt;", &[][..]),
        ("fn f(now: SystemTime)", &[]),
        ("use std::fs;", &["std::fs"]),
        ("folder.exists()", &[".exists()"]),
        ("SystemTime::now()", &["SystemTime::now"]),
    ] {
        assert_eq!(touches(source), expected, "{source}");
    }
}
