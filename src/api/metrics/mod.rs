//! `v2/metrics`: the Metrics API, dataset `cloud` (ccloud-sdk-go-v2 `metrics/v2/api/openapi.yaml`; dossier `metrics.md`).
//! It lives on a host of its own.

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

/// The host of the Metrics API (dossier `metrics.md` §1).
pub const METRICS_HOST: &str = "https://api.telemetry.confluent.cloud";

/// The label that says which connector (§2).
pub const CONNECTOR_ID: &str = "resource.connector.id";
/// The label with the state, for the two metrics about states. That it is called so is inferred (§2).
pub const STATUS: &str = "metric.status";
/// The label with the task. Inferred (§2).
pub const TASK: &str = "metric.task";

/// How many requests all who share an address may send per minute (§5).
pub const REQUESTS_PER_MINUTE: u32 = 60;
/// How many exports a principal may ask for per resource and hour (§5).
pub const EXPORTS_PER_HOUR: u32 = 80;
/// How late values are (§5).
pub const PUBLISH_DELAY: Duration = Duration::from_mins(5);
/// How long values are kept: documented for the API in general (§5).
pub const HISTORY: Duration = Duration::from_hours(7 * 24);
