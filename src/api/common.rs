//! Types shared by all API groups: list envelopes, metadata, references.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List<T> {
    /// API group and version, for example `iam/v2`.
    pub api_version: String,
    /// Kind of the list, for example `ServiceAccountList`.
    pub kind: String,
    /// Links to the other pages.
    #[serde(default)]
    pub metadata: ListMeta,
    /// Objects of this page; a page may be empty even if another page follows.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
}

/// Links to the pages of a list. An absent link and an empty link mean the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ListMeta {
    /// Link to the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Link to the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Link to the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// Link to the next page, absolute or relative. Its `page_token` is opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Number of objects in all pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_size: Option<u64>,
}

/// Metadata that the service adds to every object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// URL of the object.
    #[serde(rename = "self", default, skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// CRN of the object. The CRN of a service account lacks the organization, so never use it as the pattern of a role
    /// binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Time of creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Time of the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// Reference to another object. Responses carry all fields; requests may carry the id only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectReference {
    /// Id of the referenced object.
    pub id: String,
    /// Environment of the referenced object, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// URL of the referenced object; clients send it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// CRN of the referenced object; clients send it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// API group and version of the referenced object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the referenced object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl ObjectReference {
    /// Creates a reference for a request: the id only.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }
}

/// Page size that this program requests: the constant of the Confluent CLI, allowed by every list
/// (docs/reference/rbac.md#pagination).
pub const PAGE_SIZE: u32 = 100;

/// Builds the query of a list: the page size and the page token.
#[must_use]
pub fn page_query(token: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("page_size", PAGE_SIZE.to_string())];
    query.extend(token.map(|token| ("page_token", token.to_owned())));
    query
}

/// Extracts the page token from an absolute or relative link to a page. The rest of the link is ignored, so a link with
/// a wrong host has no effect.
#[must_use]
pub fn page_token(next: &str) -> Option<String> {
    let query = next.split_once('?')?.1;
    let query = query.split('#').next().unwrap_or_default();
    let encoded = query.split('&').find_map(|pair| pair.strip_prefix("page_token="))?;
    // A `+` stays a `+`: tokens look like base64, which contains pluses but no spaces.
    let token = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    Some(token).filter(|token| !token.is_empty())
}

/// Adds offsets to the body of a request, if there are any.
pub(super) fn insert_offsets(body: &mut serde_json::Value, offsets: Option<&serde_json::Value>) {
    if let Some(offsets) = offsets {
        body["offsets"] = offsets.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::page_token;

    #[test]
    fn only_the_page_token_is_taken_from_a_link() {
        let token = |link: &str| page_token(link).unwrap_or_default();
        assert_eq!(
            token("https://api.confluent.cloud/a/b?page_size=10&page_token=UXp%3D%2B"),
            "UXp=+"
        );
        assert_eq!(token("/a/b?page_token=a+b/c=#there"), "a+b/c=");
        assert_eq!(token("?page_token=x&page_size=1"), "x");
        assert_eq!(token("https://elsewhere.example.com/?token=x"), "");
        assert_eq!(token("/a/b"), "");
        assert_eq!(token("/a/b?page_token="), "");
    }
}
