//! `service-quota/v1`: applied quotas and their usage (docs/reference/quotas.md#service-quota-codes).

use serde_json::json;

use super::quota_defaults::{
    ACCOUNT_QUOTAS, CLUSTER_QUOTAS, ENVIRONMENT_QUOTAS, ORGANIZATION_QUOTAS, QuotaDefault, USER_QUOTAS,
};
use crate::{
    access::Operation,
    api::{
        ObjectMeta, expand_route,
        quota::{
            APPLIED_QUOTA, AppliedQuota, BINDINGS_PER_CLUSTER, BINDINGS_PER_ORG, BINDINGS_PER_ORG_PLUS_ENVS,
            CLOUD_KEYS_PER_ORG, KEYS_PER_CLUSTER, SCOPE, SERVICE_ACCOUNTS_PER_ORG,
        },
    },
    model::{ClusterId, EnvironmentId, Principal, ResourceKind, Role, RoleBinding},
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        state::KeyResource,
        tx::Tx,
    },
};

const QUOTAS: PagingRules = PagingRules {
    api_version: "service-quota/v1",
    kind: "AppliedQuotaList",
    max_size: 200,
    includes_total: true,
};
const SCOPE_LIST: PagingRules = PagingRules {
    kind: "ScopeList",
    ..QUOTAS
};

/// Scopes with descriptions, sorted for pagination.
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

/// Object that a quota applies to.
#[derive(Clone)]
enum QuotaTarget {
    Organization,
    Environment(EnvironmentId),
    Cluster(ClusterId),
    Owner(Principal),
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let found = applied_quotas(tx, request)?;
    let code = request.query("id");
    let items = found
        .iter()
        .filter(|(_, quota)| code.is_none_or(|wanted| quota.id == wanted))
        .map(|(key, quota)| (key, quota));
    let list = tx.page(request, QUOTAS, items, Some)?;
    Ok(Reply::ok(list))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let code = request.segment(0);
    let scope = [
        ("organization", ORGANIZATION_QUOTAS.as_slice()),
        ("environment", ENVIRONMENT_QUOTAS.as_slice()),
        ("kafka_cluster", CLUSTER_QUOTAS.as_slice()),
    ]
    .into_iter()
    .find(|(_, quotas)| quotas.iter().any(|quota| quota.0 == code))
    .map(|(scope, _)| scope);
    let found = scope.map_or(Ok(Vec::new()), |scope| applied_quotas_in(tx, request, scope))?;
    match found.into_iter().find(|(_, quota)| quota.id == code) {
        Some((_, quota)) => Ok(Reply::ok(quota)),
        None => Err(ErrorReply::not_found(
            "quota_not_found",
            format!("applied quota `{code}` was not found"),
        )),
    }
}

fn scope_object(tx: &Tx<'_>, request: &ApiRequest, id: &str, description: &str) -> serde_json::Value {
    let crn = format!("{}/scope={id}", tx.state.organization_crn());
    json!({
        "api_version": "service-quota/v1", "kind": "Scope", "id": id, "description": description,
        "metadata": { "self": tx.view(request).link(SCOPE, id), "resource_name": crn },
    })
}

