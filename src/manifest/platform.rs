//! `ebs.toml`: the platform, its stages and what departments have in common.

use std::{collections::BTreeMap, sync::Arc};

use toml::Spanned;

use super::{
    lint,
    naming::NamingRules,
    quota::QuotaFields,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    diag::{Finding, SourceFile},
    model::{
        ClusterId, DepartmentQuota, EnvironmentId, OrganizationId, SchemaRegistryId, ServiceAccountId, StageAddress,
    },
};

/// Tasks of one Kafka cluster over all connectors (docs/reference/quotas.md#sharing-a-cluster).
pub const DEFAULT_TASK_CEILING: u32 = 250;
/// Share of the ceiling that is not given to departments, in percent (docs/reference/quotas.md#sharing-a-cluster).
pub const DEFAULT_RESERVE_PERCENT: u32 = 10;
/// Template of a department that names none.
pub const DEFAULT_TEMPLATE: &str = "hybrid";

/// Quota of a department that says nothing, where `ebs.toml` says nothing either: enough to begin with, small enough
/// that twenty-four such departments fit a cluster.
pub fn default_quota() -> DepartmentQuota {
    DepartmentQuota {
        connectors: 5,
        tasks: 8,
        tasks_per_connector: 2,
        plugins: vec!["*".to_owned()],
    }
}

/// One stage: where it lives, and how much of its cluster departments may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
    /// The Schema Registry; discovered when it is not written.
    pub schema_registry: Option<SchemaRegistryId>,
    /// How many tasks the cluster runs at most, over all connectors.
    pub task_ceiling: u32,
    /// How much of the ceiling is kept free, in percent.
    pub reserve_percent: u32,
}

impl Stage {
    /// How many tasks departments may be promised together.
    pub fn allocatable_tasks(&self) -> u32 {
        let share = u64::from(self.task_ceiling) * u64::from(100 - self.reserve_percent.min(100)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// The stage's address in `organization`.
    pub fn address(&self, organization: &OrganizationId) -> StageAddress {
        StageAddress {
            organization: organization.clone(),
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            schema_registry: self.schema_registry.clone(),
        }
    }
}

/// What `ebs.toml` says, with defaults filled in.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The organization; discovered when it is not written.
    pub organization: Option<OrganizationId>,
    /// The stage that is meant when none is named; empty when the file leaves that open.
    pub default_stage: String,
    /// All stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// What names may look like.
    pub naming: NamingRules,
    /// Template of a department that names none.
    pub template: String,
    /// Quota of a department that says nothing, field by field.
    pub quota: DepartmentQuota,
    /// The service account that onboards, for when its own key cannot tell.
    pub provisioner: Option<ServiceAccountId>,
    /// Service accounts and API keys, by id, that are taken for ours although nothing vouches for them.
    pub adopt: Vec<String>,
    /// Ids of the people and accounts that may administrate the organization, the environments or the clusters.
    pub administrators: Vec<String>,
    /// Lint rules that apply to no department, with the reason for each.
    pub lint_exceptions: Vec<(String, String)>,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            organization: None,
            default_stage: String::new(),
            stages: BTreeMap::new(),
            naming: NamingRules::default(),
            template: DEFAULT_TEMPLATE.to_owned(),
            quota: default_quota(),
            provisioner: None,
            adopt: Vec::new(),
            administrators: Vec::new(),
            lint_exceptions: Vec::new(),
        }
    }
}

impl Platform {
    /// The stage `name`, or the default stage.
    pub fn stage<'a>(&'a self, name: Option<&'a str>) -> Option<(&'a str, &'a Stage)> {
        let name = name.unwrap_or(&self.default_stage);
        self.stages
            .get_key_value(name)
            .map(|(name, stage)| (name.as_str(), stage))
    }
}

/// `ebs.toml` as read: the platform, and the places that later checks point at.
#[derive(Clone, Debug, Default)]
pub struct PlatformFile {
    /// What it says.
    pub platform: Platform,
    /// The file; `None` when there is none.
    pub source: Option<Arc<SourceFile>>,
    /// Where the default template is named.
    pub(super) template: Option<std::ops::Range<usize>>,
    /// Where each stage is written.
    pub(super) stages: BTreeMap<String, std::ops::Range<usize>>,
}

