//! `inspect`: what was read and concluded about each cluster.

use serde::Serialize;

use super::clusters::{self, Needs, TokenNeed};
use super::{Outcome, failure};
use crate::cli::{FormArg, InspectArgs};
use crate::diagnostic::{Diagnostic, Severity};
use crate::registration::storage::Access;
use crate::registration::{Authority, Resolution, TokenDelivery};
use crate::show::{count, safe};
use crate::values::SecretSource;

/// What is known of a cluster; README.md documents the JSON.
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
    from: &'static str,
}

#[derive(Serialize)]
struct AuthorityFacts {
    from: &'static str,
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
    severity: &'static str,
    code: Option<String>,
    accepted: bool,
    message: String,
    file: Option<String>,
    line: Option<String>,
    key: Option<String>,
    helps: Vec<String>,
}

/// Returns what is known of each cluster. Errors don't hide what could be read; they make the exit code 2.
pub fn run(args: &InspectArgs) -> Result<Outcome, Vec<Diagnostic>> {
    let token_file = args.inputs.token_file.as_deref();
    let needs = Needs { kubeconfig: true, keys: true, token: TokenNeed::Optional, token_file };
    let (resolutions, mut diagnostics) = clusters::read(&args.inputs.sources, needs)?;
    let facts: Vec<Facts> = resolutions.iter().map(|resolution| facts(resolution, args)).collect();
    let stdout = match args.output {
        FormArg::Json => {
            let json =
                serde_json::to_string_pretty(&facts).map_err(|error| failure(error.into()))?;
            format!("{json}\n")
        }
        FormArg::Table => facts.iter().map(table).collect::<Vec<_>>().join("\n"),
    };
    diagnostics.extend(resolutions.into_iter().flat_map(|one| one.diagnostics));
    let code = if diagnostics.iter().any(|one| one.severity == Severity::Error) { 2 } else { 0 };
    Ok(Outcome { stdout, diagnostics, code, ..Outcome::default() })
}

fn facts(resolution: &Resolution, args: &InspectArgs) -> Facts {
    let Resolution {
        cluster,
        kubeconfig,
        server,
        authority,
        storage,
        token,
        diagnostics,
        accepted,
        ..
    } = resolution;
    let values = cluster.values.kubeconfig.as_ref();
    let from = |is_in_values: bool| if is_in_values { "values" } else { "kubeconfig" };
    let own_server = values.is_some_and(|values| values.server.is_some());
    let own_authority = values.is_some_and(|values| values.certificate_authority.is_some());
    let about = |diagnostic: &Diagnostic, accepted| DiagnosticFacts {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        code: diagnostic.code.map(|code| code.to_string()),
        accepted,
        message: diagnostic.message.clone(),
        file: diagnostic.place.file.clone(),
        line: diagnostic.place.line.clone(),
        key: diagnostic.place.key.clone(),
        helps: diagnostic.helps.clone(),
    };
    let diagnostics = diagnostics.iter().map(|one| about(one, false));
    Facts {
        name: cluster.name().to_owned(),
        values: cluster.file().to_owned(),
        kubeconfig: kubeconfig.as_ref().map(|chosen| chosen.file.clone()),
        context: kubeconfig.as_ref().map(|chosen| chosen.context.clone()),
        server: server.as_ref().map(|server| ServerFacts {
            host: server.url_host(),
            port: server.port.to_string(),
            from: from(own_server),
        }),
        certificate_authority: authority
            .as_ref()
            .map(|authority| authority_facts(authority, from(own_authority))),
        token: token.as_ref().and_then(|token| token_facts(token, resolution, args)),
        storage: storage.as_ref().map(|storage| StorageFacts {
            file_system: storage.file_system.clone(),
            scheme: storage.scheme.to_string(),
            endpoint: storage.endpoint.clone(),
            credentials: match storage.access {
                Access::Keys(_) => "keys",
                Access::WorkloadIdentity => "workloadIdentity",
                Access::ExistingSecret => "existingSecret",
                Access::External(_) => "externalSecret",
            },
        }),
        diagnostics: diagnostics.chain(accepted.iter().map(|one| about(one, true))).collect(),
    }
}

fn authority_facts(authority: &Authority, from: &'static str) -> AuthorityFacts {
    match authority {
        Authority::System => AuthorityFacts { from: "system", certificates: Vec::new() },
        Authority::Own(authority) => AuthorityFacts {
            from,
            certificates: authority
                .certificates
                .iter()
                .map(|certificate| CertificateFacts {
                    subject: certificate.subject.clone(),
                    sha256: certificate.sha256(),
                    expires: certificate.expires(),
                })
                .collect(),
        },
    }
}

fn token_facts(
    token: &TokenDelivery,
    resolution: &Resolution,
    args: &InspectArgs,
) -> Option<TokenFacts> {
    use crate::values::TokenForm;
    let nothing =
        |from| TokenFacts { from, kind: None, subject: None, secret: None, expires: None };
    let token = match token {
        TokenDelivery::Open => return Some(nothing("undecided")),
        TokenDelivery::Elsewhere => return Some(nothing("none")),
        TokenDelivery::External => return Some(nothing("externalSecret")),
        TokenDelivery::Rendered(token) => token,
    };
    let from = match (&args.inputs.token_file, &resolution.cluster.values.token) {
        (None, Some(TokenForm::From(SecretSource::Env(_)))) => "env",
        _ => "file",
    };
    let claims = token.claims.as_ref();
    Some(TokenFacts {
        from,
        kind: Some(match claims {
            None => "opaque",
            Some(claims) if claims.token_secret.is_some() => "long-lived",
            Some(claims) if claims.expires().is_some() => "expiring",
            Some(_) => "other",
        }),
        subject: claims.and_then(|claims| claims.subject.clone()),
        secret: claims.and_then(|claims| claims.token_secret.clone()),
        expires: claims.and_then(crate::registration::token::Claims::expires),
    })
}

/// The facts for people: a row a fact; `-` for what couldn't be read.
fn table(facts: &Facts) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: Option<String>| {
        let row =
            format!("{name:<12}{}", value.map_or("-".to_owned(), |value| safe(&value, usize::MAX)));
        text.push_str(row.trim_end());
        text.push('\n');
    };
    row("NAME", Some(facts.name.clone()));
    row("VALUES", Some(facts.values.clone()));
    row("KUBECONFIG", facts.kubeconfig.clone());
    row("CONTEXT", facts.context.clone());
    row(
        "SERVER",
        facts
            .server
            .as_ref()
            .map(|server| format!("{}:{} (from the {})", server.host, server.port, server.from)),
    );
    match &facts.certificate_authority {
        None => row("CA", None),
        Some(authority) if authority.from == "system" => {
            row("CA", Some("the controller's own roots".to_owned()));
        }
        Some(authority) => {
            for CertificateFacts { subject, sha256, expires } in &authority.certificates {
                let from = authority.from;
                row("CA", Some(format!("{subject}, expires {expires} (from the {from})")));
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

fn findings_text(diagnostics: &[DiagnosticFacts]) -> String {
    let codes = diagnostics.iter().filter_map(|one| {
        let accepted = if one.accepted { " (accepted)" } else { "" };
        Some(format!("{}{accepted}", one.code.as_deref()?))
    });
    let mut findings: Vec<String> = codes.collect();
    let is_error = |one: &&DiagnosticFacts| one.code.is_none() && one.severity == "error";
    match diagnostics.iter().filter(is_error).count() {
        0 if findings.is_empty() => findings.push("none".to_owned()),
        0 => {}
        errors => findings.push(count(errors, "error")),
    }
    findings.join(", ")
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
