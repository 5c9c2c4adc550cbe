//! Tests of messages that must or must not match a rule.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::*;
use crate::api::connect::ConnectorStatus;

pub(super) fn matching_rule_of(text: &str) -> &'static str {
    let status = failed(text);
    diagnose(&status).causes[0].rule.id
}

/// Returns the status of a connector that failed with this trace.
fn failed(trace: &str) -> ConnectorStatus {
    serde_json::from_value(json!({ "connector": { "state": "FAILED", "trace": trace } })).unwrap()
}

/// Pattern number in docs/reference/connect.md#error-messages, message, rule and owner. Messages are quoted from that
/// page, or from the external system.
const TABLE: &[(u32, &str, &str, FaultOwner)] = &[
    (
        1,
        "There were some errors with your configuration:\ntopics: Provided Kafka ApiKey is invalid\nkafka.api.secret: \
         Provided Kafka ApiKey is invalid",
        "kafka-key-invalid",
        FaultOwner::Platform,
    ),
    (
        2,
        "1. \"s3.bucket.name\" : [\"\"s3.bucket.name\" is required\"]",
        "missing-key",
        FaultOwner::Department,
    ),
    (
        3,
        "Value \"FOO\" doesn't belong to the property's \"output.data.format\" enum",
        "value-not-allowed",
        FaultOwner::Department,
    ),
    (
        4,
        "\"flush.size\" should be greater than or equal to 1000",
        "value-out-of-range",
        FaultOwner::Department,
    ),
    (
        5,
        "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc",
        "dead-letters-denied",
        FaultOwner::Platform,
    ),
    (
        5,
        "User does not have WRITE access to topic prefixed with success-lcc",
        "dead-letters-denied",
        FaultOwner::Platform,
    ),
    (
        5,
        "User does not have CREATE access to topic prefixed with error-lcc",
        "dead-letters-denied",
        FaultOwner::Platform,
    ),
    (
        6,
        "Unable to validate configuration. If an update was made to the configuration, this means that the configuration was \
         invalid, and the connector continues to operate on a previous configuration that passed validation. \
         Errors:\nmqtt.server.uri: this is wrong",
        "invalid-configuration",
        FaultOwner::Department,
    ),
    (
        7,
        "Failed to find any class that implements Connector and which name matches \
         io.confluent.connect.s3.S3SinkConnector, available connectors are: …",
        "unknown-plugin",
        FaultOwner::Department,
    ),
    (
        8,
        "FATAL: password authentication failed for user \"cdc\"",
        "wrong-password",
        FaultOwner::Department,
    ),
    (
        8,
        "Access denied for user 'cdc'@'10.0.12.7' (using password: YES)",
        "wrong-password",
        FaultOwner::Department,
    ),
    (
        8,
        "Login failed for user 'cdc'. ClientConnectionId:7c1a",
        "wrong-password",
        FaultOwner::Department,
    ),
    (
        8,
        "ORA-01017: invalid username/password; logon denied",
        "wrong-password",
        FaultOwner::Department,
    ),
    (
        8,
        "FATAL: no pg_hba.conf entry for host \"198.51.100.7\", user \"cdc\", database \"hr\", no encryption",
        "host-not-allowed",
        FaultOwner::Department,
    ),
    (
        9,
        "Error while validating connector config: Couldn't obtain encoding for database hr",
        "database-unreachable",
        FaultOwner::Department,
    ),
    (
        10,
        "The connection attempt failed.\nCaused by: java.net.UnknownHostException: pg1",
        "unknown-host",
        FaultOwner::Network,
    ),
    (10, "The connection attempt failed.", "timed-out", FaultOwner::Network),
    (
        10,
        "java.net.ConnectException: Connection refused (Connection refused)",
        "connection-refused",
        FaultOwner::Network,
    ),
    (10, "connect timed out", "timed-out", FaultOwner::Network),
    (
        10,
        "Timed out after 30000 ms while waiting for a server that matches ReadPreferenceServerSelector",
        "mongo-unreachable",
        FaultOwner::Network,
    ),
    (
        11,
        "javax.net.ssl.SSLHandshakeException: No subject alternative DNS name matching mqtt found.",
        "tls-name",
        FaultOwner::Department,
    ),
    (
        11,
        "sun.security.validator.ValidatorException: PKIX path building failed: unable to find valid certification path to \
         requested target",
        "tls-untrusted",
        FaultOwner::Department,
    ),
    (
        12,
        "Creation of replication slot failed\nCaused by: ERROR: could not access file \"decoderbufs\": No such file",
        "decoding-plugin",
        FaultOwner::Department,
    ),
    (
        13,
        "ERROR: replication slot \"hr_cdc\" is active for PID 4711",
        "slot-in-use",
        FaultOwner::Department,
    ),
    (
        13,
        "ERROR: all replication slots are in use",
        "slots-exhausted",
        FaultOwner::Department,
    ),
    (
        14,
        "but this is no longer available on the server",
        "log-purged",
        FaultOwner::Department,
    ),
    (
        15,
        "Failed to subscribe to the redo log topic 'erp-redo' even after waiting 300 seconds",
        "redo-topic",
        FaultOwner::Department,
    ),
    (
        16,
        "Caused by: SerializationException: Unknown magic byte!",
        "wrong-format",
        FaultOwner::Department,
    ),
    (
        16,
        "Converting byte[] to Kafka Connect data failed due to serialization error",
        "wrong-format",
        FaultOwner::Department,
    ),
    (
        17,
        "Error retrieving Avro value schema for id 7",
        "schema-unreadable",
        FaultOwner::Platform,
    ),
    (
        17,
        "RestClientException: Subject not found.; error code: 40401",
        "schema-missing",
        FaultOwner::Department,
    ),
    (
        17,
        "RestClientException: Schema not found; error code: 40403",
        "schema-missing",
        FaultOwner::Department,
    ),
    (
        17,
        "RestClientException: Schema 100042 not found; error code: 40403",
        "schema-missing",
        FaultOwner::Department,
    ),
    (
        17,
        "Error retrieving JSON schema\nCaused by: RestClientException: Unauthorized; error code: 401",
        "schema-denied",
        FaultOwner::Platform,
    ),
    (
        18,
        "TopicAuthorizationException: Not authorized to access topics: [fin.orders]",
        "topic-denied",
        FaultOwner::Platform,
    ),
    (
        18,
        "GroupAuthorizationException: Not authorized to access group: connect-lcc-8kq2zm",
        "group-denied",
        FaultOwner::Platform,
    ),
    (
        19,
        "org.apache.kafka.common.errors.RecordTooLargeException: The message is 9000000 bytes",
        "record-too-large",
        FaultOwner::Department,
    ),
    (
        20,
        "Table \"FIN\".\"LEDGER\" is missing and auto-creation is disabled",
        "table-missing",
        FaultOwner::Department,
    ),
    (
        20,
        "is configured with 'pk.mode=record_key' and therefore requires records with a non-null Struct key",
        "record-without-schema",
        FaultOwner::Department,
    ),
    (
        21,
        "AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403)",
        "storage-denied",
        FaultOwner::Department,
    ),
    (
        21,
        "S3Exception: Forbidden (Service: S3, Status Code: 403, Request ID: 8KQ2ZM)",
        "storage-denied",
        FaultOwner::Department,
    ),
    (
        21,
        "does not have storage.objects.create access to the bucket",
        "storage-denied",
        FaultOwner::Department,
    ),
    (
        21,
        "Status code 403, AuthorizationFailure",
        "storage-denied",
        FaultOwner::Department,
    ),
    (
        22,
        "SnowflakeSQLException: JWT token is invalid. [0]",
        "snowflake-key",
        FaultOwner::Department,
    ),
    (
        23,
        "org.apache.kafka.clients.consumer.CommitFailedException: Offset commit",
        "slow-target",
        FaultOwner::Department,
    ),
    (
        23,
        "time between subsequent calls to poll() was longer than max.poll.interval.ms",
        "slow-target",
        FaultOwner::Department,
    ),
    (
        23,
        "consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the \
         configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time",
        "slow-target",
        FaultOwner::Department,
    ),
    (
        23,
        "max.poll.interval.ms was exceeded",
        "slow-target",
        FaultOwner::Department,
    ),
    (
        23,
        "Application maximum poll interval (300000ms) exceeded by 75ms (adjust max.poll.interval.ms for long-running message \
         processing)",
        "slow-target",
        FaultOwner::Department,
    ),
    (
        24,
        "WorkerSinkTask{id=lcc-8kq2zm-0} Task threw an uncaught and unrecoverable exception",
        "task-crashed",
        FaultOwner::Unknown,
    ),
    (
        25,
        "The connector failed due to an unexpected error. Contact our Support team to quickly resolve this issue. We \
         apologize for any inconvenience.",
        "platform-error",
        FaultOwner::Confluent,
    ),
    (
        26,
        "invalid API key: make sure you're using a Cloud API Key",
        "api-key-invalid",
        FaultOwner::Platform,
    ),
    (27, "Forbidden Access", "forbidden", FaultOwner::Platform),
    (28, "account not found", "wrong-place", FaultOwner::Department),
    (28, "resource not found", "wrong-place", FaultOwner::Department),
    (
        28,
        "{\"error\":{\"code\":404,\"message\":\"resource not found\"}}",
        "wrong-place",
        FaultOwner::Department,
    ),
    (
        28,
        "404 Not Found: resource not found",
        "wrong-place",
        FaultOwner::Department,
    ),
    (
        29,
        "Connector a cannot be restarted: it is PAUSED, not RUNNING",
        "not-restartable",
        FaultOwner::Department,
    ),
    (
        30,
        "the number of tasks is currently limited to 250",
        "quota",
        FaultOwner::Platform,
    ),
    (
        31,
        "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.lang.Long (java.lang.String and \
         java.lang.Long are in module java.base)\n\tat \
         io.debezium.connector.mysql.MySqlOffsetContext$Loader.load(MySqlOffsetContext.java:180)",
        "offset-type",
        FaultOwner::Department,
    ),
];

