//! `confluent ebs profile import`.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Viewable},
    session::profiles::ProfileImport,
};

/// Import a profile file
///
/// The file is copied with access for your user only; delete the original. An encrypted file is decrypted with your age
/// private key (created by age-keygen) and stored unencrypted with access for your user only. A file without a key, which
/// you get when your quota changes, replaces your profile of the same persona, and the stored key stays. Quota and plugins
/// in a profile are advice that this program follows; the platform team's files and audits enforce them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Import a profile under the name of its file.

  $ confluent ebs profile import ./claims-operator.toml

Decrypt and import a profile.

  $ confluent ebs profile import ./claims-operator.toml.age --identity ./key.txt")]
pub(super) struct ProfileImportArgs {
    /// Profile file.
    #[arg(value_name = "file")]
    file: PathBuf,
    /// File with the age private key that decrypts the profile.
    #[arg(long, value_name = "string")]
    identity: Option<PathBuf>,
    /// Name of the profile. Default: the name of the file.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Replace an existing profile of that name.
    #[arg(long)]
    force: bool,
}

impl ProfileImportArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ProfileImportOutput>, Error> {
        let import = ProfileImport {
            file: self.file,
            identity: self.identity,
            name: self.name,
            replace: self.force,
        };
        let imported = import.run(&ctx.run)?;
        let default = ctx.run.environment.dirs()?.current_profile();
        Ok(CommandOutput::new(ProfileImportOutput {
            is_default: default.as_deref() == Some(imported.name.as_str()),
            name: imported.name,
            file: imported.file,
            encrypted: imported.encrypted,
            key_kept: imported.key_kept,
        }))
    }
}

/// Imported profile.
#[derive(Debug, Serialize)]
pub(super) struct ProfileImportOutput {
    name: String,
    file: PathBuf,
    /// Whether the file was encrypted; the imported profile is not.
    encrypted: bool,
    /// Whether the file contained no key and the stored key stays.
    key_kept: bool,
    /// Whether it is the default profile.
    #[serde(skip)]
    is_default: bool,
}

impl Viewable for ProfileImportOutput {
    fn view(&self) -> Vec<Block> {
        let next = match self.is_default {
            true => {
                "Next: check it with `confluent ebs doctor`, and list your connectors with `confluent ebs connector \
                     list`."
                    .to_owned()
            }
            false => format!(
                "Next: select it with `confluent ebs profile use {}`, check it with `confluent ebs doctor`, and list your \
                 connectors with `confluent ebs connector list`.",
                self.name
            ),
        };
        vec![
            Block::line(match self.key_kept {
                true => format!("Updated profile `{}`; its key stays.", self.name),
                false => format!("Imported profile `{}`.", self.name),
            }),
            Block::line(next),
        ]
    }
}
