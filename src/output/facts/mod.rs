//! What was read and concluded about clusters: as JSON for scripts, or as a table for people.

mod harmless;
mod rows;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};

pub use harmless::Harmless;
use serde::Serialize;

use super::report::{ERROR, NOTE, PLAIN, WARNING};
use crate::text::is_unsafe_to_show;

/// What is known of one cluster. The names and the shape are a promise to scripts: fields may come,
/// and none goes or changes. What isn't known, or isn't there, is null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name in the control plane; none where the values can't be read so far.
    pub name: Option<Harmless>,
    /// The values file.
    pub values_file: Harmless,
    /// Which of the file's documents, where it has several.
    pub document: Option<usize>,
    /// The kubeconfig.
    pub kubeconfig: Option<Harmless>,
    /// The context in it.
    pub context: Option<Harmless>,
    /// The API server.
    pub server: Option<Server>,
    /// The certificate authority.
    pub certificate_authority: Option<Authority>,
    /// The token; none where the values can't be read.
    pub token: Option<Token>,
    /// The storage.
    pub storage: Option<Storage>,
    /// What is suspicious.
    pub findings: Vec<Finding>,
    /// What is wrong: messages, which have masked what they quote.
    pub errors: Vec<String>,
}

/// The API server.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Scheme and host; none where the URL was refused.
    pub host: Option<Harmless>,
    /// The port, as text; none likewise.
    pub port: Option<String>,
    /// The URL as it was given.
    pub given: Harmless,
    /// Who gave it: `kubeconfig` or `values`.
    pub from: &'static str,
    /// The kubeconfig's, where the values file gives another.
    pub instead_of: Option<Harmless>,
}

/// The certificate authority.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// Where it comes from: `kubeconfig`, `values` or `system`.
    pub from: &'static str,
    /// Its file, where it has one of its own.
    pub at: Option<Harmless>,
    /// When the first of its certificates expires.
    pub expires: Option<String>,
    /// Its certificates; none where the controller's own roots are meant.
    pub certificates: Vec<Certificate>,
}

/// A certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// Its subject.
    pub subject: Harmless,
    /// Its SHA-256 fingerprint.
    pub sha256: String,
    /// When it expires.
    pub expires: String,
}

/// The service account's token.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// `longLived`, `bound`, `foreign` or `opaque`.
    pub kind: Option<&'static str>,
    /// Whose it says it is.
    pub subject: Option<Harmless>,
    /// The token Secret that it says it is of.
    pub secret: Option<Harmless>,
    /// When it says it expires.
    pub expires: Option<String>,
}

/// Where a secret comes from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// `values`, `env`, `file`, `stdin`, `externalSecret`, `none` or `notGiven`.
    pub from: &'static str,
    /// The variable, the file, or the key in the store; null where it couldn't be read.
    pub at: Option<Harmless>,
}

/// The storage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// The fsspec URL.
    pub file_system: Harmless,
    /// Scheme of the endpoint.
    pub scheme: &'static str,
    /// The endpoint; none for AWS itself.
    pub endpoint: Option<Harmless>,
    /// How jobs get access.
    pub credentials: Credentials,
}

/// How jobs get access to the storage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// `keys`, `workloadIdentity`, `existingSecret` or `externalSecret`.
    pub form: &'static str,
    /// Where the key's public half comes from.
    pub access_key_id: Option<Origin>,
    /// Where its secret half comes from.
    pub secret_access_key: Option<Origin>,
}

/// Something suspicious.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its code.
    pub code: &'static str,
    /// `deny` or `warn`.
    pub level: &'static str,
    /// Whether the values accept it.
    pub accepted: bool,
    /// What it is, and its remedy; a message, which has masked what it quotes.
    pub text: String,
}

/// Writes the clusters as a list in JSON.
///
/// # Errors
/// Where the output can't be written.
pub fn write_json(out: &mut dyn Write, clusters: &[Cluster]) -> io::Result<()> {
    let text = serde_json::to_string_pretty(clusters).map_err(io::Error::other)?;
    out.write_all(escaped(&text).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// JSON with escapes, which mean the same, for what could act on a terminal or reorder a line. Outside
/// of its strings only line breaks could, and inside they are escapes already.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_unsafe_to_show(character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// Writes the clusters as a table, as wide as the terminal, if it goes to one.
///
/// # Errors
/// Where the output can't be written.
pub fn write_table(
    out: &mut dyn Write,
    clusters: &[Cluster],
    width: Option<u16>,
    in_colour: bool,
) -> io::Result<()> {
    let text = match clusters {
        [cluster] => table::one(cluster, width),
        several => rows::rows(several, width),
    };
    let text = match in_colour {
        true => coloured(&text, clusters),
        false => text,
    };
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A table with its head and the marks of its findings in the colours of messages.
fn coloured(text: &str, clusters: &[Cluster]) -> String {
    let mut text = match (clusters, text.split_once('\n')) {
        ([_, _, ..], Some((head, rest))) => format!("{NOTE}{head}{PLAIN}\n{rest}"),
        _ => text.to_owned(),
    };
    let findings = clusters.iter().flat_map(|cluster| &cluster.findings);
    let open = findings.filter(|finding| !finding.accepted);
    let marks: BTreeMap<String, &str> = open
        .map(|finding| match finding.level {
            "deny" => (table::mark(finding), ERROR),
            _ => (table::mark(finding), WARNING),
        })
        .collect();
    for (mark, colour) in marks {
        text = text.replace(&mark, &format!("{colour}{mark}{PLAIN}"));
    }
    text
}
