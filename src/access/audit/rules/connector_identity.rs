//! `connector-identity`: a connector that runs as somebody else.

use super::Rule;
use crate::{
    access::audit::{Report, sight::Need, subject::Subject, whose::Who},
    diag::Severity,
    model::{ConnectorIdentity, Principal, SeenConnector},
};

pub(super) const RULE: Rule = Rule {
    id: "connector-identity",
    threat: "T8",
    severity: Severity::Error,
    summary: "a connector whose name says one department and whose account another",
    why: "The name decides who may see and change a connector, the account what it reads and writes. Where the two do not belong \
          together, one department works with the rights of another, or has taken a name that is not its own: names are \
          unique in a cluster, and whoever holds wider rights can be first.",
    evidence: "A connector on a department's prefix that does not run under that department's runtime account, or that runs \
               with an API key; a connector of another name that runs under a department's account. Connectors of nobody are \
               not judged.",
    remedy: "EBS: find out who made it, and have it made anew under the right account or the right name.",
    needs: &[Need::Accounts, Need::Connectors],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for connector in &subject.seen.connectors {
        let Some(identity) = &connector.identity else {
            report.unknown(
                format!("configuration of connector {}", connector.name),
                "it may not be read",
            );
            continue;
        };
        if let ConnectorIdentity::Other(mode) = identity {
            let what = format!("as whom connector {} runs", connector.name);
            report.unknown(what, format!("`kafka.auth.mode` is `{mode}`"));
            continue;
        }
        if let Some((severity, message)) = judge(subject, connector, identity) {
            let found = match severity {
                Severity::Warning => report.warning(&connector.name, message),
                _ => report.error(&connector.name, message),
            };
            found.connector(connector).fix(
                "Find out who made it; it is made anew under the department's own runtime account, or under its own name.",
            );
            if let Some(owner) = subject.owner(&connector.name) {
                found.about(&owner.department.code);
            }
            if let Some(Who::Member(member)) = subject.runs_as(connector) {
                found.about(&member.department.department.code).account(member.account);
            }
        }
    }
}

fn judge(subject: &Subject<'_>, connector: &SeenConnector, identity: &ConnectorIdentity) -> Option<(Severity, String)> {
    let name = &connector.name;
    let runs_as = match identity {
        ConnectorIdentity::ServiceAccount(id) => subject.name(&Principal::from_id(id)),
        ConnectorIdentity::ApiKey(key) => match subject.key_owner(key) {
            Some(owner) => format!("API key {key} of {}", subject.name(owner)),
            None => "an API key".to_owned(),
        },
        ConnectorIdentity::Other(_) => return None,
    };
    let key = matches!(identity, ConnectorIdentity::ApiKey(_));
    match (subject.owner(name), subject.runs_as(connector)) {
        // A tombstone's connector is `retired-prefix`.
        (Some(owner), _) if owner.is_retired() => None,
        (Some(owner), Some(Who::Member(member))) if member.is_of(owner) => {
            let meant = member.is_runtime() && !key;
            let message = format!("connector {name} runs with {runs_as}, not under the runtime account");
            (!meant).then_some((Severity::Warning, message))
        }
        (Some(owner), _) => {
            let message = format!(
                "connector {name} is called like one of {} and runs with {runs_as}",
                owner.department.code
            );
            Some((Severity::Error, message))
        }
        (None, Some(Who::Member(member))) => {
            let department = &member.department.department;
            let message = format!(
                "connector {name} runs with {runs_as} of {}, and its name does not begin with `{}`",
                department.code, department.prefix
            );
            Some((Severity::Error, message))
        }
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::testing::Org, model::ConnectorIdentity};

    const ID: &str = super::RULE.id;

    // T8: "name prefix ≠ owner of its `kafka.service.account.id`".
    #[test]
    fn name_and_account_must_be_of_one_department() {
        let mut org = Org::clean();
        org.connector("claims-own", "lcc-1", "sa-claims-runtime", "claims-a");
        org.connector("claims-squatted", "lcc-2", "sa-fraud-runtime", "claims-a");
        org.connector("claims-stranger", "lcc-3", "sa-central", "claims-a");
        org.connector("central-borrowed", "lcc-4", "sa-claims-runtime", "claims-a");
        org.connector("claims-operator", "lcc-5", "sa-claims-operator", "claims-a");
        org.connector("central-own", "lcc-6", "sa-central", "central-a");
        let ruling = org.only(
            ID,
            &[
                "central-borrowed",
                "claims-operator",
                "claims-squatted",
                "claims-stranger",
            ],
        );
        let squatted = ruling
            .findings
            .iter()
            .find(|found| found.subject == "claims-squatted")
            .unwrap();
        assert_eq!(squatted.departments.len(), 2, "whose name and whose account");
    }

    // §2.3: "Prefer SERVICE_ACCOUNT: no Kafka secret exists to leak."
    #[test]
    fn a_connector_with_a_key_is_found_by_whose_key_it_is() {
        let mut org = Org::clean();
        let mut with_key = |name: &str, key: &str| {
            org.connector(name, "lcc-1", "", "claims-a");
            org.seen.connectors.last_mut().unwrap().identity = Some(ConnectorIdentity::ApiKey(key.into()));
        };
        with_key("claims-keyed", "KEYCLAIMSOPERATOR");
        with_key("claims-foreign", "KEYFRAUDOPERATOR");
        with_key("claims-masked", "****************");
        with_key("central-keyed", "UNKNOWNKEY");
        let ruling = org.found(ID, &["claims-foreign", "claims-keyed", "claims-masked"]);
        let warnings = ruling
            .findings
            .iter()
            .filter(|found| found.finding.severity == crate::diag::Severity::Warning);
        assert_eq!(
            warnings.map(|found| found.subject.as_str()).collect::<Vec<_>>(),
            ["claims-keyed"]
        );
    }

    #[test]
    fn an_identity_that_is_not_understood_is_unknown() {
        let mut org = Org::clean();
        org.connector("claims-own", "lcc-1", "sa-claims-runtime", "claims-a");
        org.seen.connectors[0].identity = Some(ConnectorIdentity::Other("OAUTH".into()));
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
