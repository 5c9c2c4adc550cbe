//! An explanation, as data.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{look::Known, typed::Typing};
use crate::{
    api::connect::{Expanded, Recommendations},
    client::Scrubber,
    commands::connector::{logs::scrubber, show::running},
    quota::tasks_max,
    resources::connector::{
        Seen,
        diagnosis::{Found, Health, Owner, TaskError, of_message},
    },
};

/// What the command answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum Output {
    /// Of connectors.
    Connectors(Explanations),
    /// Of a message.
    Message(Meaning),
}

/// What a message means.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct Meaning(pub(super) Cause);

impl Meaning {
    pub(super) fn of(message: &str, typing: &Typing) -> Self {
        let nobody = Seen {
            name: "NAME".to_owned(),
            now: Expanded::default(),
        };
        Self(Cause::of(of_message(message), &nobody, typing, &mut scrubber("")))
    }
}

/// Why connectors are as they are: those that are not well first.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct Explanations(pub(super) Vec<Explanation>);

/// Why a connector is as it is.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) direction: String,
    pub(super) plugin: String,
    pub(super) health: Health,
    /// Since when it fails, where the service tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// The same, until now.
    #[serde(skip)]
    pub(super) lasts: Option<Duration>,
    pub(super) tasks_running: usize,
    pub(super) tasks_max: Option<u32>,
    pub(super) causes: Vec<Cause>,
    /// Whether a configuration from before is in force instead of the one that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous_runs: Option<bool>,
    pub(super) failed_tasks: Vec<TaskError>,
    /// The service's own advice.
    pub(super) recommendations: Vec<String>,
    /// What its configuration allows to happen in silence.
    pub(super) notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<LogNote>,
    /// Why log lines could not be read, where they might say more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_error: Option<String>,
    /// What is known is that something is wrong, and hardly what.
    #[serde(skip)]
    pub(super) is_vague: bool,
}

/// The last error of the log lines.
#[derive(Debug, Serialize)]
pub(super) struct LogNote {
    /// The line of its trace that matters.
    pub(super) error: String,
    /// How often it stands there.
    pub(super) times: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Timestamp>,
    /// There are older lines that were not read.
    pub(super) more: bool,
}

/// A rule that is met.
#[derive(Debug, Serialize)]
pub(super) struct Cause {
    pub(super) rule: &'static str,
    pub(super) cause: &'static str,
    pub(super) owner: Owner,
    /// What was said, one line each.
    pub(super) errors: Vec<String>,
    pub(super) configs: Vec<String>,
    pub(super) fix: &'static str,
    pub(super) steps: Vec<Todo>,
    /// Where it is explained.
    pub(super) page: String,
}

/// One step after the fix.
#[derive(Debug, Serialize)]
pub(super) struct Todo {
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<String>,
}

impl Explanation {
    pub(super) fn of(known: Known, typing: &Typing, now: Timestamp) -> Self {
        let seen = &known.seen;
        // Texts of others may hold what nobody should see.
        let mut scrubber = scrubber(seen.class());
        let is_vague = known.diagnosis.is_vague();
        let since = known.advice.as_ref().and_then(Recommendations::at);
        let clean = |text: String, scrubber: &mut Scrubber| scrubber.scrub(&text).into_owned();
        let mut causes = Vec::new();
        for found in known.diagnosis.causes {
            causes.push(Cause::of(found, seen, typing, &mut scrubber));
        }
        let failed = known.diagnosis.tasks.into_iter().map(|task| TaskError {
            error: task.error.map(|error| clean(error, &mut scrubber)),
            ..task
        });
        let failed = failed.collect();
        let advice = known.advice.map(|advice| advice.recommendations).unwrap_or_default();
        let advice = advice.into_iter().map(|text| clean(text, &mut scrubber)).collect();
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: seen.state().to_owned(),
            direction: seen.direction().to_owned(),
            plugin: seen.class().to_owned(),
            health: known.health,
            since,
            lasts: since.and_then(|since| Duration::try_from(now.duration_since(since)).ok()),
            tasks_running: running(seen),
            tasks_max: tasks_max(&seen.now.info.config).ok(),
            causes,
            previous_runs: known.diagnosis.previous_runs,
            failed_tasks: failed,
            recommendations: advice,
            notes: known.notes,
            log: known.log,
            log_error: known.log_error,
            is_vague,
        }
    }
}

impl Cause {
    fn of(found: Found, seen: &Seen, typing: &Typing, scrubber: &mut Scrubber) -> Self {
        let rule = found.rule;
        let errors = found.errors.iter().map(|error| scrubber.scrub(error).into_owned());
        let steps = rule.then.iter().map(|step| Todo {
            text: match typing.somebody_else(step) {
                Some(persona) => format!("{}, as the {persona}", step.text),
                None => step.text.to_owned(),
            },
            command: typing.command(step, seen),
        });
        Self {
            rule: rule.id,
            cause: rule.cause,
            owner: found.owner,
            errors: errors.collect(),
            configs: found.configs,
            fix: rule.fix,
            steps: steps.collect(),
            page: format!("docs/causes.md#{}", rule.id),
        }
    }
}

impl Explanations {
    pub(super) fn new(mut all: Vec<Explanation>) -> Self {
        all.sort_by(|a, b| (a.health, &a.name).cmp(&(b.health, &b.name)));
        Self(all)
    }
}
