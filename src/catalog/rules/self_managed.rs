//! `self-managed`: a configuration for somebody's own Connect workers.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings, list_quoted, quote},
        schema::Catalog,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "self-managed",
    severity: Severity::Error,
    summary: "a Java class instead of a managed plugin",
    explanation: "Self-managed Connect names the Java class of a connector; the managed service names its plugins by \
                  ids of its own, with other keys (terraform-provider-confluent issue 53, \
                  docs/reference/connect.md#plugin-definitions).",
    applies_to_self_managed: true,
    check,
};

/// Managed plugins that the embedded facts lack, or that stand for a class under another name; by Java class, the newest
/// first. Plugin ids: definitions captured in vdesabou/kafka-docker-playground (MIT, 2026-08-22), ccloud/fm-*.
const ALSO: [(&str, &[&str]); 13] = [
    (
        "com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector",
        &["SnowflakeSink"],
    ),
    (
        "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
        &["ElasticsearchSinkV2"],
    ),
    ("io.confluent.connect.jms.IbmMqSinkConnector", &["IbmMqSink"]),
    ("io.confluent.connect.sftp.SftpCsvSourceConnector", &["SftpSource"]),
    ("io.confluent.connect.sftp.SftpJsonSourceConnector", &["SftpSource"]),
    (
        "io.confluent.connect.sftp.SftpSchemaLessJsonSourceConnector",
        &["SftpSource"],
    ),
    ("io.confluent.connect.solace.SolaceSourceConnector", &["SolaceSource"]),
    ("io.debezium.connector.mariadb.MariaDbConnector", &["MariaDbCdcSource"]),
    ("io.debezium.connector.mongodb.MongoDbConnector", &["MongoDbCdcSource"]),
    ("io.debezium.connector.mysql.MySqlConnector", &["MySqlCdcSourceV2"]),
    (
        "io.debezium.connector.oracle.OracleConnector",
        &["OracleXStreamSource", "OracleCdcSource"],
    ),
    (
        "io.debezium.connector.postgresql.PostgresConnector",
        &["PostgresCdcSourceV2"],
    ),
    (
        "io.debezium.connector.sqlserver.SqlServerConnector",
        &["SqlServerCdcSourceV2"],
    ),
];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(entry) = input.file.entry("connector.class") else {
        return;
    };
    if !is_self_managed(input) {
        return;
    }
    let managed = managed_for(input.catalog, &entry.value);
    let message = format!(
        "{} is a class for self-managed Connect, not a managed plugin",
        quote(&entry.value)
    );
    let fix = match &managed[..] {
        [] => "No managed plugin is known for it here; `confluent connect plugin list` shows what there is.".to_owned(),
        [one] => format!("The managed plugin is `{one}`. Its keys differ: begin with `connector plugin new {one}`."),
        several => format!(
            "The managed plugins for it are {}. Their keys differ: begin with `connector plugin new`.",
            list_quoted(several.iter().copied())
        ),
    };
    findings.error(&entry.value_span, message, fix);
}

/// Whether the file names a Java class. Custom connectors name one too, and say what they are
/// (docs/reference/connect.md#custom-connectors).
pub(in crate::catalog) fn is_self_managed(input: &LintInput<'_>) -> bool {
    let Some(class) = input.file.class() else {
        return false;
    };
    let custom = input.file.value("confluent.connector.type") == Some("CUSTOM")
        || input.file.entry("confluent.custom.plugin.id").is_some();
    input.plugin.is_none() && !custom && (class.contains('.') || !simple_name(input.catalog, class).is_empty())
}

/// The managed plugins for a Java class, the newest first.
#[must_use]
pub fn managed_for<'a>(catalog: &'a Catalog, class: &str) -> Vec<&'a str> {
    let mut managed: Vec<&str> = ALSO
        .iter()
        .filter(|(implementation, _)| *implementation == class)
        .flat_map(|(_, plugins)| plugins.iter().copied())
        .collect();
    managed.extend(catalog.managed_for(class).map(|plugin| plugin.class));
    if managed.is_empty() {
        managed = simple_name(catalog, class.rsplit('.').next().unwrap_or(class));
    }
    let mut unique = Vec::new();
    for plugin in managed {
        if !unique.contains(&plugin) {
            unique.push(plugin);
        }
    }
    unique
}

/// The plugins whose class has that simple name, by which Connect takes it, too (`S3SinkConnector`).
fn simple_name<'a>(catalog: &'a Catalog, class: &str) -> Vec<&'a str> {
    let simple = |implementation: &'a str| implementation.rsplit('.').next().unwrap_or(implementation);
    catalog
        .plugins()
        .filter(|plugin| simple(plugin.implementation) == class)
        .map(|plugin| plugin.class)
        .collect()
}
