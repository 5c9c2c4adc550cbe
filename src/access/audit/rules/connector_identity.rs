//! `connector-identity`: a connector that runs under a foreign account.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, principal_class::PrincipalClass, visibility::RequiredData},
    diag::Severity,
    model::{ConnectorIdentity, ObservedConnector, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "connector-identity",
    threat: "T8",
    severity: Severity::Error,
    summary: "a connector name and account of different departments",
    why: "The name of a connector determines who may view and change it, its account determines which topics it can \
          access. If they belong to different departments, one department uses the access of another or occupies a \
          foreign name: connector names are unique in a cluster, and a principal with wider grants can take a name \
          first.",
    evidence: "A connector with a department's prefix that does not run under that department's runtime account, or \
               that runs with an API key; a connector with another name that runs under a department's account. \
               Unowned connectors are ignored.",
    remedy: "Platform team: find out who created it, and have it recreated under the right account or name.",
    needs: &[RequiredData::Accounts, RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for connector in &context.observed.connectors {
        let Some(identity) = &connector.identity else {
            report.unknown(
                format!("configuration of connector `{}`", connector.name),
                "the configuration is not readable",
            );
            continue;
        };
        if let ConnectorIdentity::Other(mode) = identity {
            let what = format!("account of connector `{}`", connector.name);
            report.unknown(what, format!("`kafka.auth.mode` is `{mode}`"));
            continue;
        }
        if let Some((severity, message)) = evaluate(context, connector, identity) {
            let found = match severity {
                Severity::Warning => report.warning(&connector.name, message),
                _ => report.error(&connector.name, message),
            };
            found.connector(connector).fix(
                "Find out who created it, and have it recreated under the department's own runtime account or under a name with its own prefix.",
            );
            if let Some(owner) = context.owner(&connector.name) {
                found.concerning(&owner.department.code);
            }
            if let Some(PrincipalClass::DepartmentAccount(member)) = context.runs_as(connector) {
                found
                    .concerning(&member.department.department.code)
                    .account(member.account);
            }
        }
    }
}

fn evaluate(
    context: &AuditContext<'_>,
    connector: &ObservedConnector,
    identity: &ConnectorIdentity,
) -> Option<(Severity, String)> {
    let name = &connector.name;
    let runs_as = match identity {
        ConnectorIdentity::ServiceAccount(id) => context.display_name(&Principal::from_id(id)),
        ConnectorIdentity::ApiKey(key) => match context.key_owner(key) {
            Some(owner) => format!("API key `{key}` of {}", context.display_name(owner)),
            None => "an API key".to_owned(),
        },
        ConnectorIdentity::Other(_) => return None,
    };
    let key = matches!(identity, ConnectorIdentity::ApiKey(_));
    match (context.owner(name), context.runs_as(connector)) {
        // Connectors of a retired department are reported by `retired-prefix`.
        (Some(owner), _) if owner.is_retired() => None,
        (Some(owner), Some(PrincipalClass::DepartmentAccount(member))) if member.belongs_to(owner) => {
            let meant = member.is_runtime() && !key;
            let message = format!("connector `{name}` runs as {runs_as} instead of the runtime account");
            (!meant).then_some((Severity::Warning, message))
        }
        (Some(owner), _) => {
            let message = format!(
                "connector `{name}` has the prefix of department `{}` but runs as {runs_as}",
                owner.department.code
            );
            Some((Severity::Error, message))
        }
        (None, Some(PrincipalClass::DepartmentAccount(member))) => {
            let department = &member.department.department;
            let message = format!(
                "connector `{name}` runs as {runs_as} of department `{}`, but its name does not begin with `{}`",
                department.code, department.prefix
            );
            Some((Severity::Error, message))
        }
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, model::ConnectorIdentity};

    const ID: &str = super::RULE.id;

    // T8: the name's prefix and the owner of `kafka.service.account.id` differ.
    #[test]
    fn a_connector_name_and_account_of_different_departments_are_found() {
        let mut org = Org::clean();
        org.connector("claims-own", "lcc-1", "sa-claims-runtime", "claims-a");
        org.connector("claims-squatted", "lcc-2", "sa-fraud-runtime", "claims-a");
        org.connector("claims-unowned", "lcc-3", "sa-central", "claims-a");
        org.connector("central-borrowed", "lcc-4", "sa-claims-runtime", "claims-a");
        org.connector("claims-operator", "lcc-5", "sa-claims-operator", "claims-a");
        org.connector("central-own", "lcc-6", "sa-central", "central-a");
        let result = org.assert_only_findings(
            ID,
            &[
                "central-borrowed",
                "claims-operator",
                "claims-squatted",
                "claims-unowned",
            ],
        );
        let squatted = result
            .findings
            .iter()
            .find(|found| found.subject == "claims-squatted")
            .unwrap();
        assert_eq!(squatted.departments.len(), 2, "whose name and whose account");
    }

    // With SERVICE_ACCOUNT no Kafka secret exists that could leak (docs/reference/connect.md#kafka-identity).
    #[test]
    fn a_connector_with_an_api_key_is_rated_by_the_owner_of_the_key() {
        let mut org = Org::clean();
        let mut with_key = |name: &str, key: &str| {
            org.connector(name, "lcc-1", "", "claims-a");
            org.observed.connectors.last_mut().unwrap().identity = Some(ConnectorIdentity::ApiKey(key.into()));
        };
        with_key("claims-keyed", "KEYCLAIMSOPERATOR");
        with_key("claims-foreign", "KEYFRAUDOPERATOR");
        with_key("claims-masked", "****************");
        with_key("central-keyed", "UNKNOWNKEY");
        let result = org.assert_findings(ID, &["claims-foreign", "claims-keyed", "claims-masked"]);
        let warnings = result
            .findings
            .iter()
            .filter(|found| found.finding.severity == crate::diag::Severity::Warning);
        assert_eq!(
            warnings.map(|found| found.subject.as_str()).collect::<Vec<_>>(),
            ["claims-keyed"]
        );
    }

    #[test]
    fn an_unknown_identity_makes_the_rule_unknown() {
        let mut org = Org::clean();
        org.connector("claims-own", "lcc-1", "sa-claims-runtime", "claims-a");
        org.observed.connectors[0].identity = Some(ConnectorIdentity::Other("OAUTH".into()));
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
