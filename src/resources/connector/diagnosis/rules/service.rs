//! Rules for errors of the service itself, unspecific messages, and states.

use super::{
    Confluent, Department, DiagnosisRule, Documented, ErrorFamily, Inferred, LOGS, RESTART, Speaker, Unknown, Verified,
    alternative, operator_step, text_step, viewer_step,
};

pub(super) static RULES: &[DiagnosisRule] = &[DiagnosisRule {
    id: "not-restartable",
    family: ErrorFamily::ControlPlane,
    said_by: &[],
    patterns: &["cannot be restarted"],
    cause: "The service restarts only connectors that are RUNNING.",
    fix: "Use `confluent ebs connector restart`, which pauses and resumes connectors that are not running.",
    next_steps: &[RESTART],
    owner: Department,
    example: "Connector claims-orders cannot be restarted: it is PAUSED, not RUNNING",
    confidence: Inferred,
    source: "confluentinc/mcp-confluent (status 400; the message is inferred); \
                 docs/reference/connect.md#error-messages, pattern 29",
    is_generic: false,
}];

/// More specific than the keys it is reported for: Debezium reports it for all database keys.
pub(in super::super) static DATABASE_UNREACHABLE: DiagnosisRule = DiagnosisRule {
    id: "database-unreachable",
    family: ErrorFamily::Network,
    said_by: &[],
    patterns: &[
        "Couldn't obtain encoding for database",
        "Unable to obtain a connection",
        "Unable to connect",
    ],
    cause: "The connection to the database failed; the service reports no reason.",
    fix: "Check host, port, user and password, one after the other.",
    next_steps: &[LOGS],
    owner: Department,
    example: "database.hostname: Error while validating connector config: Couldn't obtain encoding for database claims",
    confidence: Verified,
    source: "confluentinc/mcp-confluent fixture; docs/reference/connect.md#error-messages, pattern 9",
    is_generic: true,
};

pub(super) static GENERIC_RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "platform-error",
        family: ErrorFamily::Confluent,
        said_by: &[],
        patterns: &[
            "The connector failed due to an unexpected error",
            "Unexpected error occurred with connector",
            "connect team is looking",
            "worker was lost",
            "OutOfMemoryError",
            "Task is being killed",
            "Cannot complete request",
            "ensuring membership in the cluster",
            "ConnectRestException",
            "contact Confluent support",
            "contact our support",
        ],
        cause: "The service failed and reports no details.",
        fix: "Check the logs for details; a restart often helps.",
        next_steps: &[
            LOGS,
            RESTART,
            text_step(
                "Otherwise send this output to the platform team: a support case needs the connector's id and \
                       the time.",
            ),
        ],
        owner: Confluent,
        example: "The connector failed due to an unexpected error. Contact our Support team to quickly resolve this issue. We \
                  apologize for any inconvenience.",
        confidence: Documented,
        source: "kafka-docker-playground issue 8723; docs/reference/connect.md#error-messages, pattern 25",
        is_generic: true,
    },
    DiagnosisRule {
        id: "external-system",
        family: ErrorFamily::ExternalSystem,
        said_by: &[Speaker::ExternalSystem],
        patterns: &["*"],
        cause: "The external system, or the plugin's client for it, reports an error that no rule explains.",
        fix: "Look the message up in the documentation of the external system, and read its own log of that time.",
        next_steps: &[LOGS],
        owner: Department,
        example: "ORA-26824: user-defined XStream callback error",
        confidence: Inferred,
        source: "names of products and their clients in the message",
        is_generic: true,
    },
    DiagnosisRule {
        id: "task-crashed",
        family: ErrorFamily::Unknown,
        said_by: &[],
        patterns: &[
            "Task threw an uncaught and unrecoverable exception",
            "Tolerance exceeded in error handler",
        ],
        cause: "A task failed with an unknown error.",
        fix: "Check the logs of the task for details.",
        next_steps: &[LOGS],
        owner: Unknown,
        example: "org.apache.kafka.connect.errors.ConnectException: WorkerSinkTask{id=lcc-8kq2zm-0} Task threw an uncaught and \
                  unrecoverable exception",
        confidence: Verified,
        source: "confluentinc/mcp-confluent fixture; docs/reference/connect.md#error-messages, pattern 24",
        is_generic: true,
    },
];

/// Rule for a running connector that moves no records.
pub static NO_RECORDS: DiagnosisRule = DiagnosisRule {
    id: "no-records",
    family: ErrorFamily::Unknown,
    said_by: &[],
    patterns: &[],
    cause: "The connector runs without a reported error; records may be missing because of its configuration.",
    fix: "Check the settings that skip or drop records silently.",
    next_steps: &[
        viewer_step(
            "Compare its offsets twice, 1 min apart",
            "connector offset describe {name}",
        ),
        operator_step("Read the logs of its tasks", "connector logs {name} --since 1h"),
    ],
    owner: Department,
    example: "RUNNING, and no record arrives",
    confidence: Verified,
    source: "kafka-docker-playground (plugin definitions); docs/reference/connect.md#error-messages, pattern 32",
    is_generic: false,
};

/// Rule for a connector that has not started.
pub static PROVISIONING: DiagnosisRule = DiagnosisRule {
    id: "provisioning",
    family: ErrorFamily::Provisioning,
    said_by: &[],
    patterns: &[],
    cause: "The connector has not started yet. Most connectors run within 2 min, and failures show within 3 min.",
    fix: "Wait up to 15 min; after that, the connector is stuck.",
    next_steps: &[
        operator_step("Wait for the connector", "connector wait {name} --timeout 15m"),
        text_step(
            "If it is stuck, send this output to the platform team: a support case needs the connector's id and \
                   the time.",
        ),
    ],
    owner: Confluent,
    example: "PROVISIONING, for longer than a quarter of an hour",
    confidence: Verified,
    source: "terraform-provider-confluent internal/provider/utils_wait.go; docs/reference/connect.md#timing-of-states",
    is_generic: true,
};

/// Rule for a connector that has not started although its last change is longer ago than any start takes.
pub static PROVISIONING_STUCK: DiagnosisRule = DiagnosisRule {
    id: "provisioning-stuck",
    family: ErrorFamily::Provisioning,
    said_by: &[],
    patterns: &[],
    cause: "The connector has not started, although its last change is more than 15 min ago: it is stuck.",
    fix: "Send this output to the platform team: a support case needs the connector's id and the time.",
    next_steps: &[alternative(
        "On private networking, check the route from Confluent's network to the external system first.",
    )],
    owner: Confluent,
    example: "PROVISIONING for 3 h",
    confidence: Documented,
    source: "terraform-provider-confluent issues 42 and 199; docs/reference/connect.md#timing-of-states",
    is_generic: true,
};

/// Rule for errors that match no other rule.
pub static UNKNOWN: DiagnosisRule = DiagnosisRule {
    id: "unknown",
    family: ErrorFamily::Unknown,
    said_by: &[],
    patterns: &[],
    cause: "The error is unknown.",
    fix: "No fix is known; read the whole message and the log around it.",
    next_steps: &[
        LOGS,
        alternative("Send the message to the platform team, so that a rule can be added."),
    ],
    owner: Unknown,
    example: "anything else",
    confidence: Inferred,
    source: "none",
    is_generic: true,
};
