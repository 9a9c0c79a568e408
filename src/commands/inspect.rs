//! `inspect`: prints the settings and findings of each cluster.

use serde::Serialize;

use super::{Outcome, clusters};
use crate::cli::{FormArg, InspectArgs};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::findings::Code;
use crate::registration::credentials::Access;
use crate::registration::token::{Claims, Token};
use crate::registration::{Ca, Resolution};
use crate::show::{count, safe};
use crate::sources::{Needs, Source, TokenNeed, TokenSource};
use crate::values::SecretSource;

/// The JSON form, which README.md documents; a part that couldn't be read is null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    name: String,
    values: String,
    kubeconfig: Option<String>,
    context: Option<String>,
    server: Option<ServerFacts>,
    certificate_authority: Option<AuthorityFacts>,
    token: Option<TokenFacts>,
    storage: Option<StorageFacts>,
    diagnostics: Vec<DiagnosticFacts>,
}

#[derive(Serialize)]
struct ServerFacts {
    host: String,
    port: String,
    from: Source,
}

#[derive(Serialize)]
struct AuthorityFacts {
    from: Source,
    certificates: Vec<CertificateFacts>,
}

#[derive(Serialize)]
struct CertificateFacts {
    subject: String,
    sha256: String,
    expires: String,
}

#[derive(Serialize)]
struct TokenFacts {
    from: &'static str,
    kind: Option<&'static str>,
    subject: Option<String>,
    secret: Option<String>,
    expires: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StorageFacts {
    file_system: String,
    scheme: String,
    endpoint: Option<String>,
    credentials: &'static str,
}

#[derive(Serialize)]
struct DiagnosticFacts {
    severity: Severity,
    code: Option<Code>,
    accepted: bool,
    message: String,
    file: Option<String>,
    line: Option<String>,
    key: Option<String>,
    helps: Vec<String>,
}

/// Returns the facts of each cluster. Prints all that could be read even with errors, and then exits with code 2.
/// Fails if the arguments don't fit the values.
pub fn run(args: &InspectArgs) -> Result<Outcome, Diagnostics> {
    let needs = Needs { kubeconfig: true, compute_secrets: true, token: TokenNeed::Optional };
    let (resolutions, mut diagnostics) =
        clusters::read(&args.inputs.sources, args.inputs.token_file.as_ref(), needs)?;
    let facts: Vec<Facts> = resolutions.iter().map(Facts::new).collect();
    let stdout = match args.output {
        FormArg::Json => serde_json::to_string_pretty(&facts).map_err(anyhow::Error::from)? + "\n",
        FormArg::Table => facts.iter().map(table).collect::<Vec<_>>().join("\n"),
    };
    diagnostics.0.extend(resolutions.into_iter().flat_map(|resolution| resolution.diagnostics.0));
    let code = if diagnostics.has_errors() { 2 } else { 0 };
    Ok(Outcome { stdout, diagnostics, code, ..Outcome::default() })
}

impl Facts {
    fn new(resolution: &Resolution) -> Self {
        let Resolution { cluster, sources, kubeconfig, server, ca, storage, token, .. } =
            resolution;
        let open = resolution.diagnostics.0.iter().map(|it| DiagnosticFacts::new(it, false));
        let accepted = resolution.accepted.0.iter().map(|it| DiagnosticFacts::new(it, true));
        Self {
            name: cluster.name().to_owned(),
            values: cluster.file().to_owned(),
            kubeconfig: kubeconfig.as_ref().map(|kubeconfig| kubeconfig.file.clone()),
            context: kubeconfig.as_ref().map(|kubeconfig| kubeconfig.context.clone()),
            server: server.as_ref().map(|server| ServerFacts {
                host: server.url_host(),
                port: server.port.to_string(),
                from: sources.server,
            }),
            certificate_authority: ca.as_ref().map(|ca| AuthorityFacts::new(ca, sources.ca)),
            token: TokenFacts::new(token.as_ref(), &sources.token),
            storage: storage.as_ref().map(|storage| StorageFacts {
                file_system: storage.file_system.clone(),
                scheme: storage.scheme.to_string(),
                endpoint: storage.endpoint.clone(),
                credentials: access_text(&storage.access),
            }),
            diagnostics: open.chain(accepted).collect(),
        }
    }
}

impl AuthorityFacts {
    fn new(ca: &Ca, from: Source) -> Self {
        let certificates = match ca {
            Ca::System => Default::default(),
            Ca::Certificates(authority) => authority.certificates.as_slice(),
        };
        let certificates = certificates.iter().map(|certificate| CertificateFacts {
            subject: certificate.subject.clone(),
            sha256: certificate.sha256(),
            expires: certificate.expires(),
        });
        Self { from, certificates: certificates.collect() }
    }
}

impl TokenFacts {
    /// Returns `None` if the token couldn't be read.
    fn new(token: Option<&Token>, source: &TokenSource) -> Option<Self> {
        let from = match source {
            TokenSource::Undecided => "undecided",
            TokenSource::Elsewhere => "none",
            TokenSource::ExternalSecret => "externalSecret",
            TokenSource::Values(SecretSource::Env(_)) => "env",
            TokenSource::Values(SecretSource::File(_)) | TokenSource::Flag(_) => "file",
        };
        let is_read = matches!(source, TokenSource::Values(_) | TokenSource::Flag(_));
        let claims = token.and_then(|token| token.claims.as_ref());
        let kind = token.map(|_| match claims {
            None => "opaque",
            Some(claims) if claims.token_secret.is_some() => "long-lived",
            Some(claims) if claims.expires().is_some() => "expiring",
            Some(_) => "other",
        });
        (token.is_some() || !is_read).then(|| Self {
            from,
            kind,
            subject: claims.and_then(|claims| claims.subject.clone()),
            secret: claims.and_then(|claims| claims.token_secret.clone()),
            expires: claims.and_then(Claims::expires),
        })
    }
}

fn access_text(access: &Access) -> &'static str {
    match access {
        Access::Keys(_) => "keys",
        Access::WorkloadIdentity => "workloadIdentity",
        Access::ExistingSecret => "existingSecret",
        Access::External(_) => "externalSecret",
    }
}

