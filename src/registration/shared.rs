//! Findings about several clusters of a run.

use std::collections::HashMap;

use super::{Resolution, Server};
use crate::diagnostic::Diagnostic;
use crate::findings::Code;
use crate::show::list;

/// Adds a finding to clusters with the same host and port: the controller keeps one client for both, with one token.
/// It is accepted only if all of them accept it.
pub fn find_shared_servers(resolutions: &mut [Resolution]) {
    let mut groups: HashMap<Server, Vec<&mut Resolution>> = HashMap::new();
    for resolution in resolutions {
        if let Some(server) =
            resolution.server.clone().filter(|_| !resolution.cluster.name().is_empty())
        {
            groups.entry(server).or_default().push(resolution);
        }
    }
    for (server, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let names = list(group.iter().map(|it| it.cluster.name()));
        let message =
            format!("{names} share the API server {server}, so they would share one token");
        let finding =
            Diagnostic::finding(Code::DuplicateEndpoint, message, "register each API server once");
        let is_accepted = group.iter().all(|it| it.cluster.accepts(Code::DuplicateEndpoint));
        for resolution in group {
            let finding = finding.clone().at(&resolution.cluster.place("kubeconfig.server"));
            let list =
                if is_accepted { &mut resolution.accepted } else { &mut resolution.diagnostics };
            list.0.push(finding);
        }
    }
}
