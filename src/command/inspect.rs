//! `inspect`: what was read and concluded about each cluster.

mod endpoint;
mod secrets;

use std::time::SystemTime;

use anyhow::{Context as _, Result};

use super::teller::Teller;
use super::{Outcome, Outside, fleet};
use crate::cli::{FormatArg, InspectArgs};
use crate::input::file::Source;
use crate::input::place::Place;
use crate::input::values_file::Unread;
use crate::input::{Inputs, Needs, Request};
use crate::output::facts::{
    Authority, Cluster, Credentials, Finding, Giver, Harmless, Origin, Storage, write_json,
    write_table,
};
use crate::problems::Problems;
use crate::registration::fleet::{Checked, Member, check};
use crate::registration::{self, Parts, TokenDelivery};
use endpoint::{Asked, about_server, certificates};
use secrets::{about_token, credentials, origin_of_token};

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
    let mut teller = Teller::of(
        "failed to inspect",
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
    for Told {
        facts,
        notes,
        problems,
    } in told
    {
        teller.notes(notes, outside);
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
    let is_suspicious =
        |cluster: &Cluster| cluster.findings.iter().any(|finding| !finding.accepted);
    let is_refused = args.strict && clusters.iter().any(is_suspicious);
    let outcome = match errors.is_empty() && !is_refused {
        true => Outcome::Done,
        false => Outcome::Wrong,
    };
    teller.errors(errors, outside);
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
                    from: Giver::System,
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
                        level: finding.code.level(),
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
