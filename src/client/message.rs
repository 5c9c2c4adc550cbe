//! Requests as they are sent and answers as they came, between the typed endpoints and the transport.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{
    address::BaseUrl,
    credentials::Auth,
    error::{Call, ClientError, Lost, Refusal},
    retry::Tries,
    transport::{LONGEST_ANSWER, TransportError},
};
use crate::api::{Endpoint, Repeat, encode_segment, endpoint::target};

/// The `User-Agent`: the service may refuse clients without a sensible one (dossier `rbac.md` §4).
#[must_use]
pub fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("confluent-ebs/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"))
}

/// A request that is ready to be sent, as often as it takes.
pub(super) struct Prepared {
    pub(super) call: Box<Call>,
    request: Request<Bytes>,
}

impl Prepared {
    /// Writes an endpoint down, for the page of `page_token` if it is one of several.
    pub(super) fn new<E: Endpoint>(
        base: &BaseUrl,
        auth: &Auth,
        endpoint: &E,
        page_token: Option<&str>,
    ) -> Result<Self, ClientError> {
        let mut target = target(endpoint);
        let path = target.split('?').next().unwrap_or_default().to_owned();
        if let Some(token) = page_token {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str("page_token=");
            target.push_str(&encode_segment(token));
        }
        let call = Box::new(Call {
            operation: short_name::<E>(),
            verb: endpoint.deed(),
            subject: endpoint.subject(),
            method: E::METHOD,
            path,
            repeat: E::REPEAT,
        });
        let mut segments = endpoint.segments().into_iter();
        // Such a segment would change which object, or which list, the address names: no escape keeps it a name.
        if let Some(name) = segments.find(|part| matches!(*part, "" | "." | "..")) {
            let why = format!("`{name}` cannot be part of an address");
            return Err(ClientError::Unsendable { call, why });
        }
        match write(format!("{base}{target}"), E::METHOD, E::ACCEPT, endpoint.body(), auth) {
            Ok(request) => Ok(Self { call, request }),
            Err(error) => {
                let why = error.to_string();
                Err(ClientError::Unsendable { call, why })
            }
        }
    }

    pub(super) fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    pub(super) fn answered(&self, refusal: Refusal, tries: Tries) -> ClientError {
        ClientError::Answered {
            call: self.call.clone(),
            refusal: Box::new(refusal),
            tries,
        }
    }

    /// The error for a failure after which there is no other try.
    pub(super) fn lost(&self, failure: Lost, tries: Tries) -> ClientError {
        let call = self.call.clone();
        let unsent = matches!(
            failure,
            Lost::OnTheWay(
                TransportError::Connect { .. } | TransportError::Certificate { .. } | TransportError::Forbidden(_)
            )
        );
        match failure {
            // A read has no effect that could be in doubt, and a write that may be repeated is repeated by its caller.
            Lost::OnTheWay(cause) if unsent || call.repeat == Repeat::Safe => ClientError::NoAnswer {
                call,
                cause: Box::new(cause),
                tries,
            },
            Lost::InTheService(refusal) if call.repeat == Repeat::Safe => self.answered(refusal, tries),
            lost => ClientError::AnswerLost {
                call,
                lost: Box::new(lost),
                tries,
            },
        }
    }

    pub(super) fn unreadable(&self, answer: &RawAnswer, error: &serde_json::Error) -> ClientError {
        // The parser's own words can quote the body, which may hold a secret: only the place is kept of a value.
        let what = match error.classify() {
            serde_json::error::Category::Data => "it has not the expected form",
            serde_json::error::Category::Eof if answer.body.is_empty() => "it is empty",
            serde_json::error::Category::Eof => "it is cut off",
            _ if answer.body.trim_ascii_start().starts_with(b"<") => "it is a web page, not JSON",
            _ => "it is not JSON",
        };
        let place = match error.classify() {
            serde_json::error::Category::Data => format!(" (line {}, column {})", error.line(), error.column()),
            _ => String::new(),
        };
        ClientError::Unreadable {
            call: self.call.clone(),
            status: answer.status,
            why: format!("{what}{place}"),
            request_id: answer.request_id.clone(),
        }
    }
}

fn write(
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

/// An answer as it came, with its body made readable.
pub(super) struct RawAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) request_id: Option<String>,
}

impl From<Response<Bytes>> for RawAnswer {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| value.to_str().ok().filter(|id| !id.is_empty()).map(str::to_owned);
        Self {
            status: parts.status,
            request_id: parts.headers.get("x-request-id").and_then(text),
            headers: parts.headers,
            body: unzip(body),
        }
    }
}

impl RawAnswer {
    /// Connect answers some failed deletions with 200 and the error in the body (dossier `connect.md` §1.1, E6).
    pub(super) fn hides_error(&self) -> bool {
        serde_json::from_slice::<Value>(&self.body).is_ok_and(|body| !body["error"].is_null())
    }
}

/// Error bodies can arrive compressed without a header that says so (dossier `connect.md` §1): known by their first
/// bytes, which no JSON begins with.
fn unzip(body: Bytes) -> Bytes {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return body;
    }
    let mut plain = Vec::new();
    let reader = flate2::read::GzDecoder::new(&body[..]);
    match std::io::Read::read_to_end(&mut std::io::Read::take(reader, LONGEST_ANSWER as u64), &mut plain) {
        Ok(_) => plain.into(),
        Err(_) => body,
    }
}

/// `CreateRoleBinding`, from the type's path.
fn short_name<E>() -> &'static str {
    let path = std::any::type_name::<E>();
    path.split('<')
        .next()
        .unwrap_or(path)
        .rsplit("::")
        .next()
        .unwrap_or(path)
}
