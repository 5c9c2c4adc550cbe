//! Support bundle of `doctor --bundle`: one JSON document that the user can review before sending it.
//!
//! The bundle contains no secret, for two reasons. Only selected facts are written: never the text of a file, and never
//! the value of a variable that could be secret. In addition, all known secrets, and strings that begin like one, are
//! redacted from the result.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::DoctorInputs;
use crate::{
    apply::{Journal, journal::TimedJournalLine},
    catalog::secret::VARIABLE_PREFIX,
    checks::{DoctorReport, network},
    config::{StandardDirs, profile_redaction},
    diag::{Finding, Severity, SourceSpan},
    env,
    error::{Error, ResultExt},
    model::{ApiKeyId, KeyKind},
    sandbox::{self, Sandbox},
    session::{self, RunContext, SettingRow},
};

/// Number of lines from each journal.
const JOURNAL_LINES: usize = 40;
/// Number of requests from the sandbox.
const MAX_REQUESTS: usize = 40;
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
pub struct SupportBundle {
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
    /// Collects the bundle and returns it as JSON without secrets.
    ///
    /// # Errors
    /// A value has no representation in JSON.
    pub fn collect(run: &RunContext, inputs: &DoctorInputs, report: DoctorReport) -> Result<Value, Error> {
        let bundle = Self {
            about: "Collected by `confluent ebs doctor --bundle`. It contains no secrets, but ids, names, file names \
                    and API responses. Review it before you share it outside of your organization.",
            made_at: run.clock().now(),
            program: ProgramInfo {
                version: env!("CARGO_PKG_VERSION"),
                os: std::env::consts::OS,
                architecture: std::env::consts::ARCH,
                file: run.environment.executable.clone(),
            },
            settings: inputs.settings.rows(),
            variables: variable_rows(run),
            profile: ProfilePart::collect(inputs),
            platform: PlatformPart::collect(inputs),
            diagnosis: report,
            journals: journal_parts(run, inputs),
            sandbox: SandboxPart::collect(run, inputs),
        };
        let mut value = serde_json::to_value(&bundle).context("cannot write the support bundle as JSON")?;
        let home = run.environment.home.as_ref().map(|home| home.display().to_string());
        let secrets = &run.environment.secrets;
        // No connector file was resolved, so the variables that it can refer to are not registered yet.
        let variables = run.environment.variable_pairs();
        variables
            .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX) || secrets.is_secret_variable(name))
            .for_each(|(_, value)| secrets.add(value));
        map_strings(&mut value, &|text| {
            let text = profile_redaction::redact_tokens(&secrets.redact(&text));
            match &home {
                Some(home) if home.len() > 1 => text.replace(home.as_str(), "~"),
                _ => text,
            }
        });
        Ok(value)
    }
}

#[derive(Serialize)]
struct ProgramInfo {
    version: &'static str,
    os: &'static str,
    architecture: &'static str,
    file: Option<PathBuf>,
}

/// Environment variable that is set; the value is included only if it is never secret.
#[derive(Serialize)]
struct VariableRow {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

fn variable_rows(run: &RunContext) -> Vec<VariableRow> {
    const PUBLIC_VARIABLES: [&str; 6] = [
        env::CONFLUENT_EBS_PROFILE,
        env::CONFLUENT_EBS_PLATFORM,
        env::CONFLUENT_EBS_STATE_DIR,
        env::SSL_CERT_FILE,
        env::SSL_CERT_DIR,
        env::PATH,
    ];
    let known = |name: &str| env::ALL.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let variables = run.environment.variable_pairs();
    variables
        .filter(|(name, value)| known(name) && !value.is_empty())
        .map(|(name, value)| VariableRow {
            name: name.to_owned(),
            value: if PUBLIC_VARIABLES.contains(&name) {
                Some(value.to_owned())
            } else if name == env::CONFLUENT_CLOUD_API_KEY {
                ApiKeyId::is_plausible(value).then(|| value.to_owned())
            } else {
                let proxies = network::find_proxies([(name, value)]);
                proxies.into_iter().find_map(|proxy| proxy.address)
            },
        })
        .collect()
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
    by: String,
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
    fn collect(inputs: &DoctorInputs) -> Option<Self> {
        let selected = inputs.settings.profile.as_ref()?;
        let (facts, findings) = match inputs.profile.as_ref()? {
            Err(findings) => (None, finding_rows(findings)),
            Ok(loaded) => {
                let facts = &loaded.profile.facts;
                let facts = BundleProfileFacts {
                    department: facts.department.to_string(),
                    persona: facts.persona.clone(),
                    prefix: facts.prefix.to_string(),
                    stage: facts.stage.clone(),
                    endpoint: loaded.profile.endpoint.to_string(),
                    issued: loaded.profile.issued,
                    keys: [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry]
                        .into_iter()
                        .filter_map(|kind| Some((kind, loaded.keys.get(kind)?.id.clone())))
                        .collect(),
                };
                (Some(facts), finding_rows(&loaded.warnings))
            }
        };
        Some(Self {
            named: selected.value.clone(),
            by: selected.source.to_string(),
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
    fn collect(inputs: &DoctorInputs) -> Option<Self> {
        let loaded = inputs.platform.as_ref().ok()?.as_ref()?;
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

fn journal_parts(run: &RunContext, inputs: &DoctorInputs) -> Vec<JournalPart> {
    let folder = match (inputs.settings.sandbox_dir(), &run.environment.dirs) {
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
    fn collect(run: &RunContext, inputs: &DoctorInputs) -> Option<Self> {
        let selected = inputs.settings.sandbox_dir();
        let default = || run.environment.dirs.as_ref().ok().map(StandardDirs::sandbox);
        let folder = selected.map(std::path::Path::to_owned).or_else(default)?;
        let condition = Sandbox::state_dir_status(&folder);
        let is_readable = selected.is_some() && condition.exists && !condition.locked;
        let opened = inputs
            .sandbox_workspace()
            .filter(|_| is_readable)
            .and_then(|workspace| session::open_sandbox(run, &folder, &workspace).ok());
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
