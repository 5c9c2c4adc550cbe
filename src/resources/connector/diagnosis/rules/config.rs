//! What the service says about the configuration itself.

use super::{
    DESCRIBE, Department, Documented, Ebs, Inferred, RESTART, Rule, TELL_EBS, UPDATE, Verified, deploy, look, say,
};

/// The configuration was refused, for a reason that no other rule knows.
pub(in super::super) static INVALID_CONFIGURATION: Rule = Rule {
    id: "invalid-configuration",
    patterns: &["Unable to validate configuration. If an update was made"],
    cause: "The service took the configuration and refused it later.",
    fix: "Correct what it names, key by key.",
    then: &[
        deploy(
            "Let the service judge the corrected file",
            "connector validate --config-file FILE",
        ),
        UPDATE,
    ],
    owner: Department,
    example: "Unable to validate configuration. If an update was made to the configuration, this means that the \
              configuration was invalid, and the connector continues to operate on a previous configuration that passed \
              validation. Errors:\nflush.size: the value was not accepted",
    mark: Verified,
    source: "dossier connect.md §10, 6; kafka-docker-playground ccloud/fm-mqtt-sink",
    is_vague: false,
};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "kafka-key-invalid",
        patterns: &["Provided Kafka ApiKey is invalid"],
        cause: "Kafka does not know the API key that the connector runs with: revoked, of another cluster, or too new.",
        fix: "Let the connector run under the department's account: set kafka.auth.mode to SERVICE_ACCOUNT and leave out \
              kafka.api.key and kafka.api.secret.",
        then: &[
            say("A new key counts after about a minute; wait before you change anything."),
            UPDATE,
        ],
        owner: Department,
        example: "There were some errors with your configuration:\ntopics: Provided Kafka ApiKey is invalid",
        mark: Verified,
        source: "dossier connect.md §10, 1; OpenAPI of connect/v1",
        is_vague: false,
    },
    Rule {
        id: "runtime-account-missing",
        patterns: &["Service account * does not exist"],
        cause: "The service account that the connector runs under is not there.",
        fix: "Leave kafka.service.account.id out of the file: the department's account is filled in.",
        then: &[UPDATE, say("If it is the department's, EBS has to onboard it again.")],
        owner: Ebs,
        example: "Service account sa-7x9kp2 does not exist",
        mark: Inferred,
        source: "dossier connect.md §4.2",
        is_vague: false,
    },
    Rule {
        id: "dead-letters-denied",
        patterns: &[
            "User does not have * access to topic prefixed with dlq-lcc",
            "User does not have * access to topic prefixed with success-lcc",
            "User does not have * access to topic prefixed with error-lcc",
        ],
        cause: "The connector's account may not make the topic for failed records.",
        fix: "Ask EBS for CREATE and WRITE on the topics that begin with dlq-lcc, success-lcc or error-lcc.",
        then: &[
            say(
                "Or name a topic of the department: errors.deadletterqueue.topic.name, reporter.error.topic.name, \
                 reporter.result.topic.name.",
            ),
            RESTART,
        ],
        owner: Ebs,
        example: "kafka.service.account.id: User does not have CREATE access to topic prefixed with dlq-lcc",
        mark: Documented,
        source: "dossier connect.md §10, 5; terraform-provider-confluent issue 210",
        is_vague: false,
    },
    Rule {
        id: "missing-key",
        patterns: &["\"*\" is required", "Missing required configuration \"*\""],
        cause: "A key that the plugin requires is not in the configuration.",
        fix: "Add the key.",
        then: &[
            look("See what the plugin requires", "connector plugin describe {plugin}"),
            UPDATE,
        ],
        owner: Department,
        example: "\"s3.bucket.name\" is required",
        mark: Verified,
        source: "dossier connect.md §10, 2; terraform-provider-confluent",
        is_vague: false,
    },
    Rule {
        id: "value-not-allowed",
        patterns: &["Value \"*\" doesn't belong to the property's \"*\" enum"],
        cause: "A value is not among those that the key takes; capitals count.",
        fix: "Write one of the values that the plugin takes.",
        then: &[look("See which they are", "connector plugin describe {plugin}"), UPDATE],
        owner: Department,
        example: "Value \"orders\" doesn't belong to the property's \"quickstart\" enum",
        mark: Verified,
        source: "dossier connect.md §10, 3; confluentinc/cli test/test-server",
        is_vague: false,
    },
    Rule {
        id: "value-out-of-range",
        patterns: &["should be greater than or equal to", "should be less than or equal to"],
        cause: "A number is smaller or larger than the plugin allows.",
        fix: "Write a number within the limits that the message names.",
        then: &[UPDATE],
        owner: Department,
        example: "\"flush.size\" should be greater than or equal to 1000",
        mark: Verified,
        source: "dossier connect.md §10, 4; OpenAPI of connect/v1",
        is_vague: false,
    },
    Rule {
        id: "unknown-plugin",
        patterns: &["Failed to find any class that implements Connector"],
        cause: "There is no such plugin here: a Java class instead of a plugin's id, or not offered in this region.",
        fix: "Write the id of a plugin under connector.class.",
        then: &[
            look("See which plugins there are", "connector plugin list"),
            deploy(
                "Make it again from the corrected file",
                "connector create --config-file FILE",
            ),
        ],
        owner: Department,
        example: "Failed to find any class that implements Connector and which name matches \
                  io.confluent.connect.s3.S3SinkConnector",
        mark: Verified,
        source: "dossier connect.md §10, 7; OpenAPI of connect/v1; terraform-provider-confluent issue 53",
        is_vague: false,
    },
    Rule {
        id: "offset-type",
        patterns: &[
            "java.lang.String cannot be cast to class java.lang.Long",
            "java.lang.String cannot be cast to class java.lang.Integer",
            "java.lang.String cannot be cast to java.lang.Long",
            "java.lang.String cannot be cast to java.lang.Integer",
        ],
        cause: "Offsets were set with numbers written as text.",
        fix: "Set them again, numbers without quotes.",
        then: &[
            look("See what is stored", "connector offset describe {name}"),
            deploy("Set them", "connector offset update {name} --config-file FILE"),
        ],
        owner: Department,
        example: "java.lang.ClassCastException: class java.lang.String cannot be cast to class java.lang.Long",
        mark: Verified,
        source: "dossier connect.md §9 and §10, 31; terraform-provider-confluent",
        is_vague: false,
    },
    Rule {
        id: "quota",
        patterns: &["is currently limited to"],
        cause: "A limit of the organization or the cluster is reached.",
        fix: "Ask EBS, who can raise it or free some of it.",
        then: &[look("See what is used", "quota describe"), TELL_EBS, DESCRIBE],
        owner: Ebs,
        example: "connector tasks per Kafka cluster is currently limited to 250",
        mark: Verified,
        source: "dossier connect.md §1.1 and §10, 30; confluentinc/cli pkg/errors",
        is_vague: false,
    },
];
