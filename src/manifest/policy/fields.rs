//! The fields that an expression of a policy can read, and their values.

use std::collections::BTreeMap;

/// Type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    Text,
    /// Number.
    Number,
    /// `true` or `false`.
    Flag,
    /// List of texts.
    List,
    /// Texts by key.
    Texts,
}

impl FieldType {
    /// Returns the type with its article.
    #[must_use]
    pub const fn to_noun(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "`true` or `false`",
            Self::List => "a list of texts",
            Self::Texts => "a map of texts",
        }
    }
}

/// Field of an object.
#[derive(Clone, Copy, Debug)]
pub struct PolicyField {
    /// Name after the dot.
    pub name: &'static str,
    /// Type of its value.
    pub field_type: FieldType,
    /// Meaning, for the documentation.
    pub meaning: &'static str,
}

/// Object that an expression can read.
#[derive(Clone, Copy, Debug)]
pub struct PolicyObject {
    /// Name in an expression.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [PolicyField],
}

const fn field(name: &'static str, field_type: FieldType, meaning: &'static str) -> PolicyField {
    PolicyField {
        name,
        field_type,
        meaning,
    }
}

/// The connector of a file.
pub const CONNECTOR: PolicyObject = PolicyObject {
    name: "connector",
    fields: &[
        field("name", FieldType::Text, "name of the connector"),
        field(
            "class",
            FieldType::Text,
            "plugin: the value of `connector.class`; of a deleted connector that of the existing one",
        ),
        field(
            "direction",
            FieldType::Text,
            "`source` or `sink` according to the catalog of plugins; empty for an unknown plugin",
        ),
        field(
            "config",
            FieldType::Texts,
            "configuration of the stage file over its base file, without the defaults of the department; asterisks instead \
             of secrets; empty if the connector is deleted",
        ),
        field("tasks_max", FieldType::Number, "`tasks.max`, or 1"),
        field(
            "state",
            FieldType::Text,
            "`running`, `paused` or `absent`; empty if the file sets no state",
        ),
        field("replace", FieldType::Text, "`forbid`, `carry` or `reset`"),
        field("renamed_from", FieldType::Text, "former name, or empty"),
        field("protect", FieldType::Flag, "whether the connector is protected"),
        field("ticket", FieldType::Text, "ticket of the change, or empty"),
    ],
};

/// The department of the connector.
pub const DEPARTMENT: PolicyObject = PolicyObject {
    name: "department",
    fields: &[
        field("code", FieldType::Text, "name of its folder below `connectors`"),
        field(
            "prefix",
            FieldType::Text,
            "prefix of its names; empty if neither `ebs.toml` nor a profile names it",
        ),
        field(
            "plugins",
            FieldType::List,
            "plugins that its quota allows in the stage, with `*` as a wildcard",
        ),
        field(
            "runtime_account",
            FieldType::Text,
            "id of the account that its connectors run under; empty if it is unknown, as in `validate` without a profile",
        ),
    ],
};

/// The change of the connector in a plan.
pub const CHANGE: PolicyObject = PolicyObject {
    name: "change",
    fields: &[
        field(
            "action",
            FieldType::Text,
            "`create`, `update`, `pause`, `resume`, `replace` or `delete`",
        ),
        field("risk", FieldType::Text, "`normal`, `high` or `destructive`"),
        field("keys", FieldType::List, "configuration keys that change"),
        field(
            "old",
            FieldType::Texts,
            "values of these keys before the change, without secrets and without keys that are new",
        ),
        field(
            "replaces",
            FieldType::Text,
            "name of the connector that is replaced; empty if the name stays",
        ),
    ],
};

/// The objects of an expression. Besides them, `stage` is the name of the stage.
pub const OBJECTS: [PolicyObject; 3] = [CONNECTOR, DEPARTMENT, CHANGE];

/// Name of the text with the name of the stage.
pub const STAGE: &str = "stage";

/// Value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactValue {
    /// Text.
    Text(String),
    /// Number.
    Number(u32),
    /// `true` or `false`.
    Flag(bool),
    /// List of texts.
    List(Vec<String>),
    /// Texts by key.
    Texts(BTreeMap<String, String>),
}

impl FactValue {
    /// Returns the empty value of a type.
    #[must_use]
    pub fn empty(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Text => Self::Text(String::new()),
            FieldType::Number => Self::Number(0),
            FieldType::Flag => Self::Flag(false),
            FieldType::List => Self::List(Vec::new()),
            FieldType::Texts => Self::Texts(BTreeMap::new()),
        }
    }
}

impl From<&str> for FactValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Values of an object by field.
pub type ObjectFacts = BTreeMap<&'static str, FactValue>;

/// Everything that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Name of the stage.
    pub stage: String,
    /// Fields of [`CONNECTOR`].
    pub connector: ObjectFacts,
    /// Fields of [`DEPARTMENT`].
    pub department: ObjectFacts,
    /// Fields of [`CHANGE`]; `None` without a plan.
    pub change: Option<ObjectFacts>,
}
