//! `mds/v2`: role bindings.

use http::{StatusCode, header};
use serde::Deserialize;

use crate::{
    access::{Bindable, Operation, bindable::works_on_basic, bindable_on},
    api::{self, quota},
    model::{Crn, CrnPattern, NamePattern, Principal, ResourceKind, Role, RoleBinding, RoleBindingId},
    sandbox::{
        assumptions::Listing,
        page::Pages,
        reply::{Refusal, Reply, Shape},
        request::Request,
        seed::{ClusterKind, natural},
        settings::Made,
        state::{Binding, Change},
        tx::Tx,
    },
};

/// Up to 1,000 a page: the published document is newer than the SDK's (dossier `rbac.md` §4.2).
const BINDINGS: Pages = Pages {
    api_version: "iam/v2",
    kind: "RoleBindingList",
    most: 1_000,
    total: false,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    principal: String,
    role_name: String,
    crn_pattern: String,
}

/// So many bindings are sorted for a page.
const FEW: usize = 500;

/// The scope that a list looks at.
enum Scope {
    Exactly(CrnPattern),
    /// Strictly below; once as a resource and once as a pattern.
    Below(Crn, CrnPattern),
}

impl Scope {
    /// A pattern that ends in `/*` means everything below (cli `--inclusive`).
    fn read(text: &str) -> Result<Self, Refusal> {
        let unreadable = |error: crate::model::CrnError| Refusal::invalid(error.to_string()).about("crn_pattern");
        match text.strip_suffix("/*") {
            Some(scope) => {
                let scope: Crn = scope.parse().map_err(unreadable)?;
                Ok(Self::Below(scope.clone(), scope.into()))
            }
            None => text.parse().map(Self::Exactly).map_err(unreadable),
        }
    }

    fn holds(&self, pattern: &CrnPattern) -> bool {
        match self {
            Self::Exactly(exact) => exact == pattern,
            Self::Below(_, whole) => whole.covers_pattern(pattern) && whole != pattern,
        }
    }
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let written = request
        .query("crn_pattern")
        .ok_or_else(|| Refusal::invalid("the crn_pattern parameter is required").about("crn_pattern"))?;
    let scope = Scope::read(written)?;
    let principal: Option<Principal> = request.query("principal").and_then(|text| text.parse().ok());
    let role: Option<Role> = request.query("role_name").and_then(|text| text.parse().ok());

    let assumptions = tx.assumptions();
    let own = assumptions.own_bindings_visible && principal.as_ref().is_some_and(|wanted| tx.is(wanted));
    let whole = match &scope {
        Scope::Exactly(pattern) => tx.may_on_all(Operation::DescribeAccess, pattern),
        Scope::Below(scope, _) => tx.may(Operation::DescribeAccess, scope),
    };
    if assumptions.binding_list == Listing::Refused && !whole && !own {
        return Err(tx.denied(&format!("list role bindings on {written}")));
    }
    let matching = |binding: &&Binding| {
        tx.lists(&binding.life)
            && principal
                .as_ref()
                .is_none_or(|wanted| binding.binding.principal == *wanted)
            && role.as_ref().is_none_or(|wanted| binding.binding.role == *wanted)
    };
    let view = tx.view(request);
    let everything = assumptions.binding_list == Listing::Everything || whole;
    let show = |binding: &Binding| (everything || tx.sees_binding(binding)).then(|| view.binding(binding));

    let in_scope: Box<dyn Iterator<Item = &Binding>> = match &scope {
        Scope::Exactly(pattern) => Box::new(tx.state.bindings_on(&pattern.to_string())),
        Scope::Below(scope, _) => Box::new(tx.state.bindings_below(&scope.to_string())),
    };
    let mut few: Vec<_> = in_scope.take(FEW + 1).collect();
    let list = if few.len() <= FEW {
        few.retain(matching);
        few.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let items = few.into_iter().map(|binding| (&binding.id, binding));
        tx.page(request, BINDINGS, items, show)?
    } else {
        // Sorting thousands for a page of a hundred costs more than going through all bindings in their order and
        // stopping when the page is full.
        tx.page(request, BINDINGS, &tx.state.bindings, |binding| {
            (matching(&binding) && scope.holds(&binding.binding.pattern))
                .then(|| show(binding))
                .flatten()
        })?
    };
    Ok(Reply::ok(list))
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let body: Body = request.json()?;
    for (field, value) in [
        ("/principal", &body.principal),
        ("/role_name", &body.role_name),
        ("/crn_pattern", &body.crn_pattern),
    ] {
        if value.is_empty() {
            return Err(Refusal::invalid(format!("{} is required", &field[1..])).about(field));
        }
    }
    let pattern: CrnPattern = body
        .crn_pattern
        .parse()
        .map_err(|error| Refusal::invalid(format!("{error}")).about("/crn_pattern"))?;
    if !tx.may_on_all(Operation::AlterAccess, &pattern) {
        return Err(tx.denied(&format!("{} on {pattern}", Operation::AlterAccess.word())));
    }
    let Ok(role) = body.role_name.parse::<Role>();
    check_role(tx, &role, &pattern)?;
    if !body.principal.starts_with("User:") && !body.principal.starts_with("Group:") {
        return Err(Refusal::invalid("principal must begin with `User:`").about("/principal"));
    }
    let Ok(principal) = body.principal.parse::<Principal>();
    if !tx.state.principal_exists(&principal) {
        let detail = format!("there is no principal `{principal}`, or you may not see it");
        return Err(match tx.assumptions().unknown_principal_is_forbidden {
            true => Refusal::forbidden(detail),
            false => Refusal::invalid(detail).about("/principal"),
        });
    }
    let wanted = RoleBinding::new(principal, role, pattern);
    let existing = tx
        .state
        .bindings_of(&wanted.principal)
        .find(|found| found.binding == wanted);
    if let Some(existing) = existing {
        if tx.assumptions().duplicate_binding_conflicts {
            return Err(Refusal::conflict("this role binding exists already"));
        }
        return Ok(created(tx, request, existing));
    }
    for (code, cluster) in quotas_of(tx, &wanted) {
        tx.require_quota(code, cluster.as_ref())?;
    }
    let binding = tx.bind(wanted, Made::Binding)?;
    Ok(created(tx, request, &binding))
}

