//! Form of `departments/*.toml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::platform::{QuotaFormat, ThroughputFormat};
use crate::manifest::naming::reserved_pattern;

/// A department. The name of the file is its code.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "departments/CODE.toml")]
pub struct DepartmentFormat {
    /// Display name. Unique.
    #[schemars(
        length(max = 64),
        regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*\S[^\x00-\x1f\x7f-\x9f]*$")
    )]
    pub name: String,
    /// Prefix of all its topics, groups, subjects and connectors: `a-z`, `0-9`, `-`, `.` and `_`, with a letter first and a
    /// delimiter last. It never changes after onboarding.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9._\-]*[._\-]$"), extend("not" = {"pattern": reserved_pattern()}))]
    pub prefix: String,
    /// Template with the roles of its personas.
    pub template: Option<String>,
    /// Cost center.
    pub cost_center: Option<String>,
    /// E-mail addresses.
    #[schemars(inner(regex(pattern = r"^[^@\s]+@[^@\s.]([^@\s]*[^@\s.])?$")))]
    pub contacts: Option<Vec<String>>,
    /// Public `age` keys (`age1…`) to which its profiles are encrypted.
    #[schemars(inner(regex(pattern = r"^\s*[Aa][Gg][Ee]1[02-9A-Za-z]{58}\s*$")))]
    pub recipients: Option<Vec<String>>,
    /// People and teams of the forge that review changes of its files: one list, or a list by stage.
    #[schemars(with = "Option<serde_json::Value>", extend("anyOf" = [
        {"type": "array", "items": {"type": "string", "pattern": super::OWNER_PATTERN}},
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string", "pattern": super::OWNER_PATTERN}}},
    ]))]
    pub owners: Option<serde_json::Value>,
    /// Stages in which the department may be onboarded. Without it: all stages.
    #[schemars(length(min = 1))]
    pub stages: Option<Vec<String>>,
    /// Quota. A missing setting has the value of `defaults.quota` in `ebs.toml`.
    pub quota: Option<DepartmentQuotaFormat>,
    /// Day of the off-boarding from the last stage, as a date without quotes. Do not delete the file: it keeps the prefix
    /// reserved.
    #[schemars(extend("format" = "date", "pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub retired: Option<String>,
    /// Lint rules that are disabled for the department, each with the reason.
    #[schemars(extend("propertyNames" = {"pattern": "^[a-z0-9-]*$"}, "additionalProperties" = {"type": "string", "pattern": "\\S"}))]
    pub lint: Option<BTreeMap<String, String>>,
}

/// Quota of a department, with exceptions for stages.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DepartmentQuotaFormat {
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
    /// Quota in one stage. Each setting overrides the same setting of the department.
    pub stages: Option<BTreeMap<String, QuotaFormat>>,
}
