//! Runs the program as a user does, with only `HOME` in its environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize as _;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_ma-register");
pub const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
pub const SIDES: [&str; 2] = ["compute", "control-plane"];

/// The result of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command. Checks the exit code, and that an error has a message.
    #[track_caller]
    pub fn of(command: &mut Command, input: &[u8]) -> Self {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // Fails if the program doesn't read its input.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap_or(-1);
        let prints_errors = command.get_args().any(|argument| argument == "inspect");
        assert!((0..=2).contains(&code), "{command:?}: exit code {code}\n{stderr}");
        if code == 2 {
            assert!(stderr.contains("error"), "{command:?} fails without a message");
            assert!(stdout.is_empty() || prints_errors, "{command:?} fails, and prints {stdout}");
        }
        for internal in ["panicked", "RUST_BACKTRACE", "Some(", "Err(", "Diagnostic {"] {
            assert!(!stderr.contains(internal), "{command:?}\n{stderr}");
        }
        Self { code, stdout, stderr }
    }

    /// Asserts exit code 0. Returns standard output.
    #[track_caller]
    pub fn succeeds(&self) -> &str {
        assert_eq!(self.code, 0, "{}", self.stderr);
        &self.stdout
    }
}

#[track_caller]
pub fn run(command: &mut Command) -> Run {
    Run::of(command, b"")
}

/// A temporary folder, the home and working directory of its commands.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.0.path()).env_clear().env("HOME", self.0.path()).args(arguments);
        command
    }
}

/// The texts of files by path.
pub type Files = BTreeMap<String, String>;

/// Reads all files below a folder.
pub fn files(root: &Path) -> Files {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    found
}

/// Returns the paths of files that differ.
pub fn differing(one: &Files, other: &Files) -> Vec<String> {
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = |path: &&String| one.get(*path) != other.get(*path);
    paths.into_iter().filter(differ).cloned().collect()
}

/// Returns the names of the files in a folder of `fixtures/`.
pub fn listed(folder: &str) -> Vec<String> {
    let names = files(&Path::new(PROJECT).join("fixtures").join(folder)).into_keys();
    let names: Vec<String> = names.collect();
    assert!(!names.is_empty(), "no fixtures in {folder}");
    names
}

/// Returns the fixtures that render: each values file, and the fleet.
pub fn fixtures() -> Vec<String> {
    let values = listed("values").into_iter();
    let names = values.map(|name| name.strip_suffix(".yaml").unwrap().to_owned());
    names.chain(["fleet".to_owned()]).collect()
}

/// Returns a command that reads a fixture, with the flags and environment that it needs.
pub fn fixture(command: &[&str], name: &str) -> Command {
    let mut of_fixture = Command::new(PROGRAM);
    of_fixture.current_dir(PROJECT).env_clear().args(command);
    match name {
        "fleet" => of_fixture.args(["-f", "fixtures/fleet/clusters"]),
        _ => of_fixture.args(["-f", &format!("fixtures/values/{name}.yaml")]),
    };
    match name {
        "fleet" => of_fixture.args(["--defaults", "fixtures/fleet/defaults.yaml"]),
        "seed" if command[0] != "runbook" => {
            of_fixture.args(["--token-file", "fixtures/tokens/long-lived.token"])
        }
        _ => &mut of_fixture,
    };
    let token = fs::read_to_string(fixture_path("tokens/long-lived.token")).unwrap();
    of_fixture.env("AKS_ACCESS_KEY_ID", "aks-key").env("PRODUCTION_CLUSTER_TOKEN", token);
    of_fixture
}

pub fn fixture_path(name: &str) -> String {
    format!("{PROJECT}/fixtures/{name}")
}

/// Returns the documents of a stream as JSON.
pub fn objects(stream: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(stream);
    documents.map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Returns `KIND/NAME` of an object.
pub fn identity(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// Returns the values of the cluster `cNUMBER`, which has no secrets. `more` replaces keys.
pub fn cluster(number: usize, more: Value) -> Value {
    let server = format!("https://10.0.{}.{}", number / 256, number % 256);
    let mut values = json!({
        "name": format!("c{number}"),
        "kubeconfig": {"path": fixture_path("kubeconfigs/seed.kubeconfig"), "server": server},
        "storage": {"collectorSecret": "none", "credentials": "workloadIdentity"},
        "token": "none",
    });
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    values
}

/// Returns a values file of several documents. Escapes as YAML does, not JSON: YAML has more line breaks, and no
/// surrogate pairs.
pub fn values_file(documents: &[Value]) -> String {
    let documents: Vec<String> = documents.iter().map(Value::to_string).collect();
    let mut text = String::new();
    for character in documents.join("\n---\n").chars() {
        match u32::from(character) {
            0..0x7f => text.push(character),
            code @ 0x7f..=0xffff => text.push_str(&format!("\\u{code:04x}")),
            code => text.push_str(&format!("\\U{code:08x}")),
        }
    }
    text
}
