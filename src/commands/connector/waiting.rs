//! Waiting with live progress, and what its end means.

use std::time::Duration;

use super::{DepartmentSession, show};
use crate::{
    apply::Event,
    commands::Ctx,
    error::{Error, ErrorKind},
    resources::connector::{Outcome, Patience, Seen, Sight},
};

/// How long to wait unless told otherwise: nearly everything settles within three minutes (dossier `connect.md` §3.2).
pub(super) const TIMEOUT: &str = "10m";

/// Reads `30s`, `5m`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m or h, such as 30s or 5m".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => Some(number),
        'm' => number.checked_mul(60),
        'h' => number.checked_mul(3600),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

/// The connector at the end of the wait, and the error if it is not as wanted.
pub(super) struct Waited {
    pub(super) seen: Option<Seen>,
    pub(super) error: Option<Error>,
}

/// Waits until `name` is in the state `wanted`.
pub(super) async fn wait(
    ctx: &Ctx,
    session: &DepartmentSession,
    name: &str,
    wanted: &'static str,
    timeout: Duration,
) -> Result<Waited, Error> {
    let progress = ctx.ui.progress();
    progress.on(&Event::Phase { name: "Wait", total: 0 });
    let watch = |sight: &Sight| {
        let state = if sight.state.is_empty() {
            "no state yet"
        } else {
            &sight.state
        };
        let text = format!(
            "{name}: {state}, {} of {} tasks run, after {} s",
            sight.running,
            sight.tasks,
            sight.waited.as_secs()
        );
        progress.on(&Event::Note { text });
    };
    let patience = Patience {
        timeout,
        interrupt: ctx.interrupt.clone(),
        wanted,
    };
    let outcome = session.connectors.wait(name, &patience, &watch).await?;
    Ok(match outcome {
        Outcome::Reached(seen) => Waited {
            seen: Some(seen),
            error: None,
        },
        Outcome::Failed(seen) => {
            let cause = show::why(&seen);
            let message = format!(
                "connector \"{}\" ({name}) is {}: {}",
                seen.id(),
                seen.state(),
                show::cause_words(cause.as_ref())
            );
            let error = Error::new(ErrorKind::Unhealthy, message)
                .with_hint(format!("See all of it with `confluent ebs connector describe {name}`."));
            Waited {
                seen: Some(seen),
                error: Some(error),
            }
        }
        Outcome::Gone => Waited {
            seen: None,
            error: Some(Error::failed(format!("connector \"{name}\" was deleted meanwhile"))),
        },
        Outcome::TimedOut(seen) => {
            let state = seen.as_ref().map_or("not there", Seen::state).to_owned();
            let id = seen.as_ref().map_or(name, Seen::id).to_owned();
            let error = Error::failed(format!(
                "wait timed out: connector \"{id}\" is still in state \"{state}\""
            ))
            .with_hint(format!("Wait on with `confluent ebs connector wait {name}`."));
            Waited {
                seen,
                error: Some(error),
            }
        }
        Outcome::Interrupted(seen) => Waited {
            seen,
            error: Some(
                Error::new(
                    ErrorKind::Interrupted,
                    format!("interrupted while waiting for connector \"{name}\""),
                )
                .with_hint(format!("Wait on with `confluent ebs connector wait {name}`.")),
            ),
        },
    })
}
