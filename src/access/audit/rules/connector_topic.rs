//! `connector-topic`: a connector that reads or writes topics of another department.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, visibility::RequiredData},
    diag::{Assignee, Severity},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "connector-topic",
    threat: "T6",
    severity: Severity::Error,
    summary: "a connector that reads or writes topics outside its department",
    why: "A connector can access every topic that its runtime account can access, and anyone who may edit the \
          connector can change its topics. If the account has too much access, data of another department leaks \
          here. `connector lint` reports the same before the connector is created.",
    evidence: "A value of `topics`, `topics.regex`, `kafka.topic`, `topic.prefix` or another key that names topics, \
               which does not begin with the prefix of the department. A regular expression must begin with the \
               prefix in every branch. Dead letter topics are reported by `foreign-dead-letters`, transforms by \
               `connector-transform`.",
    remedy: "Department: correct the configuration. Platform team: check the access of the runtime account \
             (`overbroad-binding`).",
    needs: &[RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for connector in &context.observed.connectors {
        if connector.identity.is_none() {
            report.unknown(
                format!("configuration of connector `{}`", connector.name),
                "the configuration is not readable",
            );
            continue;
        }
        let Some(expected) = context.department_of(connector) else {
            continue;
        };
        let prefix = &expected.department.prefix;
        let outside = (context.desired.topics_outside)(connector, prefix);
        if outside.is_empty() {
            continue;
        }
        let code = &expected.department.code;
        let message = format!(
            "connector `{}` of department `{code}` uses topics outside the prefix `{prefix}`: {}",
            connector.name,
            outside.join(", ")
        );
        let found = report.error(&connector.name, message);
        found.concerning(code).connector(connector);
        found.owned_by(Assignee::Department);
        found.fix(format!("Use topics that begin with `{prefix}`."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T6: each topic of a connector must begin with the department's prefix.
    #[test]
    fn topics_outside_the_prefix_are_found() {
        let mut org = Org::clean();
        org.connector("claims-sink", "lcc-1", "sa-claims-runtime", "claims-orders");
        org.assert_only_findings(ID, &[]);
        org.connector("claims-spy", "lcc-2", "sa-claims-runtime", "claims-orders,fraud-cases");
        let result = org.assert_only_findings(ID, &["claims-spy"]);
        assert!(
            result.findings[0].finding.message.ends_with("topics=fraud-cases"),
            "{result:?}"
        );
    }

    #[test]
    fn an_unreadable_configuration_is_unknown_and_an_unowned_connector_is_ignored() {
        let mut org = Org::clean();
        org.connector("central-sink", "lcc-3", "sa-central", "anything");
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Absent
        );
        org.connector("claims-sink", "lcc-1", "sa-claims-runtime", "claims-orders");
        org.observed.connectors.last_mut().unwrap().identity = None;
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
