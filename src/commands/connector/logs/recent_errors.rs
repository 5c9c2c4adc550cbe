//! Reads the newest error lines of a connector for `explain`: at most one request, without waiting for the rate limit.

use std::time::Duration;

use super::read::{LogReader, NOTICE_AFTER, explain_log_error};
use crate::{
    api::logs::{LogEntry, PAGE_SIZE},
    client,
    commands::Ctx,
    error::Error,
    model::StageAddress,
    resources::{
        connector::LiveConnector,
        logs::{cursor::Window, follow::LogFilter},
    },
    session::ConnectorSession,
};

/// Client for the logs of several connectors, with a shared token.
pub(in crate::commands::connector) struct RecentErrors {
    logs: client::LogsClient,
    address: StageAddress,
}

impl RecentErrors {
    pub(in crate::commands::connector) async fn open(session: &ConnectorSession) -> Result<Self, Error> {
        Ok(Self {
            logs: session.telemetry.logs()?,
            address: session.telemetry.resolve_address(&session.connectors.client).await?,
        })
    }

    /// Returns the newest error lines in chronological order, and whether there are more.
    pub(in crate::commands::connector) async fn read(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        observed: &LiveConnector,
        before: Duration,
    ) -> Result<(Vec<LogEntry>, bool), Error> {
        let filter = LogFilter {
            levels: vec!["ERROR".to_owned()],
            text: None,
            task: None,
        };
        let reader = LogReader::new(ctx, session, &self.logs, &self.address, observed, filter)?;
        let wait = reader.wait_time();
        if wait >= NOTICE_AFTER {
            return Err(Error::failed(format!(
                "the rate limit of 5 requests per minute is exhausted; next request in {} s",
                wait.as_secs()
            )));
        }
        let now = session.telemetry.clock().now();
        let window = Window {
            from: now.saturating_sub(before).unwrap_or(now),
            // The API takes whole seconds.
            to: now.saturating_add(Duration::from_secs(1)).unwrap_or(now),
        };
        let most = usize::try_from(PAGE_SIZE).ok();
        let read = reader.read_window(window, most).await;
        let (mut spool, more) = read.map_err(|error| explain_log_error(session, observed, error))?;
        let mut lines = Vec::new();
        while let Some(page) = spool.pop()? {
            lines.extend(page);
        }
        Ok((lines, more))
    }
}
