//! Reading: each row of the table of inputs, through the public functions.
#![expect(clippy::string_slice, reason = "the samples are ASCII")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::CertificateAuthority;
use super::samples::{
    AUTHORITY, DEEP, EXPIRED, FOREVER, OTHER_AUTHORITY, REQUEST, SIGNED_LEAF, VERSION_1,
};

/// The DER of every block by the rules of Go's `encoding/pem`, for text of nothing but blocks.
fn read_as_go(pem: &str) -> Vec<Vec<u8>> {
    let mut ders = Vec::new();
    let mut rest = pem;
    while !rest.is_empty() {
        let body = rest
            .strip_prefix("-----BEGIN CERTIFICATE-----\n")
            .expect("a BEGIN line");
        let (body, after) = body
            .split_once("\n-----END CERTIFICATE-----\n")
            .expect("an END line");
        ders.push(
            STANDARD
                .decode(body.replace('\n', ""))
                .expect("standard base64"),
        );
        rest = after;
    }
    ders
}

fn der(pem: &str) -> Vec<u8> {
    read_as_go(pem).remove(0)
}

/// Reads a PEM file that has to be accepted, and checks what all accepted ones have in common.
fn accept(input: impl AsRef<[u8]>) -> CertificateAuthority {
    let input = input.as_ref();
    let read = CertificateAuthority::from_pem(input).expect("to be accepted");
    check_consistent(&read);
    let encoded = CertificateAuthority::from_base64(&STANDARD.encode(input)).expect("as base64");
    assert_eq!(encoded.pem(), read.pem());
    read
}

fn check_consistent(read: &CertificateAuthority) {
    let ders: Vec<&[u8]> = read
        .certificates()
        .iter()
        .map(super::Certificate::der)
        .collect();
    assert_eq!(read_as_go(read.pem()), ders);
    assert!(!ders.is_empty());
    let again = CertificateAuthority::from_pem(read.pem().as_bytes()).expect("its own output");
    assert_eq!(again.pem(), read.pem());
}

/// The message of an error, which must not hold a longer word of the input.
fn message(result: anyhow::Result<CertificateAuthority>, input: &str) -> String {
    let message = format!("{:#}", result.expect_err("to be refused"));
    for word in input.split(|c: char| !c.is_ascii_alphanumeric()) {
        assert!(word.len() < 14 || !message.contains(word), "{message}");
    }
    assert!(!message.ends_with('.'));
    message
}

fn refuse(input: impl AsRef<[u8]>) -> String {
    let input = input.as_ref();
    let text = String::from_utf8_lossy(input);
    message(CertificateAuthority::from_pem(input), &text)
}

fn refuse_data(input: &str) -> String {
    message(CertificateAuthority::from_base64(input), input)
}

fn with_label(pem: &str, label: &str) -> String {
    pem.replace(" CERTIFICATE-----", &format!(" {label}-----"))
}

fn one_line(pem: &str, separator: &str) -> String {
    pem.trim_end().replace('\n', separator)
}

