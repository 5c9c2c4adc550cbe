//! Metric descriptors, visible to all callers.

use serde::Serialize;
use serde_json::{Value, json};

use super::{consume_rate, encode_token, parse_token};
use crate::{
    api::metrics::{
        CONNECTOR_ID, LabelDescriptor, METRICS, Metric, MetricDescriptor, MetricKind, ResourceDescriptor, STATUS, TASK,
        descriptors::PAGE_SIZE, query::QueryPagination,
    },
    sandbox::{
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

/// The only resource type with metrics in the sandbox.
const CONNECTOR: &str = "connector";
/// Default page size.
const DEFAULT_SIZE: u32 = 100;

pub(crate) fn metric_descriptors(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    consume_rate(tx)?;
    tx.require_any_role()?;
    let wanted = request.query("resource_type").is_none_or(|kind| kind == CONNECTOR);
    let all = METRICS.iter().filter(|_| wanted).map(metric_descriptor);
    page(request, &all.collect::<Vec<_>>())
}

pub(crate) fn resource_descriptors(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    consume_rate(tx)?;
    tx.require_any_role()?;
    let connector = ResourceDescriptor {
        resource_type: CONNECTOR.into(),
        description: "A fully managed connector.".into(),
        labels: vec![label_descriptor(CONNECTOR_ID, "ID of the connector.")],
    };
    page(request, &[connector])
}

fn label_descriptor(name: &str, description: &str) -> LabelDescriptor {
    let key = name.strip_prefix("resource.").or_else(|| name.strip_prefix("metric."));
    LabelDescriptor {
        key: key.unwrap_or(name).to_owned(),
        description: description.to_owned(),
        exportable: true,
    }
}

fn metric_descriptor(metric: &Metric) -> MetricDescriptor {
    let mut labels = Vec::new();
    if metric.kind == MetricKind::State {
        labels.push(label_descriptor(STATUS, "The state."));
    }
    if metric.suffix == "connector_task_status" {
        labels.push(label_descriptor(TASK, "The number of the task."));
    }
    MetricDescriptor {
        name: metric.name(),
        description: format!("The {}, sampled every 60 seconds.", metric.description),
        unit: metric.unit.code().into(),
        metric_type: match metric.kind {
            MetricKind::Count => "COUNTER_INT64",
            MetricKind::Gauge | MetricKind::State => "GAUGE_INT64",
        }
        .into(),
        exportable: true,
        lifecycle_stage: "GENERAL_AVAILABILITY".into(),
        resources: vec![CONNECTOR.into()],
        labels,
    }
}

fn page<T: Serialize>(request: &ApiRequest, all: &[T]) -> Result<Reply, ErrorReply> {
    let size = match request.query("page_size") {
        None => Some(DEFAULT_SIZE),
        Some(written) => written.parse().ok().filter(|size| (1..=PAGE_SIZE).contains(size)),
    };
    let size = size.ok_or_else(|| {
        ErrorReply::invalid(format!("page_size must be a number from 1 to {PAGE_SIZE}")).with_source("page_size")
    })?;
    let skipped = match request.query("page_token") {
        None => 0,
        Some(token) => parse_token(token).ok_or_else(|| ErrorReply::invalid("invalid page token"))?,
    };
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    let data: Vec<&T> = all.iter().skip(skipped).take(length).collect();
    let next = skipped.saturating_add(length);
    let pagination = QueryPagination {
        page_size: size,
        total_size: u32::try_from(all.len()).ok(),
        next_page_token: (next < all.len()).then(|| encode_token(next)),
    };
    let body: Value = json!({ "data": data, "meta": { "pagination": pagination } });
    Ok(Reply::ok(body))
}
