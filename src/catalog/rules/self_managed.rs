//! Rule `self-managed`: a configuration for self-managed Connect workers.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, list_quoted, quote},
        schema::Catalog,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "self-managed",
    severity: Severity::Error,
    summary: "a Java class instead of a managed plugin",
    explanation: "Self-managed Connect identifies a connector by its Java class. The managed service has its own \
                  plugin ids and configuration keys (terraform-provider-confluent issue 53, \
                  docs/reference/connect.md#plugin-definitions).",
    applies_to_self_managed: true,
    check,
};

/// Managed plugins that the catalog lacks, or that correspond to a class with another name; by Java class, the newest
/// first. Source of the ids: definitions captured in vdesabou/kafka-docker-playground (MIT, 2026-08-22), ccloud/fm-*.
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
        "{} is a class of self-managed Connect, not a managed plugin",
        quote(&entry.value)
    );
    let fix = match &managed[..] {
        [] => "The catalog has no managed plugin for it; list the available ones with `confluent connect plugin list`."
            .to_owned(),
        [one] => format!(
            "Use the managed plugin `{one}`. Its keys differ: start with `confluent ebs connector plugin new {one}`."
        ),
        several => format!(
            "Use a managed plugin: {}. Their keys differ: start with `confluent ebs connector plugin new`.",
            list_quoted(several.iter().copied())
        ),
    };
    findings.error(&entry.value_span, message, fix);
}

/// Returns whether the file names a Java class and is not marked as a custom connector
/// (docs/reference/connect.md#custom-connectors).
pub(in crate::catalog) fn is_self_managed(input: &LintInput<'_>) -> bool {
    let Some(class) = input.file.class() else {
        return false;
    };
    let custom = input.file.value("confluent.connector.type") == Some("CUSTOM")
        || input.file.entry("confluent.custom.plugin.id").is_some();
    input.plugin.is_none() && !custom && (class.contains('.') || !simple_name(input.catalog, class).is_empty())
}

/// Returns the managed plugins for a Java class, the newest first.
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

/// Returns whether `class` is a managed plugin that the catalog lacks.
pub(super) fn is_known_elsewhere(class: &str) -> bool {
    ALSO.iter().any(|(_, plugins)| plugins.contains(&class))
}

/// Returns the plugins whose class has this simple name, which Connect accepts, too (`S3SinkConnector`).
fn simple_name<'a>(catalog: &'a Catalog, class: &str) -> Vec<&'a str> {
    let simple = |implementation: &'a str| implementation.rsplit('.').next().unwrap_or(implementation);
    catalog
        .plugins()
        .filter(|plugin| simple(plugin.implementation) == class)
        .map(|plugin| plugin.class)
        .collect()
}
