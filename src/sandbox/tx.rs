//! Transactions: state, caller and recorded changes of a request.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    assumptions::SandboxAssumptions,
    auth::AuthenticatedCaller,
    crypt::IdGenerator,
    pagination::PagingRules,
    rate_limits::RequestMeters,
    reply::ErrorReply,
    request::ApiRequest,
    settings::{CreatedObject, VisibilityDelay},
    state::{Lifetime, SandboxState, StateChange},
};
use crate::{
    access::{Evaluator, Operation, operations_of_binding},
    api::List,
    model::{Crn, CrnPattern, Principal, Role},
};

/// Transaction of one request. Handlers read `state` and record changes, which are committed together or not at all.
pub(crate) struct Tx<'a> {
    pub(crate) state: &'a SandboxState,
    pub(crate) now: Timestamp,
    /// Control token, which signs the tokens.
    pub(crate) token: &'a str,
    caller: Option<&'a AuthenticatedCaller>,
    /// Minimum age of objects in lists.
    list_lag: Duration,
    meters: &'a mut RequestMeters,
    changes: Vec<StateChange>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        state: &'a SandboxState,
        now: Timestamp,
        token: &'a str,
        caller: Option<&'a AuthenticatedCaller>,
        list_lag: Duration,
        meters: &'a mut RequestMeters,
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

    pub(crate) fn into_changes(self) -> Vec<StateChange> {
        self.changes
    }

    pub(crate) fn record(&mut self, change: StateChange) {
        self.changes.push(change);
    }

    pub(crate) fn assumptions(&self) -> &'a SandboxAssumptions {
        &self.state.settings.assumptions
    }

    pub(crate) fn ids(&self) -> IdGenerator {
        self.state.ids()
    }

    /// Returns the lifetime of an object that is created now.
    pub(crate) fn new_lifetime(&self, made: CreatedObject, id: &str) -> Lifetime {
        let delay: VisibilityDelay = self.state.settings.timing.visibility_delay(self.ids(), made, id);
        Lifetime::delayed(self.now, delay)
    }

    /// Returns the time until which lists contain an object that is deleted now; `None` if it disappears at once.
    pub(crate) fn listed_until(&self, id: &str) -> Option<Timestamp> {
        let wait = self.state.settings.timing.deletion_lag(self.ids(), id);
        (!wait.is_zero()).then(|| self.now.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    /// Returns whether a list contains an object now.
    pub(crate) fn is_listed(&self, life: &Lifetime) -> bool {
        let age = Duration::try_from(self.now.duration_since(life.created)).unwrap_or(Duration::ZERO);
        life.is_listed_at(self.now) && (self.list_lag.is_zero() || age >= self.list_lag)
    }

    /// Counts a request for `what`; returns 429 with `Retry-After` if the rate limit is exceeded.
    pub(crate) fn consume_rate(&mut self, what: &str, most: u32, within: Duration) -> Result<(), ErrorReply> {
        self.meters.consume(what, most, within, self.now).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ErrorReply::rate_limited().with_header(http::header::RETRY_AFTER, seconds.to_string())
        })
    }

    /// Returns the requested page of a list.
    pub(crate) fn page<K: AsRef<str>, R, T: serde::Serialize>(
        &self,
        request: &ApiRequest,
        pages: PagingRules,
        items: impl IntoIterator<Item = (K, R)>,
        show: impl FnMut(R) -> Option<T>,
    ) -> Result<List<T>, ErrorReply> {
        pages.page(request, self.state.settings.page_size_cap, items, show)
    }
}

/// Caller and permissions. `access` evaluates roles; rules that apply to callers with any role are implemented here.
impl<'a> Tx<'a> {
    /// Returns the caller. Only anonymous routes have none.
    pub(crate) fn caller(&self) -> Result<&'a AuthenticatedCaller, ErrorReply> {
        self.caller
            .ok_or_else(|| ErrorReply::unauthenticated("Basic", "valid authentication credentials must be provided"))
    }

    pub(crate) fn principal(&self) -> Result<&'a Principal, ErrorReply> {
        self.caller().map(|caller| &caller.principal)
    }

    /// Returns whether the caller is this principal.
    pub(crate) fn is_caller(&self, principal: &Principal) -> bool {
        self.caller.is_some_and(|caller| caller.principal == *principal)
    }

    /// Returns whether the caller may perform an operation on a resource.
    pub(crate) fn is_allowed(&self, operation: Operation, resource: &Crn) -> bool {
        self.caller_evaluator()
            .is_some_and(|(principal, evaluator)| evaluator.decide(principal, operation, resource).is_allowed())
    }

    /// Returns whether the caller may perform an operation on all resources that match a pattern.
    pub(crate) fn is_allowed_on_pattern(&self, operation: Operation, pattern: &CrnPattern) -> bool {
        self.caller_evaluator()
            .is_some_and(|(principal, evaluator)| evaluator.decide_pattern(principal, operation, pattern).is_allowed())
    }

    fn caller_evaluator(&self) -> Option<(&'a Principal, &'a Evaluator)> {
        let principal = &self.caller?.principal;
        Some((principal, self.state.evaluator(principal)?))
    }

    /// Returns 403 unless the caller may perform the operation.
    pub(crate) fn require(&self, operation: Operation, resource: &Crn) -> Result<(), ErrorReply> {
        match self.is_allowed(operation, resource) {
            true => Ok(()),
            false => Err(self.forbidden(&format!("{} on {resource}", operation.as_str()))),
        }
    }

    /// Returns 403 unless the caller has any role.
    pub(crate) fn require_any_role(&self) -> Result<(), ErrorReply> {
        match self.state.roles_of(self.principal()?).next() {
            Some(_) => Ok(()),
            None => Err(self.forbidden("call the API without a role")),
        }
    }

    /// Creates a 403 with the caller and the action.
    pub(crate) fn forbidden(&self, deed: &str) -> ErrorReply {
        let caller = self
            .caller
            .map_or("an anonymous caller", |caller| caller.principal.id());
        ErrorReply::forbidden(format!("{caller} is not allowed to {deed}"))
    }

    /// Returns whether the caller may see a service account.
    pub(crate) fn can_see_account(&self, account: &Crn) -> bool {
        let Ok(principal) = self.principal() else {
            return false;
        };
        if self.assumptions().administrators_see_accounts {
            return self.is_allowed(Operation::Describe, account);
        }
        self.state.roles_of(principal).any(|binding| {
            !matches!(binding.role, Role::EnvironmentAdmin | Role::CloudClusterAdmin)
                && operations_of_binding(binding, account).contains(Operation::Describe)
        })
    }
}
