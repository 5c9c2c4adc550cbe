//! What a handler works with: the state as it is, the caller and its rights, and the changes it wants.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    assumptions::Assumptions,
    auth::Caller,
    crypt::Ids,
    limits::Meters,
    page::Pages,
    reply::Refusal,
    request::Request,
    settings::{Delay, Made},
    state::{Change, Life, State},
};
use crate::{
    access::{Evaluator, Operation, given},
    api::List,
    model::{Crn, CrnPattern, Principal, Role},
};

/// One request in the making. Handlers look at `state` and record changes; these are made together, or not at all.
pub(crate) struct Tx<'a> {
    pub(crate) state: &'a State,
    pub(crate) now: Timestamp,
    /// The control token, with which tokens are signed.
    pub(crate) token: &'a str,
    caller: Option<&'a Caller>,
    /// Objects younger than this are missing from lists.
    list_lag: Duration,
    meters: &'a mut Meters,
    changes: Vec<Change>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        state: &'a State,
        now: Timestamp,
        token: &'a str,
        caller: Option<&'a Caller>,
        list_lag: Duration,
        meters: &'a mut Meters,
    ) -> Self {
        Self {
            state,
            now,
            token,
            caller,
            list_lag,
            meters,
            changes: Vec::new(),
        }
    }

    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn assumptions(&self) -> &'a Assumptions {
        &self.state.settings.assumptions
    }

    pub(crate) fn ids(&self) -> Ids {
        self.state.ids()
    }

    /// The moments of an object made now.
    pub(crate) fn born(&self, made: Made, id: &str) -> Life {
        let delay: Delay = self.state.settings.timing.delay(self.ids(), made, id);
        Life::delayed(self.now, delay)
    }

    /// The moment until which lists show an object deleted now; `None` when it is gone at once.
    pub(crate) fn lingers(&self, id: &str) -> Option<Timestamp> {
        let wait = self.state.settings.timing.lingers(self.ids(), id);
        (!wait.is_zero()).then(|| self.now.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    /// Whether a list made now shows an object.
    pub(crate) fn lists(&self, life: &Life) -> bool {
        let age = Duration::try_from(self.now.duration_since(life.created)).unwrap_or(Duration::ZERO);
        life.listed_at(self.now) && (self.list_lag.is_zero() || age >= self.list_lag)
    }

    /// 429 when `what` was asked for so often lately, with `Retry-After`.
    pub(crate) fn spend(&mut self, what: &str, most: u32, within: Duration) -> Result<(), Refusal> {
        self.meters.spend(what, most, within, self.now).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Refusal::too_many().header(http::header::RETRY_AFTER, seconds.to_string())
        })
    }

    /// The page that `request` asks for.
    pub(crate) fn page<K: AsRef<str>, R, T: serde::Serialize>(
        &self,
        request: &Request,
        pages: Pages,
        items: impl IntoIterator<Item = (K, R)>,
        show: impl FnMut(R) -> Option<T>,
    ) -> Result<List<T>, Refusal> {
        pages.page(request, self.state.settings.page_size_cap, items, show)
    }
}

/// The caller and its rights. `access` decides what roles allow; what follows from holding any role at all stands here.
impl<'a> Tx<'a> {
    /// The caller; every route but the anonymous ones has one.
    pub(crate) fn caller(&self) -> Result<&'a Caller, Refusal> {
        self.caller
            .ok_or_else(|| Refusal::unauthenticated("Basic", "valid authentication credentials must be provided"))
    }

    pub(crate) fn principal(&self) -> Result<&'a Principal, Refusal> {
        self.caller().map(|caller| &caller.principal)
    }

    /// Whether the caller is this principal.
    pub(crate) fn is(&self, principal: &Principal) -> bool {
        self.caller.is_some_and(|caller| caller.principal == *principal)
    }

    /// Whether the caller may do this.
    pub(crate) fn may(&self, operation: Operation, resource: &Crn) -> bool {
        self.rights()
            .is_some_and(|(who, evaluator)| evaluator.decide(who, operation, resource).is_allowed())
    }

    /// Whether the caller may do this to everything that a pattern means.
    pub(crate) fn may_on_all(&self, operation: Operation, pattern: &CrnPattern) -> bool {
        self.rights()
            .is_some_and(|(who, evaluator)| evaluator.decide_pattern(who, operation, pattern).is_allowed())
    }

    fn rights(&self) -> Option<(&'a Principal, &'a Evaluator)> {
        let principal = &self.caller?.principal;
        Some((principal, self.state.evaluator(principal)?))
    }

    /// 403 unless the caller may do this.
    pub(crate) fn require(&self, operation: Operation, resource: &Crn) -> Result<(), Refusal> {
        match self.may(operation, resource) {
            true => Ok(()),
            false => Err(self.denied(&format!("{} on {resource}", operation.word()))),
        }
    }

    /// 403 unless the caller holds some role, anywhere.
    pub(crate) fn require_any_role(&self) -> Result<(), Refusal> {
        match self.state.roles_of(self.principal()?).next() {
            Some(_) => Ok(()),
            None => Err(self.denied("anything without a role")),
        }
    }

    /// The 403 that names caller and deed.
    pub(crate) fn denied(&self, deed: &str) -> Refusal {
        let who = self.caller.map_or("nobody", |caller| caller.principal.id());
        Refusal::forbidden(format!("{who} is not allowed to {deed}"))
    }

    /// Whether the caller may see a service account.
    pub(crate) fn sees_account(&self, account: &Crn) -> bool {
        let Ok(principal) = self.principal() else {
            return false;
        };
        if self.assumptions().administrators_see_accounts {
            return self.may(Operation::Describe, account);
        }
        self.state.roles_of(principal).any(|held| {
            !matches!(held.role, Role::EnvironmentAdmin | Role::CloudClusterAdmin)
                && given(held, account).contains(Operation::Describe)
        })
    }
}
