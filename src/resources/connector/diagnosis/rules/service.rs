//! What the service says about itself, what it does not say, and what only a state tells.

use super::{
    CONTACT_PLATFORM_TEAM, Confluent, Department, DiagnosisRule, Documented, Inferred, LOGS, Platform, RESTART,
    Verified, operator_step, text_step, viewer_step,
};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "not-restartable",
        patterns: &["cannot be restarted"],
        cause: "The service restarts only connectors that are RUNNING.",
        fix: "Use this program's restart, which pauses and resumes what does not run.",
        next_steps: &[RESTART],
        owner: Department,
        example: "Connector claims-orders cannot be restarted: it is PAUSED, not RUNNING",
        confidence: Inferred,
        source: "confluentinc/mcp-confluent (that it answers 400; its words are not known); \
                 docs/reference/connect.md#error-messages, pattern 29",
        is_generic: false,
    },
    DiagnosisRule {
        id: "wrong-place",
        // In the service's own frame: DynamoDB says "Requested resource not found" of a table.
        patterns: &[
            "account not found",
            "^resource not found",
            "\"resource not found",
            "404 Not Found: resource not found",
        ],
        cause: "There is no such Kafka cluster in this environment.",
        fix: "Compare the ids of environment and cluster with those of the profile.",
        next_steps: &[viewer_step("See what the profile says", "profile show")],
        owner: Department,
        example: "{\"error\":{\"code\":404,\"message\":\"account not found\"}}",
        confidence: Documented,
        source: "terraform-provider-confluent issue 402; docs/reference/connect.md#error-messages, pattern 28",
        is_generic: false,
    },
    DiagnosisRule {
        id: "forbidden",
        patterns: &["Forbidden Access"],
        cause: "The key's roles do not allow this, or the connector does not exist: the service answers both alike.",
        fix: "Check the name, then what the key may do.",
        next_steps: &[
            viewer_step("See whether there is one of that name", "connector list"),
            viewer_step("See what the key may do", "doctor"),
            CONTACT_PLATFORM_TEAM,
        ],
        owner: Platform,
        example: "{\"errors\":[{\"status\":\"403\",\"code\":\"forbidden_access\",\"title\":\"Forbidden Access\"}]}",
        confidence: Verified,
        source: "terraform-provider-confluent; docs/reference/connect.md#error-messages, pattern 27",
        is_generic: false,
    },
];

/// It says more than the keys under which it stands: Debezium puts it under all that lead to the database.
pub(in super::super) static DATABASE_UNREACHABLE: DiagnosisRule = DiagnosisRule {
    id: "database-unreachable",
    patterns: &[
        "Couldn't obtain encoding for database",
        "Unable to obtain a connection",
        "Unable to connect",
    ],
    cause: "The database could not be asked; the service does not say why.",
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
        patterns: &["The connector failed due to an unexpected error. Contact our Support"],
        cause: "The service failed, and says no more about it.",
        fix: "Only the log lines may say more; often a restart helps.",
        next_steps: &[
            LOGS,
            RESTART,
            text_step("Else give EBS this screen: a support case needs the connector's id and the time."),
        ],
        owner: Confluent,
        example: "The connector failed due to an unexpected error. Contact our Support team to quickly resolve this issue. We \
                  apologize for any inconvenience.",
        confidence: Documented,
        source: "kafka-docker-playground issue 8723; docs/reference/connect.md#error-messages, pattern 25",
        is_generic: true,
    },
    DiagnosisRule {
        id: "task-crashed",
        patterns: &[
            "Task threw an uncaught and unrecoverable exception",
            "Tolerance exceeded in error handler",
        ],
        cause: "A task ended with an error that no rule here knows.",
        fix: "Only the log lines of the task say more.",
        next_steps: &[LOGS, RESTART],
        owner: Department,
        example: "org.apache.kafka.connect.errors.ConnectException: WorkerSinkTask{id=lcc-8kq2zm-0} Task threw an uncaught and \
                  unrecoverable exception",
        confidence: Verified,
        source: "confluentinc/mcp-confluent fixture; docs/reference/connect.md#error-messages, pattern 24",
        is_generic: true,
    },
];

/// It runs, and nothing moves.
pub static NO_RECORDS: DiagnosisRule = DiagnosisRule {
    id: "no-records",
    patterns: &[],
    cause: "It runs, and the service says nothing of an error: records can be missing for reasons that are none.",
    fix: "Go through what its configuration allows to happen in silence.",
    next_steps: &[
        viewer_step(
            "See where it stands, twice, a minute apart",
            "connector offset describe {name}",
        ),
        operator_step("Read what its tasks wrote", "connector logs {name} --since 1h"),
    ],
    owner: Department,
    example: "RUNNING, and no record arrives",
    confidence: Verified,
    source: "kafka-docker-playground (plugin definitions); docs/reference/connect.md#error-messages, pattern 32",
    is_generic: false,
};

/// It has not started.
pub static PROVISIONING: DiagnosisRule = DiagnosisRule {
    id: "provisioning",
    patterns: &[],
    cause: "It has not started yet. Most connectors run within two minutes, and what is wrong shows within three.",
    fix: "Wait; after a quarter of an hour it is stuck.",
    next_steps: &[
        operator_step("Wait for it", "connector wait {name} --timeout 15m"),
        text_step("If it is stuck, give EBS this screen: a support case needs the connector's id and the time."),
    ],
    owner: Confluent,
    example: "PROVISIONING, for longer than a quarter of an hour",
    confidence: Verified,
    source: "terraform-provider-confluent internal/provider/utils_wait.go; docs/reference/connect.md#timing-of-states",
    is_generic: true,
};

/// No rule is met.
pub static UNKNOWN: DiagnosisRule = DiagnosisRule {
    id: "unknown",
    patterns: &[],
    cause: "No rule knows this error.",
    fix: "Only what the service says, and the log lines, can help.",
    next_steps: &[LOGS, RESTART, CONTACT_PLATFORM_TEAM],
    owner: Department,
    example: "anything else",
    confidence: Inferred,
    source: "none",
    is_generic: true,
};
