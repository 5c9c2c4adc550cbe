//! Validated domain types. No I/O, no policy.

pub mod acl;
pub mod binding;
pub mod connector_name;
pub mod connector_state;
mod client_quota;
pub mod crn;
pub mod department;
pub mod grant;
pub mod id;
pub mod ownership;
pub mod platform_team;
pub mod prefix;
pub mod principal;
pub mod quota;
pub mod recipient;
pub mod role;
pub mod secret;
pub mod snapshot;

pub use acl::{AclBinding, AclOperation, AclPermission, AclResource};
pub use binding::RoleBinding;
pub use client_quota::{ByteRate, ByteRateError, ClientQuota, Throughput};
pub use connector_name::ConnectorNamePattern;
pub use connector_state::{ConnectorState, TaskState};
pub use crn::{Crn, CrnError, CrnPattern, NamePattern, ResourceKind, StageAddress};
pub use department::{Department, DepartmentCode};
pub use grant::{AclGrant, GrantTarget, KeyKind, Persona, RoleGrant, Template};
pub use id::{
    ApiKeyId, ClientQuotaId, ClusterId, ConnectorId, EnvironmentId, IdError, OrganizationId, RoleBindingId,
    SchemaRegistryId, ServiceAccountId, UserId,
};
pub use ownership::OwnershipTag;
pub use platform_team::{PlatformTeam, PlatformTeamError, PlatformTeamText, UNNAMED_PLATFORM_TEAM};
pub use prefix::Prefix;
pub use principal::Principal;
pub use quota::DepartmentQuota;
pub use recipient::{Recipient, RecipientError};
pub use role::Role;
pub use secret::Secret;
pub use snapshot::{
    ConnectorIdentity, Listing, ObservedAccount, ObservedBinding, ObservedConnector, ObservedKey, Snapshot,
};
