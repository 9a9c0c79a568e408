//! `inspect`: the settings and findings of each cluster.

use serde_json::{Value, json};

use super::{Outcome, clusters};
use crate::cli::{FormArg, InspectArgs};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::registration::Resolution;
use crate::registration::certificate_authority::Certificate;
use crate::registration::credentials::Access;
use crate::registration::token::{Claims, Token};
use crate::show::{count, safe};
use crate::sources::{Needs, Source, TokenSource};
use crate::values::SecretSource;

/// Returns what is known of each cluster. Errors don't hide what could be read; they make the exit code 2. Fails if the
/// arguments don't fit the values.
pub fn run(args: &InspectArgs) -> Result<Outcome, Diagnostics> {
    let needs =
        Needs { kubeconfig: true, compute_secrets: true, token: true, requires_token: false };
    let (resolutions, mut diagnostics) =
        clusters::read(&args.inputs.sources, args.inputs.token_file.as_ref(), needs)?;
    let all = || resolutions.iter().map(facts).collect::<Vec<Value>>();
    let stdout = match args.output {
        Some(FormArg::Json) => {
            serde_json::to_string_pretty(&all()).map_err(anyhow::Error::from)? + "\n"
        }
        Some(FormArg::Yaml) => serde_yaml::to_string(&all()).map_err(anyhow::Error::from)?,
        None if resolutions.len() > 1 => table(&resolutions),
        Some(FormArg::Details) | None => {
            resolutions.iter().map(details).collect::<Vec<_>>().join("\n")
        }
    };
    diagnostics.0.extend(resolutions.into_iter().flat_map(|resolution| resolution.diagnostics.0));
    let code = if diagnostics.has_errors() { 2 } else { 0 };
    Ok(Outcome { stdout, diagnostics, code, ..Outcome::default() })
}

/// Returns the shape that README.md documents, for scripts.
fn facts(resolution: &Resolution) -> Value {
    let Resolution { cluster, sources, kubeconfig, server, ca, storage, token, .. } = resolution;
    let open = resolution.diagnostics.0.iter().map(|it| diagnostic_facts(it, false));
    let accepted = resolution.accepted.0.iter().map(|it| diagnostic_facts(it, true));
    json!({
        "name": cluster.name(),
        "values": cluster.file(),
        "kubeconfig": kubeconfig.as_ref().map(|kubeconfig| &kubeconfig.file),
        "context": kubeconfig.as_ref().map(|kubeconfig| &kubeconfig.context),
        "server": server.as_ref().map(|server| json!({
            "host": server.url_host(),
            "port": server.port.to_string(),
            "from": sources.server,
        })),
        "certificateAuthority": ca.as_ref().map(|ca| json!({
            "from": sources.ca,
            "certificates": ca.certificates.iter().map(certificate_facts).collect::<Vec<_>>(),
        })),
        "token": token_facts(token.as_ref(), &sources.token),
        "storage": storage.as_ref().map(|storage| json!({
            "fileSystem": storage.file_system,
            "scheme": storage.scheme,
            "endpoint": storage.endpoint,
            "credentials": access(&storage.access),
        })),
        "diagnostics": open.chain(accepted).collect::<Vec<_>>(),
    })
}

fn diagnostic_facts(diagnostic: &Diagnostic, accepted: bool) -> Value {
    let Diagnostic { severity, code, message, place, helps } = diagnostic;
    json!({
        "severity": severity,
        "code": code,
        "accepted": accepted,
        "message": message,
        "file": place.file,
        "line": place.line,
        "key": place.key,
        "helps": helps,
    })
}

fn certificate_facts(certificate: &Certificate) -> Value {
    let (sha256, expires) = (certificate.sha256(), certificate.expires());
    json!({"subject": certificate.subject, "sha256": sha256, "expires": expires})
}

/// `None` if the token has a source and couldn't be read.
fn token_facts(token: Option<&Token>, source: &TokenSource) -> Option<Value> {
    let from = match source {
        TokenSource::Undecided => "undecided",
        TokenSource::Elsewhere => "none",
        TokenSource::ExternalSecret => "externalSecret",
        TokenSource::Values(SecretSource::Env(_)) => "env",
        TokenSource::Values(SecretSource::File(_)) | TokenSource::Flag(_) => "file",
    };
    let is_read = matches!(source, TokenSource::Values(_) | TokenSource::Flag(_));
    let claims = token.and_then(|token| token.claims.as_ref());
    (token.is_some() || !is_read).then(|| {
        json!({
            "from": from,
            "kind": token.map(kind),
            "subject": claims.and_then(|claims| claims.subject.as_ref()),
            "secret": claims.and_then(|claims| claims.token_secret.as_ref()),
            "expires": claims.and_then(Claims::expires),
        })
    })
}

fn kind(token: &Token) -> &'static str {
    match &token.claims {
        None => "opaque",
        Some(claims) if claims.token_secret.is_some() => "long-lived",
        Some(claims) if claims.expires().is_some() => "expiring",
        Some(_) => "other",
    }
}

