//! The README's first use, to its end.

use super::World;
use crate::readme::{blocks, readme};
use crate::support::{fixture_text, run};

#[test]
fn the_first_use_ends_with_a_registered_cluster() {
    let readme = readme();
    let (_, part) = readme
        .split_once("\n## From a kubeconfig to a registered cluster\n")
        .unwrap();
    let (part, _) = part.split_once("\n## ").unwrap();
    let world = World::new("");
    let file = "kubeconfigs/k3d.kubeconfig";
    let sandbox = &world.sandbox;
    sandbox.write(&format!("fixtures/{file}"), fixture_text(file));
    sandbox.write("world/compute/context", "k3d-compute-0");
    sandbox.write("world/control-plane/context", "my-control-plane-context");
    for block in blocks(part, "console") {
        for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let mut bash = world.bash(&[]);
            run(bash.args(["-c", command]), "").succeeds_quietly();
        }
    }
    let [script] = blocks(part, "text")[..] else {
        panic!("one transcript of a script");
    };
    let (command, output) = script.split_once('\n').unwrap();
    assert_eq!(command, "$ bash register.sh");
    let mut bash = world.bash(&[]);
    let run = run(bash.arg("register.sh"), "");
    world.check_that_nothing_leaked(&run);
    assert_eq!(run.succeeds_quietly().trim(), output);
    assert!(world.has("control-plane/cluster.compute-0"));
}
