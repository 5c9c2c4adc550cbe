//! What must hold over all files together, besides what departments owe each other ([`super::department`]).

use super::{Workspace, department};
use crate::diag::{Finding, SourceSpan};

impl Workspace {
    /// Everything that no file can know by itself.
    pub(super) fn cross_check(&self) -> Vec<Finding> {
        let mut findings = department::check_departments(&self.departments);
        findings.extend(self.unknown_templates());
        findings.extend(self.over_allocated_stages());
        findings
    }

    /// Templates that departments or the defaults name and nobody wrote.
    fn unknown_templates(&self) -> Vec<Finding> {
        let names = || self.templates.keys().map(String::as_str);
        // A template whose file is broken is not unknown; its own findings say what to do.
        let unknown = |name: &String| !self.templates.contains_key(name) && !self.broken_templates.contains(name);
        let finding = |name: &str| {
            let message = format!("there is no template `{}`", name.escape_debug());
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

    /// Stages whose cluster cannot run what all departments together were promised.
    fn over_allocated_stages(&self) -> Vec<Finding> {
        let promised: u64 = self
            .active_departments()
            .map(|department| u64::from(department.quota.tasks))
            .sum();
        let mut findings = Vec::new();
        for (name, stage) in &self.platform.stages {
            let allocatable = stage.allocatable_tasks();
            if promised <= u64::from(allocatable) {
                continue;
            }
            let message = format!(
                "departments are promised {promised} tasks together, but stage `{name}` has {allocatable} to give ({} less {} %)",
                stage.task_ceiling, stage.reserve_percent
            );
            let finding = Finding::warning("quota-overbooked", message)
                .with_fix("Lower some quotas, or accept that not everybody can use theirs at once.");
            let place = self.file.source.as_ref().zip(self.file.stages.get(name).cloned());
            findings.push(match place {
                Some((source, range)) => finding.with_span(SourceSpan::new(source, range)),
                None => finding,
            });
        }
        findings
    }
}
