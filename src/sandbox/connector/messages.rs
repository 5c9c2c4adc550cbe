//! Texts of each fault, in the response fields of the service (docs/reference/connect.md#status,
//! docs/reference/connect.md#where-errors-are-reported and docs/reference/connect.md#error-messages).

use super::{
    ConnectorFault as Fault,
    config::{ConnectorConfig, value},
    lifecycle::FaultProgression,
    plugins::SandboxPlugin,
};
use crate::{catalog::topics::connector_topics, model::TaskState};

/// Connector and configuration that a fault belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FaultContext<'a> {
    pub(crate) plugin: &'a SandboxPlugin,
    pub(crate) config: &'a ConnectorConfig,
    pub(crate) id: &'a str,
    /// Affected topic, group or subject; empty if the fault was requested.
    pub(crate) detail: &'a str,
}

/// Texts and properties of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultDetails {
    pub(crate) progression: FaultProgression,
    /// Validation errors in the form `key: text`.
    pub(crate) validation: Vec<String>,
    /// Root causes.
    pub(crate) errors: Vec<String>,
    /// Trace of the connector.
    pub(crate) trace: String,
    /// Last `Caused by` of the stack trace.
    cause: String,
    pub(crate) summary: String,
    pub(crate) recommendations: Vec<String>,
    /// `USER_ACTIONABLE_ERROR` or `SYSTEM_ERROR`.
    pub(crate) task_state: TaskState,
    /// Whether tasks started before the fault.
    pub(crate) starts_tasks: bool,
}

impl FaultDetails {
    /// Returns the stack trace of a task.
    pub(crate) fn task_trace(&self, id: &str, sink: bool, task: u32) -> String {
        task_trace(&self.cause, id, sink, task)
    }

    /// Returns the cause in the log, which is more specific than the status for unexpected errors
    /// (docs/reference/connect.md#where-errors-are-reported).
    pub(crate) fn cause_in_logs(&self) -> &str {
        match self.cause == UNEXPECTED_ERROR {
            true => "java.lang.IllegalStateException: the worker was lost while tasks were being assigned",
            false => &self.cause,
        }
    }
}

/// Returns the stack trace of a task: a wrapper exception with the cause at its end (pattern 24).
pub(crate) fn task_trace(cause: &str, id: &str, sink: bool, task: u32) -> String {
    let kind = if sink { "Sink" } else { "Source" };
    format!(
        "org.apache.kafka.connect.errors.ConnectException: Worker{kind}Task{{id={id}-{task}}} Task threw an uncaught and \
         unrecoverable exception. Task is being killed and will not recover until manually restarted\n\tat \
         org.apache.kafka.connect.runtime.Worker{kind}Task.execute(Worker{kind}Task.java)\n\tat \
         org.apache.kafka.connect.runtime.WorkerTask.doRun(WorkerTask.java)\nCaused by: {cause}"
    )
}

/// Error text of an invalid configuration (pattern 6).
const INVALID_CONFIG: &str = "Unable to validate configuration. If an update was made to the configuration, this means that \
                       the configuration was invalid, and the connector continues to operate on a previous configuration \
                       that passed validation. Errors:\n";

/// Error text of an unexpected error (pattern 25).
const UNEXPECTED_ERROR: &str = "The connector failed due to an unexpected error. Contact our Support team to quickly resolve this \
                      issue. We apologize for any inconvenience.";

/// Creates the details of an invalid configuration: the same text for each of `keys` that is configured.
fn invalid_config(subject: &FaultContext<'_>, keys: &[&str], text: &str, summary: &str) -> FaultDetails {
    let there: Vec<_> = keys.iter().filter(|key| subject.config.contains_key(**key)).collect();
    let keys = if there.is_empty() {
        keys.first().into_iter().collect()
    } else {
        there
    };
    let validation: Vec<_> = keys.iter().map(|key| format!("{key}: {text}")).collect();
    FaultDetails {
        progression: FaultProgression::Validation,
        trace: format!("{INVALID_CONFIG}{}", validation.join("\n")),
        validation,
        errors: Vec::new(),
        cause: text.to_owned(),
        summary: summary.to_owned(),
        recommendations: Vec::new(),
        task_state: TaskState::UserActionableError,
        starts_tasks: false,
    }
}

