//! Checks of connector files without a connection.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Serialize;

use super::{
    effective_file::EffectiveFile,
    file_tree::{ConnectorAddress, ConnectorTree},
    unmanaged::list_path,
};
use crate::{
    catalog::{Catalog, LintDepartment, LintOptions, lint},
    diag::{Assignee, Finding, Severity, SourceFile, SourceSpan},
    model::{ConnectorNamePattern, DepartmentQuota, PlatformTeam, Prefix, ServiceAccountId},
    quota::tasks_max,
    text::count_noun,
};

/// What the platform's files or a profile say about a department in a stage.
#[derive(Clone, Debug)]
pub struct DepartmentRules {
    /// Prefix of all its names.
    pub prefix: Prefix,
    /// Naming convention of the platform.
    pub connector_names: ConnectorNamePattern,
    /// Quota in the stage.
    pub quota: DepartmentQuota,
    /// Account of its connectors, if known.
    pub runtime_account: Option<ServiceAccountId>,
    /// Variables besides `EBS_SECRET_…` that its files may reference.
    pub secret_variables: Vec<String>,
    /// Lint rules that do not apply, with their reasons.
    pub lint_exceptions: Vec<(String, String)>,
    /// Name and contact of the platform team, for messages.
    pub platform_team: PlatformTeam,
}

/// Result of the checks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TreeValidation {
    /// Number of files.
    pub files: usize,
    /// Number of connectors that the files describe, without tombstones.
    pub connectors: usize,
    /// Number of tombstones.
    pub tombstones: usize,
    /// Number of findings that are errors.
    pub errors: usize,
    /// Number of findings that are warnings.
    pub warnings: usize,
    /// Findings by file.
    pub findings: Vec<Finding>,
}

impl TreeValidation {
    /// Creates the result of `findings`, sorted by file and position.
    fn new(tree: &ConnectorTree, findings: Vec<Finding>) -> Self {
        let tombstones = tree
            .connectors
            .values()
            .filter(|file| file.settings.is_absent())
            .count();
        let mut validation = Self {
            files: tree.files,
            connectors: tree.connectors.len() - tombstones,
            tombstones,
            ..Self::default()
        };
        validation.add(findings);
        validation
    }

    /// Adds findings.
    pub(super) fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by(|left, right| {
            let key = |finding: &Finding| (finding.rule, finding.message.clone());
            position(left)
                .cmp(&position(right))
                .then_with(|| key(left).cmp(&key(right)))
        });
        // Several stages have the findings of their base.
        self.findings.dedup_by(|later, earlier| {
            position(later) == position(earlier) && later.rule == earlier.rule && later.message == earlier.message
        });
        self.count();
    }

    /// Keeps the findings whose file `keep` accepts; findings without a file are kept.
    pub(super) fn retain(&mut self, keep: impl Fn(&Path) -> bool) {
        self.findings
            .retain(|finding| finding.span.as_ref().is_none_or(|span| keep(&span.source.path)));
        self.count();
    }

    fn count(&mut self) {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        (self.errors, self.warnings) = (count(Severity::Error), count(Severity::Warning));
    }
}

fn position(finding: &Finding) -> Option<(&Path, usize)> {
    let span = finding.span.as_ref()?;
    Some((&span.source.path, span.range.start))
}

/// Checks all files: syntax and places, the rules of the linter, names, and the quota of the state that the files
/// describe together. `rules_for` returns the rules of a department in a stage, if they are known.
#[must_use]
pub fn validate_tree<'a>(
    tree: &ConnectorTree,
    catalog: Option<&Catalog>,
    rules_for: impl Fn(&str, &str) -> Option<&'a DepartmentRules>,
) -> TreeValidation {
    let mut findings = tree.findings.clone();
    for (address, file) in &tree.connectors {
        let department = rules_for(&address.department, &address.stage);
        if file.settings.is_absent() {
            findings.extend(check_tombstone(file, department));
            continue;
        }
        let linted = lint(&file.merged, &lint_options(department, catalog));
        findings.extend(file.located(linted.findings));
    }
    findings.extend(replaced_secrets(tree));
    for address in tree.unmanaged.iter() {
        let rules = rules_for(&address.department, &address.stage);
        findings.extend(rules.and_then(|rules| check_listed_name(address, &rules.prefix)));
    }
    for (department, stage) in tree.stages() {
        findings.extend(check_former_names(tree, &department, &stage));
        if let Some(rules) = rules_for(&department, &stage) {
            findings.extend(check_quota(tree, &department, &stage, rules));
        }
    }
    TreeValidation::new(tree, findings)
}

fn lint_options<'a>(department: Option<&'a DepartmentRules>, catalog: Option<&'a Catalog>) -> LintOptions<'a> {
    let Some(rules) = department else {
        return LintOptions {
            catalog,
            ..LintOptions::default()
        };
    };
    LintOptions {
        catalog,
        variables: None,
        department: Some(LintDepartment {
            prefix: &rules.prefix,
            runtime_account: rules.runtime_account.as_ref(),
            quota: &rules.quota,
            connector_names: &rules.connector_names,
            platform_team: &rules.platform_team,
        }),
        secret_variables: &rules.secret_variables,
        exceptions: &rules.lint_exceptions,
    }
}