/// A PEM block, written so that no scanner for secrets takes this file for a key.
fn block(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// PKCS #8 of an Ed25519 key of 32 equal bytes.
fn pkcs8() -> Vec<u8> {
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([0x11; 32]);
    der
}

mod accepted {
    use super::*;

    #[test]
    fn clean_input_byte_for_byte() {
        let bundle = format!("{AUTHORITY}{OTHER_AUTHORITY}");
        let narrow = {
            let body = STANDARD.encode(der(AUTHORITY));
            let (first, second) = body.split_at(75);
            block("CERTIFICATE", &format!("{first}\n{second}"))
        };
        let one_line_body = block("CERTIFICATE", &STANDARD.encode(der(AUTHORITY)));
        for clean in [AUTHORITY, &bundle, &narrow, &one_line_body] {
            assert_eq!(accept(clean).pem(), clean);
        }
        assert_eq!(accept(&bundle).certificates().len(), 2);
    }

    #[test]
    fn shapes_that_are_normalised() {
        let body = STANDARD.encode(der(AUTHORITY));
        let unpadded = block("CERTIFICATE", body.trim_end_matches('='));
        let shapes = [
            AUTHORITY.replace('\n', "\r\n"),
            AUTHORITY.replace('\n', "\r"),
            AUTHORITY.trim_end().to_owned(),
            AUTHORITY.replace('\n', "\\\n"),
            AUTHORITY.replace('\n', "\\  \n   "),
            AUTHORITY.replace('\n', "\n    "),
            AUTHORITY.replace('\n', " \t\n\t"),
            AUTHORITY.replace('\n', "\n\n"),
            format!("\u{feff}{AUTHORITY}"),
            format!("  \n\t{AUTHORITY}\n\n"),
            one_line(AUTHORITY, "\\n"),
            one_line(AUTHORITY, "\\r\\n"),
            one_line(AUTHORITY, " "),
            one_line(AUTHORITY, ""),
            AUTHORITY.replace("-----\n", "-----\nX-Origin: here\nX-More: there\n\n"),
            AUTHORITY.replace(
                "BEGIN CERTIFICATE-----\n",
                "BEGIN CERTIFICATE-----\nKey: value\n",
            ),
            with_label(AUTHORITY, "X509 CERTIFICATE"),
            AUTHORITY
                .replace("-----BEGIN", "----- BEGIN")
                .replace("E-----", "E -----"),
            unpadded,
        ];
        for shape in shapes {
            let read = accept(&shape);
            assert_eq!(read.pem(), AUTHORITY, "{shape}");
        }
    }

    #[test]
    fn text_around_blocks_is_dropped() {
        let text = format!(
            "# the private key is in the vault\n\
             Subject: O=Acme, Inc., CN=one\n    Validity --\n---\n{AUTHORITY}\
             between\n{OTHER_AUTHORITY}\u{fc} after, no line end"
        );
        let bundle = format!("{AUTHORITY}{OTHER_AUTHORITY}");
        assert_eq!(accept(&text).pem(), bundle);
        // Latin-1 in a comment is no reason to refuse.
        let mut bytes = b"# Z\xfcrich\n".to_vec();
        bytes.extend(bundle.as_bytes());
        assert_eq!(accept(&bytes).pem(), bundle);
        // A comment may name a key, as long as it is no marker.
        accept(format!("# OUR PRIVATE KEY IS ELSEWHERE\n{AUTHORITY}"));
    }

    #[test]
    fn a_block_that_is_commented_out_stays_out() {
        let commented = format!("# {}\n", EXPIRED.trim_end().replace('\n', "\n# "));
        assert_eq!(accept(format!("{commented}{AUTHORITY}")).pem(), AUTHORITY);
    }

    #[test]
    fn files_joined_without_a_line_end() {
        let joined = format!("{}{OTHER_AUTHORITY}", AUTHORITY.trim_end());
        assert_eq!(
            accept(&joined).pem(),
            format!("{AUTHORITY}{OTHER_AUTHORITY}")
        );
    }

    #[test]
    fn duplicates_keep_the_first() {
        let twice = format!("{AUTHORITY}{OTHER_AUTHORITY}{AUTHORITY}");
        assert_eq!(
            accept(&twice).pem(),
            format!("{AUTHORITY}{OTHER_AUTHORITY}")
        );
    }

    #[test]
    fn base64_with_any_white_space() {
        let encoded = STANDARD.encode(AUTHORITY);
        let (first, second) = encoded.split_at(40);
        for text in [
            format!(" {first}\n{second}\n"),
            format!("{first}\r\n\t{second}"),
            format!("{first}\\\n      {second}"),
            format!("{first}\\n{second}\\n"),
            format!("{first}\u{c}{second}"),
        ] {
            let read = CertificateAuthority::from_base64(&text).expect("to be accepted");
            assert_eq!(read.pem(), AUTHORITY);
        }
    }

    #[test]
    fn certificates_that_go_accepts() {
        for (pem, subject) in [
            (DEEP, "CN=deep,O=Acme\\, Inc."),
            (FOREVER, "CN=forever,O=Acme\\, Inc."),
            (VERSION_1, "CN=v1,O=Acme\\, Inc."),
        ] {
            assert_eq!(accept(pem).certificates()[0].subject, subject);
        }
    }
}

mod refused {
    use super::*;

    #[track_caller]
    fn says(message: &str, hint: &str) {
        assert!(message.contains(hint), "{message:?} lacks {hint:?}");
    }

    #[test]
    fn nothing_and_placeholders() {
        for empty in ["", " \n\t", "\u{feff}\n"] {
            says(&refuse(empty), "empty");
            says(&refuse_data(empty), "empty");
        }
        for omitted in ["DATA+OMITTED", " REDACTED\n"] {
            says(&refuse(omitted), "kubectl config view --raw");
            says(&refuse_data(omitted), "kubectl config view --raw");
            says(
                &refuse_data(&STANDARD.encode(omitted)),
                "kubectl config view --raw",
            );
        }
    }

    #[test]
    fn data_that_is_not_base64_of_pem() {
        says(
            &refuse_data("/etc/kubernetes/pki/ca.crt"),
            "file's path in `certificate-authority`",
        );
        says(&refuse_data("not base64 at all!"), "not base64");
        says(&refuse_data(AUTHORITY), "PEM itself, not base64");
        says(
            &refuse_data("TG9yZW0gaXBzdW0gZG9sb3I="),
            "without a certificate",
        );
        let twice = STANDARD.encode(STANDARD.encode(AUTHORITY));
        says(&refuse_data(&twice), "base64 once too often");
        says(
            &refuse_data(&STANDARD.encode(&twice)),
            "base64 once too often",
        );
        says(&refuse(STANDARD.encode(AUTHORITY)), "base64 once too often");
        says(
            &refuse_data(&STANDARD.encode(der(AUTHORITY))),
            "DER, not PEM",
        );
        says(
            &refuse(STANDARD.encode(der(AUTHORITY))),
            "without its BEGIN and END lines",
        );
    }

    #[test]
    fn base64_of_another_kind() {
        // `?>` and `~~` make characters of which the two alphabets differ.
        let text = format!("# ??>>~~ü\n{AUTHORITY}\n");
        let padded = URL_SAFE.encode(&text);
        assert!(padded.contains(['-', '_']), "{padded}");
        says(&refuse_data(&padded), "URL-safe base64");
        says(
            &refuse_data(&URL_SAFE_NO_PAD.encode(&text)),
            "URL-safe base64",
        );
        let one_more = format!("{AUTHORITY}{}", "\n".repeat(4 - AUTHORITY.len() % 3));
        let unpadded = STANDARD.encode(one_more);
        assert!(unpadded.ends_with('='));
        says(
            &refuse_data(unpadded.trim_end_matches('=')),
            "lacks its padding",
        );
        let whole = STANDARD.encode(AUTHORITY);
        says(
            &refuse_data(&whole[..=whole.len() / 8 * 4]),
            "lacks its padding",
        );
    }

    #[test]
    fn der_and_other_bytes() {
        says(&refuse(der(AUTHORITY)), "openssl x509 -inform der");
        says(&refuse([0x1f, 0x8b, 0x08, 0x00, 0x33]), "NUL bytes");
        says(&refuse([0xca, 0xfe, 0xba, 0xbe]), "neither PEM nor text");
        let utf16: Vec<u8> = AUTHORITY
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        says(&refuse(&utf16), "UTF-16");
        says(
            &refuse([&[0xff, 0xfe], utf16.as_slice()].concat()),
            "UTF-16",
        );
        says(&refuse(format!("{AUTHORITY}\0")), "NUL bytes");
        says(&refuse("<html>404</html>"), "text without a certificate");
    }

    #[test]
    fn blocks_of_another_kind() {
        says(&refuse(REQUEST), "signing request");
        for (label, hint) in [
            ("NEW CERTIFICATE REQUEST", "signing request"),
            ("TRUSTED CERTIFICATE", "openssl x509 -in"),
            ("PKCS7", "openssl pkcs7 -print_certs"),
            ("X509 CRL", "revocation list"),
            ("PUBLIC KEY", "public key"),
            ("RSA PUBLIC KEY", "public key"),
            ("EC PARAMETERS", "parameters"),
            ("certificate", "by its label"),
            ("HUNTER2HUNTER2HUNTER2", "by its label"),
        ] {
            let other = with_label(AUTHORITY, label);
            says(&refuse(&other), hint);
            let message = refuse(format!("{OTHER_AUTHORITY}{other}"));
            says(&message, hint);
            says(&message, "block 2 of 2");
        }
    }

    #[test]
    fn pieces_of_pem() {
        let lines: Vec<&str> = AUTHORITY.lines().collect();
        let (last, first) = (lines.len() - 1, lines[0]);
        says(&refuse(lines[..last].join("\n")), "no END line");
        says(&refuse(lines[1..].join("\n")), "without its BEGIN line");
        says(
            &refuse(format!("{first}\n{AUTHORITY}")),
            "block 1 has a BEGIN line and no END",
        );
        says(&refuse(first), "no END line");
        says(
            &refuse(AUTHORITY.replace("END CERTIFICATE", "END X509 CRL")),
            "another label than its BEGIN",
        );
        says(
            &refuse(AUTHORITY.replace("-----BEGIN", "----BEGIN")),
            "not complete",
        );
        says(
            &refuse(AUTHORITY.replace("-----END", "----END")),
            "not complete",
        );
        says(&refuse(block("CERTIFICATE", "")), "block 1 of 1");
    }

    #[test]
    fn one_good_and_one_corrupt_certificate() {
        let corrupt = block("CERTIFICATE", "MIIBszCCAVmgAwIBAgIBADAKBggqhkjOPQQDAjBG");
        let not_base64 = block("CERTIFICATE", "MIIB!zCC");
        let mut longer = der(AUTHORITY);
        longer.push(0);
        let longer = block("CERTIFICATE", &STANDARD.encode(longer));
        for bad in [corrupt, not_base64, longer] {
            says(
                &refuse(format!("{AUTHORITY}{bad}{OTHER_AUTHORITY}")),
                "block 2 of 3",
            );
        }
    }

    /// Changes the first occurrence of some bytes of a certificate's DER.
    fn patched(pem: &str, from: &[u8], to: &[u8]) -> String {
        let mut der = der(pem);
        let at = der
            .windows(from.len())
            .position(|window| window == from)
            .expect("the bytes");
        der[at..at + to.len()].copy_from_slice(to);
        block("CERTIFICATE", &STANDARD.encode(der))
    }

    #[test]
    fn certificates_that_go_would_skip() {
        let algorithm = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
        let other = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71];
        says(
            &refuse(patched(AUTHORITY, &algorithm, &other)),
            "two different signature",
        );
        let version_and_serial = [0xa0, 0x03, 0x02, 0x01, 0x02, 0x02];
        let mut bytes = der(AUTHORITY);
        let at = bytes
            .windows(6)
            .position(|w| w == version_and_serial)
            .expect("a version");
        bytes[at + 7] = 0x90;
        says(
            &refuse(block("CERTIFICATE", &STANDARD.encode(bytes))),
            "negative serial",
        );
        let (usage, constraints) = (
            [0x06, 0x03, 0x55, 0x1d, 0x0f],
            [0x06, 0x03, 0x55, 0x1d, 0x13],
        );
        says(
            &refuse(patched(AUTHORITY, &usage, &constraints)),
            "one extension twice",
        );
        says(
            &refuse(patched(SIGNED_LEAF, b"\x0c\x06signed", b"\x13\x06sig_ed")),
            "forbids",
        );
    }
}

