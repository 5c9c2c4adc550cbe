//! Execution of probes.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Probe, ProbeCall};
use crate::{
    api::connect::{ClusterPath, CreateConnector, GetConnectorStatus},
    client::{Client, ClientError},
    clock::Clock,
    resources::poll,
};

/// Result of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum ProbeVerdict {
    /// The result is as expected.
    Passed,
    /// The result is the opposite of the expected one; the key must not be handed over.
    Failed {
        /// Actual result.
        reason: String,
    },
    /// The response does not show whether the request is allowed.
    Inconclusive {
        /// Reason.
        reason: String,
    },
}

impl ProbeVerdict {
    /// Whether the result is the opposite of the expected one.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Returns the reason why the probe did not pass.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Passed => None,
            Self::Failed { reason } | Self::Inconclusive { reason } => Some(reason),
        }
    }
}

/// Probe with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeOutcome {
    /// Probe.
    #[serde(flatten)]
    pub probe: Probe,
    /// Result.
    #[serde(flatten)]
    pub verdict: ProbeVerdict,
}

/// Meaning of a response for the permission.
enum ProbeResponse {
    Allowed,
    Refused(ClientError),
    Unclear(ClientError),
}

async fn send_probe(client: &Client, place: &ClusterPath, call: ProbeCall, connector: &str) -> ProbeResponse {
    let answer = match call {
        ProbeCall::ReadStatus => client
            .send(&GetConnectorStatus {
                cluster_path: place.clone(),
                name: connector.to_owned(),
            })
            .await
            .map(drop),
        ProbeCall::CreateInvalid => {
            let config = BTreeMap::from([("name".to_owned(), connector.to_owned())]);
            let create = CreateConnector {
                cluster_path: place.clone(),
                name: connector.to_owned(),
                config,
                offsets: None,
            };
            client.send(&create).await.map(drop)
        }
    };
    match answer {
        Ok(()) => ProbeResponse::Allowed,
        // These statuses come after the authorization check, so the key is allowed.
        Err(error)
            if matches!(
                error.status().map(|status| status.as_u16()),
                Some(400 | 404 | 409 | 422)
            ) =>
        {
            ProbeResponse::Allowed
        }
        // 401: the key has not propagated yet.
        Err(error) if error.is_forbidden() || error.is_unauthorized() => ProbeResponse::Refused(error),
        Err(error) => ProbeResponse::Unclear(error),
    }
}

/// Sends `call` once for a connector that does not exist and returns whether the key is allowed; `None` if the response
/// does not show it, for example a 403 to a read, which may also mean "not found".
pub async fn is_call_allowed(client: &Client, place: &ClusterPath, call: ProbeCall, connector: &str) -> Option<bool> {
    match send_probe(client, place, call, connector).await {
        ProbeResponse::Allowed => Some(true),
        ProbeResponse::Refused(error) => (error.is_forbidden() && call == ProbeCall::CreateInvalid).then_some(false),
        ProbeResponse::Unclear(_) => None,
    }
}

/// Polls until the request is allowed; returns `None` on cancellation.
async fn check_allowed(
    client: &Client,
    place: &ClusterPath,
    probe: &Probe,
    options: &ProbeOptions<'_>,
) -> Option<ProbeVerdict> {
    let ProbeOptions {
        clock,
        propagation_budget: budget,
        interrupt,
    } = options;
    let begun = clock.now();
    let attempt = || async {
        match send_probe(client, place, probe.call, &probe.connector).await {
            ProbeResponse::Allowed => ControlFlow::Break(ProbeVerdict::Passed),
            ProbeResponse::Unclear(error) => ControlFlow::Break(ProbeVerdict::Inconclusive {
                reason: error.to_string(),
            }),
            ProbeResponse::Refused(error) => ControlFlow::Continue(error),
        }
    };
    let error = match poll(clock, interrupt, *budget, attempt).await {
        Ok(verdict) => return Some(verdict),
        Err(end) if end.cancelled => return None,
        Err(end) => end.last,
    };
    let waited = clock.elapsed_since(begun).as_secs();
    let reason = format!("{error}, even after {waited} s");
    let ambiguous = probe.call == ProbeCall::ReadStatus && !probe.exists && error.is_forbidden();
    Some(if ambiguous {
        ProbeVerdict::Inconclusive {
            reason: format!("{reason}; no connector has this prefix yet, and 403 can also mean \"not found\""),
        }
    } else {
        ProbeVerdict::Failed { reason }
    })
}

async fn check_denied(client: &Client, place: &ClusterPath, probe: &Probe) -> ProbeVerdict {
    match send_probe(client, place, probe.call, &probe.connector).await {
        ProbeResponse::Refused(error) if error.is_forbidden() => ProbeVerdict::Passed,
        ProbeResponse::Refused(error) | ProbeResponse::Unclear(error) => ProbeVerdict::Inconclusive {
            reason: error.to_string(),
        },
        ProbeResponse::Allowed => ProbeVerdict::Failed {
            reason: "the service allowed the request".into(),
        },
    }
}

/// Options for running probes.
#[derive(Clone, Copy, Debug)]
pub struct ProbeOptions<'a> {
    /// Clock.
    pub clock: &'a Clock,
    /// Maximum time for a permission to propagate.
    pub propagation_budget: Duration,
    /// Cancellation.
    pub interrupt: &'a CancellationToken,
}

/// Runs `probes` with `client`, which must use the key in question: first the allowed requests, polled until the
/// permission has propagated, then the denied ones. Returns `None` on cancellation.
pub async fn run_probes(
    client: &Client,
    place: &ClusterPath,
    probes: Vec<Probe>,
    options: ProbeOptions<'_>,
) -> Option<Vec<ProbeOutcome>> {
    // Low concurrency per key, because many keys are verified concurrently.
    let (work, refuse): (Vec<_>, Vec<_>) = probes.into_iter().partition(|probe| probe.allowed);
    let options = &options;
    let working = stream::iter(work).map(|probe| async move {
        let verdict = check_allowed(client, place, &probe, options).await?;
        Some(ProbeOutcome { probe, verdict })
    });
    let worked: Vec<Option<ProbeOutcome>> = working.buffered(2).collect().await;
    let mut outcomes: Vec<ProbeOutcome> = worked.into_iter().collect::<Option<_>>()?;
    let refused = stream::iter(refuse).map(|probe| async move {
        let verdict = check_denied(client, place, &probe).await;
        ProbeOutcome { probe, verdict }
    });
    outcomes.extend(refused.buffered(2).collect::<Vec<_>>().await);
    Some(outcomes)
}
