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
        page::Pages,
        reply::{Refusal, Reply},
        request::Request,
        routes::keys::remove_key,
        settings::Made,
        state::{Account, Change},
        tx::Tx,
    },
};

const ACCOUNTS: Pages = Pages {
    api_version: "iam/v2",
    kind: "ServiceAccountList",
    most: 100,
    total: true,
};
const USERS: Pages = Pages {
    kind: "UserList",
    ..ACCOUNTS
};

#[derive(Debug, Default, Deserialize)]
struct Body {
    id: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
}

impl Body {
    /// The lengths are the stock CLI's (cli `internal/iam`); the documents name none.
    fn check(&self) -> Result<(), Refusal> {
        let fields = [
            ("/display_name", &self.display_name, NAME_LENGTH),
            ("/description", &self.description, DESCRIPTION_LENGTH),
        ];
        for (pointer, value, most) in fields {
            if value.as_ref().is_some_and(|text| text.chars().count() > most) {
                let detail = format!("{} must have at most {most} characters", &pointer[1..]);
                return Err(Refusal::field(pointer, detail));
            }
        }
        match self.display_name.as_deref() {
            Some("") => Err(Refusal::invalid("display_name must not be empty").about("/display_name")),
            _ => Ok(()),
        }
    }
}

pub(crate) fn list_accounts(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let names: Vec<_> = request.queries("display_name").collect();
    let view = tx.view(request);
    let all = tx.state.accounts.iter().filter(|(_, account)| {
        tx.lists(&account.life) && (names.is_empty() || names.contains(&account.display_name.as_str()))
    });
    let list = tx.page(request, ACCOUNTS, all, |account| {
        tx.sees_account_or_is(&account.id).then(|| view.account(account))
    })?;
    Ok(Reply::ok(list))
}

/// Docs `create-service-accounts` says which roles may; `assigned_resource_owner` makes somebody its owner in the same
/// step, without which nobody but OrganizationAdmin and AccountAdmin can do anything with it.
pub(crate) fn create_account(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (state, organization) = (tx.state, tx.state.organization_crn());
    let anybody = format!("{organization}/service-account=sa-new").parse();
    if !anybody.is_ok_and(|crn| tx.may(Operation::Create, &crn)) {
        return Err(tx.denied("create service accounts"));
    }
    let body: Body = request.json()?;
    body.check()?;
    let Some(display_name) = body.display_name else {
        return Err(Refusal::invalid("display_name is required").about("/display_name"));
    };
    let owner = request.query("assigned_resource_owner").map(Principal::from_id);
    if let Some(owner) = &owner
        && !state.principal_exists(owner)
    {
        let detail = format!("there is no principal `{}` that could own it", owner.id());
        return Err(Refusal::invalid(detail).about("assigned_resource_owner"));
    }
    if state.account_named(&display_name).is_some() {
        // The stock CLI looks for these words (cli `pkg/errors/catcher.go`).
        return Err(Refusal::conflict("Service name is already in use."));
    }
    tx.require_quota(quota::SERVICE_ACCOUNTS_PER_ORG, None)?;

    let natural = format!("service-account {display_name}");
    let id: ServiceAccountId = tx.fresh_id("sa-", 6, "service-account", &display_name, &natural, |id| {
        state.accounts.contains_key(id)
    })?;
    let account = Account {
        life: tx.born(Made::Account, id.as_str()),
        id: id.clone(),
        display_name,
        description: body.description.unwrap_or_default(),
    };
    let honoured = tx.assumptions().owner_at_creation || {
        let mut roles = state.roles_of(tx.principal()?);
        roles.any(|held| matches!(held.role, Role::OrganizationAdmin | Role::AccountAdmin))
    };
    if let Some(owner) = owner.filter(|_| honoured) {
        let crn = state.principal_crn(&Principal::ServiceAccount(id));
        tx.bind(RoleBinding::new(owner, Role::ResourceOwner, crn), Made::OwnerBinding)?;
    }
    let view = tx.view(request);
    let link = view.link(api::iam::SERVICE_ACCOUNT, account.id.as_str());
    let reply = Reply::with(StatusCode::CREATED, view.account(&account));
    tx.change(Change::Account(account));
    Ok(reply.header(header::LOCATION, link))
}

pub(crate) fn read_account(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let account = tx.account(request.segment(0))?;
    match tx.sees_account_or_is(&account.id) {
        true => Ok(Reply::ok(tx.view(request).account(account))),
        false => Err(tx.denied(&format!("describe service account `{}`", account.id))),
    }
}

pub(crate) fn update_account(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let mut account = tx.account_for(Operation::Update, request.segment(0))?.clone();
    let body: Body = request.json()?;
    body.check()?;
    if body.id.as_deref().is_some_and(|id| id != account.id.as_str()) {
        return Err(Refusal::field("/id", "the id of a service account cannot be changed"));
    }
    if let Some(name) = body.display_name {
        if tx
            .state
            .account_named(&name)
            .is_some_and(|other| other.id != account.id)
        {
            return Err(Refusal::conflict("Service name is already in use."));
        }
        account.display_name = name;
    }
    if let Some(description) = body.description {
        account.description = description;
    }
    account.life.updated = tx.now;
    let reply = Reply::ok(tx.view(request).account(&account));
    tx.change(Change::Account(account));
    Ok(reply)
}

