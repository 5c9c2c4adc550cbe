//! Department in a stage: the unit that a pipeline plans, approves and applies.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    catalog::ValueReference,
    gitops::{EffectiveFile, GitopsWorkspace, file_tree::CONNECTORS},
    manifest::{RiskLimit, workspace::DEPARTMENTS},
};

/// Folder of the profiles without keys that pipelines use, by stage.
pub const PROFILES: &str = "profiles";

/// Department in a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PipelinePlace {
    /// Department and stage, such as `claims/prod`.
    pub address: String,
    /// Code of the department.
    pub department: String,
    /// Name of the stage in `ebs.toml`.
    pub stage: String,
    /// Highest risk that a job applies without reviewers.
    pub auto_apply: &'static str,
    /// Beginning of the names of its secrets where a forge has no environments, such as `CLAIMS_PROD`.
    pub variable: String,
    /// Name of its environment, such as `claims-prod`.
    #[serde(skip)]
    pub environment: String,
    /// Variables that its files refer to, sorted.
    #[serde(skip)]
    pub secrets: Vec<String>,
}

impl PipelinePlace {
    /// Returns the place of `department` in `stage`.
    #[must_use]
    pub fn new(department: &str, stage: &str, limit: RiskLimit, secrets: Vec<String>) -> Self {
        let upper = |text: &str| text.to_ascii_uppercase().replace('-', "_");
        Self {
            address: format!("{department}/{stage}"),
            department: department.to_owned(),
            stage: stage.to_owned(),
            auto_apply: limit.as_str(),
            variable: format!("{}_{}", upper(department), upper(stage)),
            environment: format!("{department}-{stage}"),
            secrets,
        }
    }

    /// Returns whether a job may apply changes without reviewers.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        self.auto_apply != RiskLimit::None.as_str()
    }

    /// Returns the patterns of the files that a plan depends on, in the syntax of GitLab.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let Self { department, stage, .. } = self;
        vec![
            format!("{CONNECTORS}/{department}/*"),
            format!("{CONNECTORS}/{department}/{stage}/**/*"),
            format!("{DEPARTMENTS}/{department}.toml"),
            format!("{PROFILES}/{stage}/{department}-*.toml"),
        ]
    }

    /// Returns the name of its stages on Azure, in which two departments cannot collide: dashes are not allowed, and
    /// neither a department nor a stage contains an underscore.
    #[must_use]
    pub fn identifier(&self) -> String {
        format!("{}__{}", self.department.replace('-', "_"), self.stage)
    }
}

impl GitopsWorkspace {
    /// Returns the departments and stages that may have connector files, sorted; without `ebs.toml` those that have some.
    #[must_use]
    pub fn places(&self) -> Vec<PipelinePlace> {
        let (known, limits) = match &self.platform {
            Some(platform) => (self.known_stages(), Some(&platform.platform.gitops)),
            None => (self.tree.stages(), None),
        };
        let places = known.into_iter().map(|(department, stage)| {
            let secrets = secret_variables(self.tree.stage(&department, &stage));
            let limit = limits.map(|limits| limits.auto_apply_in(&stage)).unwrap_or_default();
            PipelinePlace::new(&department, &stage, limit, secrets)
        });
        places.collect()
    }
}

/// Returns the variables that the files refer to. Others than those of secrets are refused by every apply.
fn secret_variables<'a>(files: impl Iterator<Item = &'a EffectiveFile>) -> Vec<String> {
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && !["CONFLUENT", "GITHUB"]
                .iter()
                .any(|reserved| name.starts_with(reserved))
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let references = file
            .entries()
            .filter_map(|entry| match ValueReference::parse(&entry.entry.value) {
                Some(ValueReference::Env(name)) => Some(name),
                _ => None,
            });
        names.extend(references.filter(is_name).map(str::to_owned));
    }
    names.into_iter().collect()
}
