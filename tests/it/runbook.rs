//! `runbook`: the scripts, run for real against two clusters that are folders.
//!
//! `runbook/kubectl` stands in for kubectl: it keeps objects as files, does what Kubernetes and the
//! External Secrets Operator would do, and records its calls.

mod failures;
mod guards;
mod objects;
mod readme;
mod text;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{Run, Sandbox, base64, ca_line, project, run, values};

/// The contexts, which are as odd as they may be.
const COMPUTE: &str = "arn:aws:eks:us-east-1:0:cluster/it's $(touch pwned) \"a\"";
const CONTROL_PLANE: &str = "control plane `touch pwned`; \\ \u{202e}'";

const REGISTER: &str = "register";
const ROTATE: &str = "rotate";
const DEREGISTER: &str = "deregister";

/// A folder with values, and two clusters in which everything is as it has to be.
struct World {
    sandbox: Sandbox,
}

impl World {
    fn new(further: &str) -> Self {
        let world = Self {
            sandbox: Sandbox::new(),
        };
        let sandbox = &world.sandbox;
        sandbox.write("my values/c0.yaml", values(further));
        sandbox.write("my values/config", kubeconfig());
        sandbox.write("world/calls", "");
        sandbox.write("world/probes", "");
        sandbox.write("world/health", "CONDITION_STATUS_TRUE");
        for secret in ["ray-manager-token", "ray-manager-token-2"] {
            sandbox.write(&format!("world/tokens/{secret}"), token(secret));
        }
        for (side, context) in [("compute", COMPUTE), ("control-plane", CONTROL_PLANE)] {
            sandbox.write(&format!("world/{side}/context"), context);
            sandbox.write(&format!("world/{side}/failing"), "");
        }
        for object in [
            "compute/objects/crd.rayclusters.ray.io",
            "compute/objects/crd.rayjobs.ray.io",
            "compute/objects/crd.pushsecrets.external-secrets.io",
            "control-plane/objects/crd.externalsecrets.external-secrets.io",
            "control-plane/objects/crd.clusters.michelangelo.api",
            "control-plane/objects/namespace.ma-system",
            "control-plane/objects/deployment.michelangelo-controllermgr",
            "compute/objects/deployment.kuberay-operator",
        ] {
            sandbox.write(&format!("world/{object}"), "");
        }
        world.put_on_path("kubectl", project().join("tests/it/runbook/kubectl"));
        world.put_on_path(
            "ma-register",
            PathBuf::from(env!("CARGO_BIN_EXE_ma-register")),
        );
        world.write_program("sleep", "#!/bin/sh\n");
        fs::create_dir(sandbox.path().join("tmp")).unwrap();
        world
    }

    fn put_on_path(&self, name: &str, program: PathBuf) {
        fs::create_dir_all(self.sandbox.path().join("bin")).unwrap();
        symlink(program, self.sandbox.path().join("bin").join(name)).unwrap();
    }

    /// The script that the program prints, with `CONTROL_PLANE` as the control plane's context.
    fn script(&self, procedure: &str) -> Run {
        self.script_for(&["my values/c0.yaml"], procedure)
    }

    fn script_for(&self, files: &[&str], procedure: &str) -> Run {
        self.script_by(&[&["runbook", procedure, "-f"], files].concat())
    }

    fn script_by(&self, arguments: &[&str]) -> Run {
        let end = ["--control-plane-context", CONTROL_PLANE];
        self.sandbox.run([arguments, &end].concat())
    }

    /// Prints the script and runs it, with further variables.
    fn run(&self, procedure: &str, variables: &[(&str, &str)]) -> Run {
        self.run_for(&["my values/c0.yaml"], procedure, variables)
    }

    fn run_for(&self, files: &[&str], procedure: &str, variables: &[(&str, &str)]) -> Run {
        self.keep(&self.script_for(files, procedure));
        self.start(variables)
    }

    fn keep(&self, script: &Run) {
        self.sandbox.write("script.sh", script.succeeds_quietly());
    }

