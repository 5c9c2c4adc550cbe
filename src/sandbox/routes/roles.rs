//! Role definitions for `confluent iam rbac role list|describe` (docs/reference/rbac.md#role-definitions).

use serde_json::{Value, json};

use crate::{
    access::{Operation, RbacAssumptions, check_bind_kind, roles::operations_of_role},
    model::{ResourceKind, Role},
    sandbox::{
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

pub(crate) const ROLES: &str = "/metadata/security/v2alpha1/roles";
pub(crate) const ROLE: &str = "/metadata/security/v2alpha1/roles/{role}";

/// Role namespace of another product, which is empty in the sandbox.
const OTHER_PRODUCT: &str = "usm";

/// Resource kinds with the names of the service: scope of the binding, resource of the operations, and whether the
/// binding contains a resource name.
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
pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    if request.query("namespace") == Some(OTHER_PRODUCT) {
        return Ok(Reply::ok(json!([])));
    }
    let assumptions = tx.assumptions().bindable;
    let roles: Vec<_> = Role::KNOWN.iter().map(|role| role_json(role, assumptions)).collect();
    Ok(Reply::ok(roles))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let wanted = request.segment(0);
    match Role::KNOWN.iter().find(|role| role.as_str() == wanted) {
        Some(role) => Ok(Reply::ok(role_json(role, tx.assumptions().bindable))),
        None => Err(ErrorReply::not_found(
            "not_found",
            format!("role `{wanted}` was not found"),
        )),
    }
}

/// Returns a role definition with one policy for each scope on which the role can be bound, with and without a resource
/// name.
fn role_json(role: &Role, assumptions: RbacAssumptions) -> Value {
    let mut policies: Vec<Value> = Vec::new();
    for (kind, scope, _, named) in KINDS {
        let known = |policy: &Value| policy["bindingScope"] == scope && policy["bindWithResource"] == named;
        if !check_bind_kind(role, kind, &assumptions).is_allowed() || policies.iter().any(known) {
            continue;
        }
        // A role on a name applies to that name; a role on a scope applies to everything in it.
        let acts_on = KINDS.iter().filter(|(other, of, _, _)| {
            !named || (*of == scope && check_bind_kind(role, *other, &assumptions).is_allowed())
        });
        let allowed: Vec<_> = acts_on
            .map(|(other, _, word, _)| (word, operations_of_role(role, *other)))
            .filter(|(_, operations)| !operations.is_empty())
            .map(|(word, operations)| {
                let operations: Vec<_> = operations.iter().map(to_pascal_case).collect();
                json!({ "resourceType": word, "operations": operations })
            })
            .collect();
        policies.push(json!({
            "bindingScope": scope, "bindWithResource": named, "allowedOperations": allowed,
        }));
    }
    json!({ "name": role, "policies": policies })
}

/// Converts `describe-access` to `DescribeAccess`.
fn to_pascal_case(operation: Operation) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(1);
        first.to_uppercase() + rest
    };
    operation.as_str().split('-').map(capital).collect()
}
