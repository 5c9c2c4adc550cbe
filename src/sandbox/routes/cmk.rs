//! `cmk/v2`: Kafka clusters, read-only.

use crate::{
    access::Operation,
    model::ClusterId,
    sandbox::{
        pagination::PagingRules,
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        state::ClusterRecord,
        tx::Tx,
    },
};

const CLUSTERS: PagingRules = PagingRules {
    api_version: "cmk/v2",
    kind: "ClusterList",
    max_size: 100,
    includes_total: true,
};

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment_in_query(request)?;
    let view = tx.view(request);
    let all = tx
        .state
        .clusters
        .iter()
        .filter(|(_, cluster)| cluster.environment == environment.id);
    let list = tx.page(request, CLUSTERS, all, |cluster| {
        let crn = tx.state.cluster_crn(environment.id.as_str(), cluster.id.as_str());
        tx.is_allowed(Operation::Describe, &crn).then(|| view.cluster(cluster))
    })?;
    Ok(Reply::ok(list))
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let environment = tx.environment_in_query(request)?;
    let cluster = tx.cluster(environment.id.as_str(), request.segment(0))?;
    Ok(Reply::ok(tx.view(request).cluster(cluster)))
}

impl<'a> Tx<'a> {
    /// Returns the cluster if the caller may see it. If it does not exist, callers who could see it get 404; all others
    /// get 403.
    pub(crate) fn cluster(&self, environment: &str, id: &str) -> Result<&'a ClusterRecord, ErrorReply> {
        let id: ClusterId = id.parse().map_err(|error| ErrorReply::invalid(format!("{error}")))?;
        self.require(Operation::Describe, &self.state.cluster_crn(environment, id.as_str()))?;
        let found = self
            .state
            .clusters
            .get(&id)
            .filter(|cluster| cluster.environment.as_str() == environment);
        found.ok_or_else(|| ErrorReply::not_found("resource_not_found", format!("Kafka cluster `{id}` was not found")))
    }
}
