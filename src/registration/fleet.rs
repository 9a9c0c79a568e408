//! What is wrong between clusters.

use std::collections::HashMap;

use super::Resolution;
use super::server::Server;
use crate::diagnostic::{Code, Diagnostic};
use crate::show::list;

/// Adds the findings about clusters that share host and port, for which the controller keeps one client.
pub fn find_shared_servers(resolutions: &mut [Resolution]) {
    let mut by_server: HashMap<Server, Vec<usize>> = HashMap::new();
    for (index, resolution) in resolutions.iter().enumerate() {
        if let Some(server) = &resolution.server {
            by_server.entry(server.clone()).or_default().push(index);
        }
    }
    for (server, indices) in by_server.into_iter().filter(|(_, indices)| indices.len() > 1) {
        let names = list(
            indices
                .iter()
                .filter_map(|index| resolutions.get(*index))
                .map(|one| one.cluster.name()),
        );
        let allows = |index: &usize| {
            let allow = resolutions.get(*index).and_then(|one| one.cluster.values.allow.as_ref());
            allow.is_some_and(|allow| allow.contains(&Code::DuplicateEndpoint))
        };
        let is_accepted = indices.iter().all(allows);
        let message = format!(
            "the clusters {names} have the same API server, {server}; the controller would use one token for all"
        );
        let finding = Diagnostic::finding(Code::DuplicateEndpoint, message)
            .help("register each API server once");
        for index in indices {
            if let Some(resolution) = resolutions.get_mut(index) {
                let finding = finding.clone().at(&resolution.cluster.place("kubeconfig.server"));
                match is_accepted {
                    true => resolution.accepted.push(finding),
                    false => resolution.diagnostics.push(finding),
                }
            }
        }
    }
}
