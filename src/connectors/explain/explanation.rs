//! Explanations as data, with secrets redacted.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{CommandBuilder, DiagnosedConnector, Evidence, denied_topic::judge_topic};
use crate::{
    api::connect::{ErrorRecommendations, ExpandedConnector},
    model::ConnectorState,
    quota::tasks_max,
    redact::TextRedactor,
    resources::connector::{
        LiveConnector,
        diagnosis::{ConnectorHealth, ErrorFamily, FaultOwner, MatchedRule, TaskError, diagnose_message},
    },
};

/// Explanation of a connector.
#[derive(Debug, Serialize)]
pub struct ConnectorExplanation {
    /// Id of the connector, or its name if the id is unknown.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// State as reported by the service.
    pub status: ConnectorState,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Class of the plugin.
    pub plugin: String,
    /// Health derived from the state of the connector and its tasks.
    pub health: ConnectorHealth,
    /// Start of the failure, if the service reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Duration of the failure.
    #[serde(skip)]
    pub duration: Option<Duration>,
    /// Number of running tasks.
    pub tasks_running: usize,
    /// Limit of tasks, if the configuration is readable.
    pub tasks_max: Option<u32>,
    /// Causes, most relevant first.
    pub causes: Vec<ExplainedCause>,
    /// Whether the previous configuration is still in force, because the new one was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_runs: Option<bool>,
    /// Failed tasks, sorted by number.
    pub failed_tasks: Vec<TaskError>,
    /// Recommendation of Confluent Cloud.
    pub recommendations: Vec<String>,
    /// Settings that let the connector lose records without an error.
    pub notes: Vec<String>,
    /// Last error in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogErrorSummary>,
    /// Reason why log lines could not be read, if they could add evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_error: Option<String>,
    /// Whether the error is too generic for a diagnosis.
    #[serde(skip)]
    pub is_generic: bool,
}

/// Last error in the log.
#[derive(Debug, Serialize)]
pub struct LogErrorSummary {
    /// Most specific line of its trace.
    pub error: String,
    /// Number of occurrences.
    pub times: usize,
    /// Time of the first occurrence; `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// Time of the last occurrence; `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Whether there are older lines that were not read.
    pub more: bool,
}

/// Diagnosis rule that matches.
#[derive(Debug, Serialize)]
pub struct ExplainedCause {
    /// Id of the rule.
    pub rule: &'static str,
    /// Explanation, one sentence.
    pub cause: &'static str,
    /// Kind of error.
    pub family: ErrorFamily,
    /// Owner of the fault.
    pub owner: FaultOwner,
    /// Name of the owner.
    #[serde(skip)]
    pub responsible: String,
    /// Error messages, one line each.
    pub errors: Vec<String>,
    /// Configuration keys that the service reports.
    pub configs: Vec<String>,
    /// Fix, one sentence.
    pub fix: &'static str,
    /// Steps after the fix, in order.
    pub steps: Vec<NextStep>,
}

/// Step after the fix.
#[derive(Debug, Serialize)]
pub struct NextStep {
    /// What to do, in the imperative.
    pub text: String,
    /// Command for the caller, unless it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether it is an alternative or depends on a condition, instead of being the next one in the sequence.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alternative: bool,
}

impl ConnectorExplanation {
    /// Explains a diagnosed connector at the time `now`, with suggested commands for the caller.
    #[must_use]
    pub fn new(
        mut diagnosed: DiagnosedConnector,
        evidence: Evidence,
        commands: &CommandBuilder,
        now: Timestamp,
    ) -> Self {
        diagnosed.judge_start(evidence.changed_at, now);
        let log = evidence.log.and_then(|newest| diagnosed.add_log_errors(&newest));
        let DiagnosedConnector {
            observed,
            health,
            diagnosis,
            notes,
        } = diagnosed;
        // Error messages can contain secrets.
        let mut redactor = TextRedactor::for_plugin(observed.class());
        let is_generic = diagnosis.is_generic();
        let since = evidence.advice.as_ref().and_then(ErrorRecommendations::occurred_at);
        let since = since.or(evidence.changed_at);
        let causes = diagnosis
            .causes
            .into_iter()
            .map(|found| ExplainedCause::new(found, &observed, commands, &mut redactor))
            .collect();
        let failed_tasks = diagnosis
            .tasks
            .into_iter()
            .map(|task| TaskError {
                error: task.error.map(|error| redactor.redact(&error).into_owned()),
                ..task
            })
            .collect();
        let recommendations = evidence.advice.map(|advice| advice.recommendations);
        let recommendations = recommendations.unwrap_or_default();
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().clone(),
            direction: observed.direction().to_owned(),
            plugin: observed.class().to_owned(),
            health,
            since,
            duration: since.and_then(|since| Duration::try_from(now.duration_since(since)).ok()),
            tasks_running: observed.expanded.status.running_tasks(),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
            causes,
            previous_runs: diagnosis.previous_config_active,
            failed_tasks,
            recommendations: recommendations
                .iter()
                .map(|text| redactor.redact(text).into_owned())
                .collect(),
            notes,
            log,
            log_error: evidence.log_error,
            is_generic,
        }
    }
}

