//! `runtime-owner`: a department that owns the account its connectors run under.

use super::Rule;
use crate::{
    access::audit::{
        Report,
        sight::Need,
        subject::{Subject, account_name},
        whose::{Member, Who},
    },
    diag::Severity,
    model::Role,
};

pub(super) const RULE: Rule = Rule {
    id: "runtime-owner",
    threat: "T5",
    severity: Severity::Error,
    summary: "a department that owns the account its connectors run under",
    why: "Assigner lets connectors run under an account, and nothing else. ResourceOwner also makes keys for it (support article \
          45142562011924): with a Kafka key of the runtime account a department reads and writes past Connect, and past every \
          limit that lies there.",
    evidence: "A role other than Assigner on the runtime account of a department, held by one of its own accounts. What others \
               hold on it is `forged-account`.",
    remedy: "EBS: remove the binding, and look for keys that were made meanwhile (`runtime-key`).",
    needs: &[Need::Members],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for runtime in subject.members.iter().filter(|member| member.is_runtime()) {
        let name = account_name(runtime.account);
        report
            .unknown
            .extend(subject.sight.hidden_control(&runtime.account.id, &name));
        for held in subject.on_account(runtime.account) {
            let own = matches!(held.who, Who::Member(member) if Member::is_of(&member, runtime.department));
            if !own || held.declared.is_some() || *held.role() == Role::Assigner {
                continue;
            }
            let id = held.seen.id.as_str();
            let message = format!(
                "{}, the account that connectors run under: Assigner is enough",
                subject.holds(held)
            );
            let found = report.error(id, message);
            found.about(&runtime.department.department.code);
            found.binding(held.seen).account(runtime.account);
            found.fix(format!("Remove role binding {id}, and look for keys of {name}."));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T5: "department owns SA_R (ResourceOwner instead of Assigner)".
    #[test]
    fn owning_the_runtime_account_is_found_and_using_it_is_not() {
        let mut org = Org::clean();
        let binding = org.bind(
            "sa-claims-deployer",
            "ResourceOwner",
            "$O/service-account=sa-claims-runtime",
        );
        org.only(ID, &[&binding]);
    }

    #[test]
    fn the_provisioner_sees_whether_somebody_owns_it() {
        let mut org = Org::seen_by_provisioner();
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Absent);
        org.seen
            .unknown
            .insert("role bindings on sa-claims-runtime".into(), "403".into());
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
