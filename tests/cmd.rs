//! Transcripts in `tests/cmd/`: commands, their output and exit codes.
//! `TRYCMD=overwrite cargo test --test cmd` fills in the output.
//!
//! A case `NAME.md` runs in the folder `NAME.in`, or in a copy of it if there is a `NAME.out`. trycmd turns `\` into
//! `/` in the output.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Programs with which transcripts create and show files; `bash` is for pipes.
const TOOLS: [&str; 9] = ["bash", "cat", "chmod", "cp", "env", "ln", "mv", "rm", "tree-modes"];

#[test]
fn transcripts() {
    let program = trycmd::cargo::cargo_bin("ma-register");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut folders = vec![program.parent().unwrap().to_owned(), tests];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let find = |tool: &str| -> PathBuf {
        folders.iter().map(|folder| folder.join(tool)).find(|path| path.exists()).unwrap()
    };
    trycmd::TestCases::new()
        .register_bins(TOOLS.map(|tool| (tool, find(tool))))
        .env("PATH", std::env::join_paths(&folders).unwrap().to_str().unwrap())
        .env("HOME", "/nowhere")
        .env("KUBECONFIG", "")
        .env("NO_COLOR", "1")
        .case("tests/cmd/*.md");
}