impl ExplainedCause {
    /// Explains an error message or a log of any length, without a connector.
    #[must_use]
    pub fn from_message(message: &str, commands: &CommandBuilder) -> Self {
        let placeholder = LiveConnector {
            name: "NAME".to_owned(),
            expanded: ExpandedConnector::default(),
        };
        let mut redactor = TextRedactor::default();
        Self::new(diagnose_message(message), &placeholder, commands, &mut redactor)
    }

    fn new(
        found: MatchedRule,
        observed: &LiveConnector,
        commands: &CommandBuilder,
        redactor: &mut TextRedactor,
    ) -> Self {
        let judged = judge_topic(&found, commands.prefix());
        let rule = found.rule;
        let errors = found.errors.iter().map(|error| redactor.redact(error).into_owned());
        let (owner, fix, next_steps) = judged.unwrap_or((found.owner, rule.fix, rule.next_steps));
        let steps = next_steps.iter().map(|step| NextStep {
            text: match commands.as_other_persona(step) {
                Some(persona) => format!("{} (as the {persona})", step.text),
                None => step.text.to_owned(),
            },
            command: commands.command(step, observed),
            alternative: step.is_alternative,
        });
        Self {
            rule: rule.id,
            cause: rule.cause,
            family: rule.family,
            owner,
            responsible: owner.display_name(commands.platform_team()),
            errors: errors.collect(),
            configs: found.configs,
            fix,
            steps: steps.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connectors::logs::NewestLines, session::Options};

    const TRACE: &str = "org.apache.kafka.connect.errors.ConnectException: failed with password=canary-123\n\tat a.b(C.java)\n\
                         Caused by: java.net.UnknownHostException: db.example.com: Name or service not known\n\tat d.e(F.java)";

    #[test]
    fn a_whole_stack_trace_is_explained_without_a_connector() {
        let commands = CommandBuilder::new(&Options::default(), None);
        let cause = ExplainedCause::from_message(TRACE, &commands);
        assert_eq!(cause.rule, "unknown-host");
        assert!(cause.errors[0].contains("db.example.com"), "{:?}", cause.errors);
        assert!(!format!("{cause:?}").contains("canary-123"));
    }

    #[test]
    fn an_explanation_needs_neither_a_session_nor_requests() {
        let expanded = serde_json::from_value(serde_json::json!({
            "status": { "connector": { "state": "FAILED", "trace": "Tasks failed." } },
        }));
        let observed = LiveConnector {
            name: "claims-a".to_owned(),
            expanded: expanded.unwrap(),
        };
        let now: Timestamp = "2026-08-20T09:00:00Z".parse().unwrap();
        let line = |second: u32| crate::api::logs::LogEntry {
            timestamp: format!("2026-08-20T08:00:{second:02}Z"),
            message: TRACE.to_owned(),
            ..Default::default()
        };
        let evidence = Evidence {
            log: Some(NewestLines {
                lines: vec![line(0), line(5)],
                more: true,
            }),
            ..Evidence::default()
        };
        let commands = CommandBuilder::new(&Options::default(), None);
        let explanation = ConnectorExplanation::new(DiagnosedConnector::new(observed, false), evidence, &commands, now);
        assert_eq!(explanation.health, ConnectorHealth::Unhealthy);
        let rules: Vec<&str> = explanation.causes.iter().map(|cause| cause.rule).collect();
        assert_eq!(rules, ["unknown-host"], "the log is more specific than the status");
        let log = explanation.log.unwrap();
        assert_eq!((log.times, log.more), (2, true));
    }
}
