//! Reading metrics: one query per metric for all connectors together, within the limit of the address.

use std::{path::Path, sync::Arc, time::Duration};

use super::{builder::Client, error::ClientError, rate_limiter::SharedRateLimiter};
use crate::api::metrics::{
    Descriptors, ExportMetrics, ListMetrics, MetricDescriptor, QueryMetrics, QuerySeries, REQUESTS_PER_MINUTE, Sample,
    parse_export,
};

/// The way to the metrics.
#[derive(Clone, Debug)]
pub struct MetricsClient {
    client: Client,
}

impl MetricsClient {
    /// `client` sends to the host of the Metrics API. All processes of the user share what the address may send; others
    /// behind the same address do not tell (docs/reference/metrics.md#limits-and-delay).
    #[must_use]
    pub fn new(client: &Client, limits: Option<&Path>) -> Self {
        let allowance = SharedRateLimiter::new(
            limits,
            format!("{} metrics", client.base()),
            REQUESTS_PER_MINUTE,
            Duration::from_mins(1),
            client.clock().clone(),
        );
        Self {
            client: client.with_rate_limiter(Arc::new(allowance)),
        }
    }

    /// How long the next request would have to wait for its turn.
    #[must_use]
    pub fn wait_time(&self) -> Duration {
        self.client.rate_limit_wait()
    }

    /// All groups of a query, page by page.
    pub async fn query(&self, mut query: QueryMetrics) -> Result<Vec<QuerySeries>, ClientError> {
        let mut series = Vec::new();
        // A page token that comes back would lead in circles.
        let mut seen = std::collections::HashSet::new();
        loop {
            let answer = self.client.send(&query).await?.value;
            series.extend(answer.data);
            let next = answer.meta.and_then(|meta| meta.pagination.next_page_token);
            match next.filter(|token| !token.is_empty()) {
                None => return Ok(series),
                Some(token) if !seen.insert(token.clone()) => {
                    return Err(ClientError::Pagination {
                        call: self.client.describe_call(&query)?,
                        reason: "the service leads back to a page that it has sent already".to_owned(),
                    });
                }
                token => query.page = token,
            }
        }
    }

    /// The latest values of everything that connectors measure.
    pub async fn export(&self, connectors: Vec<String>) -> Result<Vec<Sample>, ClientError> {
        let text = self.client.send(&ExportMetrics { connectors }).await?.value;
        Ok(parse_export(&text))
    }

    /// The metrics that the service says connectors have.
    pub async fn descriptors(&self) -> Result<Vec<MetricDescriptor>, ClientError> {
        let mut all = Vec::new();
        let mut page = None;
        loop {
            let Descriptors { data, meta } = self.client.send(&ListMetrics { page: page.clone() }).await?.value;
            all.extend(data);
            let next = meta.pagination.next_page_token.filter(|token| !token.is_empty());
            if next.is_none() || next == page {
                return Ok(all);
            }
            page = next;
        }
    }
}
