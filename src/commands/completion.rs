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

Load completions into every zsh.

  $ confluent ebs completion zsh > \"${fpath[1]}/_confluent-ebs\"")]
pub(super) struct Completion {
    /// Shell: "bash", "zsh", "fish", "powershell", or "elvish".
    #[arg(value_enum, value_name = "shell", hide_possible_values = true)]
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self, _ctx: &mut Ctx) -> Result<Report<Script>, Error> {
        let wrapper = match self.shell {
            Shell::Bash => BASH_WRAPPER,
            Shell::Zsh => ZSH_WRAPPER,
            _ => "",
        };
        let mut script = Vec::new();
        generate(self.shell, &mut tree(), "confluent-ebs", &mut script);
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
