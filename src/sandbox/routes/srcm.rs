//! `srcm/v3`: Schema Registries, read-only.

use crate::{
    access::Operation,
    model::SchemaRegistryId,
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

const REGISTRIES: PagingRules = PagingRules {
    api_version: "srcm/v3",
    kind: "ClusterList",
    max_size: 100,
    includes_total: true,
};

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment_in_query(request)?;
    let view = tx.view(request);
    let all = tx
        .state
        .registries
        .iter()
        .filter(|(_, registry)| registry.environment == environment.id);
    let list = tx.page(request, REGISTRIES, all, |registry| {
        let crn = tx.state.registry_crn(environment.id.as_str(), registry.id.as_str());
        tx.is_allowed(Operation::Describe, &crn)
            .then(|| view.registry(registry))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment_in_query(request)?;
    let id: SchemaRegistryId = request
        .segment(0)
        .parse()
        .map_err(|error| ErrorReply::invalid(format!("{error}")))?;
    let crn = tx.state.registry_crn(environment.id.as_str(), id.as_str());
    tx.require(Operation::Describe, &crn)?;
    match tx.state.registries.get(&id) {
        Some(registry) if registry.environment == environment.id => Ok(Reply::ok(tx.view(request).registry(registry))),
        _ => Err(ErrorReply::not_found(
            "resource_not_found",
            format!("Schema Registry `{id}` was not found"),
        )),
    }
}
