//! `confluent ebs completion`.

use clap_complete::{Shell, generate};
use serde::Serialize;

use super::{Ctx, Report, tree};
use crate::{
    error::Error,
    render::{Block, Viewable},
};

/// The stock CLI cannot complete a plugin's words (dossier `native-cli.md` §1.5), so for the shells that it knows these
/// take `confluent ebs …` out of its hands and leave everything else to it.
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
pub(super) struct Completion {
    /// Shell: "bash", "zsh", "fish", "powershell", or "elvish".
    #[arg(value_enum, value_name = "shell")]
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self, _ctx: &mut Ctx) -> Result<Report<Script>, Error> {
        let (name, wrapper) = match self.shell {
            // With a dash in the name the generator's script completes no subcommand (clap-rs/clap issue 6421); the
            // wrapper registers its function for the name with the dash.
            Shell::Bash => ("confluent_ebs", BASH_WRAPPER),
            Shell::Zsh => ("confluent-ebs", ZSH_WRAPPER),
            _ => ("confluent-ebs", ""),
        };
        let mut script = Vec::new();
        generate(self.shell, &mut tree(), name, &mut script);
        let script = String::from_utf8(script)? + wrapper;
        Ok(Report::new(Script { script }))
    }
}

/// A script for a shell.
#[derive(Debug, Serialize)]
pub(super) struct Script {
    script: String,
}

impl Viewable for Script {
    fn view(&self) -> Vec<Block> {
        vec![Block::Verbatim(self.script.clone())]
    }
}
