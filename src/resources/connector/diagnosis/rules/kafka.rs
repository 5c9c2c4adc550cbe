//! Rules for requests of the connector's account that Kafka or the Schema Registry denies.

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
        cause: "The connector's account is not allowed to use a topic.",
        fix: "Use a topic with the department's prefix; if it has the prefix, ask the platform team for access.",
        next_steps: &[
            text_step("A sink needs READ on its topics; a source needs WRITE, and CREATE for new topics."),
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
        cause: "The connector's account is not allowed to use its consumer group.",
        fix: "Ask the platform team for READ on groups that begin with `connect-lcc`.",
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
        cause: "The connector's account lacks a permission on the Kafka cluster itself.",
        fix: "Ask the platform team for DESCRIBE on the cluster and for the operation in the message.",
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
        cause: "The connector's account is not allowed to use a schema.",
        fix: "Ask the platform team for DeveloperRead on the subject; a source needs DeveloperWrite.",
        next_steps: &[
            text_step(
                "A subject is named after its topic with the suffix `-key` or `-value`; the department's begin with \
                 its prefix.",
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
        cause: "The Schema Registry lacks a schema that the records refer to.",
        fix: "Register the schema of the topic, or set `schema.context.name` to the context that contains it.",
        next_steps: &[
            text_step("If the records have no schemas, set `input.data.format` to `JSON` or `STRING`."),
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
        cause: "A schema could not be read from the Schema Registry.",
        fix: "Find the response of the Schema Registry in the logs.",
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
        cause: "The topic for Oracle's redo log does not exist, is not accessible, or is empty.",
        fix: "Set `redo.log.topic.name` to a topic with one partition and the department's prefix.",
        next_steps: &[
            text_step(
                "If it exists, ask the platform team to grant it to the connector's account; if it is empty, Oracle \
                 writes nothing.",
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
        fix: "Create the topic, or correct its name.",
        next_steps: &[
            text_step("A restart recreates a deleted topic that the connector had created itself."),
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
        cause: "A record exceeds the limit of Kafka: 8 MB on most clusters, 20 MB on Dedicated ones, or less as set \
                for the topic.",
        fix: "Raise `max.message.bytes` of the topic, or exclude the large columns.",
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
        // The name of the setting alone also occurs in logged configurations.
        patterns: &[
            "CommitFailedException",
            "poll timeout has expired",
            "longer than * max.poll.interval.ms",
            "longer than max.poll.interval.ms",
            "max.poll.interval.ms * exceeded",
            "exceeded * max.poll.interval.ms",
        ],
        cause: "The external system is too slow: Kafka revokes the partitions before a batch is written.",
        fix: "Lower `max.poll.records` or raise `max.poll.interval.ms`.",
        next_steps: &[
            text_step("More tasks help up to the number of partitions, within the quota."),
            viewer_step("Show the available quota", "quota describe"),
            deployer_step("Apply the changed file", "connector update {name} --config-file FILE"),
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