    /// Runs the script that was kept.
    fn start(&self, variables: &[(&str, &str)]) -> Run {
        let run = run(self.bash(variables).arg("script.sh"), "");
        self.check_that_nothing_leaked(&run);
        run
    }

    fn bash(&self, variables: &[(&str, &str)]) -> Command {
        let path = format!("{}/bin:/usr/bin:/bin", self.sandbox.path().display());
        let mut command = Command::new("bash");
        command
            .current_dir(self.sandbox.path())
            .env_clear()
            .env("HOME", self.sandbox.path())
            .env("PATH", path)
            .env("TMPDIR", self.sandbox.path().join("tmp"))
            .env("WORLD", self.sandbox.path().join("world"))
            // Nothing has to be waited for, as everything happens at once here.
            .env("TIMEOUT", "1")
            .envs(variables.iter().copied());
        command
    }

    /// Puts a program of a few lines on the path.
    fn write_program(&self, name: &str, text: &str) {
        let program = self.sandbox.write(&format!("bin/{name}"), text);
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, object: &str) {
        fs::remove_file(self.object(object)).unwrap();
    }

    fn set_values(&self, further: &str) {
        let text = values(&format!("{OWN_KUBECONFIG}{further}"));
        self.sandbox.write("my values/c0.yaml", text);
    }

    /// No token is in a recorded argument, in what was printed, or in a file outside the clusters.
    fn check_that_nothing_leaked(&self, run: &Run) {
        assert!(!self.sandbox.path().join("pwned").exists());
        let outside = self.sandbox.files(".");
        let outside = outside.iter().filter(|file| {
            !file.starts_with("world/tokens")
                && !file.contains("/objects/")
                && !file.starts_with("bin/")
                && *file != "my values/c0.token"
        });
        let mut texts: Vec<String> = outside.map(|file| self.sandbox.read(file)).collect();
        texts.extend([run.stdout.clone(), run.stderr.clone()]);
        for secret in ["ray-manager-token", "ray-manager-token-2"] {
            let token = token(secret);
            for form in [base64(&token), token] {
                assert!(!texts.iter().any(|text| text.contains(&form)), "{texts:?}");
            }
        }
    }

    /// The recorded calls since the last time.
    fn calls(&self) -> Vec<String> {
        let calls = self.sandbox.read("world/calls");
        self.sandbox.write("world/calls", "");
        calls.lines().map(str::to_owned).collect()
    }

    fn fail_on(&self, side: &str, pattern: &str) {
        self.sandbox
            .write(&format!("world/{side}/failing"), format!("{pattern}\n"));
    }

    fn object(&self, path: &str) -> PathBuf {
        let (side, object) = path.split_once('/').unwrap();
        self.sandbox
            .path()
            .join(format!("world/{side}/objects/{object}"))
    }

    fn has(&self, path: &str) -> bool {
        self.object(path).exists()
    }

    /// The token that the control plane holds.
    fn token(&self) -> String {
        let secret =
            fs::read_to_string(self.object("control-plane/secret.cluster-c0-client-token"));
        let secret = secret.unwrap();
        let line = secret
            .lines()
            .find_map(|line| line.strip_prefix("  token: "));
        line.unwrap().trim_matches('"').to_owned()
    }
}

/// A kubeconfig with the odd context.
fn kubeconfig() -> String {
    let context = COMPUTE.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "current-context: \"{context}\"\ncontexts: [{{name: \"{context}\", context: {{cluster: k}}}}]\n\
         clusters: [{{name: k, cluster: {{server: https://203.0.113.7:6443, {}}}}}]\n",
        ca_line()
    )
}

const OWN_KUBECONFIG: &str = "kubeconfig: {path: config}\n";
const TWO_TOKENS: &str =
    "serviceAccount: {tokenSecrets: [ray-manager-token, ray-manager-token-2]}\n";

fn world(further: &str) -> World {
    World::new(&format!("{OWN_KUBECONFIG}{further}"))
}

