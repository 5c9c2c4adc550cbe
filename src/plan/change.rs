//! One change of a plan: the operation, the object, the reason and the changes that must come first.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    model::{
        ApiKeyId, CrnPattern, DepartmentCode, KeyKind, OwnershipTag, Role, RoleBinding, RoleBindingId, ServiceAccountId,
    },
    resources::{KindInfo, ProvisionedObject},
};

/// Kind of change of an object; a plan shows its symbol first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The object is created.
    Create,
    /// The object is updated in place.
    Update,
    /// The object is deleted because another one replaces it.
    Replace,
    /// The object is deleted.
    Delete,
}

impl Action {
    /// Returns `+`, `~`, `±` or `-`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "±",
            Self::Delete => "-",
        }
    }
}

/// A service account that may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum AccountRef {
    /// An existing account.
    Known(ServiceAccountId),
    /// An account that this plan creates under this name.
    Planned(String),
}

impl std::fmt::Display for AccountRef {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(id) => out.pad(id.as_str()),
            Self::Planned(name) => out.pad(name),
        }
    }
}

/// Scope of a role binding, possibly on an account that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PlannedPattern {
    /// A pattern that is fully known.
    Known(CrnPattern),
    /// The service account itself.
    Account(AccountRef),
}

impl PlannedPattern {
    /// Returns `kind name`, short enough for a plan.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Known(pattern) => pattern.to_short_string(),
            Self::Account(account) => format!("service-account {account}"),
        }
    }
}

/// Operation on an object of a provisioned kind. In JSON, the kind is part of the operation's name: `create_acl`.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectOperation {
    /// Create an object.
    Create {
        /// Account that the object belongs to. If it is planned, it replaces the placeholder in `object`.
        principal: AccountRef,
        /// Object that the change creates.
        object: ProvisionedObject,
    },
    /// Update an object in place.
    Update {
        /// The object before.
        from: ProvisionedObject,
        /// The object after.
        to: ProvisionedObject,
    },
    /// Delete an object.
    Delete {
        /// The complete object.
        object: ProvisionedObject,
    },
}

impl ObjectOperation {
    /// Returns the object's kind.
    #[must_use]
    pub fn kind(&self) -> &'static KindInfo {
        match self {
            Self::Create { object, .. } | Self::Update { to: object, .. } | Self::Delete { object } => object.kind,
        }
    }
}

impl Serialize for ObjectOperation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = self.kind().id;
        let mut map = serializer.serialize_map(None)?;
        let key = id.replace('-', "_");
        match self {
            Self::Create { principal, object } => {
                map.serialize_entry("operation", &format!("create_{key}"))?;
                map.serialize_entry("principal", principal)?;
                map.serialize_entry(&key, &object.planned_json)?;
            }
            Self::Update { from, to } => {
                map.serialize_entry("operation", &format!("update_{key}"))?;
                map.serialize_entry("from", &from.json)?;
                map.serialize_entry("to", &to.json)?;
            }
            Self::Delete { object } => {
                map.serialize_entry("operation", &format!("delete_{key}"))?;
                map.serialize_entry(&key, &object.json)?;
            }
        }
        map.end()
    }
}

/// Operation of a change with everything needed to apply it. Never contains a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum PlannedOperation {
    /// Create a service account that the provisioner owns from the start.
    CreateAccount {
        /// Name and description of the account.
        #[serde(serialize_with = "serialize_as_text")]
        tag: OwnershipTag,
    },
    /// Update the description of a managed account.
    UpdateAccount {
        /// Id of the service account (`sa-…`).
        #[serde(rename = "object_id")]
        id: ServiceAccountId,
        /// Description that the account must still have.
        from: String,
        /// Description of the account after the change.
        to: String,
    },
    /// Create a role binding.
    CreateBinding {
        /// Account that the role binding is for.
        principal: AccountRef,
        /// Role that the change binds.
        role: Role,
        /// Role to use if the service rejects `role` at this scope.
        fallback: Option<Role>,
        /// Resources on which the change binds the role.
        pattern: PlannedPattern,
    },
    /// Delete a role binding.
    DeleteBinding {
        /// Role binding id.
        #[serde(rename = "object_id")]
        id: RoleBindingId,
        /// Role binding that must still have this id.
        binding: RoleBinding,
    },
    /// Create an API key and save its secret in a pending profile.
    CreateKey {
        /// Owner of the key.
        owner: AccountRef,
        /// Kind of key.
        kind: KeyKind,
    },
    /// Delete an API key.
    DeleteKey {
        /// API key id.
        #[serde(rename = "object_id")]
        id: ApiKeyId,
        /// Owner that the key must still have.
        owner: ServiceAccountId,
        /// Key of the same owner that must still exist, so that the owner always has a working key.
        keeps: Option<ApiKeyId>,
    },
    /// Delete a service account; the service deletes its remaining keys and role bindings.
    DeleteAccount {
        /// Id of the service account (`sa-…`).
        #[serde(rename = "object_id")]
        id: ServiceAccountId,
        /// Description that the account must still have.
        description: String,
    },
    /// Probe what a key can and cannot do.
    Prove {
        /// Account of the key.
        account: AccountRef,
        /// Kind of key.
        kind: KeyKind,
        /// Existing key whose profile is pending.
        key: Option<ApiKeyId>,
    },
    /// Give the verified profile its final name.
    HandOver {
        /// Account of the profile.
        account: AccountRef,
        /// Whether a profile of that name may exist; the new one then gets a suffix.
        allow_existing: bool,
    },
    /// Write the profile again without its key, because its other content has changed.
    Reissue {
        /// Account of the profile.
        account: AccountRef,
    },
    /// Create, update or delete an object of a provisioned kind.
    #[serde(untagged)]
    Object(ObjectOperation),
}

