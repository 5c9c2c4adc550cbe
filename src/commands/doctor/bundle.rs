//! `confluent ebs doctor --bundle`: a support bundle in one JSON file that the user can review before sending it.
//!
//! The bundle contains no secret, for two reasons. Only selected facts are written: never the text of a file, and never
//! the value of a variable that could be secret. In addition, all known secrets, and strings that begin like one, are
//! redacted from the result.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::environment::DoctorEnvironment;
use crate::{
    apply::{Journal, journal::TimedJournalLine},
    checks::{DoctorReport, network},
    commands::Ctx,
    config::{
        Layer, SaveError, Settings, profile_redaction,
        save::{IfExists, save},
    },
    diag::{Finding, Severity, SourceSpan},
    env,
    error::{Error, ResultExt},
    model::{ApiKeyId, KeyKind},
    render::{Block, TextLine, Viewable, json_document},
    sandbox::{self, Sandbox},
    session,
    text::count_noun,
};

/// Number of lines from each journal.
const JOURNAL_LINES: usize = 40;
/// Number of requests from the sandbox.
const MAX_REQUESTS: usize = 40;
/// Replacement of a secret.
const REDACTED: &str = "[redacted]";

/// Checks that `path` does not exist yet.
pub(super) fn check_new_file(path: &Path) -> Result<&Path, Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(SaveError::Exists(path.to_owned()).into()),
        Err(_) => Ok(path),
    }
}

/// Collects the bundle and writes it to `file`.
pub(super) fn write(
    ctx: &Ctx,
    file: &Path,
    environment: &DoctorEnvironment,
    diagnosis: DoctorReport,
) -> Result<DoctorBundleOutput, Error> {
    let bundled = DoctorBundleOutput {
        file: file.to_owned(),
        ok: diagnosis.ok,
        problems: diagnosis.problems,
        unknown: diagnosis.unknown,
    };
    let bundle = SupportBundle::collect(ctx, environment, diagnosis);
    let mut value = serde_json::to_value(&bundle).context("cannot write the support bundle as JSON")?;
    let home = ctx.run.environment.home.as_ref().map(|home| home.display().to_string());
    let secrets = known_secrets(environment);
    map_strings(&mut value, &|text| {
        let text = secrets
            .iter()
            .fold(text, |text, secret| text.replace(secret.as_str(), REDACTED));
        let text = profile_redaction::redact_tokens(&text);
        match &home {
            Some(home) if home.len() > 1 => text.replace(home.as_str(), "~"),
            _ => text,
        }
    });
    let text = json_document(&value).context("cannot write the support bundle as JSON")?;
    save(file, text.as_bytes(), IfExists::Keep)?;
    Ok(bundled)
}