#[test]
fn every_documented_message_matches_its_rule() {
    for (number, text, rule, owner) in TABLE {
        assert_eq!(matching_rule_of(text), *rule, "pattern {number}: {text}");
        assert_eq!(
            matching_rule_of(&text.to_uppercase()),
            *rule,
            "pattern {number}, in capitals: {text}"
        );
        assert_eq!(find_rule(rule).unwrap().owner, *owner, "{rule}");
    }
    // The last rule matches a state, not a text.
    let numbers: BTreeSet<u32> = TABLE.iter().map(|row| row.0).collect();
    assert_eq!(numbers, (1..=31).collect());
    assert_eq!(NO_RECORDS.id, "no-records");
}

#[test]
fn similar_messages_do_not_match_the_rule() {
    for (text, rule) in [
        // A single word of a pattern.
        ("TLS is required by the broker", "unknown"),
        ("The certificate is required", "unknown"),
        ("replication slot \"a\" was created", "unknown"),
        ("This slot is active", "unknown"),
        ("The user is limited", "unknown"),
        ("Wrote 403 records", "unknown"),
        ("The table \"a\" is missing", "external-system"),
        ("Retrieving Avro value schema for id 7", "unknown"),
        ("User cdc has CREATE access to topic prefixed with dlq-lcc", "unknown"),
        ("The topic was not found", "unknown"),
        // A cast error that is unrelated to offsets.
        (
            "ClassCastException: class java.util.HashMap cannot be cast to class java.lang.Number",
            "unsupported-type",
        ),
        // Two systems with nearly the same message.
        ("Access denied for user 'a'@'b'", "wrong-password"),
        (
            "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
            "storage-denied",
        ),
        (
            "User does not have CREATE access to topic claims-dead-letters",
            "topic-denied",
        ),
        // An HTTP sink, whose target is not a bucket.
        (
            "Status code: 403, Reason Phrase: Forbidden, Url: https://example.com",
            "bare-status",
        ),
        // DynamoDB, not Confluent Cloud.
        (
            "ResourceNotFoundException: Requested resource not found: Table: claims-orders not found (Service: \
             AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException)",
            "bucket-missing",
        ),
        // A logged line of a configuration.
        ("\tmax.poll.interval.ms = 300000", "unknown"),
        ("\"max.poll.interval.ms\": \"300000\"", "unknown"),
        // Matches only on another line.
        ("slot: replication slot \"a\"\nstate: is active", "unknown"),
    ] {
        assert_eq!(matching_rule_of(text), rule, "{text}");
    }
}
