//! Running the program as a user does, in a folder of its own.

pub mod texts;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The run did what was asked; its standard output.
    #[track_caller]
    pub fn succeeds(&self) -> &str {
        assert_eq!(self.code, 0, "{}", self.stderr);
        &self.stdout
    }

    /// The run did what was asked and had nothing to say.
    #[track_caller]
    pub fn succeeds_quietly(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
        &self.stdout
    }

    /// The run ended with an error and wrote no data; its messages.
    #[track_caller]
    pub fn fails(&self) -> &str {
        assert_eq!(self.code, 2, "{}", self.stderr);
        assert_eq!(self.stdout, "", "standard output of a failed run");
        assert!(
            self.stderr.lines().any(|line| line.starts_with("error")),
            "{}",
            self.stderr
        );
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        &self.stderr
    }

    /// The run ended with an error whose messages hold all of these.
    #[track_caller]
    pub fn fails_with(&self, parts: &[&str]) {
        let messages = self.fails();
        for part in parts {
            assert!(messages.contains(part), "no {part:?} in:\n{messages}");
        }
    }
}

/// A folder of its own, which is also the home directory and the working directory of runs.
pub struct Sandbox(TempDir);

impl Sandbox {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A sandbox in which [`values`] and a good `kubeconfig` stand as `c0.yaml` and `kubeconfig`.
    pub fn with_cluster() -> Self {
        let sandbox = Self::new();
        sandbox.write("c0.yaml", values("token: none\n"));
        sandbox.write("kubeconfig", kubeconfig("server: https://203.0.113.7:6443"));
        sandbox
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// A command with nothing in its environment but this folder as home.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ma-register"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path());
        command
    }

    /// Runs the program here.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(self.command().args(arguments), "")
    }

    /// Runs the program here, with a text on standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Run {
        run(self.command().args(arguments), input)
    }

    /// A command that renders `c0.yaml` with the kubeconfig `kubeconfig`, and further arguments.
    pub fn render_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command
            .args(["render", "-f", "c0.yaml", "--kubeconfig", "kubeconfig"])
            .args(arguments);
        command
    }

    /// Renders both sides of `c0.yaml` with the kubeconfig `kubeconfig`, and further arguments.
    pub fn render(&self, arguments: &[&str]) -> Run {
        let mut command = self.render_command(&["--side", "both"]);
        run(command.args(arguments), "")
    }

    /// Renders `c0.yaml` with the kubeconfig `kubeconfig` into a directory, with further arguments.
    pub fn render_into(&self, directory: &str, arguments: &[&str]) -> Run {
        let mut command = self.render_command(&["-o", directory]);
        run(command.args(arguments), "")
    }

    /// Renders as [`Sandbox::render`], with another kubeconfig.
    pub fn render_kubeconfig(&self, kubeconfig: impl AsRef<[u8]>) -> Run {
        self.write("kubeconfig", kubeconfig);
        self.render(&[])
    }

    /// Every file below a folder, by its path relative to it, in order.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let root = self.path().join(folder);
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    let relative = path.strip_prefix(&root).unwrap();
                    found.push(relative.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that doesn't read its input closes the pipe, which is fine.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Path of a file in `fixtures/`.
pub fn fixture(name: &str) -> String {
    project()
        .join("fixtures")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

/// Bytes of a file in `fixtures/`.
pub fn fixture_bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

/// Text of a file in `fixtures/`.
pub fn fixture_text(name: &str) -> String {
    fs::read_to_string(fixture(name)).unwrap()
}

/// Names of the files in a folder of `fixtures/`, without their ending.
pub fn fixture_names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(fixture(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no fixtures in {folder}");
    names
}

/// The environment that some of the values files in `fixtures/` read.
pub fn fixture_environment() -> [(&'static str, String); 2] {
    [
        ("AKS_ACCESS_KEY_ID", "compute-aks".to_owned()),
        (
            "PRODUCTION_CLUSTER_TOKEN",
            fixture_text("tokens/long-lived.token"),
        ),
    ]
}

/// A command that renders a values file of `fixtures/`, with all that it needs beside it.
pub fn render_fixture(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> Command {
    let mut command = sandbox.command();
    command.envs(fixture_environment());
    command.args(["render", "-f", &fixture(&format!("values/{name}.yaml"))]);
    let is_compute_alone = arguments.contains(&"compute");
    if name == "seed" && !is_compute_alone {
        command.args(["--token-file", &fixture("tokens/long-lived.token")]);
    }
    command.args(arguments);
    command
}

/// A values file that renders, with further lines.
pub fn values(further: &str) -> String {
    format!("name: c0\nstorage:\n  credentials: workloadIdentity\n{further}")
}

/// Standard base64.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The line of a kubeconfig's cluster that gives a good certificate authority.
pub fn ca_line() -> String {
    ca_data_line(fixture_bytes("certificates/ca.crt"))
}

/// The line of a kubeconfig's cluster that gives these bytes as the certificate authority.
pub fn ca_data_line(pem: impl AsRef<[u8]>) -> String {
    format!("certificate-authority-data: {}", base64(pem))
}

/// A kubeconfig with one context `ctx`, whose cluster `k` has a good certificate authority and
/// these lines.
pub fn kubeconfig(cluster: &str) -> String {
    kubeconfig_of(&format!("{cluster}\n{}", ca_line()))
}

/// A kubeconfig with one context `ctx`, whose cluster `k` has these lines.
pub fn kubeconfig_of(cluster: &str) -> String {
    let lines: String = cluster
        .lines()
        .map(|line| format!("      {line}\n"))
        .collect();
    format!(
        "apiVersion: v1
kind: Config
current-context: ctx
contexts:
  - name: ctx
    context: {{cluster: k, user: u}}
users:
  - name: u
    user: {{token: SENTINEL-user-token, password: SENTINEL-user-password}}
clusters:
  - name: k
    cluster:
{lines}"
    )
}
