//! The Metrics API (dossier `metrics.md`, and its mock contract in §8).

use confluent_ebs::{
    api::metrics::{LATENCY, parse_export},
    sandbox::{Assumptions, ConnectorFault, Listing, Settings},
};
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Login},
    logs::token,
    rights::holder,
    world::{CONNECTORS, World},
};

const QUERY: &str = "/v2/metrics/cloud/query";

async fn ids(world: &World) -> Vec<String> {
    let list = world.get("?expand=id").await;
    let list = match list.status.as_u16() {
        200 => list,
        _ => world
            .harness
            .get(world.admin(), &format!("{CONNECTORS}?expand=id"))
            .await
            .expect(200),
    };
    let all = list.json().as_object().unwrap().values();
    all.map(|entry| entry["id"]["id"].as_str().unwrap().to_owned())
        .collect()
}

fn query(metric: &str, ids: &[String], by: &[&str]) -> Value {
    let one = |id: &String| json!({ "field": "resource.connector.id", "op": "EQ", "value": id });
    json!({
        "aggregations": [{ "metric": format!("io.confluent.kafka.connect/{metric}") }],
        "filter": { "op": "OR", "filters": ids.iter().map(one).collect::<Vec<_>>() },
        "granularity": "PT1M", "intervals": ["now-65m|m/now|m"],
        "group_by": by, "format": "GROUPED", "limit": 1000,
    })
}

async fn ask(world: &World, login: &Login, body: Value) -> Answer {
    world.harness.post(login, QUERY, body).await
}

async fn values(world: &World, metric: &str, ids: &[String]) -> Vec<f64> {
    let answer = ask(world, world.admin(), query(metric, ids, &["resource.connector.id"]))
        .await
        .expect(200);
    let groups = answer.data().iter();
    groups
        .flat_map(|group| {
            group["points"]
                .as_array()
                .unwrap()
                .iter()
                .map(|point| point["value"].as_f64().unwrap())
        })
        .collect()
}

async fn two_sources() -> (World, Vec<String>) {
    let world = World::new().await;
    for name in ["claims-orders", "claims-other"] {
        world.create(&world.datagen(name)).await.expect(201);
    }
    world.advance(4 * 3_600);
    let ids = ids(&world).await;
    (world, ids)
}

