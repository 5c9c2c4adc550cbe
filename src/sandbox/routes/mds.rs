//! `mds/v2`: role bindings.

use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    access::{BindCheck, Operation, bindable::is_supported_on_basic, check_bind_pattern},
    api::{self, quota},
    model::{Crn, CrnPattern, NamePattern, Principal, ResourceKind, Role, RoleBinding, RoleBindingId},
    sandbox::{
        assumptions::ListVisibility,
        pagination::PagingRules,
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        seed::{ClusterKind, natural_key},
        settings::CreatedObject,
        state::{BindingRecord, StateChange},
        tx::Tx,
    },
};

/// Pagination with up to 1,000 bindings per page: the published document is newer than the SDK's
/// (docs/reference/rbac.md#pagination).
const BINDINGS: PagingRules = PagingRules {
    api_version: "iam/v2",
    kind: "RoleBindingList",
    max_size: 1_000,
    includes_total: false,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoleBindingBody {
    principal: String,
    role_name: String,
    crn_pattern: String,
}

/// Maximum number of bindings to sort for a page.
const MAX_SORTED: usize = 500;

/// Scope filter of a list.
enum ScopeFilter {
    Exact(CrnPattern),
    /// Everything strictly below a scope, which is stored as a resource and as a pattern.
    Below(Crn, CrnPattern),
}

impl ScopeFilter {
    /// Parses a scope. A pattern that ends in `/*` selects everything below (cli `--inclusive`).
    fn parse(text: &str) -> Result<Self, ErrorReply> {
        let unreadable =
            |error: crate::model::CrnError| ErrorReply::invalid(error.to_string()).with_source("crn_pattern");
        match text.strip_suffix("/*") {
            Some(scope) => {
                let scope: Crn = scope.parse().map_err(unreadable)?;
                Ok(Self::Below(scope.clone(), scope.into()))
            }
            None => text.parse().map(Self::Exact).map_err(unreadable),
        }
    }

    fn contains(&self, pattern: &CrnPattern) -> bool {
        match self {
            Self::Exact(exact) => exact == pattern,
            Self::Below(_, whole) => whole.covers_pattern(pattern) && whole != pattern,
        }
    }
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let written = request
        .query("crn_pattern")
        .ok_or_else(|| ErrorReply::invalid("the crn_pattern parameter is required").with_source("crn_pattern"))?;
    let scope = ScopeFilter::parse(written)?;
    let principal: Option<Principal> = request.query("principal").and_then(|text| text.parse().ok());
    let role: Option<Role> = request.query("role_name").and_then(|text| text.parse().ok());

    let assumptions = tx.assumptions();
    let own = assumptions.own_bindings_visible && principal.as_ref().is_some_and(|wanted| tx.is_caller(wanted));
    let whole = match &scope {
        ScopeFilter::Exact(pattern) => tx.is_allowed_on_pattern(Operation::DescribeAccess, pattern),
        ScopeFilter::Below(scope, _) => tx.is_allowed(Operation::DescribeAccess, scope),
    };
    if assumptions.binding_list == ListVisibility::Refused && !whole && !own {
        return Err(tx.forbidden(&format!("list role bindings on {written}")));
    }
    let matching = |binding: &&BindingRecord| {
        tx.is_listed(&binding.lifetime)
            && principal
                .as_ref()
                .is_none_or(|wanted| binding.binding.principal == *wanted)
            && role.as_ref().is_none_or(|wanted| binding.binding.role == *wanted)
    };
    let view = tx.view(request);
    let everything = assumptions.binding_list == ListVisibility::Everything || whole;
    let show = |binding: &BindingRecord| (everything || tx.can_see_binding(binding)).then(|| view.binding(binding));

    let in_scope: Box<dyn Iterator<Item = &BindingRecord>> = match &scope {
        ScopeFilter::Exact(pattern) => Box::new(tx.state.bindings_on(&pattern.to_string())),
        ScopeFilter::Below(scope, _) => Box::new(tx.state.bindings_below(&scope.to_string())),
    };
    let mut few: Vec<_> = in_scope.take(MAX_SORTED + 1).collect();
    let list = if few.len() <= MAX_SORTED {
        few.retain(matching);
        few.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let items = few.into_iter().map(|binding| (&binding.id, binding));
        tx.page(request, BINDINGS, items, show)?
    } else {
        // For many bindings, iterating over all of them in order until the page is full is faster than sorting.
        tx.page(request, BINDINGS, &tx.state.bindings, |binding| {
            (matching(&binding) && scope.contains(&binding.binding.pattern))
                .then(|| show(binding))
                .flatten()
        })?
    };
    Ok(Reply::ok(list))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let body: RoleBindingBody = request.parse_json()?;
    for (field, value) in [
        ("/principal", &body.principal),
        ("/role_name", &body.role_name),
        ("/crn_pattern", &body.crn_pattern),
    ] {
        if value.is_empty() {
            return Err(ErrorReply::invalid(format!("{} is required", &field[1..])).with_source(field));
        }
    }
    let pattern: CrnPattern = body
        .crn_pattern
        .parse()
        .map_err(|error| ErrorReply::invalid(format!("{error}")).with_source("/crn_pattern"))?;
    if !tx.is_allowed_on_pattern(Operation::AlterAccess, &pattern) {
        return Err(tx.forbidden(&format!("{} on {pattern}", Operation::AlterAccess.as_str())));
    }
    let Ok(role) = body.role_name.parse::<Role>();
    check_role(tx, &role, &pattern)?;
    if !body.principal.starts_with("User:") && !body.principal.starts_with("Group:") {
        return Err(ErrorReply::invalid("principal must start with `User:`").with_source("/principal"));
    }
    let Ok(principal) = body.principal.parse::<Principal>();
    if !tx.state.principal_exists(&principal) {
        let detail = format!("principal `{principal}` does not exist or is not visible");
        return Err(match tx.assumptions().unknown_principal_is_forbidden {
            true => ErrorReply::forbidden(detail),
            false => ErrorReply::invalid(detail).with_source("/principal"),
        });
    }
    let wanted = RoleBinding::new(principal, role, pattern);
    let existing = tx
        .state
        .bindings_of(&wanted.principal)
        .find(|found| found.binding == wanted);
    if let Some(existing) = existing {
        if tx.assumptions().duplicate_binding_conflicts {
            return Err(ErrorReply::conflict("the role binding already exists"));
        }
        return Ok(created_reply(tx, request, existing));
    }
    for (code, cluster) in quotas_of(tx, &wanted) {
        tx.require_quota(code, cluster.as_ref())?;
    }
    let binding = tx.create_binding(wanted, CreatedObject::Binding)?;
    Ok(created_reply(tx, request, &binding))
}

fn created_reply(tx: &Tx<'_>, request: &ApiRequest, binding: &BindingRecord) -> Reply {
    let view = tx.view(request);
    let link = view.link(api::mds::ROLE_BINDING, binding.id.as_str());
    Reply::with_body(StatusCode::CREATED, view.binding(binding)).with_header(header::LOCATION, link)
}

/// Checks that the role can be bound on the pattern; otherwise returns 400.
fn check_role(tx: &Tx<'_>, role: &Role, pattern: &CrnPattern) -> Result<(), ErrorReply> {
    if let Role::Other(name) = role {
        return Err(ErrorReply::invalid(format!("no role `{name}`")).with_source("/role_name"));
    }
    check_scope(tx, pattern)?;
    if let BindCheck::Rejected { reason } = check_bind_pattern(role, pattern, &tx.assumptions().bindable) {
        let detail = format!("{role} cannot be bound on {pattern}: {reason}");
        return Err(ErrorReply::invalid(detail).with_source("/crn_pattern"));
    }
    let cluster = pattern.value_of(ResourceKind::Cluster);
    let on_basic = tx
        .state
        .clusters
        .values()
        .any(|found| Some(found.id.as_str()) == cluster && found.kind == ClusterKind::Basic);
    if on_basic && !is_supported_on_basic(role, pattern.kind()) {
        let detail = format!("{role} cannot be bound on {pattern}: a Basic cluster has no granular roles");
        return Err(ErrorReply::invalid(detail).with_source("/crn_pattern"));
    }
    Ok(())
}

/// Checks that the resources in a pattern exist and belong together.
fn check_scope(tx: &Tx<'_>, pattern: &CrnPattern) -> Result<(), ErrorReply> {
    let state = tx.state;
    let named = |kind| pattern.value_of(kind);
    let environment = named(ResourceKind::Environment);
    let missing = |what: &str, id: &str| {
        let detail = format!("crn_pattern: {what} `{id}` does not exist");
        Err(ErrorReply::invalid(detail).with_source("/crn_pattern"))
    };
    if let Some(id) = environment
        && !state.environments.keys().any(|known| known.as_str() == id)
    {
        return missing("environment", id);
    }
    let in_environment = |of: &crate::model::EnvironmentId| environment == Some(of.as_str());
    if let Some(id) = named(ResourceKind::Cluster)
        && !state
            .clusters
            .values()
            .any(|known| known.id.as_str() == id && in_environment(&known.environment))
    {
        return missing("Kafka cluster", id);
    }
    if let Some(id) = named(ResourceKind::Kafka)
        && named(ResourceKind::Cluster) != Some(id)
    {
        return missing("Kafka cluster", id);
    }
    if let Some(id) = named(ResourceKind::SchemaRegistry)
        && !state
            .registries
            .values()
            .any(|known| known.id.as_str() == id && in_environment(&known.environment))
    {
        return missing("Schema Registry", id);
    }
    match (pattern.kind(), pattern.name()) {
        (ResourceKind::ServiceAccount, NamePattern::Literal(id)) if state.account(id).is_none() => {
            missing("service account", id)
        }
        _ => Ok(()),
    }
}

/// Returns the quotas that a role binding counts against (docs/reference/quotas.md#service-quota-codes).
fn quotas_of(tx: &Tx<'_>, binding: &RoleBinding) -> Vec<(&'static str, Option<crate::model::ClusterId>)> {
    let mut quotas = vec![(quota::BINDINGS_PER_ORG, None)];
    if let Some(cluster) = crate::sandbox::state::cluster_of(binding) {
        quotas.push((quota::BINDINGS_PER_CLUSTER, Some(cluster)));
    }
    if tx.counts_as_org(binding) {
        quotas.push((quota::BINDINGS_PER_ORG_PLUS_ENVS, None));
    }
    quotas
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let binding = visible_binding(tx, request)?;
    Ok(Reply::ok(tx.view(request).binding(binding)))
}

/// Deletes a role binding and returns 200 with the object, as documented; other implementations return 204.
pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let binding = visible_binding(tx, request)?;
    if !tx.is_allowed_on_pattern(Operation::AlterAccess, &binding.binding.pattern) {
        return Err(binding_not_visible());
    }
    let reply = Reply::ok(tx.view(request).binding(binding));
    remove_binding(tx, binding);
    Ok(reply)
}

