//! The command line: arguments and their help.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const PROGRAM_EXAMPLES: &str = "\
Register one cluster, by hand:
  ma-register init --kubeconfig compute-0.kubeconfig -o compute-0.yaml
  ma-register inspect -f compute-0.yaml
  ma-register runbook register -f compute-0.yaml --control-plane-context cp -o register.sh

Keep a fleet in Git:
  ma-register render -f clusters/ -o deploy --prune --kustomization
  ma-register diff -f clusters/ -o deploy --prune

Look up a key of the values file or a finding:
  ma-register explain storage.credentials";

/// Renders the manifests that register a compute cluster with a Michelangelo control plane
///
/// Reads the compute cluster's kubeconfig and a small values file, and renders the Kubernetes manifests of
/// both clusters. Calls no API and runs no other program.
#[derive(Debug, Parser)]
#[command(name = "ma-register", version, arg_required_else_help = true, after_help = PROGRAM_EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a starter values file from a kubeconfig's context
    #[command(after_help = "\
Examples:
  ma-register init --kubeconfig compute-0.kubeconfig -o clusters/compute-0.yaml
  ma-register init --context my-compute-cluster-context --name compute-0 > compute-0.yaml")]
    Init(InitArgs),

    /// Show the settings and findings of each cluster
    ///
    /// Shows what could be read even if something is wrong, and then exits with 2.
    #[command(after_help = "\
Examples:
  ma-register inspect -f compute-0.yaml
  ma-register inspect -f clusters/ -o json | jq -r '.[] | [.name, .server.host] | @tsv'")]
    Inspect(InspectArgs),

    /// Render the manifests, to standard output or into a directory
    ///
    /// Standard output takes one side, since the two sides belong to two clusters. A directory takes both, as
    /// DIR/compute/NAME and DIR/control-plane/NAME.
    #[command(after_help = "\
Examples:
  ma-register render -f compute-0.yaml --side compute | kubectl --context compute-0 apply --server-side -f -
  ma-register render -f clusters/ -o deploy --prune")]
    Render(RenderArgs),

    /// Show what a render into a directory would change
    ///
    /// Prints a unified diff in which secrets are masked, and writes nothing. Exits with 0 if nothing would
    /// change, with 1 if something would, and with 2 on an error.
    #[command(after_help = "\
Examples:
  ma-register diff -f clusters/ -o deploy --prune
  ma-register diff -f clusters/ -o deploy --prune --stat")]
    Diff(DiffArgs),

    /// Write a bash script that registers or deregisters one cluster
    #[command(subcommand)]
    Runbook(RunbookCommand),

    /// Explain a key of the values file or a finding
    ///
    /// Without a name, lists both.
    #[command(after_help = "\
