//! Words and lines that are no secret, wherever they stand.

use crate::output::directory::{HEADER, SECRET_HEADER};
use crate::registration::storage::{
    ACCESS_KEY_ID, ENDPOINT, FILE_SYSTEM, SCHEME, SECRET_ACCESS_KEY,
};

/// Keys of the objects that this program renders, and of the Secrets and ConfigMaps among them.
pub const KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "type",
    "data",
    "stringData",
    "binaryData",
    "immutable",
    "rules",
    "apiGroups",
    "apiGroup",
    "resources",
    "resourceNames",
    "nonResourceURLs",
    "verbs",
    "roleRef",
    "subjects",
    "spec",
    "sla",
    "dc",
    "region",
    "zone",
    "kubernetes",
    "rest",
    "host",
    "port",
    "tokenTag",
    "caDataTag",
    "skus",
    "token",
    "cadata",
    "secretStoreRef",
    "refreshInterval",
    "target",
    "template",
    "remoteRef",
    "secretKey",
    "property",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "kubernetes.io/service-account.name",
    FILE_SYSTEM,
    SCHEME,
    ENDPOINT,
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
];

/// The keys of a Secret under which no secret material stands.
pub const PUBLIC_SECTIONS: &[&str] = &["apiVersion", "kind", "metadata", "type", "immutable"];

/// Lines, without indentation, that every reader knows.
const LINES: &[&str] = &[
    "---",
    "apiVersion: v1",
    "apiVersion: michelangelo.api/v2",
    "apiVersion: rbac.authorization.k8s.io/v1",
    "kind: Cluster",
    "kind: ClusterRole",
    "kind: ClusterRoleBinding",
    "kind: ConfigMap",
    "kind: Role",
    "kind: RoleBinding",
    "kind: Secret",
    "kind: ServiceAccount",
    "namespace: default",
    "namespace: ma-system",
    "type: Opaque",
    "type: kubernetes.io/service-account-token",
    "\"app.kubernetes.io/managed-by\": \"ma-register\"",
    "\"app.kubernetes.io/part-of\": \"michelangelo\"",
];

/// Whether a line, without indentation, is known to hold no secret, whatever file it stands in.
pub fn is_public_line(line: &str) -> bool {
    LINES.contains(&line)
        || [HEADER, SECRET_HEADER]
            .iter()
            .any(|header| line == header.trim_end())
}
