//! From what a connector says to the rules that it meets. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    DiagnosisRule, FaultOwner,
    pattern::matches,
    rules::{DATABASE_UNREACHABLE, INVALID_CONFIGURATION, PROVISIONING, UNKNOWN, rules},
};
use crate::{
    api::connect::ConnectorStatus,
    resources::connector::cause::{VALIDATION_PREFIX, root_cause_line, validation_errors},
};

/// How a connector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorHealth {
    /// Something is wrong with it.
    Unhealthy,
    /// It is on its way, or in a state that nobody knows.
    Unsettled,
    /// It is as somebody wanted it.
    Healthy,
}

/// How a connector is, by its status (docs/reference/connect.md#connector-states).
#[must_use]
pub fn health(status: &ConnectorStatus) -> ConnectorHealth {
    let refused = status.validation_errors.iter().flatten().next().is_some();
    let failed = status.tasks.iter().any(|task| has_failed(&task.state));
    match status.connector.state.as_str() {
        "FAILED" | "DEGRADED" => ConnectorHealth::Unhealthy,
        _ if refused || failed => ConnectorHealth::Unhealthy,
        "RUNNING" if has_running_task(status) => ConnectorHealth::Healthy,
        "PAUSED" | "STOPPED" => ConnectorHealth::Healthy,
        _ => ConnectorHealth::Unsettled,
    }
}

fn has_failed(state: &str) -> bool {
    matches!(state, "FAILED" | "USER_ACTIONABLE_ERROR" | "SYSTEM_ERROR")
}

fn has_running_task(status: &ConnectorStatus) -> bool {
    status.tasks.iter().any(|task| task.state == "RUNNING")
}

/// What is wrong with a connector.
#[derive(Clone, Debug, Default)]
pub struct ConnectorDiagnosis {
    /// The rules that it meets, the first the one to begin with; none for what is healthy.
    pub causes: Vec<MatchedRule>,
    /// Whether a configuration from before is in force; nothing where the one that is stored was not refused.
    pub previous_config_active: Option<bool>,
    /// The tasks that failed, by number.
    pub tasks: Vec<TaskError>,
}

impl ConnectorDiagnosis {
    /// Whether log lines may say more.
    #[must_use]
    pub fn is_generic(&self) -> bool {
        self.causes.iter().all(|found| found.rule.is_generic)
    }
}

/// A rule that was met, and by what.
#[derive(Clone, Debug)]
pub struct MatchedRule {
    /// The rule.
    pub rule: &'static DiagnosisRule,
    /// The keys of the configuration that the service names.
    pub configs: Vec<String>,
    /// What was said, each line once.
    pub errors: Vec<String>,
    /// Who can do something about it: as the rule says, unless it is vague and the states of the tasks tell.
    pub owner: FaultOwner,
}

impl MatchedRule {
    /// A rule that is met by a state.
    #[must_use]
    pub fn from_state(rule: &'static DiagnosisRule) -> Self {
        match_rule(rule, ErrorMessage::from_text(""))
    }
}

/// A task that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskError {
    /// Its number.
    pub task: u32,
    /// Its state.
    pub state: String,
    /// The line of its trace that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Something that was said.
struct ErrorMessage {
    configs: Vec<String>,
    /// All of it.
    text: String,
}

/// What a status means, in the order in which it is worth reading: what is wrong with the configuration, then what
/// tasks said, then summaries (docs/reference/connect.md#where-errors-are-reported).
#[must_use]
pub fn diagnose(status: &ConnectorStatus) -> ConnectorDiagnosis {
    let mut diagnosis = ConnectorDiagnosis {
        tasks: failed_tasks(status),
        ..ConnectorDiagnosis::default()
    };
    let health = health(status);
    if health != ConnectorHealth::Unhealthy {
        if matches!(status.connector.state.as_str(), "PROVISIONING" | "NONE" | "") {
            diagnosis.causes.push(MatchedRule::from_state(&PROVISIONING));
        }
        return diagnosis;
    }
    let refused = config_errors(status);
    if !refused.is_empty() {
        // Source: docs/reference/connect.md#update-a-connector. The service says so also of a connector that never had
        // another configuration.
        diagnosis.previous_config_active = Some(has_running_task(status));
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
    // Source: docs/reference/connect.md#connector-states. What is not the department's to fix.
    if status.tasks.iter().any(|task| task.state == "SYSTEM_ERROR") {
        let vague = diagnosis.causes.iter_mut().filter(|found| found.rule.is_generic);
        vague
            .filter(|found| found.owner == FaultOwner::Department)
            .for_each(|found| found.owner = FaultOwner::Platform);
    }
    diagnosis
}

/// What a text from elsewhere means, such as a log line with its trace; nothing where no rule says more than that something
/// failed.
#[must_use]
pub fn diagnose_text(text: &str) -> Option<MatchedRule> {
    let rule = matching_rule(text).filter(|rule| !rule.is_generic)?;
    Some(match_rule(rule, ErrorMessage::from_text(text)))
}

/// What a message from anywhere means.
#[must_use]
pub fn diagnose_message(message: &str) -> MatchedRule {
    match_rule(
        matching_rule(message).unwrap_or(&UNKNOWN),
        ErrorMessage::from_text(message),
    )
}

/// The rule that a text meets.
fn matching_rule(text: &str) -> Option<&'static DiagnosisRule> {
    let text = text.to_lowercase();
    let meets = |rule: &&DiagnosisRule| {
        let mut patterns = rule.patterns.iter();
        patterns.any(|pattern| text.lines().any(|line| matches(line, pattern)))
    };
    rules().find(meets)
}

