//! Records, tables and logs of databases.

use super::{Department, DiagnosisRule, Documented, Inferred, RESTART, UPDATE, deployer_step, text_step, viewer_step};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "wrong-format",
        patterns: &[
            "Unknown magic byte",
            "Converting byte[] to Kafka Connect data failed due to serialization error",
        ],
        cause: "The records are not in the format that the configuration names.",
        fix: "Set input.data.format to what the topic really holds.",
        next_steps: &[
            text_step(
                "With errors.tolerance=all, the default of sinks, such records go to the dead letter topic instead.",
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
        cause: "The table does not exist, and the connector may not make it.",
        fix: "Make the table, or set auto.create to true.",
        next_steps: &[
            text_step("auto.create needs a format with a schema: AVRO, JSON_SR or PROTOBUF."),
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
        cause: "The sink needs records with a schema, and gets some without, or without a key or a value.",
        fix: "Use AVRO, JSON_SR or PROTOBUF as input.data.format, and set pk.mode to what the records have.",
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
        cause: "The database lacks the plugin that was to decode its log.",
        fix: "Use the V2 connector, or set plugin.name to pgoutput, which PostgreSQL brings along.",
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
        cause: "Somebody else reads from the replication slot.",
        fix: "Give each connector a slot.name of its own.",
        next_steps: &[
            text_step("If it is the slot of a connector that was deleted, its session has to end first."),
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
        fix: "Drop the slots that deleted connectors have left, or raise max_replication_slots of the database.",
        next_steps: &[
            text_step(
                "An unused slot also keeps the database's log from being thrown away: SELECT * FROM pg_replication_slots.",
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
        cause: "The database has thrown away the log that the connector must go on from: it stood still for too long.",
        fix: "Let the connector take a new snapshot, and keep the database's log for longer.",
        next_steps: &[
            viewer_step("See where it was", "connector offset describe {name}"),
            deployer_step("Begin anew, with a new snapshot", "connector offset delete {name}"),
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
        fix: "Write the PKCS#8 key on one line, without its BEGIN and END lines, and set its public half as RSA_PUBLIC_KEY of \
              the user.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.",
        confidence: Inferred,
        source: "Snowflake's own error text; docs/reference/connect.md#error-messages, pattern 22",
        is_generic: false,
    },
];
