//! Offsets of connectors: reading and altering. The service applies one request at a time after it has stopped the
//! connector (docs/reference/connect.md#offsets).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{ConnectorClient, LiveConnector, conflict};
use crate::{
    api::connect::{AlterOffsets, ConnectorOffsets, GetOffsetsStatus, OffsetItem, OffsetsStatus},
    client::ClientError,
    model::ConnectorState,
    resources::{ResourceError, sleep_or_cancel},
};

/// Poll interval, as in the Confluent CLI (docs/reference/connect.md#offsets).
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Options for waiting on offsets.
#[derive(Clone, Debug)]
pub struct OffsetWaitOptions {
    /// Timeout.
    pub timeout: Duration,
    /// Cancellation.
    pub interrupt: CancellationToken,
}

/// Offsets and their age.
#[derive(Clone, Debug)]
pub struct ObservedOffsets {
    /// Offsets.
    pub offsets: ConnectorOffsets,
    /// Age of the offsets; `None` if the service does not report it.
    pub age: Option<Duration>,
}

/// Result of a request to alter offsets.
#[derive(Clone, Debug)]
pub struct OffsetsRequestOutcome {
    /// Status of the request.
    pub status: OffsetsStatus,
    /// Whether the wait was cancelled before the request was applied.
    pub interrupted: bool,
}

/// Returns whether a request has ended. Unknown phases count as pending, because the list of phases is open.
#[must_use]
pub fn is_settled(phase: &str) -> bool {
    matches!(phase, "APPLIED" | "FAILED")
}

/// Returns the time of the offsets. Timestamps occur with `Z`, with nanoseconds and with `+0000`
/// (docs/reference/connect.md#offsets).
#[must_use]
pub fn observed_at(offsets: &ConnectorOffsets) -> Option<Timestamp> {
    offsets.metadata["observed_at"].as_str()?.parse().ok()
}

/// Returns why offsets cannot be altered in a state; `None` if they can. Unknown states are allowed, because the list
/// of states is open.
#[must_use]
pub fn reason_not_movable(state: &ConnectorState) -> Option<&'static str> {
    match state {
        state if state.is_before_start() => Some("it has not started yet"),
        ConnectorState::Restarting => Some("it is restarting"),
        ConnectorState::Deleted => Some("it is being deleted"),
        _ => None,
    }
}

/// Finds errors in offsets written for a connector that is at `now`.
#[must_use]
pub fn find_problems(now: &[OffsetItem], wanted: &[OffsetItem]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, item) in wanted.iter().enumerate() {
        let of = to_json_text(&item.partition);
        if !is_map(&item.partition) || !is_map(&item.offset) {
            found.push(format!(
                "partition `{of}` and its offset must be objects with at least one key"
            ));
            continue;
        }
        if wanted[..place].iter().any(|other| other.partition == item.partition) {
            found.push(format!("partition `{of}` is listed twice"));
        }
        let fields = item.offset.as_object().into_iter().flatten();
        for (key, value) in fields {
            // Strings break source connectors with a ClassCastException (docs/reference/connect.md#offsets and
            // docs/reference/connect.md#error-messages).
            if value.is_string() && now.iter().any(|known| known.offset[key].is_number()) {
                found.push(format!(
                    "offset `{key}` of partition `{of}` is a string; write a number without quotes"
                ));
            }
            if is_rounded(value) {
                found.push(format!("offset `{key}` of partition `{of}` exceeds 64 bits"));
            }
        }
    }
    found
}

/// Returns the partitions in `wanted` that the connector does not report; it may never read them.
pub fn unknown_partitions<'a>(now: &'a [OffsetItem], wanted: &'a [OffsetItem]) -> impl Iterator<Item = &'a Value> {
    let known = |partition: &Value| now.iter().any(|item| item.partition == *partition);
    wanted
        .iter()
        .map(|item| &item.partition)
        .filter(move |partition| !known(partition))
}

fn is_map(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

/// Returns whether parsing rounded a whole number beyond 64 bits.
fn is_rounded(value: &Value) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.is_f64()
        && value
            .as_f64()
            .is_some_and(|number| number.fract() == 0.0 && number.abs() >= EXACT)
}

fn to_json_text(value: &Value) -> String {
    value.to_string()
}

impl ConnectorClient {
    /// Reads the offsets of a connector, repeatedly until they are at most `threshold` old.
    ///
    /// # Errors
    /// When the request fails. Stale offsets are not an error.
    pub async fn observe_offsets(
        &self,
        observed: &LiveConnector,
        threshold: Duration,
        options: &OffsetWaitOptions,
    ) -> Result<ObservedOffsets, ClientError> {
        let begun = self.clock.now();
        loop {
            let offsets = self.offsets(observed).await?;
            let age = observed_at(&offsets).map(|at| self.clock.elapsed_since(at));
            let is_old = age.is_some_and(|age| age > threshold);
            if !is_old
                || self.clock.elapsed_since(begun) >= options.timeout
                || !sleep_or_cancel(&self.clock, &options.interrupt, POLL_INTERVAL).await
            {
                return Ok(ObservedOffsets { offsets, age });
            }
        }
    }

    /// Returns the last request to alter offsets, if any.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn last_offsets_request(&self, observed: &LiveConnector) -> Result<Option<OffsetsStatus>, ClientError> {
        let request = GetOffsetsStatus {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        match self.client.send(&request).await {
            Ok(answered) => Ok(Some(answered.value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Alters the offsets of a connector, or resets them, and polls the request. Only one request may be pending at a
    /// time.
    ///
    /// # Errors
    /// When the request fails, or another request is pending.
    pub async fn alter_offsets(
        &self,
        observed: &LiveConnector,
        offsets: Option<Vec<OffsetItem>>,
        options: &OffsetWaitOptions,
    ) -> Result<OffsetsRequestOutcome, ResourceError> {
        let before = self.last_offsets_request(observed).await?;
        if let Some(status) = before.as_ref().filter(|status| !is_settled(&status.status.phase)) {
            return Err(conflict(format!(
                "cannot alter the offsets of connector `{}`: another request is {} since {}",
                observed.name, status.status.phase, status.request.requested_at
            )));
        }
        let request = AlterOffsets {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
            offsets,
        };
        match self.client.send(&request).await {
            Ok(_) => {}
            // A new request time shows that the service accepted the request.
            Err(error) if error.is_outcome_unknown() => {
                let time =
                    |status: &Option<OffsetsStatus>| status.as_ref().map(|status| status.request.requested_at.clone());
                if time(&self.last_offsets_request(observed).await?) == time(&before) {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        let begun = self.clock.now();
        loop {
            let status = self.last_offsets_request(observed).await?.unwrap_or_default();
            let over = is_settled(&status.status.phase) || self.clock.elapsed_since(begun) >= options.timeout;
            if over || !sleep_or_cancel(&self.clock, &options.interrupt, POLL_INTERVAL).await {
                return Ok(OffsetsRequestOutcome {
                    interrupted: !over,
                    status,
                });
            }
        }
    }
}