mod private_keys {
    use super::*;

    #[track_caller]
    fn is_refused_as_key(input: impl AsRef<[u8]>) {
        let message = refuse(input);
        assert!(message.contains("private key"), "{message:?}");
    }

    #[track_caller]
    fn data_is_refused_as_key(input: &str) {
        let message = refuse_data(input);
        assert!(message.contains("private key"), "{message:?}");
    }

    fn keys() -> Vec<String> {
        let body = STANDARD.encode(pkcs8());
        ["", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH ", "ANY "]
            .map(|kind| block(&format!("{kind}PRIVATE KEY"), &body))
            .to_vec()
    }

    #[test]
    fn by_label_wherever_it_stands() {
        for key in keys() {
            is_refused_as_key(&key);
            is_refused_as_key(format!("{AUTHORITY}{key}"));
            is_refused_as_key(format!("{key}{AUTHORITY}"));
            is_refused_as_key(format!("{AUTHORITY}# {}", key.replace('\n', "\n# ")));
            is_refused_as_key(key.replace('\n', "\r"));
            is_refused_as_key(one_line(&key, "\\n"));
            is_refused_as_key(one_line(&key, ""));
            is_refused_as_key(key.to_lowercase());
            data_is_refused_as_key(&key);
        }
    }

    #[test]
    fn by_label_where_the_block_is_damaged() {
        for key in keys() {
            let (begin, rest) = key.split_once('\n').expect("lines");
            is_refused_as_key(begin);
            is_refused_as_key(rest);
            is_refused_as_key(key.replace("-----", "----"));
            is_refused_as_key(key.replace("-----", ""));
            is_refused_as_key(key.replace("PRIVATE KEY", "PRIVATE  KEY"));
            is_refused_as_key(format!("{AUTHORITY}{begin}\n!!!"));
            is_refused_as_key(format!("{}{key}", &AUTHORITY[..100]));
        }
        is_refused_as_key(block("PGP PRIVATE KEY BLOCK", "lQOYBF"));
    }

    #[test]
    fn within_base64() {
        for key in keys() {
            let mixed = format!("{AUTHORITY}{key}");
            for text in [&key, &mixed] {
                let once = STANDARD.encode(text);
                let twice = STANDARD.encode(&once);
                for encoded in [
                    &once,
                    &twice,
                    &STANDARD.encode(&twice),
                    &URL_SAFE.encode(text),
                ] {
                    is_refused_as_key(encoded);
                    data_is_refused_as_key(encoded);
                    data_is_refused_as_key(encoded.trim_end_matches('='));
                }
            }
            let once = STANDARD.encode(&key);
            is_refused_as_key(format!("{AUTHORITY}{once}\n"));
            is_refused_as_key(format!("{AUTHORITY}users:\n- client-key-data: {once}\n"));
            data_is_refused_as_key(&once[..once.len() / 2]);
        }
    }

    #[test]
    fn by_der_under_another_label_or_none() {
        let base64 = STANDARD.encode(pkcs8());
        is_refused_as_key(pkcs8());
        is_refused_as_key(&base64);
        data_is_refused_as_key(&base64);
        is_refused_as_key(block("CERTIFICATE", &base64));
        is_refused_as_key(block("CERTIFICATE", &base64[..40]));
        is_refused_as_key(format!("{AUTHORITY}key={base64}\n"));
        is_refused_as_key(format!("{AUTHORITY}key\n{base64}\n"));
        is_refused_as_key(format!("{AUTHORITY}MQ==\n{base64}\n"));
        let kinds: [&[u8]; 4] = [
            // PKCS #1, SEC 1, encrypted PKCS #8, PKCS #12
            &[
                0x30, 0x82, 0x04, 0xa4, 0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01,
            ],
            &[
                0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20, 0x11, 0x11, 0x11, 0x11,
            ],
            &[
                0x30, 0x81, 0x9b, 0x30, 0x57, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
                0x05, 0x0d,
            ],
            &[
                0x30, 0x82, 0x09, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82, 0x08, 0x00,
            ],
        ];
        for kind in kinds {
            is_refused_as_key(kind);
            data_is_refused_as_key(&STANDARD.encode(kind));
        }
    }

    #[test]
    fn in_utf16() {
        for key in keys() {
            let utf16: Vec<u8> = key.encode_utf16().flat_map(u16::to_be_bytes).collect();
            is_refused_as_key(&utf16);
            data_is_refused_as_key(&STANDARD.encode(&utf16));
        }
    }
}

/// Every way to cut the bundle or change one byte of it either is refused or gives PEM that Go
/// reads in full; none panics.
#[test]
fn damage_of_any_byte_is_refused_or_harmless() {
    let bundle = format!("{AUTHORITY}text\r\n{OTHER_AUTHORITY}");
    let check = |bytes: &[u8]| {
        if let Ok(read) = CertificateAuthority::from_pem(bytes) {
            check_consistent(&read);
            let _ = read.findings(std::time::SystemTime::now());
        }
    };
    let mut bytes = b"\0\n-A\r=:\\\x80 #".iter().cycle();
    for at in 0..bundle.len() {
        let (start, end) = bundle.as_bytes().split_at(at);
        check(start);
        check(end);
        check(&[start, &end[1..]].concat());
        let byte = [*bytes.next().expect("an endless cycle")];
        check(&[start, &byte, &end[1..]].concat());
        check(&[start, &byte, end].concat());
    }
}

#[test]
fn damage_of_any_byte_of_the_base64_is_refused_or_harmless() {
    let encoded = STANDARD.encode(AUTHORITY);
    for at in 0..encoded.len() {
        let (start, end) = encoded.split_at(at);
        for text in [
            start.to_owned(),
            end.to_owned(),
            format!("{start}{}", &end[1..]),
            format!("{start}-{}", &end[1..]),
            format!("{start}={end}"),
            format!("{start}\u{e9}{end}"),
        ] {
            if let Ok(read) = CertificateAuthority::from_base64(&text) {
                check_consistent(&read);
            }
        }
    }
}

#[test]
fn damage_of_any_byte_of_the_der_is_refused_or_harmless() {
    for sample in [AUTHORITY, SIGNED_LEAF, VERSION_1] {
        let der = der(sample);
        for at in 0..der.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = der.clone();
                damaged[at] ^= flip;
                let pem = block("CERTIFICATE", &STANDARD.encode(&damaged));
                if let Ok(read) = CertificateAuthority::from_pem(pem.as_bytes()) {
                    check_consistent(&read);
                    let _ = read.findings(std::time::SystemTime::now());
                }
            }
        }
    }
}