fn created(tx: &Tx<'_>, request: &Request, binding: &Binding) -> Reply {
    let view = tx.view(request);
    let link = view.link(api::mds::ROLE_BINDING, binding.id.as_str());
    Reply::with(StatusCode::CREATED, view.binding(binding)).header(header::LOCATION, link)
}

/// Whether the service lets this role be bound there: 400 where it does not.
fn check_role(tx: &Tx<'_>, role: &Role, pattern: &CrnPattern) -> Result<(), Refusal> {
    if let Role::Other(name) = role {
        return Err(Refusal::invalid(format!("there is no role `{name}`")).about("/role_name"));
    }
    check_place(tx, pattern)?;
    if let Bindable::No { reason } = bindable_on(role, pattern, &tx.assumptions().bindable) {
        let detail = format!("{role} cannot be bound on {pattern}: {reason}");
        return Err(Refusal::invalid(detail).about("/crn_pattern"));
    }
    let cluster = pattern.value_of(ResourceKind::Cluster);
    let on_basic = tx
        .state
        .clusters
        .values()
        .any(|found| Some(found.id.as_str()) == cluster && found.kind == ClusterKind::Basic);
    if on_basic && !works_on_basic(role, pattern.kind()) {
        let detail = format!("{role} cannot be bound on {pattern}: a Basic cluster has no granular roles");
        return Err(Refusal::invalid(detail).about("/crn_pattern"));
    }
    Ok(())
}

/// Whether everything that a pattern names as its place exists, and hangs together.
fn check_place(tx: &Tx<'_>, pattern: &CrnPattern) -> Result<(), Refusal> {
    let state = tx.state;
    let named = |kind| pattern.value_of(kind);
    let environment = named(ResourceKind::Environment);
    let missing = |what: &str, id: &str| {
        let detail = format!("crn_pattern names {what} `{id}`, which does not exist there");
        Err(Refusal::invalid(detail).about("/crn_pattern"))
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

/// The quotas that a binding counts against (dossier `rbac.md` §6).
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

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let binding = visible(tx, request)?;
    Ok(Reply::ok(tx.view(request).binding(binding)))
}

/// 200 with the object, as the document says; others answer 204.
pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let binding = visible(tx, request)?;
    if !tx.may_on_all(Operation::AlterAccess, &binding.binding.pattern) {
        return Err(hidden());
    }
    let reply = Reply::ok(tx.view(request).binding(binding));
    remove_binding(tx, binding);
    Ok(reply)
}

/// One answer for what is missing and for what is none of the caller's business (terraform `internal/testdata`).
fn hidden() -> Refusal {
    Refusal::forbidden("Either unauthorized to access role binding or role binding does not exist").shaped(Shape::Flat)
}

fn visible<'a>(tx: &Tx<'a>, request: &Request) -> Result<&'a Binding, Refusal> {
    let found = tx.state.binding(request.segment(0));
    found.filter(|found| tx.sees_binding(found)).ok_or_else(hidden)
}

/// Takes a binding away.
pub(crate) fn remove_binding(tx: &mut Tx<'_>, binding: &Binding) {
    tx.change(Change::Count(format!("role-binding {}", natural(&binding.binding))));
    tx.change(match tx.lingers(binding.id.as_str()) {
        None => Change::NoBinding(binding.id.clone()),
        gone => {
            let mut binding = binding.clone();
            binding.life.gone = gone;
            Change::Binding(binding)
        }
    });
}

impl Tx<'_> {
    fn sees_binding(&self, binding: &Binding) -> bool {
        let own = self.assumptions().own_bindings_visible && self.is(&binding.binding.principal);
        own || self.may_on_all(Operation::DescribeAccess, &binding.binding.pattern)
    }

    /// Records a new binding.
    pub(crate) fn bind(&mut self, binding: RoleBinding, made: Made) -> Result<Binding, Refusal> {
        let state = self.state;
        let key = natural(&binding);
        let counted_as = format!("role-binding {key}");
        let id: RoleBindingId = self.fresh_id("rb-", 8, "role-binding", &key, &counted_as, |id| {
            state.bindings.contains_key(id)
        })?;
        let binding = Binding {
            life: self.born(made, id.as_str()),
            id,
            binding,
        };
        self.change(Change::Binding(binding.clone()));
        Ok(binding)
    }
}
