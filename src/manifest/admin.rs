//! Commands with which an organization administrator creates the provisioner once, using the Confluent CLI. The
//! provisioner is the account that onboards departments without being an administrator of the organization
//! (docs/reference/rbac.md#roles-of-the-provisioner).
//!
//! This module sends no requests. The administrator runs the commands and stores the key that the last one prints. The
//! flags are those of the Confluent CLI (`traces/confluent-cli.jsonl`).

use std::fmt::Write;

use serde::Serialize;

use super::{Platform, Stage};

/// Account name of the provisioner.
pub const PROVISIONER: &str = "ebs-provisioner";
/// Placeholder for the account id that the first command prints.
pub const ID_PLACEHOLDER: &str = "sa-PROVISIONER";
/// Placeholder for a Schema Registry that `ebs.toml` does not name.
const REGISTRY_PLACEHOLDER: &str = "lsrc-REGISTRY";

/// A command with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminStep {
    /// Reason.
    pub why: String,
    /// Command line that can be pasted into any shell.
    pub command: String,
    /// Arguments of the command.
    pub arguments: Vec<String>,
}

/// Script for the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminScript {
    /// Stages.
    pub stages: Vec<String>,
    /// Commands in order.
    pub steps: Vec<AdminStep>,
    /// Placeholders to replace and follow-up steps; whole sentences.
    pub notes: Vec<String>,
}

impl AdminScript {
    /// Creates the script for `stages` of `platform` in the given order; unknown stages are ignored.
    pub fn new(platform: &Platform, stages: &[&str]) -> Self {
        let mut script = Self {
            stages: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let known = platform.provisioner.as_ref();
        let account = known.map_or(ID_PLACEHOLDER, |id| id.as_str());
        match &platform.organization {
            Some(id) => script.add_step("log in to the organization", &["login", "--organization", id.as_str()]),
            None => script.add_step("log in as an administrator of the organization", &["login"]),
        }
        if known.is_none() {
            let description = "onboards departments, see docs/provisioner.md";
            script.add_step(
                "create the provisioner's account; use its id in the commands below",
                &[
                    "iam",
                    "service-account",
                    "create",
                    PROVISIONER,
                    "--description",
                    description,
                ],
            );
        }
        let mut registry_missing = false;
        for name in stages {
            let Some((name, stage)) = platform.stage(Some(name)) else {
                continue;
            };
            script.stages.push(name.to_owned());
            registry_missing |= stage.schema_registry.is_none();
            script.add_role_bindings(name, stage, account);
        }
        script.add_step(
            "create the provisioner's key; the secret is shown only once",
            &[
                "api-key",
                "create",
                "--resource",
                "cloud",
                "--service-account",
                account,
                "--description",
                PROVISIONER,
            ],
        );
        script.add_notes(known.is_none(), registry_missing);
        script
    }

    fn add_role_bindings(&mut self, name: &str, stage: &Stage, account: &str) {
        let principal = format!("User:{account}");
        let create = [
            "iam",
            "rbac",
            "role-binding",
            "create",
            "--principal",
            &principal,
            "--role",
        ];
        let place = ["--environment", stage.environment.as_str()];
        let mut on_cluster = create.to_vec();
        on_cluster.extend(
            ["CloudClusterAdmin"]
                .iter()
                .chain(&place)
                .chain(&["--cloud-cluster", stage.cluster.as_str()]),
        );
        self.add_step(
            &format!("{name}: create service accounts, and bind roles on topics, groups and connectors of the cluster"),
            &on_cluster,
        );
        let registry = stage
            .schema_registry
            .as_ref()
            .map_or(REGISTRY_PLACEHOLDER, |id| id.as_str());
        let mut on_subjects = create.to_vec();
        on_subjects.extend(["ResourceOwner"].iter().chain(&place));
        on_subjects.extend(["--schema-registry-cluster", registry, "--resource", "Subject:*"]);
        self.add_step(&format!("{name}: bind roles on subjects"), &on_subjects);
    }

    fn add_step(&mut self, why: &str, arguments: &[&str]) {
        let mut command = String::from("confluent");
        for argument in arguments {
            command.push(' ');
            command.push_str(&shell_quoted(argument));
        }
        self.steps.push(AdminStep {
            why: why.to_owned(),
            command,
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        });
    }

    fn add_notes(&mut self, id_missing: bool, registry_missing: bool) {
        if id_missing {
            self.notes.push(format!(
                "Replace `{ID_PLACEHOLDER}` with the id that `iam service-account create` prints, and add it to `ebs.toml` as `provisioner = \"sa-…\"`."
            ));
        }
        if registry_missing {
            self.notes.push(format!(
                "Replace `{REGISTRY_PLACEHOLDER}` with the id that `confluent schema-registry cluster describe` shows for the environment; without a Schema Registry, skip that command."
            ));
        }
        self.notes.extend([
            "Give the key to the platform team as `CONFLUENT_CLOUD_API_KEY` and `CONFLUENT_CLOUD_API_SECRET`, through a vault."
                .to_owned(),
            "The provisioner can read and write all data of these clusters: protect its key like an administrator's."
                .to_owned(),
            "Role bindings take effect within minutes; `confluent ebs doctor` checks them.".to_owned(),
        ]);
    }

    /// Formats the script: each command after its reason, then the notes.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for step in &self.steps {
            let _ = writeln!(out, "# {}\n{}\n", step.why, step.command);
        }
        for note in &self.notes {
            let _ = writeln!(out, "# {note}");
        }
        out
    }
}

/// Quotes an argument with double quotes if needed. POSIX shells, PowerShell and `cmd` treat them alike, because the
/// arguments contain no special characters.
fn shell_quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/=".contains(c);
    if argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("\"{argument}\"")
    }
}
