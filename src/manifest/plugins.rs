//! Names of fully managed plugins, for "did you mean" only: a plugin that is not listed is unknown here, never wrong.
//!
//! The names are `connector.class` values distilled from confluentinc/connect-migration-utility (Apache-2.0, 2026-06-01);
//! about ten newer plugins are missing there.

use toml::Spanned;

use super::toml::Table;
use crate::{diag::Finding, hint};

const KNOWN: [&str; 104] = [
    "ActiveMQSource",
    "AlloyDbSink",
    "AzureBlobSink",
    "AzureBlobSource",
    "AzureCognitiveSearchSink",
    "AzureDataLakeGen2Sink",
    "AzureEventHubsSource",
    "AzureFunctionsSink",
    "AzureLogAnalyticsSink",
    "AzureServiceBusSource",
    "AzureSqlDwSink",
    "BigQuerySink",
    "BigQueryStorageSink",
    "BigTableSink",
    "ClickHouseSink",
    "CloudWatchLogsSource",
    "CloudWatchMetricsSink",
    "CollibraSink",
    "CosmosDbSink",
    "CosmosDbSinkV2",
    "CosmosDbSource",
    "CosmosDbSourceV2",
    "CouchbaseSink",
    "CouchbaseSource",
    "DatabricksDeltaLakeSink",
    "DatadogMetricsSink",
    "DatagenSource",
    "DataprocSink",
    "DynamoDbCdcSource",
    "DynamoDbSink",
    "ElasticsearchSink",
    "GcsSink",
    "GcsSource",
    "GithubSource",
    "GoogleCloudFunctionsGen2Sink",
    "GoogleCloudFunctionsSink",
    "HttpSink",
    "HttpSinkV2",
    "HttpSource",
    "HttpSourceV2",
    "IbmDb2Source",
    "IbmMQSource",
    "InfluxDB2Sink",
    "InfluxDB2Source",
    "JMSSource",
    "JiraSource",
    "KinesisSource",
    "LambdaSink",
    "MariaDbCdcSource",
    "MicrosoftSqlServerSink",
    "MicrosoftSqlServerSource",
    "MongoDbAtlasSink",
    "MongoDbAtlasSource",
    "MqttSink",
    "MqttSource",
    "MySqlCdcSource",
    "MySqlCdcSourceV2",
    "MySqlSink",
    "MySqlSource",
    "NewRelicMetricsSink",
    "OpenSearchSink",
    "OracleCdcSource",
    "OracleDatabaseSink",
    "OracleDatabaseSource",
    "OracleXStreamSource",
    "PagerDutySink",
    "PineconeSink",
    "PostgresCdcSource",
    "PostgresCdcSourceV2",
    "PostgresSink",
    "PostgresSource",
    "PubSubSource",
    "RabbitMQSink",
    "RabbitMQSource",
    "RedisKafkaSink",
    "RedisKafkaSource",
    "RedisSink",
    "RedshiftSink",
    "S3Source",
    "S3_SINK",
    "SalesforceBulkApiSource",
    "SalesforceBulkApiV2Sink",
    "SalesforceBulkApiV2Source",
    "SalesforceCdcSource",
    "SalesforcePlatformEventSink",
    "SalesforcePlatformEventSource",
    "SalesforcePushTopicSource",
    "SalesforceSObjectSink",
    "ServiceNowSink",
    "ServiceNowSource",
    "ServiceNowSourceV2",
    "SftpSink",
    "SftpSource",
    "SnowflakeSink",
    "SnowflakeSource",
    "SolaceSink",
    "SpannerSink",
    "SplunkSink",
    "SqlServerCdcSource",
    "SqlServerCdcSourceV2",
    "SqsSource",
    "TIBCOSource",
    "TwitterSource",
    "ZendeskSource",
];

/// Checks the `plugins` of a quota; everything here is a warning, because new plugins come every month.
pub(super) fn check(table: &Table<'_>, names: Vec<Spanned<String>>) -> Vec<String> {
    if names.is_empty()
        && let Some(range) = table.key_range("plugins")
    {
        let finding = Finding::warning("plugins-empty", "an empty list of plugins allows none");
        table.report(range, finding.fix("Write `plugins = [\"*\"]` to allow all of them."));
    }
    let mut checked: Vec<String> = Vec::new();
    for name in names {
        if let Some(finding) = odd(name.get_ref()) {
            table.report(name.span(), finding);
        }
        if checked.contains(name.get_ref()) {
            let message = format!("plugin `{}` stands here twice", name.get_ref());
            table.report(name.span(), Finding::warning("duplicate-value", message));
        } else {
            checked.push(name.into_inner());
        }
    }
    checked
}

/// What is odd about `name` as a plugin.
fn odd(name: &str) -> Option<Finding> {
    if name == "*" || KNOWN.contains(&name) {
        return None;
    }
    let warning = |message| Finding::warning("plugin-unknown", message);
    if name.contains('.') {
        let message = format!("`{}` looks like a Java class", name.escape_debug());
        let fix = "Managed plugins have ids of their own (`S3_SINK`); `confluent connect plugin list` shows them.";
        return Some(warning(message).fix(fix));
    }
    if name.contains('*') {
        let message = format!(
            "`{}` is taken literally: only `*` alone stands for all plugins",
            name.escape_debug()
        );
        return Some(warning(message));
    }
    let finding = warning(format!("plugin `{}` is not known here", name.escape_debug()));
    Some(match hint::nearest(name, KNOWN) {
        Some(near) => finding.fix(format!("Did you mean `{near}`?")),
        None => finding.fix("Compare it with `confluent connect plugin list`; a new plugin may well be right."),
    })
}
