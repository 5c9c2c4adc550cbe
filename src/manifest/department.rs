//! Department files, `departments/*.toml`, whose file name is the department's code; and checks between departments.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use toml::Spanned;

use super::{
    lint, naming,
    owners::DepartmentOwners,
    platform::Platform,
    quota::QuotaFields,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    hint::closest_match,
    model::{Department, DepartmentCode, DepartmentQuota, Prefix, Recipient, recipient::redact_secret_keys},
    text::join_code,
};

/// A parsed department file with the locations that later checks report.
#[derive(Clone, Debug)]
pub struct DepartmentFile {
    /// Department with defaults applied.
    pub department: Department,
    /// Source file.
    pub source: Arc<SourceFile>,
    /// People and teams of the forge that review changes of the department's connector files.
    pub owners: DepartmentOwners,
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
        Ok(code) => {
            if is_reserved_file_name(code.as_str()) {
                let message = format!("`{code}` is a device name on Windows, where the file cannot be checked out");
                let finding = Finding::error("department-code", message);
                root.report(0..0, finding.with_fix("Rename the file."));
            }
            Some(code)
        }
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
    let stages = read_stages(root, platform);
    let (quota, stage_quotas) = read_quotas(root, stages.as_deref(), platform);
    let recipients = read_recipients(root);
    let retired = root.get::<jiff::civil::Date>("retired").map(Spanned::into_inner);
    let owners = DepartmentOwners::read(root, |stage| unknown_stage(stage, platform));
    let lint_exceptions = root.table("lint").map(|table| lint::read(&table)).unwrap_or_default();
    let (code, name, prefix) = (code?, name?, prefix?);
    Some(DepartmentFile {
        source: Arc::clone(source),
        owners,
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
            stages,
            quota,
            stage_quotas,
            recipients,
            retired,
            lint_exceptions,
        },
    })
}

/// Returns whether Windows does not allow a file with this name and any extension.
fn is_reserved_file_name(stem: &str) -> bool {
    let numbered = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    };
    matches!(stem, "aux" | "con" | "nul" | "prn") || numbered("com") || numbered("lpt")
}

/// Reads the stages in which the department may be onboarded; `None` for all.
fn read_stages(root: &TomlTable<'_>, platform: &Platform) -> Option<Vec<String>> {
    let written = root.list("stages")?;
    let mut stages = Vec::new();
    for stage in &written {
        if let Some(finding) = unknown_stage(stage.get_ref(), platform) {
            root.report(stage.span(), finding);
        } else if stages.contains(stage.get_ref()) {
            root.report(stage.span(), Finding::warning("duplicate-value", "duplicate stage"));
        } else {
            stages.push(stage.get_ref().clone());
        }
    }
    if written.is_empty() {
        let finding = Finding::error(
            "stages-empty",
            "`stages` is empty, so the department cannot be onboarded",
        );
        let fix = "Name at least one stage, or remove the key to allow all stages.";
        root.report(root.key_range("stages").unwrap_or_default(), finding.with_fix(fix));
    }
    Some(stages)
}

pub(super) fn unknown_stage(stage: &str, platform: &Platform) -> Option<Finding> {
    let known = || platform.stages.keys().map(String::as_str);
    // Without stages, the platform file itself is reported.
    if platform.stages.is_empty() || known().any(|name| name == stage) {
        return None;
    }
    let finding = Finding::error(
        "unknown-stage",
        format!("no stage `{}` in `ebs.toml`", stage.escape_debug()),
    );
    Some(finding.with_fix(match closest_match(stage, known()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Known stages: {}.", join_code(&known().collect::<Vec<_>>())),
    }))
}

/// Reads `[quota]` and the tables `[quota.stages.<stage>]`, whose keys take precedence in their stage.
fn read_quotas(
    root: &TomlTable<'_>,
    stages: Option<&[String]>,
    platform: &Platform,
) -> (DepartmentQuota, BTreeMap<String, DepartmentQuota>) {
    let table = root.table("quota");
    let fields = table.as_ref().map(QuotaFields::read).unwrap_or_default();
    let complete = |fields: &QuotaFields, defaults: &DepartmentQuota| {
        let quota = fields.with_defaults(defaults);
        if let Some((range, message)) = fields.contradiction(&quota) {
            root.report(range, Finding::error("quota-contradiction", message));
        }
        quota
    };
    let quota = complete(&fields, &platform.quota);
    let named = table.as_ref().and_then(|table| table.table("stages"));
    let named = named.map(|stages| stages.named_tables()).unwrap_or_default();
    let mut stage_quotas = BTreeMap::new();
    for (stage, table) in named {
        if let Some(finding) = unknown_stage(stage.get_ref(), platform) {
            root.report(stage.span(), finding);
        } else if stages.is_some_and(|stages| !stages.contains(stage.get_ref())) {
            let message = format!("quota for stage `{}`, which `stages` does not allow", stage.get_ref());
            root.report(stage.span(), Finding::warning("quota-unused", message));
        }
        let own = complete(&QuotaFields::read(&table), &quota);
        stage_quotas.insert(stage.into_inner(), own);
    }
    (quota, stage_quotas)
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
