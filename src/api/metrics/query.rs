//! Queries of one metric for any number of connectors (docs/reference/metrics.md#queries).

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CONNECTOR_ID, QUERY};
use crate::api::{Endpoint, RetrySafety};

/// Length of the time buckets, which are aligned to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the values of the service")]
pub enum Granularity {
    #[serde(rename = "PT1M")]
    Minute,
    #[serde(rename = "PT5M")]
    FiveMinutes,
    #[serde(rename = "PT15M")]
    QuarterHour,
    #[serde(rename = "PT30M")]
    HalfHour,
    #[serde(rename = "PT1H")]
    Hour,
    #[serde(rename = "PT4H")]
    FourHours,
    #[serde(rename = "PT6H")]
    SixHours,
    #[serde(rename = "PT12H")]
    TwelveHours,
    #[serde(rename = "P1D")]
    Day,
    #[serde(rename = "ALL")]
    All,
}

impl Granularity {
    /// Returns the length of a bucket; `None` for the whole interval.
    #[must_use]
    pub const fn bucket_length(self) -> Option<Duration> {
        let minutes = match self {
            Self::Minute => 1,
            Self::FiveMinutes => 5,
            Self::QuarterHour => 15,
            Self::HalfHour => 30,
            Self::Hour => 60,
            Self::FourHours => 240,
            Self::SixHours => 360,
            Self::TwelveHours => 720,
            Self::Day => 1_440,
            Self::All => return None,
        };
        Some(Duration::from_mins(minutes))
    }

    /// Returns the longest interval that the service allows; `None` if there is no limit.
    #[must_use]
    pub const fn max_interval(self) -> Option<Duration> {
        let hours = match self {
            Self::Minute => 6,
            Self::FiveMinutes => 24,
            Self::QuarterHour => 4 * 24,
            Self::HalfHour => 7 * 24,
            _ => return None,
        };
        Some(Duration::from_hours(hours))
    }

    /// Returns the finest granularity that the service allows for an interval.
    #[must_use]
    pub fn finest_for(interval: Duration) -> Self {
        let fine = [Self::Minute, Self::FiveMinutes, Self::QuarterHour, Self::HalfHour];
        let fits = |granularity: &Self| granularity.max_interval().is_none_or(|longest| interval <= longest);
        fine.into_iter().find(fits).unwrap_or(Self::Hour)
    }
}

/// Filter of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetricFilter {
    /// Conjunction or disjunction of filters.
    Compound {
        /// `AND`, `OR`.
        op: String,
        /// Combined filters.
        filters: Vec<MetricFilter>,
    },
    /// Negation of a filter.
    Not {
        /// `NOT`.
        op: String,
        /// Negated filter.
        filter: Box<MetricFilter>,
    },
    /// Comparison of a label with a value.
    Field {
        /// Name of the label.
        field: String,
        /// `EQ`, `GT`, `GTE`.
        op: String,
        /// Value to compare with.
        value: Value,
    },
}

impl MetricFilter {
    /// Creates a filter for these connectors.
    #[must_use]
    pub fn for_connectors(ids: &[String]) -> Self {
        let one = |id: &String| Self::Field {
            field: CONNECTOR_ID.to_owned(),
            op: "EQ".to_owned(),
            value: Value::from(id.as_str()),
        };
        match ids {
            [id] => one(id),
            ids => Self::Compound {
                op: "OR".to_owned(),
                filters: ids.iter().map(one).collect(),
            },
        }
    }
}

/// Aggregated metric. A request contains exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregation {
    /// Name of the metric.
    pub metric: String,
    /// Aggregation function. If absent, the service selects it; a wrong one is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agg: Option<String>,
}

/// Body of a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRequest {
    /// The metric to query.
    pub aggregations: Vec<Aggregation>,
    /// Filter; it must contain a resource that the key may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<MetricFilter>,
    /// Length of the buckets.
    pub granularity: Granularity,
    /// ISO 8601 intervals.
    pub intervals: Vec<String>,
    /// Labels to group by; if empty, all values form one group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// `FLAT` (the default) or `GROUPED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Maximum number of groups; the default is 100, the limit 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Maximum number of groups in a response.
pub const MAX_GROUPS: u32 = 1_000;

/// Reads one metric of connectors over time, grouped by connector.
#[derive(Clone, Debug)]
pub struct QueryMetrics {
    /// Full name of the metric.
    pub metric: String,
    /// Ids of the connectors.
    pub connectors: Vec<String>,
    /// Additional labels to group by.
    pub by: Vec<&'static str>,
    /// Start of the time range.
    pub from: Timestamp,
    /// End of the time range.
    pub to: Timestamp,
    /// Length of the buckets.
    pub granularity: Granularity,
    /// Page token; `None` for the first page.
    pub page: Option<String>,
}

impl Endpoint for QueryMetrics {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = QUERY;
    // The query only reads.
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = QueryResponse;

    fn query(&self) -> Vec<(&'static str, String)> {
        self.page.iter().map(|token| ("page_token", token.clone())).collect()
    }

    fn body(&self) -> Option<Value> {
        let groups = [CONNECTOR_ID].iter().chain(&self.by).map(|label| (*label).to_owned());
        let request = QueryRequest {
            aggregations: vec![Aggregation {
                metric: self.metric.clone(),
                agg: None,
            }],
            filter: Some(MetricFilter::for_connectors(&self.connectors)),
            granularity: self.granularity,
            intervals: vec![format!("{}/{}", self.from, self.to)],
            group_by: groups.collect(),
            format: Some("GROUPED".to_owned()),
            limit: Some(MAX_GROUPS),
        };
        serde_json::to_value(request).ok()
    }

