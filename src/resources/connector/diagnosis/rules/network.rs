//! The way to the other system: names, routes, certificates.

use super::{Department, DiagnosisRule, Inferred, Network, RESTART, UPDATE, Verified, operator_step, text_step};

/// What most of these have in common.
const CONFLUENT_CONNECTS: super::RemedyStep =
    text_step("It is Confluent's network that connects, not this computer: what works from here says nothing.");

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "tls-name",
        patterns: &[
            "No subject alternative DNS name matching",
            "No subject alternative names matching",
        ],
        cause: "The certificate of the host is for another name.",
        fix: "Write the name that stands in the certificate, or have one made for this name.",
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
        cause: "The certificate of the host is not trusted: a company's own authority, or an incomplete chain.",
        fix: "Put the authority's certificate into the configuration, such as ssl.rootcertfile or a trust store.",
        next_steps: &[
            text_step("Files are written into the value: data:text/plain;base64, and the file in Base64."),
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
        cause: "The two sides do not agree on an encrypted connection.",
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
        cause: "No member of the MongoDB replica set answers; often it gives out names that only its own network knows.",
        fix: "Let the replica set give out names that Confluent can resolve and reach.",
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
        cause: "The host is found, and does not answer on this port.",
        fix: "Check host and port, whether the service listens there, and whether a firewall turns Confluent away.",
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
        cause: "The connection to the other system breaks again and again.",
        fix: "Look at that time for a restart of the other system, a proxy, or a firewall that closes idle connections.",
        next_steps: &[
            operator_step("See when it happens", "connector logs {name} --since 6h --level ERROR"),
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
        cause: "The other system does not answer in time.",
        fix: "Check that Confluent's addresses may pass the firewall, and that the other system is not overloaded.",
        next_steps: &[CONFLUENT_CONNECTS, RESTART],
        owner: Network,
        example: "java.net.SocketTimeoutException: Read timed out",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 10",
        is_generic: false,
    },
];
