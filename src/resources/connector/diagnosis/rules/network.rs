//! Rules for the connection to the external system: DNS, routes, certificates.

use super::{Department, DiagnosisRule, Inferred, Network, RESTART, UPDATE, Verified, operator_step, text_step};

/// Step shared by most of these rules.
const CONFLUENT_CONNECTS: super::RemedyStep =
    text_step("Connections come from Confluent's network, so a test from this computer proves nothing.");

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "tls-name",
        patterns: &[
            "No subject alternative DNS name matching",
            "No subject alternative names matching",
        ],
        cause: "The certificate of the host was issued for another name.",
        fix: "Use the name in the certificate, or get a certificate for this name.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "javax.net.ssl.SSLHandshakeException: No subject alternative DNS name matching pg1.example.com found.",
        confidence: Verified,
        source: "kafka-docker-playground (MQTT); docs/reference/connect.md#error-messages, pattern 11",
        is_generic: false,
    },
    DiagnosisRule {
        id: "tls-untrusted",
        patterns: &["PKIX path building failed", "unable to find valid certification path"],
        cause: "The certificate of the host is not trusted: its CA is private, or its chain is incomplete.",
        fix: "Add the CA certificate to the configuration, for example as `ssl.rootcertfile` or in a trust store.",
        next_steps: &[
            text_step("Write a file as the value `data:text/plain;base64,` followed by its content in Base64."),
            UPDATE,
        ],
        owner: Department,
        example: "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path to \
                  requested target",
        confidence: Inferred,
        source: "kafka-docker-playground (plugin definitions); docs/reference/connect.md#error-messages, pattern 11",
        is_generic: false,
    },
    DiagnosisRule {
        id: "tls-refused",
        patterns: &[
            "SSLHandshakeException",
            "The server does not support SSL",
            "Received fatal alert",
        ],
        cause: "The TLS handshake with the host failed.",
        fix: "Compare the TLS mode and version of the configuration with what the host offers.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure",
        confidence: Inferred,
        source: "Java's own error text; docs/reference/connect.md#error-messages, pattern 11",
        is_generic: false,
    },
    DiagnosisRule {
        id: "mongo-unreachable",
        patterns: &["while waiting for a server that matches", "MongoTimeoutException"],
        cause: "No member of the MongoDB replica set responds; often its member names resolve only in its own network.",
        fix: "Configure the replica set with names that Confluent can resolve and reach.",
        next_steps: &[CONFLUENT_CONNECTS, RESTART],
        owner: Network,
        example: "com.mongodb.MongoTimeoutException: Timed out after 30000 ms while waiting for a server that matches \
                  WritableServerSelector",
        confidence: Inferred,
        source: "kafka-docker-playground (MongoDB); docs/reference/connect.md#error-messages, pattern 10",
        is_generic: false,
    },
    DiagnosisRule {
        id: "unknown-host",
        patterns: &["UnknownHostException", "Name or service not known"],
        cause: "Confluent cannot resolve the name of the host.",
        fix: "Check the spelling; a private name needs DNS forwarding to Confluent's network, or a public name.",
        next_steps: &[CONFLUENT_CONNECTS, UPDATE, RESTART],
        owner: Network,
        example: "The connection attempt failed: java.net.UnknownHostException: pg1.internal",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 10",
        is_generic: false,
    },
    DiagnosisRule {
        id: "connection-refused",
        patterns: &["Connection refused"],
        cause: "The host does not accept connections on this port.",
        fix: "Check host and port, whether the service listens there, and whether a firewall blocks Confluent.",
        next_steps: &[CONFLUENT_CONNECTS, RESTART],
        owner: Network,
        example: "Connection to pg1.example.com:5432 refused. java.net.ConnectException: Connection refused",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 10",
        is_generic: false,
    },
    DiagnosisRule {
        id: "connection-lost",
        patterns: &[
            "The connection to * was lost",
            "Connection reset",
            "Broken pipe",
            "Communications link failure",
        ],
        cause: "The connection to the external system is lost repeatedly.",
        fix: "Check for restarts of the external system, a proxy, or a firewall that closes idle connections.",
        next_steps: &[
            operator_step(
                "Find the times of the errors",
                "connector logs {name} --since 6h --level ERROR",
            ),
            CONFLUENT_CONNECTS,
        ],
        owner: Network,
        example: "org.apache.kafka.connect.errors.RetriableException: The connection to pg1.example.com was lost",
        confidence: Inferred,
        source: "Java's own error texts; docs/reference/connect.md#timing-of-states",
        is_generic: false,
    },
    DiagnosisRule {
        id: "timed-out",
        patterns: &[
            "timed out",
            "The connection attempt failed",
            "SocketTimeoutException",
            "ConnectTimeoutException",
        ],
        cause: "The external system does not respond in time.",
        fix: "Check that the firewall allows Confluent's addresses and that the external system is not overloaded.",
        next_steps: &[CONFLUENT_CONNECTS, RESTART],
        owner: Network,
        example: "java.net.SocketTimeoutException: Read timed out",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 10",
        is_generic: false,
    },
];
