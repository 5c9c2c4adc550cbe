//! Changes of templates: personas and grants that departments lose.

use std::collections::BTreeMap;

use super::{RevisionComparison, name_list};
use crate::{
    diag::{Finding, SourceSpan},
    manifest::workspace::TEMPLATES,
    model::{Department, Persona, Template},
};

impl RevisionComparison<'_> {
    pub(super) fn check_templates(&self) -> Vec<Finding> {
        let mut users: BTreeMap<(&str, &str), Vec<&Department>> = BTreeMap::new();
        for former in self.former.active_departments() {
            if let Some(now) = self.current.department(&former.code)
                && now.retired.is_none()
                && !self.onboarded_stages(former).is_empty()
            {
                users.entry((&former.template, &now.template)).or_default().push(now);
            }
        }
        let mut findings = Vec::new();
        for ((former, now), departments) in users {
            if let Some((former, now)) = self.former.template(former).zip(self.current.template(now)) {
                findings.extend(self.compare_templates(former, now, &departments));
            }
        }
        findings
    }

    fn compare_templates(&self, former: &Template, now: &Template, departments: &[&Department]) -> Vec<Finding> {
        if former.hash == now.hash {
            return Vec::new();
        }
        let span = self.template_span(former, now, departments);
        let codes: Vec<&str> = departments.iter().map(|department| department.code.as_str()).collect();
        let codes = name_list(&codes);
        let mut findings = Vec::new();
        for persona in &former.personas {
            let name = &persona.name;
            let finding = match now.personas.iter().find(|other| other.name == *name) {
                None => {
                    let message = format!(
                        "template `{}` has no persona `{name}` any more; its accounts and API keys keep working in {codes}",
                        now.name
                    );
                    Finding::warning("persona-removed", message).with_fix(
                        "`confluent ebs onboard --prune` deletes the accounts and API keys. Move connectors that run under \
                         one of the accounts first.",
                    )
                }
                Some(other) => {
                    let lost = lost_grants(persona, other);
                    if lost.is_empty() {
                        continue;
                    }
                    let message = format!("persona `{name}` of template `{}` loses {}", now.name, lost.join(", "));
                    Finding::info("grant-removed", message).with_fix(format!(
                        "`confluent ebs onboard --prune` removes the access; until then, it stays in {codes}."
                    ))
                }
            };
            findings.push(finding.with_span(span.clone()));
        }
        findings
    }

    /// Returns the place of the change: the file of the template, or the file of a department with another template.
    fn template_span(&self, former: &Template, now: &Template, departments: &[&Department]) -> SourceSpan {
        if former.name != now.name
            && let Some(file) = departments
                .first()
                .and_then(|first| self.current.department_file(&first.code))
        {
            let whole = || SourceSpan::new(&file.source, 0..0);
            return file.template_span().unwrap_or_else(whole);
        }
        // A built-in template has no file here, so the platform's own file was deleted.
        self.missing_file(&format!("{TEMPLATES}/{}.toml", now.name))
    }
}

/// Returns the role grants and ACLs of `former` that `now` does not have.
fn lost_grants(former: &Persona, now: &Persona) -> Vec<String> {
    let roles = former.grants.iter().filter(|grant| {
        let is_same = |other: &&crate::model::RoleGrant| other.role == grant.role && other.on == grant.on;
        !now.grants.iter().any(|other| is_same(&other))
    });
    let roles = roles.map(|grant| format!("`{}` on `{}`", grant.role, grant.on));
    let acls = former.acls.iter().flat_map(|acl| {
        let lost = acl.operations.iter().filter(|operation| {
            let mut others = now.acls.iter().filter(|other| other.on == acl.on);
            !others.any(|other| other.operations.contains(operation))
        });
        lost.map(|operation| format!("ACL `{operation}` on `{}`", acl.on))
    });
    roles.chain(acls).collect()
}
