//! Explanations as data.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{evidence::ConnectorEvidence, suggest::CommandBuilder};
use crate::{
    api::connect::{ErrorRecommendations, ExpandedConnector},
    commands::connector::logs::redactor_for_plugin,
    connectors::view::running_tasks,
    quota::tasks_max,
    redact::TextRedactor,
    resources::connector::{
        LiveConnector,
        diagnosis::{ConnectorHealth, FaultOwner, MatchedRule, TaskError, diagnose_message},
    },
};

/// Result of `connector explain`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum ExplainOutput {
    /// Explanations of connectors.
    Connectors(ConnectorExplanations),
    /// Explanation of an error message.
    Message(MessageExplanation),
}

/// Explanation of an error message.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct MessageExplanation(pub(super) ExplainedCause);

impl MessageExplanation {
    pub(super) fn new(message: &str, commands: &CommandBuilder) -> Self {
        let placeholder = LiveConnector {
            name: "NAME".to_owned(),
            expanded: ExpandedConnector::default(),
        };
        Self(ExplainedCause::new(
            diagnose_message(message),
            &placeholder,
            commands,
            &mut redactor_for_plugin(""),
        ))
    }
}

/// Explanations of connectors, unhealthy connectors first.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands::connector) struct ConnectorExplanations(pub(super) Vec<ConnectorExplanation>);

/// Explanation of a connector.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorExplanation {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(rename = "type")]
    pub(super) direction: String,
    pub(super) plugin: String,
    pub(super) health: ConnectorHealth,
    /// Start of the failure, if the service reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// Duration of the failure.
    #[serde(skip)]
    pub(super) duration: Option<Duration>,
    pub(super) tasks_running: usize,
    pub(super) tasks_max: Option<u32>,
    pub(super) causes: Vec<ExplainedCause>,
    /// Whether the previous configuration is still in force, because the new one was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous_runs: Option<bool>,
    pub(super) failed_tasks: Vec<TaskError>,
    /// Recommendation of Confluent Cloud.
    pub(super) recommendations: Vec<String>,
    /// Settings that let the connector lose records without an error.
    pub(super) notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<LogErrorSummary>,
    /// Reason why log lines could not be read, if they could add evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) log_error: Option<String>,
    /// Whether the error is too generic for a diagnosis.
    #[serde(skip)]
    pub(super) is_generic: bool,
}

/// Last error in the log.
#[derive(Debug, Serialize)]
pub(super) struct LogErrorSummary {
    /// Most specific line of its trace.
    pub(super) error: String,
    /// Number of occurrences.
    pub(super) times: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Timestamp>,
    /// Whether there are older lines that were not read.
    pub(super) more: bool,
}

/// Diagnosis rule that matches.
#[derive(Debug, Serialize)]
pub(super) struct ExplainedCause {
    pub(super) rule: &'static str,
    pub(super) cause: &'static str,
    pub(super) owner: FaultOwner,
    /// Error messages, one line each.
    pub(super) errors: Vec<String>,
    pub(super) configs: Vec<String>,
    pub(super) fix: &'static str,
    pub(super) steps: Vec<NextStep>,
    /// Documentation of the rule.
    pub(super) page: String,
}

/// Step after the fix.
#[derive(Debug, Serialize)]
pub(super) struct NextStep {
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command: Option<String>,
}

impl ConnectorExplanation {
    pub(super) fn new(known: ConnectorEvidence, commands: &CommandBuilder, now: Timestamp) -> Self {
        let observed = &known.observed;
        // Error messages can contain secrets.
        let mut redactor = redactor_for_plugin(observed.class());
        let is_vague = known.diagnosis.is_generic();
        let since = known.advice.as_ref().and_then(ErrorRecommendations::occurred_at);
        let clean = |text: String, redactor: &mut TextRedactor| redactor.redact(&text).into_owned();
        let mut causes = Vec::new();
        for found in known.diagnosis.causes {
            causes.push(ExplainedCause::new(found, observed, commands, &mut redactor));
        }
        let failed = known.diagnosis.tasks.into_iter().map(|task| TaskError {
            error: task.error.map(|error| clean(error, &mut redactor)),
            ..task
        });
        let failed = failed.collect();
        let advice = known.advice.map(|advice| advice.recommendations).unwrap_or_default();
        let advice = advice.into_iter().map(|text| clean(text, &mut redactor)).collect();
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().to_owned(),
            direction: observed.direction().to_owned(),
            plugin: observed.class().to_owned(),
            health: known.health,
            since,
            duration: since.and_then(|since| Duration::try_from(now.duration_since(since)).ok()),
            tasks_running: running_tasks(observed),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
            causes,
            previous_runs: known.diagnosis.previous_config_active,
            failed_tasks: failed,
            recommendations: advice,
            notes: known.notes,
            log: known.log,
            log_error: known.log_error,
            is_generic: is_vague,
        }
    }
}

impl ExplainedCause {
    fn new(
        found: MatchedRule,
        observed: &LiveConnector,
        commands: &CommandBuilder,
        redactor: &mut TextRedactor,
    ) -> Self {
        let rule = found.rule;
        let errors = found.errors.iter().map(|error| redactor.redact(error).into_owned());
        let steps = rule.next_steps.iter().map(|step| NextStep {
            text: match commands.as_other_persona(step) {
                Some(persona) => format!("{} (as the {persona})", step.text),
                None => step.text.to_owned(),
            },
            command: commands.command(step, observed),
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

impl ConnectorExplanations {
    pub(super) fn new(mut all: Vec<ConnectorExplanation>) -> Self {
        all.sort_by(|a, b| (a.health, &a.name).cmp(&(b.health, &b.name)));
        Self(all)
    }
}
