//! `diff`: what a render into a directory would change.

use super::{Outcome, failure, render};
use crate::cli::DiffArgs;
use crate::diagnostic::Diagnostic;
use crate::output::{diff, directory};

/// Returns the diff, with exit code 1 where there is one.
///
/// # Errors
/// What a render would refuse, plaintext secrets aside.
pub fn run(args: &DiffArgs) -> Result<Outcome, Vec<Diagnostic>> {
    let options = render::options(&args.inputs, &args.directory, &args.output_dir, false);
    let (manifests, mut diagnostics) = render::manifests(&args.inputs, &options.sides)?;
    let plan = directory::compare(&options, manifests).map_err(failure)?;
    let code = u8::from(!plan.changes.is_empty());
    if args.directory.quiet {
        return Ok(Outcome { code, ..Outcome::default() });
    }
    let stdout = diff::unified(&plan);
    diagnostics.extend(plan.notes);
    Ok(Outcome { stdout, diagnostics, code, color: Some(args.color), ..Outcome::default() })
}
