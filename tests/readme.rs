//! Runs every block of README.md in order, and compares `console` blocks with the output. `UPDATE=1` rewrites them.
//!
//! A `yaml` or `bash` block is written to the file that its first line names. kubectl, cargo, sops and kubeseal are
//! stand-ins from `readme/bin`, since a test has no cluster, network or key.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::string_slice, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const README: &str = include_str!("../README.md");
/// Stands for a heading after the last block.
const END: &str = "the end";
const PLATFORM: &str = "clone/platform";

/// Returns the language and text range of each block before a heading.
fn blocks(end: &str) -> Vec<(&'static str, Range<usize>)> {
    let mut blocks = Vec::new();
    let (mut open, mut at) = (None, 0);
    for line in README.split_inclusive('\n') {
        if open.is_none() && line.trim_end() == end {
            return blocks;
        }
        let next = at + line.len();
        if let Some(language) = line.strip_prefix("```") {
            match open.take() {
                None => open = Some((language.trim_end(), next)),
                Some((language, start)) => blocks.push((language, start..at)),
            }
        }
        at = next;
    }
    assert_eq!(end, END, "no such heading");
    blocks
}

/// Returns the commands of a `console` block: text after `$ `, continued after `> ` while the line ends with a pipe.
fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
        } else if let Some(last) = commands.last_mut().filter(|last| last.ends_with('|')) {
            *last += &line.replacen("> ", "\n", 1);
        }
    }
    commands
}

/// A folder in which blocks were run, and the output of each `console` command.
struct Checkout(TempDir, Vec<String>);

impl Checkout {
    /// Runs the blocks before a heading in one shell, as a reader does.
    fn run(end: &str) -> Self {
        let mut checkout = Self(tempfile::tempdir().unwrap(), Vec::new());
        let mut setup = Command::new(format!("{PROJECT}/tests/readme/setup"));
        setup.arg(checkout.0.path()).arg(env!("CARGO_BIN_EXE_ma-register"));
        assert!(setup.status().unwrap().success());
        let mut script = "exec 2>&1\n".to_owned();
        for (language, range) in blocks(end) {
            let text = &README[range];
            let first = text.lines().next().and_then(|line| line.strip_prefix("# "));
            let runner = match (language, first) {
                ("console", _) => {
                    // Marks the end of each command's output.
                    let mark = |command| format!("{command}\nprintf '\\036'\n");
                    script.extend(commands(text).into_iter().map(mark));
                    continue;
                }
                ("mermaid", _) => continue,
                ("sh", _) if text.contains("runbook") => "block runbook".to_owned(),
                ("sh", _) => "block bin".to_owned(),
                ("yaml" | "bash", Some(name)) => format!("file {name}"),
                _ => panic!("`{language}` blocks are not run"),
            };
            script += &format!("{runner} <<'END OF BLOCK'\n{text}END OF BLOCK\n");
        }
        let (code, printed) = checkout.bash("clone", &script);
        assert_eq!(code, 0, "{printed}");
        checkout.1 = printed.split('\x1e').map(str::to_owned).collect();
        assert_eq!(checkout.1.pop().as_deref(), Some(""), "a block without output printed some");
        checkout
    }

    /// Runs a script in a folder. Returns the exit code and output.
    fn bash(&self, folder: &str, script: &str) -> (i32, String) {
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-c", &format!(". $ROOT/shell\n{script}")]);
        bash.env("ROOT", self.0.path()).env("PROJECT", PROJECT);
        let output = bash.current_dir(self.0.path().join(folder)).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    }

    /// Runs a script in the folder that the README creates. Returns the output.
    #[track_caller]
    fn succeeds(&self, script: &str) -> String {
        let (code, text) = self.bash(PLATFORM, script);
        assert_eq!(code, 0, "{script}: {text}");
        text
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(PLATFORM).join(name)).unwrap()
    }

    fn documents(&self, name: &str) -> Vec<Value> {
        let text = self.read(name);
        text.split("\n---\n").map(|document| serde_yaml::from_str(document).unwrap()).collect()
    }
}

#[test]
fn console_blocks_show_what_is_printed() {
    let mut printed = Checkout::run(END).1;
    let mut readme = README.to_owned();
    for (_, range) in blocks(END).into_iter().rev().filter(|block| block.0 == "console") {
        let commands = commands(&README[range.clone()]);
        let outputs = printed.split_off(printed.len() - commands.len());
        let show = |(command, output): (&String, &String)| {
            format!("$ {}\n{output}", command.replace('\n', "\n> "))
        };
        readme.replace_range(range, &commands.iter().zip(&outputs).map(show).collect::<String>());
    }
    if env::var_os("UPDATE").is_some() {
        fs::write(format!("{PROJECT}/README.md"), readme).unwrap();
    } else {
        let diff = similar::TextDiff::from_lines(README, &readme);
        assert!(readme == README, "UPDATE=1 rewrites it:\n{}", diff.unified_diff());
    }
}

