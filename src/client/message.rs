//! Encoded requests and raw responses, between the typed endpoints and the transport.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{
    base_url::BaseUrl,
    credentials::Auth,
    error::{ApiCall, ClientError, ErrorResponse, RequestFailure},
    retry::Attempts,
    transport::{MAX_RESPONSE_BYTES, TransportError},
};
use crate::api::{Endpoint, RetrySafety, encode_segment, endpoint::path_and_query};

/// Returns the `User-Agent`. The service may reject clients without a meaningful one
/// (docs/reference/rbac.md#iam-endpoints).
#[must_use]
pub fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("confluent-ebs/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"))
}

/// Encoded request, which can be sent several times.
pub(super) struct PreparedRequest {
    pub(super) call: Box<ApiCall>,
    request: Request<Bytes>,
}

impl PreparedRequest {
    /// Encodes an endpoint, for the page of `page_token` if it is paginated.
    pub(super) fn new<E: Endpoint>(
        base: &BaseUrl,
        auth: &Auth,
        endpoint: &E,
        page_token: Option<&str>,
    ) -> Result<Self, ClientError> {
        let mut target = path_and_query(endpoint);
        let path = target.split('?').next().unwrap_or_default().to_owned();
        if let Some(token) = page_token {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str("page_token=");
            target.push_str(&encode_segment(token));
        }
        let call = Box::new(ApiCall {
            operation: short_name::<E>(),
            verb: endpoint.action(),
            subject: endpoint.subject(),
            method: E::METHOD,
            path,
            retry_safety: E::RETRY,
        });
        let mut segments = endpoint.segments().into_iter();
        // Such a path segment would address another object or list, and escaping does not prevent that.
        if let Some(name) = segments.find(|part| matches!(*part, "" | "." | "..")) {
            let why = format!("`{name}` is not allowed in a URL");
            return Err(ClientError::InvalidRequest { call, reason: why });
        }
        match encode_body(format!("{base}{target}"), E::METHOD, E::ACCEPT, endpoint.body(), auth) {
            Ok(request) => Ok(Self { call, request }),
            Err(error) => {
                let why = error.to_string();
                Err(ClientError::InvalidRequest { call, reason: why })
            }
        }
    }

    pub(super) fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    pub(super) fn rejected(&self, refusal: ErrorResponse, tries: Attempts) -> ClientError {
        ClientError::Rejected {
            call: self.call.clone(),
            response: Box::new(refusal),
            tries,
        }
    }

    /// Returns the error for a failure that is not retried.
    pub(super) fn failed(&self, failure: RequestFailure, tries: Attempts) -> ClientError {
        let call = self.call.clone();
        let unsent = matches!(
            failure,
            RequestFailure::Transport(
                TransportError::Connect { .. } | TransportError::Certificate { .. } | TransportError::NotSent(_)
            )
        );
        match failure {
            // Repeating a read is safe, so its outcome is never unknown. The caller retries a repeatable write.
            RequestFailure::Transport(cause) if unsent || call.retry_safety == RetrySafety::Idempotent => {
                ClientError::NoResponse {
                    call,
                    cause: Box::new(cause),
                    tries,
                }
            }
            RequestFailure::Response(refusal) if call.retry_safety == RetrySafety::Idempotent => {
                self.rejected(refusal, tries)
            }
            lost => ClientError::OutcomeUnknown {
                call,
                failure: Box::new(lost),
                tries,
            },
        }
    }

    pub(super) fn invalid_response(&self, answer: &RawResponse, error: &serde_json::Error) -> ClientError {
        // The parser's message can quote the body, which may contain a secret: keep only the position of a value.
        let what = match error.classify() {
            serde_json::error::Category::Data => "it does not have the expected structure",
            serde_json::error::Category::Eof if answer.body.is_empty() => "it is empty",
            serde_json::error::Category::Eof => "it is truncated",
            _ if answer.body.trim_ascii_start().starts_with(b"<") => "it is a web page, not JSON",
            _ => "it is not JSON",
        };
        let place = match error.classify() {
            serde_json::error::Category::Data => format!(" (line {}, column {})", error.line(), error.column()),
            _ => String::new(),
        };
        ClientError::InvalidResponse {
            call: self.call.clone(),
            status: answer.status,
            reason: format!("{what}{place}"),
            request_id: answer.request_id.clone(),
        }
    }
}

fn encode_body(
    uri: String,
    method: Method,
    accept: &'static str,
    body: Option<Value>,
    auth: &Auth,
) -> Result<Request<Bytes>, http::Error> {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::USER_AGENT, user_agent())
        .header(header::ACCEPT, accept);
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map(|body| Bytes::from(body.to_string()));
    let mut request = request.body(body.unwrap_or_default())?;
    auth.apply(request.headers_mut());
    Ok(request)
}

/// Raw response with a decompressed body.
pub(super) struct RawResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) request_id: Option<String>,
}

impl From<Response<Bytes>> for RawResponse {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| value.to_str().ok().filter(|id| !id.is_empty()).map(str::to_owned);
        Self {
            status: parts.status,
            request_id: parts.headers.get("x-request-id").and_then(text),
            headers: parts.headers,
            body: decompress(body),
        }
    }
}

impl RawResponse {
    /// Returns whether a successful status carries an error in the body, as some failed deletions of Connect do
    /// (docs/reference/connect.md#error-bodies, E6).
    pub(super) fn is_error_in_success(&self) -> bool {
        serde_json::from_slice::<Value>(&self.body).is_ok_and(|body| !body["error"].is_null())
    }
}

/// Decompresses a body. Error bodies can be compressed without a header that says so
/// (docs/reference/connect.md#transport-and-authentication); their first bytes tell, because no JSON starts with them.
fn decompress(body: Bytes) -> Bytes {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return body;
    }
    let mut plain = Vec::new();
    let reader = flate2::read::GzDecoder::new(&body[..]);
    match std::io::Read::read_to_end(&mut std::io::Read::take(reader, MAX_RESPONSE_BYTES as u64), &mut plain) {
        Ok(_) => plain.into(),
        Err(_) => body,
    }
}

/// Returns the short type name of an endpoint: `CreateRoleBinding`.
fn short_name<E>() -> &'static str {
    let path = std::any::type_name::<E>();
    path.split('<')
        .next()
        .unwrap_or(path)
        .rsplit("::")
        .next()
        .unwrap_or(path)
}
