//! JSON Schemas of the files that people write, for editors (draft 2020-12).
//!
//! The readers of the files keep positions and report all findings at once, so they are no serde types; the types here
//! describe the same settings, and `tests/schemas` compares both. A rule that a schema cannot express (names that other
//! files define, positions in a range of prefixes) is checked only by the commands.

mod connector;
mod department;
mod platform;
mod policy;
mod template;

use std::path::{Path, PathBuf};

use schemars::{JsonSchema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Value, json};

pub use department::{DepartmentFormat, DepartmentQuotaFormat};
pub use platform::{
    DefaultsFormat, FreezeFormat, GitopsFormat, NamingFormat, OrganizationFormat, PlatformFormat, PlatformTeamFormat,
    QuotaFormat, StageFormat, ThroughputFormat,
};
pub use policy::{PolicyExceptionFormat, PolicyFormat, PolicyRuleFormat, PolicyTestFormat, PolicyTestsFormat};
pub use template::{AclFormat, GrantFormat, PersonaFormat, TemplateFormat};

pub use crate::catalog::config_schema::SchemaCoverage;
use crate::catalog::{Catalog, PluginSchema};

/// Folder of the schemas, beside `ebs.toml` or at the top of a repository with connector files.
pub const SCHEMA_FOLDER: &str = ".schemas";

/// `@name`, `@organization/team`, or an e-mail address.
const OWNER_PATTERN: &str = r"^(?=.*@)[A-Za-z0-9@._+/\-]*[A-Za-z0-9._+\-]$";

/// A kind of file that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `ebs.toml`.
    Platform,
    /// `departments/*.toml`.
    Department,
    /// `rbac-templates/*.toml`.
    Template,
    /// `policies/*.toml`.
    Policy,
    /// `policies/tests/*.toml`.
    PolicyTests,
    /// A connector file.
    Connector,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Platform,
        Self::Department,
        Self::Template,
        Self::Policy,
        Self::PolicyTests,
        Self::Connector,
    ];

    /// Returns the name of the kind, in commands and in names of files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "ebs",
            Self::Department => "department",
            Self::Template => "template",
            Self::Policy => "policy",
            Self::PolicyTests => "policy-tests",
            Self::Connector => "connector",
        }
    }

    /// Returns the name of the schema's file.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("{}.json", self.as_str())
    }

    /// Returns the schema; of a connector, the schema for any plugin.
    #[must_use]
    pub fn schema(self, catalog: &Catalog) -> Value {
        match self {
            Self::Platform => schema_of::<PlatformFormat>(self),
            Self::Department => schema_of::<DepartmentFormat>(self),
            Self::Template => schema_of::<TemplateFormat>(self),
            Self::Policy => schema_of::<PolicyFormat>(self),
            Self::PolicyTests => schema_of::<PolicyTestsFormat>(self),
            Self::Connector => connector::any_plugin(catalog),
        }
    }
}

/// Returns the schema of connector files of `plugin`.
#[must_use]
pub fn connector_schema(catalog: &Catalog, plugin: &PluginSchema, coverage: SchemaCoverage) -> Value {
    connector::one_plugin(catalog, plugin, coverage)
}

/// Returns the schemas that a repository needs, each with the name of its file in [`SCHEMA_FOLDER`].
#[must_use]
pub fn schema_files(catalog: &Catalog) -> Vec<(String, String)> {
    FileKind::ALL
        .into_iter()
        .map(|kind| (kind.file_name(), schema_text(&kind.schema(catalog))))
        .collect()
}

/// Returns the text of a schema: one line per property, so that changes are visible.
#[must_use]
pub fn schema_text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// Returns the first line of `file` that names its schema for editors; `None` if no folder above it has the schema. The name
/// of a missing schema would be an error in the editor.
#[must_use]
pub fn editor_hint(kind: FileKind, file: &Path, schema: &str) -> Option<String> {
    let (_, relative) = schema_folder(file, schema)?;
    Some(hint_line(kind, &relative, schema))
}

/// Returns the nearest folder above `file` whose [`SCHEMA_FOLDER`] has `schema`, also as a path relative to the file. The
/// search ends at the top of a Git repository.
#[must_use]
pub fn schema_folder(file: &Path, schema: &str) -> Option<(PathBuf, PathBuf)> {
    let mut relative = PathBuf::new();
    let parent = file.parent()?;
    // A folder such as `../files` is not above the current directory.
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    for folder in parent.ancestors() {
        if folder.join(SCHEMA_FOLDER).join(schema).is_file() {
            return Some((folder.to_owned(), relative));
        }
        if folder.join(".git").exists() {
            return None;
        }
        relative.push("..");
    }
    None
}

/// Returns the line that names `schema` below `folder`, which is relative to the file.
///
/// Sources: taplo.tamasfe.dev (Directives: `#:schema`), which tombi reads, too; yaml-language-server (README: Using inlined
/// schema).
#[must_use]
pub fn hint_line(kind: FileKind, folder: &Path, schema: &str) -> String {
    let mut path = String::from("./");
    for part in folder.components().chain(Path::new(SCHEMA_FOLDER).components()) {
        path.push_str(&part.as_os_str().to_string_lossy());
        path.push('/');
    }
    let path = path.replacen("./../", "../", 1) + schema;
    match kind {
        FileKind::Connector => format!("# yaml-language-server: $schema={path}\n"),
        FileKind::Platform | FileKind::Department | FileKind::Template | FileKind::Policy | FileKind::PolicyTests => {
            format!("#:schema {path}\n")
        }
    }
}

/// Returns the schema of a TOML file of the form `T`.
fn schema_of<T: JsonSchema>(kind: FileKind) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(remove_null));
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    schema["$id"] = identifier(kind.as_str()).into();
    // Tombi refuses files of newer versions of TOML; the reader knows 1.0 (github.com/tombi-toml/tombi, docs).
    schema["x-tombi-toml-version"] = "v1.0.0".into();
    schema
}

/// Beginning of the `$id` of every schema. It is a name and no address, so that no editor requests it.
pub const SCHEMA_ID_PREFIX: &str = "urn:confluent-ebs:schema:";

fn identifier(name: &str) -> String {
    format!("{SCHEMA_ID_PREFIX}{name}")
}

/// Removes `null` from optional values: TOML has none.
fn remove_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}