#[test]
fn the_workflow_finds_what_is_not_rendered() {
    let checkout = Checkout::run("## Applying with kubectl");
    let workflow = ".github/workflows/register.yaml";
    let check_schema = "check-jsonschema --builtin-schema vendor.github-workflows";
    checkout.succeeds(&format!("{check_schema} {workflow}"));
    checkout.succeeds("git clone --quiet . base");
    let steps = checkout.documents(workflow)[0]["jobs"]["deploy"]["steps"].clone();
    let steps = steps.as_array().unwrap().iter().filter_map(|step| step["run"].as_str());
    let steps: Vec<&str> = steps.collect();
    let [install, show, check] = steps[..] else { panic!("{steps:?}") };
    checkout.succeeds(&format!("set -e; export GITHUB_STEP_SUMMARY=summary.md; {install}; {show}"));
    let summary = checkout.read("summary.md");
    assert!(summary.starts_with("```diff\nbase/deploy/compute/eu-west/40-"), "{summary}");
    assert!(summary.contains(" | +1 -1\n1 file, +1 -1\n---"), "{summary}");
    assert!(summary.ends_with("\n```\n") && summary.contains("jobs-eu-west-2"), "{summary}");
    // The hook of this project does the same. `try-repo` makes a configuration of its own for it.
    checkout.succeeds("git add clusters deploy .pre-commit-config.yaml && git commit -qm values");
    checkout.succeeds("pre-commit validate-config");
    checkout.succeeds(
        "mkdir $ROOT/hook; cp $PROJECT/.pre-commit-hooks.yaml $ROOT/hook; cd $ROOT/hook
        git init -q && git add . && git commit -qm hook",
    );
    let hook = "PRE_COMMIT_HOME=$HOME/pre-commit pre-commit try-repo $ROOT/hook ma-register";
    for check in [check, hook] {
        checkout.succeeds(check);
        checkout.succeeds("echo 'labels: {team: ml}' >> clusters/eu-west.yaml && git add clusters");
        let (code, text) = checkout.bash(PLATFORM, check);
        assert!(code == 1 && text.contains("+    \"team\": \"ml\""), "{text}");
        checkout.succeeds("git reset --quiet --hard");
    }
}

#[test]
fn the_files_for_gitops_tools_fit_their_schemas() {
    let checkout = Checkout::run("## Secrets through a store");
    let schemas: Value = serde_json::from_str(include_str!("readme/schemas.json")).unwrap();
    let check = |document: &Value| {
        let reference = format!("#/$defs/{}", document["kind"].as_str().unwrap());
        let schema = json!({"$defs": schemas["$defs"], "$ref": reference});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors = validator.iter_errors(document).map(|error| error.to_string());
        assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{reference}");
    };
    let argocd = checkout.documents("argocd/applications.yaml").remove(0);
    let flux = checkout.documents("flux/michelangelo.yaml").remove(0);
    [&argocd, &flux].into_iter().for_each(check);
    assert!(README.contains("`directories: [{path: deploy/control-plane/*}]`"));
    let of_compute = &argocd["spec"]["generators"][0]["git"]["directories"][0]["path"];
    for path in [of_compute, &flux["spec"]["path"], &json!("deploy/control-plane/*")] {
        checkout.succeeds(&format!("ls {}/kustomization.yaml", path.as_str().unwrap()));
    }
}

#[test]
fn the_plugin_of_argo_cd_renders() {
    let checkout = Checkout::run("## Flux");
    let config = checkout.documents("argocd/plugin.yaml")[0]["data"]["plugin.yaml"].clone();
    let config: Value = serde_yaml::from_str(config.as_str().unwrap()).unwrap();
    let command = config["spec"]["generate"]["command"].as_array().unwrap().iter();
    let command: Vec<&str> = command.map(|word| word.as_str().unwrap()).collect();
    let entrypoint = include_str!("../Dockerfile").lines().last().unwrap();
    assert_eq!(entrypoint, format!("ENTRYPOINT [\"{}\"]", command[0]));
    let rendered =
        checkout.succeeds(&format!("cd clusters; ma-register {}", command[1..].join(" ")));
    let kinds = rendered.lines().filter(|line| *line == "kind: Cluster");
    assert_eq!(kinds.count(), 2, "{rendered}");
    // kubectl reads the patched Deployment with Kubernetes' own types.
    let deployment = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "argocd-repo-server"},
        "spec": {"template": {"spec": {"containers": [{"name": "argocd-repo-server"}]}}}}"#;
    let patched = checkout.succeeds(&format!(
        "PATH=${{PATH//$ROOT\\/bin:/}}; kubectl patch --local -f - --patch-file argocd/sidecar.yaml -o json <<< '{deployment}'"
    ));
    let patched: Value = serde_json::from_str(&patched).unwrap();
    let pod = &patched["spec"]["template"]["spec"];
    let sidecar =
        pod["containers"].as_array().unwrap().iter().find(|it| it["name"] == "ma-register");
    assert_eq!(sidecar.unwrap()["volumeMounts"].as_array().unwrap().len(), 4);
    assert_eq!(pod["volumes"][0]["configMap"]["name"], "ma-register");
}

