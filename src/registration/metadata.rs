//! Labels and annotations of every manifest.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::name::{check_annotation_key, check_label_key, check_label_value};
use crate::text::shown;

/// The tool that made an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The application that an object belongs to.
const PART_OF: &str = "app.kubernetes.io/part-of";
/// The compute cluster that an object is about.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Annotations by which Kubernetes ties a token Secret to its service account, all with this prefix.
const SERVICE_ACCOUNT: &str = "kubernetes.io/service-account.";
/// What client-side `kubectl apply` keeps of the object that it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// All annotations of an object together, keys and values, in bytes
/// (`k8s.io/apimachinery/pkg/api/validation`, `TotalAnnotationSizeLimitB`).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Our labels and the user's.
///
/// # Errors
/// Where one isn't a label, or redefines one of ours.
pub fn labels(name: &str, values: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    for (key, value) in &values {
        check_label_key(key).context("`labels`")?;
        check_label_value(value).with_context(|| format!("`labels`, {}", shown(key)))?;
        if [MANAGED_BY, PART_OF, INSTANCE].contains(&key.as_str()) {
            bail!(
                "`labels` sets {}, which every manifest has already",
                shown(key)
            );
        }
    }
    let own = [
        (MANAGED_BY, "ma-register"),
        (PART_OF, "michelangelo"),
        (INSTANCE, name),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Ok(own.into_iter().chain(values).collect())
}

/// The user's annotations.
///
/// # Errors
/// Where one isn't an annotation, or changes what a manifest means.
pub fn annotations(values: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let mut size = 0;
    for (key, value) in &values {
        check_annotation_key(key).context("`annotations`")?;
        if key.starts_with(SERVICE_ACCOUNT) || key == LAST_APPLIED {
            bail!(
                "`annotations` sets {}, which is Kubernetes' own to set",
                shown(key)
            );
        }
        size += key.len() + value.len();
    }
    if size > ANNOTATIONS_LIMIT {
        bail!("`annotations` holds {size} bytes, and Kubernetes takes at most {ANNOTATIONS_LIMIT}");
    }
    Ok(values)
}
