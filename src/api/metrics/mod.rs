//! `v2/metrics`: the Metrics API, dataset `cloud` (ccloud-sdk-go-v2 `metrics/v2/api/openapi.yaml`;
//! docs/reference/metrics.md). It has its own host.

pub mod descriptors;
pub mod export;
pub mod inventory;
pub mod query;

use std::time::Duration;

pub use descriptors::{Descriptors, LabelDescriptor, ListMetrics, ListResources, MetricDescriptor, ResourceDescriptor};
pub use export::{ExportMetrics, Sample, parse_export};
pub use inventory::{METRICS, Metric, MetricDirection, MetricKind, MetricUnit};
pub use query::{Granularity, MetricFilter, Point, QueryMeta, QueryMetrics, QueryRequest, QueryResponse, QuerySeries};

/// Path of queries for values over time.
pub const QUERY: &str = "/v2/metrics/cloud/query";
/// Path of the Prometheus export.
pub const EXPORT: &str = "/v2/metrics/cloud/export";
/// Path of the metric descriptors.
pub const METRIC_DESCRIPTORS: &str = "/v2/metrics/cloud/descriptors/metrics";
/// Path of the resource type descriptors.
pub const RESOURCE_DESCRIPTORS: &str = "/v2/metrics/cloud/descriptors/resources";

/// Host of the Metrics API (docs/reference/metrics.md#access).
pub const METRICS_HOST: &str = "https://api.telemetry.confluent.cloud";

/// Label with the id of the connector (docs/reference/metrics.md#connector-metrics).
pub const CONNECTOR_ID: &str = "resource.connector.id";
/// Label with the state, for the two metrics about states. Its name is inferred
/// (docs/reference/metrics.md#connector-metrics).
pub const STATUS: &str = "metric.status";
/// Label with the task number. Its name is inferred (docs/reference/metrics.md#connector-metrics).
pub const TASK: &str = "metric.task";

/// Rate limit per client IP address (docs/reference/metrics.md#limits-and-delay).
pub const REQUESTS_PER_MINUTE: u32 = 60;
/// Rate limit of exports per principal and resource (docs/reference/metrics.md#limits-and-delay).
pub const EXPORTS_PER_HOUR: u32 = 80;
/// Delay until values are available (docs/reference/metrics.md#limits-and-delay).
pub const PUBLISH_DELAY: Duration = Duration::from_mins(5);
/// Retention of values; documented for the API as a whole (docs/reference/metrics.md#limits-and-delay).
pub const HISTORY: Duration = Duration::from_hours(7 * 24);
