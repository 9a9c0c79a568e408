//! `inspect`: what was read and concluded about each cluster.

use std::collections::HashSet;
use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::fleet::{self, Affected};
use super::{Outcome, Outside};
use crate::cli::{FormatArg, InspectArgs};
use crate::input::endpoint::Endpoint;
use crate::input::file::Source;
use crate::input::place::{PathKey, Place};
use crate::input::secret::is_identifier;
use crate::input::values::{CredentialsValues, SecretSource, SecretValue, TokenValues};
use crate::input::values_file::Unread;
use crate::input::{self, Inputs, Needs, Request, StorageKeys};
use crate::output::facts::{
    Authority, Certificate, Cluster, Credentials, Finding, Harmless, Origin, Server, Storage,
    Token, write_json, write_table,
};
use crate::problems::Problems;
use crate::registration::certificate::CertificateAuthority;
use crate::registration::finding::Level;
use crate::registration::fleet::{Checked, Member, check};
use crate::registration::token::TokenKind;
use crate::registration::{self, Parts, TokenDelivery};

/// Shows the clusters of a run.
///
/// # Errors
/// Where something is wrong that isn't about a cluster.
pub fn run(args: InspectArgs, outside: &mut Outside<'_>) -> Result<Outcome> {
    let now = outside.now;
    let needs = Needs {
        storage_keys: true,
        token: true,
    };
    let request = Request {
        token_file: args.token_file.as_deref().map(Source::from_flag),
        ..fleet::request(args.sources, needs)
    };
    let read = fleet::read(
        &request,
        "reading",
        outside,
        || (),
        |(), inputs, notes| Seen::of(inputs, notes, &request, now),
    )?;
    let total = read.len();
    let mut seen = Vec::new();
    let mut told = Vec::new();
    for cluster in read {
        match cluster {
            Ok(cluster) => seen.push(cluster),
            Err(unread) => told.push(Told::of_unread(unread)),
        }
    }
    check_fleet(&mut seen);
    let affected = Affected::of(
        total,
        seen.iter()
            .map(|it| (it.parts.name.as_str(), &it.place, &it.parts.problems)),
    );
    told.extend(seen.into_iter().map(Seen::told));
    // Those without a name come last.
    told.sort_by(|one, other| {
        let key = |told: &Told| (told.facts.name.is_none(), told.facts.name.clone());
        key(one).cmp(&key(other))
    });
    let mut clusters = Vec::new();
    let mut errors = Vec::new();
    let mut said = HashSet::new();
    for Told {
        facts,
        notes,
        problems,
    } in told
    {
        for note in notes {
            if said.insert(note.clone()) {
                outside.report.note(&note);
            }
        }
        errors.extend(problems);
        clusters.push(facts);
    }
    match args.format {
        FormatArg::Json => write_json(outside.out, &clusters),
        FormatArg::Table => {
            let in_colour = outside.colours_output;
            write_table(outside.out, &clusters, outside.width, in_colour)
        }
    }
    .context("failed to write to standard output")?;
    let outcome = match errors.is_empty() {
        true => Outcome::Done,
        false => Outcome::Wrong,
    };
    for error in errors {
        if said.insert(format!("{error:#}")) {
            outside.report.error(&affected.name("inspect", error));
        }
    }
    Ok(outcome)
}

fn check_fleet(seen: &mut [Seen]) {
    let mut members: Vec<Member<'_>> = seen
        .iter_mut()
        .map(|cluster| Member {
            name: &cluster.parts.name,
            place: &cluster.place,
            server: cluster.parts.server.as_ref(),
            findings: &mut cluster.parts.findings,
        })
        .collect();
    let Checked {
        errors,
        about_earlier,
    } = check(&mut members);
    for (position, error) in errors {
        if let Some(cluster) = seen.get_mut(position) {
            cluster.parts.problems.push(error);
        }
    }
    // Where each cluster is shown by itself, each of two that are alike has to be.
    for (position, finding, is_accepted) in about_earlier {
        if let Some(cluster) = seen.get_mut(position) {
            let findings = &mut cluster.parts.findings;
            match is_accepted {
                true => findings.accepted.push(finding),
                false => findings.open.push(finding),
            }
        }
    }
}

/// What is known of one cluster.
struct Seen {
    place: Place,
    notes: Vec<String>,
    endpoint: Option<Asked>,
    token: Origin,
    credentials: Option<Credentials>,
    parts: Parts,
}

/// What the inputs say about the endpoint, before anything is concluded.
struct Asked {
    kubeconfig: Harmless,
    context: Harmless,
    server: Option<Harmless>,
    server_is_from_values: bool,
    instead_of: Option<Harmless>,
    authority_is_from_values: bool,
    authority_at: Option<Harmless>,
}

