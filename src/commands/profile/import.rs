//! `confluent ebs profile import`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{load_profile, trusted_hosts};
use crate::{
    commands::{CommandOutput, Ctx},
    config::{
        Profile,
        profile::is_readable_by_others,
        save::{IfExists, SaveError, create_private_dir, save},
    },
    diag::has_errors,
    error::{Error, ResultExt},
    handover::age::{self, Identities},
    model::Secret,
    render::{Block, Viewable},
};

/// Import a profile file
///
/// The file is copied with access for your user only; delete the original. An encrypted file is decrypted with your age
/// private key (created by age-keygen) and stored unencrypted with access for your user only.
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
        let name = self.name.clone().unwrap_or_else(|| default_name(&self.file));
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || !name.chars().all(safe) {
            return Err(Error::usage(format!(
                "invalid profile name `{name}`: only letters, digits, `-` and `_` are allowed"
            ))
            .with_hint("Choose a name with `--name`."));
        }
        let (text, encrypted) = self.read_profile(ctx)?;
        let folders = ctx.run.environment.dirs()?;
        create_private_dir(folders.profiles())?;
        let file = folders.profile(&name);
        let existing = if self.force { IfExists::Replace } else { IfExists::Keep };
        save(&file, text.expose().as_bytes(), existing).map_err(|error| match error {
            SaveError::Exists(_) => Error::failed(format!("profile `{name}` already exists"))
                .with_hint("Replace it with `--force`, for example after a rotation, or keep both with `--name`."),
            error @ SaveError::Io { .. } => error.into(),
        })?;
        Ok(CommandOutput::new(ProfileImportOutput { name, file, encrypted }))
    }

    /// Returns the decrypted, valid text of the profile, and whether it was encrypted.
    fn read_profile(&self, ctx: &Ctx) -> Result<(Secret, bool), Error> {
        let shown = self.file.display();
        // `load` reports a file that cannot be read.
        let Some(encrypted) = age::read_encrypted(&self.file).ok().flatten() else {
            load_profile(ctx, &self.file)?;
            if self.identity.is_some() {
                ctx.ui.warn("the profile is not encrypted; `--identity` is ignored");
            }
            let text = std::fs::read_to_string(&self.file).with_context(|| format!("cannot read `{shown}`"))?;
            return Ok((Secret::new(text), false));
        };
        let Some(identity) = &self.identity else {
            return Err(Error::failed(format!("profile `{shown}` is encrypted"))
                .with_hint("Pass the file with your private key: `--identity key.txt`."));
        };
        let identities = Identities::load(identity)?;
        if is_readable_by_others(identity) {
            ctx.ui.warn(&format!(
                "other users of this machine can read `{}`",
                identity.display()
            ));
        }
        let text =
            age::decrypt(&encrypted, &identities).with_context(|| format!("cannot decrypt profile `{shown}`"))?;
        let (read, _, findings) = Profile::parse(&self.file, text.expose().to_owned(), &trusted_hosts(ctx));
        if read.is_none() || has_errors(&findings) {
            return Err(Error::findings(format!("invalid profile `{shown}`"), findings));
        }
        for warning in &findings {
            ctx.ui.warn(&warning.message);
        }
        Ok((text, true))
    }
}

/// Returns the name of the file without the endings `.toml` and `.toml.age` and without the mark of a rotation.
fn default_name(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".age").unwrap_or(name);
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let mark = |end: &str| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.rsplit_once('.') {
        Some((name, end)) if mark(end) => name.to_owned(),
        _ => name.to_owned(),
    }
}

/// Imported profile.
#[derive(Debug, Serialize)]
pub(super) struct ProfileImportOutput {
    name: String,
    file: PathBuf,
    /// Whether the file was encrypted; the imported profile is not.
    encrypted: bool,
}

impl Viewable for ProfileImportOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Imported profile `{}`.", self.name))]
    }
}
