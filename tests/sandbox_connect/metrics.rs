//! The Metrics API (docs/reference/metrics.md).

use confluent_ebs::{
    api::metrics::{PUBLISH_DELAY, parse_export},
    sandbox::{ConnectorFault, ListVisibility, SandboxAssumptions, SandboxSettings},
};
use serde_json::{Value, json};

use crate::{
    common::{CONNECTORS_PATH, Caller, ConnectSandbox, JsonAccess as _, SandboxResponse},
    logs::exchange_token,
    permissions::create_key_with_role,
};

const QUERY_PATH: &str = "/v2/metrics/cloud/query";

async fn connector_ids(connect: &ConnectSandbox) -> Vec<String> {
    let list = connect.get("?expand=id").await;
    let list = match list.status.as_u16() {
        200 => list,
        _ => connect
            .api
            .get(connect.admin(), &format!("{CONNECTORS_PATH}?expand=id"))
            .await
            .expect_status(200),
    };
    let all = list.json().as_object().unwrap().values();
    all.map(|entry| entry.text("/id/id").to_owned()).collect()
}

fn query_body(metric: &str, ids: &[String], by: &[&str]) -> Value {
    let one = |id: &String| json!({ "field": "resource.connector.id", "op": "EQ", "value": id });
    json!({
        "aggregations": [{ "metric": format!("io.confluent.kafka.connect/{metric}") }],
        "filter": { "op": "OR", "filters": ids.iter().map(one).collect::<Vec<_>>() },
        "granularity": "PT1M", "intervals": ["now-65m|m/now|m"],
        "group_by": by, "format": "GROUPED", "limit": 1000,
    })
}

async fn send_query(connect: &ConnectSandbox, login: &Caller, body: Value) -> SandboxResponse {
    connect.api.post(login, QUERY_PATH, body).await
}

async fn query_values(connect: &ConnectSandbox, metric: &str, ids: &[String]) -> Vec<f64> {
    let answer = send_query(
        connect,
        connect.admin(),
        query_body(metric, ids, &["resource.connector.id"]),
    )
    .await
    .expect_status(200);
    let groups = answer.items().iter();
    groups
        .flat_map(|group| group.items("/points").iter().map(|point| point.number("/value")))
        .collect()
}

async fn connect_with_two_sources() -> (ConnectSandbox, Vec<String>) {
    let connect = ConnectSandbox::new().await;
    for name in ["claims-orders", "claims-other"] {
        connect
            .create_connector(&connect.datagen_config(name))
            .await
            .expect_status(201);
    }
    connect.advance_clock(4 * 3_600);
    let ids = connector_ids(&connect).await;
    (connect, ids)
}

// Source: docs/reference/metrics.md#queries and docs/reference/metrics.md#limits-and-delay. Grouped by connector,
// latest first, and five minutes late.
#[tokio::test]
async fn metric_values_are_grouped_and_five_minutes_late() {
    let (connect, ids) = connect_with_two_sources().await;
    let answer = send_query(
        &connect,
        connect.admin(),
        query_body("sent_records", &ids, &["resource.connector.id"]),
    )
    .await
    .expect_status(200);
    assert_eq!(answer.items().len(), 2);
    let groups: Vec<_> = answer
        .items()
        .iter()
        .map(|group| group.text("/resource.connector.id"))
        .collect();
    assert!(groups.is_sorted(), "{groups:?}");
    let now = connect.api.sandbox.now().unwrap();
    for group in answer.items() {
        let points = group.items("/points");
        assert_eq!(points.len(), 60, "65 minutes, without the last five");
        let times: Vec<jiff::Timestamp> = points
            .iter()
            .map(|point| point.text("/timestamp").parse().unwrap())
            .collect();
        assert!(times.windows(2).all(|two| two[0] > two[1]));
        let late = now.duration_since(times[0]).unsigned_abs();
        assert!(
            late > PUBLISH_DELAY && late <= PUBLISH_DELAY + std::time::Duration::from_mins(2),
            "{late:?}"
        );
        assert!(points.iter().all(|point| point.number("/value") > 100.0));
    }
    // Values are summed without a group; a sink's metric has no values for sources.
    let mut flat = query_body("sent_records", &ids, &[]);
    flat["format"] = json!("FLAT");
    let flat = send_query(&connect, connect.admin(), flat).await.expect_status(200);
    assert_eq!(flat.items().len(), 60);
    let sum: f64 = answer.items().iter().map(|group| group.number("/points/0/value")).sum();
    assert!((flat.items()[0].number("/value") - sum).abs() < 0.001);
    assert!(query_values(&connect, "received_records", &ids).await.is_empty());
}

