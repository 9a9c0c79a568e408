//! Each check of a script, made to fail: the script stops there, says what to look at, and works
//! when it is run again.

use std::fs;

use super::{DEREGISTER, REGISTER, ROTATE, TWO_TOKENS, World, world};

/// Runs the script where calls that match a pattern fail, then again where none does.
fn stops(world: &World, procedure: &str, side: &str, pattern: &str, hints: &[&str]) {
    let variables = [("CONFIRM", "yes")];
    world.fail_on(side, pattern);
    let run = world.run(procedure, &variables);
    assert_eq!(run.code, 1, "{procedure}: {side}: {pattern}: {run:?}");
    assert!(
        run.stderr.contains("\nerror: "),
        "{pattern}: {}",
        run.stderr
    );
    assert!(
        run.stderr.contains("  look at: "),
        "{pattern}: {}",
        run.stderr
    );
    assert!(run.stderr.contains("\nStopped at: "), "{}", run.stderr);
    for hint in hints {
        assert!(
            run.stderr.contains(hint),
            "{pattern}: no {hint} in {}",
            run.stderr
        );
    }
    assert!(!run.stdout.contains("== done =="), "{pattern}");
    world.fail_on(side, "");
    let again = world.run(procedure, &variables);
    assert_eq!(again.code, 0, "{pattern}: {}", again.stderr);
}

#[test]
fn of_registering() {
    let world = world("");
    for (side, pattern, hints) in [
        (
            "compute",
            "config view*",
            &["KUBECONFIG", "get-contexts"][..],
        ),
        (
            "control-plane",
            "config view*",
            &["KUBECONFIG", "get-contexts"],
        ),
        (
            "compute",
            "auth can-i create selfsubject*",
            &["VPN", "--all-namespaces"],
        ),
        ("control-plane", "auth can-i create selfsubject*", &["VPN"]),
        (
            "compute",
            "api-resources *=ray.io*",
            &["can't be told whether", "kubectl said: error: made to fail"],
        ),
        (
            "control-plane",
            "api-resources *=michelangelo.api*",
            &["can't be told whether there is clusters.michelangelo.api"],
        ),
        ("compute", "apply*", &["FORCE_CONFLICTS=yes", "auth can-i"]),
        (
            "compute",
            "*secret ray-manager-token*{{with*",
            &[
                "kubectl said: error: made to fail",
                "kubernetes.io/service-account.name",
                "before its ServiceAccount",
            ],
        ),
        ("compute", "*base64decode*", &["control-plane side"]),
        ("control-plane", "apply*", &["ma-system auth can-i"]),
        (
            "compute",
            "* serviceaccounts *",
            &["-n default serviceaccounts ray-manager"],
        ),
        (
            "compute",
            "auth can-i create rayjobs*",
            &[
                "rayjobs.ray.io",
                "describe clusterrole.rbac.authorization.k8s.io/ray-manager\n",
            ],
        ),
        ("compute", "* configmaps *", &["michelangelo-config"]),
        (
            "control-plane",
            "* cluster-c0-ca-data *",
            &["can't be told"],
        ),
        ("compute", "create *", &["tokenreviews"]),
        (
            "control-plane",
            "* clusters.michelangelo.api c0 -o name",
            &["can't be told"],
        ),
        (
            "control-plane",
            "*statusConditions*",
            &["can't be told what the controller says", "kubectl said"],
        ),
    ] {
        stops(&world, REGISTER, side, pattern, hints);
    }
}

#[test]
fn of_rotating() {
    let world = world(TWO_TOKENS);
    let run = world.run(ROTATE, &[]);
    assert!(
        run.stderr
            .contains("no token Secret ray-manager-token to rotate away from"),
        "{}",
        run.stderr
    );
    world.run(REGISTER, &[]).succeeds();
    for (side, pattern, hints) in [
        ("compute", "apply*", &["auth can-i"][..]),
        ("control-plane", "apply*", &["auth can-i"]),
        (
            "control-plane",
            "* rollout restart *",
            &["describe deployment/"],
        ),
        (
            "control-plane",
            "* rollout status *",
            &["describe deployment/"],
        ),
        (
            "control-plane",
            "*statusConditions*",
            &["can't be told what the controller says"],
        ),
    ] {
        stops(&world, ROTATE, side, pattern, hints);
    }
}

#[test]
fn of_deregistering() {
    let world = world("");
    for (side, pattern, hints) in [
        ("compute", "*instance*", &["can't be told"][..]),
        (
            "control-plane",
            "* delete cluster*",
            &[
                "finalizer",
                "patch cluster.michelangelo.api/c0 --type=merge",
            ],
        ),
        ("control-plane", "* delete secret*", &["the message above"]),
        ("control-plane", "* rollout *", &["describe deployment/"]),
        ("compute", "* delete *", &["the message above"]),
    ] {
        world.run(REGISTER, &[]).succeeds();
        stops(&world, DEREGISTER, side, pattern, hints);
    }
}

#[test]
fn of_the_cluster_itself() {
    let world = world("");
    // The controller says that it doesn't reach it.
    world
        .sandbox
        .write("world/health", "CONDITION_STATUS_FALSE");
    let run = world.run(REGISTER, &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr
            .contains("the last it said: CONDITION_STATUS_FALSE"),
        "{}",
        run.stderr
    );
    world.sandbox.write("world/health", "CONDITION_STATUS_TRUE");
    world.run(REGISTER, &[]).succeeds();
    // A missing program, and a wrong setting.
    let run = world.run(REGISTER, &[("TIMEOUT", "1m")]);
    assert!(
        run.stderr.contains("TIMEOUT is not a number"),
        "{}",
        run.stderr
    );
    fs::remove_file(world.sandbox.path().join("bin/ma-register")).unwrap();
    let run = world.run(REGISTER, &[]);
    assert!(
        run.stderr.contains("no program ma-register on the PATH"),
        "{}",
        run.stderr
    );
}

#[test]
fn of_a_token_that_is_not_taken() {
    let world = world("token: none\n");
    let secret = world.object("control-plane/secret.cluster-c0-client-token");
    for (token, message) in [
        (
            "c3RyYW5nZXI=",
            "for 'nobody', not for system:serviceaccount:default:ray-manager",
        ),
        ("c3RyYW5nZXIK", "white space"),
    ] {
        fs::write(&secret, format!("data:\n  token: \"{token}\"\n")).unwrap();
        let run = world.run(REGISTER, &[]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}
