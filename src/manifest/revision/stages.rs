//! Changes of `ebs.toml`: stages, their addresses, the organization and the provisioner.

use super::{RevisionComparison, name_list};
use crate::{
    diag::{Finding, SourceSpan},
    manifest::{Stage, workspace::PLATFORM_FILE},
};

impl RevisionComparison<'_> {
    pub(super) fn check_stages(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, former) in &self.former.platform.stages {
            let onboarded: Vec<&str> = self
                .former
                .departments()
                .filter(|department| self.is_onboarded(department, name))
                .map(|department| department.code.as_str())
                .collect();
            if onboarded.is_empty() {
                continue;
            }
            match self.current.platform.stages.get(name) {
                Some(now) => findings.extend(self.check_address(name, former, now, &onboarded)),
                // The finding about the invalid stage is enough.
                None if self.current.file.stages.contains_key(name) => {}
                None => findings.push(self.stage_removed(name, former, &onboarded)),
            }
        }
        findings.extend(self.check_platform());
        findings
    }

    fn stage_removed(&self, name: &str, former: &Stage, onboarded: &[&str]) -> Finding {
        let is_same = |(other, stage): &(&String, &Stage)| {
            !self.former.platform.stages.contains_key(*other)
                && stage.cluster == former.cluster
                && stage.environment == former.environment
        };
        let departments = name_list(onboarded);
        let (message, fix) = match self.current.platform.stages.iter().find(is_same) {
            Some((renamed, _)) => (
                format!(
                    "stage `{name}` was renamed to `{renamed}`, but the names of accounts contain the stage: {departments}"
                ),
                format!("Name the stage `{name}` again. The name of a stage never changes."),
            ),
            None => (
                format!("stage `{name}` was removed, but departments are onboarded in it: {departments}"),
                format!(
                    "Restore the stage with `{}`, and run `confluent ebs offboard {} --stage {name}` and the same for the \
                     other departments first.",
                    self.restore_command(PLATFORM_FILE),
                    onboarded[0]
                ),
            ),
        };
        self.at_platform_file(
            Finding::error("stage-removed", message).with_fix(self.with_evidence_note(fix)),
            None,
        )
    }

    /// Returns the errors about ids of a stage that changed.
    fn check_address(&self, name: &str, former: &Stage, now: &Stage, onboarded: &[&str]) -> Vec<Finding> {
        let registries = former.schema_registry.as_ref().zip(now.schema_registry.as_ref());
        let ids = [
            (
                "environment",
                former.environment.to_string(),
                now.environment.to_string(),
            ),
            ("cluster", former.cluster.to_string(), now.cluster.to_string()),
        ];
        let registry = registries.map(|(former, now)| ("schema_registry", former.to_string(), now.to_string()));
        let changed = ids.into_iter().chain(registry).filter(|(_, former, now)| former != now);
        changed
            .map(|(key, former, now)| {
                let message = format!(
                    "`{key}` of stage `{name}` changed from `{former}` to `{now}`, but departments are onboarded at \
                     `{former}`: {}",
                    name_list(onboarded)
                );
                let fix = format!(
                    "Write `{former}`. For another {}, add a stage with a new name, onboard the departments there, move \
                     their connectors, and off-board them from stage `{name}`.",
                    key.replace('_', " ")
                );
                self.at_platform_file(
                    Finding::error("stage-address-changed", message).with_fix(self.with_evidence_note(fix)),
                    Some(name),
                )
            })
            .collect()
    }

    fn check_platform(&self) -> Vec<Finding> {
        let (former, now) = (&self.former.platform, &self.current.platform);
        let mut findings = Vec::new();
        if let Some((old, new)) = former.organization.as_ref().zip(now.organization.as_ref())
            && old != new
        {
            let message = format!("`organization.id` changed from `{old}` to `{new}`");
            let fix = "A repository describes one organization. Use another repository for another organization.";
            findings.push(Finding::error("organization-changed", message).with_fix(fix));
        }
        if let Some((old, new)) = former.provisioner.as_ref().zip(now.provisioner.as_ref())
            && old != new
        {
            let message =
                format!("`provisioner` changed from `{old}` to `{new}`, but `{old}` owns the existing accounts");
            let fix = "Make the new provisioner the owner of the accounts first, otherwise `onboard` refuses them.";
            findings.push(Finding::warning("provisioner-changed", message).with_fix(fix));
        }
        let (old, new) = (&former.default_stage, &now.default_stage);
        if old != new && !old.is_empty() && !new.is_empty() {
            let message = format!(
                "the default stage changed from `{old}` to `{new}`: commands without `--stage` act in another stage, and \
                 profiles have other paths"
            );
            let fix = "Write `--stage` in each command of a pipeline.";
            findings.push(Finding::warning("default-stage-changed", message).with_fix(fix));
        }
        let located = findings.into_iter().map(|finding| self.at_platform_file(finding, None));
        located.collect()
    }

    /// Returns `finding` with its place in `ebs.toml`: the stage `name`, or the whole file.
    fn at_platform_file(&self, finding: Finding, name: Option<&str>) -> Finding {
        let file = &self.current.file;
        let range = name.and_then(|name| file.stages.get(name)).cloned().unwrap_or_default();
        match &file.source {
            Some(source) => finding.with_span(SourceSpan::new(source, range)),
            None => finding.with_span(self.missing_file(PLATFORM_FILE)),
        }
    }
}
