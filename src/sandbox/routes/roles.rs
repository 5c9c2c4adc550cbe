//! Role definitions, as `confluent iam rbac role list|describe` reads them (dossier `rbac.md` §1.8).

use serde_json::{Value, json};

use crate::{
    access::{Assumptions, Operation, bindable, roles::gives},
    model::{ResourceKind, Role},
    sandbox::{
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

pub(crate) const ROLES: &str = "/metadata/security/v2alpha1/roles";
pub(crate) const ROLE: &str = "/metadata/security/v2alpha1/roles/{role}";

/// A namespace of roles for another product, of which the sandbox has none.
const OTHER_PRODUCT: &str = "usm";

/// The kinds with the service's words: what a role is bound on, what it acts on, and whether a name goes with it.
const KINDS: [(ResourceKind, &str, &str, bool); 9] = [
    (ResourceKind::Organization, "organization", "Organization", false),
    (ResourceKind::Environment, "environment", "Environment", false),
    (ResourceKind::Cluster, "cloud-cluster", "CloudCluster", false),
    (ResourceKind::Topic, "cluster", "Topic", true),
    (ResourceKind::Group, "cluster", "Group", true),
    (ResourceKind::TransactionalId, "cluster", "TransactionalId", true),
    (ResourceKind::Connector, "cloud-cluster", "Connector", true),
    (ResourceKind::Subject, "schema-registry", "Subject", true),
    (ResourceKind::ServiceAccount, "organization", "ServiceAccount", true),
];

#[expect(clippy::unnecessary_wraps, reason = "all handlers have the same type")]
pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    if request.query("namespace") == Some(OTHER_PRODUCT) {
        return Ok(Reply::ok(json!([])));
    }
    let assumptions = tx.assumptions().bindable;
    let roles: Vec<_> = Role::KNOWN.iter().map(|role| define(role, assumptions)).collect();
    Ok(Reply::ok(roles))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let wanted = request.segment(0);
    match Role::KNOWN.iter().find(|role| role.as_str() == wanted) {
        Some(role) => Ok(Reply::ok(define(role, tx.assumptions().bindable))),
        None => Err(Refusal::missing("not_found", format!("role `{wanted}` was not found"))),
    }
}

/// One policy for each scope a role can be bound on, with and without a resource name.
fn define(role: &Role, assumptions: Assumptions) -> Value {
    let mut policies: Vec<Value> = Vec::new();
    for (kind, scope, _, named) in KINDS {
        let known = |policy: &Value| policy["bindingScope"] == scope && policy["bindWithResource"] == named;
        if !bindable(role, kind, &assumptions).is_yes() || policies.iter().any(known) {
            continue;
        }
        // A role on a name acts on that name; a role on a scope acts on everything in it.
        let acts_on = KINDS
            .iter()
            .filter(|(other, of, _, _)| !named || (*of == scope && bindable(role, *other, &assumptions).is_yes()));
        let allowed: Vec<_> = acts_on
            .map(|(other, _, word, _)| (word, gives(role, *other)))
            .filter(|(_, operations)| !operations.is_empty())
            .map(|(word, operations)| {
                let operations: Vec<_> = operations.iter().map(pascal).collect();
                json!({ "resourceType": word, "operations": operations })
            })
            .collect();
        policies.push(json!({
            "bindingScope": scope, "bindWithResource": named, "allowedOperations": allowed,
        }));
    }
    json!({ "name": role, "policies": policies })
}

/// `describe-access` as `DescribeAccess`.
fn pascal(operation: Operation) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(1);
        first.to_uppercase() + rest
    };
    operation.word().split('-').map(capital).collect()
}
