//! Checks over all files together, except those between departments ([`super::department`]).

use super::{Workspace, department};
use crate::diag::{Finding, SourceSpan};

impl Workspace {
    /// Runs all checks that involve several files.
    pub(super) fn cross_check(&self) -> Vec<Finding> {
        let mut findings = department::check_departments(&self.departments);
        findings.extend(self.unknown_templates());
        findings.extend(self.over_allocated_stages());
        findings
    }

    /// Finds references of departments or the defaults to unknown templates.
    fn unknown_templates(&self) -> Vec<Finding> {
        let names = || self.templates.keys().map(String::as_str);
        // A template with an invalid file is not reported as unknown; its own findings explain it.
        let unknown = |name: &String| !self.templates.contains_key(name) && !self.broken_templates.contains(name);
        let finding = |name: &str| {
            let message = format!("no template `{}`", name.escape_debug());
            Finding::error("unknown-template", message).with_fix(super::suggest_name(name, names()))
        };
        let mut findings = Vec::new();
        let default = &self.platform.template;
        if unknown(default) {
            let place = self.file.source.as_ref().zip(self.file.template.clone());
            let place = place.map(|(source, range)| SourceSpan::new(source, range));
            findings.push(match place {
                Some(place) => finding(default).with_span(place),
                None => finding(default),
            });
        }
        let departments = self.departments.values();
        let active = departments.filter(|file| file.department.retired.is_none());
        findings.extend(
            active
                .filter(|file| unknown(&file.department.template))
                .filter_map(|file| {
                    let place = file.template_span()?;
                    Some(finding(&file.department.template).with_span(place))
                }),
        );
        findings
    }

    /// Finds stages whose cluster cannot run all tasks allocated to departments.
    fn over_allocated_stages(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, stage) in &self.platform.stages {
            let allocated: u64 = self
                .departments_in(name)
                .map(|department| u64::from(department.quota_in(name).tasks))
                .sum();
            let allocatable = stage.allocatable_tasks();
            if allocated <= u64::from(allocatable) {
                continue;
            }
            let message = format!(
                "{allocated} tasks are allocated to departments, but stage `{name}` has only {allocatable} ({} minus a reserve of {} %)",
                stage.task_ceiling, stage.reserve_percent
            );
            let finding = Finding::warning("quota-overbooked", message).with_fix(
                "Lower some quotas, or accept that departments cannot use their full quotas at the same time.",
            );
            let place = self.file.source.as_ref().zip(self.file.stages.get(name).cloned());
            findings.push(match place {
                Some((source, range)) => finding.with_span(SourceSpan::new(source, range)),
                None => finding,
            });
        }
        findings
    }
}
