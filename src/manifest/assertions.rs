//! Files of access assertions, `rbac-templates/tests/*.toml`, and their evaluation.

use std::{collections::BTreeSet, ops::Range, path::Path, sync::Arc};

use toml::Spanned;

use super::{
    Workspace, embedded, files, grant_target,
    toml::{TomlDocument, TomlTable},
    workspace::{TESTS, sort_findings},
};
use crate::{
    access::{
        AccessModel, OperationSet, Uncertainty,
        assertion::{
            Assertion, AssertionChecker, AssertionOutcome, AssertionTarget, Expectation, PersonaPattern, Violation,
        },
        query,
    },
    diag::{Finding, SourceFile, SourceSpan},
    model::{GrantTarget, NamePattern, ResourceKind, Role},
};

/// A file of access assertions.
#[derive(Clone, Debug)]
pub struct AssertionFile {
    /// Source file.
    pub source: Arc<SourceFile>,
    /// Assertions in file order, with their locations.
    pub assertions: Vec<(Assertion, SourceSpan)>,
}

/// Result of checking assertion files.
#[derive(Clone, Debug, Default)]
pub struct AssertionReport {
    /// Number of checked assertions.
    pub assertions: usize,
    /// Number of failed assertions.
    pub failed: usize,
    /// Number of checks.
    pub questions: usize,
    /// Files that were skipped, because no department uses their template.
    pub unused_files: Vec<String>,
    /// Failed assertions, each with a counter-example.
    pub findings: Vec<Finding>,
    /// Gaps in the source.
    pub uncertainties: BTreeSet<Uncertainty>,
    /// Roles with a fallback on which results depend.
    pub fallback_roles: BTreeSet<Role>,
}

/// Reads an assertion file. Names are checked against `workspace`.
pub fn read(source: &Arc<SourceFile>, workspace: &Workspace) -> (AssertionFile, Vec<Finding>) {
    let document = TomlDocument::parse(source);
    let assertions = read_root(&document.root(), workspace);
    let file = AssertionFile {
        source: Arc::clone(source),
        assertions,
    };
    let mut findings = document.into_findings();
    sort_findings(&mut findings);
    (file, findings)
}

fn read_root(root: &TomlTable<'_>, workspace: &Workspace) -> Vec<(Assertion, SourceSpan)> {
    root.get::<String>("description");
    let template = root.get::<String>("template");
    if let Some(template) = &template
        && workspace.template(template.get_ref()).is_none()
    {
        let message = format!("no template `{}`", template.get_ref().escape_debug());
        let names = workspace.templates().map(|template| template.name.as_str());
        let fix = super::suggest_name(template.get_ref(), names.collect::<Vec<_>>().into_iter());
        root.report(
            template.span(),
            Finding::error("unknown-template", message).with_fix(fix),
        );
    }
    let template = template.map(Spanned::into_inner);
    let scope = KnownNames::new(workspace, template.as_deref());
    let mut assertions = Vec::new();
    for (key, expect) in [("can", Expectation::Can), ("cannot", Expectation::Cannot)] {
        for table in root.tables(key) {
            if let Some((who, on, place)) = read_assertion(&table, expect, &scope) {
                let assertion = Assertion {
                    template: template.clone(),
                    expect,
                    personas: who,
                    targets: on,
                };
                assertions.push((assertion, table.span_of(place)));
            }
        }
    }
    assertions.sort_by_key(|(_, span)| span.range.start);
    if assertions.is_empty() && root.key_range("can").is_none() && root.key_range("cannot").is_none() {
        let fix = "Add a `[[can]]` or `[[cannot]]` table.";
        root.report(
            0..0,
            Finding::error("no-assertion", "the file contains no assertions").with_fix(fix),
        );
    }
    assertions
}

/// Names that assertions may use.
struct KnownNames<'a> {
    departments: Vec<&'a str>,
    personas: Vec<&'a str>,
}

