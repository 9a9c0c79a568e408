//! Facts as tables without lines or colours, as kubectl prints them.

use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::{
    Authority, Cluster, Credentials, CredentialsForm, Finding, Giver, Harmless, Origin, SecretFrom,
    Server, Storage, Token, TokenKind,
};
use crate::registration::finding::Level;

/// What stands where nothing is known.
pub const NOTHING: &str = "-";

/// What stands where something can't be used.
pub const REFUSED: &str = "refused";

/// Marks where a text may be broken. It takes no column, isn't shown, and stands in no text that is:
/// there it is escaped.
const BREAK: char = '\u{200b}';

/// Between two columns.
pub const GAP: u16 = 2;

/// Longer than the words of prose.
const LONG_WORD: usize = 20;

/// One cluster: a line for each fact.
pub fn one(cluster: &Cluster, width: Option<u16>) -> String {
    let mut table = table(width);
    let mut add = |key: &str, value: String| {
        table.add_row([Cell::new(key), breakable(&value)]);
    };
    add("name", optional(cluster.name.as_ref()));
    add("values", values(cluster));
    add("kubeconfig", optional(cluster.kubeconfig.as_ref()));
    add("context", optional(cluster.context.as_ref()));
    match &cluster.server {
        None => add("server", NOTHING.to_owned()),
        Some(server) => {
            let refused = || format!("{REFUSED}: {}", server.given);
            add("server", address(server).unwrap_or_else(refused));
            if let Some(reason) = reason(server) {
                add("", reason);
            }
        }
    }
    authority(cluster.certificate_authority.as_ref(), &mut add);
    token(cluster.token.as_ref(), &mut add);
    storage(cluster.storage.as_ref(), &mut add);
    let mut findings: Vec<String> = cluster
        .findings
        .iter()
        .map(|finding| format!("{}: {}", mark(finding), finding.text))
        .collect();
    if !cluster.errors.is_empty() {
        findings.push("not everything could be checked: see the errors".to_owned());
    }
    if findings.is_empty() {
        findings.push("none".to_owned());
    }
    for (position, finding) in findings.into_iter().enumerate() {
        let key = if position == 0 { "findings" } else { "" };
        add(key, finding);
    }
    text(table)
}

/// A table that is wrapped to the terminal's width; elsewhere each row is one line.
pub fn table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

pub fn text(mut table: Table) -> String {
    let last = table.column_count().saturating_sub(1);
    for (position, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if position == last { 0 } else { GAP }));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.replace(BREAK, "").trim_end());
        text.push('\n');
    }
    text
}

/// A text that is broken between its words, where it has to be, and a long word, as a host is, between
/// its parts.
pub fn breakable(text: &str) -> Cell {
    let mut marked = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let is_long = word.len() > LONG_WORD;
        for character in word.chars() {
            marked.push(character);
            let ends_part = matches!(character, '.' | '-' | ':' | '/' | '_');
            if character == ' ' || (is_long && ends_part) {
                marked.push(BREAK);
            }
        }
    }
    Cell::new(marked).set_delimiter(BREAK)
}

pub fn nothing() -> String {
    NOTHING.to_owned()
}

pub fn optional(text: Option<&Harmless>) -> String {
    text.map_or_else(nothing, Harmless::to_string)
}

fn values(cluster: &Cluster) -> String {
    match cluster.document {
        Some(document) => format!("{}, document {document}", cluster.values_file),
        None => cluster.values_file.to_string(),
    }
}

/// Host and port; nothing where the server was refused.
pub fn address(server: &Server) -> Option<String> {
    let (host, port) = (server.host.as_ref()?, server.port.as_ref()?);
    Some(format!("{host}:{port}"))
}

/// Why the server isn't what the kubeconfig says, letter by letter.
fn reason(server: &Server) -> Option<String> {
    let given = &server.given;
    // One that was refused is shown as it was given.
    let is_as_given = address(server).is_none_or(|address| given.as_str() == address);
    if server.from == Giver::Values {
        let normalised = match is_as_given {
            true => String::new(),
            false => format!(", normalised from {given}"),
        };
        let instead = match &server.instead_of {
            Some(url) => format!(", in place of the kubeconfig's {url}"),
            None => String::new(),
        };
        return Some(format!(
            "by `kubeconfig.server` of the values file{normalised}{instead}"
        ));
    }
    (!is_as_given).then(|| format!("normalised from the kubeconfig's {given}"))
}

fn authority(authority: Option<&Authority>, add: &mut impl FnMut(&str, String)) {
    let Some(authority) = authority else {
        return add("CA", NOTHING.to_owned());
    };
    let Some(first) = authority.expires.as_deref() else {
        return add("CA", "the roots of the controller's own system".to_owned());
    };
    let from = match (&authority.at, authority.from) {
        (None, _) => "the kubeconfig".to_owned(),
        (Some(file), Giver::Values) => {
            format!("the file {file}, by `kubeconfig.certificateAuthority` of the values file")
        }
        (Some(file), Giver::Kubeconfig | Giver::System) => format!("the kubeconfig's file {file}"),
    };
    let count = match authority.certificates.len() {
        1 => "1 certificate".to_owned(),
        several => format!(
            "{several} certificates, of which the first expires {}",
            day(first)
        ),
    };
    add("CA", format!("{count}, from {from}"));
    for certificate in &authority.certificates {
        add("  subject", certificate.subject.to_string());
        add("  SHA-256", certificate.sha256.clone());
        add("  expires", day(&certificate.expires));
    }
}

