//! The arguments and their help.

pub mod called_as;
pub mod completion;
mod examples;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Renders what registers a compute cluster with a Michelangelo control plane.
///
/// Reads the compute cluster's kubeconfig and a small values file, and renders the Kubernetes
/// manifests of both sides. It calls no API and runs no other program: what it renders is piped to
/// `kubectl apply -f -` or committed to a Git repository.
#[derive(Debug, Parser)]
#[command(name = "ma-register", version, arg_required_else_help = true, after_long_help = examples::PROGRAM)]
pub struct Cli {
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a starter values file, from a kubeconfig's context
    ///
    /// It goes to standard output, with a comment for everything that there is to choose. What the
    /// kubeconfig leaves open for the control plane, such as the address of a server on the machine
    /// itself, is left to be filled in, with the reason.
    #[command(after_long_help = examples::INIT)]
    Init(InitArgs),

    /// Show what is read and concluded about each cluster
    ///
    /// Its context, server, certificate authority, token and storage, where each comes from, and what
    /// was found, with its remedy. No secret is shown. What is wrong with one cluster doesn't hide the
    /// others.
    #[command(after_long_help = examples::INSPECT)]
    Inspect(InspectArgs),

    /// Render the manifests, to standard output or into a directory
    ///
    /// The two sides normally belong to two different clusters, so standard output takes one of
    /// them by `--side`. A directory takes both, as DIR/compute/NAME and DIR/control-plane/NAME.
    #[command(after_long_help = examples::RENDER)]
    Render(RenderArgs),

    /// Show what a render into a directory would change
    ///
    /// A unified diff of the files that would be added, changed and, with `--prune`, removed. Secrets
    /// are masked: it shows that one changes, and not what to. Nothing is written.
    #[command(after_long_help = examples::DIFF)]
    Diff(DiffArgs),

    /// Write the whole procedure for these clusters as a shell script
    ///
    /// A bash script with the clusters' contexts, names and paths, which checks what it needs, does one
    /// step after the other and verifies the result. It stops at the first failure, says what to look at,
    /// and can be run again. This program itself runs nothing.
    #[command(after_long_help = examples::RUNBOOK)]
    Runbook(RunbookArgs),

    /// Write the JSON Schema of the values file, for editors
    ///
    /// An editor with the YAML language server completes and checks a values file that names the schema
    /// in its first line, as `init` has it, and shows what each key means.
    #[command(after_long_help = examples::SCHEMA)]
    Schema(SchemaArgs),

    /// Write the built-in templates into a directory, to be changed
    ///
    /// Each begins with a comment that says which variables there are. `--templates DIR` then takes
    /// them in place of the built-in ones; remove those that you don't change, so that they stay those
    /// of the program.
    #[command(after_long_help = examples::TEMPLATES)]
    Templates(TemplatesArgs),

    /// Write a script by which a shell completes the arguments
    ///
    /// Commands, flags, their values, the names of files and folders, and the contexts of a kubeconfig. The
    /// script asks this program, by its name on the PATH, each time that there is something to complete.
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),

    /// Write the help as manual pages
    ///
    /// The page of the program goes to standard output. A directory takes that of each command as well.
    #[command(after_long_help = examples::MAN)]
    Man(ManArgs),
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Compute kubeconfig [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE", add = completion::file())]
    pub kubeconfig: Option<OsString>,

    /// Context in it; needed where it has several
    #[arg(long, value_name = "NAME", add = completion::context())]
    pub context: Option<String>,

    /// Name of the cluster in the control plane [default: from the context's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Path, from the values file, or URL of the schema that its first line names to editors
    #[arg(long, value_name = "PLACE", add = completion::file(), default_value = "ma-register.schema.json")]
    pub schema: String,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// What is read.
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Side to render
    ///
    /// Standard output takes one, or both for a control plane that is its own compute cluster; a directory
    /// both, where this is left out.
    #[arg(long, value_enum, value_name = "SIDE", help_heading = "Output")]
    pub side: Option<SideArg>,

    /// Directory to write to, one file an object
    ///
    /// It is made where it is missing.
    #[arg(short, long, value_name = "DIR", add = completion::folder(), help_heading = "Output")]
    pub output_dir: Option<PathBuf>,

    /// How the directory is written.
    #[command(flatten)]
    pub tree: TreeArgs,

    /// Show neither progress nor the summary
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What is read.
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Directory to compare with
    #[arg(short, long, value_name = "DIR", add = completion::folder(), help_heading = "Output")]
    pub output_dir: PathBuf,

    /// Side to compare; both where it is left out
    #[arg(long, value_enum, value_name = "SIDE", help_heading = "Output")]
    pub side: Option<SideArg>,

    /// How the directory would be written.
    #[command(flatten)]
    pub tree: TreeArgs,

    /// Colour the diff
    ///
    /// `auto` does on a terminal, unless `NO_COLOR` is set.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub color: ColorArg,

    /// Show neither the diff nor the summary; the exit code tells
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// What is read about the clusters, but for the token.
    #[command(flatten)]
    pub sources: SourceArgs,

    /// Service account's token; `-` is standard input
    ///
    /// For values that say nothing about it.
    #[arg(long, value_name = "FILE", add = completion::file(), help_heading = "Inputs")]
    pub token_file: Option<OsString>,

    /// Exit with 2 where there are findings that aren't accepted
    #[arg(long, help_heading = "Output")]
    pub strict: bool,

    /// How it is shown
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Output"
    )]
    pub format: FormatArg,
}

