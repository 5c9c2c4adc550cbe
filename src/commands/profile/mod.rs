//! `confluent ebs profile`: what a department holds, kept by name on this computer.

mod import;
mod list;
mod show;
mod use_profile;

use std::path::Path;

use clap::Subcommand;

use super::{Ctx, report};
use crate::{
    config::{Folders, LoadedProfile, Profile},
    error::Error,
    exit::ExitCode,
};

/// Manage profiles.
///
/// A profile says where a department's connectors live, what it may use, and with which key. The platform team hands it
/// over as a file.
#[derive(Debug, clap::Args)]
#[command(name = "profile", subcommand_required = true, arg_required_else_help = true)]
pub(super) struct ProfileCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
    List(list::ListProfiles),
    Show(show::Show),
    Use(use_profile::UseProfile),
}

impl ProfileCommand {
    pub(super) fn run(self, ctx: &mut Ctx) -> ExitCode {
        match self.command {
            Command::Import(command) => report::finish(command.run(ctx), ctx),
            Command::List(_) => report::finish(list::ListProfiles::run(ctx), ctx),
            Command::Show(command) => report::finish(command.run(ctx), ctx),
            Command::Use(command) => report::finish(command.run(ctx), ctx),
        }
    }
}

/// The hosts outside Confluent's domain that the user trusts.
fn trusted(ctx: &Ctx) -> Vec<String> {
    ctx.globals.trust_endpoint.iter().cloned().collect()
}

/// Reads the profile at `path`.
fn load(ctx: &Ctx, path: &Path) -> Result<LoadedProfile, Error> {
    let loaded = Profile::load(path, &trusted(ctx))
        .map_err(|findings| Error::findings(format!("profile \"{}\" cannot be used", path.display()), findings))?;
    for warning in &loaded.warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(loaded)
}

/// The names of the profiles that are kept, sorted.
fn names(folders: &Folders) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folders.profiles()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}
