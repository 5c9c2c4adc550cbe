//! Department files, `departments/*.toml`, whose file name is the department's code; and checks between departments.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use toml::Spanned;

use super::{
    lint, naming,
    platform::Platform,
    quota::QuotaFields,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    model::{Department, DepartmentCode, Prefix, Recipient, recipient::redact_secret_keys},
};

/// A parsed department file with the locations that later checks report.
#[derive(Clone, Debug)]
pub struct DepartmentFile {
    /// Department with defaults applied.
    pub department: Department,
    /// Source file.
    pub source: Arc<SourceFile>,
    name: Range<usize>,
    prefix: Range<usize>,
    template: Option<Range<usize>>,
}

impl DepartmentFile {
    /// Returns the location of the name.
    pub fn name_span(&self) -> SourceSpan {
        SourceSpan::new(&self.source, self.name.clone())
    }

    /// Returns the location of the prefix.
    pub fn prefix_span(&self) -> SourceSpan {
        SourceSpan::new(&self.source, self.prefix.clone())
    }

    /// Returns the location of the template, if the file names one.
    pub fn template_span(&self) -> Option<SourceSpan> {
        self.template.clone().map(|range| SourceSpan::new(&self.source, range))
    }
}

/// Reads a department file. `stem` is the file name without `.toml`.
///
/// `None` if code, name or prefix is missing or invalid.
pub fn read(source: &Arc<SourceFile>, stem: &str, platform: &Platform) -> (Option<DepartmentFile>, Vec<Finding>) {
    let source = &redact_source(source);
    let document = TomlDocument::parse(source);
    let file = read_root(&document.root(), source, stem, platform);
    (file, document.into_findings())
}

/// Returns the file with secret `age` keys redacted, because users may paste one under `recipients` by mistake.
fn redact_source(source: &Arc<SourceFile>) -> Arc<SourceFile> {
    let covered = redact_secret_keys(&source.text);
    if covered == source.text {
        return Arc::clone(source);
    }
    SourceFile::new(&source.path, covered)
}

fn read_root(
    root: &TomlTable<'_>,
    source: &Arc<SourceFile>,
    stem: &str,
    platform: &Platform,
) -> Option<DepartmentFile> {
    root.hint_misplaced_keys(&QuotaFields::KEYS, "It belongs below `[quota]`.");
    root.hint_misplaced_keys(&["code"], "The file name is the code. Rename the file instead.");
    let code = match stem.parse::<DepartmentCode>() {
        Ok(code) => Some(code),
        Err(error) => {
            let finding = Finding::error("department-code", error.to_string());
            root.report(
                0..0,
                finding.with_fix("Rename the file. Its name without `.toml` is the department's code."),
            );
            None
        }
    };
    let name = root.require::<String>("name").filter(|name| check_name(root, name));
    let prefix = read_prefix(root, platform);
    let template = root.get::<String>("template");
    let cost_center = root.get::<String>("cost_center").map(Spanned::into_inner);
    let contacts = read_contacts(root);
    let fields = root
        .table("quota")
        .map(|table| QuotaFields::read(&table))
        .unwrap_or_default();
    let quota = fields.with_defaults(&platform.quota);
    if let Some((range, message)) = fields.contradiction(&quota) {
        root.report(range, Finding::error("quota-contradiction", message));
    }
    let recipients = read_recipients(root);
    let retired = root.get::<jiff::civil::Date>("retired").map(Spanned::into_inner);
    let lint_exceptions = root.table("lint").map(|table| lint::read(&table)).unwrap_or_default();
    let (code, name, prefix) = (code?, name?, prefix?);
    Some(DepartmentFile {
        source: Arc::clone(source),
        name: name.span(),
        prefix: prefix.span(),
        template: template.as_ref().map(Spanned::span),
        department: Department {
            code,
            name: name.into_inner().trim().to_owned(),
            prefix: prefix.into_inner(),
            template: template.map_or_else(|| platform.template.clone(), Spanned::into_inner),
            cost_center,
            contacts,
            quota,
            recipients,
            retired,
            lint_exceptions,
        },
    })
}

fn check_name(root: &TomlTable<'_>, name: &Spanned<String>) -> bool {
    let text = name.get_ref();
    let problem = if text.trim().is_empty() {
        "the name is empty"
    } else if text.chars().any(char::is_control) {
        "the name contains a control character"
    } else if text.chars().count() > 64 {
        "the name is longer than 64 characters"
    } else {
        return true;
    };
    root.report(name.span(), Finding::error("invalid-value", problem));
    false
}

fn read_prefix(root: &TomlTable<'_>, platform: &Platform) -> Option<Spanned<Prefix>> {
    let text = root.require::<String>("prefix")?;
    match Prefix::parse(text.get_ref()) {
        Ok(prefix) => {
            for finding in platform.naming.check_prefix(&prefix) {
                root.report(text.span(), finding);
            }
            Some(Spanned::new(text.span(), prefix))
        }
        Err(error) => {
            let mut finding = Finding::error("prefix-invalid", error.to_string());
            if let Some(better) = suggest_prefix(text.get_ref()) {
                finding = finding.with_fix(format!("Use `{better}`."));
            }
            root.report(text.span(), finding);
            None
        }
    }
}

