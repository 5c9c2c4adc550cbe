//! Comparison with an earlier revision of the repository: a file that vanishes deletes nothing, so it is an error unless
//! it was a tombstone.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{
    effective_file::EffectiveFile,
    file_tree::{CONNECTORS, ConnectorAddress, ConnectorTree},
};
use crate::{
    catalog::ConnectorConfigFile,
    diag::{Assignee, Finding, SourceFile, SourceSpan},
    error::Error,
    manifest::connector_file,
    redact::SecretRegistry,
    session::git::{BaseCommit, Git},
};

/// Rule about files that vanish.
const VANISHED: &str = "gitops-vanished";

/// Revision that the work tree is compared with.
pub struct BaseRevision<'a> {
    base: BaseCommit<'a>,
}

impl<'a> BaseRevision<'a> {
    /// Finds the revision in the repository of `root`, the folder that contains `connectors`.
    ///
    /// # Errors
    /// Git cannot be run, or does not know the revision, for example in a shallow clone.
    pub fn find(root: &'a Path, revision: &str, secrets: &'a SecretRegistry) -> Result<Self, Error> {
        let base = BaseCommit::find(Git { folder: root, secrets }, revision)?;
        Ok(Self { base })
    }

    /// Returns the errors about files that vanished or moved since, and about tombstones of connectors that were
    /// protected.
    ///
    /// # Errors
    /// Git cannot read the revision.
    pub fn check(&self, tree: &ConnectorTree) -> Result<Vec<Finding>, Error> {
        let former = self.stage_files()?;
        let mut findings = Vec::new();
        let added: Vec<&EffectiveFile> = tree
            .connectors
            .values()
            .filter(|file| !former.contains_key(&file.address))
            .collect();
        for (address, path) in &former {
            match tree.connectors.get(address) {
                Some(file) if file.settings.is_absent() => {
                    findings.extend(self.check_protection(address, path, file)?);
                }
                Some(_) => {}
                None if tree.unmanaged.contains(address) => {}
                None => findings.extend(self.check_vanished(address, path, &added)?),
            }
        }
        Ok(findings)
    }

    /// Returns the paths that differ from the work tree, below the folder that contains `connectors`.
    ///
    /// # Errors
    /// Git cannot compare the revision.
    pub fn changed_paths(&self) -> Result<Vec<PathBuf>, Error> {
        self.base.changed_files(&[])
    }

    /// Returns the paths of the stage files of the revision.
    fn stage_files(&self) -> Result<BTreeMap<ConnectorAddress, PathBuf>, Error> {
        let mut files = BTreeMap::new();
        for path in self.base.files(&[CONNECTORS])? {
            let parts: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
            let stem = path.file_stem().and_then(OsStr::to_str);
            let extension = path.extension().and_then(OsStr::to_str);
            if let (Some([_, department, stage, _]), Some(name), Some("yaml" | "json")) =
                (parts.as_deref(), stem, extension)
            {
                let address = ConnectorAddress {
                    department: (*department).to_owned(),
                    stage: (*stage).to_owned(),
                    name: name.to_owned(),
                };
                files.insert(address, path);
            }
        }
        Ok(files)
    }

    fn check_vanished(
        &self,
        address: &ConnectorAddress,
        path: &Path,
        added: &[&EffectiveFile],
    ) -> Result<Option<Finding>, Error> {
        let former = self.read(path)?;
        // A tombstone may go as soon as its connector is gone.
        if former.as_ref().is_some_and(ConnectorConfigFile::is_absent) {
            return Ok(None);
        }
        let name = &address.name;
        let moved = former.and_then(|former| added.iter().find(|file| is_same_connector(&former, address, file)));
        let finding = match moved {
            Some(file) if file.settings.renamed_from.as_ref() == Some(name) => return Ok(None),
            Some(file) => finding(path, format!("the file moved to `{}`; connector `{name}` keeps running", file.path().display()))
                .with_fix(format!(
                    "Write `renamed_from: {name}` and `replace: carry` in the new file, or `state: absent` in the former one."
                )),
            None => finding(path, format!("the file vanished; connector `{name}` keeps running"))
                .with_fix(format!(
                    "Write `state: absent` to delete the connector, or `confluent ebs gitops release {name}` lists it as unmanaged."
                )),
        };
        Ok(Some(finding))
    }

    /// The protection must be removed in a change of its own, before the tombstone.
    fn check_protection(
        &self,
        address: &ConnectorAddress,
        path: &Path,
        file: &EffectiveFile,
    ) -> Result<Option<Finding>, Error> {
        let is_protected = |file: &ConnectorConfigFile| file.setting("protect").map(|entry| entry.value == "true");
        let own = self.read(path)?.as_ref().and_then(is_protected);
        let protected = if let Some(protected) = own {
            protected
        } else {
            let base = Path::new(CONNECTORS).join(&address.department);
            let mut bases = Vec::new();
            for extension in ["yaml", "json"] {
                bases.extend(self.read(&base.join(format!("{}.{extension}", address.name)))?);
            }
            bases.iter().find_map(is_protected).unwrap_or_default()
        };
        Ok(protected.then(|| {
            let message = format!("connector `{}` was protected in the base revision", address.name);
            finding(file.path(), message)
                .with_fix("Remove `protect` in a change of its own, then delete the connector.")
        }))
    }

    /// Returns a file of the revision; `None` if it does not exist there or cannot be parsed.
    fn read(&self, path: &Path) -> Result<Option<ConnectorConfigFile>, Error> {
        let text = self.base.read(path)?;
        Ok(text.and_then(|text| {
            connector_file::read_from(path, text.as_slice())
                .ok()
                .and_then(Result::ok)
        }))
    }
}

/// Returns whether a new file of the same stage describes the connector of a file that vanished.
fn is_same_connector(former: &ConnectorConfigFile, address: &ConnectorAddress, file: &EffectiveFile) -> bool {
    let is_near = file.address.department == address.department && file.address.stage == address.stage;
    let config = |file: &ConnectorConfigFile| -> BTreeMap<String, String> {
        let entries = file.entries.iter().filter(|entry| entry.key != "name");
        entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    let renamed = file.settings.renamed_from.as_ref() == Some(&address.name);
    is_near && (renamed || (!former.entries.is_empty() && config(former) == config(&file.merged)))
}

fn finding(path: &Path, message: String) -> Finding {
    let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
    Finding::error(VANISHED, message)
        .with_span(place)
        .with_assignee(Assignee::Department)
}
