//! Transcripts: what is typed, all that comes back, and the exit code. A case is text in `tests/cmd/`;
//! `TRYCMD=overwrite cargo test --test cmd` fills in what comes back.
//!
//! A `NAME.in` beside `NAME.md` is the folder that it runs in, with a `NAME.out` a copy of it. In what comes
//! back, trycmd turns `\` into `/`.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Programs that a transcript makes and shows files with; `bash` is for pipes.
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
