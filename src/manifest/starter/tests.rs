//! Tests that parse and lint the starter of every plugin.

use std::path::Path;

use super::*;
use crate::{
    catalog::{
        LintDepartment, LintOptions, PluginSchema, catalog, lint,
        starter::{proposed_name, starter},
    },
    diag::{Finding, Severity, SourceFile},
    manifest::connector_file,
    model::{ConnectorNamePattern, Prefix, UNNAMED_PLATFORM_TEAM},
};

fn claims() -> (Prefix, DepartmentQuota) {
    let quota = DepartmentQuota {
        connectors: 12,
        tasks: 20,
        tasks_per_connector: 4,
        plugins: vec!["*".into()],
        throughput: None,
    };
    (Prefix::parse("claims-").unwrap(), quota)
}

/// Returns a starter for a plugin with its text, and the lint findings of the text.
fn lint_starter(
    plugin: &PluginSchema,
    tenant: bool,
    ending: &str,
    text: impl Fn(&Starter, &str) -> String,
) -> Vec<Finding> {
    let (prefix, quota) = claims();
    let prefix = tenant.then_some(&prefix);
    let name = proposed_name(plugin, prefix);
    let file = format!("{name}.{ending}");
    let text = text(&starter(plugin, &name, prefix), &file);
    let read = connector_file::parse(&SourceFile::new(Path::new(&file), text.clone()));
    let read = read.unwrap_or_else(|findings| panic!("{}: {findings:?}\n{text}", plugin.class));
    let connector_names = ConnectorNamePattern::default();
    let context = LintOptions {
        department: prefix.map(|prefix| LintDepartment {
            prefix,
            runtime_account: None,
            quota: &quota,
            connector_names: &connector_names,
            platform_team: &UNNAMED_PLATFORM_TEAM,
        }),
        ..LintOptions::default()
    };
    lint(&read, &context).findings
}

fn messages(findings: &[Finding]) -> Vec<String> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect()
}

#[test]
fn every_starter_parses_and_lacks_only_its_placeholders() {
    for plugin in catalog().plugins() {
        for tenant in [false, true] {
            let (prefix, quota) = claims();
            let name = proposed_name(plugin, tenant.then_some(&prefix));
            let starter = starter(plugin, &name, tenant.then_some(&prefix));
            let wanted: Vec<String> = starter
                .placeholders()
                .map(|key| format!("placeholder: `{}` is a placeholder", key.key))
                .collect();
            let quota = tenant.then_some(&quota);
            let as_yaml = lint_starter(plugin, tenant, "yaml", |starter, file| {
                render_yaml(starter, file, quota)
            });
            assert_eq!(messages(&as_yaml), wanted, "{}", plugin.class);
            let as_json = lint_starter(plugin, tenant, "json", |starter, _| render_json(starter));
            assert_eq!(messages(&as_json), wanted, "{}", plugin.class);
            // It has no warnings either.
            assert_eq!(as_yaml.len(), wanted.len(), "{}: {as_yaml:?}", plugin.class);
        }
    }
}

