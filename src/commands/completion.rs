//! `confluent ebs completion`.

use clap_complete::{Shell, generate};
use serde::Serialize;

use super::{CommandOutput, Ctx, command_tree};
use crate::{
    error::Error,
    render::{Block, Viewable},
};

/// The stock CLI cannot complete a plugin's words (docs/reference/cli.md#plugin-help-and-completion), so for the shells
/// that it knows these take `confluent ebs …` out of its hands and leave everything else to it.
const BASH_WRAPPER: &str = include_str!("completion/confluent.bash");
const ZSH_WRAPPER: &str = include_str!("completion/confluent.zsh");

/// Print a completion script.
///
/// The scripts complete "confluent-ebs"; those for bash and zsh also complete "confluent ebs" and leave all other
/// commands to the completion of the Confluent CLI, which must be loaded before.
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
            // With a dash in the name the generator's script completes no subcommand (clap-rs/clap issue 6421); the
            // wrapper registers its function for the name with the dash.
            Shell::Bash => ("confluent_ebs", BASH_WRAPPER),
            Shell::Zsh => ("confluent-ebs", ZSH_WRAPPER),
            _ => ("confluent-ebs", ""),
        };
        let mut script = Vec::new();
        generate(self.shell, &mut command_tree(), name, &mut script);
        let script = String::from_utf8(script)? + wrapper;
        Ok(CommandOutput::new(CompletionOutput { script }))
    }
}

/// A script for a shell.
#[derive(Debug, Serialize)]
pub(super) struct CompletionOutput {
    script: String,
}

impl Viewable for CompletionOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::Verbatim(self.script.clone())]
    }
}
