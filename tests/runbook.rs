//! Runs the scripts of `runbook` with a stand-in for kubectl (`runbook/kubectl`), whose clusters are folders.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize as _;
use serde_yaml::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ma-register");
const VALUES: &str = "
name: c0
kubeconfig: {path: kubeconfig, context: compute-0}
storage: {collectorSecret: none, endpoint: 'http://minio:9091', credentials: {accessKeyId: id, secretAccessKey: a-secret-key}}
";
const ROTATED: &str = "serviceAccount: {tokenSecrets: [ray-manager-token, ray-manager-token-2]}\n";
const EXTERNAL: &str = "token: externalSecret
externalSecrets: {computeStore: {name: v, kind: SecretStore}, controlPlaneStore: {name: v, kind: SecretStore}}
";

const CHART: &str = "serviceAccount: {create: false}
podServiceAccount: {annotations: {example.com/role: ray}}
";
/// A folder with values, a kubeconfig and two clusters.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "tmp", "world/compute-0", "world/control-plane"] {
            fs::create_dir_all(world.path(folder)).unwrap();
        }
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let kubeconfig = project.join("fixtures/kubeconfigs/aks.kubeconfig");
        fs::copy(kubeconfig, world.path("kubeconfig")).unwrap();
        world.write("values.yaml", VALUES);
        world.write("world/failing", "");
        world.write("world/health", "CONDITION_STATUS_TRUE");
        world.write("world/rights", "yes");
        world.deploy("michelangelo", "michelangelo-controllermgr", "labelled");
        symlink(PROGRAM, world.path("bin/ma-register")).unwrap();
        symlink(project.join("tests/runbook/kubectl"), world.path("bin/kubectl")).unwrap();
        symlink("/usr/bin/true", world.path("bin/sleep")).unwrap(); // nothing to wait for
        world
    }

    /// Makes a controller's Deployment that has never been restarted.
    fn deploy(&self, namespace: &str, name: &str, labels: &str) {
        let file = format!("world/control-plane/deployment.{name}");
        self.write(&file, &format!("000000 - -\n{namespace} {labels}\n"));
    }

    fn registered() -> Self {
        let world = Self::new();
        world.succeeds("register", &[]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes the output of `runbook` with these arguments to `script.sh`.
    fn make(&self, runbook: &str) {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.0.path()).arg("runbook").args(runbook.split(' '));
        command.args(["-f", "values.yaml", "--control-plane-context", "control-plane"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(self.path("script.sh"), output.stdout).unwrap();
    }

    /// Makes a script and runs it. Returns the exit code and output.
    fn run(&self, runbook: &str, arguments: &[&str]) -> (i32, String) {
        self.make(runbook);
        self.finish(self.command().arg("script.sh").args(arguments))
    }

    fn command(&self) -> Command {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.current_dir(self.0.path()).env("PATH", path).env("WORLD", self.path("world"));
        command.env("TMPDIR", self.path("tmp"));
        command
    }

    fn finish(&self, command: &mut Command) -> (i32, String) {
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        // No token or key is in the output, a call's arguments or the script.
        let public = format!("{text}{}{}", self.calls(), files(self.0.path())["script.sh"]);
        let tokens = self.objects().into_values().map(|object| token(&object));
        let secrets = ["a-secret-key", "SENTINEL"].map(|secret| STANDARD.encode(secret));
        for secret in tokens.chain(secrets).filter(|secret| !secret.is_empty()) {
            let decoded = String::from_utf8(STANDARD.decode(&secret).unwrap()).unwrap();
            assert!(!public.contains(&secret) && !public.contains(&decoded));
        }
        let number = files(self.0.path()).len() + files(&self.path("tmp")).len();
        assert_eq!(number, 3, "more than kubeconfig, script.sh and values.yaml");
        (output.status.code().unwrap(), text)
    }

    #[track_caller]
    fn succeeds(&self, runbook: &str, arguments: &[&str]) -> String {
        let (code, text) = self.run(runbook, arguments);
        assert_eq!(code, 0, "{text}");
        text
    }

    /// Runs a script that has to stop at a step. A call that matches `failing` fails.
    #[track_caller]
    fn stops(&self, runbook: &str, failing: &str, step: &str) -> String {
        self.write("world/failing", failing);
        let (code, text) = self.run(runbook, &[]);
        self.write("world/failing", "");
        assert_ne!(code, 0, "{failing}: {text}");
        contains(&text, &format!("\nStopped at: {step}"));
        contains(&text, "\nLook at the message above, and at: ");
        text
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("world/calls")).unwrap_or_default()
    }

    fn restarts(&self) -> usize {
        self.calls().matches("rollout restart").count()
    }

    /// Returns the objects of both clusters, the controller's Deployment among them.
    fn objects(&self) -> BTreeMap<String, String> {
        let both = ["world/compute-0", "world/control-plane"].map(|side| files(&self.path(side)));
        both.into_iter().flatten().collect()
    }
}

/// Returns the token of an object, in base64.
fn token(object: &str) -> String {
    object.lines().next().unwrap().split(' ').nth(2).unwrap().replace('-', "")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let read = |path: PathBuf| (name(&path), fs::read_to_string(&path).unwrap());
    paths.filter(|path| path.is_file()).map(read).collect()
}

#[track_caller]
fn contains(text: &str, part: &str) {
    assert!(text.contains(part), "no `{part}` in: {text}");
}

#[test]
fn registers_and_deregisters() {
    for (further, number) in [("", 10), (EXTERNAL, 12)] {
        let world = World::new();
        world.write("values.yaml", &[VALUES, further].concat());
        contains(&world.succeeds("register", &["--check"]), "to change: ConfigMap/");
        assert_eq!(world.objects().len(), 1, "--check has changed something");
        world.succeeds("register", &[]);
        let registered = world.objects();
        assert_eq!(registered.len(), number);
        for arguments in [&["--check"][..], &[]] {
            let text = world.succeeds("register", arguments);
            assert!(!text.contains("to change") && !text.contains("to restart"), "{text}");
            assert_eq!(world.objects(), registered);
        }
        world.succeeds("deregister", &["--check"]);
        assert_eq!((world.objects(), world.restarts()), (registered, 0));
        world.succeeds("deregister", &[]);
        world.succeeds("deregister", &[]);
        assert_eq!((world.objects().len(), world.restarts()), (1, 1));
    }
}

/// Returns the targets of a side's calls with a verb: `KIND/NAME`, without a custom resource's plural and group.
fn targets(world: &World, side: &str, verb: &str) -> Vec<String> {
    let calls = world.calls();
    let calls = calls.lines().filter(|call| call.starts_with(&format!("{side} {verb}")));
    let mut targets: Vec<String> = calls
        .map(|call| {
            let (kind, name) = call.rsplit(' ').next().unwrap().split_once('/').unwrap();
            let kind = kind.split_once("s.").map_or(kind, |(kind, _)| kind);
            format!("{kind}/{name}")
        })
        .collect();
    targets.sort();
    targets
}

/// A script deletes exactly the rendered objects and the Secrets of rendered ExternalSecrets.
#[test]
fn deletes_what_is_rendered() {
    for further in
        ["", ROTATED, EXTERNAL, CHART, "serviceAccount: {scope: namespace}\n", "token: none\n"]
    {
        let world = World::new();
        world.write("values.yaml", &[VALUES, further].concat());
        world.succeeds("deregister", &[]);
        for (side, name) in [("compute-0", "compute"), ("control-plane", "control-plane")] {
            let mut command = Command::new(PROGRAM);
            command.current_dir(world.0.path()).args(["render", "-f", "values.yaml"]);
            command.args(["--side", name]);
            if !further.starts_with("token") {
                let token = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tokens");
                command.arg("--token-file").arg(token.join("long-lived.token"));
            }
            let output = command.output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let mut rendered = Vec::new();
            for document in serde_yaml::Deserializer::from_str(&text) {
                let object: Value = Value::deserialize(document).unwrap();
                let kind = object["kind"].as_str().unwrap().to_lowercase();
                let name = object["metadata"]["name"].as_str().unwrap();
                if kind == "externalsecret" {
                    rendered.push(format!("secret/{name}"));
                }
                rendered.push(format!("{kind}/{name}"));
            }
            // It is shared with others.
            rendered.retain(|object| object != "serviceaccount/default");
            rendered.sort();
            assert!(!rendered.is_empty());
            assert_eq!(targets(&world, side, "delete"), rendered, "{further}");
        }
    }
}

#[test]
fn updates_rotates_and_waits_for_a_new_health_check() {
    let world = World::registered();
    world.write("values.yaml", &VALUES.replace("0}", "0, server: 'https://other.example.com'}"));
    let text = world.succeeds("register", &["--check"]);
    contains(
        &text,
        "/cluster-c0-client-token\nto change: Cluster/c0\nto restart: the controller\n",
    );
    world.succeeds("register", &[]);
    contains(&world.objects()["cluster.c0"], "https://other.example.com");
    world.write("values.yaml", &[VALUES, ROTATED].concat());
    // If a run stops before the restart, the next run does it.
    world.stops("register", "rollout restart", "restart the controller");
    contains(&world.succeeds("register", &[]), "delete secret -n default ray-manager-token\n");
    assert_eq!(world.restarts(), 3);
    let secrets = ["ray-manager-token", "ray-manager-token-2", "cluster-c0-client-token"];
    let [old, new, used] = secrets.map(|name| token(&world.objects()[&format!("secret.{name}")]));
    assert!(old != new && new == used);
    for health in ["CONDITION_STATUS_FALSE", "stale CONDITION_STATUS_TRUE"] {
        world.write("world/health", health);
        contains(&world.stops("register", "", "verify"), "has not reported the cluster healthy");
    }
}

#[test]
fn keeps_an_older_token_that_is_still_in_use() {
    let world = World::registered();
    world.write("values.yaml", &[VALUES, ROTATED, "token: none\n"].concat());
    for controller in ["", " --controller none"] {
        let text = world.stops(&format!("register{controller}"), "", "apply the control-plane");
        contains(&text, "does not have the token of ray-manager-token-2: update it");
        assert!(!text.contains("delete secret"), "{text}");
    }
    let new = token(&world.objects()["secret.ray-manager-token-2"]);
    let secret = "world/control-plane/secret.cluster-c0-client-token";
    world.write(secret, &format!("000000 999999 {new}\nby hand\n"));
    contains(&world.succeeds("register", &[]), "delete secret -n default ray-manager-token\n");
}

#[test]
fn stops_where_another_script_would_be_written() {
    let world = World::registered();
    let run = |arguments: &[&str]| world.finish(world.command().arg("script.sh").args(arguments));
    world.write("values.yaml", &[VALUES, "labels: {team: ml}\n"].concat());
    assert_eq!(run(&[]).0, 0, "a label isn't in the script");
    let calls = world.calls();
    let edited = files(world.0.path())["script.sh"].replace("Registers", "Records");
    let again = "so make it again: ma-register runbook register -f values.yaml --cluster c0 --control-plane-context control-plane -o script.sh\n";
    for (values, code, message) in [
        (ROTATED, 1, again),
        ("token: none", 1, again),
        ("kind: 1", 2, "error: unknown key `kind`"),
    ] {
        world.write("values.yaml", &[VALUES, values].concat());
        let (found, text) = run(&["--check"]);
        assert_eq!(found, code, "{text}");
        contains(&text, message);
    }
    world.write("values.yaml", VALUES);
    world.write("script.sh", &edited);
    contains(&run(&[]).1, again);
    assert_eq!(world.calls(), calls, "no call of kubectl");
}

#[test]
fn finds_the_controller_wherever_it_is() {
    let world = World::new();
    fs::remove_file(world.path("world/control-plane/deployment.michelangelo-controllermgr"))
        .unwrap();
    for runbook in ["register", "deregister"] {
        contains(&world.stops(runbook, "", "check the control plane"), "no controller found");
        contains(&world.stops(&format!("{runbook} --controller a/b"), "", "check"), "NotFound");
    }
    // As the sandbox and older guides have it, and then a labelled one beside it.
    world.deploy("ma-system", "michelangelo-controllermgr", "");
    world.succeeds("register", &[]);
    world.write("values.yaml", &VALUES.replace("name: c0", "name: c0\nlabels: {a: b}"));
    world.deploy("ml", "team-controllermgr", "labelled");
    contains(&world.succeeds("register", &["--check"]), "\nto restart: the controller\n");
    world.succeeds("register", &[]);
    contains(&world.calls(), "-n ml rollout restart deployment/team-controllermgr\n");
    world.deploy("ml", "other-controllermgr", "labelled");
    let text = world.stops("register", "", "check the control plane");
    contains(&text, "several controllers found");
    contains(&text, "\nml/other-controllermgr\nml/team-controllermgr\n");
    world.succeeds("deregister --controller ml/other-controllermgr", &[]);
    contains(&world.calls(), "-n ml rollout restart deployment/other-controllermgr\n");
    assert_eq!(world.restarts(), 2);
}

#[test]
fn without_a_controller_it_says_what_to_restart() {
    let world = World::new();
    fs::remove_file(world.path("world/control-plane/deployment.michelangelo-controllermgr"))
        .unwrap();
    contains(&world.succeeds("register --controller none", &[]), "\nRegistered.");
    world.write("values.yaml", &[VALUES, ROTATED].concat());
    let text = world.succeeds("register --controller none", &[]);
    let (before, after) =
        text.split_once("restart the controller manager of Michelangelo").unwrap();
    assert!(!text.contains("Registered") && !before.contains("delete secret"), "{text}");
    contains(after, "delete secret -n default ray-manager-token\n");
    contains(&world.succeeds("deregister --controller none", &[]), "\nRestart the controller");
    assert_eq!(world.restarts(), 0);
}

#[test]
fn leaves_alone_what_others_make() {
    let world = World::new();
    world.write("values.yaml", &[VALUES, CHART].concat());
    contains(
        &world.stops("register", "", "check the compute cluster"),
        "serviceaccount.ray-manager",
    );
    let account = "world/compute-0/serviceaccount.ray-manager";
    world.write(account, "000000 000000 -\nby hand\n");
    world.succeeds("register", &[]);
    contains(&world.objects()["serviceaccount.default"], "example.com/role");
    let text = world.succeeds("deregister", &[]);
    contains(
        &text,
        "annotate -n default serviceaccount/default argocd.argoproj.io/sync-options- example.com/role- ",
    );
    let left: Vec<String> = files(&world.path("world/compute-0")).into_keys().collect();
    assert_eq!(left, ["serviceaccount.default", "serviceaccount.ray-manager"]);
    contains(&fs::read_to_string(world.path(account)).unwrap(), "by hand");
}

#[test]
fn stops_at_a_collectors_secret_of_a_release() {
    let world = World::new();
    world.write("values.yaml", &VALUES.replace("collectorSecret: none", "collectorSecret: logs"));
    world.write("world/compute-0/secret.logs", "000000 000000 -\nby a release of the chart\n");
    for runbook in ["register", "deregister"] {
        let text = world.stops(runbook, "", "check the compute cluster");
        contains(&text, "secret/logs is someone else's");
    }
    fs::remove_file(world.path("world/compute-0/secret.logs")).unwrap();
    world.succeeds("register", &[]);
    world.succeeds("register", &[]);
}

#[test]
fn checks_whether_the_account_may_do_its_work() {
    let world = World::registered();
    world.write("world/rights", "no - no RBAC policy matched");
    for arguments in [&["--check"][..], &[]] {
        let (code, text) = world.run("register", arguments);
        assert_eq!(code, 1);
        contains(&text, "error: ray-manager may not create RayClusters");
    }
    world.write("world/rights", "Error from server (Forbidden): cannot impersonate");
    contains(&world.succeeds("register", &["--check"]), "not checked, as you may not impersonate");
}

#[test]
fn prints_no_secret_even_if_bash_prints_its_commands() {
    let world = World::new();
    // `World::run` searches all that is printed.
    world.succeeds("register", &[]);
    for arguments in ["register --check", "register", "deregister"] {
        let (runbook, check) = arguments.split_once(' ').unwrap_or((arguments, ""));
        world.make(runbook);
        let mut command = world.command();
        command
            .env("SHELLOPTS", "xtrace")
            .args(["-x", "script.sh"])
            .args(Some(check).filter(|check| !check.is_empty()));
        assert_eq!(world.finish(&mut command).0, 0);
    }
}

#[test]
fn touches_only_its_own_objects() {
    let world = World::registered();
    let before = world.objects();
    world.write("values.yaml", &VALUES.replace("name: c0", "name: c1"));
    for runbook in ["register", "deregister"] {
        let text = world.stops(runbook, "", "check the compute cluster");
        contains(&text, "is registered as c0");
    }
    world.write("values.yaml", VALUES);
    world.stops("deregister", "^compute-0 ", "check the compute cluster");
    assert_eq!(world.objects(), before);
    world.write("kubeconfig", "not read");
    world.succeeds("deregister --compute-gone", &[]);
    assert_eq!(world.objects().len(), 7);
}

/// Each run gets one call further than the one before.
#[test]
fn stops_where_a_call_fails() {
    let world = World::new();
    for (runbook, failing, step) in [
        ("register", "^compute-0 get --raw", "check the compute cluster"),
        ("register", "^compute-0 apply .*dry-run", "check the compute cluster"),
        ("register", "^control-plane get --raw", "check the control plane"),
        ("register", "^control-plane auth can-i", "check the control plane"),
        ("register", "^compute-0 apply .* -$", "apply the compute side"),
        ("register", "^compute-0 .*wait", "wait for the token"),
        ("register", "^control-plane apply .* -$", "apply the control-plane side"),
        ("register", "^control-plane .* get secret [^ ]* [^ ]*$", "verify"),
        ("deregister", "delete .* clusters.michelangelo.api", "delete the Cluster"),
        ("deregister", "rollout restart", "restart the controller"),
        ("deregister", "delete .* secret/cluster-c0-ca-data", "delete its Secrets"),
        ("deregister", "^compute-0 delete .* secret/", "delete the compute side"),
    ] {
        world.stops(runbook, failing, step);
        let is_unchanged = runbook == "register" && step.starts_with("check");
        assert!(!is_unchanged || world.objects().len() == 1, "{failing}");
    }
    world.succeeds("deregister", &[]);
    assert_eq!(world.objects().len(), 1);
}

/// Needs shellcheck.
#[test]
fn is_short_and_clean_and_takes_no_other_arguments() {
    let world = World::new();
    for (runbook, argument) in [("register", "--dry-run"), ("register", ""), ("deregister", "-h")] {
        let refusal = (2, "usage: bash script.sh [--check]\n".to_owned());
        assert_eq!(world.run(runbook, &["--check", argument]), refusal);
        assert_eq!(world.run(runbook, &[argument]), refusal);
    }
    assert_eq!(world.calls(), "");
    for further in [
        "",
        ROTATED,
        EXTERNAL,
        CHART,
        &[ROTATED, "token: none"].concat(),
        "serviceAccount: {scope: namespace}",
    ] {
        world.write("values.yaml", &[VALUES, further].concat());
        for runbook in ["register", "deregister", "deregister --compute-gone"] {
            world.make(runbook);
            let output = Command::new("shellcheck").arg(world.path("script.sh")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            assert!(files(world.0.path())["script.sh"].lines().count() <= 150);
        }
    }
}
