//! `privileged-connector`: an unowned connector that runs under a privileged account.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, privileged::Privilege, visibility::RequiredData},
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "privileged-connector",
    threat: "T8",
    severity: Severity::Error,
    summary: "an unowned connector under an account with access to all departments",
    why: "A connector can access every topic that its account can access. Under the provisioner or an \
          administrator, these are the topics of all departments, and no prefix shows who is responsible for \
          it.",
    evidence: "A connector whose name has the prefix of no department, and which runs as the provisioner, as a \
               principal under `administrators` in `ebs.toml`, or as a principal that holds a role with access to \
               data on the organization, the environment or the cluster. Connectors with the prefix of a \
               department are reported by `connector-identity`. If the owner of the API key of a connector is not \
               visible, the verdict is unknown.",
    remedy: "Platform team: find out who created the connector. Have it recreated under an account of its own, \
             and check the topics that it used.",
    needs: &[RequiredData::Accounts, RequiredData::Connectors, RequiredData::Cluster],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for connector in &context.observed.connectors {
        if context.owner(&connector.name).is_some() {
            continue;
        }
        let Some(id) = context.identity_of(connector) else {
            let reason = match &connector.identity {
                None => "the configuration is not readable",
                Some(_) => "the configuration names no service account or API key that is visible",
            };
            report.unknown(format!("account of connector `{}`", connector.name), reason);
            continue;
        };
        let Some(privileged) = context.find_privileged(&id) else {
            continue;
        };
        if privileged.privilege == Privilege::Adopted {
            continue;
        }
        let message = format!(
            "connector `{}` belongs to no department and runs as {}, {}",
            connector.name,
            context.display_name(&privileged.principal),
            privileged.privilege.description()
        );
        let found = report.error(&connector.name, message);
        found.connector(connector).principal(&privileged.principal).fix(
            "Find out who created it, and have it recreated under an account of its own. Delete it if nobody needs it.",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        access::audit::{AuditVerdict, fixture::Org},
        model::ConnectorIdentity,
    };

    const ID: &str = super::RULE.id;

    // T8: the roles of the provisioner and of administrators open every topic.
    #[test]
    fn an_unowned_connector_of_a_privileged_principal_is_found() {
        let mut org = Org::clean();
        org.connector("export-all", "lcc-1", "sa-provisioner", "anything");
        org.connector("central-own", "lcc-2", "sa-central", "anything");
        org.bind("sa-robot", "OrganizationAdmin", "$O");
        org.administrators.insert("sa-robot".into());
        org.connector("nightly", "lcc-3", "sa-robot", "anything");
        org.connector("users", "lcc-4", "", "anything");
        org.observed.connectors.last_mut().unwrap().identity = Some(ConnectorIdentity::ApiKey("ADMINKEY".into()));
        org.key("ADMINKEY", "u-admin", "cloud", 1);
        org.assert_only_findings(ID, &["export-all", "nightly", "users"]);
        org.bind("sa-central", "CloudClusterAdmin", "$C");
        org.assert_findings(ID, &["central-own", "export-all", "nightly", "users"]);
    }

    #[test]
    fn an_account_that_is_not_visible_is_unknown() {
        for identity in [None, Some(ConnectorIdentity::ApiKey("****************".into()))] {
            let mut org = Org::clean();
            org.connector("export-all", "lcc-1", "", "anything");
            org.observed.connectors[0].identity = identity;
            assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
        }
    }
}
