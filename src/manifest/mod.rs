//! Files of a platform: `ebs.toml`, `departments/*.toml` and `rbac-templates/*.toml`, with all checks, and the desired
//! state derived from them.
//!
//! Everything here is offline; the existence of accounts, clusters and roles is checked elsewhere. `docs/files.md` is
//! the reference of the file formats.

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
pub mod gitops;
pub(crate) mod lint;
pub mod naming;
pub mod new_department;
pub mod new_platform;
pub mod owners;
pub mod platform;
pub mod policy;
mod plugins;
pub(crate) mod quota;
pub mod revision;
pub mod access_model;
pub mod schema;
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
pub use gitops::{GitopsSettings, RiskLimit};
pub use naming::NamingRules;
pub use owners::DepartmentOwners;
pub use platform::{Platform, Stage};
pub use profile_facts::ProfileFacts;
pub use template::TemplateFile;
pub use workspace::{FindWorkspaceError, LoadedWorkspace, Workspace, WorkspaceOrigin};

use crate::hint;

/// Suggests the nearest known name, or lists all known names.
fn suggest_name<'a>(written: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = hint::closest_match(written, names.clone()) {
        return format!("Did you mean `{near}`?");
    }
    let known: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if known.is_empty() {
        "None is defined yet.".to_owned()
    } else {
        format!("Known: {}.", known.join(", "))
    }
}
