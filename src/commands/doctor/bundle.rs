//! `confluent ebs doctor --bundle`: what a colleague needs to help, in one file that can be read before it is sent.
//!
//! No secret gets in, for two reasons: only named facts are written, never a file's text or a variable's value that could
//! be one; and whatever is known to be a secret here, or begins like one, is struck out of the result, wherever it turned
//! up.

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

/// How many lines of each journal are taken.
const JOURNAL_LINES: usize = 40;
/// How many requests of the sandbox are taken.
const MAX_REQUESTS: usize = 40;
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";

/// The file, if there is none of that name yet.
pub(super) fn check_new_file(path: &Path) -> Result<&Path, Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(SaveError::Exists(path.to_owned()).into()),
        Err(_) => Ok(path),
    }
}

/// Collects everything and writes it into `file`.
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
    let mut value = serde_json::to_value(&bundle).context("what was seen cannot be written as JSON")?;
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
    let text = json_document(&value).context("what was seen cannot be written as JSON")?;
    save(file, text.as_bytes(), IfExists::Keep)?;
    Ok(bundled)
}

/// Everything that is known to be a secret here.
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
        // Short values are no secrets, and striking them out would only garble the rest.
        .filter(|secret| secret.len() >= 6)
        .collect();
    // A secret that holds another one goes first.
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

/// Everything that is written.
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
            about: "Collected by `confluent ebs doctor --bundle`. It holds no secret; ids, names, file names and \
                    answers of the service are in it, so read it before it leaves your organization.",
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

/// One variable that is set; its value only where that is never a secret.
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

/// A mistake in a file, without the words of the file.
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
    /// Public halves.
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

/// The end of one journal. Lines that are none of a journal are left out, whatever they are.
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
    /// How it behaves, when it is the one that is acted on.
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

/// Where everything was written.
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
                "Wrote {}: {} ok, {}, {} unknown.",
                self.file.display(),
                self.ok,
                count_noun(self.problems, "problem"),
                self.unknown
            )),
            "It holds no secret. Read it before it leaves your organization: ids, names and file names are in it."
                .into(),
        ])]
    }
}
