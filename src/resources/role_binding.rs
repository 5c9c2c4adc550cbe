//! Role bindings: immutable, so they are only made and removed.

use super::{ResourceContext, ResourceError};
use crate::{
    api::mds::{
        CreateRoleBinding, DeleteRoleBinding, GetRoleBinding, ListRoleBindings, RoleBindingObject, RoleBindingScope,
    },
    client::ClientError,
    model::{Role, RoleBinding, RoleBindingId},
};

const ATTEMPTS: usize = 4;

/// A binding that is in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedBinding {
    /// Its id.
    pub id: RoleBindingId,
    /// The role that was bound: the fallback, when the service refused the first.
    pub role: Role,
}

/// Makes `binding`; when the service refuses its role at this scope with 400, makes it with `fallback`.
///
/// # Errors
/// When the service refuses both, or does not answer.
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
    let bound = |object: RoleBindingObject| CreatedBinding {
        id: object.id,
        role: object.binding.role,
    };
    let request = CreateRoleBinding(binding.clone());
    // A binding for an account that this run made may be refused until the account is known everywhere; so may one
    // *on* such an account, until our ownership of it is in force.
    let on = binding.pattern.name().stem().parse().ok();
    let waits_for = on.or_else(|| binding.principal.service_account().cloned());
    let mut attempt = 1;
    loop {
        let sent = match &waits_for {
            Some(account) => {
                context
                    .retry_until_visible(account, || context.client.send(&request))
                    .await
            }
            None => context.client.send(&request).await,
        };
        match sent {
            Ok(answered) => {
                context.record_request(answered.value.id.as_str(), answered.request_id.as_ref());
                return Ok(bound(answered.value));
            }
            Err(error) if error.is_conflict() || error.is_outcome_unknown() => {
                if let Some(object) = find(context, binding).await? {
                    return Ok(bound(object));
                }
                if attempt == ATTEMPTS {
                    return Err(error);
                }
                context
                    .clock
                    .sleep(std::time::Duration::from_secs(2 * attempt as u64))
                    .await;
            }
            Err(error) => return Err(error),
        }
        attempt += 1;
    }
}

async fn find(context: &ResourceContext, binding: &RoleBinding) -> Result<Option<RoleBindingObject>, ClientError> {
    let request = ListRoleBindings {
        scope: RoleBindingScope::Exact(binding.pattern.clone()),
        principal: Some(binding.principal.clone()),
        role: Some(binding.role.clone()),
    };
    // The service calls its search partial: compare all three fields again
    // (docs/reference/rbac.md#listing-role-bindings).
    Ok(context
        .client
        .list(request)
        .await?
        .into_iter()
        .find(|object| &object.binding == binding))
}

/// Removes the binding `id`, if it is still `binding`. Gone already is as good.
///
/// # Errors
/// When the service refuses, or when the id names another binding now.
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
        // 403 also means "not found" here (docs/reference/rbac.md#error-bodies); the plan has just seen it with this
        // key.
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
