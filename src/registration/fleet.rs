//! What has to hold among the clusters of one run.

use std::collections::HashMap;

use anyhow::anyhow;

use super::Findings;
use super::finding::{Code, Finding};
use super::server::Server;
use crate::input::place::Place;
use crate::text::shown;

/// One cluster of a run.
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its values stand.
    pub place: &'a Place,
    /// Its API server, where that is known.
    pub server: Option<&'a Server>,
    /// What was found about it.
    pub findings: &'a mut Findings,
}

/// What doesn't hold among the clusters, each by the cluster's position.
#[derive(Default)]
pub struct Checked {
    /// A name that another cluster has already.
    pub errors: Vec<(usize, anyhow::Error)>,
    /// What the later cluster of each two with one endpoint has among its findings, told of the
    /// earlier; and whether it is accepted.
    pub about_earlier: Vec<(usize, Finding, bool)>,
}

/// A cluster, as others are compared with it.
struct Compared<'a> {
    position: usize,
    name: &'a str,
    place: String,
    allows: bool,
}

/// Checks that no two clusters have the same name, which is an error, nor the same host and port,
/// which is a finding about the later of them by name, accepted if either of them does.
pub fn check(members: &mut [Member<'_>]) -> Checked {
    let mut order: Vec<usize> = (0..members.len()).collect();
    let key = |position: &usize| members.get(*position).map(|member| member.name);
    order.sort_by(|one, other| key(one).cmp(&key(other)));
    let mut checked = Checked::default();
    let mut by_name: HashMap<&str, String> = HashMap::new();
    let mut by_endpoint: HashMap<String, Compared<'_>> = HashMap::new();
    for position in order {
        let Some(member) = members.get_mut(position) else {
            continue;
        };
        let place = member.place.to_string();
        if let Some(other) = by_name.get(member.name) {
            let error = anyhow!(
                "`name` is {}, and so it is in {other}: the control plane tells its clusters apart by their names{}",
                shown(member.name),
                if *other == place {
                    " (the file is given twice)"
                } else {
                    ""
                }
            );
            let error = error.context(member.place.failed_to_use());
            checked.errors.push((position, error));
            continue;
        }
        by_name.insert(member.name, place.clone());
        let Some(server) = member.server else {
            continue;
        };
        let endpoint = format!("{}:{}", server.url_host(), server.port());
        let this = Compared {
            position,
            name: member.name,
            place,
            allows: member.findings.allowed.contains(&Code::DuplicateEndpoint),
        };
        if let Some(earlier) = by_endpoint.get(&endpoint) {
            let finding = duplicate(&endpoint, &this, earlier);
            let is_accepted = this.allows || earlier.allows;
            match is_accepted {
                true => member.findings.accepted.push(finding),
                false => member.findings.open.push(finding),
            }
            let about_earlier = duplicate(&endpoint, earlier, &this);
            let about_earlier = (earlier.position, about_earlier, is_accepted);
            checked.about_earlier.push(about_earlier);
            // One that accepts the others doesn't accept them for each other.
            if this.allows || !earlier.allows {
                continue;
            }
        }
        by_endpoint.insert(endpoint, this);
    }
    checked.errors.sort_by_key(|(position, _)| *position);
    checked
}

fn duplicate(endpoint: &str, about: &Compared<'_>, other: &Compared<'_>) -> Finding {
    Finding::new(
        Code::DuplicateEndpoint,
        format!(
            "{}: the server of {} is {}, and so is that of {} ({}): the control plane keeps one client for a host and port, so it would use the token of one for both; register the cluster once, or give one of them another address by `kubeconfig.server`",
            about.place,
            shown(about.name),
            shown(endpoint),
            shown(other.name),
            other.place,
        ),
    )
}
