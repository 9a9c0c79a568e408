//! What was read and concluded about clusters: as JSON for scripts, or as a table for people.

mod harmless;
mod rows;
mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};

pub use harmless::Harmless;
use serde::Serialize;

use super::report::{ERROR, NOTE, PLAIN, WARNING};
use crate::registration::finding::Level;
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
    /// Who gave it.
    pub from: Giver,
    /// The kubeconfig's, where the values file gives another.
    pub instead_of: Option<Harmless>,
}

/// Who gave what is known of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Giver {
    /// The kubeconfig.
    Kubeconfig,
    /// The values file.
    Values,
    /// None of them: the controller's own system has it.
    System,
}

/// The certificate authority.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authority {
    /// Where it comes from.
    pub from: Giver,
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
    /// What it turns out to be; none where it wasn't read.
    pub kind: Option<TokenKind>,
    /// Whose it says it is.
    pub subject: Option<Harmless>,
    /// The token Secret that it says it is of.
    pub secret: Option<Harmless>,
    /// When it says it expires.
    pub expires: Option<String>,
}

/// Kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// That of a token Secret.
    LongLived,
    /// One that expires.
    Bound,
    /// One that isn't a service account's.
    Foreign,
    /// One that says nothing about itself.
    Opaque,
}

/// Where a secret comes from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The kind of place.
    pub from: SecretFrom,
    /// The variable, the file, or the key in the store; null where that may be the secret itself.
    pub at: Option<Harmless>,
}

/// Kind of place that a secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretFrom {
    /// The values file itself.
    Values,
    /// A variable.
    Env,
    /// A file.
    File,
    /// Standard input.
    Stdin,
    /// A store of the External Secrets Operator.
    ExternalSecret,
    /// None: someone else has it.
    None,
    /// Nothing was said about it.
    NotGiven,
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
    /// By which of the ways.
    pub form: CredentialsForm,
    /// Where the key's public half comes from.
    pub access_key_id: Option<Origin>,
    /// Where its secret half comes from.
    pub secret_access_key: Option<Origin>,
}

/// Way by which jobs get access to the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialsForm {
    /// An S3 key pair.
    Keys,
    /// The platform.
    WorkloadIdentity,
    /// A Secret that someone else makes.
    ExistingSecret,
    /// An S3 key pair of a store.
    ExternalSecret,
}

/// Something suspicious.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its code.
    pub code: &'static str,
    /// What it does to a run, unless it is accepted.
    pub level: Level,
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
            Level::Deny => (table::mark(finding), ERROR),
            Level::Warn => (table::mark(finding), WARNING),
        })
        .collect();
    for (mark, colour) in marks {
        text = text.replace(&mark, &format!("{colour}{mark}{PLAIN}"));
    }
    text
}
