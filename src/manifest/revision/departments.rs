//! Changes of department files: codes, prefixes, stages and retirement, quotas and recipients.

use super::{RevisionComparison, department_path, name_list};
use crate::{
    diag::{Finding, SourceSpan},
    manifest::{DepartmentFile, naming::find_conflicts},
    model::{Department, DepartmentQuota},
};

impl RevisionComparison<'_> {
    pub(super) fn check_departments(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for former in self.former.departments() {
            let code = &former.code;
            match self.current.departments.get(code) {
                Some(file) => findings.extend(self.check_changed(former, file)),
                // The finding about the invalid file is enough.
                None if self.current.broken_departments.contains(&code.to_string()) => {}
                None => findings.push(self.check_deleted(former)),
            }
        }
        findings.extend(self.check_reused_prefixes());
        findings
    }

    /// Returns the department of a new file with the prefix or the name of a department whose file was deleted.
    fn moved_to(&self, former: &Department) -> Option<&DepartmentFile> {
        let is_new = |file: &&DepartmentFile| self.former.department(&file.department.code).is_none();
        let is_same = |file: &&DepartmentFile| {
            file.department.prefix == former.prefix || file.department.name.to_lowercase() == former.name.to_lowercase()
        };
        self.current.departments.values().filter(is_new).find(is_same)
    }

    fn check_deleted(&self, former: &Department) -> Finding {
        let code = &former.code;
        let path = department_path(code);
        let restore = self.restore_command(&path);
        let stages = self.onboarded_stages(former);
        if let Some(moved) = self.moved_to(former)
            && (former.retired.is_some() || !stages.is_empty())
        {
            let new = &moved.department.code;
            let message = format!(
                "the code of department `{code}` changed to `{new}`, but a code never changes: the names of its accounts \
                 contain the code, and `{code}` would lose its file"
            );
            let fix = format!(
                "Rename the file to `{path}`; `name` may change. For another code, run `confluent ebs offboard {code}` \
                 first, and choose another prefix for `{new}`."
            );
            return Finding::error("department-moved", message)
                .with_span(SourceSpan::new(&moved.source, 0..0))
                .with_fix(self.with_evidence_note(fix));
        }
        let finding = match (&former.retired, stages.as_slice()) {
            (Some(_), _) => Finding::error(
                "department-deleted",
                format!(
                    "the file of the retired department `{code}` was deleted; it reserves prefix `{}`, with which topics \
                     and schemas may still exist",
                    former.prefix
                ),
            )
            .with_fix(format!("Restore the file: `{restore}`.")),
            (None, []) => Finding::warning(
                "department-deleted",
                format!("the file of department `{code}` was deleted, and no evidence names the department as onboarded"),
            )
            .with_fix(format!(
                "If the department was onboarded, restore the file with `{restore}` and run `confluent ebs offboard {code}`."
            )),
            (None, stages) => {
                let message = format!(
                    "the file of department `{code}` was deleted, but the department is onboarded in {}: its accounts and \
                     API keys would have no owner",
                    name_list(stages)
                );
                let fix = format!(
                    "Restore the file with `{restore}`, and run `{}`, which records the retirement in the file.",
                    offboard_command(former, stages[0])
                );
                Finding::error("department-deleted", message).with_fix(self.with_evidence_note(fix))
            }
        };
        finding.with_span(self.missing_file(&path))
    }

    fn check_changed(&self, former: &Department, file: &DepartmentFile) -> Vec<Finding> {
        let now = &file.department;
        let code = &former.code;
        let whole = || SourceSpan::new(&file.source, 0..0);
        let onboarded = self.onboarded_stages(former);
        let mut findings: Vec<Finding> = Vec::new();
        if former.prefix != now.prefix && (former.retired.is_some() || !onboarded.is_empty()) {
            findings.push(self.prefix_changed(former, file));
        }
        match (former.retired, now.retired) {
            (Some(day), None) if onboarded.is_empty() => {
                let message = format!(
                    "`retired` was removed from department `{code}`, which was off-boarded on {day}: the next onboarding \
                     would grant access to its former topics and schemas"
                );
                let fix =
                    format!("Write `retired = {day}`. A department that returns gets a new code and a new prefix.");
                findings.push(
                    Finding::error("retirement-removed", message)
                        .with_span(whole())
                        .with_fix(fix),
                );
            }
            (Some(from), Some(to)) if from != to => {
                let message = format!("the date of `retired` of department `{code}` changed from {from} to {to}");
                let fix = format!("The date records the off-boarding. Write `retired = {from}`.");
                findings.push(
                    Finding::warning("retirement-changed", message)
                        .with_span(whole())
                        .with_fix(fix),
                );
            }
            (None, Some(_)) if !onboarded.is_empty() => {
                let message = format!(
                    "department `{code}` is retired without an off-boarding; it is onboarded in {}",
                    name_list(&onboarded)
                );
                let finding = Finding::error("offboarding-missing", message).with_span(whole());
                findings.push(finding.with_fix(self.offboard_fix(former, onboarded[0], "retired")));
            }
            (None, None) => {
                findings.extend(self.check_stages_of(former, file, &onboarded));
                findings.extend(self.check_quota(former, file));
                findings.extend(check_recipients(former, file));
            }
            _ => {}
        }
        findings
    }

    /// Returns the error about a changed prefix, which may belong to another department.
    fn prefix_changed(&self, former: &Department, file: &DepartmentFile) -> Finding {
        let (old, new) = (&former.prefix, &file.department.prefix);
        let code = &former.code;
        let of_others = self
            .former
            .departments()
            .find(|other| other.code != *code && !find_conflicts(&[&other.prefix, new]).is_empty());
        let belonged = of_others.map_or(String::new(), |other| {
            format!(", and prefix `{new}` belonged to department `{}`", other.code)
        });
        let message = format!(
            "the prefix of department `{code}` changed from `{old}` to `{new}`: its role bindings, connectors and topics \
             begin with `{old}`{belonged}"
        );
        let fix = format!(
            "Write `prefix = \"{old}\"`. For another prefix, create a department with a new code, move the connectors, \
             and off-board `{code}`."
        );
        Finding::error("prefix-changed", message)
            .with_span(file.prefix_span())
            .with_fix(self.with_evidence_note(fix))
    }

    /// Returns the errors about prefixes of new files that belonged to a department whose file no longer reserves them.
    fn check_reused_prefixes(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let new = self.current.departments.values();
        for file in new.filter(|file| self.former.department(&file.department.code).is_none()) {
            let prefix = &file.department.prefix;
            for former in self.former.departments() {
                let is_free = self
                    .current
                    .department(&former.code)
                    .is_none_or(|now| now.prefix != former.prefix)
                    && !self.current.broken_departments.contains(&former.code.to_string());
                let is_in_use = former.retired.is_some() || !self.onboarded_stages(former).is_empty();
                let is_moved = self.current.department(&former.code).is_none()
                    && self.moved_to(former).map(|moved| &moved.department.code) == Some(&file.department.code);
                if !is_free || !is_in_use || is_moved || find_conflicts(&[&former.prefix, prefix]).is_empty() {
                    continue;
                }
                let message = format!(
                    "prefix `{prefix}` covers names of department `{}`, whose prefix was `{}`",
                    former.code, former.prefix
                );
                let fix = "Choose another prefix. A prefix cannot be reused, because topics, groups and schemas may still exist.";
                findings.push(
                    Finding::error("prefix-reused", message)
                        .with_span(file.prefix_span())
                        .with_fix(fix),
                );
            }
        }
        findings
    }

    /// Returns the errors about stages in which the department is onboarded and no longer allowed.
    fn check_stages_of(&self, former: &Department, file: &DepartmentFile, onboarded: &[&str]) -> Vec<Finding> {
        let lost = onboarded.iter().filter(|stage| {
            self.current.platform.stages.contains_key(**stage)
                && former.is_allowed_in(stage)
                && !file.department.is_allowed_in(stage)
        });
        lost.map(|stage| {
            let message = format!(
                "department `{}` is no longer allowed in stage `{stage}`, but it is onboarded there",
                former.code
            );
            Finding::error("offboarding-missing", message)
                .with_span(SourceSpan::new(&file.source, 0..0))
                .with_fix(self.offboard_fix(former, stage, "stages"))
        })
        .collect()
    }

    fn offboard_fix(&self, department: &Department, stage: &str, key: &str) -> String {
        self.with_evidence_note(format!(
            "Run `{}`, which writes `{key}`, and commit the file together with the evidence.",
            offboard_command(department, stage)
        ))
    }

    /// Returns a note about each stage in which a limit decreased.
    fn check_quota(&self, former: &Department, file: &DepartmentFile) -> Option<Finding> {
        let now = &file.department;
        let mut changes: Vec<String> = Vec::new();
        for stage in self
            .current
            .platform
            .stages
            .keys()
            .filter(|stage| now.is_allowed_in(stage))
        {
            for change in lowered(former.quota_in(stage), now.quota_in(stage)) {
                let change = match now.stage_quotas.is_empty() && former.stage_quotas.is_empty() {
                    true => change,
                    false => format!("{change} in stage `{stage}`"),
                };
                if !changes.contains(&change) {
                    changes.push(change);
                }
            }
        }
        let message = format!(
            "the quota of department `{}` decreases: {}",
            former.code,
            changes.join(", ")
        );
        (!changes.is_empty()).then(|| {
            Finding::info("quota-lowered", message)
                .with_span(SourceSpan::new(&file.source, 0..0))
                .with_fix(
                    "Existing connectors keep running; `confluent ebs quota audit` reports what exceeds the quota.",
                )
        })
    }
}

