//! `gitops release`: a connector continues to run without a file.

use std::{fs, path::PathBuf};

use serde::Serialize;

use super::{
    file_tree::ConnectorAddress,
    unmanaged::{UnmanagedConnectors, list_path, with_entry},
    workspace::GitopsWorkspace,
};
use crate::{
    config::{IfExists, save::save_public},
    error::{Error, ResultExt as _},
    session::RunContext,
};

/// Files that a release changed.
#[derive(Clone, Debug, Serialize)]
pub struct ReleasedConnector {
    /// Name of the connector.
    pub name: String,
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// List that names the connector now.
    pub list: PathBuf,
    /// Deleted files, relative to the repository.
    pub deleted: Vec<PathBuf>,
}

/// Removes the file of the connector `name` and lists the connector as unmanaged. Nothing is sent to the service. The
/// base file is removed too if no other stage uses it.
///
/// # Errors
/// There is no file of the connector, it is protected or a tombstone, or a file cannot be written.
pub fn release_connector(
    run: &RunContext,
    workspace: &GitopsWorkspace,
    name: &str,
    reason: &str,
) -> Result<ReleasedConnector, Error> {
    let address = workspace.find_connector(run, name)?;
    let file = &workspace.tree.connectors[&address];
    if file.settings.protect {
        return Err(Error::refused(format!("connector `{name}` is protected"))
            .with_hint("Remove `protect` first, in a change of its own."));
    }
    if file.settings.is_absent() {
        return Err(Error::refused(format!(
            "the file of connector `{name}` has `state: absent`, so it describes no running connector"
        ))
        .with_hint("Delete the file when the connector is gone."));
    }
    let list = list_path(&address.department);
    // The list comes first: interrupted after it, the connector has a file and is listed, which `validate` reports.
    if !workspace.tree.unmanaged.contains(&address) {
        add_to_list(workspace, &address, reason)?;
    }
    let mut deleted = vec![file.path().to_owned()];
    let is_used_elsewhere = workspace.tree.connectors.keys().any(|other| {
        other.department == address.department && other.name == address.name && other.stage != address.stage
    });
    if let (false, Some(base)) = (
        is_used_elsewhere,
        workspace
            .tree
            .bases
            .get(&(address.department.clone(), address.name.clone())),
    ) {
        deleted.push(base.source.path.clone());
    }
    for path in &deleted {
        let path = workspace.working_dir().join(path);
        fs::remove_file(&path).with_context(|| format!("cannot delete `{}`", path.display()))?;
    }
    Ok(ReleasedConnector {
        name: address.name,
        department: address.department,
        stage: address.stage,
        list,
        deleted,
    })
}

fn add_to_list(workspace: &GitopsWorkspace, address: &ConnectorAddress, reason: &str) -> Result<(), Error> {
    let list = list_path(&address.department);
    let path = workspace.root().join(&list);
    let former = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    };
    let text = with_entry(former.as_deref(), address, reason);
    let mut read_back = UnmanagedConnectors::default();
    if read_back.add(&address.department, &text).is_err() || !read_back.contains(address) {
        return Err(
            Error::failed(format!("the connector cannot be added to `{}`", list.display()))
                .with_hint("Correct the file: a list `unmanaged` of entries with `name`, `stage` and `reason`."),
        );
    }
    save_public(&path, text.as_bytes(), IfExists::Replace)?;
    Ok(())
}
