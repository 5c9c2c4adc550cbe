//! Requests to change seeded objects, which the sandbox does not support: 403 without the role, 405 with it.

use crate::{
    access::Operation,
    model::{Crn, Principal},
    sandbox::{
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

fn reject_change(tx: &Tx<'_>, request: &ApiRequest, creates: bool, crn: &Crn) -> Result<Reply, ErrorReply> {
    let operation = match request.method.as_str() {
        _ if creates => Operation::Create,
        "DELETE" => Operation::Delete,
        _ => Operation::Update,
    };
    tx.require(operation, crn)?;
    Err(ErrorReply::method_not_allowed(
        "GET",
        format!(
            "the sandbox does not support changes to a {}",
            crn.kind().display_name()
        ),
    ))
}

pub(crate) fn organization(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    if request.segment(0) != tx.state.seed.organization.as_str() {
        return Err(tx.forbidden(&format!("update organization `{}`", request.segment(0))));
    }
    reject_change(tx, request, false, &tx.state.organization_crn())
}

pub(crate) fn new_environment(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    reject_change(tx, request, true, &tx.state.environment_crn("env-new"))
}

pub(crate) fn environment(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment(request.segment(0))?;
    reject_change(tx, request, false, &tx.state.environment_crn(environment.id.as_str()))
}

/// Rejects the creation of a cluster: 405 if the caller may create clusters in any environment, regardless of the body.
pub(crate) fn new_cluster(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let places = || tx.state.environments.keys();
    let allowed = places().find(|id| tx.is_allowed(Operation::Create, &tx.state.cluster_crn(id.as_str(), "lkc-new")));
    let Some(environment) = allowed.or_else(|| places().next()) else {
        return Err(tx.forbidden("create a cluster"));
    };
    reject_change(
        tx,
        request,
        true,
        &tx.state.cluster_crn(environment.as_str(), "lkc-new"),
    )
}

pub(crate) fn cluster(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let id = request.segment(0);
    let found = tx.state.clusters.values().find(|cluster| cluster.id.as_str() == id);
    let Some(cluster) = found else {
        return Err(tx.forbidden(&format!("change Kafka cluster `{id}`")));
    };
    reject_change(
        tx,
        request,
        false,
        &tx.state.cluster_crn(cluster.environment.as_str(), id),
    )
}

pub(crate) fn user(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let principal = Principal::from_id(request.segment(0));
    if !matches!(principal, Principal::User(_)) {
        return Err(ErrorReply::invalid(format!(
            "`{}` is not a user id",
            request.segment(0)
        )));
    }
    reject_change(tx, request, false, &tx.state.principal_crn(&principal))
}
