//! Reading log lines: the token, the pages, and the limit per connector, in one place.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use http::StatusCode;
use jiff::Timestamp;

use super::{
    builder::{ApiResponse, Client},
    credentials::Auth,
    error::ClientError,
    rate_limiter::SharedRateLimiter,
    token_cache::TokenCache,
};
use crate::api::logs::{LogEntry, LogPage, REQUESTS_PER_MINUTE, SearchLogs};

/// The way to the log lines of all connectors, for one caller.
#[derive(Clone, Debug)]
pub struct LogsClient {
    search: Client,
    tokens: Arc<TokenCache>,
    /// Where the limits are kept.
    limits: Option<PathBuf>,
}

impl LogsClient {
    /// `search` sends to the host of the search, whoever it is: it acts with `tokens`.
    #[must_use]
    pub fn new(search: Client, tokens: TokenCache, limits: Option<PathBuf>) -> Self {
        Self {
            search,
            tokens: Arc::new(tokens),
            limits,
        }
    }

    /// The way to the lines of one connector, by its id: with a limit of its own.
    #[must_use]
    pub fn for_connector(&self, id: &str) -> ConnectorLogsClient {
        let allowance = Arc::new(SharedRateLimiter::new(
            self.limits.as_deref(),
            format!("{} {id}", self.search.base()),
            REQUESTS_PER_MINUTE,
            Duration::from_mins(1),
            self.search.clock().clone(),
        ));
        ConnectorLogsClient {
            search: self.search.with_rate_limiter(allowance.clone()),
            tokens: self.tokens.clone(),
            limiter: allowance,
        }
    }

    /// Where it sends to, for messages.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.search
    }
}

/// The way to the lines of one connector.
#[derive(Clone, Debug)]
pub struct ConnectorLogsClient {
    search: Client,
    tokens: Arc<TokenCache>,
    limiter: Arc<SharedRateLimiter>,
}

impl ConnectorLogsClient {
    /// How long the next request would have to wait for its turn.
    #[must_use]
    pub fn wait_time(&self) -> Duration {
        self.limiter.wait_time()
    }

    /// One page. A token that is refused is replaced once.
    pub async fn page(&self, search: &SearchLogs) -> Result<LogPage, ClientError> {
        let token = self.tokens.current().await?;
        let send = async |token| self.search.with_auth(Auth::Bearer(token)).send(search).await;
        let answered: ApiResponse<LogPage> = match send(token.clone()).await {
            Err(error) if error.is_unauthorized() => send(self.tokens.renew(&token).await?).await?,
            other => other?,
        };
        Ok(answered.value)
    }

    /// All pages of a search, newest lines first; within a page, too.
    pub fn pages(&self, search: SearchLogs) -> impl Stream<Item = Result<Vec<LogEntry>, ClientError>> + Send + use<> {
        let start = LogSearchCursor {
            logs: self.clone(),
            search,
            latest: Vec::new(),
            restarted: false,
            seen: HashSet::new(),
        };
        stream::try_unfold(Some(start), |walk| async move {
            match walk {
                Some(walk) => walk.next_page().await.map(Some),
                None => Ok(None),
            }
        })
    }
}

/// Where a walk through the pages is.
struct LogSearchCursor {
    logs: ConnectorLogsClient,
    search: SearchLogs,
    /// The lines of the earliest second that was read so far: when the walk has to begin anew there, they come again.
    latest: Vec<LogEntry>,
    /// The token of the last page was not accepted, and nothing new has come since.
    restarted: bool,
    /// The pages that were asked for, so that a service that leads in circles is noticed.
    seen: HashSet<String>,
}

impl LogSearchCursor {
    /// Reads one page; what is left of the walk comes with it, if there is another page.
    async fn next_page(mut self) -> Result<(Vec<LogEntry>, Option<Self>), ClientError> {
        let page = match self.logs.page(&self.search).await {
            // Page tokens end, too (docs/reference/logs.md#limits-and-errors): the walk goes on from the last line that
            // it has.
            Err(error)
                if error.status() == Some(StatusCode::BAD_REQUEST) && self.search.page.is_some() && !self.restarted =>
            {
                let Some(second) = self.latest.last().and_then(timestamp_of) else {
                    return Err(error);
                };
                self.search.page = None;
                self.search.to = second.saturating_add(Duration::from_secs(1)).unwrap_or(second);
                self.restarted = true;
                self.logs.page(&self.search).await?
            }
            other => other?,
        };
        let next = page.next_page_token();
        let mut lines = page.data;
        if self.restarted {
            // Each line that came before is one of those that come again.
            for known in &self.latest {
                if let Some(again) = lines.iter().position(|line| line == known) {
                    lines.remove(again);
                }
            }
        }
        if let Some(last) = lines.last().and_then(timestamp_of) {
            if self.latest.last().and_then(timestamp_of) != Some(last) {
                self.latest.clear();
            }
            let here = lines.iter().filter(|line| timestamp_of(line) == Some(last));
            self.latest.extend(here.cloned());
            self.restarted = false;
        }
        let Some(token) = next else {
            return Ok((lines, None));
        };
        if !self.seen.insert(token.clone()) {
            return Err(ClientError::Pagination {
                call: self.logs.search.describe_call(&self.search)?,
                reason: "the service leads back to a page that it has sent already".to_owned(),
            });
        }
        self.search.page = Some(token);
        Ok((lines, Some(self)))
    }
}

/// The second that a line lies in.
fn timestamp_of(line: &LogEntry) -> Option<Timestamp> {
    Timestamp::from_second(line.parsed_timestamp()?.as_second()).ok()
}
