//! `registry-wide`: a role on a whole Schema Registry.

use super::Rule;
use crate::{
    access::audit::{
        Report,
        place::{Place, is_every_subject},
        sight::Need,
        subject::Subject,
        whose::Who,
    },
    diag::Severity,
    model::ResourceKind,
};

pub(super) const RULE: Rule = Rule {
    id: "registry-wide",
    threat: "T10",
    severity: Severity::Error,
    summary: "a role on a whole Schema Registry",
    why: "Schemas of all departments lie in one registry. A role on the registry itself or on `subject=*` reads or changes \
          everybody's, the global compatibility and mode among them, and with those what everybody may register.",
    evidence: "A role binding on the Schema Registry of the environment, or on every subject, of anybody but the provisioner \
               and whom `ebs.toml` names.",
    remedy: "EBS: remove the binding; give roles on subjects that begin with a prefix.",
    needs: &[Need::Registry, Need::Subjects],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for held in subject.bindings.iter().filter(|held| !held.is_expected()) {
        let wide = match held.place {
            Place::Scope(kind) => kind == ResourceKind::SchemaRegistry,
            Place::Names(kind, name) => is_every_subject(kind, name),
            _ => false,
        };
        if !wide || matches!(held.who, Who::Gone) {
            continue;
        }
        let id = held.seen.id.as_str();
        let message = format!("{}: schemas of all departments", subject.holds(held));
        let found = report.error(id, message);
        found.binding(held.seen).fix(format!(
            "Remove role binding {id}; roles on subjects that begin with a prefix are enough."
        ));
        if let Who::Member(member) = held.who {
            found.about(&member.department.department.code);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T10: "`subject=*` … bindings on `$S` itself".
    #[test]
    fn roles_on_the_registry_and_on_every_subject_are_found_whoever_holds_them() {
        for who in ["u-eve", "sa-claims-viewer", "group-abc"] {
            for on in ["$S", "$S/subject=*"] {
                let mut org = Org::clean();
                let binding = org.bind(who, "ResourceOwner", on);
                org.only(ID, &[&binding]);
            }
        }
    }

    // §8.6: the provisioner is ResourceOwner of `subject=*`; it does not see `$S` itself.
    #[test]
    fn the_provisioner_owns_all_subjects_and_cannot_see_the_registry() {
        let ruling = Org::seen_by_provisioner().found(ID, &[]);
        let unknown: Vec<_> = ruling.unknown.iter().collect();
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        assert!(unknown[0].what == "role bindings on the Schema Registry itself");
    }
}
