//! Follows the logs of connectors until the run is cancelled or the line limit is reached.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::{ConnectorLines, ConnectorLogs, LogFailures, LogListener, LogQuery, errors::explain_log_error};
use crate::{
    error::Error,
    redact::TextRedactor,
    resources::{
        connector::{ConnectorClient, LiveConnector},
        logs::follow::{ConnectorListCache, FollowEvent, Follower, LogError},
    },
};

impl ConnectorLogs<'_> {
    /// Follows connectors from the start of the query's window on.
    ///
    /// # Errors
    /// The listener fails, or a connector has no valid CRN.
    pub async fn follow(
        &self,
        observed: &[LiveConnector],
        query: &LogQuery,
        listener: &mut impl LogListener,
    ) -> Result<LogFailures, Error> {
        // Observed with the same clock that the follower waits on.
        let connectors = ConnectorClient {
            clock: self.session.telemetry.clock().clone(),
            ..self.session.connectors.clone()
        };
        let list = observed
            .iter()
            .map(|connector| (connector.name.clone(), connector.expanded.clone()))
            .collect();
        let connector_list = Arc::new(ConnectorListCache::new(connectors, list));
        let mut running = FuturesUnordered::new();
        for connector in observed {
            let follower = Follower::new(
                connector,
                self.target(connector)?,
                query.filter.clone(),
                query.window.from,
                TextRedactor::for_plugin(connector.class()),
                &self.client,
                connector_list.clone(),
            );
            running.push(next_event(follower));
        }
        let mut failures = LogFailures::new(observed.len());
        let mut remaining = query.limit.unwrap_or(usize::MAX);
        loop {
            let next = tokio::select! {
                next = running.next() => next,
                () = self.run.cancel.cancelled() => None,
            };
            let Some((follower, event)) = next else { break };
            match event {
                Ok(FollowEvent::Lines(mut lines)) => {
                    lines.truncate(remaining);
                    listener.on_lines(&follower.name, &lines)?;
                    remaining -= lines.len();
                    if remaining == 0 {
                        break;
                    }
                }
                Ok(event) => listener.on_event(&follower.name, &event),
                Err(error) => {
                    if let Some(connector) = observed.iter().find(|connector| connector.name == follower.name) {
                        listener.on_unlogged(&ConnectorLines::unread(connector));
                    }
                    failures
                        .errors
                        .push(explain_log_error(self.session, &follower.name, error));
                    continue;
                }
            }
            running.push(next_event(follower));
        }
        Ok(failures)
    }
}

async fn next_event(mut follower: Follower) -> (Follower, Result<FollowEvent, LogError>) {
    let event = follower.next().await;
    (follower, event)
}
