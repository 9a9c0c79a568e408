//! Running the program and searching what it says and writes for sentinels.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::support::{Run, Sandbox, run};

/// What every secret holds: a word, or a number where a secret is one.
const MARKS: [&str; 2] = ["SENTINEL", "73901846520"];

/// Lines of a Secret or a ConfigMap that are there to hold a secret.
const RIGHTFUL: [&str; 4] = [
    "  \"AWS_ACCESS_KEY_ID\": \"",
    "  \"AWS_SECRET_ACCESS_KEY\": \"",
    "  \"DATABASE_PASSWORD\": \"",
    "  token: \"",
];

/// The marks, and their base64 wherever they may begin in what is encoded.
static FORMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut forms = Vec::new();
    for mark in MARKS {
        forms.push(mark.to_owned());
        for before in 0..3 {
            let text = format!("{}{mark}", "\0".repeat(before));
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                // Only the characters that the mark alone decides about.
                let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
                forms.push(encoded[first..last].to_owned());
            }
        }
    }
    forms
});

/// How many sentinels a text holds.
pub fn planted(text: &str) -> usize {
    let mut places: Vec<usize> = Vec::new();
    for form in FORMS.iter() {
        places.extend(text.match_indices(form.as_str()).map(|(place, _)| place));
    }
    places.sort_unstable();
    places.dedup();
    places.len()
}

/// Whether a text holds this one, as it is or in base64.
pub fn holds(text: &str, sentinel: &str) -> bool {
    let decoded = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
    let mut decoded = decoded.filter_map(|word| {
        String::from_utf8(STANDARD_NO_PAD.decode(word.trim_end_matches('=')).ok()?).ok()
    });
    text.contains(sentinel) || decoded.any(|text| text.contains(sentinel))
}

#[track_caller]
fn assert_none(text: &str, what: &str, label: &str) {
    assert_eq!(
        planted(text),
        0,
        "{what} gives a secret away:\n{text}\nwith: {label}"
    );
}

/// A stream or a file without the lines that are there to hold a secret.
fn without_rightful(stream: &str) -> String {
    let mut kept = String::new();
    for document in stream.split("---\n") {
        let may_hold =
            document.contains("\nkind: Secret\n") || document.contains("\nkind: ConfigMap\n");
        for line in document.lines() {
            if !(may_hold && RIGHTFUL.iter().any(|rightful| line.starts_with(rightful))) {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

/// A folder to run the program in, and how many runs went how.
pub struct Watch {
    sandbox: Sandbox,
    succeeded: usize,
    failed: usize,
}

impl Watch {
    pub fn new() -> Self {
        Self {
            sandbox: Sandbox::new(),
            succeeded: 0,
            failed: 0,
        }
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.sandbox.write(name, content)
    }

    /// Runs the program, once more with backtraces, and searches what it says.
    #[track_caller]
    pub fn run(&mut self, label: &str, command: &mut Command, input: &str) -> Run {
        let plain = run(command, input);
        self.check(label, &plain);
        let traced = run(command.env("RUST_BACKTRACE", "1"), input);
        self.check(label, &traced);
        plain
    }

    /// Runs a command that shows something even where it fails, and nothing that holds a secret.
    #[track_caller]
    pub fn show(&mut self, label: &str, command: &mut Command) {
        let run = run(command.env("RUST_BACKTRACE", "1"), "");
        assert_none(&run.stderr, "standard error", label);
        assert_none(&run.stdout, "standard output", label);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        match run.code {
            0 => self.succeeded += 1,
            _ => self.failed += 1,
        }
    }

    #[track_caller]
    fn check(&mut self, label: &str, run: &Run) {
        assert_none(&run.stderr, "standard error", label);
        if run.code == 0 {
            assert_none(&without_rightful(&run.stdout), "standard output", label);
            self.succeeded += 1;
        } else {
            run.fails();
            self.failed += 1;
        }
    }

    /// Searches the names and the contents of the files below a folder.
    #[track_caller]
    pub fn check_files(&self, folder: &str) {
        let files = self.sandbox.files(folder);
        assert!(!files.is_empty(), "nothing has been written to {folder}");
        for file in files {
            assert_none(&file, "a file name", folder);
            let text = fs::read_to_string(self.sandbox.path().join(folder).join(&file)).unwrap();
            assert_none(&without_rightful(&text), &file, folder);
        }
    }

    /// The runs were what they were meant to be: these many went well, and these many didn't.
    #[track_caller]
    pub fn has_seen(&self, succeeded: usize, failed: usize) {
        assert!(
            self.succeeded >= succeeded && self.failed >= failed,
            "{} runs succeeded and {} failed",
            self.succeeded,
            self.failed
        );
    }
}

#[test]
fn sentinels_are_found_in_every_form() {
    use crate::support::base64;

    for text in [
        "SENTINEL-x",
        "aSENTINEL-x",
        "abSENTINEL-x",
        "abcSENTINEL",
        "x 73901846520",
    ] {
        assert_eq!(planted(text), 1, "{text}");
        assert_eq!(planted(&base64(text)), 1, "{text}");
        assert_eq!(planted(&URL_SAFE_NO_PAD.encode(text)), 1, "{text}");
        assert!(holds(&format!("a: {}", base64(text)), text), "{text}");
    }
    assert_eq!(planted("SENTINE 7390184652"), 0);
    let secret = "---\nkind: Secret\ndata:\n  token: \"SENTINEL\"\n";
    assert_eq!(
        planted(&without_rightful(&format!("a: b{secret}"))),
        1,
        "no line of its own"
    );
    assert_eq!(
        planted(&without_rightful(
            &secret.replace("---\n", "---\napiVersion: v1\n")
        )),
        0
    );
    assert_eq!(
        planted(&without_rightful(&secret.replace("  token", "token"))),
        1
    );
    assert_eq!(
        planted(&without_rightful(&secret.replace("Secret", "Cluster"))),
        1
    );
}
