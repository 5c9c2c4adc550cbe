//! `plugin-not-allowed`: a connector whose plugin the department may not use.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, visibility::RequiredData},
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "plugin-not-allowed",
    threat: "T6",
    severity: Severity::Error,
    summary: "a connector of a plugin that the department's file does not allow",
    why: "The list of plugins decides to which systems a department may send data. The commands of a \
          department check it, but every client with the key of its deployer can create any connector, so \
          only an audit detects the rest.",
    evidence: "A connector of a department, by its name or else by its account, whose `connector.class` is not in \
               `quota.plugins` of the department or of the defaults. Connectors of retired departments are \
               reported by `retired-prefix`.",
    remedy: "Platform team: allow the plugin in the file of the department, or have the connector deleted and \
             check where its data went.",
    needs: &[RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for connector in &context.observed.connectors {
        let Some(expected) = context
            .department_of(connector)
            .filter(|expected| !expected.is_retired())
        else {
            continue;
        };
        let department = &expected.department;
        if connector.class.is_empty() {
            report.unknown(
                format!("plugin of connector `{}`", connector.name),
                "the configuration is not readable",
            );
        } else if !department.quota.allows_plugin(&connector.class) {
            let message = format!(
                "connector `{}` uses plugin `{}`, which department `{}` may not use",
                connector.name, connector.class, department.code
            );
            let found = report.error(&connector.name, message);
            found.concerning(&department.code).connector(connector).fix(format!(
                "Add `{}` to `plugins` in the department's file, or have the connector deleted and check where its data went.",
                connector.class
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{AuditVerdict, fixture::Org};

    const ID: &str = super::RULE.id;

    #[test]
    fn a_plugin_that_the_department_may_not_use_is_found() {
        let mut org = Org::clean();
        org.allow_plugins("claims", &["PostgresSource"]);
        org.connector("claims-export", "lcc-1", "sa-claims-runtime", "claims-a");
        org.connector("fraud-export", "lcc-2", "sa-fraud-runtime", "fraud-a");
        org.connector("legacy-export", "lcc-3", "sa-central", "legacy-a");
        org.assert_findings(ID, &["claims-export"]);
        org.allow_plugins("claims", &["PostgresSource", "S3_SINK"]);
        org.assert_findings(ID, &[]);
        // By its account, if the name shows no department.
        org.allow_plugins("claims", &[]);
        org.connector("export", "lcc-4", "sa-claims-runtime", "claims-a");
        org.assert_findings(ID, &["claims-export", "export"]);
    }

    #[test]
    fn an_unreadable_configuration_is_unknown() {
        let mut org = Org::clean();
        org.connector("claims-export", "lcc-1", "sa-claims-runtime", "claims-a");
        org.observed.connectors[0].class.clear();
        assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
    }
}
