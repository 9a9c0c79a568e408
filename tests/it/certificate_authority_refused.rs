//! Which certificate authorities are refused, and with which hint.

use crate::check::{
    block, certificate, der, each, kubeconfig_with_authority, refused, render_data, render_file,
    render_text,
};
use crate::support::{Sandbox, base64, fixture_bytes, values};

/// How a private key of PKCS #8 for an elliptic curve begins.
const KEY_HEAD: &[u8] = b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";

/// A text that looks like a private key and is none.
fn private_key(label: &str) -> String {
    block(label, "SENTINEL-private-key, made by a test")
}

fn certificate_request() -> Vec<u8> {
    fixture_bytes("certificates/request.csr")
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let sandbox = Sandbox::with_cluster();
    sandbox.write("pki/other.crt", "");
    each(
        [
            ("missing", ("pki/ca.crt", ["`pki/ca.crt`", "No such file"])),
            ("a folder", ("pki", ["`pki`", "a folder"])),
            (
                "empty",
                ("pki/other.crt", ["`pki/other.crt`", "the data is empty"]),
            ),
        ],
        |(path, parts)| {
            let line = format!("certificate-authority: {path}");
            refused(
                &sandbox.render_kubeconfig(kubeconfig_with_authority(&line)),
                &parts,
            );
        },
    );
}

