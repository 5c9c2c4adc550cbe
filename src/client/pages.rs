//! Paginated lists as streams: the next page is requested when its first item is needed. A list that exceeds the limits
//! of `response_limits` ends with an error.

use std::collections::HashSet;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{builder::Client, error::ClientError, message::PreparedRequest, response_limits::ListProgress};
use crate::api::{List, Paged, common::page_token};

/// Complete list with its unreadable items.
#[derive(Clone, Debug)]
pub struct PagedList<T> {
    /// Readable items, in the order of the service.
    pub items: Vec<T>,
    /// Unreadable items. They are unknown, not absent: check this list before concluding that an object does not exist.
    pub unreadable: Vec<UnreadableItem>,
}

/// List item that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableItem {
    /// Id, if present.
    pub id: Option<String>,
    /// Decoding error.
    pub reason: String,
}

/// Item of a page.
enum PageEntry<T> {
    Item(T),
    Unreadable(UnreadableItem),
}

/// Cursor of a paginated list.
struct PageCursor<P> {
    client: Client,
    endpoint: P,
    token: Option<String>,
    seen: HashSet<String>,
    progress: ListProgress,
}

impl Client {
    /// Returns the items of a list, page by page. Unreadable items are logged as warnings and skipped;
    /// [`Client::list_with_unreadable`] returns them.
    pub fn stream<P: Paged + 'static>(
        &self,
        endpoint: P,
    ) -> impl Stream<Item = Result<P::Item, ClientError>> + Send + use<P> {
        self.entries(endpoint).try_filter_map(|entry| async move {
            Ok(match entry {
                PageEntry::Item(item) => Some(item),
                PageEntry::Unreadable(_) => None,
            })
        })
    }

    /// Returns all items of a list; see [`Client::stream`].
    pub async fn list<P: Paged + 'static>(&self, endpoint: P) -> Result<Vec<P::Item>, ClientError> {
        Ok(self.list_with_unreadable(endpoint).await?.items)
    }

    /// Returns all items of a list, with the unreadable ones.
    pub async fn list_with_unreadable<P: Paged + 'static>(
        &self,
        endpoint: P,
    ) -> Result<PagedList<P::Item>, ClientError> {
        let mut entries = std::pin::pin!(self.entries(endpoint));
        let mut listing = PagedList {
            items: Vec::new(),
            unreadable: Vec::new(),
        };
        while let Some(entry) = entries.next().await {
            match entry? {
                PageEntry::Item(item) => listing.items.push(item),
                PageEntry::Unreadable(item) => listing.unreadable.push(item),
            }
        }
        Ok(listing)
    }

    fn entries<P: Paged + 'static>(
        &self,
        endpoint: P,
    ) -> impl Stream<Item = Result<PageEntry<P::Item>, ClientError>> + Send + use<P> {
        let start = PageCursor {
            client: self.clone(),
            endpoint,
            token: None,
            seen: HashSet::new(),
            progress: ListProgress::new(self.shared.list_budget.clone()),
        };
        stream::try_unfold(Some(start), |walk| async move {
            match walk {
                Some(walk) => walk.next_page().await.map(Some),
                None => Ok(None),
            }
        })
        .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
        .try_flatten()
    }
}

impl<P: Paged> PageCursor<P> {
    /// Reads one page and returns it with the cursor of the next page, if any.
    async fn next_page(mut self) -> Result<(Vec<PageEntry<P::Item>>, Option<Self>), ClientError> {
        let prepared = self.client.prepare(&self.endpoint, self.token.as_deref())?;
        let answer = self.client.send_with_retries(&prepared).await?;
        // Decode item by item, so that one invalid item does not lose the others.
        let page: List<Value> =
            serde_json::from_slice(&answer.body).map_err(|error| prepared.invalid_response(&answer, &error))?;
        let wrong = |why| ClientError::Pagination {
            call: prepared.call.clone(),
            reason: why,
        };
        // An empty page may have a successor: only a missing link marks the last page.
        let next = page.metadata.next.filter(|next| !next.is_empty());
        let counted = self
            .progress
            .add_page(page.data.len(), answer.body.len(), next.is_some());
        counted.map_err(wrong)?;
        let entries = page.data.into_iter().map(|item| read_item(&prepared, item)).collect();
        let rest = match next {
            None => None,
            Some(next) => {
                let Some(token) = page_token(&next) else {
                    return Err(wrong("the link to the next page has no `page_token`".to_owned()));
                };
                if !self.seen.insert(token.clone()) {
                    return Err(wrong(format!(
                        "the service returned a page token twice, after {} pages",
                        self.progress.pages()
                    )));
                }
                self.token = Some(token);
                Some(self)
            }
        };
        Ok((entries, rest))
    }
}

fn read_item<T: serde::de::DeserializeOwned>(prepared: &PreparedRequest, item: Value) -> PageEntry<T> {
    let id = item["id"].as_str().map(str::to_owned);
    match serde_json::from_value(item) {
        Ok(item) => PageEntry::Item(item),
        Err(error) => {
            let why = error.to_string();
            tracing::warn!(
                list = prepared.call.subject,
                id = id.as_deref().unwrap_or("-"),
                why,
                "skipped an unreadable item of a list"
            );
            PageEntry::Unreadable(UnreadableItem { id, reason: why })
        }
    }
}
