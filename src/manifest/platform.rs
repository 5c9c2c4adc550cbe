//! Platform file, `ebs.toml`: stages and settings for all departments.

use std::{collections::BTreeMap, sync::Arc};

use toml::Spanned;

use super::{
    gitops::GitopsSettings,
    lint,
    naming::NamingRules,
    owners::read_owners,
    quota::QuotaFields,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    diag::{Finding, SourceFile},
    model::{
        ClusterId, DepartmentQuota, EnvironmentId, OrganizationId, PlatformTeam, SchemaRegistryId, ServiceAccountId,
        StageAddress,
    },
};

/// Default maximum number of tasks of a Kafka cluster (docs/reference/quotas.md#sharing-a-cluster).
pub const DEFAULT_TASK_CEILING: u32 = 250;
/// Default share of the task ceiling that is reserved, in percent (docs/reference/quotas.md#sharing-a-cluster).
pub const DEFAULT_RESERVE_PERCENT: u32 = 10;
/// Default template of departments.
pub const DEFAULT_TEMPLATE: &str = "hybrid";

/// Returns the default quota of departments. Twenty-four departments with this quota fit into one cluster.
pub fn default_quota() -> DepartmentQuota {
    DepartmentQuota {
        connectors: 5,
        tasks: 8,
        tasks_per_connector: 2,
        plugins: vec!["*".to_owned()],
        throughput: None,
    }
}

/// A stage: its address and the capacity of its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Environment.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
    /// Schema Registry; discovered if not configured.
    pub schema_registry: Option<SchemaRegistryId>,
    /// Maximum number of tasks that the cluster runs for all connectors.
    pub task_ceiling: u32,
    /// Reserved share of the ceiling, in percent.
    pub reserve_percent: u32,
}

impl Stage {
    /// Returns the number of tasks that can be allocated to departments.
    pub fn allocatable_tasks(&self) -> u32 {
        let share = u64::from(self.task_ceiling) * u64::from(100 - self.reserve_percent.min(100)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// Returns the stage's address in `organization`.
    pub fn address(&self, organization: &OrganizationId) -> StageAddress {
        StageAddress {
            organization: organization.clone(),
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            schema_registry: self.schema_registry.clone(),
        }
    }
}

/// Content of `ebs.toml` with defaults applied.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Organization; discovered if not configured.
    pub organization: Option<OrganizationId>,
    /// Default stage; empty if the file does not determine one.
    pub default_stage: String,
    /// Stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// Naming rules.
    pub naming: NamingRules,
    /// Default template of departments.
    pub template: String,
    /// Default quota of departments, by field.
    pub quota: DepartmentQuota,
    /// Service account of the provisioner, for when its key cannot identify it.
    pub provisioner: Option<ServiceAccountId>,
    /// Ids of the provisioner's API keys, for the audit; `None` if not configured.
    pub provisioner_keys: Option<Vec<String>>,
    /// Ids of service accounts and API keys that are treated as managed without further evidence.
    pub adopt: Vec<String>,
    /// Ids of users and accounts that may administrate the organization, the environments or the clusters.
    pub administrators: Vec<String>,
    /// Lint rules disabled for all departments, each with its reason.
    pub lint_exceptions: Vec<(String, String)>,
    /// Platform team, for messages to departments.
    pub team: PlatformTeam,
    /// People and teams of the forge that own all files without other owners.
    pub owners: Vec<String>,
    /// How connectors are applied from Git.
    pub gitops: GitopsSettings,
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
            provisioner_keys: None,
            adopt: Vec::new(),
            administrators: Vec::new(),
            lint_exceptions: Vec::new(),
            team: PlatformTeam::default(),
            owners: Vec::new(),
            gitops: GitopsSettings::default(),
        }
    }
}

impl Platform {
    /// Returns the stage `name`, or the default stage.
    pub fn stage<'a>(&'a self, name: Option<&'a str>) -> Option<(&'a str, &'a Stage)> {
        let name = name.unwrap_or(&self.default_stage);
        self.stages
            .get_key_value(name)
            .map(|(name, stage)| (name.as_str(), stage))
    }
}

/// A parsed `ebs.toml` with the locations that later checks report.
#[derive(Clone, Debug, Default)]
pub struct PlatformFile {
    /// Platform.
    pub platform: Platform,
    /// Source file; `None` if there is none.
    pub source: Option<Arc<SourceFile>>,
    /// Location of the default template.
    pub(super) template: Option<std::ops::Range<usize>>,
    /// Locations of the stages.
    pub(super) stages: BTreeMap<String, std::ops::Range<usize>>,
}

const TOP_LEVEL_KEYS: [&str; 5] = [
    "default_stage",
    "provisioner",
    "provisioner_keys",
    "adopt",
    "administrators",
];
const TOP_LEVEL_HINT: &str = "Move it to the top of the file, above the first table.";

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
        "Move it into a stage table such as `[stages.prod]`.",
    );
    let default_stage = root.get::<String>("default_stage");
    platform.provisioner = root.parse("provisioner").map(Spanned::into_inner);
    platform.provisioner_keys = read_ids(root, &PROVISIONER_KEYS);
    platform.adopt = read_ids(root, &ADOPT).unwrap_or_default();
    platform.administrators = read_ids(root, &ADMINISTRATORS).unwrap_or_default();
    if let Some(organization) = root.table("organization") {
        organization.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        platform.organization = organization.parse("id").map(Spanned::into_inner);
    }
    if let Some(team) = root.table("platform") {
        team.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        platform.team = read_team(&team);
        platform.owners = read_owners(&team, "owners");
    }
    if let Some(naming) = root.table("naming") {
        platform.naming = NamingRules::read(&naming);
    }
    if let Some(defaults) = root.table("defaults") {
        defaults.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        defaults.hint_misplaced_keys(&QuotaFields::KEYS, "Move it into `[defaults.quota]`.");
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
    if let Some(gitops) = root.table("gitops") {
        gitops.hint_misplaced_keys(&TOP_LEVEL_KEYS, TOP_LEVEL_HINT);
        file.platform.gitops = GitopsSettings::read(&gitops, &file.platform);
    }
    choose_default_stage(root, default_stage.as_ref(), &mut file.platform, &file.stages);
}

