//! `confluent ebs profile import`.

use std::path::PathBuf;

use serde::Serialize;

use super::load;
use crate::{
    commands::{Ctx, Report},
    config::{
        Folders,
        save::{Existing, create_private_folder, save},
    },
    error::{Error, ResultExt},
    render::{Block, Viewable},
};

/// Keep a profile that was handed over, by name.
///
/// The file is copied for this user alone; delete the one that was handed over.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Keep a profile under the name of its file.

  $ confluent ebs profile import ./claims-operator.toml")]
pub(super) struct Import {
    /// File of the profile.
    #[arg(value_name = "file")]
    file: PathBuf,
    /// Name to keep it under, instead of the file's.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Replace a profile of that name.
    #[arg(long)]
    force: bool,
}

impl Import {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Imported>, Error> {
        load(ctx, &self.file)?;
        let stem = self.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = self.name.unwrap_or_else(|| stem.to_owned());
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || !name.chars().all(safe) {
            return Err(Error::usage(format!(
                "\"{name}\" is not a name: letters, digits, - and _ are expected"
            ))
            .with_hint("Choose one with `--name`."));
        }
        let folders = Folders::discover()?;
        create_private_folder(folders.profiles())?;
        let text =
            std::fs::read(&self.file).with_context(|| format!("the profile {} cannot be read", self.file.display()))?;
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        save(&folders.profile(&name), &text, existing).hint("Replace it with `--force`.")?;
        Ok(Report::new(Imported { name }))
    }
}

/// The profile that is kept now.
#[derive(Debug, Serialize)]
pub(super) struct Imported {
    name: String,
}

impl Viewable for Imported {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Imported profile \"{}\".", self.name))]
    }
}
