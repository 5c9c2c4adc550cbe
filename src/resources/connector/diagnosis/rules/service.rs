//! What the service says about itself, what it does not say, and what only a state tells.

use super::{
    Confluent, Department, Documented, Ebs, Inferred, LOGS, RESTART, Rule, TELL_EBS, Verified, look, operate, say,
};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "not-restartable",
        patterns: &["cannot be restarted"],
        cause: "The service restarts only connectors that are RUNNING.",
        fix: "Use this program's restart, which pauses and resumes what does not run.",
        then: &[RESTART],
        owner: Department,
        example: "Connector claims-orders cannot be restarted: it is PAUSED, not RUNNING",
        mark: Inferred,
        source: "dossier connect.md §2.8 and §10, 29: that it answers 400 is verified, its words are not known",
        is_vague: false,
    },
    Rule {
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
        then: &[look("See what the profile says", "profile show")],
        owner: Department,
        example: "{\"error\":{\"code\":404,\"message\":\"account not found\"}}",
        mark: Documented,
        source: "dossier connect.md §1.1 and §10, 28; terraform-provider-confluent issue 402",
        is_vague: false,
    },
    Rule {
        id: "forbidden",
        patterns: &["Forbidden Access"],
        cause: "The key's roles do not allow this, or the connector does not exist: the service answers both alike.",
        fix: "Check the name, then what the key may do.",
        then: &[
            look("See whether there is one of that name", "connector list"),
            look("See what the key may do", "doctor"),
            TELL_EBS,
        ],
        owner: Ebs,
        example: "{\"errors\":[{\"status\":\"403\",\"code\":\"forbidden_access\",\"title\":\"Forbidden Access\"}]}",
        mark: Verified,
        source: "dossier connect.md §1.1 and §10, 27; terraform-provider-confluent",
        is_vague: false,
    },
];

/// It says more than the keys under which it stands: Debezium puts it under all that lead to the database.
pub(in super::super) static DATABASE_UNREACHABLE: Rule = Rule {
    id: "database-unreachable",
    patterns: &[
        "Couldn't obtain encoding for database",
        "Unable to obtain a connection",
        "Unable to connect",
    ],
    cause: "The database could not be asked; the service does not say why.",
    fix: "Check host, port, user and password, one after the other.",
    then: &[LOGS],
    owner: Department,
    example: "database.hostname: Error while validating connector config: Couldn't obtain encoding for database claims",
    mark: Verified,
    source: "dossier connect.md §10, 9; confluentinc/mcp-confluent fixture",
    is_vague: true,
};

pub(super) static VAGUE: &[Rule] = &[
    Rule {
        id: "platform-error",
        patterns: &["The connector failed due to an unexpected error. Contact our Support"],
        cause: "The service failed, and says no more about it.",
        fix: "Only the log lines may say more; often a restart helps.",
        then: &[
            LOGS,
            RESTART,
            say("Else give EBS this screen: a support case needs the connector's id and the time."),
        ],
        owner: Confluent,
        example: "The connector failed due to an unexpected error. Contact our Support team to quickly resolve this issue. We \
                  apologize for any inconvenience.",
        mark: Documented,
        source: "dossier connect.md §3.3 and §10, 25; kafka-docker-playground issue 8723",
        is_vague: true,
    },
    Rule {
        id: "task-crashed",
        patterns: &[
            "Task threw an uncaught and unrecoverable exception",
            "Tolerance exceeded in error handler",
        ],
        cause: "A task ended with an error that no rule here knows.",
        fix: "Only the log lines of the task say more.",
        then: &[LOGS, RESTART],
        owner: Department,
        example: "org.apache.kafka.connect.errors.ConnectException: WorkerSinkTask{id=lcc-8kq2zm-0} Task threw an uncaught and \
                  unrecoverable exception",
        mark: Verified,
        source: "dossier connect.md §10, 24; confluentinc/mcp-confluent fixture",
        is_vague: true,
    },
];

/// It runs, and nothing moves.
pub static NO_RECORDS: Rule = Rule {
    id: "no-records",
    patterns: &[],
    cause: "It runs, and the service says nothing of an error: records can be missing for reasons that are none.",
    fix: "Go through what its configuration allows to happen in silence.",
    then: &[
        look(
            "See where it stands, twice, a minute apart",
            "connector offset describe {name}",
        ),
        operate("Read what its tasks wrote", "connector logs {name} --since 1h"),
    ],
    owner: Department,
    example: "RUNNING, and no record arrives",
    mark: Verified,
    source: "dossier connect.md §4.1 and §10, 32",
    is_vague: false,
};

/// It has not started.
pub static PROVISIONING: Rule = Rule {
    id: "provisioning",
    patterns: &[],
    cause: "It has not started yet. Most connectors run within two minutes, and what is wrong shows within three.",
    fix: "Wait; after a quarter of an hour it is stuck.",
    then: &[
        operate("Wait for it", "connector wait {name} --timeout 15m"),
        say("If it is stuck, give EBS this screen: a support case needs the connector's id and the time."),
    ],
    owner: Confluent,
    example: "PROVISIONING, for longer than a quarter of an hour",
    mark: Verified,
    source: "dossier connect.md §3.2",
    is_vague: true,
};

/// No rule is met.
pub static UNKNOWN: Rule = Rule {
    id: "unknown",
    patterns: &[],
    cause: "No rule knows this error.",
    fix: "Only what the service says, and the log lines, can help.",
    then: &[LOGS, RESTART, TELL_EBS],
    owner: Department,
    example: "anything else",
    mark: Inferred,
    source: "none",
    is_vague: true,
};
