//! Where a role can be bound: the legal scopes of each role (dossier `rbac.md` §1.2, §1.5, §2.4).
//!
//! Nothing here says what a role *gives*; that is [`super::roles`].

use serde::{Deserialize, Serialize};

use crate::model::{CrnPattern, NamePattern, ResourceKind, Role};

/// What the dossier marks as inferred about legal scopes, each with a switch. The defaults are what the shipped
/// templates rely on; whoever needs to know runs with the switch both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Assumptions {
    /// ConnectManager can be bound on a connector or a connector prefix, not only on the cluster (dossier `rbac.md`
    /// §1.2, open question Q1). The shipped operator persona asks for it and names a fallback.
    pub connect_manager_on_connector: bool,
    /// Resource roles can be bound on a connector *prefix*, not only on a connector's name (§1.2, inferred from the
    /// general rule of §3; Q11). The whole model rests on it.
    pub connector_prefix: bool,
    /// DeveloperManage can be bound on connectors, as on Confluent Platform (§1.4: assumed not).
    pub developer_manage_on_connector: bool,
    /// Assigner and ResourceOwner can be bound on a prefix of service account ids (§2.4: unverified, never to be asked
    /// for).
    pub service_account_prefix: bool,
    /// MetricsViewer can be bound on a cluster, besides organization and environment (§1.2, plausible).
    pub metrics_viewer_on_cluster: bool,
    /// Operator can be bound on the organization and on an environment, besides the cluster (§1.2; only the cluster is
    /// seen in public).
    pub operator_above_cluster: bool,
}

impl Default for Assumptions {
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

/// Whether the service lets a role be bound somewhere. It answers 400 where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bindable {
    /// It does.
    Yes,
    /// It does not.
    No {
        /// Why, a sentence fragment that reads after "because".
        reason: &'static str,
    },
}

impl Bindable {
    /// Whether the answer is yes.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self == Self::Yes
    }
}

const fn no(reason: &'static str) -> Bindable {
    Bindable::No { reason }
}

const fn when(holds: bool, reason: &'static str) -> Bindable {
    if holds { Bindable::Yes } else { no(reason) }
}

/// Whether `role` can be bound on a `kind` of resource at all.
#[must_use]
pub fn bindable(role: &Role, kind: ResourceKind, assumptions: &Assumptions) -> Bindable {
    use ResourceKind as K;
    use Role as R;
    match role {
        // Terraform docs, role_binding; examples/kafka-ops-env-admin-product-team. BillingAdmin: inferred.
        R::OrganizationAdmin | R::AccountAdmin | R::BillingAdmin => when(
            kind == K::Organization,
            "it is a role of the organization, and can be bound on nothing else",
        ),
        // cli `internal/iam/command_rbac_role_binding.go`, `environmentScopedRoles`. The two data roles: inferred.
        R::EnvironmentAdmin | R::DataDiscovery | R::DataSteward => when(
            kind == K::Environment,
            "it is a role of an environment, and can be bound on nothing else",
        ),
        // Same file, `clusterScopedRolesV2`. KsqlAdmin: inferred.
        R::CloudClusterAdmin | R::KsqlAdmin => when(
            kind == K::Cluster,
            "it is a role of a cluster, and can be bound on nothing else",
        ),
        // Support article 35935254323476 speaks of the organization's resources; public Terraform binds it on clusters.
        R::Operator => match kind {
            K::Cluster => Bindable::Yes,
            K::Organization | K::Environment => when(
                assumptions.operator_above_cluster,
                "it is only offered on a cluster (an assumption of this program)",
            ),
            _ => no("it is only offered on a cluster, an environment or the organization"),
        },
        // Organization and environment: terraform resource_role_binding_live_test.go.
        R::MetricsViewer => match kind {
            K::Organization | K::Environment => Bindable::Yes,
            K::Cluster => when(
                assumptions.metrics_viewer_on_cluster,
                "it is only offered on an environment or the organization (an assumption of this program)",
            ),
            _ => no("it is only offered on a cluster, an environment or the organization"),
        },
        // Inferred: the dossier gives it no scope, and it manages keys of whole clusters (§5.2).
        R::ResourceKeyAdmin => when(
            matches!(kind, K::Organization | K::Environment | K::Cluster),
            "it is only offered on a cluster, an environment or the organization",
        ),
        // Support article 36452394352020: "in your clusters". The connector itself is open question Q1.
        R::ConnectManager => match kind {
            K::Cluster => Bindable::Yes,
            K::Connector => when(
                assumptions.connect_manager_on_connector,
                "it is only offered on a whole cluster (an assumption of this program)",
            ),
            _ => no("it is only offered on connectors and on a whole cluster"),
        },
        // §2.4: cli command_rbac_role_binding_create.go, terraform flink-quickstart.
        R::Assigner => when(
            kind == K::ServiceAccount,
            "it is a role on service accounts, and can be bound on nothing else",
        ),
        // §1.2 and §1.5; on service accounts §2.4.
        R::ResourceOwner => match kind {
            K::ServiceAccount => Bindable::Yes,
            _ => resource(kind),
        },
        R::DeveloperRead | R::DeveloperWrite => resource(kind),
        R::DeveloperManage => match kind {
            K::Connector => when(
                assumptions.developer_manage_on_connector,
                "Confluent Cloud does not offer it on connectors, only on topics, groups, transactional ids and subjects",
            ),
            _ => resource(kind),
        },
        R::Other(_) => no("this program has no rule about that role"),
    }
}

