//! Every key of the platform and department files that limits something is checked by an audit. Commands check the
//! limits, but a client with the key of a department can pass them by.

use std::collections::BTreeSet;

use super::{PLATFORM, load};
use crate::access::audit::rules;

/// Where a breach of a key is found.
#[derive(Clone, Copy, Debug)]
enum Detection {
    /// Rule of `access audit`.
    AccessAudit(&'static str),
    /// `quota audit`, as a department over quota or a cluster over its ceiling.
    QuotaAudit,
    /// Nothing in the organization can breach it, for this reason.
    NoLimit(&'static str),
}

use Detection::{AccessAudit, NoLimit, QuotaAudit};

const TABLE: Detection = NoLimit("a table; its keys are listed");

const PLATFORM_KEYS: &[(&str, Detection)] = &[
    ("default_stage", NoLimit("selects what commands act on")),
    ("provisioner", AccessAudit("unnamed-administrator")),
    ("provisioner_keys", AccessAudit("unrecorded-key")),
    ("administrators", AccessAudit("unnamed-administrator")),
    ("adopt", AccessAudit("impersonating-account")),
    ("organization", TABLE),
    (
        "organization.id",
        NoLimit("another organization is refused before it is read"),
    ),
    ("stages", TABLE),
    ("stages.prod.environment", NoLimit("address")),
    ("stages.prod.cluster", NoLimit("address")),
    ("stages.prod.schema_registry", NoLimit("address")),
    ("stages.prod.task_ceiling", QuotaAudit),
    ("stages.prod.reserve_percent", QuotaAudit),
    ("platform", NoLimit("names the team that departments ask")),
    ("naming", TABLE),
    (
        "naming.minimum_length",
        NoLimit("limits the files, which `department validate` checks"),
    ),
    (
        "naming.reserved",
        NoLimit("limits the files, which `department validate` checks"),
    ),
    (
        "naming.connector",
        NoLimit("a convention of names inside a prefix, no boundary"),
    ),
    ("defaults", TABLE),
    ("defaults.template", AccessAudit("template-drift")),
    ("defaults.quota", TABLE),
    ("defaults.quota.connectors", QuotaAudit),
    ("defaults.quota.tasks", QuotaAudit),
    ("defaults.quota.tasks_per_connector", QuotaAudit),
    ("defaults.quota.plugins", AccessAudit("plugin-not-allowed")),
    ("defaults.quota.throughput", AccessAudit("client-quota")),
    (
        "gitops",
        NoLimit("what the forge approves leaves no trace in the organization"),
    ),
    ("lint", NoLimit("disables rules about files, each with its reason")),
];

const DEPARTMENT_KEYS: &[(&str, Detection)] = &[
    ("name", NoLimit("display name")),
    ("prefix", AccessAudit("connector-topic")),
    ("template", AccessAudit("template-drift")),
    ("cost_center", NoLimit("information")),
    ("contacts", NoLimit("information")),
    (
        "owners",
        NoLimit("who reviews files leaves no trace in the organization"),
    ),
    (
        "recipients",
        NoLimit("who can decrypt profiles leaves no trace in the organization"),
    ),
    ("retired", AccessAudit("retired-prefix")),
    ("stages", AccessAudit("template-drift")),
    ("quota.stages", TABLE),
    ("quota", TABLE),
    ("quota.connectors", QuotaAudit),
    ("quota.tasks", QuotaAudit),
    ("quota.tasks_per_connector", QuotaAudit),
    ("quota.plugins", AccessAudit("plugin-not-allowed")),
    ("quota.throughput", AccessAudit("client-quota")),
    ("lint", NoLimit("disables rules about files, each with its reason")),
];

/// Returns the keys that the reader knows below `table`, from its finding about the key `unknown` there.
fn known_keys(findings: &[crate::diag::Finding], unknown: &str, table: &str) -> Vec<String> {
    let message = format!("unknown key `{table}{unknown}`");
    let finding = findings.iter().find(|finding| finding.message == message);
    let fix = finding.and_then(|finding| finding.fix.clone());
    let list = fix.unwrap_or_else(|| panic!("no finding `{message}` in {findings:#?}"));
    let keys = list.split('`').skip(1).step_by(2);
    keys.map(|key| format!("{table}{key}")).collect()
}

fn check(keys: impl IntoIterator<Item = String>, table: &[(&str, Detection)]) {
    let keys: BTreeSet<String> = keys.into_iter().collect();
    let listed: BTreeSet<String> = table.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(
        keys, listed,
        "a key without a rule that finds its breach, or without a reason"
    );
    for (key, detection) in table {
        match detection {
            AccessAudit(rule) => assert!(rules::find(rule).is_some(), "`{key}`: no rule `{rule}`"),
            NoLimit(reason) => assert!(!reason.is_empty(), "{key}"),
            QuotaAudit => {}
        }
    }
}

#[test]
fn every_key_of_the_platform_file_has_an_audit_rule_or_a_reason() {
    let unknown = [
        "zz-root",
        "zz-organization",
        "zz-stage",
        "zz-naming",
        "zz-defaults",
        "zz-quota",
    ];
    let text = format!(
        "{} = 1\n{PLATFORM}{} = 1\n[organization]\n{} = 1\n[naming]\n{} = 1\n[defaults]\n{} = 1\n[defaults.quota]\n{} = 1\n",
        unknown[0], unknown[2], unknown[1], unknown[3], unknown[4], unknown[5]
    );
    let findings = load(&text, &[], &[]).findings;
    let tables = [
        "",
        "organization.",
        "stages.prod.",
        "naming.",
        "defaults.",
        "defaults.quota.",
    ];
    let keys = unknown.iter().zip(tables);
    check(
        keys.flat_map(|(unknown, table)| known_keys(&findings, unknown, table)),
        PLATFORM_KEYS,
    );
}

#[test]
fn every_key_of_a_department_file_has_an_audit_rule_or_a_reason() {
    let text = "name = \"Claims\"\nprefix = \"claims-\"\nzz-root = 1\n[quota]\nzz-quota = 1\n";
    let findings = load(PLATFORM, &[("claims", text)], &[]).findings;
    let mut keys = known_keys(&findings, "zz-root", "");
    keys.extend(known_keys(&findings, "zz-quota", "quota."));
    check(keys, DEPARTMENT_KEYS);
}
