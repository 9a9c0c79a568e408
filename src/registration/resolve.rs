//! Checks what was read about a cluster and draws the conclusions. Reads no files.

use k8s_openapi::jiff::Timestamp;

use super::Checks;
use super::certificate_authority::CertificateAuthority;
use super::server::{self, Server};
use super::service_account::{self, ServiceAccount};
use super::token::{self, Token};
use super::{Outline, Resolution, credentials, external_secrets, metadata, names, storage};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::findings::Code;
use crate::kubeconfig::{GivenCa, KubeconfigCluster};
use crate::secret::Secret;
use crate::show::shown;
use crate::sources::{GivenServer, Inputs, ReadSecret, Source, Sources, TokenSource};
use crate::values::{ClusterSpec, ExternalSecretsValues, StorageValues};

/// Resolves a cluster. `now` affects findings only.
pub fn resolve(inputs: Inputs, now: Timestamp) -> Resolution {
    let Inputs { cluster, sources, server, s3_key, extra_env, token, requires_token } = inputs;
    let values = &cluster.values;
    let mut checks = Checks { cluster: &cluster, diagnostics: Default::default() };
    check_names(&mut checks);
    let given = server.and_then(|given| checks.take("kubeconfig", given));
    let resolved = given.map(|given| resolve_server(given, &sources, now, &mut checks));
    let (kubeconfig, server, ca) = resolved.unwrap_or_default();
    let service_account = values.service_account.as_ref();
    let service_account =
        service_account::resolve(service_account.unwrap_or(&Default::default()), &mut checks);
    let no_storage = StorageValues::default();
    let storage_values = values.storage.as_ref().unwrap_or(&no_storage);
    let storage = storage::resolve(storage_values, s3_key, extra_env, &mut checks);
    // Refuse now: a job that meets a missing token Secret fails for good.
    if requires_token && sources.token == TokenSource::Undecided {
        checks.push("token", no_token(&service_account));
    }
    let token = resolve_token(token, &sources.token, &service_account, now, &mut checks);
    let outline = Outline {
        name: cluster.name().to_owned(),
        token: sources.token.delivery(),
        s3_key: sources.s3_key,
        collector_secret: credentials::resolve_collector_secret(storage_values, &mut checks),
        pod_service_account: values
            .pod_service_account
            .as_ref()
            .map(|values| service_account::resolve_pod_account(values, &mut checks)),
        external_secrets: external_secrets::resolve(
            values.external_secrets.as_ref().unwrap_or(&ExternalSecretsValues::default()),
            cluster.name(),
            &sources,
            &mut checks,
        ),
        labels: metadata::labels(cluster.name(), &values.labels, &mut checks),
        annotations: metadata::annotations("annotations", &values.annotations, &mut checks),
        service_account,
    };
    let is_accepted =
        |diagnostic: &Diagnostic| diagnostic.code.is_some_and(|code| cluster.accepts(code));
    let (accepted, diagnostics) = checks.diagnostics.0.into_iter().partition(is_accepted);
    Resolution {
        sources,
        outline,
        kubeconfig,
        server,
        ca,
        storage,
        token,
        diagnostics: Diagnostics(diagnostics),
        accepted: Diagnostics(accepted),
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
    if let Some(ClusterSpec { region, zone, sla: _, dc: _, scheduler_type: _, skus: _ }) =
        &values.cluster
    {
        for (key, text) in [("cluster.region", region), ("cluster.zone", zone)] {
            checks.take(key, text.as_deref().map_or(Ok(()), names::check_filled_in));
        }
    }
}

fn resolve_server(
    given: GivenServer,
    sources: &Sources,
    now: Timestamp,
    checks: &mut Checks<'_>,
) -> (Option<KubeconfigCluster>, Option<Server>, Option<CertificateAuthority>) {
    let GivenServer { kubeconfig, url, place, ca, ca_place } = given;
    for finding in &kubeconfig.findings {
        checks.push("kubeconfig.path", finding.clone());
    }
    let server = Server::parse(&url).map_err(|error| checks.push_at(&place, error)).ok();
    if let Some(server) = &server {
        server.finding().into_iter().for_each(|finding| checks.push_at(&place, finding));
        let is_replaced = sources.server == Source::Values;
        server.check_kubeconfig(&kubeconfig, is_replaced, checks);
    }
    let ca = ca
        .and_then(|given| resolve_ca(given, &kubeconfig, sources.ca, server.as_ref()))
        .map_err(|error| checks.push_at(&ca_place, error))
        .ok();
    if let Some(authority) = ca.as_ref().filter(|_| sources.ca != Source::System) {
        if sources.ca == Source::Kubeconfig {
            check_kubeconfig_ca(&kubeconfig, sources, server.as_ref(), &ca_place, checks);
        }
        for finding in authority.findings(now) {
            checks.push_at(&ca_place, finding);
        }
    }
    (Some(kubeconfig), server, ca)
}

/// Adds findings if the kubeconfig's CA isn't the one of the server that the control plane dials.
fn check_kubeconfig_ca(
    kubeconfig: &KubeconfigCluster,
    sources: &Sources,
    server: Option<&Server>,
    place: &Place,
    checks: &mut Checks<'_>,
) {
    if sources.server == Source::Values && server::is_proxy(&kubeconfig.server) {
        let message = "the CA belongs to the proxy that `kubeconfig.server` bypasses";
        let help = "set `kubeconfig.certificateAuthority` to the CA of the API server itself";
        checks.push_at(place, Diagnostic::finding(Code::CaOfProxy, message, help));
    }
    if server.is_some_and(Server::is_gke_dns_endpoint) {
        let message = "GKE DNS endpoints use a public CA";
        let help = "set `kubeconfig.certificateAuthority` to `system`";
        checks.push_at(place, Diagnostic::finding(Code::GkeDnsEndpoint, message, help));
    }
}

/// Checks a CA. Fails if it is missing or unusable.
pub fn resolve_ca(
    given: GivenCa,
    kubeconfig: &KubeconfigCluster,
    source: Source,
    server: Option<&Server>,
) -> Result<CertificateAuthority, Diagnostic> {
    let is_kubeconfig = source == Source::Kubeconfig;
    match given {
        GivenCa::System => Ok(CertificateAuthority::default()),
        // A CA from the values is used despite the flag, which is about the kubeconfig's own.
        given if is_kubeconfig && kubeconfig.is_insecure => {
            let error = insecure(matches!(given, GivenCa::Missing));
            Err(error.at(&kubeconfig.place("insecure-skip-tls-verify")))
        }
        GivenCa::Missing => Err(no_authority(server)),
        GivenCa::Base64(text) => CertificateAuthority::from_base64(&text),
        GivenCa::Pem(bytes) => CertificateAuthority::from_pem(&bytes),
    }
}

fn insecure(has_no_ca: bool) -> Diagnostic {
    let message = "`insecure-skip-tls-verify` is not supported: the control plane always verifies";
    let error = Diagnostic::error(message);
    if !has_no_ca {
        return error.help("remove `insecure-skip-tls-verify`; the CA is already there");
    }
    error.help("set `kubeconfig.certificateAuthority` to the cluster's CA").help(
        r"print it with `kubectl --context CONTEXT -n default get configmap kube-root-ca.crt -o jsonpath='{.data.ca\.crt}'`",
    )
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

fn no_token(account: &ServiceAccount) -> Diagnostic {
    Diagnostic::error(format!("no token for {}", shown(&account.name)))
        .help("for a new cluster apply `--side compute` first, which makes the token")
        .help("pass `--token-file FILE`")
        .help("or set `token` in the values: `{file: PATH}`, `{env: NAME}`, `externalSecret`, or `none` if someone else makes the Secret")
}

fn resolve_token(
    token: Option<ReadSecret>,
    source: &TokenSource,
    account: &ServiceAccount,
    now: Timestamp,
    checks: &mut Checks<'_>,
) -> Option<Token> {
    let secret = token?.and_then(Secret::checked).and_then(token::check_bare);
    let secret = checks.take(source.key(), secret)?;
    let token = Token::new(secret);
    for finding in token.findings(account, now) {
        checks.push(source.key(), finding);
    }
    Some(token)
}
