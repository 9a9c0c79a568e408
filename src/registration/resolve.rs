//! From what was read about a cluster to what is concluded. Nothing is read here.

use jiff::Timestamp;

use super::certificate_authority::CertificateAuthority;
use super::checks::Checks;
use super::server::{self, Server};
use super::service_account::{self, ServiceAccount};
use super::storage::Access;
use super::token::Token;
use super::{
    Authority, Inputs, Resolution, SecretResult, TokenDelivery, external_secrets, metadata, names,
    storage,
};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::kubeconfig::{AuthoritySource, Chosen};
use crate::show::shown;
use crate::values::{ClusterValues, ExternalSecretsValues, TokenForm};

/// Concludes what there is to conclude. `now` decides about findings only.
pub fn resolve(inputs: Inputs, now: Timestamp) -> Resolution {
    let Inputs { cluster, kubeconfig, authority_file, keys, token, needs_token } = inputs;
    let values = &cluster.values;
    let mut checks = Checks { cluster: &cluster, diagnostics: Vec::new() };
    check_names(&mut checks);
    let kubeconfig = kubeconfig.and_then(|chosen| checks.take("kubeconfig.context", chosen));
    let (server, authority) = match &kubeconfig {
        Some(chosen) => resolve_api_server(chosen, authority_file, now, &mut checks),
        None => (None, None),
    };
    let service_account = values.service_account.as_ref();
    let service_account =
        service_account::resolve(service_account.unwrap_or(&Default::default()), &mut checks);
    let storage = values.storage.as_ref();
    let storage = storage::resolve(storage.unwrap_or(&Default::default()), keys, &mut checks);
    let token_key = token.as_ref().map_or("token", |(key, _)| key);
    let token = resolve_token(token, needs_token, &service_account, &mut checks);
    if let Some(TokenDelivery::Rendered(token)) = &token {
        let findings = token.findings(&service_account, now);
        findings.into_iter().for_each(|finding| checks.push(token_key, finding));
    }
    let has_token = matches!(token, Some(TokenDelivery::External));
    let has_keys = storage.as_ref().is_some_and(|one| matches!(one.access, Access::External(_)));
    let nothing = ExternalSecretsValues::default();
    let external_secrets = external_secrets::resolve(
        values.external_secrets.as_ref().unwrap_or(&nothing),
        cluster.name(),
        (has_token || has_keys, has_token),
        &mut checks,
    );
    let labels = metadata::labels(cluster.name(), &values.labels, &mut checks);
    let annotations = metadata::annotations(&values.annotations, &mut checks);
    let allow = values.allow.clone().unwrap_or_default();
    let is_accepted =
        |diagnostic: &Diagnostic| diagnostic.code.is_some_and(|code| allow.contains(&code));
    let (accepted, diagnostics) = checks.diagnostics.into_iter().partition(is_accepted);
    Resolution {
        kubeconfig,
        server,
        authority,
        storage,
        token,
        external_secrets,
        diagnostics,
        accepted,
        service_account,
        labels,
        annotations,
        cluster,
    }
}

fn check_names(checks: &mut Checks<'_>) {
    let values = &checks.cluster.values;
    match &values.name {
        Some(name) => {
            checks.take("name", names::check_label(name));
        }
        None => checks.push("name", Diagnostic::error("the cluster has no `name`")),
    }
    if let Some(ClusterValues { region, zone, .. }) = &values.cluster {
        for (key, text) in [("cluster.region", region), ("cluster.zone", zone)] {
            if let Some(text) = text {
                checks.take(key, names::check_filled_in(text));
            }
        }
    }
}

fn resolve_api_server(
    kubeconfig: &Chosen,
    authority_file: Option<Result<Vec<u8>, Diagnostic>>,
    now: Timestamp,
    checks: &mut Checks<'_>,
) -> (Option<Server>, Option<Authority>) {
    for finding in &kubeconfig.findings {
        checks.push("kubeconfig.path", finding.clone());
    }
    let server = resolve_server(kubeconfig, checks);
    let authority = resolve_authority(kubeconfig, server.as_ref(), authority_file, checks);
    if let Some(Authority::Own(authority)) = &authority {
        for finding in authority.findings(now) {
            checks.push("kubeconfig.certificateAuthority", finding);
        }
    }
    (server, authority)
}

fn resolve_server(kubeconfig: &Chosen, checks: &mut Checks<'_>) -> Option<Server> {
    let own = checks.cluster.values.kubeconfig.as_ref().and_then(|values| values.server.as_ref());
    let place = match own {
        Some(_) => checks.cluster.place("kubeconfig.server"),
        None => entry_place(kubeconfig, checks, "server"),
    };
    let push =
        |checks: &mut Checks<'_>, found: Diagnostic| checks.diagnostics.push(found.at(&place));
    let server = match Server::parse(own.map_or(&kubeconfig.server, |own| &own.0)) {
        Ok(server) => server,
        Err(error) => {
            push(checks, error);
            return None;
        }
    };
    server.finding().into_iter().for_each(|finding| push(checks, finding));
    for (key, finding) in server.kubeconfig_findings(kubeconfig, own.is_some()) {
        let place = entry_place(kubeconfig, checks, key);
        checks.diagnostics.push(finding.at(&place));
    }
    Some(server)
}

