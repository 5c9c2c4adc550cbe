//! What all groups share: list envelopes, metadata, references.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List<T> {
    /// `iam/v2` and the like.
    pub api_version: String,
    /// `ServiceAccountList` and the like.
    pub kind: String,
    /// Where the next page is.
    #[serde(default)]
    pub metadata: ListMeta,
    /// The objects; a page may be empty and still have a next one.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
}

/// Where the pages of a list are. Absent and empty mean the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ListMeta {
    /// The first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// The page after: absolute or relative, its `page_token` is opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many objects there are in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_size: Option<u64>,
}

/// What the service says about an object of its own accord.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// Its address.
    #[serde(rename = "self", default, skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Its CRN. For a service account it lacks the organization: never reuse it as a binding's pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A reference to another object. Answers carry all fields, requests may carry the id alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectReference {
    /// The id.
    pub id: String,
    /// The environment, where the other object lives in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Its address; clients send it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<String>,
    /// Its CRN; clients send it empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Its API group and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl ObjectReference {
    /// A reference as requests carry it: the id alone.
    pub fn from_id(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            ..Self::default()
        }
    }
}

/// The page size this program asks for: the stock CLI's constant, allowed everywhere
/// (docs/reference/rbac.md#pagination).
pub const PAGE_SIZE: u32 = 100;

/// The query of a list: the page size, and the token of the page.
#[must_use]
pub fn page_query(token: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("page_size", PAGE_SIZE.to_string())];
    query.extend(token.map(|token| ("page_token", token.to_owned())));
    query
}

/// The token in a link to a page, absolute or relative: nothing else of the link is used, so a service that writes a wrong
/// host into it leads nobody astray.
#[must_use]
pub fn page_token(next: &str) -> Option<String> {
    let query = next.split_once('?')?.1;
    let query = query.split('#').next().unwrap_or_default();
    let encoded = query.split('&').find_map(|pair| pair.strip_prefix("page_token="))?;
    // A `+` stays one: tokens look like base64, and hold pluses where they would never hold spaces.
    let token = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    Some(token).filter(|token| !token.is_empty())
}

/// Adds offsets to the body of a request, when there are any.
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
