//! Operations on service accounts. An account is created together with its owner, and recognized by the principals that
//! control it.

use std::ops::ControlFlow;

use super::{
    ResourceContext, ResourceError,
    poll::{create_or_find, may_exist, poll},
};
use crate::{
    api::{
        iam::{
            CreateServiceAccount, DeleteServiceAccount, GetServiceAccount, ListServiceAccounts, ServiceAccount,
            UpdateServiceAccount,
        },
        keys::ListApiKeys,
        mds::{ListRoleBindings, RoleBindingObject, RoleBindingScope},
    },
    client::ClientError,
    model::{OwnershipTag, Principal, Role, RoleBinding, ServiceAccountId},
};

/// Creates the account of `tag`, owned by the provisioner from the start, and returns its id.
///
/// # Errors
/// When the request fails, or an unmanaged account has this name.
pub async fn create(context: &ResourceContext, tag: &OwnershipTag) -> Result<ServiceAccountId, ResourceError> {
    let request = CreateServiceAccount {
        display_name: tag.account_name(),
        description: tag.to_string(),
        assigned_resource_owner: Some(context.provisioner.to_string()),
    };
    let create = || async {
        let answered = context.client.send(&request).await?;
        context.record_request(answered.value.id.as_str(), answered.request_id.as_ref());
        context.mark_created(&answered.value.id);
        Ok(answered.value.id)
    };
    // Either an earlier attempt created it or another client did.
    let find = || async {
        let Some(account) = find(context, &request.display_name).await? else {
            return Ok(None);
        };
        context.mark_created(&account.id);
        adopt(context, tag, account).await.map(Some)
    };
    create_or_find(&context.clock, &context.interrupt, may_exist, create, find).await
}

async fn find(context: &ResourceContext, name: &str) -> Result<Option<ServiceAccount>, ClientError> {
    let accounts = context
        .client
        .list(ListServiceAccounts {
            display_names: vec![name.to_owned()],
        })
        .await?;
    Ok(accounts.into_iter().find(|account| account.display_name == name))
}

/// Adopts an account that appeared during creation if it has our tag and only the provisioner controls it.
async fn adopt(
    context: &ResourceContext,
    tag: &OwnershipTag,
    account: ServiceAccount,
) -> Result<ServiceAccountId, ResourceError> {
    if account.description != tag.to_string() {
        return Err(ResourceError::Conflict(format!(
            "service account `{}` ({}) was created concurrently without our ownership tag",
            account.display_name, account.id
        )));
    }
    let me = Principal::ServiceAccount(context.provisioner.clone());
    let on_account = ListRoleBindings {
        scope: RoleBindingScope::Exact(context.address.service_account_crn(&account.id).into()),
        principal: None,
        role: None,
    };
    let holders = list_role_holders(context, &account.id, &on_account).await?;
    let owner = |binding: &RoleBinding| binding.role == Role::ResourceOwner && binding.principal == me;
    let name = format!("service account `{}` ({})", account.display_name, account.id);
    if let Some(stranger) = holders.iter().find(|holder| !owner(&holder.binding)) {
        let RoleBinding { principal, role, .. } = &stranger.binding;
        return Err(ResourceError::Conflict(format!(
            "{name} is controlled by another principal: `{principal}` has {role} on it"
        )));
    }
    if holders.is_empty() {
        return Err(ResourceError::Conflict(format!(
            "{name} was created concurrently and its owner is not visible"
        )));
    }
    // This run has not created any key on it yet.
    let list = ListApiKeys {
        owner: Some(account.id.to_string()),
        resource: None,
    };
    let keys = context
        .retry_until_visible(&account.id, || context.client.list(list.clone()))
        .await?;
    match keys.first() {
        None => Ok(account.id),
        Some(key) => Err(ResourceError::Conflict(format!(
            "{name} was created concurrently and already has API key `{}`",
            key.id
        ))),
    }
}

/// Lists the role bindings on an account. The provisioner's own is among them, so an empty list is stale and is
/// requested again.
async fn list_role_holders(
    context: &ResourceContext,
    account: &ServiceAccountId,
    list: &ListRoleBindings,
) -> Result<Vec<RoleBindingObject>, ClientError> {
    let attempt = || async {
        let listed = context.retry_until_visible(account, || context.client.list(list.clone()));
        match listed.await {
            Ok(found) if found.is_empty() => ControlFlow::Continue(found),
            result => ControlFlow::Break(result),
        }
    };
    let polled = poll(&context.clock, &context.interrupt, context.propagation_budget, attempt).await;
    polled.unwrap_or_else(|end| Ok(end.last))
}

/// Updates the description from `from` to `to`.
///
/// # Errors
/// When the request fails, or the description is neither `from` nor `to`.
pub async fn update(
    context: &ResourceContext,
    id: &ServiceAccountId,
    from: &str,
    to: &str,
) -> Result<(), ResourceError> {
    let now = context.client.send(&GetServiceAccount(id.clone())).await?.value;
    if now.description == to {
        return Ok(());
    }
    if now.description != from {
        return Err(ResourceError::Stale {
            what: format!("service account `{id}`"),
            expected: format!("`{from}`"),
            found: format!("`{}`", now.description),
        });
    }
    let update = UpdateServiceAccount {
        id: id.clone(),
        description: to.to_owned(),
    };
    let answered = context.client.send(&update).await?;
    context.record_request(id.as_str(), answered.request_id.as_ref());
    Ok(())
}

/// Deletes an account whose description is still `description`; the service deletes its keys and role bindings
/// (docs/reference/rbac.md#iam-endpoints). A missing account is not an error.
///
/// # Errors
/// When the request fails, or the description has changed.
pub async fn delete(context: &ResourceContext, id: &ServiceAccountId, description: &str) -> Result<(), ResourceError> {
    let now = match context.client.send(&GetServiceAccount(id.clone())).await {
        Ok(now) => now.value,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if now.description != description {
        return Err(ResourceError::Stale {
            what: format!("service account `{id}`"),
            expected: format!("`{description}`"),
            found: format!("`{}`", now.description),
        });
    }
    match context.client.send(&DeleteServiceAccount(id.clone())).await {
        Ok(answered) => {
            context.record_request(id.as_str(), answered.request_id.as_ref());
            Ok(())
        }
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error.into()),
    }
}
