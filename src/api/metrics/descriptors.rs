//! Descriptors of the available metrics and of the resource types that have metrics.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{METRIC_DESCRIPTORS, RESOURCE_DESCRIPTORS, query::QueryMeta};
use crate::api::{Endpoint, RetrySafety};

/// A list of descriptors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Descriptors<T> {
    /// Descriptors of this page.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    /// Link to the next page.
    #[serde(default)]
    pub meta: QueryMeta,
}

/// Descriptor of a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDescriptor {
    /// Name without the prefix `metric.` or `resource.`.
    #[serde(default)]
    pub key: String,
    /// Description of the label.
    #[serde(default)]
    pub description: String,
    /// Whether the export endpoint includes the label.
    #[serde(default)]
    pub exportable: bool,
}

/// Descriptor of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricDescriptor {
    /// Full name of the metric.
    pub name: String,
    /// Description of the metric.
    #[serde(default)]
    pub description: String,
    /// `1`, `By`, `ms`.
    #[serde(default)]
    pub unit: String,
    /// `COUNTER_INT64`, `GAUGE_DOUBLE`, …; new values may appear.
    #[serde(rename = "type", default)]
    pub metric_type: String,
    /// Whether the export endpoint includes the metric.
    #[serde(default)]
    pub exportable: bool,
    /// `PREVIEW`, `GENERAL_AVAILABILITY`, `DEPRECATED`.
    #[serde(default)]
    pub lifecycle_stage: String,
    /// Resource types that have the metric.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Labels of the metric.
    #[serde(default)]
    pub labels: Vec<LabelDescriptor>,
}

/// Descriptor of a resource type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDescriptor {
    /// `connector`, `kafka`, …
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Description of the resource type.
    #[serde(default)]
    pub description: String,
    /// Labels of the resource type.
    #[serde(default)]
    pub labels: Vec<LabelDescriptor>,
}

/// Maximum page size.
pub const PAGE_SIZE: u32 = 1_000;

fn page_query(page: Option<&String>) -> Vec<(&'static str, String)> {
    let mut query = vec![("page_size", PAGE_SIZE.to_string())];
    query.extend(page.map(|token| ("page_token", token.clone())));
    query
}

/// Lists the descriptors of the connector metrics.
#[derive(Clone, Debug, Default)]
pub struct ListMetrics {
    /// Page token; `None` for the first page.
    pub page: Option<String>,
}

impl Endpoint for ListMetrics {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = METRIC_DESCRIPTORS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = Descriptors<MetricDescriptor>;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = page_query(self.page.as_ref());
        query.push(("resource_type", "connector".to_owned()));
        query
    }

    fn subject(&self) -> String {
        "the metrics of connectors".to_owned()
    }
}

/// Lists the descriptors of the resource types.
#[derive(Clone, Debug, Default)]
pub struct ListResources {
    /// Page token; `None` for the first page.
    pub page: Option<String>,
}

impl Endpoint for ListResources {
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = RESOURCE_DESCRIPTORS;
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = Descriptors<ResourceDescriptor>;

    fn query(&self) -> Vec<(&'static str, String)> {
        page_query(self.page.as_ref())
    }

    fn subject(&self) -> String {
        "the resources of the Metrics API".to_owned()
    }
}
