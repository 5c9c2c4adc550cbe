//! `srcm/v3`: Schema Registries, to read.

use crate::{
    access::Operation,
    model::SchemaRegistryId,
    sandbox::{
        page::Pages,
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

const REGISTRIES: Pages = Pages {
    api_version: "srcm/v3",
    kind: "ClusterList",
    most: 100,
    total: true,
};

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let environment = tx.environment_in_query(request)?;
    let view = tx.view(request);
    let all = tx
        .state
        .registries
        .iter()
        .filter(|(_, registry)| registry.environment == environment.id);
    let list = tx.page(request, REGISTRIES, all, |registry| {
        let crn = tx.state.registry_crn(environment.id.as_str(), registry.id.as_str());
        tx.may(Operation::Describe, &crn).then(|| view.registry(registry))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let environment = tx.environment_in_query(request)?;
    let id: SchemaRegistryId = request
        .segment(0)
        .parse()
        .map_err(|error| Refusal::invalid(format!("{error}")))?;
    let crn = tx.state.registry_crn(environment.id.as_str(), id.as_str());
    tx.require(Operation::Describe, &crn)?;
    match tx.state.registries.get(&id) {
        Some(registry) if registry.environment == environment.id => Ok(Reply::ok(tx.view(request).registry(registry))),
        _ => Err(Refusal::missing(
            "resource_not_found",
            format!("Schema Registry `{id}` was not found"),
        )),
    }
}
