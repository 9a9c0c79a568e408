//! Which certificate authorities are accepted, and as which PEM.

use crate::check::{
    SERVER, authority, block, certificate, der, each, hides_secrets, kubeconfig_with_authority,
    refused, render_data, render_file, render_text,
};
use crate::objects::object;
use crate::support::{
    Sandbox, base64, ca_data_line, fixture, fixture_bytes, fixture_text, kubeconfig_of, values,
};

#[test]
fn clean_pem_passes_through_byte_for_byte() {
    let sandbox = Sandbox::with_cluster();
    for name in ["ca", "bundle", "eks-ca", "aks-ca", "gke-ca"] {
        let pem = certificate(name);
        let run = render_data(&sandbox, &pem);
        assert_eq!(authority(run.succeeds_quietly()), pem, "{name} as data");
        let run = render_file(&sandbox, &pem);
        assert_eq!(authority(run.succeeds_quietly()), pem, "{name} as a file");
    }
}

#[test]
fn base64_may_have_white_space() {
    let sandbox = Sandbox::with_cluster();
    let pem = certificate("ca");
    let data = base64(&pem);
    let wrapped = |end: &str| {
        let lines: Vec<&str> = data
            .as_bytes()
            .chunks(76)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        lines.join(end)
    };
    each(
        [
            ("line feeds", wrapped("\\n")),
            ("line feeds of Windows", wrapped("\\r\\n")),
            ("blanks", wrapped(" ")),
            ("tabs", wrapped("\\t")),
            ("form feeds", wrapped("\\f")),
            ("around it", format!(" \\n{data}\\n ")),
        ],
        |data| {
            let line = format!("certificate-authority-data: \"{data}\"");
            let run = sandbox.render_kubeconfig(kubeconfig_with_authority(&line));
            assert_eq!(authority(run.succeeds_quietly()), pem);
        },
    );
    let run = render_text(&sandbox, &wrapped("\n"));
    assert_eq!(authority(run.succeeds_quietly()), pem);
}

#[test]
fn what_is_plainly_meant_becomes_pem_that_go_reads() {
    let sandbox = Sandbox::with_cluster();
    let ca = certificate("ca");
    let other = certificate("edge-ca");
    let both = format!("{ca}{other}");
    let indented: String = ca.lines().map(|line| format!("    {line}\n")).collect();
    let continued: String = ca.lines().map(|line| format!("{line}\\\n")).collect();
    let escaped = ca.replace('\n', "\\n");
    let one_line = block("CERTIFICATE", der(&ca)).replace('\n', "");
    let text = format!("Certificate:\n    Data:\n        Version: 3 (0x2)\n{ca}");
    let between = format!("# the old one\n{ca}\nsubject=CN = edge\n\n{other}# the end\n");
    let rows = [
        ("several", (both.clone(), &both)),
        ("the same twice", (ca.repeat(2), &ca)),
        ("the same twice, apart", (format!("{both}{ca}"), &both)),
        ("CRLF", (ca.replace('\n', "\r\n"), &ca)),
        ("CR", (ca.replace('\n', "\r"), &ca)),
        ("text before the block", (text, &ca)),
        ("text around blocks", (between, &both)),
        ("no last newline", (ca.trim_end().to_owned(), &ca)),
        ("several, joined without a newline", {
            (format!("{}{other}", ca.trim_end()), &both)
        }),
        ("lines that end in `\\`", (continued, &ca)),
        ("newlines as `\\n`", (escaped, &ca)),
        ("indented", (indented, &ca)),
        ("a byte order mark", (format!("\u{feff}{ca}"), &ca)),
        ("all on one line", (one_line, &ca)),
        ("empty lines", (ca.replace('\n', "\n\n"), &ca)),
    ];
    each(rows, |(pem, expected)| {
        let run = render_data(&sandbox, &pem);
        assert_eq!(&authority(run.succeeds_quietly()), expected, "as data");
        let run = render_file(&sandbox, &pem);
        assert_eq!(&authority(run.succeeds_quietly()), expected, "as a file");
    });
}

#[test]
fn a_body_on_one_line_is_clean() {
    let sandbox = Sandbox::with_cluster();
    let body = base64(der(&certificate("ca")));
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let run = render_data(&sandbox, &pem);
    assert_eq!(authority(run.succeeds_quietly()), pem);
}

#[test]
fn ranchers_continuation_lines_are_read() {
    let sandbox = Sandbox::with_cluster();
    let text = fixture_text("kubeconfigs/rancher.kubeconfig");
    assert!(text.contains("\\\n"));
    sandbox.write("kubeconfig", text);
    let run = sandbox.render(&["--context", "compute-0-cp1"]);
    assert_eq!(authority(run.succeeds_quietly()), certificate("rke2-ca"));

    // The same in a form of YAML that keeps the backslashes.
    let data = base64(certificate("ca"));
    let (first, second) = data.split_at(100);
    let run = render_text(&sandbox, &format!("{first}\\\n{second}"));
    assert_eq!(authority(run.succeeds_quietly()), certificate("ca"));
}

