//! `connector-transform`: a source whose transforms write to topics outside its department.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, visibility::RequiredData},
    diag::{Assignee, Severity},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "connector-transform",
    threat: "T6",
    severity: Severity::Error,
    summary: "a source connector whose transforms lead outside its department",
    why: "A transform such as `RegexRouter` changes the topic of each record after the topic keys of the \
          configuration were read. If the runtime account has too much access, data is written among the \
          topics of another department. `connector lint` reports the same before the connector is created.",
    evidence: "A transform of a source connector that changes the topic to one that does not begin with the \
               prefix of the department (error), or to one that the records name (warning). Transforms of sinks \
               rename objects of the other system and are ignored.",
    remedy: "Department: begin the new topic with the prefix. Platform team: check the access of the runtime \
             account (`overbroad-binding`).",
    needs: &[RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for connector in &context.observed.connectors {
        let Some(expected) = context.department_of(connector) else {
            continue;
        };
        if connector.transforms.is_none() {
            let reason = match &connector.identity {
                None => "the configuration is not readable",
                Some(_) => "the snapshot was taken by a version that did not read them",
            };
            report.unknown(format!("transforms of connector `{}`", connector.name), reason);
            continue;
        }
        let (code, prefix) = (&expected.department.code, &expected.department.prefix);
        let Some(outside) = (context.desired.transform_outside)(connector, prefix) else {
            continue;
        };
        let leads = if outside.is_certain { "leads" } else { "may lead" };
        let message = format!(
            "a transform of connector `{}` of department `{code}` {leads} outside the prefix `{prefix}`: {}",
            connector.name, outside.setting
        );
        let found = if outside.is_certain {
            report.error(&connector.name, message)
        } else {
            report.warning(&connector.name, message)
        };
        found.concerning(code).connector(connector);
        found.owned_by(Assignee::Department);
        found.fix(format!("Use a new topic that begins with `{prefix}`."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{AuditVerdict, fixture::Org};

    const ID: &str = super::RULE.id;

    // T6: a transform can rename the topics of a source.
    #[test]
    fn a_transform_that_leads_outside_the_prefix_is_found() {
        let mut org = Org::clean();
        for (name, replacement) in [("claims-inside", "claims-$1"), ("claims-outside", "fraud-$1")] {
            org.connector(name, "lcc-1", "sa-claims-runtime", "claims-a");
            org.observed.connectors.last_mut().unwrap().transforms =
                Some([("transforms.r.replacement".to_owned(), replacement.to_owned())].into());
        }
        org.assert_only_findings(ID, &["claims-outside"]);
    }

    #[test]
    fn transforms_that_were_not_read_are_unknown() {
        let mut org = Org::clean();
        org.connector("claims-source", "lcc-1", "sa-claims-runtime", "claims-a");
        org.observed.connectors[0].transforms = None;
        assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
    }
}
