//! Form of `ebs.toml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

/// Platform of a team: its stages, naming rules and defaults of departments.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "ebs.toml")]
pub struct PlatformFormat {
    /// Stage of commands without `--stage`. Without it: the only stage, or `prod`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]{0,12}$"))]
    pub default_stage: Option<String>,
    /// Service account that onboards departments. Without it: the owner of the API key.
    #[schemars(regex(pattern = r"^sa-[A-Za-z0-9_\-]+$"))]
    pub provisioner: Option<String>,
    /// Ids of the provisioner's API keys. `access audit` reports its other keys.
    #[schemars(inner(regex(pattern = r"^[A-Za-z0-9_]+$")))]
    pub provisioner_keys: Option<Vec<String>>,
    /// Ids of service accounts and API keys to manage, although neither ownership nor evidence identifies them.
    #[schemars(inner(regex(pattern = r"^([A-Za-z0-9_]+|(u|sa|pool|group)-[A-Za-z0-9_\-]*)$")))]
    pub adopt: Option<Vec<String>>,
    /// Ids of users and service accounts that may hold roles on the organization, the environments and the clusters.
    #[schemars(inner(regex(pattern = r"^(u|sa|pool|group)-[A-Za-z0-9_\-]*$")))]
    pub administrators: Option<Vec<String>>,
    /// Platform team, for messages to departments.
    pub platform: Option<PlatformTeamFormat>,
    /// Organization of Confluent Cloud.
    pub organization: Option<OrganizationFormat>,
    /// Stages: an environment and a Kafka cluster under one name of 1 to 13 characters of `a-z` and `0-9`.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z][a-z0-9]{0,12}$"}))]
    pub stages: BTreeMap<String, StageFormat>,
    /// Rules for prefixes and names of connectors.
    pub naming: Option<NamingFormat>,
    /// Values for departments that do not set their own.
    pub defaults: Option<DefaultsFormat>,
    /// Lint rules that are disabled for all departments, each with the reason.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9-]*$"}, "additionalProperties" = {"type": "string", "pattern": "\\S"}))]
    pub lint: Option<BTreeMap<String, String>>,
    /// How connectors are applied from Git.
    pub gitops: Option<GitopsFormat>,
}

/// How connectors are applied from Git.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GitopsFormat {
    /// Times in which nothing is applied from Git.
    pub freeze: Option<Vec<FreezeFormat>>,
    /// Highest risk that a pipeline applies without reviewers, by stage. Without it: none.
    #[schemars(extend("additionalProperties" = {"enum": ["none", "normal", "high", "destructive"]}))]
    pub auto_apply: Option<BTreeMap<String, String>>,
}

/// Time in which nothing is applied from Git. `--break-glass` is the exception.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FreezeFormat {
    /// First day in UTC, or a time with an offset, without quotes.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9:]+))?$"))]
    pub from: String,
    /// Last day in UTC, or a time with an offset, without quotes.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]+([Zz]|[+-][0-9:]+))?$"))]
    pub until: String,
    /// Reason, for the refusal.
    pub reason: String,
    /// Names of the stages. Without it: all stages.
    pub stages: Option<Vec<String>>,
}

/// Platform team, as messages to departments name it.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PlatformTeamFormat {
    /// Name of the team, as it reads after "ask".
    #[schemars(
        length(min = 1, max = 100),
        regex(pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    )]
    pub team: Option<String>,
    /// E-mail address, page or channel of the team.
    #[schemars(
        length(min = 1, max = 100),
        regex(pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
    )]
    pub contact: Option<String>,
    /// People and teams of the forge that own all files without other owners.
    #[schemars(extend("items" = {"type": "string", "pattern": super::OWNER_PATTERN}))]
    pub owners: Option<Vec<String>>,
}

/// Organization of Confluent Cloud.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OrganizationFormat {
    /// Id of the organization. Without it, commands discover the organization of the API key.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_\-]{1,255}$"))]
    pub id: Option<String>,
}

/// Environment and Kafka cluster of a stage.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StageFormat {
    /// Id of the environment.
    #[schemars(regex(pattern = r"^env-[A-Za-z0-9_\-]{1,251}$"))]
    pub environment: String,
    /// Id of the Kafka cluster.
    #[schemars(regex(pattern = r"^lkc-[A-Za-z0-9_\-]{1,251}$"))]
    pub cluster: String,
    /// Id of the Schema Registry. Without it, commands discover the one of the environment.
    #[schemars(regex(pattern = r"^lsrc-[A-Za-z0-9_\-]{1,250}$"))]
    pub schema_registry: Option<String>,
    /// Maximum number of tasks in the cluster, over all connectors.
    #[schemars(range(min = 1, max = 4_294_967_295_u32), extend("default" = crate::manifest::platform::DEFAULT_TASK_CEILING))]
    pub task_ceiling: Option<u32>,
    /// Share of the task ceiling that is not allocated to departments, in percent.
    #[schemars(range(min = 0, max = 99), extend("default" = crate::manifest::platform::DEFAULT_RESERVE_PERCENT))]
    pub reserve_percent: Option<u32>,
}

/// Rules for prefixes and names of connectors.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NamingFormat {
    /// Minimum length of a prefix, including its delimiter.
    #[schemars(range(min = 2, max = 4_294_967_295_u32), extend("default" = 3))]
    pub minimum_length: Option<u32>,
    /// Beginnings of prefixes that are reserved, in addition to the built-in ones.
    #[schemars(inner(length(min = 1)))]
    pub reserved: Option<Vec<String>>,
    /// Pattern of the part of a connector's name after the prefix: `*`, `?`, `[ab]` and `{one,other}`.
    #[schemars(extend("default" = "*"))]
    pub connector: Option<String>,
}

/// Values for departments that do not set their own.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DefaultsFormat {
    /// Template of a department.
    #[schemars(extend("default" = crate::manifest::platform::DEFAULT_TEMPLATE))]
    pub template: Option<String>,
    /// Quota of a department, setting by setting.
    pub quota: Option<QuotaFormat>,
}

/// Quota of a department.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct QuotaFormat {
    /// Maximum number of connectors, in any state.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub connectors: Option<u32>,
    /// Maximum number of tasks over all connectors.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub tasks: Option<u32>,
    /// Maximum `tasks.max` of one connector.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub tasks_per_connector: Option<u32>,
    /// Allowed plugins, by `connector.class`; `"*"` alone allows all.
    pub plugins: Option<Vec<String>>,
    /// Maximum throughput of the connectors.
    pub throughput: Option<ThroughputFormat>,
}

/// Maximum throughput, as a number and `kB/s`, `MB/s` or `GB/s`, from `1 MB/s` to `100 GB/s`.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ThroughputFormat {
    /// What the connectors write to the cluster, for example `5 MB/s`.
    #[schemars(regex(
        pattern = r"^(0*[1-9][0-9]{6,} ?B/s|0*[1-9][0-9]{3,} ?kB/s|0*[1-9][0-9]{0,5} ?MB/s|0*(100|[1-9][0-9]?) ?GB/s)$"
    ))]
    pub ingress: String,
    /// What the connectors read from the cluster, for example `5 MB/s`.
    #[schemars(regex(
        pattern = r"^(0*[1-9][0-9]{6,} ?B/s|0*[1-9][0-9]{3,} ?kB/s|0*[1-9][0-9]{0,5} ?MB/s|0*(100|[1-9][0-9]?) ?GB/s)$"
    ))]
    pub egress: String,
}
