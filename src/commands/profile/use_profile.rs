//! `confluent ebs profile use`.

use serde::Serialize;

use super::{load, names};
use crate::{
    commands::{Ctx, Report},
    config::{
        Folders,
        save::{Existing, save},
    },
    error::Error,
    hint::nearest,
    render::{Block, Viewable},
};

/// Choose the profile that commands act with when none is named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Act with this profile from now on.

  $ confluent ebs profile use claims-operator")]
pub(super) struct UseProfile {
    /// Name of the profile.
    #[arg(value_name = "name")]
    name: String,
}

impl UseProfile {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Chosen>, Error> {
        let folders = Folders::discover()?;
        let known = names(&folders);
        if !known.contains(&self.name) {
            let error = Error::failed(format!("profile \"{}\" not found", self.name));
            return Err(match nearest(&self.name, known.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
                None => error.with_hint("Keep one with `confluent ebs profile import`."),
            });
        }
        load(ctx, &folders.profile(&self.name))?;
        save(&folders.current(), self.name.as_bytes(), Existing::Replace)?;
        Ok(Report::new(Chosen { name: self.name }))
    }
}

/// The profile that is used now.
#[derive(Debug, Serialize)]
pub(super) struct Chosen {
    name: String,
}

impl Viewable for Chosen {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Using profile \"{}\".", self.name))]
    }
}
