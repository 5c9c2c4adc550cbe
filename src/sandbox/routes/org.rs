//! `org/v2`: every valid Cloud key gets 200 here, cut to what it may see. The stock clients use it to try a key.

use crate::{
    access::Operation,
    sandbox::{
        page::Pages,
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
        view::View,
    },
};

const ORGANIZATIONS: Pages = Pages {
    api_version: "org/v2",
    kind: "OrganizationList",
    most: 100,
    total: true,
};
const ENVIRONMENTS: Pages = Pages {
    kind: "EnvironmentList",
    ..ORGANIZATIONS
};

pub(crate) fn list_organizations(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let view = tx.view(request);
    let all = [(tx.state.seed.organization.as_str(), ())];
    let list = tx.page(request, ORGANIZATIONS, all, |()| Some(view.organization()))?;
    Ok(Reply::ok(list))
}

/// Whoever has a key knows its organization already.
pub(crate) fn read_organization(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    if request.segment(0) == tx.state.seed.organization.as_str() {
        return Ok(Reply::ok(tx.view(request).organization()));
    }
    Err(tx.denied(&format!("describe organization `{}`", request.segment(0))))
}

pub(crate) fn list_environments(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let view = tx.view(request);
    let all = tx.state.environments.iter();
    let list = tx.page(request, ENVIRONMENTS, all, |environment| {
        let crn = tx.state.environment_crn(environment.id.as_str());
        tx.may(Operation::Describe, &crn).then(|| view.environment(environment))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read_environment(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let environment = tx.environment(request.segment(0))?;
    Ok(Reply::ok(tx.view(request).environment(environment)))
}

impl<'a> Tx<'a> {
    /// What makes wire objects for this request.
    pub(crate) fn view<'r>(&self, request: &'r Request) -> View<'r>
    where
        'a: 'r,
    {
        View {
            state: self.state,
            base: &request.base,
        }
    }

    /// The environment, if the caller may see it: 404 for whoever would see it if it were there, 403 for everybody else.
    pub(crate) fn environment(&self, id: &str) -> Result<&'a crate::sandbox::state::Environment, Refusal> {
        let id: crate::model::EnvironmentId = id
            .parse()
            .map_err(|error| Refusal::invalid(format!("{error}")).about("environment"))?;
        self.require(Operation::Describe, &self.state.environment_crn(id.as_str()))?;
        let found = self.state.environments.get(&id);
        found.ok_or_else(|| Refusal::missing("environment_not_found", format!("environment `{id}` was not found")))
    }

    /// The environment that the query names, as the cluster calls require it.
    pub(crate) fn environment_in_query(
        &self,
        request: &Request,
    ) -> Result<&'a crate::sandbox::state::Environment, Refusal> {
        let id = request
            .query("environment")
            .ok_or_else(|| Refusal::invalid("the environment parameter is required").about("environment"))?;
        self.environment(id)
    }
}
