//! Client for connector logs: token, pagination and the rate limit per connector.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use futures_util::{Stream, stream};
use http::StatusCode;
use jiff::Timestamp;

use super::{
    builder::{ApiResponse, Client},
    credentials::Auth,
    error::ClientError,
    rate_limiter::SharedRateLimiter,
    response_limits::ListProgress,
    token_cache::TokenCache,
};
use crate::api::logs::{LogEntry, LogPage, REQUESTS_PER_MINUTE, SearchLogs};

/// Client for the logs of all connectors, for one caller.
#[derive(Clone, Debug)]
pub struct LogsClient {
    search: Client,
    tokens: Arc<TokenCache>,
    /// Folder of the shared rate limits.
    limits: Option<PathBuf>,
}

impl LogsClient {
    /// Creates a client. `search` sends to the host of the log search; `tokens` authenticates its requests.
    #[must_use]
    pub fn new(search: Client, tokens: TokenCache, limits: Option<PathBuf>) -> Self {
        Self {
            search,
            tokens: Arc::new(tokens),
            limits,
        }
    }

    /// Returns the client for one connector, by its id, with the rate limit of that connector.
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

    /// Returns the underlying client, for its base URL.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.search
    }
}

/// Client for the logs of one connector.
#[derive(Clone, Debug)]
pub struct ConnectorLogsClient {
    search: Client,
    tokens: Arc<TokenCache>,
    limiter: Arc<SharedRateLimiter>,
}

impl ConnectorLogsClient {
    /// Returns how long the rate limit would delay the next request.
    #[must_use]
    pub fn wait_time(&self) -> Duration {
        self.limiter.wait_time()
    }

    /// Reads one page. Renews a rejected token once.
    pub async fn page(&self, search: &SearchLogs) -> Result<LogPage, ClientError> {
        Ok(self.sized_page(search).await?.value)
    }

    async fn sized_page(&self, search: &SearchLogs) -> Result<ApiResponse<LogPage>, ClientError> {
        let token = self.tokens.current().await?;
        let send = async |token| self.search.with_auth(Auth::Bearer(token)).send(search).await;
        match send(token.clone()).await {
            Err(error) if error.is_unauthorized() => send(self.tokens.renew(&token).await?).await,
            other => other,
        }
    }

    /// Reads all pages of a search, newest lines first.
    pub fn pages(&self, search: SearchLogs) -> impl Stream<Item = Result<Vec<LogEntry>, ClientError>> + Send + use<> {
        let start = LogSearchCursor {
            logs: self.clone(),
            search,
            latest: Vec::new(),
            restarted: false,
            seen: HashSet::new(),
            // Lines are written to a file as they arrive, so that searches do not add up.
            progress: ListProgress::new(Arc::default()),
        };
        stream::try_unfold(Some(start), |walk| async move {
            match walk {
                Some(walk) => walk.next_page().await.map(Some),
                None => Ok(None),
            }
        })
    }
}

/// Cursor of a log search.
struct LogSearchCursor {
    logs: ConnectorLogsClient,
    search: SearchLogs,
    /// Lines of the earliest second read so far. If the search restarts there, the service returns them again.
    latest: Vec<LogEntry>,
    /// Whether the search restarted after an expired page token and has not yet returned a new line.
    restarted: bool,
    /// Page tokens already used, to detect a loop.
    seen: HashSet<String>,
    progress: ListProgress,
}

impl LogSearchCursor {
    /// Reads one page and returns it with the cursor of the next page, if any.
    async fn next_page(mut self) -> Result<(Vec<LogEntry>, Option<Self>), ClientError> {
        let page = match self.logs.sized_page(&self.search).await {
            // Page tokens expire (docs/reference/logs.md#limits-and-errors): restart the search at the last line read.
            Err(error)
                if error.status() == Some(StatusCode::BAD_REQUEST) && self.search.page.is_some() && !self.restarted =>
            {
                let Some(second) = self.latest.last().and_then(timestamp_of) else {
                    return Err(error);
                };
                self.search.page = None;
                self.search.to = second.saturating_add(Duration::from_secs(1)).unwrap_or(second);
                self.restarted = true;
                self.logs.sized_page(&self.search).await?
            }
            other => other?,
        };
        let (size, page) = (page.body_bytes, page.value);
        let next = page.next_page_token();
        if let Err(reason) = self.progress.add_page(page.data.len(), size, next.is_some()) {
            return Err(self.pagination_error(reason)?);
        }
        let mut lines = page.data;
        if self.restarted {
            // Drop each line that was already returned, once per occurrence.
            let mut known: HashMap<&LogEntry, usize> = HashMap::new();
            for line in &self.latest {
                *known.entry(line).or_default() += 1;
            }
            lines.retain(|line| match known.get_mut(line) {
                Some(times @ 1..) => {
                    *times -= 1;
                    false
                }
                _ => true,
            });
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
            return Err(self.pagination_error("the service returned a page token twice".to_owned())?);
        }
        self.search.page = Some(token);
        Ok((lines, Some(self)))
    }

    fn pagination_error(&self, reason: String) -> Result<ClientError, ClientError> {
        let call = self.logs.search.describe_call(&self.search)?;
        Ok(ClientError::Pagination { call, reason })
    }
}

/// Returns the timestamp of a line, truncated to seconds.
fn timestamp_of(line: &LogEntry) -> Option<Timestamp> {
    Timestamp::from_second(line.parsed_timestamp()?.as_second()).ok()
}
