//! Policies of the site: checks and evaluates the rules of `policies/*.toml`.
//!
//! - [`expression`]: a compiled CEL expression
//! - `check`: its names against the declared fields
//! - `cost`: a bound of its work
//! - [`facts`]: what it reads
//! - [`shipped`]: rules that the program contains
//!
//! A rule without `change` is evaluated for each connector that the files describe, a rule with `change` for each change
//! of a plan. An expression that cannot be evaluated counts as violated (`docs/gitops.md`).

mod check;
mod cost;
pub mod expression;
pub mod facts;
pub mod shipped;

pub use expression::{EvaluationContext, PolicyExpression};
pub use facts::PolicyDepartment;
pub use shipped::shipped_policies;

use std::{ops::Range, path::Path};

use jiff::civil::Date;

use self::facts::{change_facts, file_facts};
use super::{effective_file::EffectiveFile, plan::PlanItem};
use crate::{
    catalog::{Catalog, lint::redacted_copy},
    diag::{Assignee, Finding, RuleDescription, Severity, SourceFile, SourceSpan},
    manifest::policy::{PolicyFiles, PolicyRule, PolicyTest},
    model::ownership::sha256_hex,
    text::join_code,
};

/// Rules of a repository, ready to be evaluated.
#[derive(Default)]
pub struct PolicySet {
    rules: Vec<CompiledRule>,
    /// Findings about the files, the expressions, the tests and the exceptions of the rules.
    pub findings: Vec<Finding>,
    /// Hash of everything that decides about a connector: ids, severities, expressions and exceptions; empty without
    /// rules.
    pub hash: String,
    today: Date,
}

struct CompiledRule {
    rule: PolicyRule,
    expression: PolicyExpression,
}

impl PolicySet {
    /// Reads the folder `policies` of `root`, compiles the rules and runs their tests. Findings show paths relative to
    /// `shown`. Exceptions that ended before `today` do not apply.
    #[must_use]
    pub fn read_folder(root: &Path, shown: &Path, today: Date) -> Self {
        Self::new(PolicyFiles::read_folder(root, shown), today)
    }

    /// Compiles the rules of `files` and runs their tests.
    #[must_use]
    pub fn new(files: PolicyFiles, today: Date) -> Self {
        let hash = hash_rules(&files.rules);
        let mut set = Self {
            hash,
            today,
            findings: files.findings,
            rules: Vec::new(),
        };
        for rule in files.rules {
            match PolicyExpression::compile(&rule.expression) {
                Ok(expression) => set.rules.push(CompiledRule { rule, expression }),
                Err(problems) => set.findings.extend(problems.into_iter().map(|problem| {
                    let message = format!("rule `{}`: {}", rule.id, problem.message);
                    let finding =
                        Finding::error("policy-expression", message).with_span(expression_part(&rule, problem.range));
                    match problem.fix {
                        Some(fix) => finding.with_fix(fix),
                        None => finding,
                    }
                })),
            }
        }
        let expired = set.rules.iter().flat_map(|compiled| {
            let exceptions = compiled.rule.exceptions.iter();
            let expired = exceptions.filter(|exception| exception.is_expired(today));
            expired.map(|exception| {
                let message = format!(
                    "the exception of `{}` from rule `{}` ended on {}: {}",
                    exception.connector, compiled.rule.id, exception.until, exception.reason
                );
                Finding::warning("policy-exception-expired", message)
                    .with_span(exception.span.clone())
                    .with_fix("Remove the exception, or extend the `until` date.")
            })
        });
        let expired: Vec<Finding> = expired.collect();
        set.findings.extend(expired);
        let failed = set.run_tests(&files.tests);
        set.findings.extend(failed);
        set
    }

    /// Returns the descriptions of the rules, for reports that explain them.
    #[must_use]
    pub fn descriptions(&self) -> Vec<RuleDescription> {
        let describe = |compiled: &CompiledRule| RuleDescription {
            id: compiled.rule.id,
            summary: compiled.rule.message.clone(),
            help: compiled.rule.fix.clone(),
            severity: compiled.rule.severity,
        };
        self.rules.iter().map(describe).collect()
    }

    /// Checks a connector against the rules that read no change.
    #[must_use]
    pub fn check_file(
        &self,
        file: &EffectiveFile,
        department: Option<&PolicyDepartment<'_>>,
        catalog: &Catalog,
    ) -> Vec<Finding> {
        let rules = self.rules.iter().filter(|rule| !rule.expression.check().reads_change);
        let mut rules = rules.peekable();
        // A tombstone describes no connector.
        if rules.peek().is_none() || file.settings.is_absent() {
            return Vec::new();
        }
        let context = EvaluationContext::new(&file_facts(file, department, "", catalog));
        self.find_violations(rules, file, &context, catalog)
    }