/// How facts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people: one cluster as a list, several as rows
    Table,
    /// For scripts: a list with an object for each cluster
    Json,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The schema of files that are merged: of defaults, and of values that leave something to them
    #[arg(long)]
    pub fleet: bool,
}

/// Arguments of `templates`.
#[derive(Debug, Args)]
pub struct TemplatesArgs {
    /// Directory to write to; made where it is missing
    #[arg(value_name = "DIR", add = completion::folder())]
    pub dir: PathBuf,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: ShellArg,
}

/// The shells that there is a script for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    /// Bash
    Bash,
    /// Elvish
    Elvish,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// Z shell
    Zsh,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Directory to write to, a page for each command; made where it is missing
    #[arg(short, long, value_name = "DIR", add = completion::folder())]
    pub output_dir: Option<PathBuf>,
}

/// How a directory is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct TreeArgs {
    /// Remove generated files that this run doesn't yield
    ///
    /// Those of other clusters, too, unless `--cluster` is given.
    #[arg(long, requires = "output_dir")]
    pub prune: bool,

    /// Write kustomization.yaml files into DIR as well
    ///
    /// For `kubectl apply -k` and GitOps tools.
    #[arg(long, requires = "output_dir")]
    pub kustomization: bool,

    /// Allow secrets in DIR that the values don't hold
    ///
    /// Those that come from a file, the environment or standard input.
    #[arg(long, requires = "output_dir")]
    pub plaintext_secrets: bool,
}

/// When something is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Arguments of `runbook`.
#[derive(Debug, Args)]
pub struct RunbookArgs {
    /// What the script is to do.
    #[command(subcommand)]
    pub procedure: ProcedureArgs,
}

/// The procedures that there is a script for.
#[derive(Debug, Subcommand)]
pub enum ProcedureArgs {
    /// Apply both sides, hand the token over, and verify that the controller reaches the cluster
    #[command(after_long_help = examples::REGISTER)]
    Register(ScriptArgs),

    /// Change the token to that of the last of `serviceAccount.tokenSecrets`, and revoke the old one
    #[command(after_long_help = examples::ROTATE)]
    Rotate(ScriptArgs),

    /// Take everything away again, in the order that leaves nothing behind
    #[command(after_long_help = examples::DEREGISTER)]
    Deregister(DeregisterArgs),
}

/// Arguments of each procedure.
#[derive(Debug, Args)]
pub struct ScriptArgs {
    /// What is read.
    #[command(flatten)]
    pub sources: SourceArgs,

    /// How it is rendered.
    #[command(flatten)]
    pub rendering: RenderingArgs,

    /// Context of the control-plane cluster
    #[arg(long, value_name = "NAME", add = completion::control_plane_context(), help_heading = "Control plane")]
    pub control_plane_context: String,

    /// Kubeconfig with that context, for the script to use [default: kubectl's own]
    #[arg(long, value_name = "FILE", add = completion::file(), help_heading = "Control plane")]
    pub control_plane_kubeconfig: Option<OsString>,
}

/// Arguments of `runbook deregister`.
#[derive(Debug, Args)]
pub struct DeregisterArgs {
    /// Those of each procedure.
    #[command(flatten)]
    pub script: ScriptArgs,

    /// The compute clusters don't exist any more: clean up the control plane alone, without their kubeconfigs
    #[arg(long, help_heading = "Inputs")]
    pub compute_is_gone: bool,
}

/// Arguments of the commands that render.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// What is read about the clusters, but for the token.
    #[command(flatten)]
    pub sources: SourceArgs,

    /// Service account's token; `-` is standard input
    ///
    /// For values that say nothing about it.
    #[arg(long, value_name = "FILE", add = completion::file(), help_heading = "Inputs")]
    pub token_file: Option<OsString>,

    /// How it is rendered.
    #[command(flatten)]
    pub rendering: RenderingArgs,
}

/// Arguments of every command that reads about clusters.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct SourceArgs {
    /// Values files; `-` is standard input
    ///
    /// Each has one cluster, or several as YAML documents.
    #[arg(short = 'f', long, value_name = "FILE", add = completion::values_file(), required = true, num_args = 1..)]
    pub values: Vec<OsString>,

    /// Only these clusters of the values files
    ///
    /// By their names. In a directory the folders of other clusters are left alone.
    #[arg(long = "cluster", value_name = "NAME", num_args = 1..)]
    pub clusters: Vec<String>,

    /// Values merged under those of every cluster
    #[arg(long, value_name = "FILE", add = completion::values_file())]
    pub defaults: Option<OsString>,

    /// Compute kubeconfig, where the values name none
    ///
    /// [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE", add = completion::file())]
    pub kubeconfig: Option<OsString>,

    /// Context in it, where the values name none
    ///
    /// [default: current-context]
    #[arg(long, value_name = "NAME", add = completion::context())]
    pub context: Option<String>,
}

/// Arguments of every command that stands or falls with what is rendered.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct RenderingArgs {
    /// Folder with templates of your own
    ///
    /// In place of the built-in ones, by their names, or beside them.
    #[arg(long, value_name = "DIR", add = completion::folder())]
    pub templates: Option<PathBuf>,

    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,
}

/// The sides that a stream can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SideArg {
    /// What the compute cluster gets
    Compute,
    /// What the control-plane cluster gets
    ControlPlane,
    /// Both, for a control plane that is its own compute cluster
    Both,
}
