//! Suggestions for failed calls.

use super::{error::ClientError, transport::TransportError};
use crate::{
    hint::{Advice, Hint},
    quota::ask_for_cluster,
};

impl Advice for ClientError {
    fn hints(&self) -> Vec<Hint> {
        let mut hints: Vec<Hint> = Vec::new();
        if let Some(resolution) = self
            .error_response()
            .and_then(|refusal| refusal.body.resolution.as_deref())
        {
            hints.push(format!("Confluent Cloud advises: {resolution}").into());
        }
        match self {
            Self::NoResponse { cause, .. } => hints.extend(transport_hint(cause)),
            Self::OutcomeUnknown { .. } => hints.push(
                "Re-run the command: it first checks whether the object exists, so it creates no duplicate.".into(),
            ),
            Self::Pagination { .. } => hints.push(
                "No organization needs such a list: check which service answers, with `--unsafe-trace`, and report it to \
                 Confluent's support."
                    .into(),
            ),
            Self::InvalidResponse { .. } => hints.push(
                "A proxy between this machine and Confluent Cloud may have sent the response: check the proxy settings, \
                 and inspect the response with `--unsafe-trace`."
                    .into(),
            ),
            // The only limit on connectors is the number of tasks per cluster
            // (docs/reference/quotas.md#no-quota-per-department).
            Self::Rejected { call, .. } if self.is_quota_exceeded() && call.path.starts_with("/connect/v1/") => {
                hints.push(Hint::naming_platform_team(ask_for_cluster));
            }
            _ if self.is_quota_exceeded() => {
                hints.push("Ask an administrator of the organization to request a higher limit from Confluent.".into());
            }
            _ if self.is_unauthorized() && is_kafka_rest(self) => hints.push(
                "Check that the key belongs to this Kafka cluster (a Cloud API key does not work here) and that key and \
                 secret match. A new key takes a few minutes to propagate."
                    .into(),
            ),
            _ if self.is_forbidden() && is_kafka_rest(self) => hints.push(
                "Grant the key's owner CloudClusterAdmin on the cluster, and remove any ACL that denies it ALTER.".into(),
            ),
            _ if self.is_unauthorized() => hints.push(
                "Check that the key is a Cloud API key (a key of a Kafka cluster does not work here), that it is not \
                 revoked, and that key and secret match."
                    .into(),
            ),
            _ if self.is_forbidden() => hints.push(
                "Check the roles of the key's owner and the name of the object: Confluent Cloud returns the same \
                 response for a missing role and for a missing object."
                    .into(),
            ),
            _ if self.status().is_some_and(|status| status.is_server_error()) => hints.push(
                "This is a failure of Confluent Cloud: try again in a few minutes, and see https://status.confluent.cloud. \
                 If it lasts, give the request to Confluent's support."
                    .into(),
            ),
            _ if self.is_throttled() => hints.push("Try again later, or set a lower `--concurrency`.".into()),
            _ => {}
        }
        hints
    }
}

/// Returns whether the call went to Kafka REST, which has its own keys and permissions.
fn is_kafka_rest(error: &ClientError) -> bool {
    error.call().path.starts_with("/kafka/")
}

fn transport_hint(cause: &TransportError) -> Option<Hint> {
    match cause {
        TransportError::Certificate { .. } => Some(
            "If your company inspects TLS traffic, set `SSL_CERT_FILE` to a PEM file with the certificate of its \
             certificate authority."
                .into(),
        ),
        TransportError::Connect { .. } | TransportError::Timeout { .. } => Some(
            "Check the network. Behind a proxy, set `HTTPS_PROXY`, and list hosts to reach directly in `NO_PROXY`."
                .into(),
        ),
        TransportError::ConnectionLost { .. }
        | TransportError::ResponseTooLarge { .. }
        | TransportError::NotSent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;
    use crate::{
        api::{RetrySafety, parse_error},
        client::{ApiCall, Attempts, ErrorResponse},
    };

    fn error_response(status: u16, body: &str) -> ClientError {
        error_response_at("/iam/v2/service-accounts/sa-1", status, body)
    }

    fn error_response_at(path: &str, status: u16, body: &str) -> ClientError {
        ClientError::Rejected {
            call: Box::new(ApiCall {
                operation: "GetServiceAccount",
                verb: "read",
                subject: "service account `sa-1`".into(),
                method: Method::GET,
                path: path.into(),
                retry_safety: RetrySafety::Idempotent,
            }),
            response: Box::new(ErrorResponse {
                status: StatusCode::from_u16(status).unwrap(),
                body: parse_error(body.as_bytes()),
                request_id: None,
            }),
            tries: Attempts::default(),
        }
    }

    #[test]
    fn each_kind_of_error_has_its_own_hint() {
        let first = |error: &ClientError| error.hints().first().map(ToString::to_string).unwrap_or_default();
        assert!(first(&error_response(401, "")).contains("Cloud API key"));
        assert!(first(&error_response(403, "")).contains("same response"));
        assert!(first(&error_response(429, "")).contains("--concurrency"));
        for status in [500, 503] {
            assert!(first(&error_response(status, "")).contains("https://status.confluent.cloud"));
        }
        let resolution = r#"{"errors":[{"detail":"no","resolution":"Ask."}]}"#;
        assert_eq!(first(&error_response(400, resolution)), "Confluent Cloud advises: Ask.");
        assert!(error_response(404, "").hints().is_empty());
        // The platform's own reserve and the service's limit give the same hint, whatever the status
        // (docs/reference/quotas.md#service-quota-api).
        assert!(first(&error_response(402, "")).contains("administrator"));
        let connectors = "/connect/v1/environments/env-1/clusters/lkc-1/connectors";
        let full = r#"{"error_code":400,"message":"Task quota of the cluster exceeded"}"#;
        for (status, body) in [(402, ""), (400, full), (500, full)] {
            assert_eq!(
                first(&error_response_at(connectors, status, body)),
                ask_for_cluster(crate::hint::PLATFORM_TEAM),
                "{status}"
            );
        }
        let other = r#"{"error_code":400,"message":"name exceeds 64 characters"}"#;
        assert!(!error_response_at(connectors, 400, other).is_quota_exceeded());
        let acls = "/kafka/v3/clusters/lkc-1/acls";
        assert!(first(&error_response_at(acls, 401, "")).contains("belongs to this Kafka cluster"));
        assert!(first(&error_response_at(acls, 403, "")).contains("CloudClusterAdmin"));
    }
}
