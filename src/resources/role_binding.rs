//! Operations on role bindings, which are immutable: create and delete.

use super::{
    ResourceContext, ResourceError,
    poll::{create_or_find, may_exist},
};
use crate::{
    api::mds::{
        CreateRoleBinding, DeleteRoleBinding, GetRoleBinding, ListRoleBindings, RoleBindingObject, RoleBindingScope,
    },
    client::ClientError,
    model::{Role, RoleBinding, RoleBindingId},
};

/// Created or existing role binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedBinding {
    /// Role binding id.
    pub id: RoleBindingId,
    /// Bound role; the fallback if the service rejected the first role.
    pub role: Role,
}

/// Creates `binding`; if the service rejects its role at this scope with 400, uses `fallback`.
///
/// # Errors
/// When both requests fail.
pub async fn create(
    context: &ResourceContext,
    binding: &RoleBinding,
    fallback: Option<&Role>,
) -> Result<CreatedBinding, ResourceError> {
    match create_with_role(context, binding).await {
        Err(error) if error.status() == Some(http::StatusCode::BAD_REQUEST) => match fallback {
            Some(role) => Ok(create_with_role(
                context,
                &RoleBinding {
                    role: role.clone(),
                    ..binding.clone()
                },
            )
            .await?),
            None => Err(error.into()),
        },
        result => Ok(result?),
    }
}

async fn create_with_role(context: &ResourceContext, binding: &RoleBinding) -> Result<CreatedBinding, ClientError> {
    let request = CreateRoleBinding(binding.clone());
    // A role binding for an account created in this run may be rejected until the account has propagated, and a role
    // binding on such an account until our ownership of it has.
    let on = binding.pattern.name().stem().parse().ok();
    let waits_for = on.or_else(|| binding.principal.service_account().cloned());
    let send = || context.client.send(&request);
    let create = || async {
        let answered = match &waits_for {
            Some(account) => context.retry_until_visible(account, send).await?,
            None => send().await?,
        };
        context.record_request(answered.value.id.as_str(), answered.request_id.as_ref());
        Ok(answered.value)
    };
    let object = create_or_find(&context.clock, &context.interrupt, may_exist, create, || {
        find(context, binding)
    })
    .await?;
    Ok(CreatedBinding {
        id: object.id,
        role: object.binding.role,
    })
}

async fn find(context: &ResourceContext, binding: &RoleBinding) -> Result<Option<RoleBindingObject>, ClientError> {
    let request = ListRoleBindings {
        scope: RoleBindingScope::Exact(binding.pattern.clone()),
        principal: Some(binding.principal.clone()),
        role: Some(binding.role.clone()),
    };
    // The service may return partial matches: compare all three fields (docs/reference/rbac.md#listing-role-bindings).
    Ok(context
        .client
        .list(request)
        .await?
        .into_iter()
        .find(|object| &object.binding == binding))
}

/// Deletes the role binding `id` if it is still `binding`. A missing role binding is not an error.
///
/// # Errors
/// When the request fails, or the id belongs to another role binding.
pub async fn delete(context: &ResourceContext, id: &RoleBindingId, binding: &RoleBinding) -> Result<(), ResourceError> {
    match context.client.send(&GetRoleBinding(id.clone())).await {
        Ok(now) if &now.value.binding == binding => {}
        Ok(now) => {
            let short =
                |b: &RoleBinding| format!("{} of {} on {}", b.role, b.principal.id(), b.pattern.to_short_string());
            return Err(ResourceError::Stale {
                what: format!("role binding `{id}`"),
                expected: short(binding),
                found: short(&now.value.binding),
            });
        }
        // 403 also means "not found" (docs/reference/rbac.md#error-bodies); this key could read it during planning.
        Err(error) if error.is_not_found() || error.is_forbidden() => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    match context.client.send(&DeleteRoleBinding(id.clone())).await {
        Err(error) if error.is_not_found() => Ok(()),
        result => {
            context.record_request(id.as_str(), result?.request_id.as_ref());
            Ok(())
        }
    }
}