impl ErrorMessage {
    fn from_text(text: &str) -> Self {
        Self {
            configs: Vec::new(),
            text: text.trim().to_owned(),
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

/// The line of a text that a rule is met by, the innermost one; else the one that matters.
fn relevant_line(rule: &DiagnosisRule, text: &str) -> String {
    let by_rule = text.lines().rev().find(|line| {
        let line = line.to_lowercase();
        rule.patterns.iter().any(|pattern| matches(&line, pattern))
    });
    let line = by_rule.unwrap_or_else(|| root_cause_line(text)).trim();
    // What Java and Debezium put in front says nothing.
    let line = line.strip_prefix("Caused by: ").unwrap_or(line);
    let line = line.strip_prefix(VALIDATION_PREFIX).unwrap_or(line);
    // Of two classes in front, the outer one is a wrapper.
    let inner = without_class(line);
    if without_class(inner) == inner { line } else { inner }.to_owned()
}

/// Rules that were met so far.
#[derive(Default)]
struct CauseCollector(Vec<MatchedRule>);

impl CauseCollector {
    /// `otherwise`: what it is when no rule knows it.
    fn add(&mut self, said: ErrorMessage, fallback: &'static DiagnosisRule) {
        if said.text.is_empty() {
            return;
        }
        let rule = match matching_rule(&said.text) {
            // A wrapper says less than the key under which it stands, but for the one that stands under many.
            Some(rule) if rule.is_generic && !fallback.is_generic && *rule != DATABASE_UNREACHABLE => fallback,
            Some(rule) => rule,
            None => fallback,
        };
        let found = match_rule(rule, said);
        match self.0.iter_mut().find(|known| known.rule.id == rule.id) {
            Some(known) => {
                merge(&mut known.configs, found.configs);
                // Traces repeat what was said before, with a class in front or a wrapper around it.
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

    /// Without what says less than the rest. What was said of keys gives way only to what tasks said: other keys have another
    /// root.
    fn into_causes(mut self) -> Vec<MatchedRule> {
        let root = self
            .0
            .iter()
            .any(|found| !found.rule.is_generic && found.configs.is_empty());
        if !self.all_generic() {
            let intervals = |found: &MatchedRule| !found.rule.is_generic || (!root && !found.configs.is_empty());
            self.0.retain(intervals);
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

/// A message without the class of the exception in front.
fn without_class(error: &str) -> &str {
    match error.split_once(": ") {
        Some((class, rest)) if class.contains('.') && !class.contains(' ') => rest,
        _ => error,
    }
}

/// What is wrong with the configuration: one root, and all keys that the service names for it.
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
        // The lines of the trace are the same (docs/reference/connect.md#update-a-connector).
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

/// The trace of a configuration that was refused, and the errors behind it.
fn split_config_error(trace: &str) -> Option<(&str, &str)> {
    let (before, errors) = trace.split_once("Errors:")?;
    before
        .to_lowercase()
        .contains("unable to validate configuration")
        .then_some((before, errors))
}

/// What tasks and the connector said.
fn error_texts(status: &ConnectorStatus) -> Vec<String> {
    let mut texts = status.trace_errors();
    let tasks = status.tasks.iter().filter(|task| has_failed(&task.state));
    texts.extend(tasks.flat_map(|task| [task.trace.clone().unwrap_or_default(), task.msg.clone()]));
    let trace = &status.connector.trace;
    if split_config_error(trace).is_none() {
        texts.push(trace.clone());
    }
    texts
}

fn failed_tasks(status: &ConnectorStatus) -> Vec<TaskError> {
    let failed = status.tasks.iter().filter(|task| has_failed(&task.state));
    let mut tasks: Vec<TaskError> = failed
        .map(|task| {
            let root = root_cause_line(task.trace.as_deref().unwrap_or_default()).trim();
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
