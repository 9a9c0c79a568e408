//! Findings about several clusters of a run.

use std::collections::HashMap;
use std::hash::Hash;

use super::Resolution;
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::show::list;

/// Adds a finding to clusters with the same host and port: the controller keeps one client for both, with one token.
pub fn find_shared_servers(resolutions: &mut [Resolution]) {
    find_shared(
        resolutions,
        "kubeconfig.server",
        |resolution| resolution.server.clone(),
        |server, names| {
            let message =
                format!("{names} share the API server {server}, so they would share one token");
            let help = "register each API server once";
            Diagnostic::finding(Code::DuplicateEndpoint, message).help(help)
        },
    );
}

/// Adds a finding to each cluster that shares a thing. It is accepted only if all of them accept it.
fn find_shared<T: Eq + Hash>(
    resolutions: &mut [Resolution],
    key: &str,
    thing: impl Fn(&Resolution) -> Option<T>,
    finding: impl Fn(&T, String) -> Diagnostic,
) {
    let mut groups: HashMap<T, Vec<&mut Resolution>> = HashMap::new();
    for resolution in resolutions {
        if let Some(thing) = thing(resolution) {
            groups.entry(thing).or_default().push(resolution);
        }
    }
    for (thing, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let finding = finding(&thing, list(group.iter().map(|it| it.cluster.name())));
        let accepts = |resolution: &&mut Resolution| {
            let allow = resolution.cluster.values.allow.iter().flatten();
            allow.into_iter().any(|code| finding.code == Some(*code))
        };
        let is_accepted = group.iter().all(accepts);
        for resolution in group {
            let finding = finding.clone().at(&resolution.cluster.place(key));
            if is_accepted {
                resolution.accepted.push(finding);
            } else {
                resolution.diagnostics.push(finding);
            }
        }
    }
}
