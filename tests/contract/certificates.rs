//! Real certificate authorities reach the manifest byte for byte.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Folder, cluster, fixture_path, listed, objects, run, values_file};

/// The folder of public authorities on Debian and Ubuntu.
const SYSTEM: &str = "/etc/ssl/certs";

#[test]
fn authorities_in_use_pass_byte_for_byte() {
    let names = listed("certificates").into_iter().filter(|name| name.ends_with("-ca.crt"));
    let mut paths: Vec<PathBuf> =
        names.map(|name| fixture_path(&format!("certificates/{name}")).into()).collect();
    let of_system = fs::read_dir(SYSTEM).into_iter().flatten().map(|entry| entry.unwrap().path());
    let is_file = |path: &PathBuf| path.extension().is_some_and(|end| end == "pem" || end == "crt");
    paths.extend(of_system.filter(is_file));
    let clusters: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(number, path)| {
            let mut values = cluster(number, json!({}));
            values["kubeconfig"]["certificateAuthority"] = json!(path);
            values
        })
        .collect();
    let folder = Folder::new();
    folder.write("values.yaml", values_file(&clusters));
    let mut command = folder.command(&["render", "--side", "control-plane", "-f", "values.yaml"]);
    let rendered = objects(run(&mut command).succeeds());
    let secrets = rendered.iter().filter(|object| object["kind"] == "Secret");
    let found: Vec<_> = secrets.map(|secret| secret["data"]["cadata"].as_str().unwrap()).collect();
    assert_eq!(found.len(), paths.len());
    for (path, found) in paths.iter().zip(found) {
        assert!(found == STANDARD.encode(fs::read(path).unwrap()), "{}", path.display());
    }
}