/// The kinds that resource roles go on. On a bare scope the service answers 400 (terraform-provider-confluent issue
/// 111: DeveloperRead on the cluster's CRN).
fn resource(kind: ResourceKind) -> Bindable {
    use ResourceKind as K;
    match kind {
        K::Connector | K::Topic | K::Group | K::TransactionalId | K::Subject => Bindable::Yes,
        K::Organization | K::Environment | K::Cluster | K::Kafka | K::SchemaRegistry => {
            no("it is a role on single resources, and needs a name or a prefix below the scope")
        }
        _ => no("it is not offered on that kind of resource"),
    }
}

/// Whether `role` can be bound on `pattern`: the kind, the shape of the CRN, and where a prefix may stand.
#[must_use]
pub fn bindable_on(role: &Role, pattern: &CrnPattern, assumptions: &Assumptions) -> Bindable {
    use ResourceKind as K;
    let kind = pattern.kind();
    if let refused @ Bindable::No { .. } = bindable(role, kind, assumptions) {
        return refused;
    }
    if !well_placed(pattern) {
        return no("a resource of that kind does not hang there");
    }
    match (kind, pattern.name()) {
        (_, NamePattern::Literal(_)) => Bindable::Yes,
        // Dossier `rbac.md` §3: only the last segment may be a pattern, and a scope is not a family of names.
        (K::Organization | K::Environment | K::Cluster | K::Kafka | K::SchemaRegistry, _) => {
            no("a scope is named in full, `*` means nothing there")
        }
        (K::ServiceAccount, _) => when(
            assumptions.service_account_prefix,
            "service accounts are named one by one (an assumption of this program)",
        ),
        (K::Connector, _) => when(
            assumptions.connector_prefix,
            "connectors are named one by one (an assumption of this program)",
        ),
        _ => Bindable::Yes,
    }
}

/// Whether the CRN has the shape of its kind (dossier `rbac.md` §3). A connector below `kafka=` is answered 400
/// (terraform-provider-confluent issue 93).
fn well_placed(pattern: &CrnPattern) -> bool {
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

/// Whether `role` on `kind` works on a Basic cluster: connector RBAC and granular Kafka RBAC need Standard, Enterprise,
/// Dedicated or Freight (docs `managed-connector-rbac`, `predefined-rbac-roles`; dossier `rbac.md` §1.3). What does not
/// hang off the cluster does not ask for its type.
#[must_use]
pub fn works_on_basic(role: &Role, kind: ResourceKind) -> bool {
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

    /// The kinds in the order of the columns below.
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

    // Dossier `rbac.md` §1.2, §1.4, §2.4, transcribed by hand. `x` bindable, `?` bindable by an assumption that is on
    // by default, `!` refused by an assumption that is off by default.
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
    fn every_role_is_bindable_where_the_dossier_says() {
        let shipped = Assumptions::default();
        let sceptical = Assumptions {
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
                    bindable(role, kind, &shipped).is_yes(),
                    bindable(role, kind, &sceptical).is_yes(),
                );
                let expected = match cell {
                    "x" => (true, true),
                    "?" => (true, false),
                    "!" => (false, true),
                    _ => (false, false),
                };
                assert_eq!(answers, expected, "{role} on {}", kind.word());
            }
        }
        let listed: Vec<_> = TABLE.iter().map(|(role, _)| role).collect();
        assert!(Role::KNOWN.iter().all(|role| listed.contains(&role)));
        assert!(!bindable(&Role::Other("FlinkAdmin".into()), K::Environment, &shipped).is_yes());
    }

    #[test]
    fn the_shape_of_the_pattern_counts() {
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
        let answer = |role: &Role, text: &str| bindable_on(role, &text.parse().unwrap(), &Assumptions::default());
        for (role, text) in &yes {
            assert_eq!(answer(role, text), Bindable::Yes, "{role} {text}");
        }
        for (role, text) in &not {
            assert!(!answer(role, text).is_yes(), "{role} {text}");
        }
        let named_only = Assumptions {
            connector_prefix: false,
            ..Assumptions::default()
        };
        let at = |text: String| bindable_on(&Role::ResourceOwner, &text.parse().unwrap(), &named_only).is_yes();
        assert!(at(format!("{cluster}/connector=claims-orders")));
        assert!(!at(format!("{cluster}/connector=claims-*")));
    }

    // Dossier `rbac.md` §1.3.
    #[test]
    fn basic_clusters_have_no_granular_roles() {
        for kind in [K::Connector, K::Topic, K::Group, K::TransactionalId] {
            assert!(!works_on_basic(&Role::ResourceOwner, kind));
        }
        assert!(works_on_basic(&Role::CloudClusterAdmin, K::Cluster));
        assert!(!works_on_basic(&Role::Operator, K::Cluster));
        assert!(works_on_basic(&Role::Assigner, K::ServiceAccount));
        assert!(works_on_basic(&Role::DeveloperRead, K::Subject));
    }
}