/// Creates the details of a task that fails with `cause`.
fn task_failure(progression: FaultProgression, cause: &str, summary: &str, advice: &str) -> FaultDetails {
    let error = cause.rsplit("Caused by: ").next().unwrap_or(cause);
    FaultDetails {
        progression,
        validation: Vec::new(),
        errors: vec![error.to_owned()],
        trace: cause.to_owned(),
        cause: cause.to_owned(),
        summary: summary.to_owned(),
        recommendations: vec![advice.to_owned()],
        task_state: TaskState::UserActionableError,
        starts_tasks: true,
    }
}

const KAFKA: &str = "org.apache.kafka.common.errors";
pub(super) const CONNECT: &str = "org.apache.kafka.connect.errors";

/// Keys with the address and the credentials of a database. Debezium reports one error for all of them (pattern 9);
/// JDBC connectors report the keys that they used.
const CDC_KEYS: [&str; 5] = [
    "database.hostname",
    "database.port",
    "database.user",
    "database.password",
    "database.dbname",
];
const HOSTS: [&str; 8] = [
    "connection.host",
    "connection.url",
    "http.api.url",
    "http.api.base.url",
    "oracle.server",
    "snowflake.url.name",
    "sftp.host",
    "redis.hostname",
];
const PASSWORDS: [&str; 6] = [
    "connection.user",
    "connection.password",
    "oracle.username",
    "oracle.password",
    "aws.secret.access.key",
    "sftp.password",
];

impl<'a> FaultContext<'a> {
    fn is_debezium(&self) -> bool {
        self.config.contains_key("database.hostname")
    }

    fn first_configured(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| value(self.config, key))
    }

    fn host(&self) -> &'a str {
        let written = self
            .first_configured(&["database.hostname"])
            .or_else(|| self.first_configured(&HOSTS));
        let host = written.unwrap_or("target.example.com");
        let host = host.split_once("://").map_or(host, |(_, rest)| rest);
        host.split(['/', ':']).next().unwrap_or(host)
    }

    pub(super) fn user(&self) -> &'a str {
        self.first_configured(&["database.user", "connection.user", "oracle.username"])
            .unwrap_or("user")
    }

    /// Returns the affected topic.
    fn topic(&self) -> String {
        let found = connector_topics(self.plugin.class(), self.config, self.id);
        let first = found.read.first().or_else(|| found.written.first()).cloned();
        match self.detail.is_empty() {
            true => first.or(found.prefix).unwrap_or_else(|| "topic".to_owned()),
            false => self.detail.to_owned(),
        }
    }

    /// Creates the details of a connection error: for all `database.*` keys of Debezium, otherwise for `keys`.
    fn connection_fault(&self, keys: &[&str], text: &str, summary: &str) -> FaultDetails {
        match self.is_debezium() {
            true => {
                let text = format!("Error while validating connector config: {text}");
                invalid_config(self, &CDC_KEYS, &text, summary)
            }
            false => invalid_config(self, keys, text, summary),
        }
    }
}