/// A token as Kubernetes puts it into a Secret of that name.
fn token(secret: &str) -> String {
    let claims = format!(
        "{{\"iss\":\"kubernetes/serviceaccount\",\"kubernetes.io/serviceaccount/namespace\":\"default\",\
         \"kubernetes.io/serviceaccount/secret.name\":\"{secret}\",\
         \"sub\":\"system:serviceaccount:default:ray-manager\"}}"
    );
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        encode("{\"alg\":\"RS256\"}"),
        encode(&claims),
        encode(secret)
    )
}

fn position(calls: &[String], part: &str) -> usize {
    let found = calls.iter().position(|call| call.contains(part));
    found.unwrap_or_else(|| panic!("no {part} in {calls:#?}"))
}

#[test]
fn a_cluster_is_registered() {
    let world = world("");
    let run = world.run(REGISTER, &[]);
    assert!(
        run.succeeds().ends_with("michelangelo/cluster-affinity\n"),
        "{run:?}"
    );
    assert_eq!(run.stderr, "");
    assert!(world.has("control-plane/cluster.c0"));
    assert!(world.has("control-plane/secret.cluster-c0-ca-data"));
    assert_eq!(world.token(), base64(token("ray-manager-token")));
    let calls = world.calls();
    assert!(
        position(&calls, "api-resources --api-group=ray.io")
            < position(&calls, "compute my\\ values/config: apply")
    );
    assert!(
        position(&calls, "compute my\\ values/config: apply")
            < position(&calls, "control-plane '': apply")
    );
    // Nothing used a client that was made before.
    assert!(!calls.iter().any(|call| call.contains("rollout restart")));
    assert_eq!(world.sandbox.files("tmp"), [""; 0]);
}

#[test]
fn a_cluster_that_was_there_restarts_the_controller() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.calls();
    // Also where the run before was cut short after it had changed something.
    for pattern in ["* rollout restart*", "apply*"] {
        world.fail_on("control-plane", pattern);
        let run = world.run(REGISTER, &[]);
        assert_eq!(run.code, 1);
        let restart = "-n ma-system rollout restart deployment/michelangelo-controllermgr";
        assert!(
            run.stderr.contains("has not been restarted") && run.stderr.contains(restart),
            "{}",
            run.stderr
        );
    }
    world.fail_on("control-plane", "");
    world.calls();
    // A Pod that ends is waited for, as what it found last says nothing about the new one.
    world.sandbox.write("world/old-pods", "pod/old\n");
    world.run(REGISTER, &[]).succeeds();
    let calls = world.calls();
    let restarts = calls.iter().filter(|call| call.contains("rollout restart"));
    assert_eq!(restarts.count(), 1);
    let order = ["rollout status", "-n ma-system pod/old", "statusConditions"];
    let positions = order.map(|part| position(&calls, part));
    assert!(positions.is_sorted(), "{positions:?} {calls:#?}");
}