fn resolve_authority(
    kubeconfig: &Chosen,
    server: Option<&Server>,
    file: Option<Result<Vec<u8>, Diagnostic>>,
    checks: &mut Checks<'_>,
) -> Option<Authority> {
    let values = checks.cluster.values.kubeconfig.as_ref();
    let own = values.and_then(|values| values.certificate_authority.as_deref());
    let is_replaced = values.is_some_and(|values| values.server.is_some());
    if own == Some("system") {
        return Some(Authority::System);
    }
    if own.is_some() {
        let authority = file?.and_then(|bytes| CertificateAuthority::from_pem(&bytes));
        return checks.take("kubeconfig.certificateAuthority", authority).map(Authority::Own);
    }
    let (key, result) = kubeconfig_authority(kubeconfig, server, file);
    let place = entry_place(kubeconfig, checks, key);
    let authority = match result {
        Ok(authority) => authority,
        Err(error) => {
            checks.diagnostics.push(error.at(&place));
            return None;
        }
    };
    if is_replaced && server::is_proxy(&kubeconfig.server) {
        let message = "the CA belongs to the proxy that `kubeconfig.server` bypasses";
        let finding = Diagnostic::finding(Code::CaOfProxy, message)
            .help("set `kubeconfig.certificateAuthority` to the CA of the API server itself");
        checks.diagnostics.push(finding.at(&place));
    }
    if server.is_some_and(Server::is_gke_dns_endpoint) {
        let message = "GKE DNS endpoints use a public CA";
        let finding = Diagnostic::finding(Code::GkeDnsEndpoint, message)
            .help("set `kubeconfig.certificateAuthority` to `system`");
        checks.diagnostics.push(finding.at(&place));
    }
    Some(Authority::Own(authority))
}

/// The authority that a kubeconfig gives, and the key that gives it.
pub fn kubeconfig_authority(
    kubeconfig: &Chosen,
    server: Option<&Server>,
    file: Option<Result<Vec<u8>, Diagnostic>>,
) -> (&'static str, Result<CertificateAuthority, Diagnostic>) {
    let source = &kubeconfig.certificate_authority;
    match source {
        _ if kubeconfig.is_insecure => ("insecure-skip-tls-verify", Err(insecure(source))),
        AuthoritySource::Base64(text) => {
            ("certificate-authority-data", CertificateAuthority::from_base64(text))
        }
        AuthoritySource::Unusable(error) => ("certificate-authority", Err(error.clone())),
        AuthoritySource::File(_) => {
            let bytes = file.unwrap_or_else(|| Err(no_authority(server)));
            let authority = bytes.and_then(|bytes| CertificateAuthority::from_pem(&bytes));
            let explain = |error: Diagnostic| {
                error
                    .help("export the kubeconfig where that file is: `kubectl config view --raw --minify --flatten`")
                    .help("or set `kubeconfig.certificateAuthority` to a copy of it")
            };
            ("certificate-authority", authority.map_err(explain))
        }
        AuthoritySource::Missing => ("certificate-authority-data", Err(no_authority(server))),
    }
}

fn entry_place(kubeconfig: &Chosen, checks: &Checks<'_>, key: &str) -> Place {
    Place {
        file: Some(kubeconfig.file.clone()),
        key: Some(format!("cluster {}: {key}", shown(&kubeconfig.cluster))),
        ..checks.cluster.place("name")
    }
}

fn insecure(source: &AuthoritySource) -> Diagnostic {
    let message = "`insecure-skip-tls-verify` is not supported: the control plane always verifies";
    let error = Diagnostic::error(message);
    match source {
        AuthoritySource::Missing => error.help("set `kubeconfig.certificateAuthority` to the cluster's CA").help(
            r"print it with `kubectl --context CONTEXT -n default get configmap kube-root-ca.crt -o jsonpath='{.data.ca\.crt}'`",
        ),
        _ => error.help("remove `insecure-skip-tls-verify`; the CA is already there"),
    }
}

fn no_authority(server: Option<&Server>) -> Diagnostic {
    let error = Diagnostic::error("the kubeconfig has no certificate authority");
    if server.is_some_and(Server::is_gke_dns_endpoint) {
        return error
            .help("set `kubeconfig.certificateAuthority` to `system`, for a DNS endpoint of GKE");
    }
    error
        .help("set `kubeconfig.certificateAuthority` to a PEM file with the cluster's CA")
        .help("or to `system`, if the server's certificate is from a public authority")
}

fn resolve_token(
    token: Option<(&'static str, SecretResult)>,
    is_needed: bool,
    account: &ServiceAccount,
    checks: &mut Checks<'_>,
) -> Option<TokenDelivery> {
    if let Some((key, token)) = token {
        let token = checks.take(key, token.and_then(storage::check_secret))?;
        return Some(TokenDelivery::Rendered(Token::new(token)));
    }
    match &checks.cluster.values.token {
        Some(TokenForm::None) => Some(TokenDelivery::Elsewhere),
        Some(TokenForm::ExternalSecret) => Some(TokenDelivery::External),
        None if is_needed => {
            let message = format!("no token for {}", shown(&account.name));
            let error = Diagnostic::error(message)
                .help("pass `--token-file FILE`")
                .help("or set `token` in the values: `{file: PATH}`, `{env: NAME}`, `externalSecret`, or `none` if someone else makes the Secret");
            checks.push("token", error);
            None
        }
        Some(TokenForm::From(_)) | None => Some(TokenDelivery::Open),
    }
}
