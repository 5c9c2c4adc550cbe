//! What Kafka and the Schema Registry refuse to the connector's account.

use super::{
    CONTACT_PLATFORM_TEAM, Department, DiagnosisRule, Documented, Inferred, LOGS, Platform, RESTART, UPDATE, Verified,
    deployer_step, text_step, viewer_step,
};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "topic-denied",
        patterns: &[
            "Not authorized to access topics",
            "TopicAuthorizationException",
            "User does not have * access to topic",
        ],
        cause: "The connector's account may not use a topic.",
        fix: "If the topic does not begin with the department's prefix, name one that does; else EBS has to grant it.",
        next_steps: &[
            text_step("A sink needs READ on what it reads, a source WRITE, and CREATE for topics that are not there."),
            CONTACT_PLATFORM_TEAM,
            RESTART,
        ],
        owner: Platform,
        example: "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [claims-orders]",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 18",
        is_generic: false,
    },
    DiagnosisRule {
        id: "group-denied",
        patterns: &["GroupAuthorizationException", "Not authorized to access group"],
        cause: "The connector's account may not use its consumer group.",
        fix: "Ask EBS for READ on the groups that begin with connect-lcc.",
        next_steps: &[CONTACT_PLATFORM_TEAM, RESTART],
        owner: Platform,
        example: "org.apache.kafka.common.errors.GroupAuthorizationException: Not authorized to access group: \
                  connect-lcc-8kq2zm",
        confidence: Documented,
        source: "docs connectors/service-account.html; docs/reference/connect.md#error-messages, pattern 18",
        is_generic: false,
    },
    DiagnosisRule {
        id: "cluster-denied",
        patterns: &["ClusterAuthorizationException", "TransactionalIdAuthorizationException"],
        cause: "The connector's account lacks a right on the Kafka cluster itself.",
        fix: "Ask EBS for DESCRIBE on the cluster, and for what the message names.",
        next_steps: &[CONTACT_PLATFORM_TEAM, RESTART],
        owner: Platform,
        example: "org.apache.kafka.common.errors.ClusterAuthorizationException: Cluster authorization failed.",
        confidence: Inferred,
        source: "docs connectors/service-account.html; docs/reference/rbac.md#access-of-a-connectors-account",
        is_generic: false,
    },
    DiagnosisRule {
        id: "schema-denied",
        patterns: &[
            "User is denied operation * on Subject",
            "RestClientException: Unauthorized",
            "RestClientException: Forbidden",
            "error code: 40301",
        ],
        cause: "The connector's account may not use a schema.",
        fix: "Ask EBS for DeveloperRead on the subject, for a source DeveloperWrite.",
        next_steps: &[
            text_step(
                "Subjects are called like their topics, with -key or -value behind: the department's begin with its prefix.",
            ),
            CONTACT_PLATFORM_TEAM,
            RESTART,
        ],
        owner: Platform,
        example: "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException: User is denied operation \
                  Read on Subject: claims-orders-value; error code: 40301",
        confidence: Inferred,
        source: "Schema Registry's own error texts; docs/reference/connect.md#error-messages, pattern 17",
        is_generic: false,
    },
    DiagnosisRule {
        id: "schema-missing",
        patterns: &[
            "Subject * not found",
            "Subject not found",
            "Schema * not found; error code",
            "Schema not found; error code",
            "Schema not found.; error code",
        ],
        cause: "A schema that the records name is not in the Schema Registry.",
        fix: "Register the schema of the topic, or point schema.context.name to where it is.",
        next_steps: &[
            text_step("If the topic holds no schemas at all, input.data.format is wrong: take JSON or STRING."),
            UPDATE,
            RESTART,
        ],
        owner: Department,
        example: "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException: Subject not found.; error \
                  code: 40401",
        confidence: Inferred,
        source: "Schema Registry's own error texts; docs/reference/connect.md#error-messages, pattern 17",
        is_generic: false,
    },
    DiagnosisRule {
        id: "schema-unreadable",
        patterns: &["Error retrieving * schema"],
        cause: "A schema could not be fetched from the Schema Registry.",
        fix: "See in the log lines what the Schema Registry answered.",
        next_steps: &[LOGS, CONTACT_PLATFORM_TEAM],
        owner: Platform,
        example: "org.apache.kafka.common.errors.SerializationException: Error retrieving Avro value schema for id 100042",
        confidence: Inferred,
        source: "Schema Registry's own error texts; docs/reference/connect.md#error-messages, pattern 17",
        is_generic: false,
    },
    DiagnosisRule {
        id: "redo-topic",
        patterns: &["Failed to subscribe to the redo log topic"],
        cause: "The topic for Oracle's redo log is not there, may not be used, or stays empty.",
        fix: "Have a topic with one partition under the name in redo.log.topic.name, within the department's prefix.",
        next_steps: &[
            text_step(
                "Where it is there, EBS has to grant it to the connector's account; where it is empty, Oracle writes nothing.",
            ),
            RESTART,
        ],
        owner: Department,
        example: "Failed to subscribe to the redo log topic 'claims-redo' even after waiting 300 seconds",
        confidence: Documented,
        source: "docs connectors/logging-cloud-connectors.html; docs/reference/connect.md#error-messages, pattern 15",
        is_generic: false,
    },
    DiagnosisRule {
        id: "topic-missing",
        patterns: &[
            "UnknownTopicOrPartitionException",
            "Topic * is not present",
            "This server does not host this topic-partition",
        ],
        cause: "A topic of the connector does not exist.",
        fix: "Make the topic, or write its name right.",
        next_steps: &[
            text_step("One that the connector made itself and somebody deleted comes back with the next start."),
            UPDATE,
            RESTART,
        ],
        owner: Department,
        example: "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host this \
                  topic-partition.",
        confidence: Inferred,
        source: "Kafka's own error text; docs/reference/quotas.md#connector-limits",
        is_generic: false,
    },
    DiagnosisRule {
        id: "record-too-large",
        patterns: &["RecordTooLargeException"],
        cause: "A record is larger than Kafka takes: 8 MB on most clusters, 20 MB on Dedicated ones, less if the topic says so.",
        fix: "Raise max.message.bytes of the topic, or leave out the large columns.",
        next_steps: &[UPDATE, RESTART],
        owner: Department,
        example: "org.apache.kafka.common.errors.RecordTooLargeException: The message is 9437184 bytes when serialized which \
                  is larger than 8388608, which is the value of the max.request.size configuration.",
        confidence: Verified,
        source: "kafka-docker-playground; docs/reference/connect.md#error-messages, pattern 19",
        is_generic: false,
    },
    DiagnosisRule {
        id: "slow-target",
        // The name of the setting alone stands in every configuration that a log line holds.
        patterns: &[
            "CommitFailedException",
            "poll timeout has expired",
            "longer than * max.poll.interval.ms",
            "longer than max.poll.interval.ms",
            "max.poll.interval.ms * exceeded",
            "exceeded * max.poll.interval.ms",
        ],
        cause: "The other system is too slow: Kafka takes the partitions away before a batch is written.",
        fix: "Lower max.poll.records or raise max.poll.interval.ms.",
        next_steps: &[
            text_step("More tasks help as far as the topics have partitions and the quota has tasks."),
            viewer_step("See what the quota still allows", "quota describe"),
            deployer_step("Send the changed file", "connector update {name} --config-file FILE"),
        ],
        owner: Department,
        example: "org.apache.kafka.clients.consumer.CommitFailedException: Offset commit cannot be completed since the \
                  consumer is not part of an active group",
        confidence: Documented,
        source: "kafka-docker-playground (definition of max.poll.interval.ms); \
                 docs/reference/connect.md#error-messages, pattern 23",
        is_generic: false,
    },
];