pub(crate) fn scopes(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let all = SCOPES.iter().map(|scope| (scope.0, scope));
    let list = tx.page(request, SCOPE_LIST, all, |(id, description)| {
        Some(scope_object(tx, request, id, description))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn scope(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let wanted = request.segment(0);
    match SCOPES.iter().find(|(id, _)| id.eq_ignore_ascii_case(wanted)) {
        Some((id, description)) => Ok(Reply::ok(scope_object(tx, request, id, description))),
        None => Err(ErrorReply::not_found(
            "scope_not_found",
            format!("scope `{wanted}` was not found"),
        )),
    }
}

/// Returns the quotas that match a request, each with a key for pagination.
fn applied_quotas(tx: &Tx<'_>, request: &ApiRequest) -> Result<Vec<(String, AppliedQuota)>, ErrorReply> {
    tx.require_any_role()?;
    let scope = request
        .query("scope")
        .ok_or_else(|| ErrorReply::invalid("the scope parameter is required").with_source("scope"))?;
    applied_quotas_in(tx, request, &scope.to_ascii_lowercase())
}

fn applied_quotas_in(
    tx: &Tx<'_>,
    request: &ApiRequest,
    scope: &str,
) -> Result<Vec<(String, AppliedQuota)>, ErrorReply> {
    let (quotas, objects): (&[QuotaDefault], Vec<QuotaTarget>) = match scope {
        "organization" => (&ORGANIZATION_QUOTAS, vec![QuotaTarget::Organization]),
        "environment" => {
            let environments = environments(tx, request)?;
            (
                &ENVIRONMENT_QUOTAS,
                environments.into_iter().map(QuotaTarget::Environment).collect(),
            )
        }
        "kafka_cluster" => (&CLUSTER_QUOTAS, clusters(tx, request)?),
        "service_account" => {
            let all = tx.state.accounts.values();
            let visible = all.filter(|account| account.lifetime.exists() && tx.can_see_account_or_self(&account.id));
            let owners = visible.map(|account| QuotaTarget::Owner(Principal::ServiceAccount(account.id.clone())));
            (&ACCOUNT_QUOTAS, owners.collect())
        }
        "user_account" => {
            let all = tx.state.users.keys().cloned().map(Principal::User);
            (
                &USER_QUOTAS,
                all.filter(|user| tx.can_see_user(user))
                    .map(QuotaTarget::Owner)
                    .collect(),
            )
        }
        "network" | "identity_provider" | "certificate_authority" => (&[], Vec::new()),
        other => {
            let detail = format!("no scope `{other}`");
            return Err(ErrorReply::invalid(detail).with_source("scope"));
        }
    };
    let mut found = Vec::new();
    for object in objects {
        for quota in quotas {
            let applied = applied_quota(tx, request, scope, quota, &object);
            found.push((format!("{} {}", quota.0, object.id()), applied));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn environments(tx: &Tx<'_>, request: &ApiRequest) -> Result<Vec<EnvironmentId>, ErrorReply> {
    if let Some(id) = request.query("environment") {
        return tx.environment(id).map(|found| vec![found.id.clone()]);
    }
    let sees = |id: &&EnvironmentId| tx.is_allowed(Operation::Describe, &tx.state.environment_crn(id.as_str()));
    Ok(tx.state.environments.keys().filter(sees).cloned().collect())
}

fn clusters(tx: &Tx<'_>, request: &ApiRequest) -> Result<Vec<QuotaTarget>, ErrorReply> {
    let environments = environments(tx, request)?;
    let wanted = request.query("kafka_cluster");
    if let (Some(id), Some(environment)) = (wanted, request.query("environment")) {
        tx.cluster(environment, id)?;
    }
    let sees = |environment: &EnvironmentId, id: &ClusterId| {
        let crn = tx.state.cluster_crn(environment.as_str(), id.as_str());
        tx.is_allowed(Operation::Describe, &crn)
    };
    Ok(tx
        .state
        .clusters
        .values()
        .filter(|cluster| environments.contains(&cluster.environment))
        .filter(|cluster| wanted.is_none_or(|wanted| cluster.id.as_str() == wanted))
        .filter(|cluster| sees(&cluster.environment, &cluster.id))
        .map(|cluster| QuotaTarget::Cluster(cluster.id.clone()))
        .collect())
}

fn applied_quota(
    tx: &Tx<'_>,
    request: &ApiRequest,
    scope: &str,
    quota: &QuotaDefault,
    object: &QuotaTarget,
) -> AppliedQuota {
    let (code, name, _, reported) = *quota;
    let limit = tx.default_limit(quota, object);
    let usage = tx.usage(code, object);
    let ever = usage > 0 || tx.state.ever_used.contains(&usage_key(code, object));
    let view = tx.view(request);
    let mut applied = AppliedQuota {
        api_version: "service-quota/v1".into(),
        kind: "AppliedQuota".into(),
        id: code.into(),
        metadata: ObjectMeta {
            self_link: Some(format!("{}{}", request.base, expand_route(APPLIED_QUOTA, &[code]))),
            resource_name: Some(format!("{}/applied-quota={code}", tx.state.organization_crn())),
            ..ObjectMeta::default()
        },
        scope: scope.to_ascii_uppercase(),
        display_name: name.into(),
        default_limit: limit,
        applied_limit: tx.state.settings.quotas.get(code).copied().unwrap_or(limit),
        // Usage is reported only for some quotas, and only after the first use
        // (docs/reference/quotas.md#service-quota-api).
        usage: (reported && ever).then_some(usage),
        organization: Some(view.organization_reference()),
        environment: None,
        kafka_cluster: None,
        user: None,
    };
    match object {
        QuotaTarget::Organization => {}
        QuotaTarget::Environment(id) => applied.environment = Some(view.environment_reference(id)),
        QuotaTarget::Cluster(id) => {
            if let Some(cluster) = tx.state.clusters.get(id) {
                applied.environment = Some(view.environment_reference(&cluster.environment));
                applied.kafka_cluster = Some(view.cluster_reference(cluster));
            }
        }
        QuotaTarget::Owner(principal) => applied.user = Some(view.principal_reference(principal)),
    }
    applied
}

fn usage_key(code: &str, object: &QuotaTarget) -> String {
    match object {
        QuotaTarget::Cluster(id) if code == KEYS_PER_CLUSTER => format!("keys {id}"),
        QuotaTarget::Owner(owner) => format!("keys {} {}", owner.id(), code.contains("cloud_api_keys")),
        _ => String::new(),
    }
}

impl QuotaTarget {
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
    fn default_limit(&self, quota: &QuotaDefault, object: &QuotaTarget) -> i64 {
        match object {
            QuotaTarget::Cluster(id) if quota.0 == KEYS_PER_CLUSTER => {
                let cluster = self.state.clusters.get(id);
                cluster.map_or(0, |cluster| cluster.kind.key_limit())
            }
            _ => quota.2,
        }
    }

    fn usage(&self, code: &str, object: &QuotaTarget) -> i64 {
        let state = self.state;
        let used = match (object, code) {
            (QuotaTarget::Organization, SERVICE_ACCOUNTS_PER_ORG) => state.live_account_count(),
            (QuotaTarget::Organization, CLOUD_KEYS_PER_ORG) => state.key_count(KeyResource::Cloud.id()),
            (QuotaTarget::Organization, BINDINGS_PER_ORG) => state.live_binding_count(),
            (QuotaTarget::Organization, BINDINGS_PER_ORG_PLUS_ENVS) => {
                let at_scopes = state.bindings_outside_clusters();
                at_scopes.filter(|binding| self.counts_as_org(&binding.binding)).count()
            }
            (QuotaTarget::Organization, "iam.max_environments.per_org") => state.environments.len(),
            (QuotaTarget::Organization, "iam.max_kafka_clusters.per_org") => state.clusters.len(),
            (QuotaTarget::Organization, "iam.max_users.per_org") => state.users.len(),
            (QuotaTarget::Environment(id), "kafka.max_kafka_clusters.per_env") => {
                let all = state.clusters.values();
                all.filter(|cluster| cluster.environment == *id).count()
            }
            (QuotaTarget::Cluster(id), KEYS_PER_CLUSTER) => state.key_count(id.as_str()),
            (QuotaTarget::Cluster(id), BINDINGS_PER_CLUSTER) => state.binding_count(id),
            (QuotaTarget::Owner(owner), _) => {
                let cloud = code.contains("cloud_api_keys");
                let mine = state.keys_of(owner);
                mine.filter(|key| (key.resource == KeyResource::Cloud) == cloud).count()
            }
            _ => 0,
        };
        i64::try_from(used).unwrap_or(i64::MAX)
    }

    /// Returns whether a binding counts against the quota of the organization and its environments: bindings on these
    /// scopes that allow access to Kafka. Whether bindings on service accounts count is assumption Q7.
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

    /// Returns 402 if the quota is used up.
    pub(crate) fn require_quota(&self, code: &'static str, cluster: Option<&ClusterId>) -> Result<(), ErrorReply> {
        let object = cluster.map_or(QuotaTarget::Organization, |id| QuotaTarget::Cluster(id.clone()));
        self.require_capacity(
            &[ORGANIZATION_QUOTAS.as_slice(), CLUSTER_QUOTAS.as_slice()],
            code,
            &object,
        )
    }

    /// Returns 402 if the principal has reached its key quota.
    pub(crate) fn require_owner_quota(&self, owner: &Principal, cloud: bool) -> Result<(), ErrorReply> {
        let quotas = match owner {
            Principal::User(_) => &USER_QUOTAS,
            _ => &ACCOUNT_QUOTAS,
        };
        let code = quotas[usize::from(!cloud)].0;
        self.require_capacity(&[quotas.as_slice()], code, &QuotaTarget::Owner(owner.clone()))
    }

    fn require_capacity(
        &self,
        tables: &[&[QuotaDefault]],
        code: &'static str,
        object: &QuotaTarget,
    ) -> Result<(), ErrorReply> {
        let mut quotas = tables.iter().flat_map(|table| table.iter());
        let Some(quota) = quotas.find(|quota| quota.0 == code) else {
            return Ok(());
        };
        let set = self.state.settings.quotas.get(code).copied();
        let limit = set.unwrap_or_else(|| self.default_limit(quota, object));
        match self.usage(code, object) < limit {
            true => Ok(()),
            false => Err(ErrorReply::quota_exceeded(&format!("{} ({code})", quota.1), limit)),
        }
    }
}