const TOP_LEVEL_KEYS: [&str; 4] = ["default_stage", "provisioner", "adopt", "administrators"];
const TOP_LEVEL_HINT: &str = "It belongs at the top of the file, above the first table in brackets.";

/// Reads `ebs.toml`.
pub fn read(source: &Arc<SourceFile>) -> (PlatformFile, Vec<Finding>) {
    let document = TomlDocument::parse(source);
    let mut file = PlatformFile {
        source: Some(Arc::clone(source)),
        ..PlatformFile::default()
    };
    read_root(&document.root(), &mut file);
    (file, document.into_findings())
}

fn read_root(root: &TomlTable<'_>, file: &mut PlatformFile) {
    let platform = &mut file.platform;
    root.hint_misplaced_keys(
        &["environment", "cluster", "schema_registry"],
        "It belongs below a stage, as in `[stages.prod]`.",
    );
    let default_stage = root.get::<String>("default_stage");
    platform.provisioner = root.parse("provisioner").map(Spanned::into_inner);
    platform.adopt = read_ids(root, "adopt", "neither a service account nor an API key", ADOPT_HINT);
    platform.administrators = read_ids(
        root,
        "administrators",
        "no id of a user or a service account",
        ADMINISTRATORS_HINT,
    );
    if let Some(organization) = root.table("organization") {
        organization.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        platform.organization = organization.parse("id").map(Spanned::into_inner);
    }
    if let Some(naming) = root.table("naming") {
        platform.naming = NamingRules::read(&naming);
    }
    if let Some(defaults) = root.table("defaults") {
        defaults.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        defaults.hint_misplaced_keys(&QuotaFields::KEYS, "It belongs below `[defaults.quota]`.");
        if let Some(template) = defaults.get::<String>("template") {
            file.template = Some(template.span());
            platform.template = template.into_inner();
        }
        if let Some(quota) = defaults.table("quota") {
            platform.quota = QuotaFields::read(&quota).with_defaults(&platform.quota);
        }
    }
    if let Some(lint) = root.table("lint") {
        platform.lint_exceptions = lint::read(&lint);
    }
    if let Some(stages) = root.require_table("stages") {
        read_stages(&stages, file);
    }
    choose_default_stage(root, default_stage.as_ref(), &mut file.platform, &file.stages);
}

const ADOPT_HINT: &str = "Write ids, as in `sa-abc123` or `ABCDEFGHIJKLMNOP`.";
const ADMINISTRATORS_HINT: &str = "Write ids, as in `u-abc123` or `sa-abc123`.";

/// The ids of the list `key`; what is none is `otherwise`.
fn read_ids(root: &TomlTable<'_>, key: &'static str, otherwise: &str, fix: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in root.list(key).unwrap_or_default() {
        let text = id.get_ref();
        let harmless = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !harmless {
            let message = format!("`{}` is {otherwise}", text.escape_debug());
            root.report(id.span(), Finding::error("invalid-value", message).with_fix(fix));
        } else if ids.contains(text) {
            root.report(
                id.span(),
                Finding::warning("duplicate-value", format!("`{text}` stands here twice")),
            );
        } else {
            ids.push(text.clone());
        }
    }
    ids
}