/// Returns the details of a fault of a connector.
pub(crate) fn fault_details(kind: Fault, subject: FaultContext<'_>) -> FaultDetails {
    let (host, topic) = (subject.host(), subject.topic());
    let start =
        |cause: String, summary: &str, advice: &str| task_failure(FaultProgression::Start, &cause, summary, advice);
    let later = |cause: String, summary: &str, advice: &str| {
        task_failure(FaultProgression::WhileRunning, &cause, summary, advice)
    };
    match kind {
        Fault::KafkaKeyInvalid if subject.detail.is_empty() => invalid_config(
            &subject,
            &["kafka.api.key", "kafka.api.secret"],
            "Provided Kafka ApiKey is invalid",
            "The Kafka API key of the connector is not valid.",
        ),
        Fault::KafkaKeyInvalid => invalid_config(
            &subject,
            &["kafka.service.account.id"],
            &format!("Service account {} does not exist", subject.detail),
            "The service account of the connector does not exist.",
        ),
        Fault::DlqNotCreatable => {
            let (operation, name) = subject.detail.split_once(' ').unwrap_or(("CREATE", "dlq-lcc"));
            let shared = ["dlq-lcc", "success-lcc", "error-lcc"].into_iter().find(|stem| name.starts_with(stem));
            let text = match shared {
                Some(stem) => format!("User does not have {operation} access to topic prefixed with {stem}"),
                None => format!("User does not have {operation} access to topic {name}"),
            };
            let summary = "The service account of the connector lacks access to a topic that the connector needs.";
            invalid_config(&subject, &["kafka.service.account.id", "kafka.api.key"], &text, summary)
        }
        Fault::InvalidUpdate => {
            let key = ["flush.size", "topic.prefix", "connection.url", "output.data.format", "input.data.format"];
            invalid_config(&subject, &key, "the value was not accepted", "The configuration of the connector is invalid.")
        }
        Fault::WrongPassword => {
            let (refusal, summary) = (subject.credentials_refusal(), "The connector cannot authenticate to the database.");
            let mut fault = subject.connection_fault(&PASSWORDS, &refusal, summary);
            if subject.is_debezium() {
                // Source: docs/reference/connect.md#status. The tasks had started, so both kinds of errors are present.
                fault.errors = vec![refusal.clone()];
                fault.cause = format!("{CONNECT}.ConnectException: Unable to obtain a connection\nCaused by: {refusal}");
                fault.starts_tasks = true;
                fault.recommendations = vec![format!("Check the password of user {}.", subject.user())];
            }
            fault
        }
        Fault::UnknownHost => subject.connection_fault(
            &HOSTS,
            &format!("The connection attempt failed: java.net.UnknownHostException: {host}"),
            "The connector cannot resolve the host name.",
        ),
        Fault::ConnectionRefused => subject.connection_fault(
            &HOSTS,
            &format!("Connection to {host} refused. java.net.ConnectException: Connection refused"),
            "The connector cannot reach the host.",
        ),
        Fault::TlsName => subject.connection_fault(
            &HOSTS,
            &format!("javax.net.ssl.SSLHandshakeException: No subject alternative DNS name matching {host} found."),
            "The certificate of the host belongs to another name.",
        ),
        Fault::TlsUntrusted => subject.connection_fault(
            &HOSTS,
            "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path to \
             requested target",
            "The certificate of the host is not trusted.",
        ),
        Fault::DecodingPlugin => start(
            format!(
                "{CONNECT}.ConnectException: Creation of replication slot failed\nCaused by: \
                 org.postgresql.util.PSQLException: ERROR: could not access file \"decoderbufs\": No such file or directory"
            ),
            "The database lacks the logical decoding plugin.",
            "Use pgoutput as plugin.name.",
        ),
        Fault::SlotInUse => {
            let slot = value(subject.config, "slot.name").unwrap_or("debezium");
            start(
                format!(
                    "{CONNECT}.ConnectException: Failed to start replication stream\nCaused by: \
                     org.postgresql.util.PSQLException: ERROR: replication slot \"{slot}\" is active for PID 4711"
                ),
                "The replication slot is in use.",
                "Use a separate slot name for each connector, or drop the slot of a deleted connector.",
            )
        }
        Fault::LogPurged => later(
            subject.purged_log(),
            "The database has purged the log that the connector must read.",
            "Reset the offsets of the connector, which takes a new snapshot, and increase the retention of the log.",
        ),
        Fault::RedoTopic => later(
            format!(
                "{CONNECT}.ConnectException: Failed to subscribe to the redo log topic '{}' even after waiting 300 seconds",
                value(subject.config, "redo.log.topic.name").unwrap_or(&topic)
            ),
            "The redo log topic cannot be read.",
            "Create the redo log topic with one partition, or allow the service account to create it.",
        ),
        Fault::WrongFormat => later(
            format!(
                "{CONNECT}.DataException: Converting byte[] to Kafka Connect data failed due to serialization error of \
                 topic {topic}:\nCaused by: {KAFKA}.SerializationException: Unknown magic byte!"
            ),
            "Records are not in the configured format.",
            "Set input.data.format to the format of the topic.",
        ),
        Fault::SchemaMissing => later(
            format!(
                "{CONNECT}.DataException: Failed to deserialize data for topic {topic} to Avro:\nCaused by: \
                 {KAFKA}.SerializationException: Error retrieving Avro value schema for id 100042\nCaused by: \
                 io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException: Subject not found.; error \
                 code: 40401"
            ),
            "A schema is missing in the Schema Registry.",
            "Check schema.context.name and the subjects of the topic.",
        ),
        Fault::SchemaDenied => {
            let operation = if subject.plugin.is_sink() { "Read" } else { "Write" };
            let named = match subject.detail.is_empty() {
                true => format!("{topic}-value"),
                false => subject.detail.to_owned(),
            };
            start(
                format!(
                    "{KAFKA}.SerializationException: Error retrieving Avro value schema\nCaused by: \
                     io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException: User is denied \
                     operation {operation} on Subject: {named}; error code: 40301"
                ),
                "The service account of the connector may not use a schema.",
                "Grant the service account DeveloperRead or DeveloperWrite on the subject.",
            )
        }
        Fault::TopicDenied => start(
            format!("{KAFKA}.TopicAuthorizationException: Not authorized to access topics: [{topic}]"),
            "The service account of the connector may not access a topic.",
            "Grant the service account access to the topic.",
        ),
        Fault::GroupDenied => start(
            format!("{KAFKA}.GroupAuthorizationException: Not authorized to access group: connect-{}", subject.id),
            "The service account of the connector may not use its consumer group.",
            "Grant the service account DeveloperRead on groups that start with connect-lcc.",
        ),
        Fault::MissingTopic => start(
            format!(
                "{CONNECT}.ConnectException: Topic {topic} is not present\nCaused by: \
                 {KAFKA}.UnknownTopicOrPartitionException: This server does not host this topic-partition."
            ),
            "A topic of the connector does not exist.",
            "Create the topic, or allow the service account to create it.",
        ),
        Fault::RecordTooLarge => later(
            format!(
                "{KAFKA}.RecordTooLargeException: The message is 9437184 bytes when serialized which is larger than \
                 8388608, which is the value of the max.request.size configuration."
            ),
            "A record exceeds the maximum message size of the topic.",
            "Raise max.message.bytes of the topic, or exclude columns.",
        ),
        Fault::TableMissing => later(
            format!("{CONNECT}.ConnectException: Table \"{topic}\" is missing and auto-creation is disabled"),
            "The table does not exist.",
            "Set auto.create to true, or create the table.",
        ),
        Fault::StorageDenied => start(
            format!("{CONNECT}.ConnectException: {}", subject.storage_refusal()),
            "The cloud storage denies access.",
            "Check the policy of the bucket and the permissions of the access key.",
        ),
        Fault::SnowflakeJwt => invalid_config(
            &subject,
            &["snowflake.private.key", "snowflake.user.name"],
            "net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.",
            "Snowflake rejects the private key.",
        ),
        Fault::SlowTarget => later(
            format!(
                "{CONNECT}.ConnectException: Exiting task due to unrecoverable exception.\nCaused by: \
                 org.apache.kafka.clients.consumer.CommitFailedException: Offset commit cannot be completed since the \
                 consumer is not part of an active group: max.poll.interval.ms was exceeded"
            ),
            "The external system is too slow.",
            "Lower max.poll.records, or use more tasks.",
        ),
        Fault::TaskFailed => task_failure(
            FaultProgression::OneTask,
            &format!("{CONNECT}.ConnectException: java.net.SocketTimeoutException: Read timed out"),
            "A task of the connector has failed.",
            "Restart the connector.",
        ),
        Fault::OffsetType => start(
            "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.lang.Long\n\tat \
             io.debezium.connector.postgresql.PostgresOffsetContext$Loader.load(PostgresOffsetContext.java)"
                .to_owned(),
            "The offsets of the connector have the wrong type.",
            "Set the offsets again, with numeric values instead of texts.",
        ),
        Fault::Flapping => task_failure(
            FaultProgression::Flapping,
            &format!("{CONNECT}.RetriableException: The connection to {host} was lost"),
            "The connector fails and restarts.",
            "Check the network between the connector and the host.",
        ),
        Fault::PlatformError | Fault::StuckProvisioning => FaultDetails {
            progression: match kind {
                Fault::StuckProvisioning => FaultProgression::Stuck,
                _ => FaultProgression::Start,
            },
            validation: Vec::new(),
            errors: Vec::new(),
            trace: UNEXPECTED_ERROR.to_owned(),
            cause: UNEXPECTED_ERROR.to_owned(),
            summary: UNEXPECTED_ERROR.to_owned(),
            recommendations: Vec::new(),
            task_state: TaskState::SystemError,
            starts_tasks: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Source: docs/reference/connect.md#error-messages. The pattern that each fault must match.
    #[test]
    fn every_fault_contains_the_text_of_its_pattern() {
        let plugin = SandboxPlugin::find_or_unknown("PostgresCdcSourceV2");
        let config = [
            ("database.hostname", "pg.example.com"),
            ("database.user", "cdc"),
            ("slot.name", "s"),
        ];
        let config: ConnectorConfig = config
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect();
        for (kind, words) in [
            (Fault::KafkaKeyInvalid, "Provided Kafka ApiKey is invalid"),
            (
                Fault::DlqNotCreatable,
                "User does not have CREATE access to topic prefixed with dlq-lcc",
            ),
            (
                Fault::InvalidUpdate,
                "Unable to validate configuration. If an update was made",
            ),
            (Fault::WrongPassword, "password authentication failed for user \"cdc\""),
            (Fault::UnknownHost, "UnknownHostException"),
            (Fault::ConnectionRefused, "Connection refused"),
            (
                Fault::TlsName,
                "SSLHandshakeException: No subject alternative DNS name matching",
            ),
            (Fault::TlsUntrusted, "PKIX path building failed"),
            (Fault::DecodingPlugin, "could not access file \"decoderbufs\""),
            (Fault::SlotInUse, "replication slot \"s\" is active"),
            (Fault::LogPurged, "no longer available on the server"),
            (Fault::RedoTopic, "even after waiting 300 seconds"),
            (Fault::WrongFormat, "Unknown magic byte!"),
            (Fault::SchemaMissing, "Subject not found"),
            (
                Fault::TopicDenied,
                "TopicAuthorizationException: Not authorized to access topics: [",
            ),
            (Fault::GroupDenied, "GroupAuthorizationException"),
            (Fault::RecordTooLarge, "RecordTooLargeException"),
            (Fault::TableMissing, "is missing and auto-creation is disabled"),
            (Fault::StorageDenied, "Status Code: 403"),
            (Fault::SnowflakeJwt, "JWT token is invalid"),
            (Fault::SlowTarget, "max.poll.interval.ms"),
            (
                Fault::PlatformError,
                "The connector failed due to an unexpected error. Contact our Support",
            ),
            (Fault::OffsetType, "ClassCastException"),
        ] {
            let subject = FaultContext {
                plugin: &plugin,
                config: &config,
                id: "lcc-1",
                detail: "",
            };
            let fault = fault_details(kind, subject);
            assert!(fault.trace.contains(words), "{kind}: {}", fault.trace);
            assert!(
                !fault.starts_tasks
                    || fault
                        .task_trace("lcc-1", false, 0)
                        .contains("WorkerSourceTask{id=lcc-1-0}")
            );
            // Pattern 9: one root cause for all keys.
            if matches!(kind, Fault::UnknownHost | Fault::TlsName | Fault::WrongPassword) {
                assert_eq!(fault.validation.len(), 2, "{:?}", fault.validation);
            }
        }
    }
}
