//! Forms of `policies/*.toml` and `policies/tests/*.toml`.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::{
    manifest::policy::{
        FieldType, PolicyField, PolicyObject,
        fields::{CHANGE, CONNECTOR, DEPARTMENT},
    },
    text::capitalize,
};

/// Policies: rules of the site about connectors in Git.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "policies/NAME.toml")]
pub struct PolicyFormat {
    /// Purpose.
    pub description: Option<String>,
    /// Rules. Each needs a test that violates it and one that satisfies it, in `policies/tests`.
    pub rule: Option<Vec<PolicyRuleFormat>>,
}

/// Rule about connectors.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyRuleFormat {
    /// Id: lower case letters, digits and `-`, with a letter first. Unique in the folder.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9\-]*$"))]
    pub id: String,
    /// Severity of a violation. An `error` refuses plans.
    #[schemars(extend("enum" = ["error", "warning"]))]
    pub severity: String,
    /// CEL expression over `stage`, `connector`, `department` and `change`. It is true for a connector that satisfies the rule.
    pub expression: String,
    /// Description of a violation, without a full stop.
    #[schemars(regex(pattern = r"\S"))]
    pub message: String,
    /// What to do about a violation, a whole sentence.
    #[schemars(regex(pattern = r"\S"))]
    pub fix: String,
    /// Key of the connector's file at which a violation is shown.
    pub key: Option<String>,
    /// Connectors to which the rule does not apply.
    pub exception: Option<Vec<PolicyExceptionFormat>>,
}

/// Exception from a rule.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyExceptionFormat {
    /// Name of the connector, with `*` as a wildcard.
    pub connector: String,
    /// Reason, for reviewers.
    #[schemars(regex(pattern = r"\S"))]
    pub reason: String,
    /// Last day on which the exception applies, as a date without quotes.
    #[schemars(extend("format" = "date", "pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: String,
}

/// Tests of policies.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "policies/tests/NAME.toml")]
pub struct PolicyTestsFormat {
    /// Purpose.
    pub description: Option<String>,
    /// Connectors that violate a rule.
    pub violates: Option<Vec<PolicyTestFormat>>,
    /// Connectors that satisfy a rule.
    pub satisfies: Option<Vec<PolicyTestFormat>>,
}

/// Test of a rule. Each field that it does not set has a default.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyTestFormat {
    /// Id of the rule.
    pub rule: String,
    /// What the test shows.
    pub why: Option<String>,
    /// Name of the stage.
    #[schemars(extend("default" = "prod"))]
    pub stage: Option<String>,
    /// Connector of the test.
    #[schemars(extend("type" = "object", "properties" = facts(&CONNECTOR), "additionalProperties" = false))]
    pub connector: Option<Value>,
    /// Department of the connector.
    #[schemars(extend("type" = "object", "properties" = facts(&DEPARTMENT), "additionalProperties" = false))]
    pub department: Option<Value>,
    /// Change of the connector.
    #[schemars(extend("type" = "object", "properties" = facts(&CHANGE), "additionalProperties" = false))]
    pub change: Option<Value>,
}

/// Returns the schemas of the facts that a test can set about `object`.
fn facts(object: &PolicyObject) -> Value {
    let facts = object.fields.iter().map(|field| (field.name.to_owned(), fact(field)));
    Value::Object(facts.collect())
}

fn fact(field: &PolicyField) -> Value {
    let mut schema = match field.field_type {
        FieldType::Text => json!({"type": "string"}),
        FieldType::Number => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        FieldType::Flag => json!({"type": "boolean"}),
        FieldType::List => json!({"type": "array", "items": {"type": "string"}}),
        FieldType::Texts => json!({"type": "object", "additionalProperties": {"type": "string"}}),
    };
    schema["description"] = format!("{}.", capitalize(field.meaning)).into();
    schema
}
