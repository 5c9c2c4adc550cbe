//! Which metrics there are. Everybody who may call may know.

use serde::Serialize;
use serde_json::{Value, json};

use super::{count, read_token, token_of};
use crate::{
    api::metrics::{
        CONNECTOR_ID, LabelDescriptor, METRICS, Metric, MetricDescriptor, Reading, ResourceDescriptor, STATUS, TASK,
        descriptors::PAGE_SIZE, query::Pagination,
    },
    sandbox::{
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

/// The only kind of thing that the sandbox measures.
const CONNECTOR: &str = "connector";
/// The page size when nobody says.
const DEFAULT_SIZE: u32 = 100;

pub(crate) fn metric_descriptors(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    count(tx)?;
    tx.require_any_role()?;
    let wanted = request.query("resource_type").is_none_or(|kind| kind == CONNECTOR);
    let all = METRICS.iter().filter(|_| wanted).map(described);
    page(request, &all.collect::<Vec<_>>())
}

pub(crate) fn resource_descriptors(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    count(tx)?;
    tx.require_any_role()?;
    let connector = ResourceDescriptor {
        resource_type: CONNECTOR.into(),
        description: "A fully managed connector.".into(),
        labels: vec![label(CONNECTOR_ID, "ID of the connector.")],
    };
    page(request, &[connector])
}

fn label(name: &str, description: &str) -> LabelDescriptor {
    let key = name.strip_prefix("resource.").or_else(|| name.strip_prefix("metric."));
    LabelDescriptor {
        key: key.unwrap_or(name).to_owned(),
        description: description.to_owned(),
        exportable: true,
    }
}

fn described(metric: &Metric) -> MetricDescriptor {
    let mut labels = Vec::new();
    if metric.reading == Reading::State {
        labels.push(label(STATUS, "The state."));
    }
    if metric.suffix == "connector_task_status" {
        labels.push(label(TASK, "The number of the task."));
    }
    MetricDescriptor {
        name: metric.name(),
        description: format!("The {}, sampled every 60 seconds.", metric.about),
        unit: metric.unit.code().into(),
        metric_type: match metric.reading {
            Reading::Count => "COUNTER_INT64",
            Reading::Gauge | Reading::State => "GAUGE_INT64",
        }
        .into(),
        exportable: true,
        lifecycle_stage: "GENERAL_AVAILABILITY".into(),
        resources: vec![CONNECTOR.into()],
        labels,
    }
}

fn page<T: Serialize>(request: &Request, all: &[T]) -> Result<Reply, Refusal> {
    let size = match request.query("page_size") {
        None => Some(DEFAULT_SIZE),
        Some(written) => written.parse().ok().filter(|size| (1..=PAGE_SIZE).contains(size)),
    };
    let size = size.ok_or_else(|| {
        Refusal::invalid(format!("page_size must be a number from 1 to {PAGE_SIZE}")).about("page_size")
    })?;
    let skipped = match request.query("page_token") {
        None => 0,
        Some(token) => read_token(token).ok_or_else(|| Refusal::invalid("the page token is not one of ours"))?,
    };
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    let data: Vec<&T> = all.iter().skip(skipped).take(length).collect();
    let next = skipped.saturating_add(length);
    let pagination = Pagination {
        page_size: size,
        total_size: u32::try_from(all.len()).ok(),
        next_page_token: (next < all.len()).then(|| token_of(next)),
    };
    let body: Value = json!({ "data": data, "meta": { "pagination": pagination } });
    Ok(Reply::ok(body))
}