/// Its keys and the bindings that it holds go with it (SDK iam/v2; docs `predefined-rbac-roles`), the ACLs that name it
/// stay (docs `access-control/acls/overview`).
pub(crate) fn delete_account(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let state = tx.state;
    let account = tx.account_for(Operation::Delete, request.segment(0))?;
    let principal = Principal::ServiceAccount(account.id.clone());
    for key in state.keys_of(&principal) {
        remove_key(tx, key);
    }
    for binding in state.bindings_of(&principal) {
        remove_binding(tx, binding);
    }
    if tx.assumptions().bindings_on_account_go_with_it {
        let crn = state.principal_crn(&principal).to_string();
        for binding in state.bindings_on(&crn) {
            if binding.life.exists() && binding.binding.principal != principal {
                remove_binding(tx, binding);
            }
        }
    }
    if tx.assumptions().acls_go_with_account {
        remove_acls_of(tx, &principal);
    }
    tx.change(Change::Count(format!("service-account {}", account.display_name)));
    tx.change(match tx.lingers(account.id.as_str()) {
        None => Change::NoAccount(account.id.clone()),
        gone => {
            let mut account = account.clone();
            account.life.gone = gone;
            Change::Account(account)
        }
    });
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub(crate) fn list_users(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let view = tx.view(request);
    let sees = |id: &crate::model::UserId| tx.sees_user(&Principal::User(id.clone()));
    if !tx.state.users.keys().any(sees) {
        return Err(tx.denied("list users"));
    }
    let list = tx.page(request, USERS, tx.state.users.iter(), |user| {
        sees(&user.id).then(|| view.user(user))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read_user(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let id: crate::model::UserId = request
        .segment(0)
        .parse()
        .map_err(|error| Refusal::invalid(format!("{error}")))?;
    if !tx.sees_user(&Principal::User(id.clone())) {
        return Err(tx.denied(&format!("describe user `{id}`")));
    }
    match tx.state.users.get(&id) {
        Some(user) => Ok(Reply::ok(tx.view(request).user(user))),
        None => Err(Refusal::missing("user_not_found", format!("user `{id}` was not found"))),
    }
}

/// The stock CLI asks for them to name the principals of role bindings.
pub(crate) fn no_identity_providers(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    none(tx, request, "IdentityProviderList")
}

/// As for identity providers.
pub(crate) fn no_group_mappings(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    none(tx, request, "GroupMappingList")
}

fn none(tx: &Tx<'_>, request: &Request, kind: &'static str) -> Result<Reply, Refusal> {
    tx.require_any_role()?;
    let nothing: [(&str, ()); 0] = [];
    let list = tx.page(request, Pages { kind, ..ACCOUNTS }, nothing, |()| Some(()))?;
    Ok(Reply::ok(list))
}

impl<'a> Tx<'a> {
    /// Whether the caller sees a service account; it always sees itself.
    pub(crate) fn sees_account_or_is(&self, id: &ServiceAccountId) -> bool {
        let principal = Principal::ServiceAccount(id.clone());
        self.is(&principal) || self.sees_account(&self.state.principal_crn(&principal))
    }

    pub(crate) fn sees_user(&self, principal: &Principal) -> bool {
        self.is(principal) || self.may(Operation::Describe, &self.state.principal_crn(principal))
    }

    /// An account; one that is missing is 404 to everybody who has a role (terraform `internal/testdata`).
    fn account(&self, id: &str) -> Result<&'a Account, Refusal> {
        self.require_any_role()?;
        let found = self.state.account(id);
        found.ok_or_else(|| {
            Refusal::missing(
                "service_account_not_found",
                format!("service account `{id}` was not found"),
            )
        })
    }

    /// An account to which the caller may do something.
    fn account_for(&self, operation: Operation, id: &str) -> Result<&'a Account, Refusal> {
        let account = self.account(id)?;
        let crn = self.state.principal_crn(&Principal::ServiceAccount(account.id.clone()));
        self.require(operation, &crn).map(|()| account)
    }

    /// An id that its natural key decides about, and how many objects had the key before.
    pub(crate) fn fresh_id<T: std::str::FromStr>(
        &self,
        prefix: &str,
        length: usize,
        kind: &str,
        key: &str,
        counted_as: &str,
        taken: impl Fn(&T) -> bool,
    ) -> Result<T, Refusal> {
        let first = self.state.count(counted_as);
        (first..first + 1_000)
            .map(|nth| format!("{prefix}{}", self.ids().lower(&[kind, key, &nth.to_string()], length)))
            .filter_map(|id| id.parse().ok())
            .find(|id| !taken(id))
            .ok_or_else(|| Refusal::broken("no id is left"))
    }
}
