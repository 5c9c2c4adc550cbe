//! Text of a new `ebs.toml` for `init`, with comments on optional keys.

use std::fmt::Write;

use super::{
    platform::{Stage, default_quota},
    toml_format::{toml_list, toml_string},
};
use crate::model::{ApiKeyId, OrganizationId, ServiceAccountId};

/// Values for a new `ebs.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlatform {
    /// Organization, if known.
    pub organization: Option<OrganizationId>,
    /// Account of the provisioner, if it exists.
    pub provisioner: Option<ServiceAccountId>,
    /// API keys of the provisioner.
    pub provisioner_keys: Vec<ApiKeyId>,
    /// Stages by name; the first one becomes the default.
    pub stages: Vec<(String, Stage)>,
}

impl NewPlatform {
    /// Returns the text of the file.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing into a `String` cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "# Platform configuration. `docs/files.md` explains every key; `confluent ebs department validate` checks it."
        )?;
        writeln!(out)?;
        if let Some((name, _)) = self.stages.first() {
            writeln!(out, "default_stage = {}", toml_string(name))?;
        }
        match &self.provisioner {
            Some(account) => writeln!(out, "provisioner = {}", toml_string(account.as_str()))?,
            None => writeln!(
                out,
                "# provisioner = \"sa-…\"  # created once by an administrator, see docs/provisioner.md"
            )?,
        }
        let keys: Vec<String> = self.provisioner_keys.iter().map(ToString::to_string).collect();
        match keys.is_empty() {
            false => writeln!(out, "provisioner_keys = {}", toml_list(&keys))?,
            true => writeln!(
                out,
                "# provisioner_keys = [\"…\"]  # ids of its API keys; `access audit` reports every other one"
            )?,
        }
        writeln!(
            out,
            "\n# The team that departments ask for help: its name, and an address, page or channel."
        )?;
        writeln!(out, "# [platform]")?;
        writeln!(out, "# team = \"…\"")?;
        writeln!(out, "# contact = \"…\"")?;
        if let Some(organization) = &self.organization {
            writeln!(out, "\n[organization]\nid = {}", toml_string(organization.as_str()))?;
        }
        for (name, stage) in &self.stages {
            writeln!(out, "\n[stages.{name}]")?;
            writeln!(out, "environment = {}", toml_string(stage.environment.as_str()))?;
            writeln!(out, "cluster = {}", toml_string(stage.cluster.as_str()))?;
            if let Some(registry) = &stage.schema_registry {
                writeln!(out, "schema_registry = {}", toml_string(registry.as_str()))?;
            }
            writeln!(out, "task_ceiling = {}", stage.task_ceiling)?;
            writeln!(out, "reserve_percent = {}", stage.reserve_percent)?;
        }
        let quota = default_quota();
        writeln!(out, "\n# Defaults for departments.")?;
        writeln!(
            out,
            "[defaults]\ntemplate = {}",
            toml_string(super::platform::DEFAULT_TEMPLATE)
        )?;
        writeln!(out, "\n[defaults.quota]")?;
        writeln!(out, "connectors = {}", quota.connectors)?;
        writeln!(out, "tasks = {}", quota.tasks)?;
        writeln!(out, "tasks_per_connector = {}", quota.tasks_per_connector)?;
        writeln!(out, "plugins = {}", toml_list(&quota.plugins))
    }
}
