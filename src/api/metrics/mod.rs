//! `v2/metrics`: the Metrics API, dataset `cloud` (ccloud-sdk-go-v2 `metrics/v2/api/openapi.yaml`;
//! docs/reference/metrics.md). It lives on a host of its own.

pub mod descriptors;
pub mod export;
pub mod inventory;
pub mod query;

use std::time::Duration;

pub use descriptors::{Descriptors, LabelDescriptor, ListMetrics, ListResources, MetricDescriptor, ResourceDescriptor};
pub use export::{ExportMetrics, Sample, parse_export};
pub use inventory::{METRICS, Metric, MetricDirection, MetricKind, MetricUnit};
pub use query::{Granularity, MetricFilter, Point, QueryMeta, QueryMetrics, QueryRequest, QueryResponse, QuerySeries};

/// Values over time.
pub const QUERY: &str = "/v2/metrics/cloud/query";
/// The latest values of everything, as text for Prometheus.
pub const EXPORT: &str = "/v2/metrics/cloud/export";
/// Which metrics there are.
pub const METRIC_DESCRIPTORS: &str = "/v2/metrics/cloud/descriptors/metrics";
/// Which kinds of things have metrics.
pub const RESOURCE_DESCRIPTORS: &str = "/v2/metrics/cloud/descriptors/resources";

/// The host of the Metrics API (docs/reference/metrics.md#access).
pub const METRICS_HOST: &str = "https://api.telemetry.confluent.cloud";

/// The label that says which connector (docs/reference/metrics.md#connector-metrics).
pub const CONNECTOR_ID: &str = "resource.connector.id";
/// The label with the state, for the two metrics about states. That it is called so is inferred
/// (docs/reference/metrics.md#connector-metrics).
pub const STATUS: &str = "metric.status";
/// The label with the task. Inferred (docs/reference/metrics.md#connector-metrics).
pub const TASK: &str = "metric.task";

/// How many requests all who share an address may send per minute (docs/reference/metrics.md#limits-and-delay).
pub const REQUESTS_PER_MINUTE: u32 = 60;
/// How many exports a principal may ask for per resource and hour (docs/reference/metrics.md#limits-and-delay).
pub const EXPORTS_PER_HOUR: u32 = 80;
/// How late values are (docs/reference/metrics.md#limits-and-delay).
pub const PUBLISH_DELAY: Duration = Duration::from_mins(5);
/// How long values are kept: documented for the API in general (docs/reference/metrics.md#limits-and-delay).
pub const HISTORY: Duration = Duration::from_hours(7 * 24);
