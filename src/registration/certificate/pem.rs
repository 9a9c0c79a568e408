//! PEM: text in which each block of base64 stands between `-----BEGIN label-----` and
//! `-----END label-----`.
//!
//! Clean PEM is text of certificate blocks and nothing else: `-----BEGIN CERTIFICATE-----`, one
//! or more lines of padded standard base64 of any length, `-----END CERTIFICATE-----`; every line
//! ends in one line feed, and there are no other characters, no empty lines and no certificate
//! twice. Go's `encoding/pem` reads all of that, so it may stay as it is.
//!
//! What is read here is wider: what mail programs, editors, YAML and shells make of PEM, as long
//! as it is plain where each block begins and ends. Text outside blocks is dropped, as Go does.

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::base64_text;

const DASHES: &str = "-----";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

/// One block, its header lines (`Key: value`) left out: Go skips a certificate that has any.
#[derive(Debug)]
pub struct Block<'a> {
    /// Text from input, never to be shown: it may be anything.
    label: &'a str,
    lines: Vec<&'a str>,
    /// Whether nothing but header lines has been read yet.
    in_headers: bool,
}

impl<'a> Block<'a> {
    fn open(label: &'a str) -> Self {
        Self {
            label,
            lines: Vec::new(),
            in_headers: true,
        }
    }

    fn push(&mut self, line: &'a str) {
        self.in_headers = self.in_headers && line.contains(':');
        if !self.in_headers {
            self.lines.push(line);
        }
    }

    /// What the block is where it isn't a certificate, and what to do.
    pub fn foreign(&self) -> Option<&'static str> {
        Some(match self.label {
            // The second is OpenSSL's old name of the first; Go doesn't know it.
            "CERTIFICATE" | "X509 CERTIFICATE" => return None,
            "TRUSTED CERTIFICATE" => {
                "a `TRUSTED CERTIFICATE`, OpenSSL's own form, which Go can't read: \
                 convert it with `openssl x509 -in FILE -out ca.pem`"
            }
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                "a certificate signing request, not a certificate: \
                 give the certificate of the authority that signs the API server's certificate"
            }
            "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => {
                "a PKCS #7 bundle, which Go can't read: \
                 convert it with `openssl pkcs7 -print_certs -in FILE -out ca.pem`"
            }
            "X509 CRL" => "a revocation list, not a certificate: remove it",
            label if label.ends_with("PUBLIC KEY") => {
                "a public key, not a certificate: give the certificate that belongs to it"
            }
            label if label.ends_with("PARAMETERS") => {
                "a key's parameters, not a certificate: remove them, and what belongs to the key"
            }
            _ => "not a `CERTIFICATE` by its label: give certificates only, remove the rest",
        })
    }

    /// The bytes between the BEGIN and END lines.
    pub fn decode(&self) -> Option<Vec<u8>> {
        base64_text::decode_unpadded(&self.lines.concat())
    }

    /// Whether the body is such that it may stay as it is.
    fn is_clean(&self) -> bool {
        !self.lines.is_empty()
            && self.lines.iter().all(|line| base64_text::is_standard(line))
            && self.lines.concat().len().is_multiple_of(4)
    }

    fn verbatim(&self) -> String {
        format!("{BEGIN}{}\n{END}", self.lines.join("\n"))
    }
}

/// Whether a text of these blocks is clean, but for duplicates.
pub fn is_clean(text: &str, blocks: &[Block<'_>]) -> bool {
    blocks.iter().all(Block::is_clean)
        && text == blocks.iter().map(Block::verbatim).collect::<String>()
}

/// A certificate's block as OpenSSL and Go write it: 64 columns, line feeds.
pub fn encode(der: &[u8]) -> String {
    let mut body = String::new();
    for (index, character) in STANDARD.encode(der).chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            body.push('\n');
        }
        body.push(character);
    }
    format!("{BEGIN}{body}\n{END}")
}

/// Makes line feeds of every line end, those that a program escaped once too often (`\n` as two
/// characters) included: no backslash has a meaning in PEM.
pub fn unescape(text: &str) -> String {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\r\n", "\n")
        .replace('\r', "\n")
}

/// Reads all blocks.
///
/// A BEGIN line counts only where its line begins, white space aside, so that a block behind `#`
/// stays text; but it may follow an END line directly, as in files joined without a line end.
pub fn blocks(text: &str) -> Result<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines() {
        let mut rest = trim(line);
        while let Some((before, marker, after)) = split_marker(rest, open.is_some()) {
            if let Some(block) = open.as_mut().filter(|_| !before.is_empty()) {
                block.push(before);
            }
            open = match (marker, open) {
                (Marker::Begin(label), None) => Some(Block::open(label)),
                (Marker::Begin(_), Some(_)) => return Err(no_end_line(blocks.len() + 1)),
                (Marker::End(label), Some(block)) => {
                    if label != block.label {
                        bail!(
                            "the END line of block {} has another label than its BEGIN line: \
                             lines are missing or mixed up, copy the whole PEM again",
                            blocks.len() + 1
                        );
                    }
                    blocks.push(block);
                    None
                }
                (Marker::End(_), None) => bail!(
                    "an END line stands without its BEGIN line: \
                     the beginning is missing, copy the whole PEM again"
                ),
            };
            rest = trim(after);
        }
        refuse_half_marker(rest, open.is_some())?;
        if let Some(block) = open.as_mut().filter(|_| !rest.is_empty()) {
            block.push(rest);
        }
    }
    if open.is_some() {
        return Err(no_end_line(blocks.len() + 1));
    }
    Ok(blocks)
}

fn no_end_line(number: usize) -> anyhow::Error {
    anyhow::anyhow!(
        "block {number} has a BEGIN line and no END line: it is cut off, copy the whole PEM again"
    )
}

/// Strips what indentation, continuation lines and byte order marks leave at a line's ends.
fn trim(line: &str) -> &str {
    line.trim_matches(|c: char| c.is_whitespace() || c == '\\' || c == '\u{feff}')
}

enum Marker<'a> {
    Begin(&'a str),
    End(&'a str),
}

/// Splits a line at its first BEGIN or END marker; outside blocks it must be in front.
fn split_marker(line: &str, in_block: bool) -> Option<(&str, Marker<'_>, &str)> {
    let (before, from) = line.split_once(DASHES)?;
    if !in_block && !before.is_empty() {
        return None;
    }
    let (name, after) = from.split_once(DASHES)?;
    let (kind, label) = name.trim().split_once(char::is_whitespace)?;
    let marker = match kind {
        "BEGIN" => Marker::Begin(label.trim()),
        "END" => Marker::End(label.trim()),
        _ => return None,
    };
    Some((trim(before), marker, after))
}

/// Refuses a line that was meant as a marker and isn't: one dash less is hard to see, and Go would
/// skip the certificate.
fn refuse_half_marker(line: &str, in_block: bool) -> Result<()> {
    let meant = if in_block {
        line.contains("--")
    } else {
        line.starts_with("--") && (line.contains("BEGIN") || line.contains("END "))
    };
    if meant {
        bail!(
            "a BEGIN or END line is not complete: expected exactly `-----BEGIN CERTIFICATE-----` \
             and `-----END CERTIFICATE-----`; mend it, or copy the whole PEM again"
        );
    }
    Ok(())
}
