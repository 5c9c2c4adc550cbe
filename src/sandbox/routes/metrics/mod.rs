//! Metrics API (docs/reference/metrics.md): queries, exports, descriptors.

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
use series::{MeteredConnector, MetricLabels, find_connector, metric_values};

use crate::{
    access::{Operation, operations_of_binding},
    api::metrics::{
        CONNECTOR_ID, METRICS, Metric, MetricFilter, MetricKind, PUBLISH_DELAY, QueryRequest, REQUESTS_PER_MINUTE,
        STATUS, TASK,
        query::{MAX_GROUPS, QueryMeta, QueryPagination},
    },
    model::{Crn, ResourceKind, Role},
    sandbox::{
        assumptions::ListVisibility,
        connector::metrics_sim::{minute_number, minute_start},
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        tx::Tx,
    },
};

/// Default number of groups in a response.
const DEFAULT_LIMIT: u32 = 100;

/// Returns the last minute whose values are available.
fn last_published_minute(now: Timestamp) -> i64 {
    minute_number(now.saturating_sub(PUBLISH_DELAY).unwrap_or(now))
}

/// Counts a request against the rate limit, which applies per IP address (docs/reference/metrics.md#limits-and-delay)
/// and therefore to all clients of the sandbox.
fn consume_rate(tx: &mut Tx<'_>) -> Result<(), ErrorReply> {
    tx.consume_rate("metrics", REQUESTS_PER_MINUTE, Duration::from_mins(1))
}

/// Returns whether the caller may read the metrics of a connector. docs/reference/metrics.md#who-may-read-metrics lists
/// the intended roles; the effect of a role on the connector alone is assumption Q5.
fn can_read_metrics(tx: &Tx<'_>, crn: &Crn) -> bool {
    let Ok(principal) = tx.principal() else { return false };
    let meant = |role: &Role| {
        matches!(
            role,
            Role::MetricsViewer | Role::OrganizationAdmin | Role::EnvironmentAdmin | Role::CloudClusterAdmin
        )
    };
    let mut bindings = tx.state.roles_of(principal);
    match tx.assumptions().connector_metrics {
        ListVisibility::Refused => bindings.any(|binding| {
            meant(&binding.role) && operations_of_binding(binding, crn).contains(Operation::ViewMetrics)
        }),
        ListVisibility::Filtered => tx.is_allowed(Operation::ViewMetrics, crn),
        ListVisibility::Everything => {
            tx.is_allowed(Operation::ViewMetrics, crn)
                || bindings.any(|binding| {
                    let cluster = crn.value_of(ResourceKind::Cluster);
                    cluster.is_some() && binding.pattern.value_of(ResourceKind::Cluster) == cluster
                })
        }
    }
}

/// Returns the connectors with these ids; 403 if one does not exist or the caller may not read its metrics.
fn readable_connectors(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<MeteredConnector>, ErrorReply> {
    ids.iter()
        .map(|id| {
            let refused = || ErrorReply::forbidden(format!("not authorized to read metrics of connector.id:{id}"));
            let found = find_connector(tx, id).ok_or_else(refused)?;
            can_read_metrics(tx, &found.crn).then_some(found).ok_or_else(refused)
        })
        .collect()
}

pub(crate) fn query(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    consume_rate(tx)?;
    let wanted: QueryRequest = request.parse_json()?;
    let metric = validate_query(&wanted)?;
    let ids = connector_ids(wanted.filter.as_ref());
    if ids.is_empty() {
        return Err(ErrorReply::invalid(format!("a filter on {CONNECTOR_ID} is required")));
    }
    let connectors = readable_connectors(tx, &ids)?;
    let windows = query_windows(tx.now, &wanted)?;
    let groups = group_values(tx, &wanted, metric, &connectors, &windows);
    Ok(Reply::ok(query_response(request, &wanted, metric, groups)?))
}

/// Validates a query and returns its metric (docs/reference/metrics.md#queries).
fn validate_query(wanted: &QueryRequest) -> Result<&'static Metric, ErrorReply> {
    let [only] = wanted.aggregations.as_slice() else {
        return Err(ErrorReply::invalid("exactly one aggregation is supported"));
    };
    let metric = METRICS.iter().find(|metric| metric.name() == only.metric);
    let metric = metric.ok_or_else(|| ErrorReply::invalid(format!("unknown metric {}", only.metric)))?;
    if only.agg.as_deref().is_some_and(|agg| agg != "SUM") {
        return Err(ErrorReply::invalid("aggregations[0].agg must be SUM"));
    }
    for label in &wanted.group_by {
        let known = label == CONNECTOR_ID || (metric.kind == MetricKind::State && label == STATUS) || label == TASK;
        if !known {
            return Err(ErrorReply::invalid(format!(
                "{label} is not a label of {}",
                only.metric
            )));
        }
    }
    if wanted.format.as_deref() == Some("GROUPED") && wanted.group_by.is_empty() {
        return Err(ErrorReply::invalid("format GROUPED requires group_by"));
    }
    match wanted.limit {
        Some(limit) if !(1..=MAX_GROUPS).contains(&limit) => Err(ErrorReply::invalid(format!(
            "limit must be a number from 1 to {MAX_GROUPS}"
        ))),
        _ => Ok(metric),
    }
}

