//! Service accounts: made with their owner in one step, told apart from look-alikes by who controls them.

use super::{ResourceError, World};
use crate::{
    api::{
        iam::{CreateServiceAccount, GetServiceAccount, ListServiceAccounts, ServiceAccount, UpdateServiceAccount},
        mds::{BindingScope, ListRoleBindings},
    },
    client::ClientError,
    model::{OwnershipTag, Principal, Role, ServiceAccountId},
};

/// How often a create is tried again after a lost answer or a race, before it is reported.
const ATTEMPTS: usize = 4;

/// Makes the account of `tag`, owned by the provisioner from its first moment; answers its id.
///
/// # Errors
/// When the service refuses, or when an account of that name appears that is not ours.
pub async fn create(world: &World, tag: &OwnershipTag) -> Result<ServiceAccountId, ResourceError> {
    let request = CreateServiceAccount {
        display_name: tag.account_name(),
        description: tag.to_string(),
        assigned_resource_owner: Some(world.provisioner.to_string()),
    };
    let mut attempt = 1;
    loop {
        match world.client.send(&request).await {
            Ok(answered) => {
                world.made(&answered.value.id);
                return Ok(answered.value.id);
            }
            // Perhaps our own first try made it; perhaps somebody else was faster.
            Err(error) if error.is_conflict() || error.is_answer_lost() => {
                if let Some(account) = find(world, &request.display_name).await? {
                    world.made(&account.id);
                    return adopt(world, tag, account).await;
                }
                if attempt == ATTEMPTS {
                    return Err(error.into());
                }
                // A list may lag behind a write that did happen: give it a moment.
                world
                    .clock
                    .sleep(std::time::Duration::from_secs(2 * attempt as u64))
                    .await;
            }
            Err(error) => return Err(error.into()),
        }
        attempt += 1;
    }
}

async fn find(world: &World, name: &str) -> Result<Option<ServiceAccount>, ClientError> {
    let accounts = world
        .client
        .list(ListServiceAccounts {
            display_names: vec![name.to_owned()],
        })
        .await?;
    Ok(accounts.into_iter().find(|account| account.display_name == name))
}

/// Takes an account that appeared while we tried to make it, if it is what we would have made and nobody but us
/// controls it.
async fn adopt(world: &World, tag: &OwnershipTag, account: ServiceAccount) -> Result<ServiceAccountId, ResourceError> {
    if account.description != tag.to_string() {
        return Err(ResourceError::Foreign(format!(
            "service account `{}` ({}) was made by somebody else meanwhile: it does not carry our tag",
            account.display_name, account.id
        )));
    }
    let me = Principal::ServiceAccount(world.provisioner.clone());
    let on_account = ListRoleBindings {
        scope: BindingScope::Exactly(world.address.service_account_crn(&account.id).into()),
        principal: None,
        role: None,
    };
    let holders = world
        .patiently(&account.id, || world.client.list(on_account.clone()))
        .await?;
    let owner = |binding: &crate::model::RoleBinding| binding.role == Role::ResourceOwner && binding.principal == me;
    match holders.iter().find(|holder| !owner(&holder.binding)) {
        None if !holders.is_empty() => Ok(account.id),
        None => Err(ResourceError::Foreign(format!(
            "service account `{}` ({}) appeared while we made it, and who owns it is not to be seen",
            account.display_name, account.id
        ))),
        Some(stranger) => Err(ResourceError::Foreign(format!(
            "service account `{}` ({}) is controlled by somebody else: {} holds {} on it",
            account.display_name, account.id, stranger.binding.principal, stranger.binding.role
        ))),
    }
}

/// Changes the description from `from` to `to`.
///
/// # Errors
/// When the service refuses, or when the description is neither `from` nor already `to`.
pub async fn update(world: &World, id: &ServiceAccountId, from: &str, to: &str) -> Result<(), ResourceError> {
    let now = world.client.send(&GetServiceAccount(id.clone())).await?.value;
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
    world
        .client
        .send(&UpdateServiceAccount {
            id: id.clone(),
            description: to.to_owned(),
        })
        .await?;
    Ok(())
}
