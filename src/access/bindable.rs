//! Scopes on which each role can be bound (docs/reference/rbac.md#scopes-of-role-bindings,
//! docs/reference/rbac.md#roles-on-topics-groups-and-subjects and docs/reference/rbac.md#roles-on-a-service-account).
//!
//! The operations that a role allows are in [`super::roles`].

use serde::{Deserialize, Serialize};

use crate::model::{CrnPattern, NamePattern, ResourceKind, Role};

/// Unconfirmed assumptions about role scopes, each with a switch. The shipped templates rely on the defaults; tests run
/// with both settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RbacAssumptions {
    /// ConnectManager can be bound on a connector or a connector prefix, not only on the cluster
    /// (docs/reference/rbac.md#scopes-of-role-bindings; docs/assumptions.md, Q1). The shipped operator persona uses it
    /// and names a fallback.
    pub connect_manager_on_connector: bool,
    /// Resource roles can be bound on a connector *prefix*, not only on a connector's name (inferred from the rule for
    /// `*`, docs/reference/rbac.md#crn-patterns; docs/assumptions.md, Q11). The isolation of departments depends on it.
    pub connector_prefix: bool,
    /// DeveloperManage can be bound on connectors, as on Confluent Platform (docs/reference/rbac.md#developermanage:
    /// assumed not).
    pub developer_manage_on_connector: bool,
    /// Assigner and ResourceOwner can be bound on a prefix of service account ids
    /// (docs/reference/rbac.md#roles-on-a-service-account: unverified, never requested).
    pub service_account_prefix: bool,
    /// MetricsViewer can be bound on a cluster, besides organization and environment
    /// (docs/reference/rbac.md#scopes-of-role-bindings, plausible).
    pub metrics_viewer_on_cluster: bool,
    /// Operator can be bound on the organization and on an environment, besides the cluster
    /// (docs/reference/rbac.md#scopes-of-role-bindings; public examples only show the cluster).
    pub operator_above_cluster: bool,
}

impl Default for RbacAssumptions {
    fn default() -> Self {
        Self {
            connect_manager_on_connector: true,
            connector_prefix: true,
            developer_manage_on_connector: false,
            service_account_prefix: false,
            metrics_viewer_on_cluster: true,
            operator_above_cluster: true,
        }
    }
}

/// Result of checking whether a role can be bound. The API answers rejected bindings with status 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindCheck {
    /// The role can be bound.
    Allowed,
    /// The role cannot be bound.
    Rejected {
        /// Reason, a clause to follow "because".
        reason: &'static str,
    },
}

