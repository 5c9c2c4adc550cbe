//! `rbac-templates/tests/*.toml`: what must and what must not be possible, and whether it is so.

use std::{collections::BTreeSet, ops::Range, path::Path, sync::Arc};

use toml::Spanned;

use super::{
    Workspace, embedded, files, target,
    toml::{Document, Table},
    workspace::{TESTS, sort},
};
use crate::{
    access::{
        Doubt, OperationSet, Scene,
        assertion::{Assertion, Examiner, Expect, Outcome, Target, Violation, Who},
        question,
    },
    diag::{Finding, SourceFile, Span},
    model::{GrantTarget, NamePattern, ResourceKind, Role},
};

/// A file of assertions.
#[derive(Clone, Debug)]
pub struct AssertionFile {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Its assertions, in their order, each with its place.
    pub assertions: Vec<(Assertion, Span)>,
}

/// What came of files of assertions.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// How many assertions were checked.
    pub assertions: usize,
    /// How many of them do not hold.
    pub failed: usize,
    /// How many questions that took.
    pub questions: usize,
    /// The files whose template no department has: nothing of them was checked.
    pub unused: Vec<String>,
    /// The assertions that do not hold, each with a counter-example.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub doubts: BTreeSet<Doubt>,
    /// Roles with a fallback on which an assertion rests.
    pub uncertain: BTreeSet<Role>,
}

/// Reads one file. Names are looked up in `workspace`.
pub fn read(source: &Arc<SourceFile>, workspace: &Workspace) -> (AssertionFile, Vec<Finding>) {
    let document = Document::parse(source);
    let assertions = read_root(&document.root(), workspace);
    let file = AssertionFile {
        source: Arc::clone(source),
        assertions,
    };
    let mut findings = document.into_findings();
    sort(&mut findings);
    (file, findings)
}

fn read_root(root: &Table<'_>, workspace: &Workspace) -> Vec<(Assertion, Span)> {
    root.get::<String>("description");
    let template = root.get::<String>("template");
    if let Some(template) = &template
        && workspace.template(template.get_ref()).is_none()
    {
        let message = format!("there is no template `{}`", template.get_ref().escape_debug());
        let names = workspace.templates().map(|template| template.name.as_str());
        let fix = super::did_you_mean(template.get_ref(), names.collect::<Vec<_>>().into_iter());
        root.report(template.span(), Finding::error("unknown-template", message).fix(fix));
    }
    let template = template.map(Spanned::into_inner);
    let scope = Scope::new(workspace, template.as_deref());
    let mut assertions = Vec::new();
    for (key, expect) in [("can", Expect::Can), ("cannot", Expect::Cannot)] {
        for table in root.tables(key) {
            if let Some((who, on, place)) = read_assertion(&table, expect, &scope) {
                let assertion = Assertion {
                    template: template.clone(),
                    expect,
                    who,
                    on,
                };
                assertions.push((assertion, table.span_of(place)));
            }
        }
    }
    assertions.sort_by_key(|(_, span)| span.range.start);
    if assertions.is_empty() && root.key_range("can").is_none() && root.key_range("cannot").is_none() {
        let fix = "Write `[[can]]` or `[[cannot]]` and its keys below it.";
        root.report(
            0..0,
            Finding::error("no-assertion", "the file asserts nothing").fix(fix),
        );
    }
    assertions
}

/// The names that may be spoken of.
struct Scope<'a> {
    departments: Vec<&'a str>,
    personas: Vec<&'a str>,
}

