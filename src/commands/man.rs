//! `confluent ebs man`.

use serde::Serialize;

use super::{CommandOutput, Ctx, command_tree};
use crate::{
    error::{Error, ResultExt},
    render::{Block, Viewable},
};

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Read the manual page.

  $ confluent ebs man | man -l -

Install the pages of all commands for the current user.

  $ confluent ebs man --dir ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Write one page per command to this directory instead.
    #[arg(long, value_name = "string")]
    dir: Option<std::path::PathBuf>,
}

impl ManArgs {
    pub(super) fn run(self, _ctx: &mut Ctx) -> Result<CommandOutput<ManOutput>, Error> {
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command_tree()).render(&mut page)?;
            return Ok(CommandOutput::new(ManOutput::Page {
                page: String::from_utf8(page)?,
            }));
        };
        let name = dir.display().to_string();
        std::fs::create_dir_all(&dir)
            .and_then(|()| clap_mangen::generate_to(command_tree(), &dir))
            .with_context(|| format!("cannot write the manual pages to `{name}`"))?;
        Ok(CommandOutput::new(ManOutput::Written { dir: name }))
    }
}

/// Manual page, or the directory with all pages.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ManOutput {
    Page { page: String },
    Written { dir: String },
}

impl Viewable for ManOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Page { page } => vec![Block::Verbatim(page.clone())],
            Self::Written { dir } => vec![Block::line(format!("Wrote the manual pages to `{dir}`."))],
        }
    }
}