fn serialize_as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl PlannedOperation {
    /// Returns whether the operation changes anything at the service.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::Prove { .. } | Self::HandOver { .. } | Self::Reissue { .. })
    }

    /// Returns the kind of object.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind_and_noun().0
    }

    /// Returns the kind of object as a noun in sentences: `role binding`.
    #[must_use]
    pub fn noun(&self) -> &'static str {
        self.kind_and_noun().1
    }

    fn kind_and_noun(&self) -> (&'static str, &'static str) {
        match self {
            Self::CreateAccount { .. } | Self::UpdateAccount { .. } | Self::DeleteAccount { .. } => {
                ("service-account", "service account")
            }
            Self::CreateBinding { .. } | Self::DeleteBinding { .. } => ("role-binding", "role binding"),
            Self::Object(operation) => (operation.kind().id, operation.kind().singular),
            Self::CreateKey { .. } | Self::DeleteKey { .. } => ("api-key", "API key"),
            Self::Prove { .. } => ("proof", "proof"),
            Self::HandOver { .. } | Self::Reissue { .. } => ("profile", "profile"),
        }
    }

    /// Returns the place of the kind of object in summaries: accounts, what they are granted, then keys.
    #[must_use]
    pub fn rank(&self) -> usize {
        match self {
            Self::CreateAccount { .. } | Self::UpdateAccount { .. } | Self::DeleteAccount { .. } => 0,
            Self::CreateBinding { .. } | Self::DeleteBinding { .. } => 1,
            Self::Object(_) => 2,
            _ => 3,
        }
    }
}

/// Object of a change in columns, from general to specific, such as account, role and resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSubject(Vec<String>);

impl ChangeSubject {
    /// Returns the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<String> for ChangeSubject {
    fn from(name: String) -> Self {
        Self(vec![name])
    }
}

impl<const N: usize> From<[String; N]> for ChangeSubject {
    fn from(columns: [String; N]) -> Self {
        Self(columns.into())
    }
}

/// Joins the columns with two blanks.
impl std::fmt::Display for ChangeSubject {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(&self.0.join("  "))
    }
}

/// One change of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedChange {
    /// Index in the plan.
    pub id: usize,
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Kind of change.
    pub action: Action,
    /// Object in short form: `claims-operator  ConnectManager  connector claims-*`.
    #[serde(serialize_with = "serialize_as_text")]
    pub what: ChangeSubject,
    /// Reason, from the template or from the observed state.
    pub why: String,
    /// Indexes of the changes that must be done first.
    pub needs: Vec<usize>,
    /// What the change does to which object.
    #[serde(flatten)]
    pub operation: PlannedOperation,
}

impl PlannedChange {
    /// Returns the change as one line of progress: `create role-binding ConnectManager on connector claims-*`.
    #[must_use]
    pub fn label(&self) -> String {
        let kind = self.operation.kind();
        let what = &self.what;
        match (&self.operation, self.action) {
            (PlannedOperation::Prove { .. }, _) => format!("prove {what}"),
            (PlannedOperation::HandOver { .. }, _) => format!("hand over {what}"),
            (PlannedOperation::Reissue { .. }, _) => format!("reissue {what}"),
            (_, Action::Create) => format!("create {kind} {what}"),
            (_, Action::Update) => format!("update {kind} {what}"),
            (_, Action::Replace | Action::Delete) => format!("delete {kind} {what}"),
        }
    }
}
