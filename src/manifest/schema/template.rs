//! Form of `rbac-templates/*.toml`.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::{
    manifest::template::KEY_KINDS,
    model::{AclOperation, ResourceKind, Role},
};

/// Template: the personas of a department with their API keys and grants. The name of the file is the template's name.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "rbac-templates/NAME.toml")]
pub struct TemplateFormat {
    /// Purpose.
    pub description: Option<String>,
    /// Roles within the department, each with its own service account.
    #[schemars(length(min = 1))]
    pub persona: Vec<PersonaFormat>,
}

/// Role within the department, with its own service account.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PersonaFormat {
    /// Name: 1 to 12 characters of `a-z` and `0-9`. The account is named `ebs-STAGE-DEPARTMENT-PERSONA`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]{0,11}$"), extend("not" = {"const": "prefix"}))]
    pub name: String,
    /// Purpose.
    pub description: Option<String>,
    /// API keys; `[]` for an identity that only connectors use.
    #[schemars(extend("items" = {"enum": KEY_KINDS.map(|(name, _)| name)}))]
    pub keys: Vec<String>,
    /// Role bindings.
    pub grant: Vec<GrantFormat>,
    /// Kafka ACLs, where every suitable role allows too much.
    pub acl: Option<Vec<AclFormat>>,
}

/// Role binding of a persona.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GrantFormat {
    /// Role of Confluent Cloud.
    #[schemars(extend("enum" = roles()))]
    pub role: String,
    /// Resources, as `kind:pattern`, for example `connector:{prefix}*`.
    #[schemars(extend("pattern" = target_pattern()))]
    pub on: String,
    /// Role to bind if the service refuses to bind `role` on these resources.
    #[schemars(extend("enum" = roles()))]
    pub fallback: Option<String>,
    /// Reason, for reviewers.
    #[schemars(regex(pattern = r"\S"))]
    pub why: String,
}

/// Kafka ACLs of a persona.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AclFormat {
    /// Operations that the ACLs allow.
    #[schemars(length(min = 1), extend("items" = {"enum": operations()}))]
    pub operations: Vec<String>,
    /// Resources, as `kind:pattern`, for example `topic:{prefix}*`.
    #[schemars(extend("pattern" = target_pattern()))]
    pub on: String,
    /// Reason, for reviewers.
    #[schemars(regex(pattern = r"\S"))]
    pub why: String,
}

fn roles() -> Vec<&'static str> {
    Role::KNOWN.iter().map(Role::as_str).collect()
}

fn operations() -> Vec<&'static str> {
    let known = AclOperation::KNOWN.iter();
    known
        .filter(|operation| **operation != AclOperation::All)
        .map(AclOperation::as_str)
        .collect()
}

/// Returns the form of a target. Which personas exist, and which roles fit, is checked by the commands.
fn target_pattern() -> Value {
    const WHOLE: [ResourceKind; 3] = [
        ResourceKind::Organization,
        ResourceKind::Environment,
        ResourceKind::Cluster,
    ];
    let named = ResourceKind::GRANTABLE
        .iter()
        .filter(|(kind, _)| !WHOLE.contains(kind) && *kind != ResourceKind::ServiceAccount);
    let named: Vec<&str> = named.map(|(_, word)| *word).collect();
    let name = r"[A-Za-z0-9.\-_:]";
    json!(format!(
        r"^((organization|environment|cluster)(:\*)?|({})(:\{{prefix\}}({name}+\*?|\*)|:{name}+\*?)|service-account:(\{{[a-z][a-z0-9]*\}}|{name}+))$",
        named.join("|")
    ))
}