/// Returns all secrets known on this machine.
fn known_secrets(environment: &DoctorEnvironment) -> Vec<String> {
    let keys = environment.valid_profile().map(|loaded| &loaded.keys);
    let kinds = [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry];
    let of_profile = kinds
        .into_iter()
        .filter_map(|kind| keys?.get(kind))
        .map(|pair| pair.secret.expose().to_owned());
    let of_environment = environment
        .variables
        .iter()
        .filter(|(name, _)| name == env::CONFLUENT_CLOUD_API_SECRET || name.starts_with("EBS_SECRET_"));
    let mut secrets: Vec<String> = of_profile
        .chain(of_environment.map(|(_, value)| value.clone()))
        // Short values are not secrets; redacting them would garble the bundle.
        .filter(|secret| secret.len() >= 6)
        .collect();
    // A secret that contains another secret is redacted first.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn map_strings(value: &mut Value, change: &impl Fn(String) -> String) {
    match value {
        Value::String(text) => *text = change(std::mem::take(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| map_strings(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| map_strings(field, change)),
        _ => {}
    }
}

/// Content of the bundle.
#[derive(Serialize)]
struct SupportBundle {
    about: &'static str,
    made_at: jiff::Timestamp,
    program: ProgramInfo,
    settings: Vec<SettingRow>,
    variables: Vec<VariableRow>,
    profile: Option<ProfilePart>,
    platform: Option<PlatformPart>,
    diagnosis: DoctorReport,
    journals: Vec<JournalPart>,
    sandbox: Option<SandboxPart>,
}

impl SupportBundle {
    fn collect(ctx: &Ctx, environment: &DoctorEnvironment, diagnosis: DoctorReport) -> Self {
        Self {
            about: "Collected by `confluent ebs doctor --bundle`. It contains no secrets, but ids, names, file names \
                    and API responses. Review it before you share it outside of your organization.",
            made_at: ctx.run.environment.clock.now(),
            program: ProgramInfo {
                version: env!("CARGO_PKG_VERSION"),
                os: std::env::consts::OS,
                architecture: std::env::consts::ARCH,
                file: ctx.run.environment.executable.clone(),
            },
            settings: setting_rows(ctx, environment),
            variables: variable_rows(environment),
            profile: ProfilePart::collect(environment),
            platform: PlatformPart::collect(environment),
            diagnosis,
            journals: journal_parts(environment),
            sandbox: SandboxPart::collect(ctx, environment),
        }
    }
}

#[derive(Serialize)]
struct ProgramInfo {
    version: &'static str,
    os: &'static str,
    architecture: &'static str,
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct SettingRow {
    name: &'static str,
    value: String,
    origin: String,
}

fn setting_rows(ctx: &Ctx, surrounding: &DoctorEnvironment) -> Vec<SettingRow> {
    let globals = &ctx.globals;
    let flags = Layer {
        profile: globals.profile.clone(),
        stage: globals.stage.clone(),
        environment: globals.environment.clone(),
        cluster: globals.cluster.clone(),
        department: globals.department.clone(),
        ..Layer::default()
    };
    let environment = Layer::from_environment(env::var);
    let workspace = surrounding.valid_workspace();
    let resolved = Settings::resolve(flags, environment, surrounding.valid_profile(), workspace).unwrap_or_default();
    let rows = resolved.explain().into_iter();
    rows.map(|(name, value, origin)| SettingRow {
        name,
        value,
        origin: origin.to_string(),
    })
    .collect()
}

/// Environment variable that is set; the value is included only if it is never secret.
#[derive(Serialize)]
struct VariableRow {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

fn variable_rows(environment: &DoctorEnvironment) -> Vec<VariableRow> {
    const PUBLIC_VARIABLES: [&str; 6] = [
        env::CONFLUENT_EBS_PROFILE,
        env::CONFLUENT_EBS_PLATFORM,
        env::CONFLUENT_EBS_STATE_DIR,
        env::SSL_CERT_FILE,
        env::SSL_CERT_DIR,
        env::PATH,
    ];
    let known = |name: &str| env::ALL.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let mut rows: Vec<VariableRow> = environment
        .variables
        .iter()
        .filter(|(name, value)| known(name) && !value.is_empty())
        .map(|(name, value)| VariableRow {
            name: name.clone(),
            value: if PUBLIC_VARIABLES.contains(&name.as_str()) {
                Some(value.clone())
            } else if name == env::CONFLUENT_CLOUD_API_KEY {
                ApiKeyId::is_plausible(value).then(|| value.clone())
            } else {
                let proxies = network::find_proxies([(name.clone(), value.clone())]);
                proxies.into_iter().find_map(|proxy| proxy.address)
            },
        })
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

/// Finding in a file, without text from the file.
#[derive(Serialize)]
struct FindingRow {
    rule: &'static str,
    severity: Severity,
    place: Option<String>,
}

impl From<&Finding> for FindingRow {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            place: finding.span.as_ref().map(SourceSpan::location),
        }
    }
}

fn finding_rows(findings: &[Finding]) -> Vec<FindingRow> {
    findings.iter().map(FindingRow::from).collect()
}

#[derive(Serialize)]
struct ProfilePart {
    named: String,
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<BundleProfileFacts>,
    findings: Vec<FindingRow>,
}

#[derive(Serialize)]
struct BundleProfileFacts {
    department: String,
    persona: String,
    prefix: String,
    stage: String,
    endpoint: String,
    issued: jiff::civil::Date,
    /// Ids of the API keys, without secrets.
    keys: Vec<(KeyKind, ApiKeyId)>,
}

impl ProfilePart {
    fn collect(environment: &DoctorEnvironment) -> Option<Self> {
        let (named, by) = environment.selected_profile.clone()?;
        let (facts, findings) = match environment.profile.as_ref()? {
            Err(findings) => (None, finding_rows(findings)),
            Ok(loaded) => {
                let facts = &loaded.profile.facts;
                let kinds = [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry];
                let keys = kinds
                    .into_iter()
                    .filter_map(|kind| Some((kind, loaded.keys.get(kind)?.id.clone())));
                let facts = BundleProfileFacts {
                    department: facts.department.to_string(),
                    persona: facts.persona.clone(),
                    prefix: facts.prefix.to_string(),
                    stage: facts.stage.clone(),
                    endpoint: loaded.profile.endpoint.to_string(),
                    issued: loaded.profile.issued,
                    keys: keys.collect(),
                };
                (Some(facts), finding_rows(&loaded.warnings))
            }
        };
        Some(Self {
            named,
            by,
            facts,
            findings,
        })
    }
}

#[derive(Serialize)]
struct PlatformPart {
    origin: String,
    stages: Vec<String>,
    departments: usize,
    templates: Vec<String>,
    findings: Vec<FindingRow>,
}

impl PlatformPart {
    fn collect(environment: &DoctorEnvironment) -> Option<Self> {
        let loaded = environment.platform.as_ref().ok()?.as_ref()?;
        let workspace = &loaded.workspace;
        Some(Self {
            origin: workspace.origin.to_string(),
            stages: workspace.platform.stages.keys().cloned().collect(),
            departments: workspace.departments().count(),
            templates: workspace
                .templates()
                .map(|template| format!("{}@{}", template.name, template.hash))
                .collect(),
            findings: finding_rows(&loaded.findings),
        })
    }
}

/// Last lines of a journal. Lines with an unexpected format are skipped.
#[derive(Serialize)]
struct JournalPart {
    file: PathBuf,
    lines: Vec<TimedJournalLine>,
}

fn journal_parts(environment: &DoctorEnvironment) -> Vec<JournalPart> {
    let folder = match (&environment.sandbox, &environment.folders) {
        (Some(folder), _) => folder.join("runs"),
        (None, Ok(folders)) => folders.journal(),
        (None, Err(_)) => return Vec::new(),
    };
    let files = [folder.join("connectors"), folder].into_iter().flat_map(|folder| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
    });
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
        .into_iter()
        .filter_map(|file| {
            let mut lines = Journal::read_timed(&file).ok()?;
            let lines = lines.split_off(lines.len().saturating_sub(JOURNAL_LINES));
            Some(JournalPart { file, lines })
        })
        .collect()
}

#[derive(Serialize)]
struct SandboxPart {
    folder: PathBuf,
    exists: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Settings of the sandbox, if the run uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<sandbox::SandboxSettings>,
    faults: Vec<sandbox::ArmedFault>,
    requests: Vec<sandbox::SandboxJournalEntry>,
}

impl SandboxPart {
    fn collect(ctx: &Ctx, environment: &DoctorEnvironment) -> Option<Self> {
        let default = || {
            environment
                .folders
                .as_ref()
                .ok()
                .map(crate::config::StandardDirs::sandbox)
        };
        let folder = environment.sandbox.clone().or_else(default)?;
        let condition = Sandbox::state_dir_status(&folder);
        let acted_on = environment.sandbox.is_some() && condition.exists && !condition.locked;
        let opened = environment
            .sandbox_workspace()
            .filter(|_| acted_on)
            .and_then(|workspace| session::open_sandbox(&ctx.run, &folder, &workspace).ok());
        let opened = opened.as_ref();
        let mut requests = opened.and_then(|sandbox| sandbox.journal().ok()).unwrap_or_default();
        Some(Self {
            exists: condition.exists,
            url: condition.url,
            settings: opened.and_then(|sandbox| sandbox.settings().ok()),
            faults: opened.and_then(|sandbox| sandbox.faults().ok()).unwrap_or_default(),
            requests: requests.split_off(requests.len().saturating_sub(MAX_REQUESTS)),
            folder,
        })
    }
}

/// Location of the written bundle.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct DoctorBundleOutput {
    file: PathBuf,
    ok: usize,
    problems: usize,
    unknown: usize,
}

impl Viewable for DoctorBundleOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::Lines(vec![
            TextLine::from(format!(
                "Wrote `{}`: {} ok, {}, {} unknown.",
                self.file.display(),
                self.ok,
                count_noun(self.problems, "problem"),
                self.unknown
            )),
            "It contains no secrets, but ids, names and file names: review it before you share it outside of your organization."
                .into(),
        ])]
    }
}
