//! Parsed requests.

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::reply::ErrorReply;

/// Request to the sandbox.
#[derive(Clone, Debug)]
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    /// Path without a leading `/api`.
    pub(crate) path: String,
    /// Raw query.
    pub(crate) raw_query: String,
    /// Prefix of links: scheme, host, and `/api` if the caller used it.
    pub(crate) base: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Values of the route's placeholders.
    pub(crate) segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl ApiRequest {
    pub(crate) fn new(parts: &http::request::Parts, body: Bytes) -> Self {
        let full = parts.uri.path();
        let (prefix, path) = match full.strip_prefix("/api/") {
            Some(_) => full.split_at("/api".len()),
            None => ("", full),
        };
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let host = host.or(authority).unwrap_or("127.0.0.1");
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        Self {
            method: parts.method.clone(),
            path: path.to_owned(),
            base: format!("http://{}{prefix}", host.rsplit('@').next().unwrap_or(host)),
            headers: parts.headers.clone(),
            body,
            segments: Vec::new(),
            query: raw_query.split('&').filter_map(parse_pair).collect(),
            raw_query,
        }
    }

    /// Returns a copy with another body.
    pub(crate) fn with_body(&self, body: Bytes) -> Self {
        Self { body, ..self.clone() }
    }

    /// Returns a query parameter. The Confluent CLI sends unused filters with empty values, so empty means absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query_values(name).next()
    }

    /// Returns all non-empty values of a repeatable query parameter.
    pub(crate) fn query_values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Returns the query without one parameter, for links.
    pub(crate) fn raw_query_without(&self, name: &str) -> String {
        let kept = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(name);
        self.raw_query.split('&').filter(kept).collect::<Vec<_>>().join("&")
    }

    /// Returns the value of a placeholder of the path.
    pub(crate) fn segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Parses the JSON body.
    pub(crate) fn parse_json<T: DeserializeOwned>(&self) -> Result<T, ErrorReply> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ErrorReply::invalid(format!("invalid request body: {error}")))
    }
}

fn parse_pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    (!key.is_empty()).then(|| (decode(key), decode(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> ApiRequest {
        let (parts, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
        ApiRequest::new(&parts, Bytes::new())
    }

    // `traces/README.md`: "empty values mean absent", paths at `/…` and `/api/…`.
    #[test]
    fn empty_filters_are_ignored_and_the_api_prefix_is_stripped() {
        let one = request("http://127.0.0.1:1024/api/iam/v2/api-keys?spec.owner=&page_size=2&x=a%2Cb+c");
        assert_eq!(one.path, "/iam/v2/api-keys");
        assert_eq!(one.base, "http://127.0.0.1:1024/api");
        assert_eq!(one.query("spec.owner"), None);
        assert_eq!(one.query("x"), Some("a,b c"));
        assert_eq!(one.raw_query_without("page_size"), "spec.owner=&x=a%2Cb+c");
        assert_eq!(request("http://127.0.0.1/api").path, "/api");
        assert_eq!(request("http://cpdev.cloud@127.0.0.1:9/x").base, "http://127.0.0.1:9");
    }
}
