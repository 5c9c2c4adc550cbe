//! Rules for records, tables and transaction logs of databases.

use super::{Department, DiagnosisRule, Documented, Inferred, RESTART, UPDATE, deployer_step, text_step, viewer_step};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "wrong-format",
        patterns: &[
            "Unknown magic byte",
            "Converting byte[] to Kafka Connect data failed due to serialization error",
        ],
        cause: "The records do not have the configured format.",
        fix: "Set `input.data.format` to the actual format of the records.",
        next_steps: &[
            text_step(
                "With `errors.tolerance=all`, the default of sinks, such records go to the dead letter topic instead.",
            ),
            UPDATE,
        ],
        owner: Department,
        example: "org.apache.kafka.common.errors.SerializationException: Unknown magic byte!",
        confidence: Documented,
        source: "Confluent blog, Kafka Connect Deep Dive – Converters and Serialization Explained; \
                 docs/reference/connect.md#error-messages, pattern 16",
        is_generic: false,
    },
    DiagnosisRule {
        id: "table-missing",
        patterns: &["Table * is missing and auto-creation is disabled"],
        cause: "The table does not exist, and the connector is not configured to create it.",
        fix: "Create the table, or set `auto.create` to `true`.",
        next_steps: &[
            text_step("`auto.create` needs a format with a schema: `AVRO`, `JSON_SR` or `PROTOBUF`."),
            UPDATE,
            RESTART,
        ],
        owner: Department,
        example: "Table \"claims-orders\" is missing and auto-creation is disabled",
        confidence: Inferred,
        source: "JDBC sink; docs/reference/connect.md#error-messages, pattern 20",
        is_generic: false,
    },
    DiagnosisRule {
        id: "record-without-schema",
        patterns: &[
            "requires records with a non-null Struct",
            "cannot be cast to class org.apache.kafka.connect.data.Struct",
        ],
        cause: "The sink received records without a schema, key or value that it needs.",
        fix: "Set `input.data.format` to `AVRO`, `JSON_SR` or `PROTOBUF`, and `pk.mode` to match the records.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "Sink connector 'claims-ledger' is configured with 'delete.enabled=false' and 'pk.mode=record_value' and \
                  therefore requires records with a non-null Struct value and non-null Struct schema",
        confidence: Inferred,
        source: "JDBC sink; docs/reference/connect.md#error-messages, pattern 20",
        is_generic: false,
    },
    DiagnosisRule {
        id: "decoding-plugin",
        patterns: &["could not access file \"decoderbufs\""],
        cause: "The database lacks the configured logical decoding plugin.",
        fix: "Use the V2 connector, or set `plugin.name` to `pgoutput`, which PostgreSQL includes.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "Creation of replication slot failed; ERROR: could not access file \"decoderbufs\": No such file or directory",
        confidence: Documented,
        source: "xstevens/decoderbufs issue 8; docs/reference/connect.md#error-messages, pattern 12",
        is_generic: false,
    },
    DiagnosisRule {
        id: "slot-in-use",
        patterns: &["replication slot \"*\" is active"],
        cause: "Another client is using the replication slot.",
        fix: "Give each connector its own `slot.name`.",
        next_steps: &[
            text_step("If it is the slot of a deleted connector, wait until its session has ended."),
            UPDATE,
            RESTART,
        ],
        owner: Department,
        example: "org.postgresql.util.PSQLException: ERROR: replication slot \"claims_cdc\" is active for PID 4711",
        confidence: Inferred,
        source: "Debezium; docs/reference/connect.md#error-messages, pattern 13",
        is_generic: false,
    },
    DiagnosisRule {
        id: "slots-exhausted",
        patterns: &["all replication slots are in use"],
        cause: "The database has no replication slot left.",
        fix: "Drop the slots of deleted connectors, or raise `max_replication_slots` of the database.",
        next_steps: &[
            text_step(
                "Unused slots also prevent the deletion of transaction logs; list slots with `SELECT * FROM \
                 pg_replication_slots`.",
            ),
            RESTART,
        ],
        owner: Department,
        example: "org.postgresql.util.PSQLException: ERROR: all replication slots are in use",
        confidence: Inferred,
        source: "Debezium; docs/reference/connect.md#error-messages, pattern 13",
        is_generic: false,
    },
    DiagnosisRule {
        id: "log-purged",
        patterns: &["no longer available on the server"],
        cause: "The database has deleted the transaction log at the connector's offset, because the connector was \
                stopped too long.",
        fix: "Start with a new snapshot, and increase the log retention of the database.",
        next_steps: &[
            viewer_step("Show its last offset", "connector offset describe {name}"),
            deployer_step("Reset it to take a new snapshot", "connector offset delete {name}"),
        ],
        owner: Department,
        example: "The connector is trying to read change stream starting at a position, but this is no longer available on \
                  the server. Reconfigure the connector to use a snapshot mode when needed.",
        confidence: Inferred,
        source: "Debezium; docs/reference/connect.md#error-messages, pattern 14",
        is_generic: false,
    },
    DiagnosisRule {
        id: "snowflake-key",
        patterns: &[
            "JWT token is invalid",
            "InvalidKeySpecException",
            "Private key provided is invalid",
        ],
        cause: "Snowflake does not accept the private key.",
        fix: "Write the PKCS#8 key on one line without its BEGIN and END lines, and set its public key as \
              `RSA_PUBLIC_KEY` of the user.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.",
        confidence: Inferred,
        source: "Snowflake's own error text; docs/reference/connect.md#error-messages, pattern 22",
        is_generic: false,
    },
];