/// Suggests a valid prefix that differs from `text` only slightly.
fn suggest_prefix(text: &str) -> Option<String> {
    let mut better = text.trim().trim_end_matches('*').to_lowercase();
    if !better.ends_with(crate::model::prefix::DELIMITERS) {
        better.push('-');
    }
    Prefix::parse(&better).ok().map(|prefix| prefix.to_string())
}

fn read_contacts(root: &TomlTable<'_>) -> Vec<String> {
    let contacts = root.list("contacts").unwrap_or_default();
    for contact in &contacts {
        let text = contact.get_ref();
        let parts = text.split_once('@');
        let plausible = parts.is_some_and(|(local, domain)| {
            let dotted = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
            !local.is_empty() && dotted && !domain.contains('@')
        });
        if !plausible || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let message = format!("`{}` is not an e-mail address", text.escape_debug());
            root.report(contact.span(), Finding::warning("contact-invalid", message));
        }
    }
    contacts.into_iter().map(Spanned::into_inner).collect()
}

fn read_recipients(root: &TomlTable<'_>) -> Vec<Recipient> {
    let mut recipients = Vec::new();
    for written in root.list("recipients").unwrap_or_default() {
        let finding = match written.get_ref().parse::<Recipient>() {
            Ok(recipient) if !recipients.contains(&recipient) => {
                recipients.push(recipient);
                continue;
            }
            Ok(_) => Finding::warning("duplicate-value", "duplicate recipient"),
            Err(error) => error.finding(),
        };
        root.report(written.span(), finding);
    }
    recipients
}

/// Checks that prefixes do not overlap, including those of retired departments, and that names are unique.
pub fn check_departments(files: &BTreeMap<DepartmentCode, DepartmentFile>) -> Vec<Finding> {
    let mut findings = prefix_conflicts(files);
    let mut names: BTreeMap<String, &DepartmentFile> = BTreeMap::new();
    for file in files.values() {
        let department = &file.department;
        let folded = department.name.to_lowercase();
        if let Some(first) = names.get(&folded) {
            let message = format!(
                "the name `{}` is already used by department `{}`",
                department.name, first.department.code
            );
            let finding = Finding::error("duplicate-name", message).with_span(file.name_span());
            findings.push(finding.with_fix(format!(
                "The other department is defined at {}.",
                first.name_span().location()
            )));
        } else {
            names.insert(folded, file);
        }
    }
    findings
}

fn prefix_conflicts(files: &BTreeMap<DepartmentCode, DepartmentFile>) -> Vec<Finding> {
    let files: Vec<&DepartmentFile> = files.values().collect();
    let prefixes: Vec<&Prefix> = files.iter().map(|file| &file.department.prefix).collect();
    let mut findings = Vec::new();
    for (shorter, longer) in naming::find_conflicts(&prefixes) {
        // Report the file that can still change: a retired department cannot.
        let (here, there) = match (files[shorter].department.retired, files[longer].department.retired) {
            (None, Some(_)) => (files[shorter], files[longer]),
            _ => (files[longer], files[shorter]),
        };
        let (mine, theirs) = (&here.department, &there.department);
        let relation = if mine.prefix == theirs.prefix {
            "equals the prefix".to_owned()
        } else if !mine.prefix.as_str().starts_with(theirs.prefix.as_str())
            && !theirs.prefix.as_str().starts_with(mine.prefix.as_str())
        {
            format!(
                "conflicts with `{}`, because `.` and `_` count as equal, the prefix",
                theirs.prefix
            )
        } else if mine.prefix.as_str().len() > theirs.prefix.as_str().len() {
            format!("is covered by `{}`, the prefix", theirs.prefix)
        } else {
            format!("covers `{}`, the prefix", theirs.prefix)
        };
        let state = theirs.retired.map_or(String::new(), |day| format!(" (retired {day})"));
        let message = format!(
            "prefix `{}` {relation} of department `{}`{state}",
            mine.prefix, theirs.code
        );
        let fix = match theirs.retired {
            None => format!(
                "Choose a prefix that does not begin with another one; the other prefix is at {}.",
                there.prefix_span().location()
            ),
            Some(_) => {
                "Choose another prefix. A prefix cannot be reused, because topics, groups and schemas may still exist."
                    .to_owned()
            }
        };
        // An overlap between two retired departments is harmless.
        let finding = match (mine.retired, theirs.retired) {
            (Some(_), Some(_)) => Finding::warning("prefix-conflict", message),
            _ => Finding::error("prefix-conflict", message),
        };
        findings.push(finding.with_span(here.prefix_span()).with_fix(fix));
    }
    findings
}