    fn action(&self) -> &'static str {
        "read"
    }

    fn subject(&self) -> String {
        format!("metric `{}`", self.metric)
    }
}

/// Response to a query, grouped or flat. An empty response has the same form in both formats
/// (docs/reference/metrics.md#queries).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct QueryResponse {
    /// Groups or points.
    #[serde(default)]
    pub data: Vec<QuerySeries>,
    /// Link to the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<QueryMeta>,
}

/// Metadata of a response.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct QueryMeta {
    /// Pagination of the response.
    #[serde(default)]
    pub pagination: QueryPagination,
}

/// Pagination of a response.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct QueryPagination {
    /// Maximum number of elements in a page.
    #[serde(default)]
    pub page_size: u32,
    /// Number of elements in all pages, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_size: Option<u32>,
    /// Token of the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Group with its points, or one point of a flat response.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct QuerySeries {
    /// Points of the group, in undefined order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Vec<Point>>,
    /// Time of a flat point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Value of a flat point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Labels of the group.
    #[serde(flatten)]
    pub labels: BTreeMap<String, Value>,
}

impl QuerySeries {
    /// Returns the value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).and_then(Value::as_str)
    }

    /// Returns the points in ascending order: the documents promise descending order, but their examples ascend.
    #[must_use]
    pub fn sorted_points(&self) -> Vec<Point> {
        let own = self.timestamp.zip(self.value);
        let own = own.map(|(timestamp, value)| Point { timestamp, value });
        let mut points: Vec<Point> = self.points.iter().flatten().copied().chain(own).collect();
        points.sort_by_key(|point| point.timestamp);
        points
    }
}

/// Value in a time bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Start of the bucket.
    pub timestamp: Timestamp,
    /// The value.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    // Source: docs/reference/metrics.md#queries (request).
    #[test]
    fn a_query_is_grouped_by_connector() {
        let mut query = QueryMetrics {
            metric: "io.confluent.kafka.connect/received_records".into(),
            connectors: vec!["lcc-8kq2zm".into(), "lcc-4vn7ra".into()],
            by: Vec::new(),
            from: moment("2026-08-20T07:00:00Z"),
            to: moment("2026-08-20T08:00:00Z"),
            granularity: Granularity::Minute,
            page: None,
        };
        let field = |id| json!({ "field": "resource.connector.id", "op": "EQ", "value": id });
        let expected = json!({
            "aggregations": [{ "metric": "io.confluent.kafka.connect/received_records" }],
            "filter": { "op": "OR", "filters": [field("lcc-8kq2zm"), field("lcc-4vn7ra")] },
            "granularity": "PT1M", "intervals": ["2026-08-20T07:00:00Z/2026-08-20T08:00:00Z"],
            "group_by": ["resource.connector.id"], "format": "GROUPED", "limit": 1000,
        });
        assert_eq!(query.body(), Some(expected));
        query.connectors.truncate(1);
        query.by = vec!["metric.status"];
        let body = query.body().unwrap();
        assert_eq!(body["filter"], field("lcc-8kq2zm"));
        assert_eq!(body["group_by"], json!(["resource.connector.id", "metric.status"]));
    }

    // Source: docs/reference/metrics.md#queries. Both formats, and the empty response that fits both.
    #[test]
    fn grouped_and_flat_responses_are_parsed_and_sorted() {
        let read = |value: Value| serde_json::from_value::<QueryResponse>(value).unwrap();
        let grouped = read(json!({ "data": [{ "resource.connector.id": "lcc-1", "points": [
            { "timestamp": "2026-08-20T08:01:00Z", "value": 1840.0 },
            { "timestamp": "2026-08-20T08:00:00+00:00", "value": 1795 },
        ] }] }));
        let values: Vec<_> = grouped.data[0]
            .sorted_points()
            .iter()
            .map(|point| point.value)
            .collect();
        assert_eq!(values, [1795.0, 1840.0]);
        assert_eq!(grouped.data[0].label("resource.connector.id"), Some("lcc-1"));
        let flat = read(json!({
            "data": [{ "timestamp": "2026-08-20T08:01:00Z", "value": 1.5, "resource.connector.id": "lcc-1" }],
            "meta": { "pagination": { "page_size": 1000, "next_page_token": "t" } },
        }));
        assert_eq!(flat.data[0].sorted_points().len(), 1);
        assert_eq!(flat.meta.unwrap().pagination.next_page_token.as_deref(), Some("t"));
        assert!(read(json!({ "data": [] })).data.is_empty());
    }

    // Source: docs/reference/metrics.md#queries. PT1M ≤ 6 h · PT5M ≤ 1 d · PT15M ≤ 4 d · PT30M ≤ 7 d.
    #[test]
    fn the_finest_granularity_is_allowed_for_the_interval() {
        let finest = |hours| Granularity::finest_for(Duration::from_hours(hours));
        assert_eq!(finest(6), Granularity::Minute);
        assert_eq!(finest(7), Granularity::FiveMinutes);
        assert_eq!(finest(25), Granularity::QuarterHour);
        assert_eq!(finest(7 * 24), Granularity::HalfHour);
        assert_eq!(finest(7 * 24 + 1), Granularity::Hour);
    }
}
