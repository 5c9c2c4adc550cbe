//! Makes the calls and judges the answers.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{Probe, ProbeCall};
use crate::{
    api::connect::{ClusterPath, CreateConnector, GetConnectorStatus},
    cancel::CancelToken,
    client::{Client, ClientError},
    clock::Clock,
    resources::sleep_or_cancel,
};

/// What a probe showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum ProbeVerdict {
    /// As it must be.
    Passed,
    /// The opposite of what must be: nothing may be handed over.
    Failed {
        /// What came instead.
        reason: String,
    },
    /// Neither shown nor disproved.
    Inconclusive {
        /// Why not.
        reason: String,
    },
}

/// A probe with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeOutcome {
    /// The probe.
    #[serde(flatten)]
    pub probe: Probe,
    /// What it showed.
    #[serde(flatten)]
    pub verdict: ProbeVerdict,
}

/// What an answer says about the right to do it.
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
        // Not there, or not acceptable: whoever hears that was let in.
        Err(error)
            if matches!(
                error.status().map(|status| status.as_u16()),
                Some(400 | 404 | 409 | 422)
            ) =>
        {
            ProbeResponse::Allowed
        }
        // 401: the key is not known everywhere yet.
        Err(error) if error.is_forbidden() || error.is_unauthorized() => ProbeResponse::Refused(error),
        Err(error) => ProbeResponse::Unclear(error),
    }
}

/// Whether the key of `client` may make `call` on a connector that nobody has, tried once; `None` when the answer does not
/// tell: a 403 to who reads what is not there can also mean that.
pub async fn is_call_allowed(client: &Client, place: &ClusterPath, call: ProbeCall, connector: &str) -> Option<bool> {
    match send_probe(client, place, call, connector).await {
        ProbeResponse::Allowed => Some(true),
        ProbeResponse::Refused(error) => (error.is_forbidden() && call == ProbeCall::CreateInvalid).then_some(false),
        ProbeResponse::Unclear(_) => None,
    }
}

/// `None` when somebody wished to stop before it was clear.
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
    let mut wait = Duration::from_secs(1);
    loop {
        let error = match send_probe(client, place, probe.call, &probe.connector).await {
            ProbeResponse::Allowed => return Some(ProbeVerdict::Passed),
            ProbeResponse::Unclear(error) => {
                return Some(ProbeVerdict::Inconclusive {
                    reason: error.to_string(),
                });
            }
            ProbeResponse::Refused(error) => error,
        };
        if clock.elapsed_since(begun) + wait > *budget {
            let waited = clock.elapsed_since(begun).as_secs();
            let reason = format!("{error}, still after {waited} s");
            let ambiguous = probe.call == ProbeCall::ReadStatus && !probe.exists && error.is_forbidden();
            return Some(match ambiguous {
                true => ProbeVerdict::Inconclusive {
                    reason: format!("{reason}; no connector begins so yet, and 403 can also mean not found"),
                },
                false => ProbeVerdict::Failed { reason },
            });
        }
        if !sleep_or_cancel(clock, interrupt, wait).await {
            return None;
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

async fn check_denied(client: &Client, place: &ClusterPath, probe: &Probe) -> ProbeVerdict {
    match send_probe(client, place, probe.call, &probe.connector).await {
        ProbeResponse::Refused(error) if error.is_forbidden() => ProbeVerdict::Passed,
        ProbeResponse::Refused(error) | ProbeResponse::Unclear(error) => ProbeVerdict::Inconclusive {
            reason: error.to_string(),
        },
        ProbeResponse::Allowed => ProbeVerdict::Failed {
            reason: "the service let it through".into(),
        },
    }
}

/// How long a proof waits for what must work.
#[derive(Clone, Copy, Debug)]
pub struct ProbeOptions<'a> {
    /// Time.
    pub clock: &'a Clock,
    /// How long a right may take to be in force.
    pub propagation_budget: Duration,
    /// The wish to stop.
    pub interrupt: &'a CancelToken,
}

/// Makes the calls of `probes` with `client`, which must carry the key in question: first what must work, polled with
/// `patience` until it is in force, then what must be refused. `None` when somebody wished to stop meanwhile.
pub async fn run_probes(
    client: &Client,
    place: &ClusterPath,
    probes: Vec<Probe>,
    options: ProbeOptions<'_>,
) -> Option<Vec<ProbeOutcome>> {
    // Two at a time: a key has few probes, and many keys are proved at once.
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
