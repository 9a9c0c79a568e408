//! What keeps a script from doing harm: revoked tokens, what can't be looked at, settings, signals, and
//! a script that is out of date.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{DEREGISTER, REGISTER, ROTATE, TWO_TOKENS, World, token, world};
use crate::support::{Run, base64, project, values};

fn fails_with(run: &Run, parts: &[&str]) {
    assert_eq!(run.code, 1, "{run:?}");
    for part in parts {
        assert!(run.stderr.contains(part), "no {part} in {}", run.stderr);
    }
}

#[test]
fn a_revoked_token_does_not_come_back() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.remove("compute/secret.ray-manager-token");
    let run = world.run(REGISTER, &[]);
    fails_with(&run, &["bring the same token back", "append a name"]);
    assert!(!world.has("compute/secret.ray-manager-token"));

    // Nor where the new name isn't made yet.
    world.set_values(TWO_TOKENS);
    let run = world.run(REGISTER, &[]);
    fails_with(&run, &["remove ray-manager-token from it"]);
    let run = world.run(ROTATE, &[]);
    fails_with(
        &run,
        &["if it was deleted to revoke its token", "runbook register"],
    );
    assert!(!world.has("compute/secret.ray-manager-token"));
    assert!(!world.has("compute/secret.ray-manager-token-2"));

    world.run(REGISTER, &[("SAME_TOKEN", "yes")]).succeeds();
    assert!(world.has("compute/secret.ray-manager-token"));
}

#[test]
fn the_current_token_does_not_come_back_either() {
    // The old one is there, so that a new one could be expected.
    let world = world(TWO_TOKENS);
    world.run(REGISTER, &[]).succeeds();
    world.remove("compute/secret.ray-manager-token-2");
    for procedure in [REGISTER, ROTATE] {
        let run = world.run(procedure, &[]);
        fails_with(&run, &["ray-manager-token-2 isn't there", "SAME_TOKEN=yes"]);
        assert!(!world.has("compute/secret.ray-manager-token-2"));
    }
    // Nor where both copies were deleted.
    world.set_values("");
    world.remove("compute/secret.ray-manager-token");
    world.remove("control-plane/secret.cluster-c0-client-token");
    let run = world.run(REGISTER, &[]);
    fails_with(&run, &["ray-manager-token isn't there"]);
    assert!(!world.has("compute/secret.ray-manager-token"));
    world.run(REGISTER, &[("SAME_TOKEN", "yes")]).succeeds();
}

#[test]
fn a_leaked_token_is_replaced_as_the_scripts_say() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.remove("compute/secret.ray-manager-token");
    world.set_values(TWO_TOKENS);
    let run = world.run(ROTATE, &[]);
    fails_with(
        &run,
        &[
            "remove it from serviceAccount.tokenSecrets",
            "runbook register",
        ],
    );
    // The control plane's token says that it isn't of this one, which is new then.
    world.set_values("serviceAccount: {tokenSecrets: [ray-manager-token-2]}\n");
    world.run(REGISTER, &[]).succeeds();
    assert_eq!(world.token(), base64(token("ray-manager-token-2")));
    assert!(!world.has("compute/secret.ray-manager-token"));
}

