//! `service-quota/v1`: applied quotas, with their usage (dossiers `rbac.md` §6, `quotas.md` §1.2).

use serde_json::json;

use super::quota_table::{OF_ACCOUNT, OF_CLUSTER, OF_ENVIRONMENT, OF_ORGANIZATION, OF_USER, Quota};
use crate::{
    access::Operation,
    api::{
        ObjectMeta, fill,
        quota::{
            APPLIED_QUOTA, AppliedQuota, BINDINGS_PER_CLUSTER, BINDINGS_PER_ORG, BINDINGS_PER_ORG_PLUS_ENVS,
            CLOUD_KEYS_PER_ORG, KEYS_PER_CLUSTER, SCOPE, SERVICE_ACCOUNTS_PER_ORG,
        },
    },
    model::{ClusterId, EnvironmentId, Principal, ResourceKind, Role, RoleBinding},
    sandbox::{
        page::Pages,
        reply::{Refusal, Reply},
        request::Request,
        state::KeyResource,
        tx::Tx,
    },
};

const QUOTAS: Pages = Pages {
    api_version: "service-quota/v1",
    kind: "AppliedQuotaList",
    most: 200,
    total: true,
};
const SCOPE_LIST: Pages = Pages {
    kind: "ScopeList",
    ..QUOTAS
};

/// Sorted, so that they come in pages.
const SCOPES: [(&str, &str); 8] = [
    ("CERTIFICATE_AUTHORITY", "quotas of one certificate authority"),
    ("ENVIRONMENT", "quotas of one environment"),
    ("IDENTITY_PROVIDER", "quotas of one identity provider"),
    ("KAFKA_CLUSTER", "quotas of one Kafka cluster"),
    ("NETWORK", "quotas of one network"),
    ("ORGANIZATION", "quotas of the organization"),
    ("SERVICE_ACCOUNT", "quotas of one service account"),
    ("USER_ACCOUNT", "quotas of one user"),
];

/// What a quota applies to.
#[derive(Clone)]
enum Object {
    Organization,
    Environment(EnvironmentId),
    Cluster(ClusterId),
    Owner(Principal),
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let found = applied(tx, request)?;
    let code = request.query("id");
    let items = found
        .iter()
        .filter(|(_, quota)| code.is_none_or(|wanted| quota.id == wanted))
        .map(|(key, quota)| (key, quota));
    let list = tx.page(request, QUOTAS, items, Some)?;
    Ok(Reply::ok(list))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let code = request.segment(0);
    let scope = [
        ("organization", OF_ORGANIZATION.as_slice()),
        ("environment", OF_ENVIRONMENT.as_slice()),
        ("kafka_cluster", OF_CLUSTER.as_slice()),
    ]
    .into_iter()
    .find(|(_, quotas)| quotas.iter().any(|quota| quota.0 == code))
    .map(|(scope, _)| scope);
    let found = scope.map_or(Ok(Vec::new()), |scope| applied_in(tx, request, scope))?;
    match found.into_iter().find(|(_, quota)| quota.id == code) {
        Some((_, quota)) => Ok(Reply::ok(quota)),
        None => Err(Refusal::missing(
            "quota_not_found",
            format!("applied quota `{code}` was not found"),
        )),
    }
}

fn scope_object(tx: &Tx<'_>, request: &Request, id: &str, description: &str) -> serde_json::Value {
    let crn = format!("{}/scope={id}", tx.state.organization_crn());
    json!({
        "api_version": "service-quota/v1", "kind": "Scope", "id": id, "description": description,
        "metadata": { "self": tx.view(request).link(SCOPE, id), "resource_name": crn },
    })
}

