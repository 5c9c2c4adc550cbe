//! `iam/v2`: service accounts and users.

use http::{StatusCode, header};
use serde::Deserialize;

use super::{acls::remove_acls_of, mds::remove_binding};
use crate::{
    access::Operation,
    api::{self, quota},
    model::{
        Principal, Role, RoleBinding, ServiceAccountId,
        ownership::{DESCRIPTION_LENGTH, NAME_LENGTH},
    },
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        routes::keys::remove_key,
        settings::CreatedObject,
        state::{AccountRecord, StateChange},
        tx::Tx,
    },
};

const ACCOUNTS: PagingRules = PagingRules {
    api_version: "iam/v2",
    kind: "ServiceAccountList",
    max_size: 100,
    includes_total: true,
};
const USERS: PagingRules = PagingRules {
    kind: "UserList",
    ..ACCOUNTS
};

#[derive(Debug, Default, Deserialize)]
struct ServiceAccountBody {
    id: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
}

impl ServiceAccountBody {
    /// Validates the lengths. The limits are those of the Confluent CLI (cli `internal/iam`); the documents contain
    /// none.
    fn validate(&self) -> Result<(), ErrorReply> {
        let fields = [
            ("/display_name", &self.display_name, NAME_LENGTH),
            ("/description", &self.description, DESCRIPTION_LENGTH),
        ];
        for (pointer, value, most) in fields {
            if value.as_ref().is_some_and(|text| text.chars().count() > most) {
                let detail = format!("{} must have at most {most} characters", &pointer[1..]);
                return Err(ErrorReply::invalid_field(pointer, detail));
            }
        }
        match self.display_name.as_deref() {
            Some("") => Err(ErrorReply::invalid("display_name must not be empty").with_source("/display_name")),
            _ => Ok(()),
        }
    }
}

pub(crate) fn list_accounts(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let names: Vec<_> = request.query_values("display_name").collect();
    let view = tx.view(request);
    let all = tx.state.accounts.iter().filter(|(_, account)| {
        tx.is_listed(&account.lifetime) && (names.is_empty() || names.contains(&account.display_name.as_str()))
    });
    let list = tx.page(request, ACCOUNTS, all, |account| {
        tx.can_see_account_or_self(&account.id).then(|| view.account(account))
    })?;
    Ok(Reply::ok(list))
}

/// Creates a service account. Docs `create-service-accounts` lists the required roles. `assigned_resource_owner`
/// assigns an owner in the same call; without an owner, only OrganizationAdmin and AccountAdmin can use the account.
pub(crate) fn create_account(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (state, organization) = (tx.state, tx.state.organization_crn());
    let anybody = format!("{organization}/service-account=sa-new").parse();
    if !anybody.is_ok_and(|crn| tx.is_allowed(Operation::Create, &crn)) {
        return Err(tx.forbidden("create service accounts"));
    }
    let body: ServiceAccountBody = request.parse_json()?;
    body.validate()?;
    let Some(display_name) = body.display_name else {
        return Err(ErrorReply::invalid("display_name is required").with_source("/display_name"));
    };
    let owner = request.query("assigned_resource_owner").map(Principal::from_id);
    if let Some(owner) = &owner
        && !state.principal_exists(owner)
    {
        let detail = format!("no principal `{}` that can own the service account", owner.id());
        return Err(ErrorReply::invalid(detail).with_source("assigned_resource_owner"));
    }
    if state.account_named(&display_name).is_some() {
        // The Confluent CLI recognizes this text (cli `pkg/errors/catcher.go`).
        return Err(ErrorReply::conflict("Service name is already in use."));
    }
    tx.require_quota(quota::SERVICE_ACCOUNTS_PER_ORG, None)?;

    let natural = format!("service-account {display_name}");
    let id: ServiceAccountId = tx.unused_id("sa-", 6, "service-account", &display_name, &natural, |id| {
        state.accounts.contains_key(id)
    })?;
    let account = AccountRecord {
        lifetime: tx.new_lifetime(CreatedObject::Account, id.as_str()),
        id: id.clone(),
        display_name,
        description: body.description.unwrap_or_default(),
    };
    let honoured = tx.assumptions().owner_at_creation || {
        let mut roles = state.roles_of(tx.principal()?);
        roles.any(|binding| matches!(binding.role, Role::OrganizationAdmin | Role::AccountAdmin))
    };
    if let Some(owner) = owner.filter(|_| honoured) {
        let crn = state.principal_crn(&Principal::ServiceAccount(id));
        tx.create_binding(
            RoleBinding::new(owner, Role::ResourceOwner, crn),
            CreatedObject::OwnerBinding,
        )?;
    }
    let view = tx.view(request);
    let link = view.link(api::iam::SERVICE_ACCOUNT, account.id.as_str());
    let reply = Reply::with_body(StatusCode::CREATED, view.account(&account));
    tx.record(StateChange::Account(account));
    Ok(reply.with_header(header::LOCATION, link))
}

pub(crate) fn read_account(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let account = tx.account(request.segment(0))?;
    match tx.can_see_account_or_self(&account.id) {
        true => Ok(Reply::ok(tx.view(request).account(account))),
        false => Err(tx.forbidden(&format!("describe service account `{}`", account.id))),
    }
}

