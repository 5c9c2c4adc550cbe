//! `foreign-dead-letters`: a connector that writes its dead letters to topics of another owner.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, visibility::RequiredData},
    diag::{Assignee, Severity},
    model::{NamePattern, ObservedConnector},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "foreign-dead-letters",
    threat: "T7",
    severity: Severity::Error,
    summary: "dead letters or reports of a connector in topics of another owner",
    why: "A dead letter contains the record that failed. In a topic of another department, or in the dead \
          letter topic of another connector, its owner reads the data, and both kinds of records are mixed.",
    evidence: "A topic for failed records or reports that has the prefix of another department or the id of \
               another connector (error), or that has neither the department's prefix nor the id of the connector \
               (warning). The topics that the service creates, such as `dlq-lcc-…` with the id of the connector, \
               belong to the connector.",
    remedy: "Department: use a topic with your own prefix. Platform team: check the access of the runtime \
             account (`overbroad-binding`, `shared-namespace`).",
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
        for (key, topic) in (context.desired.dead_letter_topics)(connector) {
            check_topic(context, connector, &key, &topic, report);
        }
    }
}

fn check_topic(
    context: &AuditContext<'_>,
    connector: &ObservedConnector,
    key: &str,
    topic: &str,
    report: &mut RuleReport,
) {
    // The service replaces the variable.
    let topic = topic.trim().replace("${connector}", &connector.id);
    let own_id = !connector.id.is_empty() && topic.ends_with(&connector.id);
    let department = context.department_of(connector).map(|expected| &expected.department);
    if topic.is_empty() || own_id || department.is_some_and(|department| department.prefix.owns(&topic)) {
        return;
    }
    let owner = context.owner(&topic).map(|expected| &expected.department.code);
    let other = context.connector_of(&NamePattern::Literal(topic.clone()));
    let names_connector = topic.contains("lcc-");
    let whose = match (owner, other) {
        (Some(code), _) => format!("a topic of department `{code}`"),
        (None, Some(other)) => format!("the topic of connector `{}`", other.name),
        (None, None) if names_connector => "the topic of another connector".to_owned(),
        // Nobody audits the topics of connectors without a department.
        (None, None) if department.is_none() => return,
        (None, None) => "a topic without the department's prefix".to_owned(),
    };
    let message = format!("connector `{}` writes to {whose}: {key}={topic}", connector.name);
    let subject = format!("{} {key}", connector.name);
    let found = match owner.is_some() || names_connector {
        true => report.error(&subject, message),
        false => report.warning(&subject, message),
    };
    found.connector(connector);
    for code in owner.into_iter().chain(department.map(|department| &department.code)) {
        found.concerning(code);
    }
    match department {
        Some(department) => {
            found.owned_by(Assignee::Department);
            found.fix(format!(
                "Set `{key}` to a topic that begins with `{}`.",
                department.prefix
            ));
        }
        None => {
            found.fix(format!(
                "Find out who created the connector, and have `{key}` corrected."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;
    const KEY: &str = "errors.deadletterqueue.topic.name";

    // T7: by default the service creates `dlq-lcc-…` with the connector's own id.
    #[test]
    fn dead_letters_in_topics_of_others_are_found() {
        let mut org = Org::clean();
        org.connector("fraud-sink", "lcc-fraud", "sa-fraud-runtime", "fraud-a");
        for (name, topic) in [
            ("claims-own", "claims-dlq"),
            ("claims-default", "dlq-${connector}"),
            ("claims-literal", "dlq-lcc-1"),
            ("claims-none", ""),
            ("claims-theirs", "fraud-dlq"),
            ("claims-shared", "dlq-lcc-fraud"),
            ("claims-gone", "dlq-lcc-gone"),
            ("claims-anywhere", "anywhere"),
            ("central-theirs", "claims-dlq"),
            ("central-own", "anywhere"),
        ] {
            let account = if name.starts_with("claims") {
                "sa-claims-runtime"
            } else {
                "sa-central"
            };
            org.connector(name, "lcc-1", account, "claims-a");
            let topics = &mut org.observed.connectors.last_mut().unwrap().topics;
            topics.insert(KEY.to_owned(), topic.to_owned());
        }
        let names = [
            "central-theirs",
            "claims-anywhere",
            "claims-gone",
            "claims-shared",
            "claims-theirs",
        ];
        let subjects = names.map(|name| format!("{name} {KEY}"));
        let result = org.assert_only_findings(ID, &subjects.each_ref().map(String::as_str));
        let of = |name: &str| {
            result
                .findings
                .iter()
                .find(|found| found.subject.starts_with(name))
                .unwrap()
        };
        assert_eq!(of("claims-anywhere").finding.severity, crate::diag::Severity::Warning);
        assert_eq!(of("claims-theirs").departments.len(), 2);
    }
}