fn read_stages(table: &TomlTable<'_>, file: &mut PlatformFile) {
    for (name, stage) in table.named_tables() {
        stage.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        check_stage_name(table, &name);
        let environment = stage.require_parse::<EnvironmentId>("environment");
        let cluster = stage.require_parse::<ClusterId>("cluster");
        let schema_registry = stage.parse::<SchemaRegistryId>("schema_registry");
        let task_ceiling = stage.get::<u32>("task_ceiling");
        let reserve_percent = stage.get::<u32>("reserve_percent");
        if let Some(ceiling) = task_ceiling.as_ref().filter(|ceiling| *ceiling.get_ref() == 0) {
            stage.report(
                ceiling.span(),
                Finding::error("invalid-value", "a cluster that runs no task is of no use"),
            );
        }
        if let Some(percent) = reserve_percent.as_ref().filter(|percent| *percent.get_ref() >= 100) {
            let finding = Finding::error(
                "invalid-value",
                "a reserve of 100 percent or more leaves nothing to share",
            );
            stage.report(percent.span(), finding);
        }
        // The name was read even when the stage is broken: other checks should not call it unknown.
        file.stages.insert(name.get_ref().clone(), name.span());
        let (Some(environment), Some(cluster)) = (environment, cluster) else {
            continue;
        };
        let read = Stage {
            environment: environment.into_inner(),
            cluster: cluster.into_inner(),
            schema_registry: schema_registry.map(Spanned::into_inner),
            task_ceiling: task_ceiling.map_or(DEFAULT_TASK_CEILING, Spanned::into_inner),
            reserve_percent: reserve_percent.map_or(DEFAULT_RESERVE_PERCENT, Spanned::into_inner),
        };
        warn_if_shared(table, &name, &read, &file.platform.stages);
        file.platform.stages.insert(name.into_inner(), read);
    }
}

/// A stage is the second word of every account's name, and the words are separated by dashes: with a dash in it,
/// `ebs-prod-eu-claims-…` could be department `claims` of stage `prod-eu` or department `eu-claims` of stage `prod`.
fn check_stage_name(table: &TomlTable<'_>, name: &Spanned<String>) {
    let text = name.get_ref();
    let safe = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !(safe && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 13) {
        let message = format!(
            "`{}` is not a stage: 1 to 13 of a-z and 0-9, beginning with a letter",
            text.escape_debug()
        );
        let finding = Finding::error("invalid-value", message);
        let fix = "Stages are a part of account names (`ebs-prod-claims-operator`), which dashes take apart.";
        table.report(name.span(), finding.with_fix(fix));
    }
}

/// Accounts of two stages on one cluster hold roles on the same names.
fn warn_if_shared(table: &TomlTable<'_>, name: &Spanned<String>, stage: &Stage, others: &BTreeMap<String, Stage>) {
    let shares = |other: &Stage| {
        if other.cluster == stage.cluster {
            Some(("cluster", stage.cluster.as_str()))
        } else if other.environment == stage.environment {
            Some(("environment", stage.environment.as_str()))
        } else {
            None
        }
    };
    let shared = others.iter().find_map(|(other, stage)| Some((other, shares(stage)?)));
    if let Some((other, (what, id))) = shared {
        let message = format!("stages `{other}` and `{}` share the {what} {id}", name.get_ref());
        let fix = match what {
            "cluster" => {
                "A department's accounts of one stage can reach its connectors, topics and schemas of the other."
            }
            _ => "An environment has one Schema Registry: accounts of one stage can reach schemas of the other.",
        };
        table.report(
            name.span(),
            Finding::warning("stages-not-separate", message).with_fix(fix),
        );
    }
}

fn choose_default_stage(
    root: &TomlTable<'_>,
    written: Option<&Spanned<String>>,
    platform: &mut Platform,
    stages: &BTreeMap<String, std::ops::Range<usize>>,
) {
    let names = || stages.keys().map(String::as_str);
    if let Some(written) = written {
        let name = written.get_ref();
        if !stages.is_empty() && !stages.contains_key(name) {
            let finding = Finding::error("unknown-stage", format!("there is no stage `{}`", name.escape_debug()));
            root.report(written.span(), finding.with_fix(super::suggest_name(name, names())));
        }
        platform.default_stage.clone_from(name);
    } else if stages.len() == 1 || stages.contains_key("prod") {
        let first = names().find(|name| *name == "prod").or_else(|| names().next());
        first.unwrap_or_default().clone_into(&mut platform.default_stage);
    } else if stages.len() > 1 {
        let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let fix = format!("Say which of {} is meant when none is named.", names.join(", "));
        root.report_missing_with("default_stage", &fix);
    }
}