impl BindCheck {
    /// Whether the role can be bound.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

const fn rejected(reason: &'static str) -> BindCheck {
    BindCheck::Rejected { reason }
}

const fn allowed_if(holds: bool, reason: &'static str) -> BindCheck {
    if holds { BindCheck::Allowed } else { rejected(reason) }
}

/// Checks whether `role` can be bound on resources of `kind`.
#[must_use]
pub fn check_bind_kind(role: &Role, kind: ResourceKind, assumptions: &RbacAssumptions) -> BindCheck {
    use ResourceKind as K;
    use Role as R;
    match role {
        // Source: Terraform docs, role_binding; examples/kafka-ops-env-admin-product-team. BillingAdmin: inferred.
        R::OrganizationAdmin | R::AccountAdmin | R::BillingAdmin => {
            allowed_if(kind == K::Organization, "it can only be bound on the organization")
        }
        // Source: cli `internal/iam/command_rbac_role_binding.go`, `environmentScopedRoles`. DataDiscovery and
        // DataSteward: inferred.
        R::EnvironmentAdmin | R::DataDiscovery | R::DataSteward => {
            allowed_if(kind == K::Environment, "it can only be bound on an environment")
        }
        // Same file, `clusterScopedRolesV2`. KsqlAdmin: inferred.
        R::CloudClusterAdmin | R::KsqlAdmin => allowed_if(kind == K::Cluster, "it can only be bound on a cluster"),
        // Support article 35935254323476 mentions resources of the organization; public Terraform binds it on clusters.
        R::Operator => match kind {
            K::Cluster => BindCheck::Allowed,
            K::Organization | K::Environment => allowed_if(
                assumptions.operator_above_cluster,
                "it can only be bound on a cluster (unconfirmed)",
            ),
            _ => rejected("it can only be bound on a cluster, an environment or the organization"),
        },
        // Source for organization and environment: terraform resource_role_binding_live_test.go.
        R::MetricsViewer => match kind {
            K::Organization | K::Environment => BindCheck::Allowed,
            K::Cluster => allowed_if(
                assumptions.metrics_viewer_on_cluster,
                "it can only be bound on an environment or the organization (unconfirmed)",
            ),
            _ => rejected("it can only be bound on a cluster, an environment or the organization"),
        },
        // Inferred: no source gives it a scope, and it manages keys of whole clusters
        // (docs/reference/rbac.md#who-may-create-api-keys).
        R::ResourceKeyAdmin => allowed_if(
            matches!(kind, K::Organization | K::Environment | K::Cluster),
            "it can only be bound on a cluster, an environment or the organization",
        ),
        // Support article 36452394352020: "in your clusters". Binding on a connector is open question Q1.
        R::ConnectManager => match kind {
            K::Cluster => BindCheck::Allowed,
            K::Connector => allowed_if(
                assumptions.connect_manager_on_connector,
                "it can only be bound on a whole cluster (unconfirmed)",
            ),
            _ => rejected("it can only be bound on connectors and on a whole cluster"),
        },
        // Source: docs/reference/rbac.md#roles-on-a-service-account. cli command_rbac_role_binding_create.go, terraform
        // flink-quickstart.
        R::Assigner => allowed_if(kind == K::ServiceAccount, "it can only be bound on service accounts"),
        // Source: docs/reference/rbac.md#scopes-of-role-bindings and
        // docs/reference/rbac.md#roles-on-topics-groups-and-subjects; on service accounts
        // docs/reference/rbac.md#roles-on-a-service-account.
        R::ResourceOwner => match kind {
            K::ServiceAccount => BindCheck::Allowed,
            _ => check_resource_role(kind),
        },
        R::DeveloperRead | R::DeveloperWrite => check_resource_role(kind),
        R::DeveloperManage => match kind {
            K::Connector => allowed_if(
                assumptions.developer_manage_on_connector,
                "in Confluent Cloud it can only be bound on topics, groups, transactional ids and subjects",
            ),
            _ => check_resource_role(kind),
        },
        R::Other(_) => rejected("the role is unknown"),
    }
}

/// Checks the kind for resource roles. On a scope the API answers 400 (terraform-provider-confluent issue 111:
/// DeveloperRead on the cluster's CRN).
fn check_resource_role(kind: ResourceKind) -> BindCheck {
    use ResourceKind as K;
    match kind {
        K::Connector | K::Topic | K::Group | K::TransactionalId | K::Subject => BindCheck::Allowed,
        K::Organization | K::Environment | K::Cluster | K::Kafka | K::SchemaRegistry => {
            rejected("it can only be bound on resources below the scope, by name or prefix")
        }
        _ => rejected("it cannot be bound on this kind of resource"),
    }
}

/// Checks whether `role` can be bound on `pattern`: the kind, the shape of the CRN, and the position of a wildcard.
#[must_use]
pub fn check_bind_pattern(role: &Role, pattern: &CrnPattern, assumptions: &RbacAssumptions) -> BindCheck {
    use ResourceKind as K;
    let kind = pattern.kind();
    if let refused @ BindCheck::Rejected { .. } = check_bind_kind(role, kind, assumptions) {
        return refused;
    }
    if !has_valid_parents(pattern) {
        return rejected("the CRN has the wrong parents for this kind of resource");
    }
    match (kind, pattern.name()) {
        (_, NamePattern::Literal(_)) => BindCheck::Allowed,
        // Source: docs/reference/rbac.md#crn-patterns. Only the last segment may be a pattern, and a scope needs its
        // full name.
        (K::Organization | K::Environment | K::Cluster | K::Kafka | K::SchemaRegistry, _) => {
            rejected("a scope must be named in full, without `*`")
        }
        (K::ServiceAccount, _) => allowed_if(
            assumptions.service_account_prefix,
            "service accounts must be named in full (unconfirmed)",
        ),
        (K::Connector, _) => allowed_if(
            assumptions.connector_prefix,
            "connectors must be named in full (unconfirmed)",
        ),
        _ => BindCheck::Allowed,
    }
}

/// Whether the CRN has the parents that its kind requires (docs/reference/rbac.md#crn-patterns). The API rejects a
/// connector below `kafka=` with status 400 (terraform-provider-confluent issue 93).
fn has_valid_parents(pattern: &CrnPattern) -> bool {
    use ResourceKind as K;
    let parents: &[K] = match pattern.kind() {
        K::Organization => &[],
        K::Environment | K::ServiceAccount => &[K::Organization],
        K::Cluster | K::SchemaRegistry => &[K::Organization, K::Environment],
        K::Connector | K::Kafka => &[K::Organization, K::Environment, K::Cluster],
        K::Topic | K::Group | K::TransactionalId => &[K::Organization, K::Environment, K::Cluster, K::Kafka],
        K::Subject => &[K::Organization, K::Environment, K::SchemaRegistry],
        _ => return true,
    };
    let mut above = pattern.parent();
    for &expected in parents.iter().rev() {
        match above {
            Some(crn) if crn.kind() == expected => above = crn.parent(),
            _ => return false,
        }
    }
    above.is_none()
}

/// Whether `role` on `kind` is supported on a Basic cluster: connector RBAC and granular Kafka RBAC need Standard,
/// Enterprise, Dedicated or Freight (docs `managed-connector-rbac`, `predefined-rbac-roles`;
/// docs/reference/rbac.md#cluster-types-with-rbac). Resources outside the cluster do not depend on its type.
#[must_use]
pub fn is_supported_on_basic(role: &Role, kind: ResourceKind) -> bool {
    use ResourceKind as K;
    match kind {
        K::Connector | K::Topic | K::Group | K::TransactionalId => false,
        K::Cluster => matches!(role, Role::CloudClusterAdmin),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use ResourceKind as K;

    /// Kinds in the order of the columns below.
    const KINDS: [ResourceKind; 9] = [
        K::Organization,
        K::Environment,
        K::Cluster,
        K::Connector,
        K::Topic,
        K::Group,
        K::TransactionalId,
        K::Subject,
        K::ServiceAccount,
    ];

    // Source: docs/reference/rbac.md#scopes-of-role-bindings, docs/reference/rbac.md#developermanage and
    // docs/reference/rbac.md#roles-on-a-service-account, transcribed by hand. `x` bindable, `?` bindable by an
    // assumption that is enabled by default, `!` rejected by an assumption that is disabled by default.
    const TABLE: [(Role, &str); 17] = [
        //                          org env clu con top grp txn sub sa
        (Role::OrganizationAdmin, "  x   .   .   .   .   .   .   .   ."),
        (Role::AccountAdmin, "       x   .   .   .   .   .   .   .   ."),
        (Role::BillingAdmin, "       x   .   .   .   .   .   .   .   ."),
        (Role::EnvironmentAdmin, "   .   x   .   .   .   .   .   .   ."),
        (Role::DataDiscovery, "      .   x   .   .   .   .   .   .   ."),
        (Role::DataSteward, "        .   x   .   .   .   .   .   .   ."),
        (Role::CloudClusterAdmin, "  .   .   x   .   .   .   .   .   ."),
        (Role::KsqlAdmin, "          .   .   x   .   .   .   .   .   ."),
        (Role::Operator, "           ?   ?   x   .   .   .   .   .   ."),
        (Role::MetricsViewer, "      x   x   ?   .   .   .   .   .   ."),
        (Role::ResourceKeyAdmin, "   x   x   x   .   .   .   .   .   ."),
        (Role::ConnectManager, "     .   .   x   ?   .   .   .   .   ."),
        (Role::Assigner, "           .   .   .   .   .   .   .   .   x"),
        (Role::ResourceOwner, "      .   .   .   x   x   x   x   x   x"),
        (Role::DeveloperRead, "      .   .   .   x   x   x   x   x   ."),
        (Role::DeveloperWrite, "     .   .   .   x   x   x   x   x   ."),
        (Role::DeveloperManage, "    .   .   .   !   x   x   x   x   ."),
    ];

    #[test]
    fn every_role_is_bindable_as_documented() {
        let shipped = RbacAssumptions::default();
        let sceptical = RbacAssumptions {
            connect_manager_on_connector: false,
            connector_prefix: false,
            developer_manage_on_connector: true,
            service_account_prefix: true,
            metrics_viewer_on_cluster: false,
            operator_above_cluster: false,
        };
        for (role, row) in &TABLE {
            for (kind, cell) in KINDS.into_iter().zip(row.split_whitespace()) {
                let answers = (
                    check_bind_kind(role, kind, &shipped).is_allowed(),
                    check_bind_kind(role, kind, &sceptical).is_allowed(),
                );
                let expected = match cell {
                    "x" => (true, true),
                    "?" => (true, false),
                    "!" => (false, true),
                    _ => (false, false),
                };
                assert_eq!(answers, expected, "{role} on {}", kind.display_name());
            }
        }
        let listed: Vec<_> = TABLE.iter().map(|(role, _)| role).collect();
        assert!(Role::KNOWN.iter().all(|role| listed.contains(&role)));
        assert!(!check_bind_kind(&Role::Other("FlinkAdmin".into()), K::Environment, &shipped).is_allowed());
    }

    #[test]
    fn a_crn_pattern_of_the_wrong_shape_is_rejected() {
        let org = "crn://confluent.cloud/organization=o";
        let cluster = format!("{org}/environment=env-1/cloud-cluster=lkc-1");
        let yes = [
            (Role::ResourceOwner, format!("{cluster}/connector=claims-*")),
            (Role::DeveloperRead, format!("{cluster}/kafka=lkc-1/topic=claims-*")),
            (
                Role::DeveloperRead,
                format!("{org}/environment=env-1/schema-registry=lsrc-1/subject=*"),
            ),
            (Role::Assigner, format!("{org}/service-account=sa-1")),
            (Role::CloudClusterAdmin, cluster.clone()),
            (Role::EnvironmentAdmin, format!("{org}/environment=env-1")),
        ];
        let not = [
            // terraform-provider-confluent issue 93
            (Role::ResourceOwner, format!("{cluster}/kafka=lkc-1/connector=claims-*")),
            (
                Role::ResourceOwner,
                format!("{cluster}/kafka=lkc-1/connect=x/connector=claims-*"),
            ),
            // terraform-provider-confluent issue 111
            (Role::DeveloperRead, cluster.clone()),
            (Role::DeveloperRead, format!("{cluster}/topic=claims-*")),
            (Role::Assigner, format!("{org}/service-account=sa-*")),
            (
                Role::CloudClusterAdmin,
                format!("{org}/environment=env-1/cloud-cluster=lkc-*"),
            ),
            (
                Role::EnvironmentAdmin,
                "crn://confluent.cloud/environment=env-1".to_owned(),
            ),
            (Role::DeveloperManage, format!("{cluster}/connector=claims-*")),
        ];
        let answer =
            |role: &Role, text: &str| check_bind_pattern(role, &text.parse().unwrap(), &RbacAssumptions::default());
        for (role, text) in &yes {
            assert_eq!(answer(role, text), BindCheck::Allowed, "{role} {text}");
        }
        for (role, text) in &not {
            assert!(!answer(role, text).is_allowed(), "{role} {text}");
        }
        let named_only = RbacAssumptions {
            connector_prefix: false,
            ..RbacAssumptions::default()
        };
        let at =
            |text: String| check_bind_pattern(&Role::ResourceOwner, &text.parse().unwrap(), &named_only).is_allowed();
        assert!(at(format!("{cluster}/connector=claims-orders")));
        assert!(!at(format!("{cluster}/connector=claims-*")));
    }

    // Source: docs/reference/rbac.md#cluster-types-with-rbac
    #[test]
    fn basic_clusters_support_no_granular_roles() {
        for kind in [K::Connector, K::Topic, K::Group, K::TransactionalId] {
            assert!(!is_supported_on_basic(&Role::ResourceOwner, kind));
        }
        assert!(is_supported_on_basic(&Role::CloudClusterAdmin, K::Cluster));
        assert!(!is_supported_on_basic(&Role::Operator, K::Cluster));
        assert!(is_supported_on_basic(&Role::Assigner, K::ServiceAccount));
        assert!(is_supported_on_basic(&Role::DeveloperRead, K::Subject));
    }
}
