//! The Metrics API (dossier `metrics.md`): queries, exports, descriptors.

mod descriptors;
mod export;
mod interval;
mod series;

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use descriptors::{metric_descriptors, resource_descriptors};
pub(crate) use export::export;
use series::{Found, Labels, found, values};

use crate::{
    access::{Operation, given},
    api::metrics::{
        CONNECTOR_ID, Filter, LATENCY, METRICS, Metric, QueryRequest, REQUESTS_PER_MINUTE, Reading, STATUS, TASK,
        query::{MOST_GROUPS, Meta, Pagination},
    },
    model::{Crn, ResourceKind, Role},
    sandbox::{
        assumptions::Listing,
        connector::curves::{begin_of, minute_of},
        reply::{Refusal, Reply},
        request::Request,
        tx::Tx,
    },
};

/// How many groups an answer holds when nobody says.
const DEFAULT_LIMIT: u32 = 100;

/// Values are ready up to this moment.
fn ready(now: Timestamp) -> i64 {
    minute_of(now.saturating_sub(LATENCY).unwrap_or(now))
}

/// All who share an address share its limit (§5); whoever calls the sandbox does.
fn count(tx: &mut Tx<'_>) -> Result<(), Refusal> {
    tx.spend("metrics", REQUESTS_PER_MINUTE, Duration::from_mins(1))
}

/// Whether the caller may read the metrics of a connector. The dossier says who is meant to (§6); what a role on the
/// connector alone gives is switch Q5.
fn may(tx: &Tx<'_>, crn: &Crn) -> bool {
    let Ok(principal) = tx.principal() else { return false };
    let meant = |role: &Role| {
        matches!(
            role,
            Role::MetricsViewer | Role::OrganizationAdmin | Role::EnvironmentAdmin | Role::CloudClusterAdmin
        )
    };
    let mut held = tx.state.roles_of(principal);
    match tx.assumptions().connector_metrics {
        Listing::Refused => held.any(|held| meant(&held.role) && given(held, crn).contains(Operation::ViewMetrics)),
        Listing::Filtered => tx.may(Operation::ViewMetrics, crn),
        Listing::Everything => {
            tx.may(Operation::ViewMetrics, crn)
                || held.any(|held| {
                    let cluster = crn.value_of(ResourceKind::Cluster);
                    cluster.is_some() && held.pattern.value_of(ResourceKind::Cluster) == cluster
                })
        }
    }
}

/// The connectors of these ids; 403 for one that the caller may not see or that does not exist.
fn all(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Found>, Refusal> {
    ids.iter()
        .map(|id| {
            let refused = || Refusal::forbidden(format!("not authorized to read metrics of connector.id:{id}"));
            let found = found(tx, id).ok_or_else(refused)?;
            may(tx, &found.crn).then_some(found).ok_or_else(refused)
        })
        .collect()
}

pub(crate) fn query(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    count(tx)?;
    let wanted: QueryRequest = request.json()?;
    let metric = checked(&wanted)?;
    let ids = connectors_of(wanted.filter.as_ref());
    if ids.is_empty() {
        return Err(Refusal::invalid(format!("a filter on {CONNECTOR_ID} is required")));
    }
    let connectors = all(tx, &ids)?;
    let windows = windows(tx.now, &wanted)?;
    let groups = gather(tx, &wanted, metric, &connectors, &windows);
    Ok(Reply::ok(answer(request, &wanted, metric, groups)?))
}

/// The metric, when the request is one that the service takes (§3).
fn checked(wanted: &QueryRequest) -> Result<&'static Metric, Refusal> {
    let [only] = wanted.aggregations.as_slice() else {
        return Err(Refusal::invalid("exactly one aggregation is supported"));
    };
    let metric = METRICS.iter().find(|metric| metric.name() == only.metric);
    let metric = metric.ok_or_else(|| Refusal::invalid(format!("unknown metric {}", only.metric)))?;
    if only.agg.as_deref().is_some_and(|agg| agg != "SUM") {
        return Err(Refusal::invalid("aggregations[0].agg must be SUM"));
    }
    for label in &wanted.group_by {
        let known = label == CONNECTOR_ID || (metric.reading == Reading::State && label == STATUS) || label == TASK;
        if !known {
            return Err(Refusal::invalid(format!("{label} is not a label of {}", only.metric)));
        }
    }
    if wanted.format.as_deref() == Some("GROUPED") && wanted.group_by.is_empty() {
        return Err(Refusal::invalid("format GROUPED needs group_by"));
    }
    match wanted.limit {
        Some(limit) if !(1..=MOST_GROUPS).contains(&limit) => Err(Refusal::invalid(format!(
            "limit must be a number from 1 to {MOST_GROUPS}"
        ))),
        _ => Ok(metric),
    }
}

/// The connectors that a filter asks for by id.
fn connectors_of(filter: Option<&Filter>) -> Vec<String> {
    match filter {
        Some(Filter::Field { field, op, value }) if field == CONNECTOR_ID && op == "EQ" => {
            value.as_str().map(str::to_owned).into_iter().collect()
        }
        Some(Filter::Compound { filters, .. }) => {
            let mut ids: Vec<String> = filters.iter().flat_map(|filter| connectors_of(Some(filter))).collect();
            ids.sort();
            ids.dedup();
            ids
        }
        _ => Vec::new(),
    }
}