#[test]
fn what_is_no_pem_of_certificates_is_refused_each_with_its_own_hint() {
    let sandbox = Sandbox::with_cluster();
    let ca = certificate("ca");
    let data = base64(&ca);
    let sure_to_pad = base64(if ca.len().is_multiple_of(3) {
        format!("{ca}\n")
    } else {
        ca.clone()
    });
    // Signs that only a comment has make the two alphabets differ.
    let url_safe = base64(format!("# ??? >>> ??? >>>\n#\n{ca}"))
        .replace('+', "-")
        .replace('/', "_");
    assert!(url_safe.contains(['-', '_']));
    let (cut_off, _) = ca.split_at(ca.len() / 2);
    let rows = [
        (
            "left out by kubectl",
            ("DATA+OMITTED".to_owned(), "`kubectl config view --raw`"),
        ),
        (
            "left out by others",
            ("REDACTED".to_owned(), "`kubectl config view --raw`"),
        ),
        ("no base64", ("%%% SENTINEL".to_owned(), "not base64")),
        (
            "a path",
            ("/etc/kubernetes/pki/ca.crt!".to_owned(), "not base64"),
        ),
        ("URL-safe base64", (url_safe, "URL-safe")),
        (
            "unpadded base64",
            (sure_to_pad.trim_end_matches('=').to_owned(), "padding"),
        ),
        ("raw PEM", (ca.clone(), "PEM itself")),
        ("base64 twice", (base64(&data), "base64 once too often")),
        ("DER", (base64(der(&ca)), "openssl x509 -inform der")),
        (
            "a signing request",
            (base64(certificate_request()), "signing request"),
        ),
        (
            "a trusted certificate",
            (
                base64(ca.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
                "`TRUSTED CERTIFICATE`",
            ),
        ),
        (
            "text",
            (
                base64("SENTINEL is no certificate\n"),
                "text without a certificate",
            ),
        ),
        ("PEM cut off in its body", (base64(cut_off), "cut off")),
        (
            "PEM without its BEGIN line",
            (
                base64(ca.replace("-----BEGIN CERTIFICATE-----\n", "")),
                "the beginning is missing",
            ),
        ),
        (
            "PEM with a dash too few",
            (
                base64(ca.replace("-----END", "----END")),
                "BEGIN or END line is not complete",
            ),
        ),
        (
            "a public key",
            (base64(block("PUBLIC KEY", "x")), "a public key"),
        ),
        ("PKCS #7", (base64(block("PKCS7", "x")), "PKCS #7")),
        ("blanks", (base64(" \n"), "the data is empty")),
    ];
    let mut hints: Vec<String> = Vec::new();
    for (name, (text, part)) in &rows {
        let run = render_text(&sandbox, text);
        let place = "`certificate-authority-data` of the cluster `k` of `kubeconfig`";
        each([(*name, ())], |()| refused(&run, &[place, part]));
        let hint = run.stderr.lines().last().unwrap().to_owned();
        if !part.contains("view --raw") && *part != "not base64" {
            assert!(
                !hints.contains(&hint),
                "row {name:?} has another row's hint: {hint}"
            );
        }
        hints.push(hint);
    }
}

#[test]
fn files_that_are_no_pem_of_certificates_are_refused() {
    let sandbox = Sandbox::with_cluster();
    let ca = certificate("ca");
    let utf16: Vec<u8> = format!("\u{feff}{ca}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    each(
        [
            ("DER", (der(&ca), "openssl x509 -inform der")),
            (
                "base64 of PEM",
                (base64(&ca).into_bytes(), "base64 where PEM belongs"),
            ),
            (
                "a signing request",
                (certificate_request(), "signing request"),
            ),
            ("UTF-16", (utf16, "UTF-16")),
            ("text", (b"SENTINEL".to_vec(), "text without a certificate")),
            ("cut off", (ca.as_bytes()[..300].to_vec(), "cut off")),
        ],
        |(bytes, part)| refused(&render_file(&sandbox, bytes), &["`ca.crt`", part]),
    );
}

#[test]
fn a_private_key_is_refused_wherever_it_stands() {
    let sandbox = Sandbox::with_cluster();
    let ca = certificate("ca");
    let key = private_key("PRIVATE KEY");
    let rows = [
        ("alone", key.clone()),
        ("before a certificate", format!("{key}{ca}")),
        ("after a certificate", format!("{ca}{key}")),
        (
            "between certificates",
            format!("{ca}{key}{}", certificate("edge-ca")),
        ),
        ("of RSA", format!("{ca}{}", private_key("RSA PRIVATE KEY"))),
        (
            "of an elliptic curve",
            format!("{ca}{}", private_key("EC PRIVATE KEY")),
        ),
        (
            "of OpenSSH",
            format!("{ca}{}", private_key("OPENSSH PRIVATE KEY")),
        ),
        (
            "encrypted",
            format!("{ca}{}", private_key("ENCRYPTED PRIVATE KEY")),
        ),
        ("in base64", format!("{ca}{}\n", base64(&key))),
        ("in base64 twice", base64(base64(&key))),
        (
            "as DER",
            base64([KEY_HEAD, b"SENTINEL-private-key".as_slice()].concat()),
        ),
        ("cut off", format!("{ca}{}", key.split_at(60).0)),
        ("indented", format!("{ca}   {}", key.replace('\n', "\n   "))),
        (
            "in a comment's line",
            format!("# {}\n{ca}", key.replace('\n', " ")),
        ),
        (
            "with newlines as `\\n`",
            format!("{ca}{}", key.replace('\n', "\\n")),
        ),
    ];
    let values_with_file = values("token: none\nkubeconfig: {certificateAuthority: pki.pem}\n");
    each(rows, |pem| {
        sandbox.write("c0.yaml", values("token: none\n"));
        let runs = [
            render_data(&sandbox, &pem),
            render_text(&sandbox, &pem),
            render_file(&sandbox, &pem),
            {
                sandbox.write("pki.pem", &pem);
                sandbox.write("c0.yaml", &values_with_file);
                sandbox.render(&[])
            },
        ];
        for run in runs {
            refused(&run, &["holds a private key", "openssl x509"]);
        }
    });
}

#[test]
fn a_corrupt_certificate_is_refused_by_its_number() {
    let sandbox = Sandbox::with_cluster();
    let ca = certificate("ca");
    let other = certificate("edge-ca");
    let cut = block("CERTIFICATE", &der(&other)[..200]);
    let longer = block("CERTIFICATE", [der(&other), vec![0]].concat());
    let mut changed = der(&other);
    changed[4] = 0x31;
    each(
        [
            (
                "no base64",
                (
                    format!("{ca}{}", other.replace("MII", "M*I")),
                    "block 2 of 2",
                ),
            ),
            (
                "first",
                (
                    format!("{}{ca}", other.replace("MII", "M*I")),
                    "block 1 of 2",
                ),
            ),
            ("cut off", (format!("{ca}{cut}{ca}"), "block 2 of 3")),
            (
                "bytes after its end",
                (format!("{ca}{longer}"), "block 2 of 2"),
            ),
            (
                "no body",
                (format!("{ca}{}", block("CERTIFICATE", "")), "block 2 of 2"),
            ),
            (
                "no sequence",
                (
                    format!("{ca}{}", block("CERTIFICATE", changed)),
                    "block 2 of 2",
                ),
            ),
            (
                "no certificate",
                (
                    format!("{ca}{}", block("CERTIFICATE", "SENTINEL")),
                    "block 2 of 2",
                ),
            ),
        ],
        |(pem, part)| refused(&render_data(&sandbox, pem), &[part, "corrupt"]),
    );
}