impl<'a> KnownNames<'a> {
    fn new(workspace: &'a Workspace, template: Option<&str>) -> Self {
        let meant =
            |name: &str| template.is_none_or(|template| template == name || workspace.template(template).is_none());
        let templates = workspace.templates().filter(|template| meant(&template.name));
        let personas: BTreeSet<&str> = templates
            .flat_map(|template| &template.personas)
            .map(|persona| persona.name.as_str())
            .collect();
        Self {
            departments: workspace
                .active_departments()
                .map(|department| department.code.as_str())
                .collect(),
            personas: personas.into_iter().collect(),
        }
    }
}

type ParsedAssertion = (Vec<PersonaPattern>, Vec<(AssertionTarget, OperationSet)>, Range<usize>);

fn read_assertion(table: &TomlTable<'_>, expect: Expectation, scope: &KnownNames<'_>) -> Option<ParsedAssertion> {
    let who = table.require_list("who");
    let operations = table.require_list("operations");
    let on = table.require_list("on");
    table.get::<String>("why");
    for (key, list) in [("who", &who), ("operations", &operations), ("on", &on)] {
        if list.as_ref().is_some_and(Vec::is_empty)
            && let Some(place) = table.key_range(key)
        {
            let finding = Finding::error("invalid-value", format!("`{key}` is empty"));
            table.report(place, finding);
        }
    }
    let (who, operations, on) = (who?, operations?, on?);
    let key = table.key_range("who")?;
    let place = key.start..who.last().map_or(key.end, |last| last.span().end);
    let read_who: Vec<_> = who
        .iter()
        .map(|text| read_persona_pattern(table, text, scope))
        .collect();
    let on: Vec<_> = on.iter().map(|text| read_target(table, text, expect, scope)).collect();
    let mut wrong = BTreeSet::new();
    for word in &operations {
        // Report an unknown operation even if the target is invalid.
        if let Some(error) = query::check_operation_word(word.get_ref()) {
            wrong.insert(word.span().start);
            table.report(
                word.span(),
                Finding::error(error.rule, error.message).with_fix(error.fix),
            );
        }
    }
    let on: Vec<_> = on
        .into_iter()
        .map(|target| {
            let target = target?;
            let operations = read_operations(table, &operations, target.kind(), &mut wrong)?;
            Some((target, operations))
        })
        .collect();
    // Drop the assertion if a part of it is invalid.
    let who: Option<Vec<PersonaPattern>> = read_who.into_iter().collect();
    let on: Option<Vec<_>> = on.into_iter().collect();
    Some((who?, on?, place))
}

fn read_persona_pattern(
    table: &TomlTable<'_>,
    text: &Spanned<String>,
    scope: &KnownNames<'_>,
) -> Option<PersonaPattern> {
    let written = text.get_ref();
    let report = |rule, message: String, fix: String| {
        table.report(text.span(), Finding::error(rule, message).with_fix(fix));
        None
    };
    let parts = written.split_once('/').map(|(department, persona)| {
        let parts = (NamePattern::parse(department), NamePattern::parse(persona));
        (parts.0.ok(), parts.1.ok())
    });
    let Some((Some(department), Some(persona))) = parts else {
        let message = format!("`{}` is not of the form `DEPARTMENT/PERSONA`", written.escape_debug());
        return report(
            "invalid-value",
            message,
            "Write for example `claims/operator`, or `*/operator` for every department.".to_owned(),
        );
    };
    let known = |pattern: &NamePattern, names: &[&str]| names.iter().any(|name| pattern.matches(name));
    let literal = |pattern: &NamePattern| matches!(pattern, NamePattern::Literal(_));
    if literal(&department) && !known(&department, &scope.departments) {
        let name = department.stem();
        let fix = super::suggest_name(name, scope.departments.iter().copied());
        return report(
            "unknown-department",
            format!("no department `{}`", name.escape_debug()),
            fix,
        );
    }
    if literal(&persona) && !known(&persona, &scope.personas) {
        let name = persona.stem();
        let fix = super::suggest_name(name, scope.personas.iter().copied());
        return report(
            "unknown-persona",
            format!("no persona `{}` in any template", name.escape_debug()),
            fix,
        );
    }
    Some(PersonaPattern { department, persona })
}