pub(crate) fn scopes(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let all = SCOPES.iter().map(|scope| (scope.0, scope));
    let list = tx.page(request, SCOPE_LIST, all, |(id, description)| {
        Some(scope_object(tx, request, id, description))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn scope(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let wanted = request.segment(0);
    match SCOPES.iter().find(|(id, _)| id.eq_ignore_ascii_case(wanted)) {
        Some((id, description)) => Ok(Reply::ok(scope_object(tx, request, id, description))),
        None => Err(Refusal::missing(
            "scope_not_found",
            format!("scope `{wanted}` was not found"),
        )),
    }
}

/// The quotas that a query asks for, each with a key for paging.
fn applied(tx: &Tx<'_>, request: &Request) -> Result<Vec<(String, AppliedQuota)>, Refusal> {
    tx.require_any_role()?;
    let scope = request
        .query("scope")
        .ok_or_else(|| Refusal::invalid("the scope parameter is required").about("scope"))?;
    applied_in(tx, request, &scope.to_ascii_lowercase())
}

fn applied_in(tx: &Tx<'_>, request: &Request, scope: &str) -> Result<Vec<(String, AppliedQuota)>, Refusal> {
    let (quotas, objects): (&[Quota], Vec<Object>) = match scope {
        "organization" => (&OF_ORGANIZATION, vec![Object::Organization]),
        "environment" => {
            let environments = environments(tx, request)?;
            (
                &OF_ENVIRONMENT,
                environments.into_iter().map(Object::Environment).collect(),
            )
        }
        "kafka_cluster" => (&OF_CLUSTER, clusters(tx, request)?),
        "service_account" => {
            let all = tx.state.accounts.values();
            let seen = all.filter(|account| account.life.exists() && tx.sees_account_or_is(&account.id));
            let owners = seen.map(|account| Object::Owner(Principal::ServiceAccount(account.id.clone())));
            (&OF_ACCOUNT, owners.collect())
        }
        "user_account" => {
            let all = tx.state.users.keys().cloned().map(Principal::User);
            (
                &OF_USER,
                all.filter(|user| tx.sees_user(user)).map(Object::Owner).collect(),
            )
        }
        "network" | "identity_provider" | "certificate_authority" => (&[], Vec::new()),
        other => {
            let detail = format!("there is no scope `{other}`");
            return Err(Refusal::invalid(detail).about("scope"));
        }
    };
    let mut found = Vec::new();
    for object in objects {
        for quota in quotas {
            let applied = apply(tx, request, scope, quota, &object);
            found.push((format!("{} {}", quota.0, object.id()), applied));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn environments(tx: &Tx<'_>, request: &Request) -> Result<Vec<EnvironmentId>, Refusal> {
    if let Some(id) = request.query("environment") {
        return tx.environment(id).map(|found| vec![found.id.clone()]);
    }
    let sees = |id: &&EnvironmentId| tx.may(Operation::Describe, &tx.state.environment_crn(id.as_str()));
    Ok(tx.state.environments.keys().filter(sees).cloned().collect())
}

fn clusters(tx: &Tx<'_>, request: &Request) -> Result<Vec<Object>, Refusal> {
    let environments = environments(tx, request)?;
    let wanted = request.query("kafka_cluster");
    if let (Some(id), Some(environment)) = (wanted, request.query("environment")) {
        tx.cluster(environment, id)?;
    }
    let sees = |environment: &EnvironmentId, id: &ClusterId| {
        let crn = tx.state.cluster_crn(environment.as_str(), id.as_str());
        tx.may(Operation::Describe, &crn)
    };
    Ok(tx
        .state
        .clusters
        .values()
        .filter(|cluster| environments.contains(&cluster.environment))
        .filter(|cluster| wanted.is_none_or(|wanted| cluster.id.as_str() == wanted))
        .filter(|cluster| sees(&cluster.environment, &cluster.id))
        .map(|cluster| Object::Cluster(cluster.id.clone()))
        .collect())
}

fn apply(tx: &Tx<'_>, request: &Request, scope: &str, quota: &Quota, object: &Object) -> AppliedQuota {
    let (code, name, _, reported) = *quota;
    let limit = tx.default_limit(quota, object);
    let usage = tx.usage(code, object);
    let ever = usage > 0 || tx.state.ever_used.contains(&ever_key(code, object));
    let view = tx.view(request);
    let mut applied = AppliedQuota {
        api_version: "service-quota/v1".into(),
        kind: "AppliedQuota".into(),
        id: code.into(),
        metadata: ObjectMeta {
            self_link: Some(format!("{}{}", request.base, fill(APPLIED_QUOTA, &[code]))),
            resource_name: Some(format!("{}/applied-quota={code}", tx.state.organization_crn())),
            ..ObjectMeta::default()
        },
        scope: scope.to_ascii_uppercase(),
        display_name: name.into(),
        default_limit: limit,
        applied_limit: tx.state.settings.quotas.get(code).copied().unwrap_or(limit),
        // Only where there is usage data, and only once there was any usage (dossier `quotas.md` §1.5).
        usage: (reported && ever).then_some(usage),
        organization: Some(view.organization_reference()),
        environment: None,
        kafka_cluster: None,
        user: None,
    };
    match object {
        Object::Organization => {}
        Object::Environment(id) => applied.environment = Some(view.environment_reference(id)),
        Object::Cluster(id) => {
            if let Some(cluster) = tx.state.clusters.get(id) {
                applied.environment = Some(view.environment_reference(&cluster.environment));
                applied.kafka_cluster = Some(view.cluster_reference(cluster));
            }
        }
        Object::Owner(principal) => applied.user = Some(view.principal_reference(principal)),
    }
    applied
}

fn ever_key(code: &str, object: &Object) -> String {
    match object {
        Object::Cluster(id) if code == KEYS_PER_CLUSTER => format!("keys {id}"),
        Object::Owner(owner) => format!("keys {} {}", owner.id(), code.contains("cloud_api_keys")),
        _ => String::new(),
    }
}

impl Object {
    fn id(&self) -> &str {
        match self {
            Self::Organization => "",
            Self::Environment(id) => id.as_str(),
            Self::Cluster(id) => id.as_str(),
            Self::Owner(principal) => principal.id(),
        }
    }
}

impl Tx<'_> {
    fn default_limit(&self, quota: &Quota, object: &Object) -> i64 {
        match object {
            Object::Cluster(id) if quota.0 == KEYS_PER_CLUSTER => {
                let cluster = self.state.clusters.get(id);
                cluster.map_or(0, |cluster| cluster.kind.key_limit())
            }
            _ => quota.2,
        }
    }

    fn usage(&self, code: &str, object: &Object) -> i64 {
        let state = self.state;
        let used = match (object, code) {
            (Object::Organization, SERVICE_ACCOUNTS_PER_ORG) => state.live_accounts(),
            (Object::Organization, CLOUD_KEYS_PER_ORG) => state.keys_for(KeyResource::Cloud.id()),
            (Object::Organization, BINDINGS_PER_ORG) => state.live_bindings(),
            (Object::Organization, BINDINGS_PER_ORG_PLUS_ENVS) => {
                let at_scopes = state.bindings_outside_clusters();
                at_scopes.filter(|binding| self.counts_as_org(&binding.binding)).count()
            }
            (Object::Organization, "iam.max_environments.per_org") => state.environments.len(),
            (Object::Organization, "iam.max_kafka_clusters.per_org") => state.clusters.len(),
            (Object::Organization, "iam.max_users.per_org") => state.users.len(),
            (Object::Environment(id), "kafka.max_kafka_clusters.per_env") => {
                let all = state.clusters.values();
                all.filter(|cluster| cluster.environment == *id).count()
            }
            (Object::Cluster(id), KEYS_PER_CLUSTER) => state.keys_for(id.as_str()),
            (Object::Cluster(id), BINDINGS_PER_CLUSTER) => state.bindings_in(id),
            (Object::Owner(owner), _) => {
                let cloud = code.contains("cloud_api_keys");
                let mine = state.keys_of(owner);
                mine.filter(|key| (key.resource == KeyResource::Cloud) == cloud).count()
            }
            _ => 0,
        };
        i64::try_from(used).unwrap_or(i64::MAX)
    }

    /// Whether a binding counts as one of the organization and its environments: those that give Kafka access from
    /// there. Whether those on service accounts do is not known (Q7).
    pub(crate) fn counts_as_org(&self, binding: &RoleBinding) -> bool {
        match binding.pattern.kind() {
            ResourceKind::Organization | ResourceKind::Environment => matches!(
                binding.role,
                Role::OrganizationAdmin | Role::EnvironmentAdmin | Role::Operator | Role::ResourceKeyAdmin
            ),
            ResourceKind::ServiceAccount => self.assumptions().account_bindings_count_as_org,
            _ => false,
        }
    }

    /// 402 when a quota has no room for one more.
    pub(crate) fn require_quota(&self, code: &'static str, cluster: Option<&ClusterId>) -> Result<(), Refusal> {
        let object = cluster.map_or(Object::Organization, |id| Object::Cluster(id.clone()));
        self.require_room(&[OF_ORGANIZATION.as_slice(), OF_CLUSTER.as_slice()], code, &object)
    }

    /// 402 when a principal may have no more keys.
    pub(crate) fn require_owner_quota(&self, owner: &Principal, cloud: bool) -> Result<(), Refusal> {
        let quotas = match owner {
            Principal::User(_) => &OF_USER,
            _ => &OF_ACCOUNT,
        };
        let code = quotas[usize::from(!cloud)].0;
        self.require_room(&[quotas.as_slice()], code, &Object::Owner(owner.clone()))
    }

    fn require_room(&self, tables: &[&[Quota]], code: &'static str, object: &Object) -> Result<(), Refusal> {
        let mut quotas = tables.iter().flat_map(|table| table.iter());
        let Some(quota) = quotas.find(|quota| quota.0 == code) else {
            return Ok(());
        };
        let set = self.state.settings.quotas.get(code).copied();
        let limit = set.unwrap_or_else(|| self.default_limit(quota, object));
        match self.usage(code, object) < limit {
            true => Ok(()),
            false => Err(Refusal::quota(&format!("{} ({code})", quota.1), limit)),
        }
    }
}