/// Returns a valid value for the key.
fn fill_placeholders(plugin: &PluginSchema, text: &str) -> String {
    let lines = text.lines().map(|line| {
        let key = line.trim_start_matches('#').split(':').next().unwrap_or_default();
        let fits = plugin.keys.get(key).map_or("x", |fact| match fact.allowed.first() {
            Some(allowed) => allowed,
            None if fact.value_type == crate::catalog::ValueType::String => "x",
            None if fact.value_type == crate::catalog::ValueType::Boolean => "true",
            None => "1",
        });
        line.replace(FILL_IN, fits)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_completed_starter_has_no_lint_errors() {
    for plugin in catalog().plugins() {
        let text = |starter: &Starter, file: &str| fill_placeholders(plugin, &render_yaml(starter, file, None));
        assert_eq!(
            messages(&lint_starter(plugin, true, "yaml", text)),
            [""; 0],
            "{}",
            plugin.class
        );
    }
}

#[test]
fn optional_keys_of_a_starter_are_valid() {
    let mut tried = 0;
    for plugin in catalog().plugins() {
        let options = starter(plugin, "x", None).keys;
        for option in options.iter().filter(|key| key.section == StarterSection::Optional) {
            let text = |starter: &Starter, file: &str| {
                let text = render_yaml(starter, file, None);
                let off = format!("\n#{}: ", option.key);
                assert!(text.contains(&off), "{}: {text}", plugin.class);
                fill_placeholders(plugin, &text.replace(&off, &format!("\n{}: ", option.key)))
            };
            let findings = lint_starter(plugin, true, "yaml", text);
            // The file already contains one of two alternatives, and this is the other one.
            let errors = messages(&findings);
            let errors: Vec<_> = errors.iter().filter(|error| !error.starts_with("one-of")).collect();
            assert_eq!(errors, [""; 0], "{} {}", plugin.class, option.key);
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
}

// Source: docs/reference/connect.md#plugin-definitions. The keys of working configurations.
#[test]
fn starters_contain_the_keys_of_working_configurations() {
    let cases = [
        "DatagenSource kafka.topic quickstart output.data.format max.interval",
        "S3_SINK topics input.data.format output.data.format authentication.method provider.integration.id \
            s3.bucket.name time.interval flush.size",
        "AzureBlobSink topics azblob.account.name azblob.account.key azblob.container.name input.data.format \
            output.data.format time.interval flush.size",
        "PostgresCdcSourceV2 database.hostname database.port database.user database.password database.dbname \
            topic.prefix table.include.list slot.name output.data.format",
        "MySqlCdcSourceV2 database.hostname database.port database.user database.password topic.prefix \
            table.include.list output.data.format",
        "SqlServerCdcSourceV2 database.hostname database.port database.user database.password database.names \
            topic.prefix table.include.list output.data.format",
        "PostgresSource connection.host connection.port connection.user connection.password db.name mode \
            timestamp.column.name incrementing.column.name topic.prefix output.data.format",
        "PostgresSink topics input.data.format connection.host connection.port connection.user \
            connection.password db.name insert.mode pk.mode pk.fields auto.create auto.evolve",
        "OracleCdcSource oracle.server oracle.sid oracle.username oracle.password table.inclusion.regex \
            start.from redo.log.topic.name table.topic.name.template numeric.mapping",
        "MongoDbAtlasSink topics input.data.format connection.host connection.user connection.password \
            database",
        "HttpSink topics input.data.format http.api.url request.body.format auth.type connection.user \
            connection.password behavior.on.error",
        "HttpSinkV2 topics input.data.format http.api.base.url apis.num api1.http.api.path api1.topics \
            auth.type connection.user connection.password behavior.on.error",
        "SnowflakeSink topics input.data.format snowflake.url.name snowflake.user.name snowflake.private.key \
            snowflake.database.name snowflake.schema.name snowflake.role.name snowflake.ingestion.method",
        "BigQueryStorageSink topics input.data.format keyfile project datasets ingestion.mode sanitize.topics",
        "ElasticsearchSink topics input.data.format connection.url connection.username connection.password \
            key.ignore",
    ];
    for case in cases {
        let mut words = case.split_whitespace();
        let class = words.next().unwrap();
        let starter = starter(catalog().plugin(class).unwrap(), "x", None);
        for key in words {
            assert!(starter.active().any(|active| active.key == key), "{class} {key}");
        }
    }
}

#[test]
fn a_starter_renders_as_expected() {
    let (prefix, quota) = claims();
    let plugin = catalog().plugin("DatagenSource").unwrap();
    let name = proposed_name(plugin, Some(&prefix));
    let starter = starter(plugin, &name, Some(&prefix));
    insta::assert_snapshot!(render_yaml(&starter, "claims-datagen-source.yaml", Some(&quota)), @r#"
    # A connector of plugin DatagenSource, a source: it writes to Kafka.
    #
    # 1. Replace every <fill in>.
    # 2. Check it:  confluent ebs connector lint claims-datagen-source.yaml
    # 3. Create it: confluent ebs connector create --config-file claims-datagen-source.yaml
    #
    # The keys are those of June 2026. Current keys:
    # confluent ebs connector plugin describe DatagenSource

    name: "claims-datagen-source"
    connector.class: "DatagenSource"

    # Kafka topics.

    kafka.topic: "claims-<fill in>"

    # Common keys.

    # An integer; default: 1000
    max.interval: "1000"

    # One of: AVRO, JSON_SR, PROTOBUF, JSON; default: JSON
    output.data.format: "JSON"

    # One of: CLICKSTREAM_CODES, CLICKSTREAM, CLICKSTREAM_USERS, ORDERS, RATINGS, USERS, USERS_ARRAY,
    # PAGEVIEWS, STOCK_TRADES, INVENTORY, PRODUCT, PURCHASES, …
    quickstart: "USERS"

    # Maximum number of tasks; each counts against the quota (at most 4 for one connector).
    tasks.max: "1"

    # The runtime account is omitted on purpose. `create` fills in the department's account
    # (kafka.auth.mode, kafka.service.account.id), so that no Kafka key is needed.
    "#);
    insta::assert_snapshot!(render_json(&starter), @r#"
    {
      "name": "claims-datagen-source",
      "config": {
        "connector.class": "DatagenSource",
        "name": "claims-datagen-source",
        "kafka.topic": "claims-<fill in>",
        "max.interval": "1000",
        "output.data.format": "JSON",
        "quickstart": "USERS",
        "tasks.max": "1"
      }
    }
    "#);
}

#[test]
fn a_connector_name_is_derived_from_its_plugin() {
    let name = |class| proposed_name(catalog().plugin(class).unwrap(), None);
    assert_eq!(name("S3_SINK"), "s3-sink");
    assert_eq!(name("PostgresCdcSourceV2"), "postgres-cdc-source-v2");
    assert_eq!(name("IbmMQSource"), "ibm-mqsource");
}

// Source: docs.confluent.io, S3 sink: a format with a schema needs records with a schema; `JSON` has none.
#[test]
fn formats_of_a_starter_fit_each_other() {
    for plugin in catalog().plugins() {
        let starter = starter(plugin, "x", None);
        let value = |key: &str| {
            let mut active = starter.active();
            active
                .find(|active| active.key == key)
                .map(|active| active.value.as_str())
        };
        let (Some(input), Some(output)) = (value("input.data.format"), value("output.data.format")) else {
            continue;
        };
        let has_schema = |format: &str| ["AVRO", "JSON_SR", "PARQUET", "PROTOBUF"].contains(&format);
        assert!(
            !has_schema(output) || has_schema(input),
            "{}: {input} to {output}",
            plugin.class
        );
    }
}
