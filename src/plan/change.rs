//! One change of a plan: what is done to which object, why, and after what.

use serde::Serialize;

use crate::model::{
    AclBinding, AclOperation, AclResource, ApiKeyId, CrnPattern, DepartmentCode, KeyKind, NamePattern, OwnershipTag,
    Principal, Role, RoleBinding, RoleBindingId, ServiceAccountId,
};

/// What happens to an object; its symbol is what a plan shows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed where it is.
    Update,
    /// It is removed because another one takes its place.
    Replace,
    /// It is removed.
    Delete,
}

impl Action {
    /// `+`, `~`, `±`, `-`.
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
    /// It exists.
    Known(ServiceAccountId),
    /// This plan makes it, under this name.
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

/// Where a binding grants, possibly on an account that does not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PlannedPattern {
    /// Known in full.
    Known(CrnPattern),
    /// The service account itself.
    Account(AccountRef),
}

impl PlannedPattern {
    /// `kind name`, short enough for a plan.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Known(pattern) => pattern.to_short_string(),
            Self::Account(account) => format!("service-account {account}"),
        }
    }
}

/// An ACL for an account that may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedAcl {
    /// On what.
    pub resource: AclResource,
    /// On which of them.
    #[serde(serialize_with = "serialize_as_text")]
    pub names: NamePattern,
    /// What it allows.
    pub operation: AclOperation,
}

impl PlannedAcl {
    /// The ACL for `principal`.
    #[must_use]
    pub fn for_principal(&self, principal: impl Into<Principal>) -> AclBinding {
        let Self {
            resource,
            names,
            operation,
        } = self.clone();
        AclBinding::allow(principal, operation, resource, names)
    }
}

/// What is done, with all that is needed to do it. Never holds a secret.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum PlannedOperation {
    /// Make a service account, owned by the provisioner from its first moment.
    CreateAccount {
        /// Its name and description.
        #[serde(serialize_with = "serialize_as_text")]
        tag: OwnershipTag,
    },
    /// Change the description of an account of ours.
    UpdateAccount {
        /// Which.
        #[serde(rename = "object_id")]
        id: ServiceAccountId,
        /// What it must still say for the change to be made.
        from: String,
        /// What it says afterwards.
        to: String,
    },
    /// Make a role binding.
    CreateBinding {
        /// Who.
        principal: AccountRef,
        /// What.
        role: Role,
        /// What instead, when the service refuses the role at this scope.
        fallback: Option<Role>,
        /// Where.
        pattern: PlannedPattern,
    },
    /// Remove a role binding.
    DeleteBinding {
        /// Which.
        #[serde(rename = "object_id")]
        id: RoleBindingId,
        /// What it must still be.
        binding: RoleBinding,
    },
    /// Make an ACL.
    CreateAcl {
        /// Who.
        principal: AccountRef,
        /// What, where.
        acl: PlannedAcl,
    },
    /// Remove an ACL.
    DeleteAcl {
        /// Which, with all its parts.
        acl: AclBinding,
    },
    /// Make an API key and put its secret on disk, not proved yet.
    CreateKey {
        /// Whose.
        owner: AccountRef,
        /// What it opens.
        kind: KeyKind,
    },
    /// Remove an API key.
    DeleteKey {
        /// Which.
        #[serde(rename = "object_id")]
        id: ApiKeyId,
        /// Whose it must still be.
        owner: ServiceAccountId,
        /// The key that must still be there for it, so that its owner is never without one.
        keeps: Option<ApiKeyId>,
    },
    /// Remove a service account, and with it whatever is still on it.
    DeleteAccount {
        /// Which.
        #[serde(rename = "object_id")]
        id: ServiceAccountId,
        /// What its description must still say.
        description: String,
    },
    /// Prove what a key can and cannot do.
    Prove {
        /// The account.
        account: AccountRef,
        /// What the key opens.
        kind: KeyKind,
        /// The key, when it exists already and waits on disk.
        key: Option<ApiKeyId>,
    },
    /// Give the proved profile its final name.
    HandOver {
        /// The account.
        account: AccountRef,
        /// Whether a profile of that name may be there already: then this one gets a name of its own beside it.
        allow_existing: bool,
    },
    /// Write the profile anew, without its key, because what it says has changed.
    Reissue {
        /// The account.
        account: AccountRef,
    },
}

fn serialize_as_text<T: std::fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl PlannedOperation {
    /// Whether it changes something at the service.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::Prove { .. } | Self::HandOver { .. } | Self::Reissue { .. })
    }

    /// The kind of object, in the field's words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateAccount { .. } | Self::UpdateAccount { .. } | Self::DeleteAccount { .. } => "service-account",
            Self::CreateBinding { .. } | Self::DeleteBinding { .. } => "role-binding",
            Self::CreateAcl { .. } | Self::DeleteAcl { .. } => "acl",
            Self::CreateKey { .. } | Self::DeleteKey { .. } => "api-key",
            Self::Prove { .. } => "proof",
            Self::HandOver { .. } | Self::Reissue { .. } => "profile",
        }
    }
}

/// One change of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedChange {
    /// Its place in the plan.
    pub id: usize,
    /// The department it is for.
    pub department: DepartmentCode,
    /// The persona it is for.
    pub persona: String,
    /// What happens.
    pub action: Action,
    /// The object, short: `claims operator  ConnectManager  connector claims-*`.
    pub what: String,
    /// Why, from the template or from what was found.
    pub why: String,
    /// The changes that must be done first.
    pub needs: Vec<usize>,
    /// What is done.
    #[serde(flatten)]
    pub operation: PlannedOperation,
}

impl PlannedChange {
    /// The change as one line of progress: `create role-binding ConnectManager on connector claims-*`.
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