fn token(token: Option<&Token>, add: &mut impl FnMut(&str, String)) {
    let Some(token) = token else {
        return add("token", NOTHING.to_owned());
    };
    let from = match token.origin.from {
        SecretFrom::None => "none: someone else makes the Secret".to_owned(),
        SecretFrom::ExternalSecret => format!("through a store{}", at_key(&token.origin)),
        SecretFrom::NotGiven => "not given: a runbook gets it from the cluster, other ways want `token` or `--token-file`".to_owned(),
        SecretFrom::Values | SecretFrom::Env | SecretFrom::File | SecretFrom::Stdin => {
            match token.kind {
                Some(_) => format!("{}, from {}", kind_of_token(token), origin(&token.origin)),
                None => format!("{NOTHING}, from {}", origin(&token.origin)),
            }
        }
    };
    add("token", from);
    if token.kind.is_none() {
        return;
    }
    add("  subject", optional(token.subject.as_ref()));
    if token.secret.is_some() {
        add("  Secret", optional(token.secret.as_ref()));
    }
    let expires = match (&token.expires, token.kind) {
        (Some(expires), _) => expires.clone(),
        (None, Some(TokenKind::Opaque)) => NOTHING.to_owned(),
        (None, _) => "never".to_owned(),
    };
    add("  expires", expires);
}

pub fn kind_of_token(token: &Token) -> &'static str {
    match (token.kind, token.origin.from) {
        (Some(TokenKind::LongLived), _) => "long-lived",
        (Some(TokenKind::Bound), _) => "bound",
        (Some(TokenKind::Foreign), _) => "foreign",
        (Some(TokenKind::Opaque), _) => "opaque",
        (None, SecretFrom::ExternalSecret) => "store",
        (None, SecretFrom::None) => "none",
        (None, SecretFrom::NotGiven) => "not given",
        (None, SecretFrom::Values | SecretFrom::Env | SecretFrom::File | SecretFrom::Stdin) => {
            NOTHING
        }
    }
}

fn storage(storage: Option<&Storage>, add: &mut impl FnMut(&str, String)) {
    let Some(storage) = storage else {
        return add("storage", NOTHING.to_owned());
    };
    add("storage", storage.file_system.to_string());
    let endpoint = match &storage.endpoint {
        Some(endpoint) => endpoint.to_string(),
        None if storage.file_system.as_str().starts_with("s3") => {
            format!("AWS itself, by {}", storage.scheme)
        }
        None => NOTHING.to_owned(),
    };
    add("  endpoint", endpoint);
    let Credentials {
        form: _,
        access_key_id,
        secret_access_key,
    } = &storage.credentials;
    let halves = match (access_key_id, secret_access_key) {
        (Some(public), Some(_)) if public.from == SecretFrom::ExternalSecret => at_key(public),
        (Some(public), Some(secret)) => {
            let (public, secret) = (origin(public), origin(secret));
            match public == secret {
                true => format!(", from {public}"),
                false => format!(", its id from {public}, its secret from {secret}"),
            }
        }
        _ => String::new(),
    };
    add(
        "  credentials",
        format!("{}{halves}", form(&storage.credentials)),
    );
}

pub fn form(credentials: &Credentials) -> &'static str {
    match credentials.form {
        CredentialsForm::Keys => "S3 key",
        CredentialsForm::WorkloadIdentity => "workload identity",
        CredentialsForm::ExistingSecret => "existing Secret",
        CredentialsForm::ExternalSecret => "S3 key of a store",
    }
}

fn origin(origin: &Origin) -> String {
    let what = match origin.from {
        SecretFrom::Values => "the values file",
        SecretFrom::Env => "the variable",
        SecretFrom::File => "the file",
        SecretFrom::Stdin => "standard input",
        SecretFrom::ExternalSecret => "a store",
        SecretFrom::None | SecretFrom::NotGiven => NOTHING,
    };
    format!("{what}{}", at(origin))
}

fn at(origin: &Origin) -> String {
    match &origin.at {
        Some(at) => format!(" {at}"),
        None => String::new(),
    }
}

fn at_key(origin: &Origin) -> String {
    match &origin.at {
        Some(key) => format!(", at the key {key}"),
        None => String::new(),
    }
}

/// As findings are marked in messages.
pub fn mark(finding: &Finding) -> String {
    let kind = match (finding.accepted, finding.level) {
        (true, _) => "accepted",
        (false, Level::Deny) => "error",
        (false, Level::Warn) => "warning",
    };
    format!("{kind}[{}]", finding.code)
}

/// The day of a point in time.
pub fn day(at: &str) -> String {
    at.split('T').next().unwrap_or_default().to_owned()
}