/// Returns the same error for a missing binding and for one that the caller may not see (terraform
/// `internal/testdata`).
fn binding_not_visible() -> ErrorReply {
    ErrorReply::forbidden("Either unauthorized to access role binding or role binding does not exist")
        .with_shape(ErrorShape::Flat)
}

fn visible_binding<'a>(tx: &Tx<'a>, request: &ApiRequest) -> Result<&'a BindingRecord, ErrorReply> {
    let found = tx.state.binding(request.segment(0));
    found
        .filter(|found| tx.can_see_binding(found))
        .ok_or_else(binding_not_visible)
}

/// Deletes a role binding.
pub(crate) fn remove_binding(tx: &mut Tx<'_>, binding: &BindingRecord) {
    tx.record(StateChange::CountKey(format!(
        "role-binding {}",
        natural_key(&binding.binding)
    )));
    tx.record(match tx.listed_until(binding.id.as_str()) {
        None => StateChange::RemoveBinding(binding.id.clone()),
        gone => {
            let mut binding = binding.clone();
            binding.lifetime.listed_until = gone;
            StateChange::Binding(binding)
        }
    });
}

impl Tx<'_> {
    fn can_see_binding(&self, binding: &BindingRecord) -> bool {
        let own = self.assumptions().own_bindings_visible && self.is_caller(&binding.binding.principal);
        own || self.is_allowed_on_pattern(Operation::DescribeAccess, &binding.binding.pattern)
    }

    /// Creates a role binding.
    pub(crate) fn create_binding(
        &mut self,
        binding: RoleBinding,
        made: CreatedObject,
    ) -> Result<BindingRecord, ErrorReply> {
        let state = self.state;
        let key = natural_key(&binding);
        let counted_as = format!("role-binding {key}");
        let id: RoleBindingId = self.unused_id("rb-", 8, "role-binding", &key, &counted_as, |id| {
            state.bindings.contains_key(id)
        })?;
        let binding = BindingRecord {
            lifetime: self.new_lifetime(made, id.as_str()),
            id,
            binding,
        };
        self.record(StateChange::Binding(binding.clone()));
        Ok(binding)
    }
}
