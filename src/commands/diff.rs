//! `diff`: shows the changes that a render into a directory would make.

use super::{Outcome, render};
use crate::cli::DiffArgs;
use crate::diagnostic::Diagnostics;
use crate::output::{diff, directory};

/// Returns the diff, with exit code 1 if there is one. Fails if a render would fail, except for lack of
/// `--plaintext-secrets`.
pub fn run(args: &DiffArgs) -> Result<Outcome, Diagnostics> {
    let options = render::options(&args.inputs, &args.directory, &args.output_dir, false);
    let (clusters, mut diagnostics) = render::manifests(&args.inputs, &options.sides)?;
    let mut plan = diagnostics.or_fail(directory::compare(&options, clusters))?;
    let code = u8::from(!plan.files.changes.is_empty());
    if args.directory.quiet {
        return Ok(Outcome { diagnostics, code, ..Outcome::default() });
    }
    plan.note_modes();
    let stdout = if args.stat { diff::stat(&plan) } else { diff::unified(&plan) };
    diagnostics.0.extend(plan.notes);
    Ok(Outcome { stdout, diagnostics, code, color: Some(args.color), ..Outcome::default() })
}
