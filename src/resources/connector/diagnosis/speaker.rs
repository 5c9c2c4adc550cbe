//! Who said a message: it decides whose credentials, names and limits the message is about.

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Target of an HTTP sink or source.
    HttpTarget,
    /// Schema Registry.
    SchemaRegistry,
    /// API of Confluent Cloud, or a client of it such as Terraform.
    ControlPlane,
    /// Kafka, as seen by the connector's own clients.
    Kafka,
    /// Database, storage or other service behind the connector, or the plugin's client for it.
    ExternalSystem,
    /// The message does not say.
    Unattributed,
}

impl Speaker {
    /// Returns the name for display.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::HttpTarget => "the target of an HTTP connector",
            Self::SchemaRegistry => "the Schema Registry",
            Self::ControlPlane => "the API of Confluent Cloud",
            Self::Kafka => "Kafka",
            Self::ExternalSystem => "the external system",
            Self::Unattributed => "nobody that the message names",
        }
    }
}

const HTTP_TARGET: &[&str] = &[
    "error while processing http request",
    "error processing http request",
    "http request failed",
    "httpsink",
];

const SCHEMA_REGISTRY: &[&str] = &[
    "schemaregistry",
    "schema registry",
    "restclientexception",
    "failed to access avro",
    "failed to access json",
    "failed to access protobuf",
    "fetching schema",
    "retrieving avro",
    "retrieving json",
    "retrieving protobuf",
    "schema being registered",
    "error code: 4010",
    "error code: 4030",
    "error code: 4040",
    "error code: 4090",
    "error code: 4220",
];

const CONTROL_PLANE: &[&str] = &[
    "error creating ",
    "error reading ",
    "error updating ",
    "error deleting ",
    "sending validation request",
    "api.confluent.cloud",
    "cloud api key",
    "cluster api key",
    "waiting for connector",
    "confluent_",
    "failed to create custom",
    "forbidden access",
    "forbidden_access",
];

const KAFKA: &[&str] = &[
    "org.apache.kafka.common.errors.",
    "org.apache.kafka.clients.",
    "kafkaexception",
    "node assignment",
    "kafkaadminclient",
    "kafkaproducer",
    "kafkaschemahistory",
    "bootstrap.servers",
    "bootstrap urls",
    "bootstrap broker",
    "adminclient",
    "[producer clientid",
    "[consumer clientid",
    "brokers older than",
    "broker may not be",
    "history topic failed",
    "create/find topic",
    "creating topic(s)",
    "transactional method",
    "offsetoutofrange",
    "flush outstanding",
    "recordtoolarge",
    "state mismatch for topic",
    " not present in metadata",
];

/// Beginnings of words that only an external system, or a plugin's client for it, writes.
const EXTERNAL_SYSTEM: &[&str] = &[
    "(service:",
    "aadsts",
    "access token",
    "activemq",
    "amazon",
    "amqp",
    "apifault",
    "atlassian",
    "aws",
    "azure",
    "big query",
    "bigquery",
    "bigtable",
    "binlog",
    "bson",
    "bucket",
    "bulkwrite",
    "cassandra",
    "clickhouse",
    "cloudwatch",
    "column",
    "com.amazon",
    "com.mysql",
    "connect.errors.dataexception",
    "cosmos",
    "couchbase",
    "database",
    "databricks",
    "datadog",
    "dataset",
    "datastax",
    "db2",
    "db::",
    "debezium",
    "delta_",
    "documentdb",
    "dynamo",
    "elastic",
    "errormessages",
    "event hub",
    "eventhub",
    "fatal:",
    "gcs",
    "github",
    "gitlab",
    "google",
    "grafana",
    "hana",
    "hbase",
    "hec",
    "ibm",
    "influx",
    "informix",
    "java.sql",
    "jdbc",
    "jedis",
    "jira",
    "jms",
    "jsch",
    "kinesis",
    "kudu",
    "lambda",
    "mariadb",
    "marketo",
    "microsoft",
    "milvus",
    "mongo",
    "mqrc",
    "mqtt",
    "mysql",
    "neo.",
    "neo4j",
    "new relic",
    "newrelic",
    "opensearch",
    "ora-",
    "oracle",
    "org.postgresql",
    "pagerduty",
    "paho",
    "pinecone",
    "prometheus",
    "psql",
    "pubsub",
    "rabbitmq",
    "redis",
    "relation",
    "salesforce",
    "scylla",
    "servicebus",
    "servicenow",
    "sf_kafka",
    "sftp",
    "shopify",
    "snowflake",
    "snowpipe",
    "solace",
    "spanner",
    "splunk",
    "sql server",
    "sql state",
    "sqlcode",
    "sqlserver",
    "sqlstate",
    "sqs",
    "status line",
    "table",
    "teradata",
    "tibco",
    "vertica",
    "vhost",
    "warehouse",
    "weaviate",
    "zendesk",
];

/// Returns who said a lowercase text.
pub(super) fn speaker(text: &str) -> Speaker {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    let names_product = || {
        EXTERNAL_SYSTEM
            .iter()
            .any(|name| text.match_indices(name).any(|(at, _)| begins_word(text, at)))
    };
    if says(HTTP_TARGET) {
        Speaker::HttpTarget
    } else if says(SCHEMA_REGISTRY) {
        Speaker::SchemaRegistry
    } else if (says(CONTROL_PLANE) && !says(&["(service:", "psqlexception"])) || names_existing_connector(text) {
        Speaker::ControlPlane
    } else if says(KAFKA) && !text.contains("serializationexception") {
        // A converter reports unreadable records with a class of Kafka.
        Speaker::Kafka
    } else if names_product() {
        Speaker::ExternalSystem
    } else if says(&[
        "account not found",
        "\"resource not found",
        "404 not found: resource not found",
    ]) || text.trim_start().starts_with("resource not found")
    {
        Speaker::ControlPlane
    } else {
        Speaker::Unattributed
    }
}

/// Returns whether the text is the service's answer about a name in use.
fn names_existing_connector(text: &str) -> bool {
    text.split_once("connector ").is_some_and(|(_, rest)| {
        let rest = rest.strip_prefix("with name ").unwrap_or(rest);
        rest.split_once(' ')
            .is_some_and(|(_, rest)| rest.starts_with("already exists"))
    })
}

fn begins_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::{Speaker, speaker};

    #[test]
    fn the_wording_tells_who_speaks() {
        for (text, expected) in [
            (
                "Error while processing HTTP request with Url : https://a, Status code : 401",
                Speaker::HttpTarget,
            ),
            ("Unauthorized; error code: 40101", Speaker::SchemaRegistry),
            (
                "error sending validation request: 401 Unauthorized",
                Speaker::ControlPlane,
            ),
            ("org.apache.kafka.common.errors.TimeoutException: x", Speaker::Kafka),
            (
                "org.apache.kafka.common.errors.SerializationException: x",
                Speaker::Unattributed,
            ),
            ("ORA-01031: insufficient privileges", Speaker::ExternalSystem),
            ("409 Conflict: Connector claims-a already exists", Speaker::ControlPlane),
            ("check the value", Speaker::Unattributed),
            ("401 Unauthorized", Speaker::Unattributed),
        ] {
            assert_eq!(speaker(&text.to_lowercase()), expected, "{text}");
        }
    }
}