impl Seen {
    fn of(inputs: Inputs, notes: Vec<String>, request: &Request, now: SystemTime) -> Self {
        Self {
            place: inputs.place.clone(),
            notes,
            endpoint: inputs.endpoint.as_ref().ok().map(Asked::of),
            token: origin_of_token(&inputs, request),
            credentials: credentials(&inputs),
            parts: registration::resolve_parts(inputs, now),
        }
    }

    fn told(self) -> Told {
        let Self {
            place,
            notes,
            endpoint,
            mut token,
            credentials,
            parts,
        } = self;
        if let Some(TokenDelivery::External(route)) = &parts.token {
            token.at = Some(Harmless::of(&route.key));
        }
        let problems = parts.problems;
        let server = endpoint
            .as_ref()
            .and_then(|asked| about_server(parts.server.as_ref(), asked));
        let authority = parts.certificate_authority.zip(endpoint.as_ref());
        let findings = [
            (parts.findings.open, false),
            (parts.findings.accepted, true),
        ];
        let facts = Cluster {
            name: Some(Harmless::of(&parts.name)),
            values_file: Harmless::source(&place.source),
            document: place.document,
            kubeconfig: endpoint.as_ref().map(|asked| asked.kubeconfig.clone()),
            context: endpoint.as_ref().map(|asked| asked.context.clone()),
            server,
            certificate_authority: authority.map(|(authority, asked)| match authority {
                Some(authority) => certificates(&authority, asked),
                None => Authority {
                    from: "system",
                    at: None,
                    expires: None,
                    certificates: Vec::new(),
                },
            }),
            token: Some(about_token(token, parts.token_read.as_ref())),
            storage: parts
                .storage
                .zip(credentials)
                .map(|(storage, credentials)| Storage {
                    file_system: Harmless::of(&storage.file_system),
                    scheme: storage.scheme.as_str(),
                    endpoint: storage.endpoint.as_deref().map(Harmless::of),
                    credentials,
                }),
            findings: findings
                .into_iter()
                .flat_map(|(findings, accepted)| {
                    findings.into_iter().map(move |finding| Finding {
                        code: finding.code.as_str(),
                        level: match finding.code.level() {
                            Level::Deny => "deny",
                            Level::Warn => "warn",
                        },
                        accepted,
                        text: finding.text,
                    })
                })
                .collect(),
            errors: errors(&problems),
        };
        Told {
            facts,
            notes,
            problems,
        }
    }
}

/// What is told of one cluster.
struct Told {
    facts: Cluster,
    notes: Vec<String>,
    problems: Problems,
}

impl Told {
    fn of_unread(unread: Unread) -> Self {
        let Unread {
            place,
            name,
            problems,
        } = unread;
        let facts = Cluster {
            name: name.as_deref().map(Harmless::of),
            values_file: Harmless::source(&place.source),
            document: place.document,
            kubeconfig: None,
            context: None,
            server: None,
            certificate_authority: None,
            token: None,
            storage: None,
            findings: Vec::new(),
            errors: errors(&problems),
        };
        Self {
            facts,
            notes: Vec::new(),
            problems,
        }
    }
}

fn errors(problems: &Problems) -> Vec<String> {
    let texts = problems.iter().map(|problem| format!("{problem:#}"));
    texts.collect()
}

impl Asked {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            kubeconfig: Harmless::source(&endpoint.kubeconfig),
            context: Harmless::of(&endpoint.context),
            server: endpoint.server.url.as_deref().map(Harmless::url),
            server_is_from_values: endpoint.server.is_from_values,
            instead_of: endpoint
                .server
                .instead_of
                .as_ref()
                .map(|other| Harmless::url(&other.0)),
            authority_is_from_values: endpoint.authority_is_from_values,
            authority_at: match &endpoint.certificate_authority {
                Ok(input::endpoint::Authority::File { source, .. }) => {
                    Some(Harmless::source(source))
                }
                _ => None,
            },
        }
    }
}

fn from_values_or_kubeconfig(is_from_values: bool) -> &'static str {
    match is_from_values {
        true => "values",
        false => "kubeconfig",
    }
}

/// The server, or the URL that was given for one and can't be used.
fn about_server(server: Option<&registration::server::Server>, asked: &Asked) -> Option<Server> {
    Some(Server {
        host: server.map(|server| Harmless::of(&server.url_host())),
        port: server.map(|server| server.port().to_string()),
        given: asked.server.clone()?,
        from: from_values_or_kubeconfig(asked.server_is_from_values),
        instead_of: asked.instead_of.clone(),
    })
}

