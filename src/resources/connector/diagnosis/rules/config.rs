//! Rules for errors in the configuration.

use super::{
    CONTACT_PLATFORM_TEAM, DESCRIBE, Department, DiagnosisRule, Documented, Inferred, Platform, RESTART, UPDATE,
    Verified, deployer_step, text_step, viewer_step,
};

/// Rule for a rejected configuration that matches no other rule.
pub(in super::super) static INVALID_CONFIGURATION: DiagnosisRule = DiagnosisRule {
    id: "invalid-configuration",
    patterns: &["Unable to validate configuration. If an update was made"],
    cause: "The service accepted the configuration and rejected it later.",
    fix: "Correct the keys that it reports.",
    next_steps: &[
        deployer_step(
            "Validate the corrected file with the service",
            "connector validate --config-file FILE",
        ),
        UPDATE,
    ],
    owner: Department,
    example: "Unable to validate configuration. If an update was made to the configuration, this means that the \
              configuration was invalid, and the connector continues to operate on a previous configuration that passed \
              validation. Errors:\nflush.size: the value was not accepted",
    confidence: Verified,
    source: "kafka-docker-playground ccloud/fm-mqtt-sink; docs/reference/connect.md#error-messages, pattern 6",
    is_generic: false,
};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "kafka-key-invalid",
        patterns: &["Provided Kafka ApiKey is invalid"],
        cause: "Kafka rejects the API key of the connector: it is revoked, too new, or belongs to another cluster.",
        fix: "Run the connector as the department's service account: set `kafka.auth.mode` to `SERVICE_ACCOUNT` and \
              remove `kafka.api.key` and `kafka.api.secret`.",
        next_steps: &[
            text_step("A new key takes about 1 min to propagate; wait before you change anything."),
            UPDATE,
        ],
        owner: Department,
        example: "There were some errors with your configuration:\ntopics: Provided Kafka ApiKey is invalid",
        confidence: Verified,
        source: "OpenAPI of connect/v1; docs/reference/connect.md#error-messages, pattern 1",
        is_generic: false,
    },
    DiagnosisRule {
        id: "runtime-account-missing",
        patterns: &["Service account * does not exist"],
        cause: "The service account of the connector does not exist.",
        fix: "Remove `kafka.service.account.id` from the file; the department's account is filled in.",
        next_steps: &[
            UPDATE,
            text_step("If it is the department's account, ask the platform team to onboard the department again."),
        ],
        owner: Platform,
        example: "Service account sa-7x9kp2 does not exist",
        confidence: Inferred,
        source: "terraform-provider-confluent docs/resources/confluent_connector; \
                 docs/reference/connect.md#kafka-identity",
        is_generic: false,
    },
    DiagnosisRule {
        id: "dead-letters-denied",
        patterns: &[
            "User does not have * access to topic prefixed with dlq-lcc",
            "User does not have * access to topic prefixed with success-lcc",
            "User does not have * access to topic prefixed with error-lcc",
        ],
        cause: "The connector's account is not allowed to create the topic for failed records.",
        fix: "Ask the platform team for CREATE and WRITE on topics that begin with `dlq-lcc`, `success-lcc` or \
              `error-lcc`.",
        next_steps: &[
            text_step(
                "Alternatively specify topics of the department: `errors.deadletterqueue.topic.name`, \
                 `reporter.error.topic.name`, `reporter.result.topic.name`.",
            ),
            RESTART,
        ],
        owner: Platform,
        example: "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc",
        confidence: Documented,
        source: "terraform-provider-confluent issue 210; docs/reference/connect.md#error-messages, pattern 5",
        is_generic: false,
    },
    DiagnosisRule {
        id: "missing-key",
        patterns: &["\"*\" is required", "Missing required configuration \"*\""],
        cause: "The configuration lacks a key that the plugin requires.",
        fix: "Add the key.",
        next_steps: &[
            viewer_step(
                "List the required keys of the plugin",
                "connector plugin describe {plugin}",
            ),
            UPDATE,
        ],
        owner: Department,
        example: "\"s3.bucket.name\" is required",
        confidence: Verified,
        source: "terraform-provider-confluent; docs/reference/connect.md#error-messages, pattern 2",
        is_generic: false,
    },
    DiagnosisRule {
        id: "value-not-allowed",
        patterns: &["Value \"*\" doesn't belong to the property's \"*\" enum"],
        cause: "A value is not one of the allowed values of its key; values are case-sensitive.",
        fix: "Use one of the allowed values.",
        next_steps: &[
            viewer_step("List the allowed values", "connector plugin describe {plugin}"),
            UPDATE,
        ],
        owner: Department,
        example: "Value \"orders\" doesn't belong to the property's \"quickstart\" enum",
        confidence: Verified,
        source: "confluentinc/cli test/test-server; docs/reference/connect.md#error-messages, pattern 3",
        is_generic: false,
    },
    DiagnosisRule {
        id: "value-out-of-range",
        patterns: &["should be greater than or equal to", "should be less than or equal to"],
        cause: "A number is outside the range that the plugin allows.",
        fix: "Use a number within the range given in the message.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "\"flush.size\" should be greater than or equal to 1000",
        confidence: Verified,
        source: "OpenAPI of connect/v1; docs/reference/connect.md#error-messages, pattern 4",
        is_generic: false,
    },
    DiagnosisRule {
        id: "unknown-plugin",
        patterns: &["Failed to find any class that implements Connector"],
        cause: "The plugin does not exist: the value is a Java class instead of a plugin id, or the region does not \
                offer it.",
        fix: "Set `connector.class` to the id of a plugin.",
        next_steps: &[
            viewer_step("List the available plugins", "connector plugin list"),
            deployer_step(
                "Create it from the corrected file",
                "connector create --config-file FILE",
            ),
        ],
        owner: Department,
        example: "Failed to find any class that implements Connector and which name matches \
                  io.confluent.connect.s3.S3SinkConnector",
        confidence: Verified,
        source: "OpenAPI of connect/v1; terraform-provider-confluent issue 53; \
                 docs/reference/connect.md#error-messages, pattern 7",
        is_generic: false,
    },
    DiagnosisRule {
        id: "offset-type",
        patterns: &[
            "java.lang.String cannot be cast to class java.lang.Long",
            "java.lang.String cannot be cast to class java.lang.Integer",
            "java.lang.String cannot be cast to java.lang.Long",
            "java.lang.String cannot be cast to java.lang.Integer",
        ],
        cause: "Offsets were set with numbers written as strings.",
        fix: "Set them again with numbers without quotes.",
        next_steps: &[
            viewer_step("Show the stored offsets", "connector offset describe {name}"),
            deployer_step("Set the offsets", "connector offset update {name} --config-file FILE"),
        ],
        owner: Department,
        example: "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.lang.Long",
        confidence: Verified,
        source: "terraform-provider-confluent; docs/reference/connect.md#error-messages, pattern 31",
        is_generic: false,
    },
    DiagnosisRule {
        id: "quota",
        patterns: &["is currently limited to"],
        cause: "A limit of the organization or the cluster is reached.",
        fix: "Ask the platform team to raise the limit or to free capacity.",
        next_steps: &[
            viewer_step("Show the quota usage", "quota describe"),
            CONTACT_PLATFORM_TEAM,
            DESCRIBE,
        ],
        owner: Platform,
        example: "connector tasks per Kafka cluster is currently limited to 250",
        confidence: Verified,
        source: "confluentinc/cli pkg/errors; docs/reference/connect.md#error-messages, pattern 30",
        is_generic: false,
    },
];
