//! Policies of the site: rules about connectors in `policies/*.toml`, and their tests in `policies/tests/*.toml`.
//!
//! - [`fields`]: the fields that an expression can read
//! - [`rule`]: a rule as it is written
//! - [`policy_test`]: a test of a rule as it is written
//!
//! This module only reads the files; `gitops::policies` checks and evaluates the expressions.

pub mod fields;
pub mod policy_test;
pub mod rule;

pub use fields::{FactValue, Facts, FieldType, ObjectFacts, PolicyField, PolicyObject};
pub use policy_test::PolicyTest;
pub use rule::{PolicyException, PolicyRule};

use std::{collections::BTreeMap, path::Path, sync::Arc};

use super::{files, toml::TomlDocument};
use crate::diag::{Finding, SourceFile};

/// Folder of the policies, beside `connectors`.
pub const POLICIES: &str = "policies";

/// Folder of the tests of policies.
const POLICY_TESTS: &str = "policies/tests";

/// Rules and tests of a repository.
#[derive(Clone, Debug, Default)]
pub struct PolicyFiles {
    /// Rules in the order of the files.
    pub rules: Vec<PolicyRule>,
    /// Tests in the order of the files.
    pub tests: Vec<PolicyTest>,
    /// Findings about the files. After an error, `rules` and `tests` are incomplete.
    pub findings: Vec<Finding>,
}

impl PolicyFiles {
    /// Reads the folder `policies` of `root`; findings show paths relative to `shown`. A missing folder has no rules.
    #[must_use]
    pub fn read_folder(root: &Path, shown: &Path) -> Self {
        let mut findings = Vec::new();
        let rules = files::read_folder(root, shown, POLICIES, &mut findings);
        let tests = files::read_folder(root, shown, POLICY_TESTS, &mut findings);
        let mut policies = Self::parse(&rules, &tests);
        policies.findings.splice(0..0, findings);
        policies
    }

    /// Reads files whose paths and texts are known, such as the shipped ones.
    #[must_use]
    pub fn from_texts(texts: &[(&str, &str)]) -> Self {
        let (tests, rules): (Vec<_>, Vec<_>) = texts.iter().partition(|(path, _)| path.starts_with(POLICY_TESTS));
        let sources = |files: Vec<&(&str, &str)>| -> Vec<Arc<SourceFile>> {
            files.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect()
        };
        Self::parse(&sources(rules), &sources(tests))
    }

    fn parse(rules: &[Arc<SourceFile>], tests: &[Arc<SourceFile>]) -> Self {
        let mut read = Self::default();
        for source in rules {
            let document = TomlDocument::parse(source);
            read.rules.extend(rule::read_rules(&document.root()));
            read.findings.extend(document.into_findings());
        }
        read.report_duplicate_ids();
        for source in tests {
            let document = TomlDocument::parse(source);
            read.tests
                .extend(policy_test::read_tests(&document.root(), &read.rules));
            read.findings.extend(document.into_findings());
        }
        read
    }

    fn report_duplicate_ids(&mut self) {
        let mut first: BTreeMap<&str, &PolicyRule> = BTreeMap::new();
        for rule in &self.rules {
            if let Some(other) = first.insert(rule.id, rule) {
                let message = format!("rule `{}` is also defined at {}", rule.id, other.id_span.location());
                self.findings.push(
                    Finding::error("duplicate-rule", message)
                        .with_span(rule.id_span.clone())
                        .with_fix("Rename one of the two rules."),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