/// Reads `[platform]`, of `ebs.toml` or of a profile.
pub(crate) fn read_team(table: &TomlTable<'_>) -> PlatformTeam {
    PlatformTeam {
        team: table.parse("team").map(Spanned::into_inner),
        contact: table.parse("contact").map(Spanned::into_inner),
    }
}

/// A list of ids.
struct IdList {
    key: &'static str,
    /// Whether the id is of an accepted kind.
    accepts: fn(&str) -> bool,
    /// Description of an invalid id for messages.
    otherwise: &'static str,
    hint: &'static str,
}

const PROVISIONER_KEYS: IdList = IdList {
    key: "provisioner_keys",
    accepts: |id| !id.contains('-'),
    otherwise: "no API key id",
    hint: "Write the ids of API keys, such as `ABCDEFGHIJKLMNOP`; never their secrets.",
};
const ADOPT: IdList = IdList {
    key: "adopt",
    accepts: |id| !id.contains('-') || is_principal(id),
    otherwise: "neither a service account id nor an API key",
    hint: "Write ids such as `sa-abc123` or `ABCDEFGHIJKLMNOP`.",
};
const ADMINISTRATORS: IdList = IdList {
    key: "administrators",
    accepts: is_principal,
    otherwise: "neither a user id nor a service account id",
    hint: "Write ids such as `u-abc123` or `sa-abc123`.",
};

/// Whether an id is of a kind that holds role bindings (docs/reference/rbac.md#crn-patterns).
fn is_principal(id: &str) -> bool {
    ["u-", "sa-", "pool-", "group-"].iter().any(|kind| id.starts_with(kind))
}

/// Reads a list of ids; `None` if the file does not have it.
fn read_ids(root: &TomlTable<'_>, list: &IdList) -> Option<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    for id in root.list(list.key)? {
        let text = id.get_ref();
        let harmless = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if harmless && text.starts_with("i-") {
            let message = format!("`{text}` is the id of an invitation, which holds no roles");
            let fix = "Write the id of the user, such as `u-abc123`; `confluent iam user list` shows it once the invitation is accepted.";
            root.report(id.span(), Finding::error("invalid-value", message).with_fix(fix));
        } else if !harmless || !(list.accepts)(text) {
            let message = format!("`{}` is {}", text.escape_debug(), list.otherwise);
            root.report(id.span(), Finding::error("invalid-value", message).with_fix(list.hint));
        } else if ids.contains(text) {
            root.report(
                id.span(),
                Finding::warning("duplicate-value", format!("duplicate value `{text}`")),
            );
        } else {
            ids.push(text.clone());
        }
    }
    Some(ids)
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
            stage.report(ceiling.span(), Finding::error("invalid-value", "`task_ceiling` is 0"));
        }
        if let Some(percent) = reserve_percent.as_ref().filter(|percent| *percent.get_ref() >= 100) {
            let finding = Finding::error("invalid-value", "`reserve_percent` is 100 or more");
            stage.report(percent.span(), finding);
        }
        // Register the name even if the stage is invalid, so that it is not reported as unknown.
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

/// Checks a stage name. It is the second part of account names, whose parts are separated by dashes: with a dash,
/// `ebs-prod-eu-claims-…` could be department `claims` of stage `prod-eu` or department `eu-claims` of stage `prod`.
fn check_stage_name(table: &TomlTable<'_>, name: &Spanned<String>) {
    let text = name.get_ref();
    let safe = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !(safe && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 13) {
        let message = format!(
            "`{}` is not a stage name: expected 1 to 13 characters of a-z and 0-9, starting with a letter",
            text.escape_debug()
        );
        let finding = Finding::error("invalid-value", message);
        let fix = "Use a name without dashes, because dashes separate the parts of account names (`ebs-prod-claims-operator`).";
        table.report(name.span(), finding.with_fix(fix));
    }
}

/// Warns if two stages share a cluster or environment, because their accounts hold roles on the same names.
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
        let message = format!("stages `{other}` and `{}` share {what} `{id}`", name.get_ref());
        let fix = match what {
            "cluster" => {
                "Use separate clusters: a department's accounts of one stage have access to its connectors, topics and schemas of the other."
            }
            _ => {
                "Use separate environments: accounts of one stage have access to schemas of the other, because an environment has one Schema Registry."
            }
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
            let finding = Finding::error("unknown-stage", format!("no stage `{}`", name.escape_debug()));
            root.report(written.span(), finding.with_fix(super::suggest_name(name, names())));
        }
        platform.default_stage.clone_from(name);
    } else if stages.len() == 1 || stages.contains_key("prod") {
        let first = names().find(|name| *name == "prod").or_else(|| names().next());
        first.unwrap_or_default().clone_into(&mut platform.default_stage);
    } else if stages.len() > 1 {
        let names: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let fix = format!("Set it to one of {}.", names.join(", "));
        root.report_missing_with("default_stage", &fix);
    }
}