#[test]
fn data_or_a_file_and_not_both() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("ca.crt", fixture_bytes("certificates/edge-ca.crt"));
    let file = "certificate-authority: ca.crt";
    let render = |data: &str| {
        sandbox.render_kubeconfig(kubeconfig_with_authority(&format!("{data}\n{file}")))
    };
    for data in [
        "certificate-authority-data: \"\"",
        "certificate-authority-data:",
    ] {
        let run = render(data);
        assert_eq!(
            authority(run.succeeds_quietly()),
            certificate("edge-ca"),
            "{data}"
        );
    }
    let both = render(&ca_data_line(certificate("ca")));
    refused(
        &both,
        &["both `certificate-authority-data` and `certificate-authority`"],
    );

    for empty in ["certificate-authority: \"\"", "certificate-authority:"] {
        let lines = format!("{}\n{empty}", ca_data_line(certificate("ca")));
        let run = sandbox.render_kubeconfig(kubeconfig_with_authority(&lines));
        assert_eq!(
            authority(run.succeeds_quietly()),
            certificate("ca"),
            "{empty}"
        );
    }
}

#[test]
fn without_an_authority_the_values_file_has_to_decide() {
    let sandbox = Sandbox::with_cluster();
    let rows = [
        ("none", String::new()),
        ("empty data", "certificate-authority-data: \"\"".to_owned()),
        ("null data", "certificate-authority-data: null".to_owned()),
        (
            "an empty file name",
            "certificate-authority: \"\"".to_owned(),
        ),
        ("a null file name", "certificate-authority:".to_owned()),
    ];
    each(rows.clone(), |line| {
        sandbox.write("c0.yaml", values("token: none\n"));
        let parts = [
            "no certificate authority",
            "`kubeconfig.certificateAuthority`",
            "`system`",
        ];
        refused(
            &sandbox.render_kubeconfig(kubeconfig_with_authority(&line)),
            &parts,
        );
    });
    each(rows, |line| {
        sandbox.write(
            "c0.yaml",
            values("token: none\nkubeconfig: {certificateAuthority: system}\n"),
        );
        let run = sandbox.render_kubeconfig(kubeconfig_with_authority(&line));
        let secret = object(run.succeeds_quietly(), "Secret", "cluster-c0-ca-data");
        assert_eq!(secret["data"]["cadata"].as_str(), Some(""));
    });
}

#[test]
fn the_values_file_replaces_the_authority() {
    let sandbox = Sandbox::with_cluster();
    let path = |path: &str| {
        values(&format!(
            "token: none\nkubeconfig: {{certificateAuthority: {path}}}\n"
        ))
    };
    sandbox.write("pki/edge.crt", certificate("edge-ca"));
    sandbox.write("c0.yaml", path("pki/edge.crt"));
    let edge = certificate("edge-ca");
    each(
        [
            ("none", String::new()),
            ("another", ca_data_line(certificate("ca"))),
            (
                "data that was left out",
                "certificate-authority-data: DATA+OMITTED".to_owned(),
            ),
            (
                "a missing file",
                "certificate-authority: nowhere.crt".to_owned(),
            ),
            ("no check", "insecure-skip-tls-verify: true".to_owned()),
        ],
        |lines| {
            let run = sandbox.render_kubeconfig(kubeconfig_of(&format!("{SERVER}\n{lines}")));
            assert_eq!(authority(run.succeeds_quietly()), edge);
        },
    );
    sandbox.write("c0.yaml", path(&fixture("certificates/k3d-ca.crt")));
    let run = sandbox.render(&[]);
    assert_eq!(authority(run.succeeds_quietly()), certificate("k3d-ca"));

    sandbox.write("c0.yaml", path("nowhere.crt"));
    let parts = [
        "`c0.yaml`",
        "`kubeconfig.certificateAuthority`",
        "`nowhere.crt`",
    ];
    refused(&sandbox.render(&[]), &parts);
    sandbox.write("c0.yaml", path("''"));
    refused(
        &sandbox.render(&[]),
        &["`kubeconfig.certificateAuthority` is empty"],
    );
}

#[test]
fn the_clock_changes_no_output() {
    let sandbox = Sandbox::with_cluster();
    for name in ["expired", "not-yet-valid"] {
        let pem = certificate(name);
        let run = render_data(&sandbox, &pem);
        assert_eq!(authority(run.succeeds()), pem, "{name}");
        assert!(run.stderr.starts_with("warning[ca-"), "{}", run.stderr);
        hides_secrets(&run);
    }
    // One that will be valid, beside one that is, is a rotation prepared in good time.
    let pem = format!("{}{}", certificate("ca"), certificate("not-yet-valid"));
    let run = render_data(&sandbox, &pem);
    assert_eq!(authority(run.succeeds_quietly()), pem);
}

#[test]
fn providers_authorities_reach_the_control_plane_unchanged() {
    let sandbox = Sandbox::with_cluster();
    for (provider, name) in [
        ("eks", "eks-ca"),
        ("aks", "aks-ca"),
        ("openshift", "bundle"),
    ] {
        let text = fixture_text(&format!("kubeconfigs/{provider}.kubeconfig"));
        let run = sandbox.render_kubeconfig(text);
        assert_eq!(
            authority(run.succeeds_quietly()),
            certificate(name),
            "{provider}"
        );
    }
    // GKE's DNS endpoint comes without one.
    let text = fixture_text("kubeconfigs/gke-dns.kubeconfig");
    refused(
        &sandbox.render_kubeconfig(text),
        &["no certificate authority", "`system`"],
    );
}
