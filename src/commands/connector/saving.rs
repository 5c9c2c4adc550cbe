//! Saving a connector before it is changed or removed, as a file that makes it again.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    commands::{Ctx, session::DepartmentSession},
    config::{SaveError, save},
    error::{Error, ResultExt},
    render::words,
    resources::connector::{Backup, Connectors, SecretReference, Seen},
};

/// What stands for itself in the name of a file on every system.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b' ');

/// Where connectors are saved before they are changed or removed.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::commands) struct SaveArgs {
    /// Folder to save the former configuration to. Default: the state folder.
    #[arg(long, value_name = "string", conflicts_with = "no_save")]
    save_dir: Option<PathBuf>,
    /// Do not save the former configuration.
    #[arg(long)]
    no_save: bool,
}

/// A connector that was saved.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct Saved {
    /// Its name.
    pub(in crate::commands) name: String,
    /// The file; `connector create` takes it.
    pub(in crate::commands) path: PathBuf,
    /// Whether the file says where it was.
    pub(super) offsets: bool,
    /// What nobody can read back.
    pub(super) secrets: Vec<SecretReference>,
}

impl Saved {
    /// What its file needs from whoever uses it.
    pub(super) fn needs(&self) -> Option<String> {
        let variables: Vec<&str> = self.secrets.iter().map(|secret| secret.variable.as_str()).collect();
        (!variables.is_empty()).then(|| {
            let them = if variables.len() == 1 { "it" } else { "them" };
            format!(
                "The service shows no secrets: set {} before you use {them}.",
                words::list(&variables)
            )
        })
    }
}

impl SaveArgs {
    /// Saves the configuration of `seen` before it is changed, and says where.
    pub(super) async fn save_former(
        &self,
        ctx: &Ctx,
        session: &DepartmentSession,
        seen: &Seen,
    ) -> Result<Option<Saved>, Error> {
        let saved = self.save(ctx, &session.connectors, &session.saved, seen, false).await?;
        if let Some(saved) = &saved {
            let path = saved.path.display();
            ctx.ui.note(&format!("The former configuration is saved to {path}."));
        }
        Ok(saved)
    }

    /// Saves `seen` below `folder`, with its offsets if `offsets` are asked for; nothing where the caller wants nothing saved.
    pub(in crate::commands) async fn save(
        &self,
        ctx: &Ctx,
        connectors: &Connectors,
        folder: &Path,
        seen: &Seen,
        offsets: bool,
    ) -> Result<Option<Saved>, Error> {
        if self.no_save {
            return Ok(None);
        }
        let offsets = match offsets {
            true => match connectors.offsets(seen).await {
                Ok(offsets) => Some(offsets),
                Err(error) => {
                    let why = Error::from(error);
                    ctx.ui.warn(&format!(
                        "the offsets of connector \"{}\" are not saved: {why:#}",
                        seen.name
                    ));
                    None
                }
            },
            false => None,
        };
        let backup = Backup::of(seen, offsets.as_ref());
        let folder = match &self.save_dir {
            Some(folder) => folder.clone(),
            None => folder.join(connectors.place.cluster.as_str()),
        };
        let moment = connectors.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = write(&folder, &moment, &seen.name, &backup.text())
            .with_context(|| format!("connector \"{}\" could not be saved, so nothing was changed", seen.name))
            .hint("`--save-dir` names another folder, `--no-save` does without.")?;
        Ok(Some(Saved {
            name: seen.name.clone(),
            path,
            offsets: backup.document.get("offsets").is_some(),
            secrets: backup.secrets,
        }))
    }
}

/// Writes one file into a folder of its moment, and never over another.
fn write(folder: &Path, moment: &str, name: &str, text: &str) -> Result<PathBuf, SaveError> {
    let file = format!("{}.json", utf8_percent_encode(name, ENCODED));
    let moments = std::iter::once(moment.to_owned()).chain((2..).map(|number| format!("{moment}-{number}")));
    for moment in moments {
        let folder = folder.join(moment);
        let path = folder.join(&file);
        save::create_private_folder(&folder)?;
        match save::save(&path, text.as_bytes(), save::Existing::Keep) {
            Err(SaveError::Exists(_)) => {}
            saved => return saved.map(|()| path),
        }
    }
    unreachable!("there is always another number")
}
