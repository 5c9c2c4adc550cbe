//! `org/v2`: every valid Cloud key gets 200, with the objects that it may see. The official clients use these calls to
//! test a key.

use crate::{
    access::Operation,
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
        view::ResponseView,
    },
};

const ORGANIZATIONS: PagingRules = PagingRules {
    api_version: "org/v2",
    kind: "OrganizationList",
    max_size: 100,
    includes_total: true,
};
const ENVIRONMENTS: PagingRules = PagingRules {
    kind: "EnvironmentList",
    ..ORGANIZATIONS
};

pub(crate) fn list_organizations(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let view = tx.view(request);
    let all = [(tx.state.seed.organization.as_str(), ())];
    let list = tx.page(request, ORGANIZATIONS, all, |()| Some(view.organization()))?;
    Ok(Reply::ok(list))
}

/// Reads the organization, without a permission check: any valid key belongs to it.
pub(crate) fn read_organization(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    if request.segment(0) == tx.state.seed.organization.as_str() {
        return Ok(Reply::ok(tx.view(request).organization()));
    }
    Err(tx.forbidden(&format!("describe organization `{}`", request.segment(0))))
}

pub(crate) fn list_environments(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let view = tx.view(request);
    let all = tx.state.environments.iter();
    let list = tx.page(request, ENVIRONMENTS, all, |environment| {
        let crn = tx.state.environment_crn(environment.id.as_str());
        tx.is_allowed(Operation::Describe, &crn)
            .then(|| view.environment(environment))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read_environment(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment(request.segment(0))?;
    Ok(Reply::ok(tx.view(request).environment(environment)))
}

impl<'a> Tx<'a> {
    /// Returns the view that creates response objects for this request.
    pub(crate) fn view<'r>(&self, request: &'r ApiRequest) -> ResponseView<'r>
    where
        'a: 'r,
    {
        ResponseView {
            state: self.state,
            base: &request.base,
        }
    }

    /// Returns the environment if the caller may see it. If it does not exist, callers who could see it get 404; all
    /// others get 403.
    pub(crate) fn environment(&self, id: &str) -> Result<&'a crate::sandbox::state::EnvironmentRecord, ErrorReply> {
        let id: crate::model::EnvironmentId = id
            .parse()
            .map_err(|error| ErrorReply::invalid(format!("{error}")).with_source("environment"))?;
        self.require(Operation::Describe, &self.state.environment_crn(id.as_str()))?;
        let found = self.state.environments.get(&id);
        found.ok_or_else(|| ErrorReply::not_found("environment_not_found", format!("environment `{id}` was not found")))
    }

    /// Returns the environment in the query, which the cluster calls require.
    pub(crate) fn environment_in_query(
        &self,
        request: &ApiRequest,
    ) -> Result<&'a crate::sandbox::state::EnvironmentRecord, ErrorReply> {
        let id = request
            .query("environment")
            .ok_or_else(|| ErrorReply::invalid("the environment parameter is required").with_source("environment"))?;
        self.environment(id)
    }
}
