//! What an organization administrator does once, with the stock CLI, to make the provisioner: the account that onboards
//! departments from then on, without being an administrator of the organization
//! (docs/reference/rbac.md#roles-of-the-provisioner).
//!
//! Nothing here is sent anywhere. The administrator reads the commands, runs them and keeps the key that the last one
//! prints; the flags are the stock CLI's own (`traces/stock-cli.jsonl`).

use std::fmt::Write;

use serde::Serialize;

use super::{Platform, Stage};

/// Name of the provisioner's account.
pub const PROVISIONER: &str = "ebs-provisioner";
/// Stands for the id that the first command prints.
pub const ID_PLACEHOLDER: &str = "sa-PROVISIONER";
/// Stands for a Schema Registry that `ebs.toml` does not name.
const REGISTRY_PLACEHOLDER: &str = "lsrc-REGISTRY";

/// One command and its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminStep {
    /// Why it is needed.
    pub why: String,
    /// The command, ready to be pasted into any shell.
    pub command: String,
    /// The command, argument by argument.
    pub arguments: Vec<String>,
}

/// All commands in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminScript {
    /// The stages that they are for.
    pub stages: Vec<String>,
    /// The commands.
    pub steps: Vec<AdminStep>,
    /// What to replace in them first, and what to do afterwards; whole sentences.
    pub notes: Vec<String>,
}

impl AdminScript {
    /// The commands for `stages` of `platform`, in the order given; stages that it does not have are passed over.
    pub fn new(platform: &Platform, stages: &[&str]) -> Self {
        let mut script = Self {
            stages: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let known = platform.provisioner.as_ref();
        let account = known.map_or(ID_PLACEHOLDER, |id| id.as_str());
        match &platform.organization {
            Some(id) => script.add_step(
                "act in the right organization",
                &["login", "--organization", id.as_str()],
            ),
            None => script.add_step("act as an administrator of the organization", &["login"]),
        }
        if known.is_none() {
            let description = "onboards departments, see docs/provisioner.md";
            script.add_step(
                "the provisioner's account; its id goes into the commands below",
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
            "the key it acts with; the secret is shown this one time",
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
            &format!("{name}: make service accounts, and give roles on topics, groups and connectors of the cluster"),
            &on_cluster,
        );
        let registry = stage
            .schema_registry
            .as_ref()
            .map_or(REGISTRY_PLACEHOLDER, |id| id.as_str());
        let mut on_subjects = create.to_vec();
        on_subjects.extend(["ResourceOwner"].iter().chain(&place));
        on_subjects.extend(["--schema-registry-cluster", registry, "--resource", "Subject:*"]);
        self.add_step(&format!("{name}: give roles on subjects"), &on_subjects);
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
                "Replace `{ID_PLACEHOLDER}` by the id that `iam service-account create` prints, and write it into ebs.toml as `provisioner = \"sa-…\"`."
            ));
        }
        if registry_missing {
            self.notes.push(format!(
                "Replace `{REGISTRY_PLACEHOLDER}` by the id that `confluent schema-registry cluster describe` shows for the environment; without a Schema Registry leave that command out."
            ));
        }
        self.notes.extend([
            "Give the key to EBS as CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET, by way of a vault."
                .to_owned(),
            "The provisioner can read and write all data of these clusters: treat its key like an administrator's."
                .to_owned(),
            "Role bindings take effect within minutes; `confluent ebs doctor` says when all is in place.".to_owned(),
        ]);
    }

    /// The script for people: every command below its reason, and the notes.
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

/// In double quotes where needed: they mean the same to POSIX shells, PowerShell and `cmd`, as long as nothing inside
/// is special to any of them, and nothing here is.
fn shell_quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/=".contains(c);
    if argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("\"{argument}\"")
    }
}
