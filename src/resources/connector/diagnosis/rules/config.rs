//! What the service says about the configuration itself.

use super::{
    CONTACT_PLATFORM_TEAM, DESCRIBE, Department, DiagnosisRule, Documented, Inferred, Platform, RESTART, UPDATE,
    Verified, deployer_step, text_step, viewer_step,
};

/// The configuration was refused, for a reason that no other rule knows.
pub(in super::super) static INVALID_CONFIGURATION: DiagnosisRule = DiagnosisRule {
    id: "invalid-configuration",
    patterns: &["Unable to validate configuration. If an update was made"],
    cause: "The service took the configuration and refused it later.",
    fix: "Correct what it names, key by key.",
    next_steps: &[
        deployer_step(
            "Let the service judge the corrected file",
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
        cause: "Kafka does not know the API key that the connector runs with: revoked, of another cluster, or too new.",
        fix: "Let the connector run under the department's account: set kafka.auth.mode to SERVICE_ACCOUNT and leave out \
              kafka.api.key and kafka.api.secret.",
        next_steps: &[
            text_step("A new key counts after about a minute; wait before you change anything."),
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
        cause: "The service account that the connector runs under is not there.",
        fix: "Leave kafka.service.account.id out of the file: the department's account is filled in.",
        next_steps: &[
            UPDATE,
            text_step("If it is the department's, EBS has to onboard it again."),
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
        cause: "The connector's account may not make the topic for failed records.",
        fix: "Ask EBS for CREATE and WRITE on the topics that begin with dlq-lcc, success-lcc or error-lcc.",
        next_steps: &[
            text_step(
                "Or name a topic of the department: errors.deadletterqueue.topic.name, reporter.error.topic.name, \
                 reporter.result.topic.name.",
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
        cause: "A key that the plugin requires is not in the configuration.",
        fix: "Add the key.",
        next_steps: &[
            viewer_step("See what the plugin requires", "connector plugin describe {plugin}"),
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
        cause: "A value is not among those that the key takes; capitals count.",
        fix: "Write one of the values that the plugin takes.",
        next_steps: &[
            viewer_step("See which they are", "connector plugin describe {plugin}"),
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
        cause: "A number is smaller or larger than the plugin allows.",
        fix: "Write a number within the limits that the message names.",
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
        cause: "There is no such plugin here: a Java class instead of a plugin's id, or not offered in this region.",
        fix: "Write the id of a plugin under connector.class.",
        next_steps: &[
            viewer_step("See which plugins there are", "connector plugin list"),
            deployer_step(
                "Make it again from the corrected file",
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
        cause: "Offsets were set with numbers written as text.",
        fix: "Set them again, numbers without quotes.",
        next_steps: &[
            viewer_step("See what is stored", "connector offset describe {name}"),
            deployer_step("Set them", "connector offset update {name} --config-file FILE"),
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
        fix: "Ask EBS, who can raise it or free some of it.",
        next_steps: &[
            viewer_step("See what is used", "quota describe"),
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
