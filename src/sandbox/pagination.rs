//! Pagination of lists, with small default pages and opaque tokens (docs/reference/rbac.md#pagination).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{reply::ErrorReply, request::ApiRequest};
use crate::api::{List, ListMeta};

/// Default page size.
const DEFAULT_SIZE: u32 = 10;

/// Pagination rules of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PagingRules {
    /// API group and version, for example `iam/v2`.
    pub(crate) api_version: &'static str,
    /// Kind of the list, for example `ServiceAccountList`.
    pub(crate) kind: &'static str,
    /// Maximum page size.
    pub(crate) max_size: u32,
    /// Whether the response contains the total number of objects.
    pub(crate) includes_total: bool,
}

impl PagingRules {
    /// Returns the requested page of `items`, which are sorted by key. `show` converts an item, or returns `None` if
    /// the caller may not see it. Without a total, `show` is called for items of this page only.
    ///
    /// A token contains the last key of the previous page, so that concurrent creations and deletions neither repeat
    /// nor skip other objects. It also contains the page size: the parameter counts only in the first request.
    pub(crate) fn page<K: AsRef<str>, R, T: Serialize>(
        self,
        request: &ApiRequest,
        cap: Option<u32>,
        items: impl IntoIterator<Item = (K, R)>,
        mut show: impl FnMut(R) -> Option<T>,
    ) -> Result<List<T>, ErrorReply> {
        let (size, after) = match request.query("page_token") {
            Some(token) => {
                parse_token(token).ok_or_else(|| ErrorReply::invalid("invalid page token").with_source("page_token"))?
            }
            None => (
                self.requested_size(request)?.min(cap.unwrap_or(u32::MAX)),
                String::new(),
            ),
        };
        let size_of_page = usize::try_from(size).unwrap_or(usize::MAX);
        let (mut data, mut last, mut more, mut total) = (Vec::new(), String::new(), false, 0);
        for (key, item) in items {
            let here = key.as_ref() > after.as_str();
            if !here && !self.includes_total {
                continue;
            }
            let Some(shown) = show(item) else { continue };
            total += 1;
            if here && data.len() < size_of_page {
                key.as_ref().clone_into(&mut last);
                data.push(shown);
            } else if here {
                more = true;
                if !self.includes_total {
                    break;
                }
            }
        }
        let link = |token: Option<String>| {
            let mut query = request.raw_query_without("page_token");
            if let Some(token) = token {
                query.push_str(if query.is_empty() {
                    "page_token="
                } else {
                    "&page_token="
                });
                query.push_str(&token);
            }
            let separator = if query.is_empty() { "" } else { "?" };
            format!("{}{}{separator}{query}", request.base, request.path)
        };
        let next = more.then(|| link(Some(URL_SAFE_NO_PAD.encode(format!("{size} {last}")))));
        Ok(List {
            api_version: self.api_version.to_owned(),
            kind: self.kind.to_owned(),
            metadata: ListMeta {
                first: Some(link(None)),
                next,
                total_size: self.includes_total.then_some(total),
                ..ListMeta::default()
            },
            data,
        })
    }

    fn requested_size(self, request: &ApiRequest) -> Result<u32, ErrorReply> {
        let Some(written) = request.query("page_size") else {
            return Ok(DEFAULT_SIZE);
        };
        match written.parse() {
            Ok(size) if (1..=self.max_size).contains(&size) => Ok(size),
            _ => Err(ErrorReply::invalid(format!(
                "page_size must be a number from 1 to {}, not `{written}`",
                self.max_size
            ))
            .with_source("page_size")),
        }
    }
}

fn parse_token(token: &str) -> Option<(u32, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (size, after) = text.split_once(' ')?;
    Some((size.parse().ok()?, after.to_owned()))
}