#[test]
fn a_controller_that_is_a_bare_pod_is_replaced() {
    let world = world(TWO_TOKENS);
    world.run(REGISTER, &[]).succeeds();
    fs::remove_file(world.object("control-plane/deployment.michelangelo-controllermgr")).unwrap();
    let pod = "kind: Pod\nmetadata:\n  name: michelangelo-controllermgr\n";
    fs::write(
        world.object("control-plane/pod.michelangelo-controllermgr"),
        pod,
    )
    .unwrap();
    world.run(ROTATE, &[]).succeeds();
    let calls = world.calls();
    position(&calls, "replace --force -f ");
    assert!(!calls.iter().any(|call| call.contains("rollout")));
    assert!(world.has("control-plane/pod.michelangelo-controllermgr"));
    assert_eq!(world.sandbox.files("tmp"), [""; 0]);

    // It isn't lost where it can't be made again.
    world.fail_on("control-plane", "* replace *");
    let run = world.run(ROTATE, &[]);
    assert_eq!(run.code, 1);
    let kept = world.sandbox.files("tmp");
    assert_eq!(kept.len(), 1);
    assert_eq!(world.sandbox.read(&format!("tmp/{}", kept[0])), pod);
    assert!(run.stderr.contains("create -f "), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("get pod/michelangelo-controllermgr -o yaml | kubectl"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_values_decide_where_the_token_comes_from() {
    // A file: it may be missing as long as the script is only printed.
    let from_file = world("token: {file: c0.token}\n");
    let run = from_file.run(REGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("c0.token"), "{}", run.stderr);
    let file = "my values/c0.token";
    from_file.sandbox.write(file, token("ray-manager-token"));
    from_file.run(REGISTER, &[]).succeeds();

    // Someone else: the script doesn't touch the Secret, and waits for nobody.
    let elsewhere = world("token: none\n");
    let run = elsewhere.run(REGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("cluster-c0-client-token is missing"),
        "{}",
        run.stderr
    );
    let secret = format!(
        "data:\n  token: \"{}\"\n",
        base64(token("ray-manager-token"))
    );
    fs::write(
        elsewhere.object("control-plane/secret.cluster-c0-client-token"),
        secret,
    )
    .unwrap();
    elsewhere.run(REGISTER, &[]).succeeds();

    // The operators, which are told to look at once and waited for.
    let store = world(
        "token: externalSecret\nexternalSecrets:\n  computeStore: {name: v, kind: ClusterSecretStore}\n  \
         controlPlaneStore: {name: v, kind: ClusterSecretStore}\n",
    );
    store.run(REGISTER, &[("TIMEOUT", "600")]).succeeds();
    assert_eq!(store.token(), base64(token("ray-manager-token")));
    let calls = store.calls();
    position(
        &calls,
        "wait --for=condition=Ready pushsecrets.external-secrets.io/ray-manager-token",
    );
    position(
        &calls,
        "wait --for=condition=Ready externalsecrets.external-secrets.io/cluster-c0-client-token",
    );
}

#[test]
fn a_token_is_rotated_and_then_revoked() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.set_values(TWO_TOKENS);
    world.calls();
    let run = world.run(ROTATE, &[]);
    let said = run.succeeds();
    assert!(said.contains("still good: the token of ray-manager-token\n"));
    assert!(
        said.contains("run this script with REVOKE_OLD=yes\n"),
        "{said}"
    );
    assert_eq!(world.token(), base64(token("ray-manager-token-2")));
    assert!(world.has("compute/secret.ray-manager-token"));
    let calls = world.calls();
    assert!(position(&calls, "control-plane '': apply") < position(&calls, "rollout restart"));
    assert!(
        !calls
            .iter()
            .any(|call| call.contains(": delete") || call.contains("delete secret"))
    );

    let run = world.run(ROTATE, &[("REVOKE_OLD", "yes")]);
    assert!(
        run.succeeds()
            .contains("remove ray-manager-token from serviceAccount.tokenSecrets")
    );
    assert!(!world.has("compute/secret.ray-manager-token"));
    let calls = world.calls();
    assert!(
        position(&calls, "statusConditions") < position(&calls, "delete secret ray-manager-token")
    );

    // Neither procedure brings the old token back.
    let again = world.run(ROTATE, &[("REVOKE_OLD", "yes")]);
    assert!(again.succeeds().contains("nothing to do"));
    // It wasn't the controller that was forgotten.
    world
        .sandbox
        .write("world/health", "CONDITION_STATUS_FALSE");
    let again = world.run(ROTATE, &[("REVOKE_OLD", "yes")]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("restarted since"), "{}", again.stderr);
    world.sandbox.write("world/health", "CONDITION_STATUS_TRUE");
    let run = world.run(REGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("bring it and the same token back"),
        "{}",
        run.stderr
    );
    assert!(!world.has("compute/secret.ray-manager-token"));
}

#[test]
fn a_cluster_is_deregistered() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.calls();
    let run = world.run(DEREGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("CONFIRM=yes"), "{}", run.stderr);
    assert!(world.has("control-plane/cluster.c0"));
    world.calls();

    world.run(DEREGISTER, &[("CONFIRM", "yes")]).succeeds();
    let calls = world.calls();
    let order = [
        "delete cluster.michelangelo.api/c0",
        "delete secret/cluster-c0-client-token",
        "delete secret/cluster-c0-ca-data",
        "rollout restart",
        "delete secret/ray-manager-token",
        "delete serviceaccount/ray-manager",
    ];
    let positions = order.map(|part| position(&calls, part));
    assert!(positions.is_sorted(), "{positions:?} {calls:#?}");
    let left: Vec<String> = world
        .sandbox
        .files("world")
        .into_iter()
        .filter(|file| file.contains("/objects/"))
        .filter(|file| {
            ["crd.", "namespace.", "deployment."]
                .iter()
                .all(|kind| !file.contains(kind))
        })
        .collect();
    assert_eq!(left, [""; 0]);

    // Again, with nothing there.
    world.run(DEREGISTER, &[("CONFIRM", "yes")]).succeeds();
}

#[test]
fn what_is_shared_is_not_deleted_by_the_way() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    let shared = world.object("compute/configmap.michelangelo-config");
    let text = fs::read_to_string(&shared).unwrap();
    fs::write(&shared, text.replace("\"c0\"", "\"other\"")).unwrap();
    let run = world.run(DEREGISTER, &[("CONFIRM", "yes")]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .contains("configmap/michelangelo-config (of other)"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("DELETE_SHARED=yes"), "{}", run.stderr);
    assert!(world.has("control-plane/cluster.c0"));
    // Nor what says nothing.
    fs::write(&shared, text.replace("app.kubernetes.io/instance", "other")).unwrap();
    let run = world.run(DEREGISTER, &[("CONFIRM", "yes")]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("don't say whose they are"),
        "{}",
        run.stdout
    );
    let all = [("CONFIRM", "yes"), ("DELETE_SHARED", "yes")];
    world.run(DEREGISTER, &all).succeeds();
    assert!(!shared.exists());
}

#[test]
fn several_clusters_are_one_script() {
    let world = world("");
    let sandbox = &world.sandbox;
    let config = kubeconfig().replace("203.0.113.7", "203.0.113.8");
    sandbox.write("my values/config-1", config.replace("arn:", "ARN:"));
    let other = values("kubeconfig: {path: config-1}\n").replace("c0", "c1");
    sandbox.write("my values/c1.yaml", other);
    sandbox.write("world/compute-1/context", COMPUTE.replace("arn:", "ARN:"));
    sandbox.write(
        "world/compute-1/failing",
        "api-resources --api-group=ray.io*\n",
    );
    for object in [
        "crd.rayclusters.ray.io",
        "crd.rayjobs.ray.io",
        "deployment.kuberay-operator",
    ] {
        sandbox.write(&format!("world/compute-1/objects/{object}"), "");
    }
    let files = ["my values/c1.yaml", "my values/c0.yaml"];
    // What is wrong with one of them is found before anything is changed for the other.
    let run = world.run_for(&files, REGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("error: c1: "), "{}", run.stderr);
    assert!(!world.has("compute/serviceaccount.ray-manager"));

    world.fail_on("compute-1", "");
    let run = world.run_for(&files, REGISTER, &[]);
    assert!(run.succeeds().contains("registered: c0 c1"), "{run:?}");
    assert!(world.has("control-plane/cluster.c0") && world.has("control-plane/cluster.c1"));
    world.calls();
    let run = world.run_for(&files, DEREGISTER, &[("CONFIRM", "yes")]);
    run.succeeds();
    let calls = world.calls();
    let restarts = calls.iter().filter(|call| call.contains("rollout restart"));
    assert_eq!(restarts.count(), 1);
    assert!(!world.has("control-plane/cluster.c0") && !world.has("control-plane/cluster.c1"));
}
