//! Rules for requests that the external system denies: users, storage.

use super::{
    Department, DiagnosisRule, Documented, Inferred, RESTART, UPDATE, Verified, operator_step, text_step, viewer_step,
};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "host-not-allowed",
        patterns: &[
            "no pg_hba.conf entry for host",
            "is not allowed to connect to this MySQL server",
        ],
        cause: "The database does not allow this user to connect from Confluent's addresses.",
        fix: "Allow Confluent's addresses in `pg_hba.conf` or in the grants of the user.",
        next_steps: &[RESTART],
        owner: Department,
        example: "FATAL: no pg_hba.conf entry for host \"198.51.100.7\", user \"cdc\", database \"claims\", SSL on",
        confidence: Inferred,
        source: "PostgreSQL, MySQL; docs/reference/connect.md#error-messages, pattern 8",
        is_generic: false,
    },
    DiagnosisRule {
        id: "account-locked",
        patterns: &["ORA-28000", "account is locked"],
        cause: "The database has locked the user, often after too many wrong passwords.",
        fix: "Pause the connector to stop its retries, then unlock the user.",
        next_steps: &[
            operator_step("Pause the connector", "connector pause {name}"),
            text_step("Correct the password in the secret that the connector's file refers to."),
            UPDATE,
            operator_step("Resume the connector", "connector resume {name}"),
        ],
        owner: Department,
        example: "ORA-28000: the account is locked",
        confidence: Inferred,
        source: "Oracle's own error text",
        is_generic: false,
    },
    DiagnosisRule {
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
        cause: "The external system rejects the user or the password.",
        fix: "Correct the user in the file and the password in the secret that the file refers to.",
        next_steps: &[
            UPDATE,
            text_step("If they are correct, check that the user is allowed to connect from Confluent's addresses."),
        ],
        owner: Department,
        example: "Error while validating connector config: FATAL: password authentication failed for user \"cdc\"",
        confidence: Verified,
        source: "confluentinc/mcp-confluent fixture (PostgreSQL), the others inferred; \
                 docs/reference/connect.md#error-messages, pattern 8",
        is_generic: false,
    },
    DiagnosisRule {
        id: "storage-denied",
        patterns: &[
            "AccessDenied",
            "Access Denied (Service: Amazon S3",
            // The messages of both versions of the AWS SDK; HTTP sinks also report "Status code: 403".
            "(Service: Amazon S3; Status Code: 403",
            "(Service: S3, Status Code: 403",
            "storage.objects.create",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
        ],
        cause: "The cloud storage denies access (403).",
        fix: "Allow the key or role to write to the bucket or container, and check the region.",
        next_steps: &[
            text_step(
                "S3: `s3:PutObject`, `s3:GetBucketLocation`, `s3:ListBucket`. Google: `storage.objects.create`. \
                 Azure: check also the firewall.",
            ),
            RESTART,
        ],
        owner: Department,
        example: "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; \
                  Error Code: AccessDenied)",
        confidence: Inferred,
        source: "error texts of AWS, Google Cloud and Azure; docs/reference/connect.md#error-messages, pattern 21",
        is_generic: false,
    },
    DiagnosisRule {
        id: "api-key-invalid",
        patterns: &["invalid API key"],
        cause: "The API key of the request is deleted, mistyped, or a key of a Kafka cluster instead of a Cloud API \
                key.",
        fix: "Use the Cloud API key of the profile; the platform team can rotate it.",
        next_steps: &[viewer_step("Check the key", "doctor")],
        owner: super::Platform,
        example: "{\"error\":{\"code\":401,\"message\":\"invalid API key: make sure you're using a Cloud API Key and not a \
                  Cluster API Key\"}}",
        confidence: Documented,
        source: "terraform-provider-confluent issue 361; docs/reference/connect.md#error-messages, pattern 26",
        is_generic: false,
    },
];
