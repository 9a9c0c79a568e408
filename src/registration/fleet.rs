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

/// Checks that no two clusters have the same name, which is an error, nor the same host and port,
/// which is a finding about the later of them by name, accepted if either of them does. Gives the position of each cluster at fault.
pub fn check(members: &mut [Member<'_>]) -> Vec<(usize, anyhow::Error)> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    let key = |position: &usize| members.get(*position).map(|member| member.name);
    order.sort_by(|one, other| key(one).cmp(&key(other)));
    let mut errors = Vec::new();
    let mut by_name: HashMap<&str, String> = HashMap::new();
    let mut by_endpoint: HashMap<String, (&str, String, bool)> = HashMap::new();
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
            errors.push((position, error.context(member.place.failed_to_use())));
            continue;
        }
        by_name.insert(member.name, place.clone());
        let Some(server) = member.server else {
            continue;
        };
        let endpoint = format!("{}:{}", server.url_host(), server.port());
        let allows = member.findings.allowed.contains(&Code::DuplicateEndpoint);
        if let Some((name, other, allowed)) = by_endpoint.get(&endpoint) {
            let finding = Finding::new(
                Code::DuplicateEndpoint,
                format!(
                    "{place}: the server of {} is {}, and so is that of {} ({other}): the control plane keeps one client for a host and port, so it would use the token of one for both; register the cluster once, or give one of them another address by `kubeconfig.server`",
                    shown(member.name),
                    shown(&endpoint),
                    shown(name),
                ),
            );
            match allows || *allowed {
                true => member.findings.accepted.push(finding),
                false => member.findings.open.push(finding),
            }
            // One that accepts the others doesn't accept them for each other.
            if allows || !*allowed {
                continue;
            }
        }
        by_endpoint.insert(endpoint, (member.name, place, allows));
    }
    errors.sort_by_key(|(position, _)| *position);
    errors
}
