//! `connector-topic`: a connector that reads or writes outside its department.

use super::Rule;
use crate::{
    access::audit::{Report, sight::Need, subject::Subject, whose::Who},
    diag::{Owner, Severity},
};

pub(super) const RULE: Rule = Rule {
    id: "connector-topic",
    threat: "T6",
    severity: Severity::Error,
    summary: "a connector that reads or writes topics outside its department",
    why: "A connector reaches every topic that its runtime account reaches, and whoever may edit it can aim it elsewhere. Where \
          the account may do more than it should, this is where another department's data leaves. `connector lint` says the \
          same before the connector is made.",
    evidence: "A value of `topics`, `topics.regex`, `kafka.topic`, `topic.prefix` or another key that names topics in a \
               connector's configuration, which does not begin with the prefix of the department. A regular expression must \
               begin with it in every branch. Dead letter topics are not judged.",
    remedy: "The department: correct the configuration. EBS: see what the runtime account may do there (`wildcard-slip`).",
    needs: &[Need::Connectors],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for connector in &subject.seen.connectors {
        if connector.identity.is_none() {
            report.unknown(
                format!("configuration of connector {}", connector.name),
                "it may not be read",
            );
            continue;
        }
        let runs_as = match subject.runs_as(connector) {
            Some(Who::Member(member)) => Some(member.department),
            _ => None,
        };
        let Some(expected) = subject.owner(&connector.name).or(runs_as) else {
            continue;
        };
        let prefix = &expected.department.prefix;
        let outside = (subject.blueprint.outside)(connector, prefix);
        if outside.is_empty() {
            continue;
        }
        let code = &expected.department.code;
        let message = format!(
            "connector {} of {code} reaches outside `{prefix}`: {}",
            connector.name,
            outside.join(", ")
        );
        let found = report.error(&connector.name, message);
        found.about(code).connector(connector);
        found.owned_by(Owner::Department);
        found.fix(format!("Use topics that begin with `{prefix}`."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T6: "every `topics`, … value must start with `P`".
    #[test]
    fn topics_outside_the_prefix_are_found() {
        let mut org = Org::clean();
        org.connector("claims-sink", "lcc-1", "sa-claims-runtime", "claims-orders");
        org.only(ID, &[]);
        org.connector("claims-spy", "lcc-2", "sa-claims-runtime", "claims-orders,fraud-cases");
        let ruling = org.only(ID, &["claims-spy"]);
        assert!(
            ruling.findings[0].finding.message.ends_with("topics=fraud-cases"),
            "{ruling:?}"
        );
    }

    #[test]
    fn what_may_not_be_read_is_unknown_and_what_is_nobodys_is_not_judged() {
        let mut org = Org::clean();
        org.connector("central-sink", "lcc-3", "sa-central", "anything");
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Absent);
        org.connector("claims-sink", "lcc-1", "sa-claims-runtime", "claims-orders");
        org.seen.connectors.last_mut().unwrap().identity = None;
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
