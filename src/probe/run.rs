//! Makes the calls and judges the answers.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{Call, Probe};
use crate::{
    api::connect::{CreateConnector, GetStatus, Place},
    client::{Client, ClientError},
    clock::Clock,
    interrupt::Interrupt,
    resources::rest,
};

/// What a probe showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Proved,
    /// The opposite of what must be: nothing may be handed over.
    Refuted {
        /// What came instead.
        reason: String,
    },
    /// Neither shown nor disproved.
    NotProvable {
        /// Why not.
        reason: String,
    },
}

/// A probe with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The probe.
    #[serde(flatten)]
    pub probe: Probe,
    /// What it showed.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What an answer says about the right to do it.
enum Seen {
    Allowed,
    Refused(ClientError),
    Unclear(ClientError),
}

async fn try_once(client: &Client, place: &Place, call: Call, connector: &str) -> Seen {
    let answer = match call {
        Call::ReadStatus => client
            .send(&GetStatus {
                place: place.clone(),
                name: connector.to_owned(),
            })
            .await
            .map(drop),
        Call::CreateInvalid => {
            let config = BTreeMap::from([("name".to_owned(), connector.to_owned())]);
            let create = CreateConnector {
                place: place.clone(),
                name: connector.to_owned(),
                config,
                offsets: None,
            };
            client.send(&create).await.map(drop)
        }
    };
    match answer {
        Ok(()) => Seen::Allowed,
        // Not there, or not acceptable: whoever hears that was let in.
        Err(error)
            if matches!(
                error.status().map(|status| status.as_u16()),
                Some(400 | 404 | 409 | 422)
            ) =>
        {
            Seen::Allowed
        }
        // 401: the key is not known everywhere yet.
        Err(error) if error.is_forbidden() || error.is_unauthorized() => Seen::Refused(error),
        Err(error) => Seen::Unclear(error),
    }
}

/// Whether the key of `client` may make `call` on a connector that nobody has, tried once; `None` when the answer does not
/// tell: a 403 to who reads what is not there can also mean that.
pub async fn may(client: &Client, place: &Place, call: Call, connector: &str) -> Option<bool> {
    match try_once(client, place, call, connector).await {
        Seen::Allowed => Some(true),
        Seen::Refused(error) => (error.is_forbidden() && call == Call::CreateInvalid).then_some(false),
        Seen::Unclear(_) => None,
    }
}

/// `None` when somebody wished to stop before it was clear.
async fn must_work(client: &Client, place: &Place, probe: &Probe, patience: &Patience<'_>) -> Option<Verdict> {
    let Patience {
        clock,
        budget,
        interrupt,
    } = patience;
    let begun = clock.now();
    let mut wait = Duration::from_secs(1);
    loop {
        let error = match try_once(client, place, probe.call, &probe.connector).await {
            Seen::Allowed => return Some(Verdict::Proved),
            Seen::Unclear(error) => {
                return Some(Verdict::NotProvable {
                    reason: error.to_string(),
                });
            }
            Seen::Refused(error) => error,
        };
        if clock.since(begun) + wait > *budget {
            let waited = clock.since(begun).as_secs();
            let reason = format!("{error}, still after {waited} s");
            let ambiguous = probe.call == Call::ReadStatus && !probe.exists && error.is_forbidden();
            return Some(match ambiguous {
                true => Verdict::NotProvable {
                    reason: format!("{reason}; no connector begins so yet, and 403 can also mean not found"),
                },
                false => Verdict::Refuted { reason },
            });
        }
        if !rest(clock, interrupt, wait).await {
            return None;
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

async fn must_be_refused(client: &Client, place: &Place, probe: &Probe) -> Verdict {
    match try_once(client, place, probe.call, &probe.connector).await {
        Seen::Refused(error) if error.is_forbidden() => Verdict::Proved,
        Seen::Refused(error) | Seen::Unclear(error) => Verdict::NotProvable {
            reason: error.to_string(),
        },
        Seen::Allowed => Verdict::Refuted {
            reason: "the service let it through".into(),
        },
    }
}

/// How long a proof waits for what must work.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// Time.
    pub clock: &'a Clock,
    /// How long a right may take to be in force.
    pub budget: Duration,
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
}

/// Makes the calls of `probes` with `client`, which must carry the key in question: first what must work, polled with
/// `patience` until it is in force, then what must be refused. `None` when somebody wished to stop meanwhile.
pub async fn prove(client: &Client, place: &Place, probes: Vec<Probe>, patience: Patience<'_>) -> Option<Vec<Outcome>> {
    // Two at a time: a key has few probes, and many keys are proved at once.
    let (work, refuse): (Vec<_>, Vec<_>) = probes.into_iter().partition(|probe| probe.allowed);
    let patience = &patience;
    let working = stream::iter(work).map(|probe| async move {
        let verdict = must_work(client, place, &probe, patience).await?;
        Some(Outcome { probe, verdict })
    });
    let worked: Vec<Option<Outcome>> = working.buffered(2).collect().await;
    let mut outcomes: Vec<Outcome> = worked.into_iter().collect::<Option<_>>()?;
    let refused = stream::iter(refuse).map(|probe| async move {
        let verdict = must_be_refused(client, place, &probe).await;
        Outcome { probe, verdict }
    });
    outcomes.extend(refused.buffered(2).collect::<Vec<_>>().await);
    Some(outcomes)
}
