//! A private key in the data: refused before anything else is looked at, and never shown.
//!
//! People hand over the wrong file, or one that has the key beside the certificate. A key is known
//! by its PEM label, whole or damaged, or by how its DER begins, and both may be wrapped in base64
//! any number of times, with text around it. A comment that only speaks of a private key is none.

use anyhow::{Result, bail};

use super::base64_text;

/// How many layers of base64 are looked through.
const DEPTH: usize = 4;

/// The shortest base64 that is looked into; a word of a comment is shorter.
const SHORTEST: usize = 12;

/// Refuses data that holds a private key.
pub fn refuse(bytes: &[u8]) -> Result<()> {
    if is_in(bytes, DEPTH) {
        bail!(
            "the data holds a private key, which does not belong here: give the certificates \
             only, for example by `openssl x509 -in FILE -out ca.pem`, and if the kubeconfig was \
             shared, replace the key"
        );
    }
    Ok(())
}

fn is_in(bytes: &[u8], depth: usize) -> bool {
    if begins_as_key(bytes) {
        return true;
    }
    // UTF-16 of ASCII is ASCII with NUL bytes.
    let plain: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != 0).collect();
    let text = super::pem::unescape(&String::from_utf8_lossy(&plain));
    if text.lines().any(has_label) {
        return true;
    }
    depth > 0
        && base64_runs(&text)
            .iter()
            .filter_map(|run| decode_what_can_be(run))
            .any(|inner| begins_as_key(&inner) || (may_be_text(&inner) && is_in(&inner, depth - 1)))
}

/// Whether bytes may be text, also in UTF-16: a certificate's DER is none, and needn't be searched
/// for words.
fn may_be_text(bytes: &[u8]) -> bool {
    let is_of_text =
        |byte: &&u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || **byte == 0;
    bytes.iter().filter(is_of_text).count() >= bytes.len() / 4 * 3
}

/// Whether a line has a label such as `-----BEGIN EC PRIVATE KEY-----`, dashes or blanks missing
/// or not.
fn has_label(line: &str) -> bool {
    let upper = line.to_ascii_uppercase();
    let is_marker = upper.contains("--") || upper.contains("BEGIN");
    is_marker
        && upper
            .replace(|c: char| c.is_whitespace() || c == '\\', "")
            .contains("PRIVATEKEY")
}

/// Everything that may be base64: lines of nothing else, each and joined, and the words of the
/// others. Padding ends a run: more may follow it.
fn base64_runs(text: &str) -> Vec<String> {
    let mut runs = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        let compact = base64_text::compact(line);
        if compact
            .bytes()
            .all(|byte| is_base64(byte.into()) || byte == b'=')
        {
            joined.push_str(&compact);
            runs.push(compact);
        } else {
            runs.push(std::mem::take(&mut joined));
            // Dashes around a word are a PEM marker's rather than base64's.
            let words = line.split(|c| !is_base64(c));
            runs.extend(words.map(|word| word.trim_matches('-').to_owned()));
        }
    }
    runs.push(joined);
    let runs = runs.iter().flat_map(|run| run.split('='));
    runs.filter(|run| run.len() >= SHORTEST)
        .map(str::to_owned)
        .collect()
}

/// Whether a character is of the standard or the URL-safe alphabet.
fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '-' | '_')
}

/// Decodes either alphabet, also where the end is cut off.
fn decode_what_can_be(run: &str) -> Option<Vec<u8>> {
    let mut standard = run.replace('-', "+").replace('_', "/");
    if standard.len() % 4 == 1 {
        standard.pop();
    }
    base64_text::decode_unpadded(&standard)
}

/// Whether DER begins as a private key does: PKCS #8, PKCS #1, DSA's and SEC 1's, encrypted PKCS #8,
/// and PKCS #12, which is there to hold one.
fn begins_as_key(der: &[u8]) -> bool {
    let Some(fields) = sequence_content(der) else {
        return false;
    };
    match fields {
        [0x02, 0x01, 0x00 | 0x01, 0x30 | 0x02 | 0x04, ..] | [0x02, 0x01, 0x03, 0x30, ..] => true,
        _ => sequence_content(fields).is_some_and(|algorithm| {
            const PKCS: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01];
            // Object identifiers of PKCS #5 and of PKCS #12's password-based encryption.
            matches!(algorithm, [0x06, 0x09 | 0x0a, oid @ ..]
                if oid.strip_prefix(&PKCS).is_some_and(|rest| matches!(rest, [0x05 | 0x0c, ..])))
        }),
    }
}

/// What follows a sequence's tag and length; the length itself may be wrong or reach past the end.
fn sequence_content(der: &[u8]) -> Option<&[u8]> {
    match der {
        [0x30, 0..=0x80, content @ ..] => Some(content),
        [0x30, length @ 0x81..=0x84, rest @ ..] => rest.get(usize::from(length & 0x7f)..),
        _ => None,
    }
}
