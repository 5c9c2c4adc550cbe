//! Rules for what an HTTP target answers.

use super::{Department, DiagnosisRule, Documented, ErrorFamily, RESTART_UNCHANGED, Speaker, UPDATE, alternative};

pub(super) static RULES: &[DiagnosisRule] = &[
    DiagnosisRule {
        id: "http-login",
        family: ErrorFamily::Credentials,
        said_by: &[Speaker::HttpTarget],
        patterns: &["http=401", "http=407"],
        cause: "The HTTP target refuses the credentials.",
        fix: "Correct the user, password or token for the target: the secret that the connector's \
                file refers to.",
        next_steps: &[
            UPDATE,
            alternative(
                "If they are right, check that the target accepts the configured kind: basic, bearer \
                token or OAuth.",
            ),
        ],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 401, Reason Phrase : Unauthorized",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
    DiagnosisRule {
        id: "http-denied",
        family: ErrorFamily::TargetRights,
        said_by: &[Speaker::HttpTarget],
        patterns: &["http=403"],
        cause: "The HTTP target knows the credentials, but does not allow this request, or it does not \
                let Confluent's addresses in.",
        fix: "Allow the credentials to use this path and method.",
        next_steps: &[
            alternative("If they are allowed, check the target's list of addresses or its gateway."),
            RESTART_UNCHANGED,
        ],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 403, Reason Phrase : Forbidden",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
    DiagnosisRule {
        id: "http-missing",
        family: ErrorFamily::TargetMissing,
        said_by: &[Speaker::HttpTarget],
        patterns: &[
            "http=404", "http=405", "http=410", "http=301", "http=302", "http=307", "http=308",
        ],
        cause: "The HTTP target has nothing at this address or does not take this method.",
        fix: "Correct the URL, the path and the method of the connector.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 404, Reason Phrase : Not Found",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
    DiagnosisRule {
        id: "http-limited",
        family: ErrorFamily::TargetLimited,
        said_by: &[Speaker::HttpTarget],
        patterns: &["http=429"],
        cause: "The HTTP target limits the number of requests.",
        fix: "Send fewer requests: raise `batch.max.size`, lower `tasks.max`, or ask the target's \
                owner for a higher limit.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 429, Reason Phrase : Too Many Requests",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
    DiagnosisRule {
        id: "http-data",
        family: ErrorFamily::DataMismatch,
        said_by: &[Speaker::HttpTarget],
        patterns: &[
            "http=400", "http=406", "http=409", "http=411", "http=412", "http=413", "http=415", "http=422",
        ],
        cause: "The HTTP target does not accept the content of the request.",
        fix: "Compare a record with what the target expects: format, headers, batch as an array, size.",
        next_steps: &[UPDATE],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 400, Reason Phrase : Bad Request",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
    DiagnosisRule {
        id: "http-failed",
        family: ErrorFamily::TargetUnavailable,
        said_by: &[Speaker::HttpTarget],
        patterns: &[
            "http=408", "http=500", "http=501", "http=502", "http=503", "http=504", "http=520", "http=521", "http=522",
            "http=523", "http=524", "http=525", "http=526",
        ],
        cause: "The HTTP target failed.",
        fix: "Ask the target's owner; its log of the same time says why.",
        next_steps: &[
            alternative("Raise `max.retries` and `retry.backoff.ms` if the target fails only now and then."),
            RESTART_UNCHANGED,
        ],
        owner: Department,
        example: "Error while processing HTTP request with Url : https://api.example.com/v1/x, Status \
                code : 503, Reason Phrase : Service Unavailable",
        confidence: Documented,
        source: "docs.confluent.io, HTTP Sink connector; HTTP status codes",
        is_generic: false,
    },
];
