//! Clusters that share an API server.

use std::collections::HashMap;

use super::Resolution;
use super::server::Server;
use crate::diagnostic::{Code, Diagnostic};
use crate::show::list;

/// Adds the findings about clusters that share host and port, for which the controller keeps one client.
/// They are accepted if each of the clusters accepts them.
pub fn find_shared_servers(resolutions: &mut [Resolution]) {
    let mut by_server: HashMap<Server, Vec<(String, bool)>> = HashMap::new();
    for resolution in resolutions.iter() {
        if let Some(server) = &resolution.server {
            let cluster = &resolution.cluster;
            let allow = cluster.values.allow.as_deref().unwrap_or_default();
            let is_allowed = allow.contains(&Code::DuplicateEndpoint);
            let clusters = by_server.entry(server.clone()).or_default();
            clusters.push((cluster.name().to_owned(), is_allowed));
        }
    }
    for resolution in resolutions {
        let Some((server, clusters)) =
            resolution.server.as_ref().and_then(|server| by_server.get_key_value(server))
        else {
            continue;
        };
        if clusters.len() > 1 {
            let names = list(clusters.iter().map(|(name, _)| name));
            let message =
                format!("{names} share the API server {server}, so they would share one token");
            let finding = Diagnostic::finding(Code::DuplicateEndpoint, message)
                .help("register each API server once")
                .at(&resolution.cluster.place("kubeconfig.server"));
            match clusters.iter().all(|(_, is_allowed)| *is_allowed) {
                true => resolution.accepted.push(finding),
                false => resolution.diagnostics.push(finding),
            }
        }
    }
}
