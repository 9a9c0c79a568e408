//! Reads and resolves the clusters that the arguments name.

use std::path::{Path, PathBuf};

use k8s_openapi::jiff::Timestamp;
use rayon::prelude::*;

use crate::cli::SourceArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::registration::{self, Resolution};
use crate::render::repeated_secret;
use crate::show::count;
use crate::sources::{self, Flags, Needs};
use crate::values;

/// Reads and resolves every cluster that can be read. Also returns the errors of the others. With `--strict`, warnings
/// are errors. Fails if the arguments don't fit the values.
pub fn read(
    args: &SourceArgs,
    token_file: Option<&PathBuf>,
    needs: Needs,
) -> Result<(Vec<Resolution>, Diagnostics), Diagnostics> {
    check_standard_input(args, token_file)?;
    let (clusters, mut diagnostics) =
        values::load(&args.values, args.defaults.as_deref(), &args.clusters);
    let flags =
        Flags { kubeconfig: args.kubeconfig.as_ref(), context: args.context.as_ref(), token_file };
    if let Err(error) = check_single(flags, clusters.len()) {
        // If a file couldn't be read, the number of clusters is unknown.
        if !diagnostics.has_errors() {
            diagnostics.0.push(error);
        }
        return Err(diagnostics);
    }
    let now = Timestamp::now();
    let inputs = sources::read(clusters, flags, needs);
    let mut resolutions: Vec<Resolution> =
        inputs.into_par_iter().map(|inputs| registration::resolve(inputs, now)).collect();
    for resolution in &mut resolutions {
        let error = repeated_secret(&resolution.outline);
        let place = Place { key: None, ..resolution.cluster.place("name") };
        resolution.diagnostics.0.extend(error.map(|error| error.at(&place)));
    }
    registration::find_shared_servers(&mut resolutions);
    if args.strict {
        let all = resolutions.iter_mut().map(|resolution| &mut resolution.diagnostics);
        all.for_each(Diagnostics::make_strict);
    }
    Ok((resolutions, diagnostics))
}

/// Reads and resolves all clusters. Also returns the warnings. Fails with all diagnostics, if any is an error.
pub fn read_or_fail(
    args: &SourceArgs,
    token_file: Option<&PathBuf>,
    needs: Needs,
) -> Result<(Vec<Resolution>, Diagnostics), Diagnostics> {
    let (mut resolutions, mut diagnostics) = read(args, token_file, needs)?;
    for resolution in &mut resolutions {
        diagnostics.0.append(&mut resolution.diagnostics.0);
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok((resolutions, diagnostics)) }
}

fn check_standard_input(args: &SourceArgs, token_file: Option<&PathBuf>) -> Result<(), Diagnostic> {
    let files = args.values.iter().chain(&args.defaults).chain(&args.kubeconfig).chain(token_file);
    if files.filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        return Err(Diagnostic::error("standard input (`-`) can be read only once"));
    }
    Ok(())
}

fn check_single(flags: Flags<'_>, clusters: usize) -> Result<(), Diagnostic> {
    let given = [
        ("--kubeconfig", flags.kubeconfig.is_some()),
        ("--context", flags.context.is_some()),
        ("--token-file", flags.token_file.is_some()),
    ];
    let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given && clusters != 1) else {
        return Ok(());
    };
    let clusters = count(clusters, "cluster");
    let message = format!("`{flag}` is for one cluster, and the values have {clusters}");
    Err(Diagnostic::error(message).help("choose one with `--cluster NAME`"))
}
