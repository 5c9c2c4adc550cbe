//! A request as a value: what to send, where, and whether it may be sent again.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

/// What may happen to a request whose answer was lost or was a 5xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetrySafety {
    /// It may be sent again: a second time changes nothing. Reads are, also those that are POSTs.
    Idempotent,
    /// It must not be sent again blindly; the caller looks the object up by its natural key first.
    CheckFirst,
}

/// One call of the service.
pub trait Endpoint: Send + Sync {
    /// The verb.
    const METHOD: Method;
    /// The route with `{name}` for its variable parts; the sandbox mounts its handler on the same text.
    const ROUTE: &'static str;
    /// Whether it may be repeated. Reads, PUTs, PATCHes and DELETEs are safe, POSTs that make something are not.
    const RETRY: RetrySafety;
    /// What a 2xx answer holds. `()` when the body means nothing.
    type Response: DeserializeOwned + Send;
    /// The form in which the answer is wanted.
    const ACCEPT: &'static str = "application/json";

    /// The values of the route's variable parts, in order, not yet encoded.
    fn segments(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The query, in order, not yet encoded.
    fn query(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The JSON body.
    fn body(&self) -> Option<serde_json::Value> {
        None
    }

    /// Whether a 2xx answer without a body is as good as one with `null`. Only for `Answer = ()`.
    const EMPTY_RESPONSE: bool = false;

    /// What is done to the subject, for messages.
    fn action(&self) -> &'static str {
        match Self::METHOD {
            Method::GET | Method::HEAD => "read",
            Method::DELETE => "delete",
            Method::POST => "create",
            _ => "update",
        }
    }

    /// Reads the body of a 2xx answer.
    ///
    /// # Errors
    /// It is not what the endpoint answers.
    fn parse_response(body: &[u8]) -> serde_json::Result<Self::Response> {
        serde_json::from_slice(body)
    }

    /// What the call is about, for messages: `service account "sa-1"`.
    fn subject(&self) -> String;
}

/// A list that comes in pages.
pub trait Paged: Endpoint<Response = super::List<Self::Item>> + Clone {
    /// What the pages hold.
    type Item: DeserializeOwned + Send;
}

/// Unreserved characters (RFC 3986) stay, everything else in a path segment or a query value is escaped.
const ESCAPED_CHARACTERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes one path segment or query value: a space becomes `%20`, never `+`.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_CHARACTERS).to_string()
}

/// Puts `segments` into `route`, escaped.
///
/// # Panics
/// When the number of segments is not the number of `{…}` in the route: a mistake in an endpoint, found by its test.
#[must_use]
pub fn expand_route(route: &str, segments: &[&str]) -> String {
    let mut values = segments.iter();
    let parts: Vec<String> = route
        .split('/')
        .map(|part| match part.starts_with('{') {
            true => encode_segment(
                values
                    .next()
                    .expect("an endpoint has a value for each part of its route"),
            ),
            false => part.to_owned(),
        })
        .collect();
    assert!(
        values.next().is_none(),
        "an endpoint has no value beyond the parts of its route {route}"
    );
    parts.join("/")
}

/// The path and query of an endpoint, escaped.
#[must_use]
pub fn path_and_query<E: Endpoint>(endpoint: &E) -> String {
    let mut target = expand_route(E::ROUTE, &endpoint.segments());
    for (index, (key, value)) in endpoint.query().into_iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(key);
        target.push('=');
        target.push_str(&encode_segment(&value));
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_reserved_characters_stay_one_path_segment() {
        let path = expand_route("/connectors/{name}/status", &["a b/c%[d]|&+,"]);
        assert_eq!(path, "/connectors/a%20b%2Fc%25%5Bd%5D%7C%26%2B%2C/status");
    }
}
