//! What each finding does: ends the run or warns, says what it is about, and can be accepted.

use std::collections::BTreeSet;

use ma_register::registration::finding::{Code, Level};

use crate::check::{certificate, each, good_kubeconfig, hides_secrets, refused};
use crate::finding_cases::{Case, cases, storage};
use crate::support::{Run, kubeconfig};

/// Checks the cases of a level, each by its code.
#[track_caller]
fn each_at(level: Level, check: impl Fn(&Case)) {
    let cases = cases();
    let rows = cases.iter().filter(|case| case.level == level);
    each(rows.map(|case| (case.code, case)), check);
}

/// The lines of a run's messages that show a finding.
fn findings(run: &Run) -> Vec<&str> {
    let is_finding = |line: &&str| line.starts_with("error[") || line.starts_with("warning[");
    run.stderr.lines().filter(is_finding).collect()
}

/// The run shows one finding, with this mark and the case's text.
#[track_caller]
fn shows(run: &Run, mark: &str, case: &Case) {
    let found = findings(run);
    let [line] = found.as_slice() else {
        panic!("expected one finding in:\n{}", run.stderr)
    };
    let mark = format!("{mark}[{}]: ", case.code);
    assert!(line.starts_with(&mark), "no {mark:?} in:\n{line}");
    for part in case.says {
        assert!(line.contains(part), "no {part:?} in:\n{line}");
    }
    assert!(!line.ends_with('.'), "{line}");
    hides_secrets(run);
}

#[test]
fn every_code_has_a_case_and_the_level_of_the_contract() {
    let cases = cases();
    let mut covered: BTreeSet<&str> = cases.iter().map(|case| case.code).collect();
    // It takes two clusters, so it has a test of its own.
    covered.insert("duplicate-endpoint");
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(covered, known);
    for code in Code::ALL {
        for case in cases.iter().filter(|case| case.code == code.as_str()) {
            assert_eq!(case.level, code.level(), "{code}");
        }
    }
}

#[test]
fn a_denied_finding_ends_the_run() {
    each_at(Level::Deny, |case| {
        for arguments in [&[][..], &["--strict"]] {
            let run = case.render(&[], arguments);
            let accept = format!("`allow: [{}]`", case.code);
            refused(&run, &["failed to accept the cluster `c0`", &accept]);
            shows(&run, "error", case);
        }
    });
}

#[test]
fn a_warning_lets_the_run_go_on_unless_it_is_strict() {
    each_at(Level::Warn, |case| {
        let run = case.render(&[], &[]);
        assert_ne!(run.succeeds(), "");
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        shows(&run, "warning", case);

        let run = case.render(&[], &["--strict"]);
        let accept = format!("`allow: [{}]`", case.code);
        refused(&run, &["failed to accept the cluster `c0`", &accept]);
        shows(&run, "error", case);
    });
}

#[test]
fn an_accepted_finding_is_silent_and_changes_no_output() {
    let cases = cases();
    each(cases.iter().map(|case| (case.code, case)), |case| {
        let run = case.render(&[case.code], &[]);
        let stream = run.succeeds_quietly();
        let strict = case.render(&[case.code], &["--strict"]);
        assert_eq!(strict.succeeds_quietly(), stream);
        if case.level == Level::Warn {
            assert_eq!(case.render(&[], &[]).stdout, stream);
        }
    });
}

#[test]
fn accepting_other_findings_does_not_accept_this_one() {
    let cases = cases();
    each(cases.iter().map(|case| (case.code, case)), |case| {
        let codes = Code::ALL.iter().map(|code| code.as_str());
        let others: Vec<&str> = codes.filter(|code| *code != case.code).collect();
        shows(&case.render(&others, &["--strict"]), "error", case);
    });
}

#[test]
fn findings_of_one_run_are_all_shown() {
    let case = Case {
        kubeconfig: kubeconfig(
            "server: https://localhost\ntls-server-name: x\nproxy-url: http://p",
        ),
        ..Case::of_values(
            "",
            Level::Deny,
            storage("endpoint: http://localhost:9091"),
            &[],
        )
    };
    let denied = ["loopback-server", "tls-server-name", "loopback-storage"];
    let run = case.render(&[], &[]);
    let accept: Vec<String> = denied
        .iter()
        .map(|code| format!("error[{code}]: "))
        .collect();
    refused(&run, &accept.iter().map(String::as_str).collect::<Vec<_>>());
    refused(&run, &["warning[proxy-ignored]: "]);
    let last = run.stderr.lines().last().unwrap();
    assert!(
        last.contains("`allow: [") && !last.contains("proxy-ignored"),
        "{last}"
    );

    let run = case.render(&denied[..2], &[]);
    refused(
        &run,
        &["error[loopback-storage]: ", "`allow: [loopback-storage]`"],
    );
    let run = case.render(&denied, &[]);
    run.succeeds();
    assert_eq!(findings(&run).len(), 1, "{}", run.stderr);
}

#[test]
fn a_code_that_is_not_known_is_refused_with_those_that_are() {
    let case = Case::of_kubeconfig("", Level::Warn, good_kubeconfig(), &[]);
    let run = case.render(&["loopback-sever"], &[]);
    refused(
        &run,
        &[
            "`c0.yaml`",
            "`allow`",
            "`loopback-sever`",
            "did you mean `loopback-server`",
        ],
    );
    for code in Code::ALL {
        refused(&run, &[&format!("`{code}`")]);
    }
    // A code that nothing was found for is no mistake.
    case.render(&["ca-expired", "ca-expired"], &[])
        .succeeds_quietly();
}

#[test]
fn a_self_signed_certificate_that_can_be_neither_is_denied() {
    let pem = certificate("no-basic-constraints");
    let says = &[
        "no basicConstraints",
        "self-signed",
        "subject alternative name",
    ];
    let case = Case::of_authority("leaf-without-san", Level::Deny, &pem, says);
    shows(&case.render(&[], &[]), "error", &case);
}
