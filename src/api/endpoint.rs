//! API calls as values: request, expected response, and whether the call may be retried.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

/// Retry policy for a request with a lost response or a 5xx status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetrySafety {
    /// The request may be retried: repeating it changes nothing. This includes POST requests that only read.
    Idempotent,
    /// The request must not be retried blindly: the caller first looks the object up by its natural key.
    CheckFirst,
}

/// Call of the Confluent Cloud API.
pub trait Endpoint: Send + Sync {
    /// HTTP method.
    const METHOD: Method;
    /// Path with `{name}` placeholders. The sandbox registers its handler under the same path.
    const ROUTE: &'static str;
    /// Retry policy. GET, PUT, PATCH and DELETE are idempotent; a POST that creates an object is not.
    const RETRY: RetrySafety;
    /// Type of the body of a 2xx response; `()` if the body is ignored.
    type Response: DeserializeOwned + Send;
    /// Accepted media type of the response.
    const ACCEPT: &'static str = "application/json";

    /// Returns the values of the path's placeholders, in order and unescaped.
    fn segments(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Returns the query parameters, in order and unescaped.
    fn query(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns the JSON body.
    fn body(&self) -> Option<serde_json::Value> {
        None
    }

    /// Whether an empty body of a 2xx response counts as `null`. Only for `Response = ()`.
    const EMPTY_RESPONSE: bool = false;

    /// Returns the verb that messages use for the call.
    fn action(&self) -> &'static str {
        match Self::METHOD {
            Method::GET | Method::HEAD => "read",
            Method::DELETE => "delete",
            Method::POST => "create",
            _ => "update",
        }
    }

    /// Parses the body of a 2xx response.
    ///
    /// # Errors
    /// The body does not have the expected format.
    fn parse_response(body: &[u8]) -> serde_json::Result<Self::Response> {
        serde_json::from_slice(body)
    }

    /// Returns the object of the call for messages, for example: service account `sa-1`.
    fn subject(&self) -> String;
}

/// List endpoint with pages.
pub trait Paged: Endpoint<Response = super::List<Self::Item>> + Clone {
    /// Type of the list elements.
    type Item: DeserializeOwned + Send;
}

/// Characters that are escaped in a path segment or query value: all but the unreserved ones (RFC 3986).
const ESCAPED_CHARACTERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes a path segment or query value: a space becomes `%20`, never `+`.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED_CHARACTERS).to_string()
}

/// Inserts the escaped `segments` into the placeholders of `route`.
///
/// # Panics
/// If the number of segments differs from the number of placeholders. This is a bug in an endpoint, and the endpoint's
/// test finds it.
#[must_use]
pub fn expand_route(route: &str, segments: &[&str]) -> String {
    let mut values = segments.iter();
    let parts: Vec<String> = route
        .split('/')
        .map(|part| match part.starts_with('{') {
            true => encode_segment(
                values
                    .next()
                    .expect("an endpoint has a value for each placeholder of its route"),
            ),
            false => part.to_owned(),
        })
        .collect();
    assert!(
        values.next().is_none(),
        "an endpoint has no value beyond the placeholders of its route {route}"
    );
    parts.join("/")
}

/// Returns the escaped path and query of an endpoint.
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