Examples:
  ma-register explain storage.credentials
  ma-register explain loopback-server")]
    Explain {
        /// A key such as `storage.endpoint`, or the code of a finding
        name: Option<String>,
    },

    /// Print the JSON Schema of the values file
    Schema,

    /// Write the built-in templates into a folder, to be changed
    ///
    /// Remove those that you don't change: `--templates` takes the others from the program.
    Templates {
        /// Folder to write to
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },

    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub enum RunbookCommand {
    /// Register the cluster, update it, or rotate its token
    #[command(after_help = "\
Examples:
  ma-register runbook register -f compute-0.yaml --control-plane-context cp -o register.sh
  bash register.sh --check && bash register.sh")]
    Register(RunbookArgs),

    /// Remove the cluster's registration from both clusters
    Deregister {
        #[command(flatten)]
        args: RunbookArgs,

        /// The compute cluster is gone: clean up the control plane alone
        #[arg(long, help_heading = "Clusters")]
        compute_gone: bool,
    },
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct SourceArgs {
    /// Values files, `-` for standard input, or folders of them
    ///
    /// A folder means its `*.yaml` and `*.yml`. Its `defaults.yaml` is merged under each of them.
    #[arg(short = 'f', long, value_name = "PATH", required = true, num_args = 1..)]
    pub values: Vec<PathBuf>,

    /// Values merged under those of every cluster
    #[arg(long, value_name = "FILE")]
    pub defaults: Option<PathBuf>,

    /// Only these clusters of the values
    #[arg(long = "cluster", value_name = "NAME", num_args = 1..)]
    pub clusters: Vec<String>,

    /// Compute kubeconfig, for one cluster [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context in it, for one cluster [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Folder with templates in place of built-in ones, or beside them
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,

    /// Treat warnings as errors
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub struct InputArgs {
    #[command(flatten)]
    pub sources: SourceArgs,

    /// File with the service account's token, `-` for standard input; for one cluster
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct DirectoryArgs {
    /// Side to render: one for standard output, both by default for a directory
    #[arg(long, value_name = "SIDE")]
    pub side: Option<SideArg>,

    /// Remove generated files that are no longer rendered
    ///
    /// Removes them in the folders of the run's clusters. Folders of clusters that are gone are removed, too,
    /// if every -f is a folder and --cluster isn't given. Always render a directory from the same folders.
    #[arg(long, requires = "output_dir")]
    pub prune: bool,

    /// Also write kustomization.yaml files
    #[arg(long, requires = "output_dir")]
    pub kustomization: bool,

    /// Write secrets to files in plain text
    #[arg(long, requires = "output_dir")]
    pub plaintext_secrets: bool,

    /// Print no summary; for `diff`, no diff
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Directory to write to, one file per object
    #[arg(short, long, value_name = "DIR", help_heading = "Output", value_parser = output_dir)]
    pub output_dir: Option<PathBuf>,

    #[command(flatten)]
    pub directory: DirectoryArgs,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Directory to compare with
    #[arg(short, long, value_name = "DIR", help_heading = "Output", value_parser = output_dir)]
    pub output_dir: PathBuf,

    #[command(flatten)]
    pub directory: DirectoryArgs,

    /// Print a line for each file and their sum, instead of the diff
    #[arg(long, help_heading = "Output")]
    pub stat: bool,

    /// When to colour the diff
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: ColorChoice,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    #[command(flatten)]
    pub inputs: InputArgs,

    /// Output format [default: details of one cluster, a table of several]
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<FormArg>,
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// Compute kubeconfig [default: $KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context in it; needed if there are several
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    /// Name of the cluster in the control plane [default: from the kubeconfig]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// File to write, which must not exist [default: standard output]
    #[arg(short, long, value_name = "FILE", value_parser = output_file)]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunbookArgs {
    #[command(flatten)]
    pub sources: SourceArgs,

    /// Context of the control-plane cluster
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "Clusters")]
    pub control_plane_context: String,

    /// Kubeconfig with that context [default: kubectl's own]
    #[arg(long, value_name = "FILE", help_heading = "Clusters")]
    pub control_plane_kubeconfig: Option<PathBuf>,

    /// Your own context of the compute cluster [default: that of the values]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = "Clusters")]
    pub compute_context: Option<String>,

    /// Kubeconfig with that context [default: kubectl's own]
    #[arg(long, value_name = "FILE", help_heading = "Clusters", requires = "compute_context")]
    pub compute_kubeconfig: Option<PathBuf>,

    /// File to write; replaces only an earlier script [default: standard output]
    #[arg(short, long, value_name = "FILE", value_parser = output_file, help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// The controller's Deployment in the control plane [default: found by its labels]
    ///
    /// The script restarts it if it still uses an old CA, token or Cluster. With `none` somebody
    /// else restarts it, and the script says when.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = controller, help_heading = "Clusters")]
    pub controller: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SideArg {
    /// Manifests of the compute cluster
    Compute,
    /// Manifests of the control-plane cluster
    ControlPlane,
    /// Both, for a control plane that is its own compute cluster
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// All that is known of each cluster
    Details,
    /// For scripts
    Json,
    /// For scripts
    Yaml,
}

fn output_file(text: &str) -> Result<PathBuf, &'static str> {
    match text {
        "" | "-" => Err("-o takes a file; without -o, standard output is written"),
        _ => Ok(PathBuf::from(text)),
    }
}

fn controller(text: &str) -> Result<String, &'static str> {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_of_name);
    match text.split_once('/') {
        Some((namespace, name)) if is_name(namespace) && is_name(name) => Ok(text.to_owned()),
        None if text == "none" => Ok(text.to_owned()),
        _ => Err("write NAMESPACE/NAME of the Deployment, or none"),
    }
}

/// Parses `-o DIR`. Refuses `yaml`, `json`, `-` and files, which `-o` takes in other tools.
fn output_dir(text: &str) -> Result<PathBuf, &'static str> {
    match text.rsplit('.').next() {
        _ if text.is_empty() => Err("-o takes a directory"),
        Some("yaml" | "yml" | "json" | "-") => {
            Err("-o takes a directory; for a stream, use --side SIDE without -o")
        }
        _ => Ok(PathBuf::from(text)),
    }
}