#[test]
fn nothing_is_revoked_that_may_be_in_use() {
    let in_rotation = || {
        let world = world("");
        world.run(REGISTER, &[]).succeeds();
        world.set_values(TWO_TOKENS);
        world
    };
    let revoke = [("REVOKE_OLD", "yes"), ("TAKE_OVER", "yes")];
    let fails = |world: &World, parts: &[&str]| {
        fails_with(&world.run(ROTATE, &revoke), parts);
        assert!(world.has("compute/secret.ray-manager-token"));
    };

    // A GitOps tool puts the old token back while the controller restarts.
    let world = in_rotation();
    let secret = world.object("control-plane/secret.cluster-c0-client-token");
    fs::copy(&secret, world.sandbox.path().join("bin/old")).unwrap();
    let kubectl = project().join("tests/it/runbook/kubectl");
    fs::remove_file(world.sandbox.path().join("bin/kubectl")).unwrap();
    world.write_program(
        "kubectl",
        &format!(
            "#!/bin/sh\ncase \"$*\" in *'rollout status'*) cp bin/old '{}' ;; esac\nexec {} \"$@\"\n",
            secret.display(),
            kubectl.display()
        ),
    );
    fails(
        &world,
        &[
            "doesn't hold the token of ray-manager-token-2 any more",
            "GitOps",
        ],
    );

    // Neither token can be compared.
    let world = in_rotation();
    for side in ["compute", "control-plane"] {
        world.fail_on(side, "*jsonpath={.data.token}*");
    }
    fails(&world, &["doesn't hold the token of ray-manager-token-2"]);

    // The old Pods of the controller aren't seen.
    let world = in_rotation();
    world.fail_on(
        "control-plane",
        "get * deployment/michelangelo-controllermgr *",
    );
    fails(
        &world,
        &[
            "NOT CHECKED: whether the old Pods",
            "may still use the token",
        ],
    );

    // Another Cluster at the same server uses it.
    let world = in_rotation();
    let cluster = fs::read_to_string(world.object("control-plane/cluster.c0")).unwrap();
    let other = cluster
        .replace("\"c0\"", "\"c1\"")
        .replace("cluster-c0", "cluster-c1");
    fs::write(world.object("control-plane/cluster.c1"), other).unwrap();
    let secret = world.object("control-plane/secret.cluster-c0-client-token");
    fs::copy(
        secret,
        world.object("control-plane/secret.cluster-c1-client-token"),
    )
    .unwrap();
    fails(
        &world,
        &["the Cluster c1 uses the token of ray-manager-token"],
    );
}

#[test]
fn a_name_that_another_compute_cluster_has_is_noticed() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    let elsewhere = world
        .sandbox
        .read("my values/config")
        .replace("203.0.113.7", "203.0.113.8");
    world.sandbox.write("my values/config", elsewhere);
    for (procedure, setting) in [(REGISTER, "TAKE_OVER"), (DEREGISTER, "DELETE_SHARED")] {
        let run = world.run(procedure, &[("CONFIRM", "yes")]);
        fails_with(
            &run,
            &["of that name at https://203.0.113.7, port 6443", setting],
        );
        assert!(world.has("control-plane/cluster.c0"));
    }
    world.run(REGISTER, &[("TAKE_OVER", "yes")]).succeeds();
}

#[test]
fn objects_that_nobody_is_known_to_have_made_are_not_taken_by_a_new_registration() {
    let world = world("");
    let object = "compute/configmap.michelangelo-config";
    fs::write(world.object(object), "kind: ConfigMap\n").unwrap();
    let run = world.run(REGISTER, &[]);
    fails_with(&run, &["isn't registered yet", "TAKE_OVER=yes"]);
    assert!(run.stdout.contains("configmap/michelangelo-config"));
    world.run(REGISTER, &[("TAKE_OVER", "yes")]).succeeds();
}

#[test]
fn a_first_registration_that_was_cut_off_goes_on() {
    let world = world(TWO_TOKENS);
    world.fail_on("control-plane", "apply*");
    assert_eq!(world.run(REGISTER, &[]).code, 1);
    world.remove("compute/secret.ray-manager-token-2");
    world.fail_on("control-plane", "");
    world.run(REGISTER, &[]).succeeds();
    assert_eq!(world.token(), base64(token("ray-manager-token-2")));
}

