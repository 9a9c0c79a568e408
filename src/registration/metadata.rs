//! Labels and annotations of every manifest.

use std::collections::BTreeMap;

use super::Checks;
use super::names::{check_key, check_label_value};
use crate::diagnostic::Diagnostic;
use crate::show::shown;
use crate::values::Text;

/// Returns our labels and the user's.
pub fn labels(
    name: &str,
    values: &Option<BTreeMap<Text, Text>>,
    checks: &mut Checks<'_>,
) -> BTreeMap<String, String> {
    // The runbooks read the first and the last to see which cluster owns an object.
    let own = [("managed-by", "ma-register"), ("part-of", "michelangelo"), ("instance", name)];
    let mut labels: BTreeMap<String, String> =
        own.map(|(key, value)| (format!("app.kubernetes.io/{key}"), value.to_owned())).into();
    for (key, value) in values.iter().flatten() {
        checks.take("labels", check_key(key).and_then(|()| check_label_value(value)));
        if labels.insert(key.0.clone(), value.0.clone()).is_some() {
            checks.push("labels", reserved(key));
        }
    }
    labels
}

/// Returns the user's annotations.
pub fn annotations(
    place: &str,
    values: &Option<BTreeMap<Text, Text>>,
    checks: &mut Checks<'_>,
) -> BTreeMap<String, String> {
    for key in values.iter().flatten().map(|(key, _)| key) {
        // An annotation's prefix, unlike a label's, may have upper case.
        checks.take(place, check_key(&key.to_ascii_lowercase()));
        // The token controller reads the former on token Secrets, and kubectl writes the latter.
        let is_of_kubernetes = key.starts_with("kubernetes.io/service-account.");
        if is_of_kubernetes || &**key == "kubectl.kubernetes.io/last-applied-configuration" {
            checks.push(place, reserved(key));
        }
    }
    values.iter().flatten().map(|(key, value)| (key.0.clone(), value.0.clone())).collect()
}

fn reserved(key: &str) -> Diagnostic {
    Diagnostic::error(format!("{} is reserved", shown(key))).help("remove it")
}