/// A tombstone has no configuration to check, but deletes a connector, so its name must belong to the department.
fn check_tombstone(file: &EffectiveFile, department: Option<&DepartmentRules>) -> Option<Finding> {
    let prefix = &department?.prefix;
    let name = &file.address.name;
    (!prefix.owns(name)).then(|| {
        whole_file(
            file,
            Severity::Error,
            "foreign-name",
            format!("`{name}` does not begin with `{prefix}`"),
        )
        .with_fix("Move the file to the department of the connector.")
    })
}

/// Lint rules about secrets in values.
const RULES_ABOUT_SECRETS: [&str; 2] = ["credential-in-value", "literal-secret"];

/// Finds secrets in values of base files: a stage that replaces the value hides it from the other checks.
fn replaced_secrets(tree: &ConnectorTree) -> Vec<Finding> {
    let mut bases = BTreeSet::new();
    let mut findings = Vec::new();
    for file in tree.connectors.values().filter(|file| file.base_path().is_some()) {
        bases.insert((file.address.department.clone(), file.address.name.clone()));
    }
    for base in bases.iter().filter_map(|key| tree.bases.get(key)) {
        let linted = lint(base, &LintOptions::default());
        findings.extend(
            linted
                .findings
                .into_iter()
                .filter(|finding| RULES_ABOUT_SECRETS.contains(&finding.rule)),
        );
    }
    findings
}

/// Checks that a former name is used once and that its connector has no file, unless that file is a tombstone.
fn check_former_names(tree: &ConnectorTree, department: &str, stage: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used: BTreeMap<&str, &EffectiveFile> = BTreeMap::new();
    for file in tree.stage(department, stage) {
        let Some(former) = file.settings.renamed_from.as_deref() else {
            continue;
        };
        let address = ConnectorAddress {
            name: former.to_owned(),
            ..file.address.clone()
        };
        let own = tree.connectors.get(&address).filter(|own| !own.settings.is_absent());
        let other = own.or_else(|| used.get(former).copied());
        if let Some(other) = other {
            let message = format!("`renamed_from` names the connector of `{}`", other.path().display());
            findings.push(
                whole_file(file, Severity::Error, "gitops-setting", message)
                    .with_fix("Only one file can continue a connector; remove `renamed_from` or the other file."),
            );
        }
        used.insert(former, file);
    }
    findings
}

/// Checks that a connector in the list of unmanaged connectors is one of the department.
fn check_listed_name(address: &ConnectorAddress, prefix: &Prefix) -> Option<Finding> {
    if prefix.owns(&address.name) {
        return None;
    }
    let message = format!("connector `{}` does not begin with the prefix `{prefix}`", address.name);
    let place = SourceSpan::new(&SourceFile::new(list_path(&address.department), ""), 0..0);
    Some(
        Finding::error("gitops-unmanaged", message)
            .with_span(place)
            .with_assignee(Assignee::Department)
            .with_fix("Correct the name, or remove the entry."),
    )
}

/// Checks the numbers of connectors and tasks that the files describe together. The linter checks each file alone.
fn check_quota(tree: &ConnectorTree, department: &str, stage: &str, rules: &DepartmentRules) -> Vec<Finding> {
    let files: Vec<&EffectiveFile> = tree
        .stage(department, stage)
        .filter(|file| !file.settings.is_absent())
        .collect();
    let tasks: u64 = files.iter().map(|file| u64::from(file_tasks(file))).sum();
    let (connectors, quota) = (files.len(), &rules.quota);
    let Some(last) = files.last() else { return Vec::new() };
    let mut findings = Vec::new();
    let mut add = |message: String| {
        let fix = format!("Delete a connector, or ask {} for a larger quota.", rules.platform_team);
        findings.push(whole_file(last, Severity::Error, "gitops-quota", message).with_fix(fix));
    };
    if connectors > quota.connectors as usize {
        add(format!(
            "the files of `{department}` in `{stage}` describe {}, the quota allows {}",
            count_noun(connectors, "connector"),
            quota.connectors
        ));
    }
    if tasks > u64::from(quota.tasks) {
        add(format!(
            "the files of `{department}` in `{stage}` describe {tasks} tasks, the quota allows {}",
            quota.tasks
        ));
    }
    findings
}

/// Returns the number of tasks that a file asks for; the linter reports an invalid number.
fn file_tasks(file: &EffectiveFile) -> u32 {
    let value = file.merged.value("tasks.max").map(str::to_owned);
    let config = value.map(|value| ("tasks.max".to_owned(), value)).into_iter().collect();
    tasks_max(&config).unwrap_or(1)
}

fn whole_file(file: &EffectiveFile, severity: Severity, rule: &'static str, message: String) -> Finding {
    let place = SourceSpan::new(&SourceFile::new(file.path(), ""), 0..0);
    let finding = match severity {
        Severity::Error => Finding::error(rule, message),
        Severity::Warning => Finding::warning(rule, message),
        Severity::Info => Finding::info(rule, message),
    };
    finding.with_span(place).with_assignee(Assignee::Department)
}
