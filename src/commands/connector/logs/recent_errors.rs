//! A glance at the last error lines of a connector, for whoever explains it: one request, never waited for.

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

/// The way to the lines of several connectors, through one token.
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

    /// Error lines of the time before now, the newest last, and whether there are more.
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
                "a connector stands 5 requests per minute, and the next one is in {} s",
                wait.as_secs()
            )));
        }
        let now = session.telemetry.clock().now();
        let window = Window {
            from: now.saturating_sub(before).unwrap_or(now),
            // The service is told whole seconds.
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