#[tokio::test]
async fn hourly_values_are_the_sums_of_minutes() {
    let (connect, ids) = connect_with_two_sources().await;
    let within = |granularity: &str| {
        let mut body = query_body("sent_bytes", &ids[..1], &["resource.connector.id"]);
        body["granularity"] = json!(granularity);
        body["intervals"] = json!(["now-2h|h/now-1h|h"]);
        body
    };
    let points = async |granularity| {
        let answer = send_query(&connect, connect.admin(), within(granularity))
            .await
            .expect_status(200);
        let points = answer.items()[0].items("/points");
        points.iter().map(|point| point.number("/value")).collect::<Vec<_>>()
    };
    let (minutes, quarters, hour) = (points("PT1M").await, points("PT15M").await, points("PT1H").await);
    assert_eq!((quarters.len(), hour.len()), (4, 1));
    let sum = minutes.iter().sum::<f64>();
    assert!((sum - hour[0]).abs() < 0.5 && (quarters.iter().sum::<f64>() - sum).abs() < 0.5);
}

#[tokio::test]
async fn metrics_reflect_the_states_of_the_connector() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    connect
        .create_connector(&connect.sink_config("claims-sink", &json!({ "tasks.max": "2" })))
        .await
        .expect_status(201);
    connect.advance_clock(3_600);
    connect.send_action("PUT", "claims-sink/pause").await.expect_status(202);
    connect
        .api
        .sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
        .unwrap();
    connect.advance_clock(20 * 60);
    connect
        .send_action("PUT", "claims-sink/resume")
        .await
        .expect_status(202);
    connect.advance_clock(15 * 60);
    let login = connect.admin();
    let all = connector_ids(&connect).await;
    let by_state = send_query(
        &connect,
        login,
        query_body("connector_status", &all, &["resource.connector.id", "metric.status"]),
    )
    .await;
    let by_state = by_state.expect_status(200);
    let seen: Vec<(&str, usize)> = by_state
        .items()
        .iter()
        .map(|group| (group.text("/metric.status"), group.items("/points").len()))
        .collect();
    assert_eq!(
        seen.iter().map(|(_, minutes)| minutes).sum::<usize>(),
        120,
        "one state per minute and connector"
    );
    assert!(
        seen.iter()
            .any(|(state, minutes)| *state == "FAILED" && (25..=35).contains(minutes)),
        "{seen:?}"
    );
    assert!(
        seen.iter()
            .any(|(state, minutes)| *state == "PAUSED" && (18..=21).contains(minutes)),
        "{seen:?}"
    );
    let tasks = send_query(
        &connect,
        login,
        query_body("connector_task_status", &all, &["metric.task", "metric.status"]),
    )
    .await;
    let tasks = tasks.expect_status(200);
    assert!(
        tasks
            .items()
            .iter()
            .any(|group| group["metric.task"] == "1" && group["metric.status"] == "PAUSED")
    );
    // A failed connector sends nothing, and those minutes have no values (docs/reference/metrics.md#connector-metrics).
    let sent = query_values(&connect, "sent_records", &all).await;
    assert!((25..=35).contains(&sent.len()), "{}", sent.len());
    let lag = query_values(&connect, "records_lag_max", &all).await;
    assert_eq!(lag.len(), 60);
    let most = lag.iter().copied().fold(0.0, f64::max);
    let (before, after) = (lag[59], lag[0]);
    assert!(
        before < 100.0 && most > 1_000.0 && after < most / 4.0,
        "it piles up, and is worked off: {lag:?}"
    );
}