// §3, §5: grouped by connector, latest first, and five minutes late.
#[tokio::test]
async fn values_come_in_groups_and_five_minutes_late() {
    let (world, ids) = two_sources().await;
    let answer = ask(
        &world,
        world.admin(),
        query("sent_records", &ids, &["resource.connector.id"]),
    )
    .await
    .expect(200);
    assert_eq!(answer.data().len(), 2);
    let groups: Vec<_> = answer
        .data()
        .iter()
        .map(|group| group["resource.connector.id"].as_str().unwrap())
        .collect();
    assert!(groups.is_sorted(), "{groups:?}");
    let now = world.harness.sandbox.now().unwrap();
    for group in answer.data() {
        let points = group["points"].as_array().unwrap();
        assert_eq!(points.len(), 60, "65 minutes, without the last five");
        let times: Vec<jiff::Timestamp> = points
            .iter()
            .map(|point| point["timestamp"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(times.windows(2).all(|two| two[0] > two[1]));
        let late = now.duration_since(times[0]).unsigned_abs();
        assert!(
            late > LATENCY && late <= LATENCY + std::time::Duration::from_mins(2),
            "{late:?}"
        );
        assert!(points.iter().all(|point| point["value"].as_f64().unwrap() > 100.0));
    }
    // What is not grouped is added up; a sink's metric says nothing of sources.
    let mut flat = query("sent_records", &ids, &[]);
    flat["format"] = json!("FLAT");
    let flat = ask(&world, world.admin(), flat).await.expect(200);
    assert_eq!(flat.data().len(), 60);
    let sum: f64 = answer
        .data()
        .iter()
        .map(|group| group["points"][0]["value"].as_f64().unwrap())
        .sum();
    assert!((flat.data()[0]["value"].as_f64().unwrap() - sum).abs() < 0.001);
    assert!(values(&world, "received_records", &ids).await.is_empty());
}

#[tokio::test]
async fn hours_are_the_sums_of_their_minutes() {
    let (world, ids) = two_sources().await;
    let within = |granularity: &str| {
        let mut body = query("sent_bytes", &ids[..1], &["resource.connector.id"]);
        body["granularity"] = json!(granularity);
        body["intervals"] = json!(["now-2h|h/now-1h|h"]);
        body
    };
    let points = async |granularity| {
        let answer = ask(&world, world.admin(), within(granularity)).await.expect(200);
        let points = answer.data()[0]["points"].as_array().unwrap().clone();
        points
            .iter()
            .map(|point| point["value"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    let (minutes, quarters, hour) = (points("PT1M").await, points("PT15M").await, points("PT1H").await);
    assert_eq!((quarters.len(), hour.len()), (4, 1));
    let sum = minutes.iter().sum::<f64>();
    assert!((sum - hour[0]).abs() < 0.5 && (quarters.iter().sum::<f64>() - sum).abs() < 0.5);
}

#[tokio::test]
async fn metrics_follow_what_the_connector_goes_through() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world
        .create(&world.sink("claims-sink", &json!({ "tasks.max": "2" })))
        .await
        .expect(201);
    world.advance(3_600);
    world.act("PUT", "claims-sink/pause").await.expect(202);
    world
        .harness
        .sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
        .unwrap();
    world.advance(20 * 60);
    world.act("PUT", "claims-sink/resume").await.expect(202);
    world.advance(15 * 60);
    let login = world.admin();
    let all = ids(&world).await;
    let by_state = ask(
        &world,
        login,
        query("connector_status", &all, &["resource.connector.id", "metric.status"]),
    )
    .await;
    let by_state = by_state.expect(200);
    let seen: Vec<(&str, usize)> = by_state
        .data()
        .iter()
        .map(|group| {
            (
                group["metric.status"].as_str().unwrap(),
                group["points"].as_array().unwrap().len(),
            )
        })
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
    let tasks = ask(
        &world,
        login,
        query("connector_task_status", &all, &["metric.task", "metric.status"]),
    )
    .await;
    let tasks = tasks.expect(200);
    assert!(
        tasks
            .data()
            .iter()
            .any(|group| group["metric.task"] == "1" && group["metric.status"] == "PAUSED")
    );
    // Nothing is sent while it has failed, and nothing is said of those minutes (§2).
    let sent = values(&world, "sent_records", &all).await;
    assert!((25..=35).contains(&sent.len()), "{}", sent.len());
    let lag = values(&world, "records_lag_max", &all).await;
    assert_eq!(lag.len(), 60);
    let most = lag.iter().copied().fold(0.0, f64::max);
    let (before, after) = (lag[59], lag[0]);
    assert!(
        before < 100.0 && most > 1_000.0 && after < most / 4.0,
        "it piles up, and is worked off: {lag:?}"
    );
}

// §3: what the service does not take.
#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let (world, ids) = two_sources().await;
    let good = query("sent_records", &ids, &["resource.connector.id"]);
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        let answer = ask(&world, world.admin(), body).await;
        (answer.status.as_u16(), answer.error().1)
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
        "is not an interval",
        "must not be empty",
        "exactly one aggregation",
        "unknown metric io.confluent.kafka.connect/cpu",
        "must be SUM",
        "metric.status is not a label",
        "GROUPED needs group_by",
        "limit must be a number from 1 to 1000",
        "unknown variant",
    ]) {
        let (status, said) = refused(change).await;
        assert_eq!(status, 400, "{words}");
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn groups_come_in_pages() {
    let (world, ids) = two_sources().await;
    let mut body = query("sent_records", &ids, &["resource.connector.id"]);
    body["limit"] = json!(1);
    let first = ask(&world, world.admin(), body.clone()).await.expect(200);
    let token = first.text("/meta/pagination/next_page_token");
    let target = format!("{QUERY}?page_token={token}");
    let second = world
        .harness
        .post(world.admin(), &target, body.clone())
        .await
        .expect(200);
    assert_eq!((first.data().len(), second.data().len()), (1, 1));
    assert_ne!(
        first.data()[0]["resource.connector.id"],
        second.data()[0]["resource.connector.id"]
    );
    assert!(second.json().get("meta").is_none());
    world
        .harness
        .post(world.admin(), &format!("{QUERY}?page_token=x"), body)
        .await
        .expect(400);
}

// §1: what opens it. Dossier `rbac.md` §9, Q5, and `metrics.md` §6: whose metrics are seen.
#[tokio::test]
async fn metrics_are_for_those_who_are_meant_to_see_them() {
    for (mode, owner, reader, foreign) in [
        (Listing::Refused, 403, 403, 403),
        (Listing::Filtered, 200, 200, 403),
        (Listing::Everything, 200, 200, 200),
    ] {
        let settings = Settings {
            assumptions: Assumptions {
                connector_metrics: mode,
                ..Assumptions::default()
            },
            ..Settings::instant()
        };
        let world = World::with(settings).await;
        for name in ["claims-orders", "fraud-orders"] {
            world.create(&world.datagen(name)).await.expect(201);
        }
        world.advance(3_600);
        let all = ids(&world).await;
        let status = async |login: &Login, id: &String| {
            let body = query("sent_records", std::slice::from_ref(id), &["resource.connector.id"]);
            ask(&world, login, body).await.status.as_u16()
        };
        for (role, own) in [("ResourceOwner", owner), ("DeveloperRead", reader)] {
            let (_, login) = holder(&world, role).await;
            assert_eq!(status(&login, &all[0]).await, own, "{mode:?} {role}");
            assert_eq!(status(&login, &all[1]).await, foreign, "{mode:?} {role}, of another");
        }
        let organization = world.harness.seed.stages[0].address.organization_crn().to_string();
        let account = world.harness.account("viewer").await;
        world.harness.bind(&account, "MetricsViewer", &organization).await;
        let viewer = world.harness.make_key(&account, "cloud").await;
        let bearer = token(&world, &viewer).await;
        let cluster_key = world.harness.make_key(&account, "lkc-prod1").await;
        for id in &all {
            assert_eq!(status(&viewer, id).await, 200);
            assert_eq!(status(&bearer, id).await, 200);
            assert_eq!(
                status(&world.harness.provisioner, id).await,
                200,
                "it administers the cluster"
            );
        }
        assert_eq!(status(&cluster_key, &all[0]).await, 401);
        let unknown = Login::key("ABCDEFGHIJKLMNOP", "x");
        let body = query("sent_records", &all[..1], &["resource.connector.id"]);
        let refused = ask(&world, &unknown, body).await.expect(403);
        assert_eq!(
            refused.json(),
            &json!({ "error": { "code": 403, "message": "invalid API key" } })
        );
        assert_eq!(status(&viewer, &"lcc-000000".to_owned()).await, 403);
    }
}

// §5: 60 per minute for all who share an address.
#[tokio::test]
async fn sixty_requests_a_minute_are_enough() {
    let (world, ids) = two_sources().await;
    let body = query("sent_records", &ids, &["resource.connector.id"]);
    for _ in 0..60 {
        ask(&world, world.admin(), body.clone()).await.expect(200);
    }
    let refused = ask(&world, &world.harness.provisioner, body.clone()).await.expect(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    world.advance(wait);
    ask(&world, world.admin(), body).await.expect(200);
}

// §4, and the document's example.
#[tokio::test]
async fn an_export_holds_the_latest_minute_of_everything() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world
        .create(&world.sink("claims-sink", &json!({ "tasks.max": "2" })))
        .await
        .expect(201);
    world.advance(3_600);
    let all = ids(&world).await;
    let target = format!(
        "/v2/metrics/cloud/export?resource.connector.id={}&resource.connector.id={}",
        all[0], all[1]
    );
    let answer = world.harness.get(world.admin(), &target).await.expect(200);
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
    let now = world.harness.sandbox.now().unwrap();
    let late = now.duration_since(samples[0].at.unwrap()).unsigned_abs();
    assert!(
        late >= LATENCY && late < LATENCY + std::time::Duration::from_mins(2),
        "{late:?}"
    );
    world
        .harness
        .get(world.admin(), "/v2/metrics/cloud/export")
        .await
        .expect(400);
    let (_, login) = holder(&world, "ResourceOwner").await;
    world.harness.get(&login, &target).await.expect(403);
    let only = format!("{target}&metric=confluent_kafka_connect_sent_bytes");
    let only = world.harness.get(world.admin(), &only).await.expect(200);
    assert_eq!(parse_export(only.json().as_str().unwrap()).len(), 1);
}

// §5: 80 an hour per resource and principal, and the resource is named.
#[tokio::test]
async fn exports_are_counted_per_resource_and_principal() {
    let (world, ids) = two_sources().await;
    let target = |id: &str| format!("/v2/metrics/cloud/export?resource.connector.id={id}");
    for number in 0..80 {
        if number % 50 == 49 {
            world.advance(60);
        }
        world.harness.get(world.admin(), &target(&ids[0])).await.expect(200);
    }
    let refused = world.harness.get(world.admin(), &target(&ids[0])).await.expect(429);
    assert!(
        refused.error().1.contains(&format!("connector.id:{}", ids[0])),
        "{:?}",
        refused.body
    );
    world.harness.get(world.admin(), &target(&ids[1])).await.expect(200);
    world
        .harness
        .get(&world.harness.provisioner, &target(&ids[0]))
        .await
        .expect(200);
}

#[tokio::test]
async fn descriptors_say_what_there_is() {
    let (world, _) = two_sources().await;
    let get = async |below: &str| {
        let target = format!("/v2/metrics/cloud/descriptors/{below}");
        world.harness.get(world.admin(), &target).await.expect(200)
    };
    let metrics = get("metrics?resource_type=connector").await;
    let names: Vec<&str> = metrics
        .data()
        .iter()
        .map(|metric| metric["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"io.confluent.kafka.connect/records_lag_max"),
        "{names:?}"
    );
    assert!(get("metrics?resource_type=kafka").await.data().is_empty());
    let page = get("metrics?page_size=4").await;
    let token = page.text("/meta/pagination/next_page_token");
    let next = get(&format!("metrics?page_size=4&page_token={token}")).await;
    assert_eq!(next.data()[0]["name"], names[4]);
    assert_eq!(get("resources").await.data()[0]["labels"][0]["key"], "connector.id");
    world
        .harness
        .get(&Login::Nobody, "/v2/metrics/cloud/descriptors/metrics")
        .await
        .expect(401);
}