pub(crate) fn update_account(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let mut account = tx.account_for(Operation::Update, request.segment(0))?.clone();
    let body: ServiceAccountBody = request.parse_json()?;
    body.validate()?;
    if body.id.as_deref().is_some_and(|id| id != account.id.as_str()) {
        return Err(ErrorReply::invalid_field(
            "/id",
            "the id of a service account cannot be changed",
        ));
    }
    if let Some(name) = body.display_name {
        if tx
            .state
            .account_named(&name)
            .is_some_and(|other| other.id != account.id)
        {
            return Err(ErrorReply::conflict("Service name is already in use."));
        }
        account.display_name = name;
    }
    if let Some(description) = body.description {
        account.description = description;
    }
    account.lifetime.updated = tx.now;
    let reply = Reply::ok(tx.view(request).account(&account));
    tx.record(StateChange::Account(account));
    Ok(reply)
}

/// Deletes a service account with its keys and role bindings (SDK iam/v2; docs `predefined-rbac-roles`). Its ACLs
/// remain (docs `access-control/acls/overview`).
pub(crate) fn delete_account(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let state = tx.state;
    let account = tx.account_for(Operation::Delete, request.segment(0))?;
    let principal = Principal::ServiceAccount(account.id.clone());
    for key in state.keys_of(&principal) {
        remove_key(tx, key);
    }
    for binding in state.bindings_of(&principal) {
        remove_binding(tx, binding);
    }
    if tx.assumptions().account_deletion_removes_bindings {
        let crn = state.principal_crn(&principal).to_string();
        for binding in state.bindings_on(&crn) {
            if binding.lifetime.exists() && binding.binding.principal != principal {
                remove_binding(tx, binding);
            }
        }
    }
    if tx.assumptions().account_deletion_removes_acls {
        remove_acls_of(tx, &principal);
    }
    tx.record(StateChange::CountKey(format!(
        "service-account {}",
        account.display_name
    )));
    tx.record(match tx.listed_until(account.id.as_str()) {
        None => StateChange::RemoveAccount(account.id.clone()),
        gone => {
            let mut account = account.clone();
            account.lifetime.listed_until = gone;
            StateChange::Account(account)
        }
    });
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub(crate) fn list_users(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let view = tx.view(request);
    let sees = |id: &crate::model::UserId| tx.can_see_user(&Principal::User(id.clone()));
    if !tx.state.users.keys().any(sees) {
        return Err(tx.forbidden("list users"));
    }
    let list = tx.page(request, USERS, tx.state.users.iter(), |user| {
        sees(&user.id).then(|| view.user(user))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read_user(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let id: crate::model::UserId = request
        .segment(0)
        .parse()
        .map_err(|error| ErrorReply::invalid(format!("{error}")))?;
    if !tx.can_see_user(&Principal::User(id.clone())) {
        return Err(tx.forbidden(&format!("describe user `{id}`")));
    }
    match tx.state.users.get(&id) {
        Some(user) => Ok(Reply::ok(tx.view(request).user(user))),
        None => Err(ErrorReply::not_found(
            "user_not_found",
            format!("user `{id}` was not found"),
        )),
    }
}

/// Lists no identity providers. The Confluent CLI requests them to display the principals of role bindings.
pub(crate) fn no_identity_providers(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    empty_list(tx, request, "IdentityProviderList")
}

/// Lists no group mappings. The Confluent CLI requests them together with the identity providers.
pub(crate) fn no_group_mappings(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    empty_list(tx, request, "GroupMappingList")
}

fn empty_list(tx: &Tx<'_>, request: &ApiRequest, kind: &'static str) -> Result<Reply, ErrorReply> {
    tx.require_any_role()?;
    let nothing: [(&str, ()); 0] = [];
    let list = tx.page(request, PagingRules { kind, ..ACCOUNTS }, nothing, |()| Some(()))?;
    Ok(Reply::ok(list))
}

impl<'a> Tx<'a> {
    /// Returns whether the caller may see a service account, or is that account.
    pub(crate) fn can_see_account_or_self(&self, id: &ServiceAccountId) -> bool {
        let principal = Principal::ServiceAccount(id.clone());
        self.is_caller(&principal) || self.can_see_account(&self.state.principal_crn(&principal))
    }

    pub(crate) fn can_see_user(&self, principal: &Principal) -> bool {
        self.is_caller(principal) || self.is_allowed(Operation::Describe, &self.state.principal_crn(principal))
    }

    /// Returns a service account. If it does not exist, callers with any role get 404 (terraform `internal/testdata`).
    fn account(&self, id: &str) -> Result<&'a AccountRecord, ErrorReply> {
        self.require_any_role()?;
        let found = self.state.account(id);
        found.ok_or_else(|| {
            ErrorReply::not_found(
                "service_account_not_found",
                format!("service account `{id}` was not found"),
            )
        })
    }

    /// Returns a service account if the caller may perform the operation on it.
    fn account_for(&self, operation: Operation, id: &str) -> Result<&'a AccountRecord, ErrorReply> {
        let account = self.account(id)?;
        let crn = self.state.principal_crn(&Principal::ServiceAccount(account.id.clone()));
        self.require(operation, &crn).map(|()| account)
    }

    /// Returns an unused id, derived from the natural key and the number of earlier objects with that key.
    pub(crate) fn unused_id<T: std::str::FromStr>(
        &self,
        prefix: &str,
        length: usize,
        kind: &str,
        key: &str,
        counted_as: &str,
        taken: impl Fn(&T) -> bool,
    ) -> Result<T, ErrorReply> {
        let first = self.state.key_count_of(counted_as);
        (first..first + 1_000)
            .map(|nth| {
                format!(
                    "{prefix}{}",
                    self.ids().lowercase_id(&[kind, key, &nth.to_string()], length)
                )
            })
            .filter_map(|id| id.parse().ok())
            .find(|id| !taken(id))
            .ok_or_else(|| ErrorReply::internal_error("no unused id left"))
    }
}
