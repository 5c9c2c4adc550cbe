//! Matching of connector statuses and messages with the rules. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    DiagnosisRule, FaultOwner,
    message::readable_text,
    pattern::matching_rule,
    rules::{DATABASE_UNREACHABLE, INVALID_CONFIGURATION, PROVISIONING, UNKNOWN},
};
use crate::{
    api::connect::ConnectorStatus,
    model::TaskState,
    resources::connector::cause::{VALIDATION_PREFIX, is_nameless, root_cause_line, validation_errors, without_class},
};

/// Health of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorHealth {
    /// Something is wrong with the connector.
    Unhealthy,
    /// The connector is in transition or in an unknown state.
    Unsettled,
    /// The connector is in a desired state.
    Healthy,
}

/// Returns the health of a connector according to its status (docs/reference/connect.md#connector-states).
#[must_use]
pub fn health(status: &ConnectorStatus) -> ConnectorHealth {
    let refused = status.validation_errors.iter().flatten().next().is_some();
    let state = &status.connector.state;
    if state.needs_attention() || refused || status.failed_tasks().next().is_some() {
        ConnectorHealth::Unhealthy
    } else if state.is_stopped() || state.is_running() && status.running_tasks() > 0 {
        ConnectorHealth::Healthy
    } else {
        ConnectorHealth::Unsettled
    }
}

/// Diagnosis of a connector.
#[derive(Clone, Debug, Default)]
pub struct ConnectorDiagnosis {
    /// Matched rules, most relevant first; none for a healthy connector.
    pub causes: Vec<MatchedRule>,
    /// Whether the previous configuration is active; `None` if the stored one was not rejected.
    pub previous_config_active: Option<bool>,
    /// Failed tasks, sorted by number.
    pub tasks: Vec<TaskError>,
}

impl ConnectorDiagnosis {
    /// Returns whether log lines may be more specific.
    #[must_use]
    pub fn is_generic(&self) -> bool {
        self.causes.iter().all(|found| found.rule.is_generic)
    }
}

/// Matched rule with its evidence.
#[derive(Clone, Debug)]
pub struct MatchedRule {
    /// Rule.
    pub rule: &'static DiagnosisRule,
    /// Configuration keys that the service reports.
    pub configs: Vec<String>,
    /// Error lines, each once.
    pub errors: Vec<String>,
    /// Owner of the fault: the rule's, unless the rule is generic and the task states indicate another one.
    pub owner: FaultOwner,
}

impl MatchedRule {
    /// Returns a match of a rule by state.
    #[must_use]
    pub fn from_state(rule: &'static DiagnosisRule) -> Self {
        match_rule(rule, ErrorMessage::from_text(""))
    }
}

/// Failed task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskError {
    /// Task number.
    pub task: u32,
    /// State.
    pub state: TaskState,
    /// Relevant line of its trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Error message with its configuration keys.
struct ErrorMessage {
    configs: Vec<String>,
    /// Full text.
    text: String,
}

