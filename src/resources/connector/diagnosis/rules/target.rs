//! What the other system refuses: users, buckets.

use super::{Department, Documented, Inferred, RESTART, Rule, UPDATE, Verified, look, operate, say};

pub(super) static RULES: &[Rule] = &[
    Rule {
        id: "host-not-allowed",
        patterns: &[
            "no pg_hba.conf entry for host",
            "is not allowed to connect to this MySQL server",
        ],
        cause: "The database does not let this user in from Confluent's addresses.",
        fix: "Allow the addresses that Confluent connects from, in pg_hba.conf or in the grants of the user.",
        then: &[RESTART],
        owner: Department,
        example: "FATAL: no pg_hba.conf entry for host \"198.51.100.7\", user \"cdc\", database \"claims\", SSL on",
        mark: Inferred,
        source: "dossier connect.md §10, 8; PostgreSQL, MySQL",
        is_vague: false,
    },
    Rule {
        id: "account-locked",
        patterns: &["ORA-28000", "account is locked"],
        cause: "The database has locked the user, often after too many wrong passwords.",
        fix: "Pause the connector, so that it tries no more, and have the user unlocked.",
        then: &[
            operate("Pause it", "connector pause {name}"),
            say("Set the right password in the secret that the connector's file refers to."),
            UPDATE,
            operate("Go on", "connector resume {name}"),
        ],
        owner: Department,
        example: "ORA-28000: the account is locked",
        mark: Inferred,
        source: "Oracle's own error text",
        is_vague: false,
    },
    Rule {
        id: "wrong-password",
        patterns: &[
            "password authentication failed for user",
            "Access denied for user",
            "Login failed for user",
            "ORA-01017",
            "(AuthenticationFailed)",
            "Exception authenticating MongoCredential",
            "401 Unauthorized",
        ],
        cause: "The other system does not accept the user or the password.",
        fix: "Set user and password right: in the file, and in the secret that it refers to.",
        then: &[
            UPDATE,
            say("If they are right, the user may not be allowed in from Confluent's addresses."),
        ],
        owner: Department,
        example: "Error while validating connector config: FATAL: password authentication failed for user \"cdc\"",
        mark: Verified,
        source: "dossier connect.md §2.9 and §10, 8; confluentinc/mcp-confluent fixture (PostgreSQL), the others inferred",
        is_vague: false,
    },
    Rule {
        id: "storage-denied",
        patterns: &[
            "AccessDenied",
            "Access Denied (Service: Amazon S3",
            // As the two versions of Amazon's library word it; HTTP sinks say "Status code: 403", too.
            "(Service: Amazon S3; Status Code: 403",
            "(Service: S3, Status Code: 403",
            "storage.objects.create",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
        ],
        cause: "The cloud storage refuses access (403).",
        fix: "Allow the key or the role to write in the bucket or container, and check that the region is right.",
        then: &[
            say(
                "S3: s3:PutObject, s3:GetBucketLocation, s3:ListBucket. Google: storage.objects.create. Azure: firewall, too.",
            ),
            RESTART,
        ],
        owner: Department,
        example: "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; \
                  Error Code: AccessDenied)",
        mark: Inferred,
        source: "dossier connect.md §10, 21",
        is_vague: false,
    },
    Rule {
        id: "api-key-invalid",
        patterns: &["invalid API key"],
        cause: "The key that the request was made with is deleted, mistyped, or a Kafka cluster's instead of a Cloud API key.",
        fix: "Take the Cloud API key of the profile; EBS can rotate it.",
        then: &[look("See what is wrong with the key", "doctor")],
        owner: super::Ebs,
        example: "{\"error\":{\"code\":401,\"message\":\"invalid API key: make sure you're using a Cloud API Key and not a \
                  Cluster API Key\"}}",
        mark: Documented,
        source: "dossier connect.md §1 and §10, 26; terraform-provider-confluent issue 361",
        is_vague: false,
    },
];
