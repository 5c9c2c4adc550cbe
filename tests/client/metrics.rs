//! Faulty responses of the Metrics API (docs/reference/metrics.md#queries and
//! docs/reference/metrics.md#limits-and-delay).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use confluent_ebs::{
    api::connect::ExpandedConnector,
    client::{ClientError, MetricsClient},
    resources::{
        connector::LiveConnector,
        metrics::{MetricsResult, TimeBuckets, read_metrics},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{
    JsonAccess as _,
    scripted_service::{ScriptedTransport, TestClient, http_response},
};

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn observed_connector(name: &str, id: &str, direction: &str) -> LiveConnector {
    let now: ExpandedConnector = serde_json::from_value(json!({
        "id": { "id": id, "id_type": "ID" },
        "info": { "name": name, "type": direction, "config": {}, "tasks": [] },
        "status": { "name": name, "type": direction, "connector": { "state": "RUNNING", "worker_id": name }, "tasks": [] },
    }))
    .unwrap();
    LiveConnector {
        name: name.to_owned(),
        expanded: now,
    }
}

/// Last segment of the metric's name.
fn metric_suffix(body: &Value) -> String {
    let name = body.text("/aggregations/0/metric");
    name.strip_prefix("io.confluent.kafka.connect/").unwrap().to_owned()
}

type RequestBodies = Arc<Mutex<Vec<Value>>>;

/// Queries two connectors; `script` answers by the metric's name, the number of its requests, and the request.
async fn query_metrics(
    script: impl Fn(&str, usize, &http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static,
) -> (Result<MetricsResult, ClientError>, TestClient, RequestBodies) {
    let bodies: RequestBodies = Arc::default();
    let heard = bodies.clone();
    let counts: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let transport = ScriptedTransport::new(move |_, request| {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let suffix = metric_suffix(&body);
        heard.lock().unwrap().push(body);
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(suffix.clone()).or_default();
        *count += 1;
        script(&suffix, *count, request)
    });
    let test = TestClient::with_transport("http://127.0.0.1:1", transport, |builder| builder);
    let metrics = MetricsClient::new(&test.client, None);
    let now = timestamp("2026-11-22T12:00:00Z");
    let grid = TimeBuckets::for_range(timestamp("2026-11-22T11:00:00Z"), now, now).unwrap();
    let connectors = [
        observed_connector("claims-orders", "lcc-1", "source"),
        observed_connector("claims-lake", "lcc-2", "sink"),
    ];
    (read_metrics(&metrics, &connectors, grid).await, test, bodies)
}

fn metric_group(id: &str, labels: &Value, values: &[(&str, f64)]) -> Value {
    let point =
        |(minute, value): &(&str, f64)| json!({ "timestamp": format!("2026-11-22T11:{minute}:00Z"), "value": value });
    let mut group = json!({ "resource.connector.id": id, "points": values.iter().map(point).collect::<Vec<_>>() });
    for (label, value) in labels.as_object().unwrap() {
        group[label] = value.clone();
    }
    group
}

fn metrics_response(groups: &[Value]) -> http::Response<Bytes> {
    http_response(200, &[], &json!({ "data": groups }).to_string())
}

// Source: docs/reference/metrics.md#queries. One metric per request for all connectors; each connector is queried only
// for the metrics of its type.
#[tokio::test]
async fn each_metric_is_queried_once_for_the_connectors_that_have_it() {
    let (got, _, bodies) = query_metrics(|_, _, _| metrics_response(&[])).await;
    let got = got.unwrap();
    assert_eq!(got.connectors.len(), 2);
    assert!(
        got.connectors["claims-lake"]
            .metric_series("records_lag_max")
            .is_some_and(|curve| !curve.has_values())
    );
    assert!(
        got.connectors["claims-orders"]
            .metric_series("records_lag_max")
            .is_none()
    );
    let bodies = bodies.lock().unwrap();
    let mut asked: Vec<String> = bodies.iter().map(metric_suffix).collect();
    asked.sort();
    asked.dedup();
    assert_eq!((asked.len(), bodies.len()), (9, 9));
    for body in bodies.iter() {
        let filter = body["filter"].to_string();
        let (source, sink) = match metric_suffix(body).as_str() {
            "sent_records" | "sent_bytes" => (true, false),
            "connector_status" | "connector_task_status" => (true, true),
            _ => (false, true),
        };
        assert_eq!(
            (filter.contains("lcc-1"), filter.contains("lcc-2")),
            (source, sink),
            "{body}"
        );
        assert_eq!(
            (&body["granularity"], &body["format"]),
            (&"PT1M".into(), &"GROUPED".into())
        );
        assert_eq!(body["intervals"], json!(["2026-11-22T11:00:00Z/2026-11-22T11:55:00Z"]));
    }
}

#[tokio::test]
async fn groups_of_other_connectors_and_points_outside_the_interval_are_dropped() {
    let (got, ..) = query_metrics(|suffix, _, _| match suffix {
        "sent_records" => metrics_response(&[
            metric_group("lcc-1", &json!({}), &[("54", 10.0), ("03", 5.0), ("59", 99.0)]),
            // A connector of another department, and a value without a name.
            metric_group("lcc-9", &json!({}), &[("10", 1_000.0)]),
            json!({ "points": [{ "timestamp": "2026-11-22T11:10:00Z", "value": 1000.0 }] }),
        ]),
        "connector_task_status" => metrics_response(&[
            metric_group(
                "lcc-2",
                &json!({ "metric.task": "task-1", "metric.status": "FAILED" }),
                &[("10", 1.0)],
            ),
            metric_group(
                "lcc-2",
                &json!({ "metric.task": "0", "metric.status": "RUNNING" }),
                &[("10", 1.0)],
            ),
            metric_group("lcc-2", &json!({ "metric.status": "RUNNING" }), &[("11", 1.0)]),
        ]),
        _ => metrics_response(&[]),
    })
    .await;
    let got = got.unwrap();
    assert_eq!(
        got.connectors.keys().collect::<Vec<_>>(),
        ["claims-lake", "claims-orders"]
    );
    let sent = got.connectors["claims-orders"].metric_series("sent_records").unwrap();
    assert_eq!(
        (sent.total(), sent.last(), sent.points().count()),
        (Some(15.0), Some(10.0), 2)
    );
    let running = got.connectors["claims-lake"].tasks_running();
    assert_eq!((running.points().count(), running.peak()), (1, Some(1.0)));
}

// Source: docs/reference/metrics.md#limits-and-delay. 60 per minute and IP address; the service may specify the wait.
#[tokio::test]
async fn a_metrics_429_waits_for_its_retry_after() {
    let (got, test, bodies) = query_metrics(|suffix, count, _| match (suffix, count) {
        ("records_lag_max", 1) => http_response(
            429,
            &[("retry-after", "17")],
            r#"{"errors":[{"status":"429","detail":"slow down"}]}"#,
        ),
        _ => metrics_response(&[]),
    })
    .await;
    assert!(got.unwrap().failures.is_empty());
    assert_eq!((test.wait_seconds(), bodies.lock().unwrap().len()), (vec![17], 10));
}

#[tokio::test]
async fn a_failed_metric_query_keeps_the_other_metrics() {
    for broken in [
        (500, r#"{"errors":[{"status":"500","detail":"oh"}]}"#),
        // An unconfirmed label (docs/reference/metrics.md#connector-metrics), a truncated body, and one of another
        // format.
        (
            400,
            r#"{"errors":[{"status":"400","detail":"metric.status is not a label"}]}"#,
        ),
        (200, r#"{"data":[{"resource.connector.id":"lcc-1","points":[{"timest"#),
        (200, r#"{"data":{"lcc-1":[]}}"#),
        (200, "<html>"),
    ] {
        let (got, ..) = query_metrics(move |suffix, _, _| match suffix {
            "connector_status" => http_response(broken.0, &[], broken.1),
            "sent_bytes" => metrics_response(&[metric_group("lcc-1", &json!({}), &[("10", 7.0)])]),
            _ => metrics_response(&[]),
        })
        .await;
        let got = got.unwrap();
        let failed: Vec<&str> = got.failures.iter().map(|(metric, _)| metric.suffix).collect();
        assert_eq!(failed, ["connector_status"], "{broken:?}");
        assert_eq!(
            got.connectors["claims-orders"]
                .metric_series("sent_bytes")
                .unwrap()
                .total(),
            Some(7.0)
        );
        assert!(
            got.connectors["claims-orders"].states.intervals().is_empty(),
            "unknown, not made up"
        );
        // Unread data proves nothing: neither zero values nor a silent connector.
        let (got, ..) = query_metrics(move |suffix, _, _| match suffix {
            "sent_records" => http_response(broken.0, &[], broken.1),
            _ => metrics_response(&[]),
        })
        .await;
        let orders = &got.unwrap().connectors["claims-orders"];
        assert!(orders.metric_series("sent_records").is_none(), "{broken:?}");
        assert!(
            orders
                .metric_series("sent_bytes")
                .is_some_and(|bytes| !bytes.has_values())
        );
        // If nothing can be read, the result is an error.
        let (got, ..) = query_metrics(move |_, _, _| http_response(broken.0, &[], broken.1)).await;
        assert!(got.is_err(), "{broken:?}");
    }
}

#[tokio::test]
async fn a_401_or_403_stops_all_metric_queries() {
    for (status, body) in [
        (403, r#"{"errors":[{"status":"403","detail":"not authorized"}]}"#),
        (403, r#"{"error":{"code":403,"message":"invalid API key"}}"#),
        (401, ""),
    ] {
        let (got, _, bodies) = query_metrics(move |_, _, _| http_response(status, &[], body)).await;
        assert!(got.is_err_and(|error| error.status().is_some_and(|got| got == status)));
        assert!(bodies.lock().unwrap().len() <= 4, "{status}");
    }
}

// Source: docs/reference/metrics.md#queries. `limit` groups per page, and any number of pages; the total is bounded by
// the query.
#[tokio::test]
async fn a_large_metric_response_is_paged_and_downsampled() {
    let (got, _, bodies) = query_metrics(|suffix, count, request| {
        if suffix != "sent_records" {
            return metrics_response(&[]);
        }
        let query = request.uri().query().unwrap_or_default();
        assert_eq!(query.contains("page_token"), count > 1, "{query}");
        let minutes: Vec<Value> = (0..20_000)
            .map(|second| {
                let at = timestamp("2026-11-22T06:00:00Z") + jiff::SignedDuration::from_secs(second);
                json!({ "timestamp": at, "value": 1.0 })
            })
            .collect();
        let data = [
            json!({ "resource.connector.id": "lcc-1", "points": minutes }),
            json!({ "points": minutes }),
        ];
        let pagination = json!({ "page_size": 1000, "next_page_token": (count < 5).then(|| format!("t{count}")) });
        http_response(
            200,
            &[],
            &json!({ "data": data, "meta": { "pagination": pagination } }).to_string(),
        )
    })
    .await;
    let got = got.unwrap();
    assert_eq!(bodies.lock().unwrap().len(), 8 + 5);
    let sent = got.connectors["claims-orders"].metric_series("sent_records").unwrap();
    assert_eq!(sent.values().len(), 55);
    // A cycle of pages is detected.
    let (got, ..) = query_metrics(|suffix, count, _| match suffix {
        "sent_records" if count < 50 => http_response(
            200,
            &[],
            r#"{"data":[],"meta":{"pagination":{"page_size":1,"next_page_token":"same"}}}"#,
        ),
        _ => metrics_response(&[]),
    })
    .await;
    let failures = got.unwrap().failures;
    assert!(
        matches!(failures[..], [(_, ClientError::Pagination { .. })]),
        "{failures:?}"
    );
}