fn certificates(authority: &CertificateAuthority, asked: &Asked) -> Authority {
    let certificates = authority.certificates();
    let first = certificates
        .iter()
        .min_by_key(|certificate| certificate.not_after);
    Authority {
        from: from_values_or_kubeconfig(asked.authority_is_from_values),
        at: asked.authority_at.clone(),
        expires: first.map(registration::certificate::Certificate::expires),
        certificates: certificates
            .iter()
            .map(|certificate| Certificate {
                subject: Harmless::of(&certificate.subject),
                sha256: certificate.fingerprint(),
                expires: certificate.expires(),
            })
            .collect(),
    }
}

fn about_token(origin: Origin, read: Option<&registration::token::Token>) -> Token {
    let (kind, secret) = match read.map(registration::token::Token::kind) {
        None => (None, None),
        Some(TokenKind::LongLived { secret }) => (Some("longLived"), Some(Harmless::of(&secret))),
        Some(TokenKind::Bound) => (Some("bound"), None),
        Some(TokenKind::Foreign) => (Some("foreign"), None),
        Some(TokenKind::Opaque) => (Some("opaque"), None),
    };
    Token {
        origin,
        kind,
        subject: read.and_then(|token| token.subject()).map(Harmless::of),
        secret,
        expires: read
            .and_then(registration::token::Token::expires)
            .map(|at| at.to_string()),
    }
}

fn origin_of_token(inputs: &Inputs, request: &Request) -> Origin {
    let is_read = inputs.token.is_ok();
    match (&inputs.values.token, &request.token_file) {
        (Some(TokenValues::None), _) => Origin {
            from: "none",
            at: None,
        },
        (Some(TokenValues::ExternalSecret), _) => Origin {
            from: "externalSecret",
            at: None,
        },
        (Some(TokenValues::From(source)), _) => {
            origin_of_source(source, &inputs.place, PathKey::Token, is_read)
        }
        (None, Some(Source::Stdin)) => Origin {
            from: "stdin",
            at: None,
        },
        // It stood on the command line, so it isn't hidden where it couldn't be read.
        (None, Some(source)) => Origin {
            from: "file",
            at: Some(Harmless::source(source)),
        },
        (None, None) => Origin {
            from: "notGiven",
            at: None,
        },
    }
}

fn credentials(inputs: &Inputs) -> Option<Credentials> {
    let of_form = |form: &'static str| Credentials {
        form,
        access_key_id: None,
        secret_access_key: None,
    };
    let values = inputs.values.storage.as_ref()?.credentials.as_ref()?;
    Some(match values {
        CredentialsValues::WorkloadIdentity => of_form("workloadIdentity"),
        CredentialsValues::ExistingSecret => of_form("existingSecret"),
        CredentialsValues::Keys {
            access_key_id,
            secret_access_key,
        } => {
            let keys = inputs.storage_keys.as_ref();
            let is_read = |half: fn(&StorageKeys) -> bool| keys.is_some_and(half);
            let origin = |value: &SecretValue, key: PathKey, is_read: bool| match value {
                SecretValue::Literal(_) => Origin {
                    from: "values",
                    at: None,
                },
                SecretValue::From(source) => origin_of_source(source, &inputs.place, key, is_read),
            };
            Credentials {
                form: "keys",
                access_key_id: Some(origin(
                    access_key_id,
                    PathKey::AccessKeyId,
                    is_read(|keys| keys.access_key_id.is_ok()),
                )),
                secret_access_key: Some(origin(
                    secret_access_key,
                    PathKey::SecretAccessKey,
                    is_read(|keys| keys.secret_access_key.is_ok()),
                )),
            }
        }
        CredentialsValues::ExternalSecret { remote, .. } => {
            let origin = || Origin {
                from: "externalSecret",
                at: Some(Harmless::of(&remote.key)),
            };
            Credentials {
                form: "externalSecret",
                access_key_id: Some(origin()),
                secret_access_key: Some(origin()),
            }
        }
    })
}

/// Where a secret was read. A file that couldn't be read isn't named, nor is a variable with an odd
/// name: it may be the secret itself.
fn origin_of_source(source: &SecretSource, place: &Place, key: PathKey, is_read: bool) -> Origin {
    match source {
        SecretSource::Env(name) => Origin {
            from: "env",
            at: (is_read || is_identifier(name)).then(|| Harmless::of(name)),
        },
        SecretSource::File(path) => Origin {
            from: "file",
            at: (place.resolve(key, path).ok())
                .filter(|_| is_read)
                .map(|path| Harmless::path(&path)),
        },
    }
}
