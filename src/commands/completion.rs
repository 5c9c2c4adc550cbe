//! `confluent ebs completion`.

use clap_complete::{Shell, generate};
use serde::Serialize;

use super::{CommandOutput, Ctx, command_tree};
use crate::{
    catalog::catalog,
    error::Error,
    render::{Block, Viewable},
};

/// Wrappers for the shells that the Confluent CLI supports. The Confluent CLI cannot complete the words of a plugin
/// (docs/reference/cli.md#plugin-help-and-completion), so these scripts complete `confluent ebs …` and delegate
/// everything else to the Confluent CLI. The script for bash also completes names of profiles and plugins.
const BASH_WRAPPER: &str = include_str!("completion/confluent.bash");
const ZSH_WRAPPER: &str = include_str!("completion/confluent.zsh");

/// Print a shell completion script
///
/// The scripts complete "confluent-ebs". The scripts for bash and zsh also complete "confluent ebs" and delegate all
/// other commands to the completion of the Confluent CLI, so load that one first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Load completions into the current bash.

  $ source <(confluent ebs completion bash)

Load completions into the current zsh, after `compinit`.

  $ source <(confluent ebs completion zsh)")]
pub(super) struct CompletionArgs {
    /// Shell: "bash", "zsh", "fish", "powershell", or "elvish".
    #[arg(value_enum, value_name = "shell")]
    shell: Shell,
}

impl CompletionArgs {
    pub(super) fn run(self, _ctx: &mut Ctx) -> Result<CommandOutput<CompletionOutput>, Error> {
        let (name, wrapper) = match self.shell {
            // The generated script completes no subcommand if the name contains a dash (clap-rs/clap issue 6421); the
            // wrapper registers the function for the name with the dash.
            Shell::Bash => ("confluent_ebs", BASH_WRAPPER),
            Shell::Zsh => ("confluent-ebs", ZSH_WRAPPER),
            _ => ("confluent-ebs", ""),
        };
        let mut script = Vec::new();
        generate(self.shell, &mut command_tree(), name, &mut script);
        let plugins: Vec<&str> = catalog().plugins().map(|plugin| plugin.class).collect();
        let script = String::from_utf8(script)? + &wrapper.replace("@PLUGINS@", &plugins.join(" "));
        Ok(CommandOutput::new(CompletionOutput { script }))
    }
}

/// Completion script.
#[derive(Debug, Serialize)]
pub(super) struct CompletionOutput {
    script: String,
}

impl Viewable for CompletionOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::Verbatim(self.script.clone())]
    }
}
