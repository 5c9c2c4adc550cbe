//! Repeated observation of the fleet.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Fleet, FleetCollector};
use crate::error::{Error, ErrorKind};

/// Observes the fleet every `interval` until cancelled, and passes each state to `show`. Returns the last one. After a
/// failed refresh, the previous observation stays and is marked as stale until an observation succeeds.
///
/// # Errors
/// Fails if the first observation fails or is cancelled, or if `show` fails.
pub async fn watch_fleet(
    collector: &FleetCollector,
    cancel: &CancellationToken,
    interval: Duration,
    mut show: impl FnMut(&Fleet) -> Result<(), Error>,
) -> Result<Fleet, Error> {
    collector.session.telemetry.use_real_time();
    let mut last: Option<Fleet> = None;
    loop {
        // Each round replaces the previous observation.
        collector.session.connectors.client.list_budget().reset();
        let result = tokio::select! {
            result = collector.collect() => result,
            () = cancel.cancelled() => break,
        };
        let fleet = match (result, last.take()) {
            (Ok(fleet), _) => fleet,
            (Err(error), Some(fleet)) => fleet.mark_stale(error),
            (Err(error), None) => return Err(error),
        };
        show(&fleet)?;
        last = Some(fleet);
        tokio::select! {
            () = collector.clock().sleep(interval) => {}
            () = cancel.cancelled() => break,
        }
    }
    last.ok_or_else(|| {
        Error::new(
            ErrorKind::Interrupted,
            "interrupted before the first observation completed",
        )
    })
}
