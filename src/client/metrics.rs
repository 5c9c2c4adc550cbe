//! Client for the Metrics API, within the rate limit per IP address. One query covers one metric of all connectors.

use std::{path::Path, sync::Arc, time::Duration};

use super::{builder::Client, error::ClientError, rate_limiter::SharedRateLimiter};
use crate::api::metrics::{
    Descriptors, ExportMetrics, ListMetrics, MetricDescriptor, QueryMetrics, QuerySeries, REQUESTS_PER_MINUTE, Sample,
    parse_export,
};

/// Client for the Metrics API.
#[derive(Clone, Debug)]
pub struct MetricsClient {
    client: Client,
}

impl MetricsClient {
    /// Creates a client; `client` sends to the host of the Metrics API. All processes of the user share the rate limit
    /// of the IP address; requests of other hosts behind the same address are not counted
    /// (docs/reference/metrics.md#limits-and-delay).
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

    /// Returns how long the rate limit would delay the next request.
    #[must_use]
    pub fn wait_time(&self) -> Duration {
        self.client.rate_limit_wait()
    }

    /// Returns all series of a query, page by page.
    pub async fn query(&self, mut query: QueryMetrics) -> Result<Vec<QuerySeries>, ClientError> {
        let mut series = Vec::new();
        // A repeated page token would cause an endless loop.
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
                        reason: "the service returned a page token twice".to_owned(),
                    });
                }
                token => query.page = token,
            }
        }
    }

    /// Returns the latest values of all connector metrics.
    pub async fn export(&self, connectors: Vec<String>) -> Result<Vec<Sample>, ClientError> {
        let text = self.client.send(&ExportMetrics { connectors }).await?.value;
        Ok(parse_export(&text))
    }

    /// Returns the connector metrics that the service describes.
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