fn read_target(
    table: &TomlTable<'_>,
    text: &Spanned<String>,
    expect: Expectation,
    scope: &KnownNames<'_>,
) -> Option<AssertionTarget> {
    let written = text.get_ref().as_str();
    let report = |finding: Finding| {
        table.report(text.span(), finding);
        None
    };
    if let Some((word, name)) = written.split_once(':')
        && name.starts_with("{other}")
    {
        return match (query::parse_kind(word), expect) {
            (Err(error), _) => report(Finding::error(error.rule, error.message).with_fix(error.fix)),
            (Ok(_), Expectation::Can) => report(
                Finding::error("assertion-target", "`{other}` is only allowed in `[[cannot]]`")
                    .with_fix("Write `[[cannot]]`: departments never need access to resources of others."),
            ),
            (Ok(ResourceKind::ServiceAccount), _) if name == "{other}" => {
                Some(AssertionTarget::Others(ResourceKind::ServiceAccount))
            }
            (Ok(kind), _) if kind != ResourceKind::ServiceAccount && name == "{other}*" => {
                Some(AssertionTarget::Others(kind))
            }
            (Ok(kind), _) => {
                let star = if kind == ResourceKind::ServiceAccount { "" } else { "*" };
                let message = format!("`{}` is not a valid target with `{{other}}`", written.escape_debug());
                let fix = format!("Write `{}:{{other}}{star}`.", kind.display_name());
                report(Finding::error("assertion-target", message).with_fix(fix))
            }
        };
    }
    // Too wide for a template, but a valid target of `[[cannot]]`.
    if written == "service-account:*" && expect == Expectation::Cannot {
        let all = NamePattern::Prefixed(String::new());
        return Some(AssertionTarget::Own(GrantTarget::Fixed(
            ResourceKind::ServiceAccount,
            all,
        )));
    }
    match grant_target::parse(written, &scope.personas) {
        Ok(target) => Some(AssertionTarget::Own(target)),
        Err(error) => {
            let mut finding = Finding::error(error.rule, error.message);
            finding.fix = error.fix;
            report(finding)
        }
    }
}

/// Parses the operations on `kind`. Each location is reported once, even if it is invalid for several kinds.
fn read_operations(
    table: &TomlTable<'_>,
    words: &[Spanned<String>],
    kind: ResourceKind,
    wrong: &mut BTreeSet<usize>,
) -> Option<OperationSet> {
    let mut all = Some(OperationSet::EMPTY);
    for word in words {
        match query::parse_operations(word.get_ref(), kind) {
            Ok(set) => all = all.map(|all| all.union(set)),
            Err(error) => {
                all = None;
                if wrong.insert(word.span().start) {
                    table.report(
                        word.span(),
                        Finding::error(error.rule, error.message).with_fix(error.fix),
                    );
                }
            }
        }
    }
    all
}

impl Workspace {
    /// Returns the shipped assertions and those of the platform, which replace shipped files of the same name.
    pub fn assertions(&self) -> (Vec<AssertionFile>, Vec<Finding>) {
        let mut findings = Vec::new();
        let own = match self.folder() {
            Some(folder) => files::read_folder(folder, relative_to_current_dir(folder), TESTS, &mut findings),
            None => Vec::new(),
        };
        let replaced = |path: &str| {
            own.iter()
                .any(|own| own.path.file_name() == Path::new(path).file_name())
        };
        let shipped = embedded::TESTS.iter().filter(|(path, _)| !replaced(path));
        let shipped = shipped.map(|(path, text)| SourceFile::new(*path, *text));
        let sources: Vec<_> = shipped.chain(own.iter().cloned()).collect();
        self.read_all(&sources, findings)
    }