impl<'a> Scope<'a> {
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

type Read = (Vec<Who>, Vec<(Target, OperationSet)>, Range<usize>);

fn read_assertion(table: &Table<'_>, expect: Expect, scope: &Scope<'_>) -> Option<Read> {
    let who = table.require_list("who");
    let operations = table.require_list("operations");
    let on = table.require_list("on");
    table.get::<String>("why");
    for (key, list) in [("who", &who), ("operations", &operations), ("on", &on)] {
        if list.as_ref().is_some_and(Vec::is_empty)
            && let Some(place) = table.key_range(key)
        {
            let finding = Finding::error("invalid-value", format!("`{key}` is empty, so nothing is asserted"));
            table.report(place, finding);
        }
    }
    let (who, operations, on) = (who?, operations?, on?);
    let key = table.key_range("who")?;
    let place = key.start..who.last().map_or(key.end, |last| last.span().end);
    let read_who: Vec<_> = who.iter().map(|text| read_who(table, text, scope)).collect();
    let on: Vec<_> = on.iter().map(|text| read_target(table, text, expect, scope)).collect();
    let mut wrong = BTreeSet::new();
    for word in &operations {
        // A word that no kind knows is wrong, also beside a target that cannot be read.
        if let Some(error) = question::unknown(word.get_ref()) {
            wrong.insert(word.span().start);
            table.report(word.span(), Finding::error(error.rule, error.message).fix(error.fix));
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
    // Half an assertion would say something that nobody meant.
    let who: Option<Vec<Who>> = read_who.into_iter().collect();
    let on: Option<Vec<_>> = on.into_iter().collect();
    Some((who?, on?, place))
}

fn read_who(table: &Table<'_>, text: &Spanned<String>, scope: &Scope<'_>) -> Option<Who> {
    let written = text.get_ref();
    let report = |rule, message: String, fix: String| {
        table.report(text.span(), Finding::error(rule, message).fix(fix));
        None
    };
    let parts = written.split_once('/').map(|(department, persona)| {
        let parts = (NamePattern::parse(department), NamePattern::parse(persona));
        (parts.0.ok(), parts.1.ok())
    });
    let Some((Some(department), Some(persona))) = parts else {
        let message = format!("`{}` is not a department and a persona", written.escape_debug());
        return report(
            "invalid-value",
            message,
            "Write `claims/operator`, or `*/operator` for every department.".to_owned(),
        );
    };
    let known = |pattern: &NamePattern, names: &[&str]| names.iter().any(|name| pattern.matches(name));
    let literal = |pattern: &NamePattern| matches!(pattern, NamePattern::Literal(_));
    if literal(&department) && !known(&department, &scope.departments) {
        let name = department.stem();
        let fix = super::did_you_mean(name, scope.departments.iter().copied());
        return report(
            "unknown-department",
            format!("there is no department `{}`", name.escape_debug()),
            fix,
        );
    }
    if literal(&persona) && !known(&persona, &scope.personas) {
        let name = persona.stem();
        let fix = super::did_you_mean(name, scope.personas.iter().copied());
        return report(
            "unknown-persona",
            format!("no template has a persona `{}`", name.escape_debug()),
            fix,
        );
    }
    Some(Who { department, persona })
}

fn read_target(table: &Table<'_>, text: &Spanned<String>, expect: Expect, scope: &Scope<'_>) -> Option<Target> {
    let written = text.get_ref().as_str();
    let report = |finding: Finding| {
        table.report(text.span(), finding);
        None
    };
    if let Some((word, name)) = written.split_once(':')
        && name.starts_with("{other}")
    {
        return match (question::kind(word), expect) {
            (Err(error), _) => report(Finding::error(error.rule, error.message).fix(error.fix)),
            (Ok(_), Expect::Can) => report(
                Finding::error("assertion-target", "`{other}` can only stand below `[[cannot]]`")
                    .fix("What belongs to other departments is none of this one's: write `[[cannot]]`."),
            ),
            (Ok(ResourceKind::ServiceAccount), _) if name == "{other}" => {
                Some(Target::Others(ResourceKind::ServiceAccount))
            }
            (Ok(kind), _) if kind != ResourceKind::ServiceAccount && name == "{other}*" => Some(Target::Others(kind)),
            (Ok(kind), _) => {
                let star = if kind == ResourceKind::ServiceAccount { "" } else { "*" };
                let message = format!("`{}` is not what belongs to other departments", written.escape_debug());
                let fix = format!("Write `{}:{{other}}{star}`.", kind.word());
                report(Finding::error("assertion-target", message).fix(fix))
            }
        };
    }
    // In a template it would be too wide; to say that it must not be is what assertions are for.
    if written == "service-account:*" && expect == Expect::Cannot {
        let all = NamePattern::Prefixed(String::new());
        return Some(Target::Own(GrantTarget::Fixed(ResourceKind::ServiceAccount, all)));
    }
    match target::parse(written, &scope.personas) {
        Ok(target) => Some(Target::Own(target)),
        Err(error) => {
            let mut finding = Finding::error(error.rule, error.message);
            finding.fix = error.fix;
            report(finding)
        }
    }
}

/// The operations on `kind`; each place is reported once, however many kinds it is wrong for.
fn read_operations(
    table: &Table<'_>,
    words: &[Spanned<String>],
    kind: ResourceKind,
    wrong: &mut BTreeSet<usize>,
) -> Option<OperationSet> {
    let mut all = Some(OperationSet::EMPTY);
    for word in words {
        match question::operations(word.get_ref(), kind) {
            Ok(set) => all = all.map(|all| all.with(set)),
            Err(error) => {
                all = None;
                if wrong.insert(word.span().start) {
                    table.report(word.span(), Finding::error(error.rule, error.message).fix(error.fix));
                }
            }
        }
    }
    all
}

impl Workspace {
    /// The shipped assertions, and those beside the templates of the platform, which replace shipped ones of the same
    /// name.
    pub fn assertions(&self) -> (Vec<AssertionFile>, Vec<Finding>) {
        let mut findings = Vec::new();
        let own = match self.folder() {
            Some(folder) => files::files(folder, shown(folder), TESTS, &mut findings),
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

    /// The assertions in a file, or in all `*.toml` of a folder.
    pub fn assertions_at(&self, path: &Path) -> (Vec<AssertionFile>, Vec<Finding>) {
        let mut findings = Vec::new();
        let sources = match (path.is_dir(), path.file_name().and_then(|name| name.to_str())) {
            (false, Some(name)) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                files::file(folder, folder, name, &mut findings).into_iter().collect()
            }
            _ => files::files(path, path, "", &mut findings),
        };
        if sources.is_empty() && findings.is_empty() {
            let place = Span::new(&SourceFile::new(path, ""), 0..0);
            findings.push(Finding::error("no-assertion", "there is no file of assertions").at(place));
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

/// People know their files by the way from where they stand.
fn shown(folder: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.and_then(|here| folder.strip_prefix(here).ok()).unwrap_or(folder)
}

/// Checks the assertions of `files` against `scene`.
#[must_use]
pub fn examine(files: &[AssertionFile], scene: &Scene) -> Examined {
    let examiner = Examiner::new(scene);
    let mut examined = Examined::default();
    for file in files {
        let template = file.assertions.first().and_then(|(first, _)| first.template.as_ref());
        let used = |template| {
            scene
                .members
                .iter()
                .any(|member| member.template.as_ref() == Some(template))
        };
        if template.is_some_and(|template| !used(template)) {
            examined.unused.push(file.source.path.display().to_string());
            continue;
        }
        for (assertion, place) in &file.assertions {
            let outcome = examiner.check(assertion);
            examined.assertions += 1;
            examined.questions += outcome.questions;
            if let Some(finding) = finding(assertion, &outcome, scene) {
                examined.failed += 1;
                examined.findings.push(finding.at(place.clone()));
            }
            examined.doubts.extend(outcome.doubts);
            examined.uncertain.extend(outcome.uncertain);
        }
    }
    examined
}

fn finding(assertion: &Assertion, outcome: &Outcome, scene: &Scene) -> Option<Finding> {
    if outcome.members == 0 {
        let finding = Finding::error("access-nobody", "nobody is meant, so nothing is asserted");
        return Some(finding.fix("Name departments and personas that there are, or take the assertion away."));
    }
    let first = outcome.violations.first()?;
    let same =
        |other: &&Violation| other.member == first.member && other.on == first.on && other.through == first.through;
    let operations: OperationSet = outcome
        .violations
        .iter()
        .filter(same)
        .map(|violation| violation.operation)
        .collect();
    let members: BTreeSet<_> = outcome.violations.iter().map(|other| &other.member.account).collect();
    let more = match members.len() - 1 {
        0 => String::new(),
        count => format!("; and {count} more of those meant"),
    };
    let who = format!("{}/{}", first.member.department, first.member.persona);
    let verb = match assertion.expect {
        Expect::Can => "cannot",
        Expect::Cannot => "can",
    };
    let message = format!("{who} {verb} {operations} on {}{more}", first.on.short());
    Some(match &first.through {
        None => Finding::error("access-can", message)
            .fix("No role binding and no ACL gives it: change the template, or this assertion if it is not meant."),
        Some(through) => {
            let where_from = scene.origin_of(through);
            let fallback = match first.by_fallback {
                true => " if the service refuses the role that is asked for first",
                false => "",
            };
            let through = through.short();
            Finding::error("access-cannot", message).fix(format!("{through} gives it{fallback}; {where_from}."))
        }
    })
}