#[test]
fn the_encryption_stops_at_a_failure_and_goes_on() {
    let checkout = Checkout::run("## Rotating a token");
    let list = "find deploy -type f | sort";
    let before = checkout.succeeds(list);
    checkout.succeeds(
        r#"echo 'allow: [duplicate-endpoint]' >> clusters/us-east.yaml
        sed 's/name: .*/name: two/' clusters/us-east.yaml > clusters/two.yaml
        echo 'storage: {credentials: {accessKeyId: id, secretAccessKey: a-secret-key}}' >> clusters/two.yaml
        echo 'creation_rules: []' > deploy/.sops.yaml; echo 'from ma-register' > deploy/NOTES.md"#,
    );
    let secret = "deploy/compute/two/50-secret-aws-credentials.yaml";
    for (failure, message) in
        [("SOPS_FAILS", "failed to get the data key"), ("SOPS_SKIPS", "not encrypted: ")]
    {
        let script = format!("{failure}=50-secret-aws-credentials.yaml bash encrypt.sh");
        let (code, text) = checkout.bash(PLATFORM, &script);
        assert!(code != 0 && text.contains(message), "{text}");
        assert_ne!(checkout.bash(PLATFORM, &format!("ls {secret}")).0, 0);
    }
    checkout.succeeds("bash encrypt.sh");
    assert!(checkout.read(secret).contains("KEY\": ENC[AES256_GCM]\n"));
    let sum = "cat $(find deploy -type f)";
    let encrypted = checkout.succeeds(sum);
    assert!(!encrypted.contains("a-secret-key"));
    // In a new clone, too, what hasn't changed isn't encrypted again.
    checkout.succeeds("rm -r plain; bash encrypt.sh");
    assert_eq!(checkout.succeeds(sum), encrypted);
    checkout.succeeds("sed -i s/a-secret-key/another-key/ clusters/two.yaml; bash encrypt.sh");
    assert_ne!(checkout.succeeds(sum), encrypted);
    let (changed, script) =
        (checkout.succeeds(sum), "sed -i s/another-key/a-third-key/ clusters/two.yaml");
    checkout.succeeds(&format!("{script}; SOPS_NO_KEY=1 bash encrypt.sh"));
    assert_ne!(checkout.succeeds(sum), changed, "without the key for decryption");
    checkout
        .succeeds("rm clusters/two.yaml; bash encrypt.sh; rm deploy/.sops.yaml deploy/NOTES.md");
    assert_eq!(checkout.succeeds(list), before);
    // Again with kubeseal, which the script has in a comment.
    checkout.succeeds(
        r#"echo 'token: {file: ../../fixtures/tokens/long-lived.token}' >> clusters/us-east.yaml
        rm -r deploy; sed -E '/^(en|de)crypt\(\)/d; s/^# (..crypt\(\))/\1/' encrypt.sh > seal.sh; bash seal.sh"#,
    );
    let sealed = "deploy/control-plane/us-east/20-secret-cluster-us-east-client-token.yaml";
    assert!(checkout.read(sealed).contains("kind: SealedSecret"));
}

#[test]
fn every_key_and_finding_is_listed() {
    let checkout = Checkout::run("# ma-register");
    let schema: Value =
        serde_json::from_str(&checkout.bash("clone", "ma-register schema").1).unwrap();
    let is_in_table = |name: &str| {
        README.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")))
    };
    let codes = schema["$defs"]["Code"]["oneOf"].as_array().unwrap().iter();
    let codes: BTreeSet<&str> = codes.map(|code| code["const"].as_str().unwrap()).collect();
    let row = |level: &str| -> BTreeSet<&str> {
        let row = README.lines().find(|line| line.starts_with(&format!("| {level} |"))).unwrap();
        row.split('`').skip(1).step_by(2).collect()
    };
    // Each has a case, which shows its level.
    let cases = include_str!("cmd/findings.md").split_once("\n## Warnings\n").unwrap();
    let headings = |text: &'static str| -> BTreeSet<&str> {
        text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect()
    };
    assert_eq!((row("deny"), row("warn")), (headings(cases.0), headings(cases.1)));
    assert_eq!(row("deny").union(&row("warn")).copied().collect::<BTreeSet<_>>(), codes);
    let accepted = include_str!("cmd/findings.in/accepted.yaml");
    assert_eq!(codes.iter().find(|code| !accepted.contains(&format!("- {code}\n"))), None);
    for (key, value) in schema["properties"].as_object().unwrap() {
        let definition =
            value["anyOf"][0]["$ref"].as_str().and_then(|path| schema.pointer(&path[1..]));
        match definition.and_then(|definition| definition["properties"].as_object()) {
            None => assert!(is_in_table(key), "{key}"),
            Some(inner) => {
                let mut names = inner.keys().map(|name| format!("{key}.{name}"));
                assert_eq!(names.find(|name| !is_in_table(name)), None);
            }
        }
    }
}