    /// Returns the assertions in a file, or in all `*.toml` of a folder.
    pub fn assertions_at(&self, path: &Path) -> (Vec<AssertionFile>, Vec<Finding>) {
        let mut findings = Vec::new();
        let sources = match (path.is_dir(), path.file_name().and_then(|name| name.to_str())) {
            (false, Some(name)) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                files::read_file(folder, folder, name, &mut findings)
                    .into_iter()
                    .collect()
            }
            _ => files::read_folder(path, path, "", &mut findings),
        };
        if sources.is_empty() && findings.is_empty() {
            let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
            findings.push(Finding::error("no-assertion", "no assertion file found").with_span(place));
        }
        self.read_all(&sources, findings)
    }

    fn read_all(&self, sources: &[Arc<SourceFile>], mut findings: Vec<Finding>) -> (Vec<AssertionFile>, Vec<Finding>) {
        let read = sources.iter().map(|source| {
            let (file, found) = read(source, self);
            findings.extend(found);
            file
        });
        (read.collect(), findings)
    }
}

/// Returns `folder` relative to the current directory for messages.
fn relative_to_current_dir(folder: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| folder.strip_prefix(here).ok()).unwrap_or(folder)
}

/// Checks the assertions of `files` against `model`.
#[must_use]
pub fn check_assertions(files: &[AssertionFile], model: &AccessModel) -> AssertionReport {
    let checker = AssertionChecker::new(model);
    let mut report = AssertionReport::default();
    for file in files {
        let template = file.assertions.first().and_then(|(first, _)| first.template.as_ref());
        let used = |template| {
            model
                .personas
                .iter()
                .any(|member| member.template.as_ref() == Some(template))
        };
        if template.is_some_and(|template| !used(template)) {
            report.unused_files.push(file.source.path.display().to_string());
            continue;
        }
        for (assertion, place) in &file.assertions {
            let outcome = checker.check(assertion);
            report.assertions += 1;
            report.questions += outcome.questions;
            if let Some(finding) = violation_finding(assertion, &outcome, model) {
                report.failed += 1;
                report.findings.push(finding.with_span(place.clone()));
            }
            report.uncertainties.extend(outcome.uncertainties);
            report.fallback_roles.extend(outcome.fallback_roles);
        }
    }
    report
}

fn violation_finding(assertion: &Assertion, outcome: &AssertionOutcome, model: &AccessModel) -> Option<Finding> {
    if outcome.personas == 0 {
        let finding = Finding::error("access-nobody", "the assertion matches no persona");
        return Some(finding.with_fix("Name existing departments and personas, or remove the assertion."));
    }
    let first = outcome.violations.first()?;
    let same = |other: &&Violation| {
        other.persona_account == first.persona_account && other.on == first.on && other.granted_by == first.granted_by
    };
    let operations: OperationSet = outcome
        .violations
        .iter()
        .filter(same)
        .map(|violation| violation.operation)
        .collect();
    let members: BTreeSet<_> = outcome
        .violations
        .iter()
        .map(|other| &other.persona_account.account)
        .collect();
    let more = match members.len() - 1 {
        0 => String::new(),
        1 => "; and 1 more matching persona".to_owned(),
        count => format!("; and {count} more matching personas"),
    };
    let who = format!("{}/{}", first.persona_account.department, first.persona_account.persona);
    let verb = match assertion.expect {
        Expectation::Can => "cannot",
        Expectation::Cannot => "can",
    };
    let message = format!("{who} {verb} {operations} on {}{more}", first.on.to_short_string());
    Some(match &first.granted_by {
        None => Finding::error("access-can", message)
            .with_fix("No role binding and no ACL allows it. Change the template or the assertion."),
        Some(through) => {
            let where_from = model.grant_origin(through);
            let fallback = match first.by_fallback {
                true => " if the API rejects the requested role",
                false => "",
            };
            let through = through.to_short_string();
            Finding::error("access-cannot", message).with_fix(format!("Allowed by {through}{fallback} ({where_from})."))
        }
    })
}
