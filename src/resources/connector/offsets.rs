//! Where a connector is, and moving it: one request at a time, which the service carries out when it has stopped the
//! connector (docs/reference/connect.md#offsets).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{ConnectorClient, LiveConnector, conflict};
use crate::{
    api::connect::{AlterOffsets, ConnectorOffsets, GetOffsetsStatus, OffsetItem, OffsetsStatus},
    cancel::CancelToken,
    client::ClientError,
    resources::{ResourceError, sleep_or_cancel},
};

/// How often to look: the stock CLI's second (docs/reference/connect.md#offsets).
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long to look, and when to stop looking.
#[derive(Clone, Debug)]
pub struct OffsetWaitOptions {
    /// How long.
    pub timeout: Duration,
    /// The wish to stop.
    pub interrupt: CancelToken,
}

/// Where a connector is, and how old that is.
#[derive(Clone, Debug)]
pub struct ObservedOffsets {
    /// Where.
    pub offsets: ConnectorOffsets,
    /// How long ago it was there; nothing when the service does not say.
    pub age: Option<Duration>,
}

/// What became of a request to move a connector.
#[derive(Clone, Debug)]
pub struct OffsetsRequestOutcome {
    /// The request, as the service knows it.
    pub status: OffsetsStatus,
    /// Whether somebody wished to stop before it was carried out.
    pub interrupted: bool,
}

/// Whether a request is over. What is not known counts as under way: the list of phases is open.
#[must_use]
pub fn is_settled(phase: &str) -> bool {
    matches!(phase, "APPLIED" | "FAILED")
}

/// When the connector was there. Timestamps occur with `Z`, with nanoseconds and with `+0000`
/// (docs/reference/connect.md#offsets).
#[must_use]
pub fn observed_at(offsets: &ConnectorOffsets) -> Option<Timestamp> {
    offsets.metadata["observed_at"].as_str()?.parse().ok()
}

/// Why a connector in that state cannot be moved; nothing when it can. States are an open list: what is unknown is tried.
#[must_use]
pub fn reason_not_movable(state: &str) -> Option<&'static str> {
    match state {
        "" | "NONE" | "PROVISIONING" => Some("it has not started yet"),
        "RESTARTING" => Some("it restarts just now"),
        "DELETED" => Some("it is being deleted"),
        _ => None,
    }
}

/// What is wrong with offsets that somebody wrote for a connector that is at `now`.
#[must_use]
pub fn find_problems(now: &[OffsetItem], wanted: &[OffsetItem]) -> Vec<String> {
    let mut found = Vec::new();
    for (place, item) in wanted.iter().enumerate() {
        let of = to_json_text(&item.partition);
        if !is_map(&item.partition) || !is_map(&item.offset) {
            found.push(format!(
                "partition {of} and its offset must be objects with at least one key"
            ));
            continue;
        }
        if wanted[..place].iter().any(|other| other.partition == item.partition) {
            found.push(format!("partition {of} stands there twice"));
        }
        let fields = item.offset.as_object().into_iter().flatten();
        for (key, value) in fields {
            // As texts they break source connectors: ClassCastException (docs/reference/connect.md#offsets and
            // docs/reference/connect.md#error-messages).
            if value.is_string() && now.iter().any(|known| known.offset[key].is_number()) {
                found.push(format!(
                    "offset \"{key}\" of partition {of} is a text; it must be a number, without quotes"
                ));
            }
            if is_rounded(value) {
                found.push(format!(
                    "offset \"{key}\" of partition {of} has more digits than can be kept"
                ));
            }
        }
    }
    found
}

/// The partitions in `wanted` that the connector does not know: it may never read them.
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

/// A whole number beyond 64 bits, which reading has made a rounded one.
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
    /// Where a connector is. Asks again until that is not older than `threshold`.
    ///
    /// # Errors
    /// When the service does not tell. That it only tells what is old is no error.
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

    /// The last request to move a connector; nothing when there was none.
    ///
    /// # Errors
    /// When the service does not tell.
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

    /// Moves a connector to `offsets`, or to its beginning, and looks what becomes of it. Another request must not be
    /// under way: the service takes one at a time.
    ///
    /// # Errors
    /// When the service refuses, or when another request is under way.
    pub async fn alter_offsets(
        &self,
        observed: &LiveConnector,
        offsets: Option<Vec<OffsetItem>>,
        options: &OffsetWaitOptions,
    ) -> Result<OffsetsRequestOutcome, ResourceError> {
        let before = self.last_offsets_request(observed).await?;
        if let Some(status) = before.as_ref().filter(|status| !is_settled(&status.status.phase)) {
            return Err(conflict(format!(
                "another change of the offsets of connector `{}` is {} since {}",
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
            // Whether it was taken shows in the last request: another time means another request.
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
