//! `shared-namespace`: more than is needed of what Confluent makes everybody share.

use super::{Rule, declared::Declared};
use crate::{
    access::audit::{
        Report,
        place::{Place, shared},
        sight::Need,
        subject::{Held, Subject},
        whose::{Member, Who},
    },
    diag::Severity,
    model::NamePattern,
};

pub(super) const RULE: Rule = Rule {
    id: "shared-namespace",
    threat: "T7",
    severity: Severity::Error,
    summary: "more than a template asks for of the names that all departments share",
    why: "Consumer groups of sinks (`connect-lcc…`) and topics for failed, successful and previewed records (`dlq-lcc…`, \
          `success-lcc…`, `error-lcc…`, `data-preview…`) carry the id of a connector and not its name, so no prefix keeps them \
          apart: a role on their beginning reads or disturbs those of all departments, payloads of failed records among them.",
    evidence: "A role binding within one of these beginnings that no template declares, unless it names the group or topic of \
               one of the department's own connectors. What a template declares is information, with its reason.",
    remedy: "EBS: remove the binding, or narrow it to the name of the department's own connector (`connect-lcc-abc123`).",
    needs: &[Need::Accounts, Need::Cluster, Need::Connectors],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut declared = Declared::default();
    for held in &subject.bindings {
        let Place::Names(kind, name) = held.place else { continue };
        let Some(begins) = shared(kind, name) else { continue };
        match held.who {
            // What an off-boarding left behind is `orphan-department` or `retired-prefix` as a whole.
            Who::Provisioner | Who::Named | Who::Gone | Who::Orphan | Who::Retired(_) => continue,
            Who::Member(member) => {
                if let Some(grant) = held.declared {
                    declared.add(grant, &member);
                    continue;
                }
                if is_own(subject, &member, name) {
                    continue;
                }
            }
            _ => {}
        }
        let id = held.seen.id.as_str();
        let message = match subject.connector_of(name) {
            Some(connector) => format!("{}, which is of connector {}", subject.holds(held), connector.name),
            None => format!("{}: `{begins}…` is shared by all departments", subject.holds(held)),
        };
        report_at(subject, held, id, message, report);
    }
    declared.report(report);
}

fn report_at(subject: &Subject<'_>, held: &Held<'_>, id: &str, message: String, report: &mut Report) {
    let found = report.error(id, message);
    found.binding(held.seen).fix(format!(
        "Remove role binding {id}, or narrow it to the name of one of the department's own connectors."
    ));
    if let Who::Member(member) = held.who {
        found.about(&member.department.department.code);
    }
    if let Place::Names(_, name) = held.place
        && let Some(connector) = subject.connector_of(name)
    {
        found.connector(connector);
        if let Some(owner) = subject.owner(&connector.name) {
            found.about(&owner.department.code);
        }
    }
}

/// §8.1: reading the dead letters and the group of its own connectors is added when their ids are known.
pub(super) fn is_own(subject: &Subject<'_>, member: &Member<'_>, name: &NamePattern) -> bool {
    let connector = subject.connector_of(name);
    let owner = connector.and_then(|connector| subject.owner(&connector.name));
    owner.is_some_and(|owner| member.is_of(owner))
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T7: "flag bindings on shared prefixes wider than needed".
    #[test]
    fn what_no_template_asks_for_is_found() {
        for (who, role, on) in [
            ("sa-claims-runtime", "DeveloperManage", "$K/topic=dlq-lcc*"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=success-lcc*"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=error-lcc-abc"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=data-preview*"),
            ("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc*"),
            ("u-eve", "DeveloperRead", "$K/group=connect-lcc*"),
        ] {
            let mut org = Org::clean();
            let binding = org.bind(who, role, on);
            org.only(ID, &[&binding]);
        }
    }

    // §8.1: "DeveloperRead @ topic=dlq-<lcc> per own connector (added post-create)".
    #[test]
    fn what_is_of_an_own_connector_is_no_finding_and_what_is_of_anothers_is() {
        let mut org = Org::clean();
        org.connector("claims-sink", "lcc-own", "sa-claims-runtime", "claims-a");
        org.connector("fraud-sink", "lcc-other", "sa-fraud-runtime", "fraud-a");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-own");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc-own");
        org.only(ID, &[]);
        let binding = org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-other");
        let ruling = org.only(ID, &[&binding]);
        assert_eq!(ruling.findings[0].departments.len(), 2);
    }

    #[test]
    fn what_an_off_boarding_left_behind_is_another_rules() {
        let mut org = Org::clean();
        org.tagged("sa-ghost", "ghost", "runtime");
        org.bind("sa-ghost", "DeveloperRead", "$K/group=connect-lcc*");
        org.only("orphan-department", &["ghost"]);
    }

    // §8.3: `connect-lcc*` is in the shipped templates, with its reason.
    #[test]
    fn what_the_template_declares_is_information_told_once() {
        let ruling = Org::clean().found(ID, &[]);
        let told: Vec<&str> = ruling
            .findings
            .iter()
            .map(|found| found.finding.message.as_str())
            .collect();
        assert_eq!(
            told,
            ["the template gives 2 departments DeveloperRead on group:connect-lcc*: sinks consume"]
        );
    }
}
