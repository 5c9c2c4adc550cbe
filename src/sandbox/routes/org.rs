//! `org/v2`: every valid Cloud key gets 200 here, cut to what it may see. The stock clients use it to try a key.

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

/// Whoever has a key knows its organization already.
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
    /// What makes wire objects for this request.
    pub(crate) fn view<'r>(&self, request: &'r ApiRequest) -> ResponseView<'r>
    where
        'a: 'r,
    {
        ResponseView {
            state: self.state,
            base: &request.base,
        }
    }

    /// The environment, if the caller may see it: 404 for whoever would see it if it were there, 403 for everybody else.
    pub(crate) fn environment(&self, id: &str) -> Result<&'a crate::sandbox::state::EnvironmentRecord, ErrorReply> {
        let id: crate::model::EnvironmentId = id
            .parse()
            .map_err(|error| ErrorReply::invalid(format!("{error}")).with_source("environment"))?;
        self.require(Operation::Describe, &self.state.environment_crn(id.as_str()))?;
        let found = self.state.environments.get(&id);
        found.ok_or_else(|| ErrorReply::not_found("environment_not_found", format!("environment `{id}` was not found")))
    }

    /// The environment that the query names, as the cluster calls require it.
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