    /// Checks a change against the rules that read changes. `live_class` is the class of the present connector.
    #[must_use]
    pub fn check_change(
        &self,
        item: &PlanItem,
        file: &EffectiveFile,
        department: Option<&PolicyDepartment<'_>>,
        live_class: &str,
        catalog: &Catalog,
    ) -> Vec<Finding> {
        let rules = self.rules.iter().filter(|rule| rule.expression.check().reads_change);
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            return Vec::new();
        }
        let mut facts = file_facts(file, department, live_class, catalog);
        facts.change = Some(change_facts(item));
        self.find_violations(rules, file, &EvaluationContext::new(&facts), catalog)
    }

    fn find_violations<'a>(
        &self,
        rules: impl Iterator<Item = &'a CompiledRule>,
        file: &EffectiveFile,
        context: &EvaluationContext,
        catalog: &Catalog,
    ) -> Vec<Finding> {
        let name = file.address.name.as_str();
        let mut findings = Vec::new();
        let mut about_files = Vec::new();
        let mut shown = None;
        for compiled in rules {
            let result = compiled.expression.evaluate(context);
            let is_excepted = || {
                let mut exceptions = compiled.rule.exceptions.iter();
                exceptions.any(|exception| exception.applies_to(name, self.today))
            };
            if result == Ok(true) || is_excepted() {
                continue;
            }
            let finding = compiled.violation(result.err());
            let Some(range) = compiled.place_in(file) else {
                let whole = SourceSpan::new(&SourceFile::new(file.path(), ""), 0..0);
                about_files.push(finding.with_span(whole));
                continue;
            };
            // Only a file with findings is copied.
            let source = shown.get_or_insert_with(|| redacted_copy(&file.merged, catalog));
            findings.push(finding.with_span(SourceSpan::new(source, range)));
        }
        let mut findings = file.located(findings);
        findings.extend(about_files);
        findings
    }

    /// Runs the tests. Each rule needs a test that violates it and one that satisfies it.
    fn run_tests(&self, tests: &[PolicyTest]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for compiled in &self.rules {
            let rule = &compiled.rule;
            let own = || tests.iter().filter(|test| test.rule == rule.id);
            for (is_violation, table) in [(true, "violates"), (false, "satisfies")] {
                if !own().any(|test| test.is_violation == is_violation) {
                    let message = format!("rule `{}` has no test that {table} it", rule.id);
                    let fix = format!(
                        "Add a `[[{table}]]` table with `rule = \"{}\"` to a file in `policies/tests`.",
                        rule.id
                    );
                    findings.push(
                        Finding::error("policy-untested", message)
                            .with_span(rule.id_span.clone())
                            .with_fix(fix),
                    );
                }
            }
            for test in own() {
                let result = compiled.expression.evaluate(&EvaluationContext::new(&test.facts));
                let message = match (&result, test.is_violation) {
                    (Ok(false), true) | (Ok(true), false) => continue,
                    (Ok(_), true) => format!(
                        "the connector satisfies rule `{}`, the test expects a violation",
                        rule.id
                    ),
                    (Ok(_), false) => format!("the connector violates rule `{}`, the test expects none", rule.id),
                    (Err(error), _) => format!("rule `{}` cannot be evaluated: {error}", rule.id),
                };
                findings.push(
                    Finding::error("policy-test", message)
                        .with_span(test.span.clone())
                        .with_fix(format!(
                            "Correct the test, or the expression at {}.",
                            rule.expression_span.location()
                        )),
                );
            }
        }
        findings
    }
}

impl CompiledRule {
    /// Returns the range of the key that the violation is about: the key of the rule, else the first key of the file that
    /// the expression names; `None` if the file has none of them.
    fn place_in(&self, file: &EffectiveFile) -> Option<Range<usize>> {
        let named = self.expression.check().file_keys.iter();
        let keys = self.rule.key.iter().chain(named);
        let mut entries = keys.filter_map(|key| file.merged.entry(key).or_else(|| file.merged.setting(key)));
        entries.next().map(|entry| entry.value_span.clone())
    }

    fn violation(&self, error: Option<String>) -> Finding {
        let rule = &self.rule;
        let (message, fix) = match error {
            None => (rule.message.clone(), rule.fix.clone()),
            Some(error) => {
                let fields: Vec<&str> = self.expression.check().fields.iter().map(String::as_str).collect();
                let message = format!("rule `{}` cannot be evaluated: {error}", rule.id);
                let fix = format!(
                    "Set the value in this file, or let the expression at {} allow for it; it reads {}.",
                    rule.expression_span.location(),
                    join_code(&fields)
                );
                (message, fix)
            }
        };
        let finding = match rule.severity {
            Severity::Error => Finding::error(rule.id, message),
            Severity::Warning | Severity::Info => Finding::warning(rule.id, message),
        };
        finding.with_fix(fix).with_assignee(Assignee::Department)
    }
}

/// Returns the location of a part of an expression; of the whole value, if escapes make the positions uncertain.
fn expression_part(rule: &PolicyRule, range: Range<usize>) -> SourceSpan {
    let whole = &rule.expression_span;
    let written = whole.source.text.get(whole.range.clone()).unwrap_or_default();
    match written.find(&rule.expression) {
        Some(at) if !range.is_empty() => {
            let start = whole.range.start + at;
            SourceSpan::new(&whole.source, start + range.start..start + range.end)
        }
        _ => whole.clone(),
    }
}

/// Returns a hash that does not depend on comments, tests, files, the order of rules, or texts for people.
fn hash_rules(rules: &[PolicyRule]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let mut lines: Vec<String> = rules
        .iter()
        .map(|rule| {
            let exceptions = rule.exceptions.iter();
            let mut exceptions: Vec<String> = exceptions
                .map(|exception| format!("{} {}", exception.until, exception.connector))
                .collect();
            exceptions.sort();
            let severity = rule.severity == Severity::Error;
            // Serialization of plain data cannot fail.
            serde_json::to_string(&(rule.id, severity, rule.expression.trim(), exceptions)).unwrap_or_default()
        })
        .collect();
    lines.sort();
    sha256_hex(lines.join("\n").as_bytes())
}

#[cfg(test)]
mod tests;
