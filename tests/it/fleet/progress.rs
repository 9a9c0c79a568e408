//! How far a long run has got is shown on a terminal, and only there.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::with_clusters;
use crate::stream::on_a_terminal;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// What a run shows that has to wait for one of its kubeconfigs.
fn slow_run(arguments: &[&str]) -> String {
    let sandbox = with_clusters(&NAMES);
    let slow = sandbox.path().join("clusters/f.kubeconfig");
    let kubeconfig = fs::read(&slow).unwrap();
    fs::remove_file(&slow).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &slow, FileType::Fifo, mode, 0).unwrap();
    let writer = thread::spawn(move || {
        // Longer than a run may take without showing anything.
        thread::sleep(Duration::from_millis(1500));
        fs::write(slow, kubeconfig).unwrap();
    });
    let files = NAMES.map(|name| format!("clusters/{name}.yaml"));
    let mut command = sandbox.command();
    command.env("TERM", "xterm-256color");
    command.args(["render", "-o", "out", "-f"]).args(files);
    let shown = on_a_terminal(command.args(arguments));
    writer.join().unwrap();
    assert_eq!(sandbox.files("out").len(), 6 * 7);
    shown
}

#[test]
fn a_long_run_shows_how_far_it_is_and_cleans_up() {
    let shown = slow_run(&[]);
    assert!(
        shown.contains("rendering") && shown.contains("6/6"),
        "{shown:?}"
    );
    // The bar's line is cleared before the summary.
    let (_, last) = shown.rsplit_once("\u{1b}[2K").unwrap();
    assert_eq!(
        last,
        "`out`: 42 added, 0 changed, 0 removed, 0 unchanged\r\n"
    );
}

#[test]
fn quiet_shows_nothing_on_a_terminal_either() {
    assert_eq!(slow_run(&["--quiet"]), "");
}
