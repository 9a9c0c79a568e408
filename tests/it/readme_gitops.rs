//! The README's files for GitOps tools and CI, used as they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use crate::kubectl::kubectl;
use crate::readme::{blocks, readme};
use crate::support::{Run, Sandbox, project, run};

/// A repository with the fleet of the fixtures in `repo`, and what it refers to beside it.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    let fleet = project().join("fixtures/fleet");
    let of_fleet = |name: &str| fs::read_to_string(fleet.join(name)).unwrap();
    sandbox.write("repo/defaults.yaml", of_fleet("defaults.yaml"));
    for name in ["us-east", "us-central", "eu-west"] {
        let file = format!("clusters/{name}.yaml");
        sandbox.write(&format!("repo/{file}"), of_fleet(&file));
    }
    let kubeconfigs = project().join("fixtures/kubeconfigs");
    std::os::unix::fs::symlink(kubeconfigs, sandbox.path().join("kubeconfigs")).unwrap();
    sandbox
}

/// Runs a shell command in the repository, with the program on the PATH, and `bin` before it.
fn shell(sandbox: &Sandbox, command: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_ma-register"));
    let own = sandbox.path().join("bin");
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        own.display(),
        program.parent().unwrap().display()
    );
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", command])
        .current_dir(sandbox.path().join("repo"))
        .env_clear()
        .env("HOME", sandbox.path())
        .env("PATH", path);
    run(&mut bash, "")
}

fn block<'a>(readme: &'a str, language: &str, with: &str) -> &'a str {
    let found = blocks(readme, language);
    let found = found.into_iter().find(|block| block.contains(with));
    found.unwrap_or_else(|| panic!("no {language} block with {with:?}"))
}

#[test]
fn the_checks_in_ci_and_before_a_commit_tell_what_is_not_rendered() {
    let readme = readme();
    let workflow: Value = serde_yaml::from_str(block(&readme, "yaml", "runs-on:")).unwrap();
    let steps = workflow["jobs"]["up-to-date"]["steps"]
        .as_sequence()
        .unwrap();
    let in_ci = steps.iter().find_map(|step| step.get("run")).unwrap();
    let hooks: Value = serde_yaml::from_str(block(&readme, "yaml", "language: system")).unwrap();
    let before_commit = &hooks["repos"][0]["hooks"][0]["entry"];
    let sandbox = repository();
    let render = block(
        &readme,
        "sh",
        "kubectl --context \"$CONTROL_PLANE_CONTEXT\" apply --server-side -R",
    );
    let render = render.lines().next().unwrap();
    for command in [in_ci, before_commit] {
        let command = command.as_str().unwrap();
        assert_eq!(shell(&sandbox, render).code, 0);
        assert_eq!(shell(&sandbox, command).code, 0, "{command}");
        let values = sandbox.read("repo/clusters/us-east.yaml");
        sandbox.write(
            "repo/clusters/us-east.yaml",
            values.replace("us-east-1", "us-east-2"),
        );
        assert_eq!(shell(&sandbox, command).code, 1, "{command}");
        sandbox.write("repo/clusters/us-east.yaml", values);
    }
}

#[test]
fn the_manifests_for_gitops_tools_are_read_by_kubernetes() {
    let readme = readme();
    let sandbox = Sandbox::new();
    let mut kinds = Vec::new();
    for with in ["kind: ApplicationSet", "kind: GitRepository"] {
        let manifests = block(&readme, "yaml", with);
        let file = sandbox.write("manifests.yaml", manifests);
        let file = file.to_str().unwrap();
        let output = kubectl(&["annotate", "--local", "-o", "name", "x=y", "-f", file]);
        if let Some(output) = output {
            assert_eq!(String::from_utf8(output).unwrap().lines().count(), 2);
        }
        for document in serde_yaml::Deserializer::from_str(manifests) {
            let object = <Value as serde::Deserialize>::deserialize(document).unwrap();
            kinds.push(object["kind"].as_str().unwrap().to_owned());
            // The folders are those that a render makes.
            let text = serde_yaml::to_string(&object).unwrap();
            let is_about_folders =
                text.contains("deploy/compute/*") || text.contains("deploy/control-plane");
            assert!(
                is_about_folders || text.contains("kind: GitRepository"),
                "{text}"
            );
        }
    }
    assert_eq!(
        kinds,
        [
            "ApplicationSet",
            "Application",
            "GitRepository",
            "Kustomization"
        ]
    );
}

#[test]
fn what_has_changed_is_encrypted_behind_the_output() {
    let readme = readme();
    let script = block(&readme, "sh", "sops encrypt");
    let sandbox = repository();
    let sops = sandbox.write(
        "bin/sops",
        "#!/bin/sh\necho \"$*\" >> ../calls\nfor file; do :; done\necho encrypted: $(wc -l < \"$file\")\n",
    );
    fs::set_permissions(sops, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = "storage: {credentials: {accessKeyId: id, secretAccessKey: key}}\n";
    let defaults = sandbox
        .read("repo/defaults.yaml")
        .replace("credentials: workloadIdentity", "fileSystem: s3://x");
    sandbox.write("repo/defaults.yaml", defaults);
    for name in ["us-east", "us-central", "eu-west"] {
        let file = format!("repo/clusters/{name}.yaml");
        let values: Vec<String> = sandbox.read(&file).lines().map(str::to_owned).collect();
        let without_storage = values
            .iter()
            .take_while(|line| !line.starts_with("storage"));
        let values: String = without_storage.map(|line| format!("{line}\n")).collect();
        sandbox.write(&file, values + keys);
    }
    let first = shell(&sandbox, script);
    assert_eq!(first.code, 0, "{}", first.stderr);
    // A ConfigMap and a Secret of each cluster.
    let calls = || sandbox.read("calls").lines().count();
    assert_eq!(calls(), 6);
    let encrypted = "repo/deploy/compute/us-east/50-secret-aws-credentials.yaml";
    assert!(sandbox.read(encrypted).starts_with("encrypted: "));
    assert_eq!(sandbox.files("repo/deploy"), sandbox.files("repo/plain"));
    for file in sandbox.files("repo/deploy") {
        assert!(
            !sandbox
                .read(&format!("repo/deploy/{file}"))
                .contains("a2V5"),
            "{file}"
        );
    }
    // Nothing has changed, so nothing is encrypted anew.
    assert_eq!(shell(&sandbox, script).code, 0);
    assert_eq!(calls(), 6);
}