/// Diagnoses a status in order of relevance: configuration errors, then task errors, then summaries
/// (docs/reference/connect.md#where-errors-are-reported).
#[must_use]
pub fn diagnose(status: &ConnectorStatus) -> ConnectorDiagnosis {
    let mut diagnosis = ConnectorDiagnosis {
        tasks: failed_tasks(status),
        ..ConnectorDiagnosis::default()
    };
    let health = health(status);
    if health != ConnectorHealth::Unhealthy {
        if status.connector.state.is_before_start() {
            diagnosis.causes.push(MatchedRule::from_state(&PROVISIONING));
        }
        return diagnosis;
    }
    let refused = config_errors(status);
    if !refused.is_empty() {
        // The service reports this even if the connector never had another configuration
        // (docs/reference/connect.md#update-a-connector).
        diagnosis.previous_config_active = Some(status.running_tasks() > 0);
    }
    let mut causes = CauseCollector::default();
    for said in refused {
        causes.add(said, &INVALID_CONFIGURATION);
    }
    for text in error_texts(status) {
        causes.add(ErrorMessage::from_text(&text), &UNKNOWN);
    }
    if causes.all_generic() {
        for text in [&status.override_message, &status.error_summary].into_iter().flatten() {
            causes.add(ErrorMessage::from_text(text), &UNKNOWN);
        }
    }
    diagnosis.causes = causes.into_causes();
    if diagnosis.causes.is_empty() {
        diagnosis.causes.push(MatchedRule::from_state(&UNKNOWN));
    }
    // The service says whose fault it is where no rule does (docs/reference/connect.md#connector-states).
    let has_task_in = |state: &TaskState| status.tasks.iter().any(|task| task.state == *state);
    for found in diagnosis.causes.iter_mut().filter(|found| found.rule.is_generic) {
        match found.owner {
            FaultOwner::Department | FaultOwner::Unknown if has_task_in(&TaskState::SystemError) => {
                found.owner = FaultOwner::Platform;
            }
            FaultOwner::Unknown if has_task_in(&TaskState::UserActionableError) => {
                found.owner = FaultOwner::Department;
            }
            _ => {}
        }
    }
    diagnosis
}

/// Diagnoses a text such as a log line with its trace; returns `None` if only a generic rule matches.
#[must_use]
pub fn diagnose_text(text: &str) -> Option<MatchedRule> {
    let said = ErrorMessage::from_text(text);
    let rule = matching_rule(&said.text).filter(|rule| !rule.is_generic)?;
    Some(match_rule(rule, said))
}

/// Diagnoses any single message.
#[must_use]
pub fn diagnose_message(message: &str) -> MatchedRule {
    let said = ErrorMessage::from_text(message);
    match_rule(matching_rule(&said.text).unwrap_or(&UNKNOWN), said)
}

impl ErrorMessage {
    fn from_text(text: &str) -> Self {
        Self {
            configs: Vec::new(),
            text: readable_text(text),
        }
    }
}

fn match_rule(rule: &'static DiagnosisRule, said: ErrorMessage) -> MatchedRule {
    let line = relevant_line(rule, &said.text);
    MatchedRule {
        rule,
        configs: said.configs,
        errors: Some(line).filter(|line| !line.is_empty()).into_iter().collect(),
        owner: rule.owner,
    }
}

/// Returns the innermost line that matches the rule and names what it is about, or the root cause line.
fn relevant_line(rule: &DiagnosisRule, text: &str) -> String {
    let specific = |rule: &DiagnosisRule| rule.patterns != ["*"];
    let matching = || {
        let lines = text.lines().rev().filter(|_| specific(rule));
        lines.filter(|line| rule.matches_line(line))
    };
    let by_rule = matching().find(|line| !is_nameless(line)).or_else(|| matching().next());
    let line = by_rule.map_or_else(|| root_cause_line(text), str::trim);
    // Remove the prefixes of Java and Debezium.
    let line = line.strip_prefix("Caused by: ").unwrap_or(line);
    let line = line.strip_prefix(VALIDATION_PREFIX).unwrap_or(line);
    // Of two exception classes, the outer one is a wrapper.
    let inner = without_class(line);
    if without_class(inner) == inner { line } else { inner }.to_owned()
}

/// Collector of matched rules.
#[derive(Default)]
struct CauseCollector(Vec<MatchedRule>);