fn offboard_command(department: &Department, stage: &str) -> String {
    format!("confluent ebs offboard {} --stage {stage}", department.code)
}

/// Returns the limits that decreased.
fn lowered(former: &DepartmentQuota, now: &DepartmentQuota) -> Vec<String> {
    let numbers = [
        ("connectors", former.connectors, now.connectors),
        ("tasks", former.tasks, now.tasks),
        (
            "tasks_per_connector",
            former.tasks_per_connector,
            now.tasks_per_connector,
        ),
    ];
    let mut changes: Vec<String> = numbers
        .into_iter()
        .filter(|(_, former, now)| now < former)
        .map(|(key, former, now)| format!("`{key}` from {former} to {now}"))
        .collect();
    let lost: Vec<&str> = former
        .plugins
        .iter()
        .map(String::as_str)
        .filter(|plugin| match *plugin {
            "*" => !now.plugins.contains(&"*".to_owned()),
            named => !now.allows_plugin(named),
        })
        .collect();
    if !lost.is_empty() {
        changes.push(format!("`plugins` without {}", name_list(&lost)));
    }
    changes
}

/// Returns a warning about recipients that are no longer listed: they can still decrypt what was delivered to them.
fn check_recipients(former: &Department, file: &DepartmentFile) -> Option<Finding> {
    let now = &file.department.recipients;
    let lost = former
        .recipients
        .iter()
        .filter(|recipient| !now.contains(recipient))
        .count();
    let code = &former.code;
    let message = match now.is_empty() {
        true => format!("department `{code}` has no recipients any more: its new profiles are not encrypted"),
        false => format!(
            "{lost} of the recipients of department `{code}` were removed, who can still use the delivered keys"
        ),
    };
    (lost > 0).then(|| {
        Finding::warning("recipient-removed", message)
            .with_span(SourceSpan::new(&file.source, 0..0))
            .with_fix(format!("Replace its API keys: `confluent ebs keys rotate {code}`."))
    })
}
