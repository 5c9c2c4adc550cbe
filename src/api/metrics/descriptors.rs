//! Which metrics there are, and which kinds of things have them.

use http::Method;
use serde::{Deserialize, Serialize};

use super::{METRIC_DESCRIPTORS, RESOURCE_DESCRIPTORS, query::QueryMeta};
use crate::api::{Endpoint, RetrySafety};

/// A list of descriptors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Descriptors<T> {
    /// The descriptors.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    /// Where the next page is.
    #[serde(default)]
    pub meta: QueryMeta,
}

/// A label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDescriptor {
    /// Its name, without `metric.` or `resource.`.
    #[serde(default)]
    pub key: String,
    /// What it says.
    #[serde(default)]
    pub description: String,
    /// Whether exports hold it.
    #[serde(default)]
    pub exportable: bool,
}

/// A metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricDescriptor {
    /// Its whole name.
    pub name: String,
    /// What it measures.
    #[serde(default)]
    pub description: String,
    /// `1`, `By`, `ms`.
    #[serde(default)]
    pub unit: String,
    /// `COUNTER_INT64`, `GAUGE_DOUBLE`, …: an open list.
    #[serde(rename = "type", default)]
    pub metric_type: String,
    /// Whether exports hold it.
    #[serde(default)]
    pub exportable: bool,
    /// `PREVIEW`, `GENERAL_AVAILABILITY`, `DEPRECATED`.
    #[serde(default)]
    pub lifecycle_stage: String,
    /// Which kinds of things have it.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<LabelDescriptor>,
}

/// A kind of thing that has metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDescriptor {
    /// `connector`, `kafka`, …
    #[serde(rename = "type")]
    pub resource_type: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Its labels.
    #[serde(default)]
    pub labels: Vec<LabelDescriptor>,
}

/// The largest page.
pub const PAGE_SIZE: u32 = 1_000;

fn page_query(page: Option<&String>) -> Vec<(&'static str, String)> {
    let mut query = vec![("page_size", PAGE_SIZE.to_string())];
    query.extend(page.map(|token| ("page_token", token.clone())));
    query
}

/// Lists the metrics of connectors.
#[derive(Clone, Debug, Default)]
pub struct ListMetrics {
    /// The page; `None` for the first.
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

/// Lists the kinds of things that have metrics.
#[derive(Clone, Debug, Default)]
pub struct ListResources {
    /// The page; `None` for the first.
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