/// Whether labels pass a filter; they are compared as texts (§3).
fn passes(filter: &Filter, labels: &Labels) -> bool {
    match filter {
        Filter::Compound { op, filters } if op == "AND" => filters.iter().all(|filter| passes(filter, labels)),
        Filter::Compound { filters, .. } => filters.iter().any(|filter| passes(filter, labels)),
        Filter::Not { filter, .. } => !passes(filter, labels),
        Filter::Field { field, op, value } => {
            let wanted = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            labels.get(field.as_str()).is_some_and(|found| match op.as_str() {
                "GT" => *found > wanted,
                "GTE" => *found >= wanted,
                _ => *found == wanted,
            })
        }
    }
}

/// The intervals in minutes, when the granularity allows them.
fn windows(now: Timestamp, wanted: &QueryRequest) -> Result<Vec<(i64, i64)>, Refusal> {
    let mut windows = Vec::new();
    for written in &wanted.intervals {
        let (from, to) =
            interval::read(written, now).ok_or_else(|| Refusal::invalid(format!("`{written}` is not an interval")))?;
        let length = Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO);
        if wanted.granularity.longest().is_some_and(|longest| length > longest) {
            return Err(Refusal::invalid(format!(
                "the interval `{written}` is too long for the granularity"
            )));
        }
        windows.push((minute_of(from), minute_of(to).min(ready(now))));
    }
    match windows.is_empty() {
        true => Err(Refusal::invalid("intervals must not be empty")),
        false => Ok(windows),
    }
}

/// A group by the values of its labels, with its buckets.
type Groups = BTreeMap<Vec<String>, BTreeMap<Timestamp, Bucket>>;

/// What is gathered of a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    sum: f64,
    count: f64,
}

fn gather(tx: &Tx<'_>, wanted: &QueryRequest, metric: &Metric, connectors: &[Found], windows: &[(i64, i64)]) -> Groups {
    let length = wanted.granularity.length().map(|length| length.as_secs() / 60);
    let length = length.and_then(|minutes| i64::try_from(minutes).ok());
    let mut groups = Groups::new();
    for connector in connectors {
        for (from, to) in windows {
            for (labels, minute, value) in values(tx, connector, metric, *from, *to) {
                if wanted.filter.as_ref().is_some_and(|filter| !passes(filter, &labels)) {
                    continue;
                }
                let group = wanted.group_by.iter().map(|label| labels.get(label.as_str()).cloned());
                let Some(group) = group.collect::<Option<Vec<String>>>() else {
                    continue;
                };
                // Buckets are aligned to UTC; the whole interval is one that begins where it begins.
                let bucket = length.map_or(*from, |length| minute.div_euclid(length) * length);
                let bucket = groups.entry(group).or_default().entry(begin_of(bucket)).or_default();
                bucket.sum += value;
                bucket.count += 1.0;
            }
        }
    }
    groups
}

/// Groups as they are sent: sorted by their labels, the latest points first (§3).
fn answer(request: &Request, wanted: &QueryRequest, metric: &Metric, groups: Groups) -> Result<Value, Refusal> {
    // Over time, counts are added up and everything else is averaged.
    let value = |bucket: Bucket| match metric.reading {
        Reading::Count => bucket.sum,
        Reading::Gauge | Reading::State => bucket.sum / bucket.count,
    };
    let limit = usize::try_from(wanted.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX);
    let skipped = match request.query("page_token") {
        None => 0,
        Some(_) if wanted.group_by.is_empty() => {
            return Err(Refusal::invalid("pages need group_by"));
        }
        Some(token) => read_token(token).ok_or_else(|| Refusal::invalid("the page token is not one of ours"))?,
    };
    let all = groups.len();
    let mut data = Vec::new();
    for (group, buckets) in groups.into_iter().skip(skipped).take(limit) {
        let labels = wanted.group_by.iter().cloned().zip(group.into_iter().map(Value::from));
        let labels: serde_json::Map<String, Value> = labels.collect();
        let points = buckets
            .into_iter()
            .rev()
            .map(|(at, bucket)| json!({ "timestamp": at, "value": value(bucket) }));
        if wanted.format.as_deref() == Some("GROUPED") {
            let mut group = labels;
            group.insert("points".to_owned(), points.collect());
            data.push(Value::Object(group));
        } else {
            data.extend(points.map(|mut point| {
                if let Some(fields) = point.as_object_mut() {
                    fields.extend(labels.clone());
                }
                point
            }));
        }
    }
    let mut answer = json!({ "data": data });
    let next = skipped.saturating_add(limit);
    if next < all && !wanted.group_by.is_empty() {
        let meta = Meta {
            pagination: Pagination {
                page_size: u32::try_from(limit).unwrap_or(u32::MAX),
                total_size: None,
                next_page_token: Some(token_of(next)),
            },
        };
        answer["meta"] = json!(meta);
    }
    Ok(answer)
}

fn token_of(skipped: usize) -> String {
    URL_SAFE_NO_PAD.encode(skipped.to_string())
}

fn read_token(token: &str) -> Option<usize> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?)
        .ok()?
        .parse()
        .ok()
}
