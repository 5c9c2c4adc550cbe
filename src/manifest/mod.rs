//! What people write: `ebs.toml`, `departments/*.toml` and `rbac-templates/*.toml`, read with all checks at once, and
//! what follows from them for one department in one stage.
//!
//! Everything here is offline: whether an account, a cluster or a role really exists is for others to find out.
//! `docs/files.md` is the reference for the people who write these files.

pub mod admin;
pub mod assertions;
pub mod baseline;
mod expected_departments;
mod checks;
pub mod connector_file;
pub mod department;
pub mod desired;
pub mod embedded;
pub mod profile_facts;
mod files;
pub(crate) mod lint;
pub mod naming;
pub mod new_department;
pub mod new_platform;
pub mod platform;
mod plugins;
mod quota;
pub mod access_model;
pub mod starter;
pub mod grant_target;
pub mod template;
mod acl_template;
#[cfg(test)]
mod tests;
pub(crate) mod toml_format;
pub mod toml;
pub mod views;
pub mod workspace;

pub use department::DepartmentFile;
pub use desired::{DesiredDepartment, DesiredPersona};
pub use naming::NamingRules;
pub use platform::{Platform, Stage};
pub use profile_facts::ProfileFacts;
pub use template::TemplateFile;
pub use workspace::{FindWorkspaceError, LoadedWorkspace, Workspace, WorkspaceOrigin};

use crate::hint;

/// What to do about a name that is not there: the nearest one, or all there are.
fn suggest_name<'a>(written: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = hint::closest_match(written, names.clone()) {
        return format!("Did you mean `{near}`?");
    }
    let known: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if known.is_empty() {
        "There is none yet.".to_owned()
    } else {
        format!("There is {}.", known.join(", "))
    }
}