fn access(access: &Access) -> &'static str {
    match access {
        Access::Keys(_) => "keys",
        Access::WorkloadIdentity => "workloadIdentity",
        Access::ExistingSecret => "existingSecret",
        Access::External(_) => "externalSecret",
    }
}

/// A line for each cluster, with `-` for what is unknown.
fn table(resolutions: &[Resolution]) -> String {
    let heading = ["NAME", "SERVER", "CA EXPIRES", "TOKEN", "STORAGE", "FINDINGS"];
    let mut rows = vec![heading.map(str::to_owned)];
    rows.extend(resolutions.iter().map(row));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}   "));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

fn row(resolution: &Resolution) -> [String; 6] {
    let Resolution { cluster, sources, server, ca, storage, token, .. } = resolution;
    let certificates = ca.iter().flat_map(|ca| &ca.certificates);
    let earliest = certificates.map(Certificate::expires).min();
    let expires = earliest.and_then(|time| Some(time.split_once('T')?.0.to_owned()));
    let token = token_text(token.as_ref(), &sources.token);
    let storage = storage.as_ref();
    [
        Some(cluster.name().to_owned()),
        server.as_ref().map(ToString::to_string),
        expires,
        token.and_then(|text| Some(text.split(',').next()?.to_owned())),
        storage.map(|storage| format!("{}, {}", storage.file_system, access(&storage.access))),
        Some(findings(resolution)),
    ]
    .map(|cell| safe(cell.as_deref().unwrap_or("-")))
}

/// A row for each setting, with `-` if it couldn't be read.
fn details(resolution: &Resolution) -> String {
    let Resolution { cluster, sources, kubeconfig, server, ca, storage, token, .. } = resolution;
    let from = |source: Source| match source {
        Source::Values => "from the values",
        Source::Kubeconfig | Source::System => "from the kubeconfig",
    };
    let mut text = String::new();
    let mut row = |name: &str, value: Option<String>| {
        let row = format!("{name:<12}{}", safe(&value.unwrap_or("-".to_owned())));
        text.push_str(row.trim_end());
        text.push('\n');
    };
    row("NAME", Some(cluster.name().to_owned()));
    row("VALUES", Some(cluster.file().to_owned()));
    row("KUBECONFIG", kubeconfig.as_ref().map(|kubeconfig| kubeconfig.file.clone()));
    row("CONTEXT", kubeconfig.as_ref().map(|kubeconfig| kubeconfig.context.clone()));
    let server = server.as_ref();
    row("SERVER", server.map(|server| format!("{server} ({})", from(sources.server))));
    match ca {
        None => row("CA", None),
        Some(_) if sources.ca == Source::System => {
            row("CA", Some("the controller's own roots".to_owned()));
        }
        Some(ca) => {
            for certificate in &ca.certificates {
                let (subject, expires) = (&certificate.subject, certificate.expires());
                let from = from(sources.ca);
                row("CA", Some(format!("{subject}, expires {expires} ({from})")));
                row("  SHA-256", Some(certificate.sha256()));
            }
        }
    }
    row("TOKEN", token_text(token.as_ref(), &sources.token));
    let storage = storage.as_ref().map(|storage| {
        let endpoint = storage.endpoint.iter().map(|endpoint| format!(" at {endpoint}"));
        let endpoint: String = endpoint.collect();
        format!("{}{endpoint}, {}", storage.file_system, access(&storage.access))
    });
    row("STORAGE", storage);
    row("FINDINGS", Some(findings(resolution)));
    text
}

fn token_text(token: Option<&Token>, source: &TokenSource) -> Option<String> {
    let Some(token) = token else {
        let text = match source {
            TokenSource::Undecided => "passed later, with --token-file or by a runbook",
            TokenSource::Elsewhere => "none",
            TokenSource::ExternalSecret => "externalSecret",
            TokenSource::Flag(_) | TokenSource::Values(_) => return None,
        };
        return Some(text.to_owned());
    };
    let claims = token.claims.as_ref();
    let subject = claims.and_then(|claims| claims.subject.as_deref()).unwrap_or("no subject");
    let mut text = format!("{}, {subject}", kind(token));
    if let Some(secret) = claims.and_then(|claims| claims.token_secret.as_ref()) {
        text.push_str(&format!(", of the Secret {secret}"));
    }
    if let Some(expires) = claims.and_then(Claims::expires) {
        text.push_str(&format!(", expires {expires}"));
    }
    Some(text)
}

fn findings(resolution: &Resolution) -> String {
    let mut findings: Vec<String> = Vec::new();
    let mut errors = 0;
    for diagnostic in &resolution.diagnostics.0 {
        match diagnostic.code {
            Some(code) => findings.push(code.to_string()),
            None => errors += usize::from(diagnostic.severity == Severity::Error),
        }
    }
    let accepted = resolution.accepted.0.iter().filter_map(|diagnostic| diagnostic.code);
    findings.extend(accepted.map(|code| format!("{code} (accepted)")));
    if errors > 0 {
        findings.push(count(errors, "error"));
    }
    if findings.is_empty() { "none".to_owned() } else { findings.join(", ") }
}