impl CauseCollector {
    /// Adds an error; `fallback` is the rule if none matches.
    fn add(&mut self, said: ErrorMessage, fallback: &'static DiagnosisRule) {
        if said.text.is_empty() {
            return;
        }
        let rule = match matching_rule(&said.text) {
            // A generic message is less specific than its configuration key, except one that Debezium reports for many
            // keys.
            Some(rule) if rule.is_generic && !fallback.is_generic && *rule != DATABASE_UNREACHABLE => fallback,
            Some(rule) => rule,
            None => fallback,
        };
        let found = match_rule(rule, said);
        match self.0.iter_mut().find(|known| known.rule.id == rule.id) {
            Some(known) => {
                merge(&mut known.configs, found.configs);
                // Traces repeat earlier messages with an exception class or wrapper.
                let new = found
                    .errors
                    .into_iter()
                    .filter(|error| !repeats_known(&known.errors, error));
                let new: Vec<String> = new.collect();
                known.errors.extend(new);
            }
            None => self.0.push(found),
        }
    }

    fn all_generic(&self) -> bool {
        self.0.iter().all(|found| found.rule.is_generic)
    }

    /// Removes generic matches if specific ones exist. A generic error of a key is only removed if a task error is
    /// specific, because other keys may have other root causes.
    fn into_causes(mut self) -> Vec<MatchedRule> {
        let root = self
            .0
            .iter()
            .any(|found| !found.rule.is_generic && found.configs.is_empty());
        if !self.all_generic() {
            let intervals = |found: &MatchedRule| !found.rule.is_generic || (!root && !found.configs.is_empty());
            self.0.retain(intervals);
        }
        for found in &mut self.0 {
            if !found.errors.iter().all(|error| is_nameless(error)) {
                found.errors.retain(|error| !is_nameless(error));
            }
        }
        self.0
    }
}

fn merge(known: &mut Vec<String>, new: Vec<String>) {
    for word in new {
        if !known.contains(&word) {
            known.push(word);
        }
    }
}

fn repeats_known(known: &[String], error: &str) -> bool {
    let error = without_class(error);
    let mut known = known.iter().map(|known| without_class(known));
    known.any(|known| known.contains(error) || error.contains(known))
}

/// Returns the configuration errors: one per root cause with all its keys.
fn config_errors(status: &ConnectorStatus) -> Vec<ErrorMessage> {
    let mut said: Vec<ErrorMessage> = Vec::new();
    for error in validation_errors(status) {
        said.push(ErrorMessage {
            configs: error.configs,
            text: error.message,
        });
    }
    if said.is_empty()
        && let Some((_, errors)) = split_config_error(&status.connector.trace)
    {
        // The trace has the same format (docs/reference/connect.md#update-a-connector).
        let mut by_text: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (key, text) in errors.lines().filter_map(|line| line.split_once(':')) {
            by_text.entry(text.trim()).or_default().push(key.trim().to_owned());
        }
        said.extend(by_text.into_iter().map(|(text, configs)| ErrorMessage {
            configs,
            text: text.to_owned(),
        }));
    }
    said
}

/// Splits the trace of a rejected configuration into introduction and errors.
fn split_config_error(trace: &str) -> Option<(&str, &str)> {
    let (before, errors) = trace.split_once("Errors:")?;
    before
        .to_lowercase()
        .contains("unable to validate configuration")
        .then_some((before, errors))
}

/// Returns the error texts of tasks and connector.
fn error_texts(status: &ConnectorStatus) -> Vec<String> {
    let mut texts = status.trace_errors();
    let tasks = status.failed_tasks();
    texts.extend(tasks.flat_map(|task| [task.trace.clone().unwrap_or_default(), task.msg.clone()]));
    let trace = &status.connector.trace;
    if split_config_error(trace).is_none() {
        texts.push(trace.clone());
    }
    texts
}

fn failed_tasks(status: &ConnectorStatus) -> Vec<TaskError> {
    let mut tasks: Vec<TaskError> = status
        .failed_tasks()
        .map(|task| {
            let root = root_cause_line(task.trace.as_deref().unwrap_or_default());
            let line = if root.is_empty() { task.msg.trim() } else { root };
            TaskError {
                task: task.id,
                state: task.state.clone(),
                error: Some(line.to_owned()).filter(|line| !line.is_empty()),
            }
        })
        .collect();
    tasks.sort_by_key(|task| task.task);
    tasks
}
