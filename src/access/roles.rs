//! Operations that roles allow (docs/reference/rbac.md#connector-roles,
//! docs/reference/rbac.md#roles-on-topics-groups-and-subjects, docs/reference/rbac.md#roles-on-a-service-account,
//! docs/reference/rbac.md#who-may-create-api-keys, docs/reference/rbac.md#roles-of-the-provisioner and
//! docs/reference/rbac.md#roles-of-an-auditor).
//!
//! A role binding has up to three effects; [`operations_of_binding`] combines them for one resource:
//!
//! 1. on all resources that its pattern covers, including descendants: [`operations_of_role`];
//! 2. on all service accounts of the organization, regardless of the pattern: [`account_operations_of_role`];
//! 3. on the scopes above the pattern: `Describe`.
//!
//! A binding on a scope where the role cannot be bound is evaluated as written, which yields the worst case.

use super::{Operation as Op, OperationSet as Set};
use crate::model::{Crn, ResourceKind, Role, RoleBinding};

/// Returns all operations that exist on resources of `kind`.
#[must_use]
pub const fn all_operations(kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match kind {
        K::Organization => Set::new(&[Op::Describe, Op::Update, Op::DescribeAccess, Op::AlterAccess]),
        K::Environment => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Update,
            Op::ManageSchemaRegistryKeys,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::Cluster => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Update,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::ViewMetrics,
            Op::ManageKafkaKeys,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::Kafka => Set::new(&[
            Op::Describe,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::SchemaRegistry => Set::new(&[
            Op::Describe,
            Op::Update,
            Op::ReadCompatibility,
            Op::WriteCompatibility,
            Op::ManageSchemaRegistryKeys,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        // Source: cli `test/test-server/cloud_mds_handlers.go`, the ResourceOwner policy on Topic.
        K::Topic => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Read,
            Op::Write,
            Op::Alter,
            Op::DescribeConfigs,
            Op::AlterConfigs,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        // Same source, on Group.
        K::Group => Set::new(&[Op::Describe, Op::Delete, Op::Read, Op::DescribeAccess, Op::AlterAccess]),
        K::TransactionalId => Set::new(&[Op::Describe, Op::Write, Op::DescribeAccess, Op::AlterAccess]),
        K::Subject => Set::new(&[
            Op::Describe,
            Op::Delete,
            Op::Read,
            Op::Write,
            Op::ReadCompatibility,
            Op::WriteCompatibility,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        // Source: docs `managed-connector-rbac`, without the preview columns.
        K::Connector => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::ReadConfig,
            Op::ReadStatus,
            Op::ViewLogs,
            Op::ViewMetrics,
            Op::Lifecycle,
            Op::Configure,
            Op::ConfigureCredentials,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::ServiceAccount => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Update,
            Op::Assign,
            Op::ManageCloudKeys,
            Op::ManageKafkaKeys,
            Op::ManageSchemaRegistryKeys,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::User => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::Update,
            Op::DescribeAccess,
            Op::AlterAccess,
        ]),
        K::ApiKey => Set::new(&[Op::Describe, Op::Delete, Op::Update]),
        K::RoleBinding => Set::new(&[Op::Describe, Op::Create, Op::Delete]),
        K::Other => Set::ALL,
    }
}

const CREATE: Set = Set::new(&[Op::Create]);
const CREATE_OR_DELETE: Set = Set::new(&[Op::Create, Op::Delete]);

/// Returns the operations that `role` allows on resources of `kind` that its pattern covers.
///
/// Every non-empty result includes `Describe`.
#[must_use]
pub fn operations_of_role(role: &Role, kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match role {
        // Docs `managed-connector-rbac`, row 1; `predefined-rbac-roles`; keys: docs `manage-api-keys`
        // (docs/reference/rbac.md#who-may-create-api-keys).
        Role::OrganizationAdmin => all_operations(kind),
        // Row 2 of the connector table (newer edition, with logs). Keys of any account in its clusters and registry:
        // docs/reference/rbac.md#who-may-create-api-keys.
        Role::EnvironmentAdmin => match kind {
            K::Organization | K::ServiceAccount | K::User => Set::EMPTY,
            // Whether the role allows deleting its own environment is not documented.
            K::Environment => all_operations(kind).difference(CREATE_OR_DELETE),
            _ => all_operations(kind),
        },
        // Row 3 of the connector table; Topic, Connector, ClusterApiKey All and SecurityMetadata Describe and Alter at
        // the cluster: cli `test/test-server/cloud_mds_handlers.go` (docs/reference/rbac.md#roles-of-the-provisioner).
        Role::CloudClusterAdmin => match kind {
            K::Cluster => all_operations(kind).difference(CREATE_OR_DELETE),
            K::Kafka | K::Connector | K::Topic | K::Group | K::TransactionalId => all_operations(kind),
            _ => Set::EMPTY,
        },
        // May attach any account (docs/reference/rbac.md#roles-on-a-service-account), may not make keys
        // (docs/reference/rbac.md#who-may-create-api-keys), manages all accounts of the organization. Inferred: it
        // cannot bind roles on accounts, because it could make itself their owner and create keys.
        Role::AccountAdmin => match kind {
            K::ServiceAccount => Set::new(&[Op::Describe, Op::Create, Op::Delete, Op::Update, Op::Assign]),
            K::User => Set::new(&[Op::Describe, Op::Create, Op::Delete, Op::Update]),
            _ => Set::EMPTY,
        },
        // Source: docs/reference/rbac.md#who-may-create-api-keys. Kafka and Schema Registry keys of any account, no
        // Cloud keys.
        Role::ResourceKeyAdmin => match kind {
            K::Cluster => Set::new(&[Op::Describe, Op::ManageKafkaKeys]),
            K::Environment | K::SchemaRegistry => Set::new(&[Op::Describe, Op::ManageSchemaRegistryKeys]),
            K::ServiceAccount => Set::new(&[Op::Describe, Op::ManageKafkaKeys, Op::ManageSchemaRegistryKeys]),
            K::ApiKey => all_operations(kind),
            _ => Set::EMPTY,
        },
        Role::Operator => operator_operations(kind),
        // Documented for whole clusters (docs/reference/metrics.md). The connector table does not list it; that the
        // metrics of a cluster include those of its connectors is inferred from docs/reference/rbac.md#personas.
        Role::MetricsViewer => match kind {
            K::Cluster | K::Connector => Set::new(&[Op::Describe, Op::ViewMetrics]),
            _ => Set::EMPTY,
        },
        // No connector operation (docs/reference/rbac.md#connector-roles). The operations on schemas and topics are
        // inferred from T10 and T16.
        Role::DataDiscovery => match kind {
            K::Subject => Set::new(&[Op::Describe, Op::Read, Op::ReadCompatibility]),
            K::Topic => Set::new(&[Op::Describe]),
            _ => Set::EMPTY,
        },
        Role::DataSteward => match kind {
            K::Subject => all_operations(kind).difference(Set::new(&[Op::DescribeAccess, Op::AlterAccess])),
            K::Topic => Set::new(&[Op::Describe]),
            _ => Set::EMPTY,
        },
        // Row 4 of the connector table; topic and group: cli `test/test-server/cloud_mds_handlers.go`; transactional id
        // and subject: inferred (docs/reference/rbac.md#roles-on-topics-groups-and-subjects). On a service account:
        // docs `manage-service-accounts`, and its keys since January 2026 (support article 45142562011924). Creating
        // accounts is not an operation on existing ones.
        Role::ResourceOwner => match kind {
            K::Connector | K::Topic | K::Group | K::TransactionalId | K::Subject => all_operations(kind),
            K::ServiceAccount => all_operations(kind).difference(CREATE),
            _ => Set::EMPTY,
        },
        // Row 5.
        Role::ConnectManager => match kind {
            K::Connector => Set::new(&[
                Op::Describe,
                Op::ReadConfig,
                Op::ReadStatus,
                Op::ViewLogs,
                Op::ViewMetrics,
                Op::Lifecycle,
            ]),
            _ => Set::EMPTY,
        },
        // Source: docs/reference/rbac.md#roles-on-a-service-account, docs `manage-workload-identities`.
        Role::Assigner => match kind {
            K::ServiceAccount => Set::new(&[Op::Describe, Op::Assign]),
            _ => Set::EMPTY,
        },
        Role::DeveloperRead => developer_read_operations(kind),
        Role::DeveloperWrite => developer_write_operations(kind),
        Role::DeveloperManage => developer_manage_operations(kind),
        // No operations that this program knows. An unknown role is assumed to allow nothing here; the isolation check
        // assumes that it allows everything.
        Role::BillingAdmin | Role::KsqlAdmin | Role::Other(_) => Set::EMPTY,
    }
}

/// Row 6 of the connector table. Its cell for pause and resume is outdated: support article 36452394352020 removed them
/// on 11 April 2025. On other kinds it allows describe, without data and without subjects
/// (docs/reference/rbac.md#roles-of-an-auditor).
fn operator_operations(kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match kind {
        K::Connector => Set::new(&[Op::Describe, Op::ReadStatus, Op::ViewMetrics]),
        K::Cluster => Set::new(&[Op::Describe, Op::ViewMetrics]),
        K::Organization
        | K::Environment
        | K::Kafka
        | K::SchemaRegistry
        | K::Topic
        | K::Group
        | K::TransactionalId
        | K::ServiceAccount
        | K::ApiKey => Set::new(&[Op::Describe]),
        _ => Set::EMPTY,
    }
}

/// Row 8 of the connector table; topic, group, transactional id and subject: cli
/// `test/test-server/mds_routes_and_roles.go` (Confluent Platform's definitions; inferred to be the same in Cloud).
fn developer_read_operations(kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match kind {
        K::Connector => Set::new(&[Op::Describe, Op::ReadConfig, Op::ReadStatus, Op::ViewMetrics]),
        K::Topic | K::Group => Set::new(&[Op::Describe, Op::Read]),
        K::TransactionalId => Set::new(&[Op::Describe]),
        K::Subject => Set::new(&[Op::Describe, Op::Read, Op::ReadCompatibility]),
        _ => Set::EMPTY,
    }
}

/// Row 7 of the connector table; other kinds as for [`developer_read_operations`]. It allows nothing on groups.
fn developer_write_operations(kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match kind {
        K::Connector => Set::new(&[
            Op::Describe,
            Op::ReadConfig,
            Op::ReadStatus,
            Op::ViewMetrics,
            Op::Configure,
        ]),
        K::Topic | K::TransactionalId | K::Subject => Set::new(&[Op::Describe, Op::Write]),
        _ => Set::EMPTY,
    }
}

/// Source: docs/reference/rbac.md#roles-on-topics-groups-and-subjects, inferred from its use in ns4kafka: operations on
/// the resource, never on its data. On connectors the rule of Confluent Platform
/// (docs/reference/rbac.md#developermanage), in case Cloud allows it there.
fn developer_manage_operations(kind: ResourceKind) -> Set {
    use ResourceKind as K;
    match kind {
        K::Topic => Set::new(&[
            Op::Describe,
            Op::Create,
            Op::Delete,
            Op::DescribeConfigs,
            Op::AlterConfigs,
        ]),
        K::Group => Set::new(&[Op::Describe, Op::Delete]),
        K::TransactionalId => Set::new(&[Op::Describe]),
        K::Subject => Set::new(&[Op::Describe, Op::Delete, Op::ReadCompatibility, Op::WriteCompatibility]),
        K::Connector => Set::new(&[Op::Describe, Op::Create, Op::ReadStatus, Op::Lifecycle]),
        _ => Set::EMPTY,
    }
}

/// Returns the operations that `role` allows on all service accounts of the organization, regardless of its pattern.
///
/// Create: docs `create-service-accounts` lists these roles, ResourceOwner "on anything" among them, which is threat T4
/// of docs/reference/rbac.md#threats: the owner of one connector prefix can create accounts in the whole organization.
/// Describe for the administrator roles is inferred; without it they could not look up a name that is already taken.
#[must_use]
pub const fn account_operations_of_role(role: &Role) -> Set {
    match role {
        Role::ResourceOwner | Role::KsqlAdmin => CREATE,
        Role::OrganizationAdmin | Role::AccountAdmin | Role::EnvironmentAdmin | Role::CloudClusterAdmin => {
            Set::new(&[Op::Create, Op::Describe])
        }
        _ => Set::EMPTY,
    }
}

/// Returns all operations that `binding` allows on `resource`.
#[must_use]
pub fn operations_of_binding(binding: &RoleBinding, resource: &Crn) -> Set {
    let kind = resource.kind();
    let mut set = Set::EMPTY;
    if binding.pattern.covers(resource) {
        set = set.union(operations_of_role(&binding.role, kind));
    }
    if kind == ResourceKind::ServiceAccount && same_organization(binding, resource) {
        set = set.union(account_operations_of_role(&binding.role));
    }
    if is_scope(kind) && is_within(binding, resource) && !matches!(binding.role, Role::Other(_)) {
        set = set.union(Set::new(&[Op::Describe]));
    }
    set
}

/// Kinds that can be parents, ordered from the outermost scope inwards.
pub(super) const SCOPES: [ResourceKind; 5] = [
    ResourceKind::Organization,
    ResourceKind::Environment,
    ResourceKind::Cluster,
    ResourceKind::Kafka,
    ResourceKind::SchemaRegistry,
];

pub(super) fn is_scope(kind: ResourceKind) -> bool {
    SCOPES.contains(&kind)
}

fn same_organization(binding: &RoleBinding, resource: &Crn) -> bool {
    let organization = ResourceKind::Organization;
    binding.pattern.value_of(organization).is_some()
        && binding.pattern.value_of(organization) == resource.value_of(organization)
}

/// Whether `binding` applies to `scope` or a descendant of it.
fn is_within(binding: &RoleBinding, scope: &Crn) -> bool {
    SCOPES.into_iter().all(|kind| match scope.value_of(kind) {
        Some(value) => binding.pattern.value_of(kind) == Some(value),
        None => true,
    })
}