// Source: docs/reference/metrics.md#queries. Rejected queries.
#[tokio::test]
async fn invalid_metric_queries_are_refused_with_the_reason() {
    let (connect, ids) = connect_with_two_sources().await;
    let good = query_body("sent_records", &ids, &["resource.connector.id"]);
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        let answer = send_query(&connect, connect.admin(), body).await;
        (answer.status.as_u16(), answer.first_error().1)
    };
    for (change, words) in [
        (&|body: &mut Value| body["filter"] = Value::Null as Value) as &dyn Fn(&mut Value),
        &|body| body["intervals"] = json!(["now-7h/now"]),
        &|body| body["intervals"] = json!(["now/now-1h"]),
        &|body| body["intervals"] = json!([]),
        &|body| body["aggregations"] = json!([]),
        &|body| body["aggregations"][0]["metric"] = json!("io.confluent.kafka.connect/cpu"),
        &|body| body["aggregations"][0]["agg"] = json!("MEAN"),
        &|body| body["group_by"] = json!(["metric.status"]),
        &|body| body["group_by"] = json!([]),
        &|body| body["limit"] = json!(1_001),
        &|body| body["granularity"] = json!("PT2M"),
    ]
    .into_iter()
    .zip([
        "a filter on resource.connector.id is required",
        "too long for the granularity",
        "invalid interval",
        "must not be empty",
        "exactly one aggregation",
        "unknown metric io.confluent.kafka.connect/cpu",
        "must be SUM",
        "metric.status is not a label",
        "GROUPED requires group_by",
        "limit must be a number from 1 to 1000",
        "unknown variant",
    ]) {
        let (status, said) = refused(change).await;
        assert_eq!(status, 400, "{words}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn metric_groups_are_paged() {
    let (connect, ids) = connect_with_two_sources().await;
    let mut body = query_body("sent_records", &ids, &["resource.connector.id"]);
    body["limit"] = json!(1);
    let first = send_query(&connect, connect.admin(), body.clone())
        .await
        .expect_status(200);
    let token = first.string_at("/meta/pagination/next_page_token");
    let target = format!("{QUERY_PATH}?page_token={token}");
    let second = connect
        .api
        .post(connect.admin(), &target, body.clone())
        .await
        .expect_status(200);
    assert_eq!((first.items().len(), second.items().len()), (1, 1));
    assert_ne!(
        first.items()[0]["resource.connector.id"],
        second.items()[0]["resource.connector.id"]
    );
    assert!(second.json().get("meta").is_none());
    connect
        .api
        .post(connect.admin(), &format!("{QUERY_PATH}?page_token=x"), body)
        .await
        .expect_status(400);
}

// Source: docs/reference/metrics.md#access. Required roles, and visible metrics (docs/assumptions.md, Q5;
// docs/reference/metrics.md#who-may-read-metrics).
#[tokio::test]
async fn metric_access_depends_on_role_and_assumption() {
    for (mode, owner, reader, foreign) in [
        (ListVisibility::Refused, 403, 403, 403),
        (ListVisibility::Filtered, 200, 200, 403),
        (ListVisibility::Everything, 200, 200, 200),
    ] {
        let settings = SandboxSettings {
            assumptions: SandboxAssumptions {
                connector_metrics: mode,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        };
        let connect = ConnectSandbox::with_settings(settings).await;
        for name in ["claims-orders", "fraud-orders"] {
            connect
                .create_connector(&connect.datagen_config(name))
                .await
                .expect_status(201);
        }
        connect.advance_clock(3_600);
        let all = connector_ids(&connect).await;
        let status = async |login: &Caller, id: &String| {
            let body = query_body("sent_records", std::slice::from_ref(id), &["resource.connector.id"]);
            send_query(&connect, login, body).await.status.as_u16()
        };
        for (role, own) in [("ResourceOwner", owner), ("DeveloperRead", reader)] {
            let (_, login) = create_key_with_role(&connect, role).await;
            assert_eq!(status(&login, &all[0]).await, own, "{mode:?} {role}");
            assert_eq!(status(&login, &all[1]).await, foreign, "{mode:?} {role}, of another");
        }
        let organization = connect.api.seed.stages[0].address.organization_crn().to_string();
        let account = connect.api.create_account("viewer").await;
        connect.api.bind(&account, "MetricsViewer", &organization).await;
        let viewer = connect.api.create_key(&account, "cloud").await;
        let bearer = exchange_token(&connect, &viewer).await;
        let cluster_key = connect.api.create_key(&account, "lkc-prod1").await;
        for id in &all {
            assert_eq!(status(&viewer, id).await, 200);
            assert_eq!(status(&bearer, id).await, 200);
            assert_eq!(
                status(&connect.api.provisioner, id).await,
                200,
                "it administers the cluster"
            );
        }
        assert_eq!(status(&cluster_key, &all[0]).await, 401);
        let unknown = Caller::api_key("ABCDEFGHIJKLMNOP", "x");
        let body = query_body("sent_records", &all[..1], &["resource.connector.id"]);
        let refused = send_query(&connect, &unknown, body).await.expect_status(403);
        assert_eq!(
            refused.json(),
            &json!({ "error": { "code": 403, "message": "invalid API key" } })
        );
        assert_eq!(status(&viewer, &"lcc-000000".to_owned()).await, 403);
    }
}

// Source: docs/reference/metrics.md#limits-and-delay. 60 per minute and IP address.
#[tokio::test]
async fn the_sixty_first_metrics_request_per_minute_is_throttled_for_all_principals() {
    let (connect, ids) = connect_with_two_sources().await;
    let body = query_body("sent_records", &ids, &["resource.connector.id"]);
    for _ in 0..60 {
        send_query(&connect, connect.admin(), body.clone())
            .await
            .expect_status(200);
    }
    let refused = send_query(&connect, &connect.api.provisioner, body.clone())
        .await
        .expect_status(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    connect.advance_clock(wait);
    send_query(&connect, connect.admin(), body).await.expect_status(200);
}

// Source: docs/reference/metrics.md#export, and the document's example.
#[tokio::test]
async fn an_export_contains_the_latest_minute_of_every_metric() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    connect
        .create_connector(&connect.sink_config("claims-sink", &json!({ "tasks.max": "2" })))
        .await
        .expect_status(201);
    connect.advance_clock(3_600);
    let all = connector_ids(&connect).await;
    let target = format!(
        "/v2/metrics/cloud/export?resource.connector.id={}&resource.connector.id={}",
        all[0], all[1]
    );
    let answer = connect.api.get(connect.admin(), &target).await.expect_status(200);
    assert_eq!(answer.header("content-type"), Some("text/plain;version=0.0.4"));
    let text = answer.json().as_str().unwrap();
    let samples = parse_export(text);
    let of = |suffix: &str| {
        let name = format!("confluent_kafka_connect_{suffix}");
        samples.iter().filter(|sample| sample.name == name).collect::<Vec<_>>()
    };
    assert_eq!(of("connector_status").len(), 2);
    assert_eq!(of("connector_status")[0].labels["status"], "RUNNING");
    assert_eq!(
        of("connector_task_status").len(),
        3,
        "one of the source, two of the sink"
    );
    assert_eq!(of("sent_records")[0].labels["connector_name"], "claims-orders");
    assert!(of("received_bytes")[0].value > 0.0);
    assert!(
        text.contains("# TYPE confluent_kafka_connect_sent_records gauge"),
        "{text}"
    );
    let now = connect.api.sandbox.now().unwrap();
    let late = now.duration_since(samples[0].at.unwrap()).unsigned_abs();
    assert!(
        late >= PUBLISH_DELAY && late < PUBLISH_DELAY + std::time::Duration::from_mins(2),
        "{late:?}"
    );
    connect
        .api
        .get(connect.admin(), "/v2/metrics/cloud/export")
        .await
        .expect_status(400);
    let (_, login) = create_key_with_role(&connect, "ResourceOwner").await;
    connect.api.get(&login, &target).await.expect_status(403);
    let only = format!("{target}&metric=confluent_kafka_connect_sent_bytes");
    let only = connect.api.get(connect.admin(), &only).await.expect_status(200);
    assert_eq!(parse_export(only.json().as_str().unwrap()).len(), 1);
}

// Source: docs/reference/metrics.md#limits-and-delay. 80 per hour, resource and principal, and the resource is
// required.
#[tokio::test]
async fn export_requests_are_throttled_per_resource_and_principal() {
    let (connect, ids) = connect_with_two_sources().await;
    let target = |id: &str| format!("/v2/metrics/cloud/export?resource.connector.id={id}");
    for number in 0..80 {
        if number % 50 == 49 {
            connect.advance_clock(60);
        }
        connect
            .api
            .get(connect.admin(), &target(&ids[0]))
            .await
            .expect_status(200);
    }
    let refused = connect
        .api
        .get(connect.admin(), &target(&ids[0]))
        .await
        .expect_status(429);
    assert!(
        refused.first_error().1.contains(&format!("connector.id:{}", ids[0])),
        "{:?}",
        refused.body
    );
    connect
        .api
        .get(connect.admin(), &target(&ids[1]))
        .await
        .expect_status(200);
    connect
        .api
        .get(&connect.api.provisioner, &target(&ids[0]))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn descriptors_list_the_metrics_and_labels() {
    let (connect, _) = connect_with_two_sources().await;
    let get = async |below: &str| {
        let target = format!("/v2/metrics/cloud/descriptors/{below}");
        connect.api.get(connect.admin(), &target).await.expect_status(200)
    };
    let metrics = get("metrics?resource_type=connector").await;
    let names: Vec<&str> = metrics.items().iter().map(|metric| metric.text("/name")).collect();
    assert!(
        names.contains(&"io.confluent.kafka.connect/records_lag_max"),
        "{names:?}"
    );
    assert!(get("metrics?resource_type=kafka").await.items().is_empty());
    let page = get("metrics?page_size=4").await;
    let token = page.string_at("/meta/pagination/next_page_token");
    let next = get(&format!("metrics?page_size=4&page_token={token}")).await;
    assert_eq!(next.items()[0]["name"], names[4]);
    assert_eq!(get("resources").await.items()[0]["labels"][0]["key"], "connector.id");
    connect
        .api
        .get(&Caller::Anonymous, "/v2/metrics/cloud/descriptors/metrics")
        .await
        .expect_status(401);
}