impl DiagnosticFacts {
    fn new(diagnostic: &Diagnostic, accepted: bool) -> Self {
        let Diagnostic { severity, code, message, place, helps } = diagnostic.clone();
        let crate::diagnostic::Place { cluster: _, file, line, key } = *place;
        Self { severity, code, accepted, message, file, line, key, helps }
    }
}

/// Formats the facts as rows, with `-` for a part that couldn't be read.
fn table(facts: &Facts) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: Option<String>| {
        let row = format!("{name:<12}{}", value.map_or("-".to_owned(), |value| safe(&value)));
        text.push_str(row.trim_end());
        text.push('\n');
    };
    row("NAME", Some(facts.name.clone()));
    row("VALUES", Some(facts.values.clone()));
    row("KUBECONFIG", facts.kubeconfig.clone());
    row("CONTEXT", facts.context.clone());
    row(
        "SERVER",
        facts.server.as_ref().map(|server| {
            format!("{}:{} ({})", server.host, server.port, from(server.from == Source::Values))
        }),
    );
    match &facts.certificate_authority {
        None => row("CA", None),
        Some(authority) if authority.from == Source::System => {
            row("CA", Some("the controller's own roots".to_owned()));
        }
        Some(authority) => {
            for CertificateFacts { subject, sha256, expires } in &authority.certificates {
                let from = from(authority.from == Source::Values);
                row("CA", Some(format!("{subject}, expires {expires} ({from})")));
                row("  SHA-256", Some(sha256.clone()));
            }
        }
    }
    row("TOKEN", facts.token.as_ref().map(token_text));
    row(
        "STORAGE",
        facts.storage.as_ref().map(|storage| {
            let endpoint = storage.endpoint.as_deref().map(|endpoint| format!(" at {endpoint}"));
            format!(
                "{}{}, {}",
                storage.file_system,
                endpoint.unwrap_or_default(),
                storage.credentials
            )
        }),
    );
    row("FINDINGS", Some(findings_text(&facts.diagnostics)));
    text
}

fn from(is_in_values: bool) -> &'static str {
    if is_in_values { "from the values" } else { "from the kubeconfig" }
}

fn findings_text(diagnostics: &[DiagnosticFacts]) -> String {
    let mut findings: Vec<String> = Vec::new();
    let mut errors = 0;
    for diagnostic in diagnostics {
        match diagnostic.code {
            Some(code) if diagnostic.accepted => findings.push(format!("{code} (accepted)")),
            Some(code) => findings.push(code.to_string()),
            None => errors += usize::from(diagnostic.severity == Severity::Error),
        }
    }
    if errors > 0 {
        findings.push(count(errors, "error"));
    }
    if findings.is_empty() { "none".to_owned() } else { findings.join(", ") }
}

fn token_text(token: &TokenFacts) -> String {
    let Some(kind) = token.kind else {
        return if token.from == "undecided" { "not decided yet" } else { token.from }.to_owned();
    };
    let subject = token.subject.as_deref().unwrap_or("no subject");
    let secret =
        token.secret.as_deref().map_or(String::new(), |secret| format!(", of the Secret {secret}"));
    let expires = token.expires.as_deref().map_or(String::new(), |at| format!(", expires {at}"));
    format!("{kind}, {subject}{secret}{expires}")
}
