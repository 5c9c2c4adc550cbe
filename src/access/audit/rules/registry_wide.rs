//! `registry-wide`: a role on a whole Schema Registry.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        binding_location::{BindingLocation, is_every_subject},
        context::AuditContext,
        principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
    model::ResourceKind,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "registry-wide",
    threat: "T10",
    severity: Severity::Error,
    summary: "a role on a whole Schema Registry",
    why: "All departments share one registry. A role on the registry itself or on `subject=*` gives access to all \
          schemas, and to the global compatibility and mode, which determine the schemas that all departments may \
          register.",
    evidence: "A role binding on the Schema Registry of the environment, or on every subject, except those of the \
               provisioner and of principals named in `ebs.toml`.",
    remedy: "Platform team: delete the role binding, and bind roles on subjects with a prefix instead.",
    needs: &[RequiredData::Registry, RequiredData::Subjects],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for held in context.bindings.iter().filter(|held| !held.is_expected()) {
        let wide = match held.location {
            BindingLocation::Scope(kind) => kind == ResourceKind::SchemaRegistry,
            BindingLocation::Names(kind, name) => is_every_subject(kind, name),
            _ => false,
        };
        if !wide || matches!(held.holder, PrincipalClass::Deleted) {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = format!(
            "{}, which covers the schemas of all departments",
            context.describe_binding(held)
        );
        let found = report.error(id, message);
        found.binding(held.observed).fix(format!(
            "Delete role binding `{id}`, and bind roles on subjects with a prefix instead."
        ));
        if let PrincipalClass::DepartmentAccount(member) = held.holder {
            found.concerning(&member.department.department.code);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T10: role bindings on `subject=*` and on `$S` itself.
    #[test]
    fn roles_on_the_registry_and_on_all_subjects_are_found_for_any_holder() {
        for who in ["u-eve", "sa-claims-viewer", "group-abc"] {
            for on in ["$S", "$S/subject=*"] {
                let mut org = Org::clean();
                let binding = org.bind(who, "ResourceOwner", on);
                org.assert_only_findings(ID, &[&binding]);
            }
        }
    }

    // Source: docs/reference/rbac.md#roles-of-the-provisioner. The provisioner is ResourceOwner of `subject=*`; it does
    // not see `$S` itself.
    #[test]
    fn bindings_on_the_registry_itself_are_unknown_for_the_provisioner() {
        let result = Org::observed_by_provisioner().assert_findings(ID, &[]);
        let unknown: Vec<_> = result.unknown.iter().collect();
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        assert!(unknown[0].what == "role bindings on the Schema Registry itself");
    }
}
