//! Reads the log lines of a time window.

use futures_util::{StreamExt as _, stream};

use super::{
    ConnectorLines, ConnectorLogs, LogFailures, LogListener, LogQuery, NewestLines, errors::explain_log_error,
    interrupted_error, reader::LogReader,
};
use crate::{error::Error, resources::connector::LiveConnector};

/// Number of connectors that are read concurrently; each one has its own rate limit.
const CONCURRENCY: usize = 8;

impl ConnectorLogs<'_> {
    /// Reads the newest lines of each connector, and returns them with the failures.
    ///
    /// # Errors
    /// The run is cancelled, or a connector has no valid CRN.
    pub async fn read_newest(
        &self,
        observed: &[LiveConnector],
        query: &LogQuery,
    ) -> Result<(Vec<ConnectorLines>, LogFailures), Error> {
        let read = stream::iter(observed.to_vec())
            .map(|observed| self.read_connector(observed, query))
            .buffered(CONCURRENCY)
            .collect::<Vec<_>>();
        let read = tokio::select! {
            read = read => read,
            () = self.run.cancel.cancelled() => return Err(interrupted_error()),
        };
        let (mut all, mut failures) = (Vec::new(), LogFailures::new(observed.len()));
        for result in read {
            let (lines, failure) = result?;
            all.push(lines);
            failures.errors.extend(failure);
        }
        Ok((all, failures))
    }

    async fn read_connector(
        &self,
        observed: LiveConnector,
        query: &LogQuery,
    ) -> Result<(ConnectorLines, Option<Error>), Error> {
        let reader = LogReader::new(self, &observed, query.filter.clone())?;
        Ok(match reader.read_newest(query).await {
            Ok(newest) => (ConnectorLines::new(&observed, newest), None),
            Err(error) => (
                ConnectorLines::unread(&observed),
                Some(explain_log_error(self.session, &observed.name, error)),
            ),
        })
    }

    /// Reads all lines, connector by connector, without holding them in memory.
    ///
    /// # Errors
    /// The listener or the disk fails, or a connector has no valid CRN. If the run is cancelled, the remaining
    /// connectors are skipped, and the failures contain the reason.
    pub async fn read_all(
        &self,
        observed: &[LiveConnector],
        query: &LogQuery,
        listener: &mut impl LogListener,
    ) -> Result<LogFailures, Error> {
        let mut failures = LogFailures::new(observed.len());
        for connector in observed {
            let reader = LogReader::new(self, connector, query.filter.clone())?;
            let read = tokio::select! {
                read = reader.read_window(query.window, None) => read,
                () = self.run.cancel.cancelled() => {
                    failures.errors.push(interrupted_error());
                    break;
                }
            };
            let mut buffer = match read {
                Ok((buffer, _)) => buffer,
                Err(error) => {
                    listener.on_unlogged(&ConnectorLines::unread(connector));
                    failures
                        .errors
                        .push(explain_log_error(self.session, &connector.name, error));
                    continue;
                }
            };
            if buffer.is_empty() {
                listener.on_unlogged(&ConnectorLines::new(connector, NewestLines::default()));
            }
            while let Some(lines) = buffer.pop()? {
                listener.on_lines(&connector.name, &lines)?;
            }
        }
        Ok(failures)
    }
}
