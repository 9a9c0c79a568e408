//! Go reads every certificate that is accepted: it would skip others and say nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ma_register::registration::certificate::{Certificate, CertificateAuthority};

use crate::go_client::GoClient;
use crate::support::{fixture_bytes, fixture_names};

/// Certificates of other kinds of keys, P-384, P-224, P-521, Ed25519 and DSA, of which the first has
/// every extension that Go reads; their private keys were thrown away.
const MORE: &[u8] = include_bytes!("go_certificates/more.pem");

/// How each byte of a certificate is changed, one at a time.
const MASKS: [u8; 2] = [0x01, 0x80];
/// Of the changed certificates that are refused, one in so many is shown to Go, too.
const REFUSED_STEP: usize = 40;

/// A changed certificate.
struct Mutant {
    name: String,
    der: Vec<u8>,
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn is_accepted(der: &[u8]) -> bool {
    CertificateAuthority::from_pem(pem(der).as_bytes()).is_ok()
}

/// The certificates of `fixtures/certificates`, and more, each with the name of its file.
fn certificates() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("more".to_owned(), MORE.to_vec())];
    for name in fixture_names("certificates") {
        if name != "request" {
            let bytes = fixture_bytes(&format!("certificates/{name}.crt"));
            files.push((name, bytes));
        }
    }
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, bytes) in files {
        let read = CertificateAuthority::from_pem(&bytes).unwrap();
        for der in read.certificates().iter().map(Certificate::der) {
            if found.iter().all(|(_, other)| other != der) {
                found.push((name.clone(), der.to_vec()));
            }
        }
    }
    found
}

fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (name, der) in certificates() {
        for at in 0..der.len() {
            for mask in MASKS {
                let mut der = der.clone();
                der[at] ^= mask;
                let name = format!("{name} of {} bytes, byte {at} xor {mask:#04x}", der.len());
                mutants.push(Mutant { name, der });
            }
        }
    }
    mutants
}

fn start() -> Option<GoClient> {
    let good = CertificateAuthority::from_pem(&fixture_bytes("certificates/ca.crt")).unwrap();
    GoClient::start(good.certificates()[0].der().to_vec())
}

/// Without this, a judge that says yes to everything would do.
#[test]
fn the_judge_refuses_what_go_refuses() {
    let Some(go) = start() else { return };
    let good = certificates();
    let good: Vec<&[u8]> = good.iter().map(|(_, der)| der.as_slice()).collect();
    assert_eq!(go.refused(&good), []);
    let bad = b"\x30\x03\x02\x01\x00".as_slice();
    let among_good = [good.as_slice(), &[bad], &good].concat();
    let refused = go.refused(&among_good);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].0, good.len());
    assert!(refused[0].1.starts_with("x509: "), "{refused:?}");
}

#[test]
fn go_reads_every_changed_certificate_that_is_accepted() {
    let Some(go) = start() else { return };
    let (accepted, refused): (Vec<Mutant>, Vec<Mutant>) = mutants()
        .into_iter()
        .partition(|mutant| is_accepted(&mutant.der));
    assert!(accepted.len() > 1000 && refused.len() > 1000);

    let ders: Vec<&[u8]> = accepted
        .iter()
        .map(|mutant| mutant.der.as_slice())
        .collect();
    let skipped: Vec<String> = go
        .refused(&ders)
        .into_iter()
        .map(|(index, error)| format!("{}: {error}", accepted[index].name))
        .collect();
    assert_eq!(skipped, [""; 0]);

    // Those do less harm.
    let sample: Vec<&Mutant> = refused.iter().step_by(REFUSED_STEP).collect();
    let needless = sample
        .iter()
        .filter(|mutant| go.refusal(&[&mutant.der]).is_none());
    println!(
        "{} accepted; of {} refused, {} were shown to Go, which reads {}",
        accepted.len(),
        refused.len(),
        sample.len(),
        needless.count()
    );
}
