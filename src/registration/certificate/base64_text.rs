//! Base64: bytes written with 64 letters, digits and signs, padded with `=` to a multiple of four.
//!
//! A kubeconfig's field has to be base64 as client-go reads it; the body of a PEM block, and text
//! that is only looked into for a hint or a private key, may lack the padding.

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// As Go's `base64.StdEncoding`, which doesn't look at the unused bits of the last character.
const STANDARD: GeneralPurpose = engine(&alphabet::STANDARD, DecodePaddingMode::RequireCanonical);
const STANDARD_UNPADDED: GeneralPurpose =
    engine(&alphabet::STANDARD, DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = engine(&alphabet::URL_SAFE, DecodePaddingMode::Indifferent);

const fn engine(alphabet: &Alphabet, padding: DecodePaddingMode) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(padding);
    GeneralPurpose::new(alphabet, config)
}

/// Decodes a kubeconfig's field, or says which other thing it is.
pub fn decode_field(text: &str) -> Result<Vec<u8>> {
    if text.contains("-----BEGIN") {
        bail!(
            "the data is PEM itself, not base64 of PEM: put the output of `base64 -w0 FILE` there, \
             or put the file's path in `certificate-authority`"
        );
    }
    let compact = compact(text);
    if let Ok(bytes) = STANDARD.decode(&compact) {
        return Ok(bytes);
    }
    if compact.contains(['-', '_']) && URL_SAFE.decode(&compact).is_ok() {
        bail!(
            "the data is URL-safe base64 (with `-` and `_`), expected standard base64 \
             (with `+` and `/`): encode the PEM file with `base64 -w0 FILE`"
        );
    }
    if is_standard(&compact) && !compact.contains('=') {
        bail!(
            "the base64 lacks its padding (`=` at its end), or its end is cut off: \
             export it again, or encode the PEM file with `base64 -w0 FILE`"
        );
    }
    bail!(
        "the data is not base64: put the output of `base64 -w0 FILE` of a PEM file there, \
         or put the file's path in `certificate-authority`"
    )
}

/// Decodes text whose padding may be missing.
pub fn decode_unpadded(text: &str) -> Option<Vec<u8>> {
    STANDARD_UNPADDED.decode(compact(text)).ok()
}

/// Whether the text has only base64's characters, `=` at its end included.
pub fn is_standard(text: &str) -> bool {
    !text.is_empty()
        && text
            .trim_end_matches('=')
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// Text without what can break a line of base64: white space, a continuation's backslash, a byte
/// order mark, and a line end that was escaped once too often.
pub fn compact(text: &str) -> String {
    let is_compact = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if text.bytes().all(is_compact) {
        return text.to_owned();
    }
    text.replace("\\r", "").replace("\\n", "").replace(
        |c: char| c.is_ascii_whitespace() || c == '\\' || c == '\u{feff}',
        "",
    )
}
