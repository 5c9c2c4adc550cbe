//! Lists that come in pages, as a stream: the next page is asked for only when somebody wants what is on it.

use std::collections::HashSet;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{builder::Client, error::ClientError, message::PreparedRequest};
use crate::api::{List, Paged, common::page_token};

/// A whole list, with what could not be read of it.
#[derive(Clone, Debug)]
pub struct PagedList<T> {
    /// What could be read, in the service's order.
    pub items: Vec<T>,
    /// What could not. Not absent: unknown. Whoever concludes something from an absence looks here first.
    pub unreadable: Vec<UnreadableItem>,
}

/// One item of a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableItem {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Why it could not be read.
    pub reason: String,
}

/// What a page holds, piece by piece.
enum PageEntry<T> {
    Item(T),
    Unreadable(UnreadableItem),
}

/// Where a walk through the pages is.
struct PageCursor<P> {
    client: Client,
    endpoint: P,
    token: Option<String>,
    seen: HashSet<String>,
}

impl Client {
    /// The items of a list, page after page. Items that cannot be read are reported by a warning and left out; where
    /// that matters, [`Client::listing`] names them.
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

    /// All items of a list; see [`Client::stream`].
    pub async fn list<P: Paged + 'static>(&self, endpoint: P) -> Result<Vec<P::Item>, ClientError> {
        Ok(self.list_with_unreadable(endpoint).await?.items)
    }

    /// All items of a list, and those that could not be read.
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
    /// Reads one page; what is left of the walk comes with it, if there is another page.
    async fn next_page(mut self) -> Result<(Vec<PageEntry<P::Item>>, Option<Self>), ClientError> {
        let prepared = self.client.prepare(&self.endpoint, self.token.as_deref())?;
        let answer = self.client.send_with_retries(&prepared).await?;
        // Item by item, so that one that cannot be read does not lose the others.
        let page: List<Value> =
            serde_json::from_slice(&answer.body).map_err(|error| prepared.invalid_response(&answer, &error))?;
        let entries = page.data.into_iter().map(|item| read_item(&prepared, item)).collect();
        // A page may be empty and still have a next one: only the link says that this was the last.
        let next = page.metadata.next.filter(|next| !next.is_empty());
        let rest = match next {
            None => None,
            Some(next) => {
                let wrong = |why| ClientError::Pagination {
                    call: prepared.call.clone(),
                    reason: why,
                };
                let Some(token) = page_token(&next) else {
                    return Err(wrong("the link to the next page has no `page_token`".to_owned()));
                };
                if !self.seen.insert(token.clone()) {
                    return Err(wrong(format!(
                        "the service leads back to a page that it has sent already, after {} pages",
                        self.seen.len() + 1
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
                "an item of a list cannot be read and is left out"
            );
            PageEntry::Unreadable(UnreadableItem { id, reason: why })
        }
    }
}
