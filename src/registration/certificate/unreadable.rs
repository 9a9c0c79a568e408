//! What data is that isn't PEM, and how to make PEM of it.

use anyhow::{Error, Result, anyhow, bail};

use super::base64_text;

/// Refuses nothing at all, and what kubectl prints in place of the data.
pub fn refuse_placeholder(text: &str) -> Result<()> {
    match text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}') {
        "" => bail!(
            "the data is empty: expected the PEM of the compute cluster's certificate authority"
        ),
        "DATA+OMITTED" | "REDACTED" => bail!(
            "the data was left out when the kubeconfig was exported: \
             export it with `kubectl config view --raw`"
        ),
        _ => Ok(()),
    }
}

/// Refuses bytes that aren't text that PEM could stand in.
pub fn refuse_binary(bytes: &[u8]) -> Result<()> {
    if is_der(bytes) {
        bail!(
            "the data is DER, not PEM: \
             convert it with `openssl x509 -inform der -in FILE -out ca.pem`"
        );
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        bail!("the PEM is UTF-16 text, expected UTF-8: save it as UTF-8 or ASCII");
    }
    if bytes.contains(&0) {
        bail!(
            "the data holds NUL bytes, expected PEM, which is text: \
             if it is UTF-16, save it as UTF-8; else give the certificates as PEM"
        );
    }
    Ok(())
}

/// What text without a PEM block is.
pub fn explain(text: &str) -> Error {
    let compact = base64_text::compact(text);
    let inner = Some(&compact)
        .filter(|compact| base64_text::is_standard(compact))
        .and_then(|compact| base64_text::decode_unpadded(compact));
    match inner {
        Some(inner) if is_der(&inner) => anyhow!(
            "the data is a certificate's base64 without its BEGIN and END lines: put \
             `-----BEGIN CERTIFICATE-----` before it and `-----END CERTIFICATE-----` after it"
        ),
        Some(inner) if is_pem_or_its_base64(&inner) => anyhow!(
            "the data is base64 once too often (base64 of base64, or base64 where PEM belongs): \
             decode it once with `base64 -d`"
        ),
        _ if text.contains('\u{fffd}') => anyhow!(
            "the data is neither PEM nor text: \
             give the certificates as PEM, which has `-----BEGIN CERTIFICATE-----` lines"
        ),
        _ => anyhow!(
            "the data is text without a certificate in it: \
             expected PEM, which has `-----BEGIN CERTIFICATE-----` lines"
        ),
    }
}

fn is_pem_or_its_base64(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| {
        let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        // The second is base64 of `-----`.
        text.contains("-----BEGIN") || start.starts_with("LS0tLS")
    })
}

/// A DER sequence with a length in the long form, as every certificate has: the second byte is
/// never text.
fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, 0x81..=0x84, ..])
}