/// Returns the connector ids in a filter.
fn connector_ids(filter: Option<&MetricFilter>) -> Vec<String> {
    match filter {
        Some(MetricFilter::Field { field, op, value }) if field == CONNECTOR_ID && op == "EQ" => {
            value.as_str().map(str::to_owned).into_iter().collect()
        }
        Some(MetricFilter::Compound { filters, .. }) => {
            let mut ids: Vec<String> = filters.iter().flat_map(|filter| connector_ids(Some(filter))).collect();
            ids.sort();
            ids.dedup();
            ids
        }
        _ => Vec::new(),
    }
}

/// Returns whether labels match a filter; values are compared as texts (docs/reference/metrics.md#queries).
fn matches_filter(filter: &MetricFilter, labels: &MetricLabels) -> bool {
    match filter {
        MetricFilter::Compound { op, filters } if op == "AND" => {
            filters.iter().all(|filter| matches_filter(filter, labels))
        }
        MetricFilter::Compound { filters, .. } => filters.iter().any(|filter| matches_filter(filter, labels)),
        MetricFilter::Not { filter, .. } => !matches_filter(filter, labels),
        MetricFilter::Field { field, op, value } => {
            let wanted = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            labels.get(field.as_str()).is_some_and(|found| match op.as_str() {
                "GT" => *found > wanted,
                "GTE" => *found >= wanted,
                _ => *found == wanted,
            })
        }
    }
}

/// Returns the intervals in minutes, if the granularity allows them.
fn query_windows(now: Timestamp, wanted: &QueryRequest) -> Result<Vec<(i64, i64)>, ErrorReply> {
    let mut windows = Vec::new();
    for written in &wanted.intervals {
        let (from, to) = interval::parse_interval(written, now)
            .ok_or_else(|| ErrorReply::invalid(format!("invalid interval `{written}`")))?;
        let length = Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO);
        if wanted
            .granularity
            .max_interval()
            .is_some_and(|longest| length > longest)
        {
            return Err(ErrorReply::invalid(format!(
                "the interval `{written}` is too long for the granularity"
            )));
        }
        windows.push((minute_number(from), minute_number(to).min(last_published_minute(now))));
    }
    match windows.is_empty() {
        true => Err(ErrorReply::invalid("intervals must not be empty")),
        false => Ok(windows),
    }
}

/// Groups by label values, with the buckets of each group.
type MetricGroups = BTreeMap<Vec<String>, BTreeMap<Timestamp, GroupBucket>>;

/// Accumulated values of a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct GroupBucket {
    sum: f64,
    count: f64,
}

fn group_values(
    tx: &Tx<'_>,
    wanted: &QueryRequest,
    metric: &Metric,
    connectors: &[MeteredConnector],
    windows: &[(i64, i64)],
) -> MetricGroups {
    let length = wanted.granularity.bucket_length().map(|length| length.as_secs() / 60);
    let length = length.and_then(|minutes| i64::try_from(minutes).ok());
    let mut groups = MetricGroups::new();
    for connector in connectors {
        for (from, to) in windows {
            for (labels, minute, value) in metric_values(tx, connector, metric, *from, *to) {
                if wanted
                    .filter
                    .as_ref()
                    .is_some_and(|filter| !matches_filter(filter, &labels))
                {
                    continue;
                }
                let group = wanted.group_by.iter().map(|label| labels.get(label.as_str()).cloned());
                let Some(group) = group.collect::<Option<Vec<String>>>() else {
                    continue;
                };
                // Buckets are aligned to UTC; the granularity `ALL` has one bucket that starts with the interval.
                let bucket = length.map_or(*from, |length| minute.div_euclid(length) * length);
                let bucket = groups
                    .entry(group)
                    .or_default()
                    .entry(minute_start(bucket))
                    .or_default();
                bucket.sum += value;
                bucket.count += 1.0;
            }
        }
    }
    groups
}

/// Returns the groups for a response, sorted by labels and with the latest points first
/// (docs/reference/metrics.md#queries).
fn query_response(
    request: &ApiRequest,
    wanted: &QueryRequest,
    metric: &Metric,
    groups: MetricGroups,
) -> Result<Value, ErrorReply> {
    // Counters are summed over time; all other values are averaged.
    let value = |bucket: GroupBucket| match metric.kind {
        MetricKind::Count => bucket.sum,
        MetricKind::Gauge | MetricKind::State => bucket.sum / bucket.count,
    };
    let limit = usize::try_from(wanted.limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX);
    let skipped = match request.query("page_token") {
        None => 0,
        Some(_) if wanted.group_by.is_empty() => {
            return Err(ErrorReply::invalid("pagination requires group_by"));
        }
        Some(token) => parse_token(token).ok_or_else(|| ErrorReply::invalid("invalid page token"))?,
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
        let meta = QueryMeta {
            pagination: QueryPagination {
                page_size: u32::try_from(limit).unwrap_or(u32::MAX),
                total_size: None,
                next_page_token: Some(encode_token(next)),
            },
        };
        answer["meta"] = json!(meta);
    }
    Ok(answer)
}

fn encode_token(skipped: usize) -> String {
    URL_SAFE_NO_PAD.encode(skipped.to_string())
}

fn parse_token(token: &str) -> Option<usize> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?)
        .ok()?
        .parse()
        .ok()
}
