//! Rules for errors in the configuration that the service names.

use super::{
    CONTACT_PLATFORM_TEAM, DESCRIBE, Department, DiagnosisRule, ErrorFamily, Platform, UPDATE, Verified, deployer_step,
    viewer_step,
};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "missing-key",
        family: ErrorFamily::Configuration,
        said_by: &[],
        patterns: &[
            "\"*\" is required",
            "Missing required configuration \"*\"",
            "must be set",
            "must be specified",
            "is mandatory",
            "must be configured",
            "must not be empty",
            "cannot be empty",
            "No value specified for",
        ],
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
        family: ErrorFamily::Configuration,
        said_by: &[],
        patterns: &[
            "Value \"*\" doesn't belong to the property's \"*\" enum",
            "must be one of",
            "is not a valid option",
            "String must be one of",
            "not one of the",
        ],
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
        family: ErrorFamily::Configuration,
        said_by: &[],
        patterns: &[
            "should be greater than or equal to",
            "should be less than or equal to",
            "Value must be at least",
            "Value must be no more than",
            "must be greater than",
            "must be less than",
        ],
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
        family: ErrorFamily::Configuration,
        said_by: &[],
        patterns: &[
            "Failed to find any class that implements",
            "undefined response type",
            "Plugin class * not found",
            "connector.class * not",
            "ClassNotFoundException",
            "is not a supported connector",
            "Connector plugin * not found",
            "Unknown connector class",
            "connector class",
        ],
        cause: "The plugin or class does not exist: the value is a Java class instead of a plugin id, \
                or the region does not offer it.",
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
        family: ErrorFamily::Configuration,
        said_by: &[],
        patterns: &[
            "offset*java.lang.String cannot be cast to*java.lang.Long",
            "java.lang.String cannot be cast to*java.lang.Long*offset",
            "offset*java.lang.String cannot be cast to*java.lang.Integer",
            "java.lang.String cannot be cast to*java.lang.Integer*offset",
        ],
        cause: "Offsets were set with numbers written as strings.",
        fix: "Set them again with numbers without quotes.",
        next_steps: &[
            viewer_step("Show the stored offsets", "connector offset describe {name}"),
            deployer_step("Set the offsets", "connector offset update {name} --config-file FILE"),
        ],
        owner: Department,
        example: "Failed to load offsets: java.lang.ClassCastException: class java.lang.String cannot be \
                cast to class java.lang.Long",
        confidence: Verified,
        source: "terraform-provider-confluent; docs/reference/connect.md#error-messages, pattern 31",
        is_generic: false,
    },
    DiagnosisRule {
        id: "quota",
        family: ErrorFamily::Quota,
        said_by: &[],
        patterns: &[
            "is currently limited to",
            "connector limit",
            "task limit",
            "maximum number of connectors",
            "maximum number of tasks",
            "exceeds the quota",
            "connectors per cluster",
            "tasks exceed",
            "max tasks",
            "maximum tasks",
            "CKU limit",
        ],
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

/// Rule for a rejected configuration that matches no other rule.
pub(in super::super) static INVALID_CONFIGURATION: DiagnosisRule = DiagnosisRule {
    id: "invalid-configuration",
    family: ErrorFamily::Configuration,
    said_by: &[],
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