#[test]
fn what_cannot_be_looked_at_is_not_taken_for_gone() {
    let world = world(TWO_TOKENS);
    world.run(REGISTER, &[]).succeeds();
    world.fail_on("compute", "get * secrets ray-manager-token -o name");
    let run = world.run(ROTATE, &[("REVOKE_OLD", "yes")]);
    fails_with(
        &run,
        &[
            "can't be told whether this is there",
            "kubectl said: error: made to fail",
        ],
    );
    assert!(!run.stdout.contains("nothing to do"));

    // Jobs are only mentioned.
    world.fail_on("compute", "get * rayjobs.ray.io -o name");
    world.run(REGISTER, &[]).succeeds();
    let run = world.run(DEREGISTER, &[("CONFIRM", "yes")]);
    run.succeeds();
    assert!(
        run.stderr
            .contains("NOT CHECKED: whether there are rayjobs.ray.io"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_token_that_cannot_be_read_is_not_taken_for_a_good_one() {
    let world = world("token: none\n");
    let secret = format!(
        "data:\n  token: \"{}\"\n",
        base64(token("ray-manager-token"))
    );
    let object = world.object("control-plane/secret.cluster-c0-client-token");
    fs::write(object, secret).unwrap();
    world.fail_on("control-plane", "*base64decode*");
    fails_with(&world.run(REGISTER, &[]), &["client-token can't be read"]);
}

#[test]
fn a_rotation_goes_on_after_some_were_revoked() {
    let world = world(TWO_TOKENS);
    world.run(REGISTER, &[]).succeeds();
    world.sandbox.write("world/tokens/third", "a third");
    world.set_values(
        "serviceAccount: {tokenSecrets: [ray-manager-token, ray-manager-token-2, third]}\n",
    );
    // Kubernetes gives the third a token like the others'.
    world.sandbox.write("world/tokens/third", token("third"));
    world.run(ROTATE, &[]).succeeds();
    world.fail_on("compute", "* delete secret ray-manager-token-2*");
    fails_with(
        &world.run(ROTATE, &[("REVOKE_OLD", "yes")]),
        &["its token is still good"],
    );
    assert!(!world.has("compute/secret.ray-manager-token"));

    world.fail_on("compute", "");
    world.calls();
    world.run(ROTATE, &[("REVOKE_OLD", "yes")]).succeeds();
    let calls = world.calls();
    assert!(
        !calls.iter().any(|call| call.contains(": apply")),
        "{calls:#?}"
    );
    assert!(!world.has("compute/secret.ray-manager-token"));
    assert!(!world.has("compute/secret.ray-manager-token-2"));
}

#[test]
fn another_registration_is_not_taken_over_by_the_way() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    let other = values("kubeconfig: {path: config}\n").replace("c0", "c1");
    world.sandbox.write("my values/c1.yaml", other);
    let files = ["my values/c1.yaml"];
    let run = world.run_for(&files, REGISTER, &[]);
    fails_with(&run, &["registered by another name", "TAKE_OVER=yes"]);
    assert!(!world.has("control-plane/cluster.c1"));

    // In another control plane it is told by the objects.
    world.remove("control-plane/cluster.c0");
    let run = world.run_for(&files, REGISTER, &[]);
    fails_with(&run, &["objects of another registration", "TAKE_OVER=yes"]);
    assert!(
        run.stdout.contains("serviceaccount/ray-manager (of c0)"),
        "{}",
        run.stdout
    );
    world
        .run_for(&files, REGISTER, &[("TAKE_OVER", "yes")])
        .succeeds();

    // Then they are two of them.
    world.set_values("");
    let run = world.run(REGISTER, &[("TAKE_OVER", "true")]);
    assert!(run.succeeds().contains("also the Cluster c1"));
    let run = world.run(DEREGISTER, &[("CONFIRM", "yes")]);
    fails_with(&run, &["by another name too", "DELETE_SHARED=yes"]);
    assert!(world.has("compute/serviceaccount.ray-manager"));
}

#[test]
fn settings_are_checked_before_anything_else() {
    let world = world("");
    for (procedure, setting, value) in [
        (REGISTER, "TIMEOUT", "0"),
        (REGISTER, "TIMEOUT", "1m"),
        (REGISTER, "TIMEOUT", "99999999999999999999"),
        (REGISTER, "FORCE_CONFLICTS", "force"),
        (REGISTER, "TAKE_OVER", "1"),
        (REGISTER, "SAME_TOKEN", "YES"),
        (DEREGISTER, "CONFIRM", "y"),
        (DEREGISTER, "DELETE_SHARED", "all"),
        (DEREGISTER, "RESTART", "never"),
    ] {
        let run = world.run(procedure, &[(setting, value)]);
        fails_with(&run, &[setting]);
        assert_eq!(world.calls(), [""; 0], "{setting}={value}");
    }
    let run = world.run(REGISTER, &[("TIMEOUT", "08"), ("FORCE_CONFLICTS", "true")]);
    run.succeeds();
    let calls = world.calls();
    assert!(
        calls
            .iter()
            .any(|call| call.contains("--force-conflicts=true"))
    );
}

#[test]
fn a_signal_is_told() {
    let world = world("");
    world
        .sandbox
        .write("world/health", "CONDITION_STATUS_FALSE");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        world.write_program("sleep", &format!("#!/bin/sh\nkill -{signal} $PPID\n"));
        let run = world.run(REGISTER, &[("TIMEOUT", "60")]);
        assert_eq!(run.code, code, "{run:?}");
        assert!(
            run.stderr.contains("\nStopped at: c0: verify"),
            "{}",
            run.stderr
        );
    }

    // Also what is still to be done then.
    world.fail_on("control-plane", "!* rollout restart *");
    let run = world.run(REGISTER, &[]);
    assert_eq!(run.code, 143, "{run:?}");
    assert!(
        run.stderr.contains("has not been restarted yet"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_controller_elsewhere_can_be_named() {
    let world = world("");
    let object = |name: &str| world.object(&format!("control-plane/deployment.{name}"));
    world.run(REGISTER, &[]).succeeds();
    fs::rename(object("michelangelo-controllermgr"), object("ctl")).unwrap();
    world.calls();
    let run = world.run(REGISTER, &[]);
    fails_with(
        &run,
        &["CONTROLLER=NAMESPACE/deployment/NAME", "RESTART=no"],
    );
    assert!(!world.calls().iter().any(|call| call.contains(": apply")));

    fails_with(
        &world.run(REGISTER, &[("CONTROLLER", "ctl")]),
        &["CONTROLLER is neither"],
    );
    fails_with(
        &world.run(REGISTER, &[("CONTROLLER", "ma/deployment/none")]),
        &["ma/deployment/none, which isn't there"],
    );
    let named = ("CONTROLLER", "ma/deployment/ctl");
    world.run(REGISTER, &[named]).succeeds();
    assert!(
        world
            .calls()
            .iter()
            .any(|call| call.contains("-n ma rollout restart deployment/ctl"))
    );

    let run = world.run(REGISTER, &[named, ("RESTART", "no")]);
    run.succeeds();
    assert!(
        run.stderr.contains("LEFT TO YOU")
            && run.stderr.contains("-n ma rollout restart deployment/ctl"),
        "{}",
        run.stderr
    );
    assert!(
        !world
            .calls()
            .iter()
            .any(|call| call.contains("rollout restart"))
    );
    world.run(REGISTER, &[("RESTART", "no")]).succeeds();
}

#[test]
fn nothing_is_revoked_before_someone_has_restarted_the_controller() {
    let world = world("");
    world.run(REGISTER, &[]).succeeds();
    world.set_values(TWO_TOKENS);
    let by_hand = ("RESTART", "no");
    let run = world.run(ROTATE, &[("REVOKE_OLD", "yes"), by_hand]);
    fails_with(&run, &["restart the controller, and then run it"]);
    assert!(!world.has("compute/secret.ray-manager-token-2"));
    world.run(ROTATE, &[by_hand]).succeeds();
    world
        .run(ROTATE, &[("REVOKE_OLD", "yes"), by_hand])
        .succeeds();
    assert!(!world.has("compute/secret.ray-manager-token"));
    // The controller has been asked once more since.
    let calls = world.calls();
    let last = calls
        .iter()
        .rposition(|call| call.contains("statusConditions"));
    assert!(last > Some(super::position(&calls, "delete secret ray-manager-token ")));
}

#[test]
fn missing_rights_leave_things_unchecked() {
    let world = world("");
    for (pattern, said) in [
        (
            "auth can-i create tokenreviews*",
            "whether the compute cluster takes",
        ),
        (
            "auth can-i impersonate serviceaccounts/ray-manager*",
            "whether ray-manager may create",
        ),
        ("*-n ray-system*", "whether KubeRay's operator runs"),
    ] {
        world.fail_on("compute", pattern);
        let run = world.run(REGISTER, &[]);
        run.succeeds();
        assert!(
            run.stderr.contains(&format!("NOT CHECKED: {said}")),
            "{}",
            run.stderr
        );
    }
    world.fail_on("compute", "");
    world.fail_on("control-plane", "* namespace ma-system *");
    let run = world.run(REGISTER, &[]);
    run.succeeds();
    assert!(
        run.stderr
            .contains("NOT CHECKED: whether the control plane has"),
        "{}",
        run.stderr
    );
}

#[test]
fn operators_that_are_needed_have_to_be_there() {
    let world = world("token: none\n");
    let text = values(
        "kubeconfig: {path: config}\ntoken: none\nexternalSecrets: {computeStore: {name: v, kind: ClusterSecretStore}}\n",
    );
    let external = "credentials: {externalSecret: {key: s3, accessKeyIdProperty: id, secretAccessKeyProperty: secret}}";
    world.sandbox.write(
        "my values/c0.yaml",
        text.replace("credentials: workloadIdentity", external),
    );
    let run = world.run(REGISTER, &[]);
    fails_with(&run, &["externalsecrets.external-secrets.io"]);
    assert!(!world.calls().iter().any(|call| call.contains(": apply")));
}

#[test]
fn a_missing_token_file_is_told_before_anything_is_changed() {
    let world = world("token: {file: c0.token}\n");
    let run = world.run(REGISTER, &[]);
    fails_with(
        &run,
        &[
            "c0.token",
            "--side compute",
            "get secret ray-manager-token -o go-template=",
        ],
    );
    assert!(!world.has("compute/serviceaccount.ray-manager"));
    fails_with(&run, &["Nothing has been changed"]);

    // Nobody changes the file while the script waits.
    let file = "my values/c0.token";
    world.sandbox.write(file, token("ray-manager-token"));
    world.run(REGISTER, &[]).succeeds();
    world.set_values(&format!("token: {{file: c0.token}}\n{TWO_TOKENS}"));
    let run = world.run(ROTATE, &[("TIMEOUT", "600")]);
    fails_with(
        &run,
        &["doesn't hold the token", "get secret ray-manager-token-2"],
    );
    world.sandbox.write(file, token("ray-manager-token-2"));
    world.run(ROTATE, &[]).succeeds();
}

#[test]
fn a_script_that_is_out_of_date_does_nothing() {
    let world = world("");
    world.keep(&world.script(REGISTER));
    world.set_values("labels: {team: a}\n");
    let runs_into = |parts: &[&str]| {
        let run = world.start(&[]);
        fails_with(&run, parts);
        assert_eq!(world.calls(), [""; 0]);
    };
    // What the script holds of the values hasn't changed, and what it renders is read now.
    world.start(&[]).succeeds();
    world.calls();
    world.set_values(TWO_TOKENS);
    runs_into(&["have changed since", "ma-register runbook register -f"]);
    world.sandbox.write("my values/c0.yaml", "nosuchkey: 1\n");
    runs_into(&["can't be made again", "nosuchkey"]);
    fs::remove_file(world.sandbox.path().join("my values/c0.yaml")).unwrap();
    runs_into(&["the folder in which the script was made"]);
}

#[test]
fn a_script_may_come_through_a_pipe() {
    let world = world("");
    let script = world.script(REGISTER);
    let run = crate::support::run(&mut world.bash(&[]), script.succeeds_quietly());
    assert!(run.succeeds().contains("is no file"));
}

#[test]
fn the_program_may_be_a_plugin_of_kubectl() {
    let world = world("");
    let bin = world.sandbox.path().join("bin");
    fs::remove_file(bin.join("ma-register")).unwrap();
    symlink(
        PathBuf::from(env!("CARGO_BIN_EXE_ma-register")),
        bin.join("kubectl-ma_register"),
    )
    .unwrap();
    world.run(REGISTER, &[]).succeeds();
    world.keep(&world.script(REGISTER));
    world.set_values(TWO_TOKENS);
    fails_with(&world.start(&[]), &["kubectl ma-register runbook register"]);
}

#[test]
fn a_cluster_may_be_named_as_a_word_of_the_shell() {
    let world = world("");
    let text = values("kubeconfig: {path: config}\n").replace("c0", "esac");
    world.sandbox.write("my values/c0.yaml", text);
    world.run(REGISTER, &[]).succeeds();
    assert!(world.has("control-plane/cluster.esac"));
}
