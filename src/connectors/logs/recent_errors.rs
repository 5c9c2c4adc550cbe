//! Reads the newest error lines of a connector: at most one request, without waiting for the rate limit.

use std::time::Duration;

use super::{
    ConnectorLogs, NewestLines,
    errors::explain_log_error,
    reader::{LogReader, NOTICE_AFTER},
};
use crate::{
    api::logs::PAGE_SIZE,
    error::Error,
    resources::{
        connector::LiveConnector,
        logs::{cursor::Window, follow::LogFilter},
    },
};

impl ConnectorLogs<'_> {
    /// Returns the newest error lines of the last `age`.
    ///
    /// # Errors
    /// The rate limit is exhausted, or the log cannot be read.
    pub async fn recent_errors(&self, observed: &LiveConnector, age: Duration) -> Result<NewestLines, Error> {
        let filter = LogFilter {
            levels: vec!["ERROR".to_owned()],
            text: None,
            task: None,
        };
        let reader = LogReader::new(self, observed, filter)?;
        let wait = reader.wait_time();
        if wait >= NOTICE_AFTER {
            return Err(Error::failed(format!(
                "the rate limit of 5 requests per minute is exhausted; next request in {} s",
                wait.as_secs()
            )));
        }
        let now = self.now();
        let window = Window {
            from: now.saturating_sub(age).unwrap_or(now),
            // The API takes whole seconds.
            to: now.saturating_add(Duration::from_secs(1)).unwrap_or(now),
        };
        let read = reader.read_window(window, usize::try_from(PAGE_SIZE).ok()).await;
        let (buffer, more) = read.map_err(|error| explain_log_error(self.session, &observed.name, error))?;
        Ok(NewestLines {
            lines: buffer.into_lines()?,
            more,
        })
    }
}
