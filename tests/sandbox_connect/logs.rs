//! The token exchange and the search of log lines (dossier `logs.md` §2, and its mock contract in §5).

use std::time::Duration;

use confluent_ebs::sandbox::{Assumptions, ConnectorFault, Settings};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    harness::{Answer, Login},
    rights::holder,
    world::World,
};

pub(crate) async fn token(world: &World, login: &Login) -> Login {
    let answer = world.harness.post(login, "/api/access_tokens", json!({})).await;
    Login::Bearer(answer.expect(200).text("/token"))
}

fn crn(world: &World, name: &str) -> String {
    format!("{}/connector={name}", world.harness.cluster_crn())
}

fn now(world: &World) -> Timestamp {
    world.harness.sandbox.now().unwrap()
}

/// A search of the last minutes.
fn body(world: &World, name: &str, minutes: u64, search: &Value) -> Value {
    let end = now(world);
    let start = end - Duration::from_mins(minutes);
    json!({ "crn": crn(world, name), "search": search, "sort": "desc", "start_time": start, "end_time": end })
}

async fn search(world: &World, login: &Login, name: &str, search: &Value) -> Answer {
    let body = body(world, name, 60, search);
    world.harness.post(login, "/logs/v1/search?page_size=200", body).await
}

async fn lines(world: &World, name: &str, levels: &[&str]) -> Vec<Value> {
    let login = token(world, world.admin()).await;
    let answer = search(world, &login, name, &json!({ "level": levels }))
        .await
        .expect(200);
    answer.data().to_vec()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_ends() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let (_, login) = holder(&world, "ConnectManager").await;
    let exchanged = world
        .harness
        .post(&login, "/api/access_tokens", json!({}))
        .await
        .expect(200);
    let ends: Timestamp = exchanged.text("/expires_at").parse().unwrap();
    let lives = ends.duration_since(now(&world)).as_secs();
    assert!((595..=600).contains(&lives), "§2.1: ten minutes, not {lives} s");
    let bearer = Login::Bearer(exchanged.text("/token"));
    search(&world, &bearer, "claims-orders", &json!({})).await.expect(200);
    // §2.1: the key itself is refused.
    search(&world, &login, "claims-orders", &json!({})).await.expect(401);
    search(&world, &Login::Nobody, "claims-orders", &json!({}))
        .await
        .expect(401);
    search(&world, &Login::Bearer("x.y.z".into()), "claims-orders", &json!({}))
        .await
        .expect(401);
    // The token opens nothing else but the metrics and Kafka.
    world.harness.get(&bearer, "/org/v2/environments").await.expect(401);
    world.advance(601);
    search(&world, &bearer, "claims-orders", &json!({})).await.expect(401);
    let fresh = token(&world, &login).await;
    search(&world, &fresh, "claims-orders", &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_wrong_key_gets_no_token() {
    let world = World::new().await;
    let (account, login) = holder(&world, "ConnectManager").await;
    let Login::Key(id, _) = &login else { unreachable!() };
    let cluster = world.harness.make_key(&account, "lkc-prod1").await;
    for wrong in [
        Login::key(id, "wrong"),
        Login::key("ABCDEFGHIJKLMNOP", "x"),
        cluster,
        Login::Nobody,
    ] {
        let answer = world.harness.post(&wrong, "/api/access_tokens", json!({})).await;
        answer.expect(401);
    }
}

#[tokio::test]
async fn lines_come_newest_first_with_level_task_and_id() {
    let world = World::new().await;
    let mut config = world.datagen("claims-orders");
    config["tasks.max"] = json!("2");
    world.create(&config).await.expect(201);
    world.advance(10 * 60);
    let all = lines(&world, "claims-orders", &["INFO", "WARN", "ERROR"]).await;
    assert!(all.len() > 20, "two tasks say something each minute: {}", all.len());
    let times: Vec<&str> = all.iter().map(|line| text(line, "timestamp")).collect();
    assert!(times.windows(2).all(|two| two[0] >= two[1]), "{times:?}");
    // Milliseconds always, as in §2.4.
    assert!(
        times.iter().all(|time| time.len() == "2026-08-20T08:44:23.761Z".len()),
        "{times:?}"
    );
    let id = text(&all[0], "id");
    assert!(id.starts_with("lcc-"));
    let committed = format!("WorkerSourceTask{{id={id}-1}} Committing offsets for ");
    assert!(all.iter().any(|line| text(line, "message").starts_with(&committed)));
    assert!(all.iter().all(|line| line.get("exception").is_none()));
    assert!(
        all.iter().any(|line| line.get("task_id").is_none()),
        "lines of the connector itself"
    );
    assert!(lines(&world, "claims-orders", &["ERROR"]).await.is_empty());
    // The same again tells the same.
    assert_eq!(
        lines(&world, "claims-orders", &["INFO", "WARN", "ERROR"]).await[..5],
        all[..5]
    );
}

#[tokio::test]
async fn a_search_is_narrowed_by_text_and_id() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(10 * 60);
    let login = token(&world, world.admin()).await;
    let found = async |wanted: Value| {
        let answer = search(&world, &login, "claims-orders", &wanted).await.expect(200);
        answer.data().len()
    };
    let all = found(json!({})).await;
    // Plain text and regular expressions are both promised (§2.3).
    let some = found(json!({ "search_text": "Committing" })).await;
    assert!(some > 0 && some < all);
    assert_eq!(found(json!({ "search_text": "Commit.*messages$" })).await, some);
    assert_eq!(
        found(json!({ "search_text": "configuration [", "id": "lcc-000000" })).await,
        0
    );
    world.advance(60);
    assert_eq!(found(json!({ "id": "lcc-000000" })).await, 0);
}

#[tokio::test]
async fn pages_hold_every_line_once_in_each_form_of_the_link() {
    for (bare, empty) in [(false, false), (true, false), (false, true), (true, true)] {
        let settings = Settings {
            assumptions: Assumptions {
                log_next_is_token: bare,
                log_pages_end_empty: empty,
                ..Assumptions::default()
            },
            ..Settings::instant()
        };
        let world = World::with(settings).await;
        let mut config = world.datagen("claims-orders");
        config["tasks.max"] = json!("4");
        world.create(&config).await.expect(201);
        world.advance(12 * 60);
        let login = token(&world, world.admin()).await;
        let wanted = body(&world, "claims-orders", 60, &json!({}));
        let page = async |query: String| {
            let target = format!("/logs/v1/search?{query}");
            world.harness.post(&login, &target, wanted.clone()).await.expect(200)
        };
        let whole = page("page_size=200".into()).await.data().to_vec();
        world.advance(60);
        let mut query = "page_size=20".to_owned();
        let mut collected = Vec::new();
        let mut pages = 0;
        loop {
            let answer = page(query).await;
            let read: confluent_ebs::api::logs::LogPage = serde_json::from_value(answer.json().clone()).unwrap();
            collected.extend_from_slice(answer.data());
            pages += 1;
            assert_eq!(
                answer.json()["metadata"]["next"]
                    .as_str()
                    .is_some_and(|next| next.contains("://")),
                !bare && (read.next().is_some() || empty)
            );
            let Some(token) = read.next() else { break };
            query = format!("page_token={token}");
            // Four pages and the first one are a minute's allowance.
            if pages % 4 == 0 {
                world.advance(60);
            }
        }
        assert!(pages >= 3, "{pages}");
        assert_eq!(collected, whole, "bare {bare}, empty {empty}");
    }
}

#[tokio::test]
async fn what_cannot_be_searched_is_said() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    let login = token(&world, world.admin()).await;
    let good = body(&world, "claims-orders", 5, &json!({}));
    let ask = async |query: &str, change: &dyn Fn(&mut Value)| {
        let mut wanted = good.clone();
        change(&mut wanted);
        let target = format!("/logs/v1/search{query}");
        world.harness.post(&login, &target, wanted).await
    };
    // §2.3: not older than 72 hours.
    let old = now(&world) - Duration::from_hours(73);
    ask("", &|wanted| wanted["start_time"] = json!(old)).await.expect(400);
    ask("", &|wanted| wanted["end_time"] = wanted["start_time"].clone())
        .await
        .expect(400);
    for wrong in ["page_size=0", "page_size=201", "page_size=x", "page_token=x"] {
        ask(&format!("?{wrong}"), &|_| {}).await.expect(400);
    }
    // §2.5: the text, not JSON.
    for wrong in ["", "crn://confluent.cloud/organization=x", "nothing"] {
        let refused = ask("", &|wanted| wanted["crn"] = json!(wrong)).await.expect(403);
        assert_eq!(refused.json(), "forbidden");
    }
    // Nobody knows what the service says of a name that does not exist (§2.5); here there is nothing.
    let unknown = ask("", &|wanted| wanted["crn"] = json!(crn(&world, "claims-unknown")))
        .await
        .expect(200);
    assert!(unknown.data().is_empty());
}

// Dossier `rbac.md` §1.1, column "View logs"; `logs.md` §2.6.
#[tokio::test]
async fn logs_are_for_those_who_may_view_them_name_by_name() {
    let world = World::new().await;
    for name in ["claims-orders", "fraud-orders"] {
        world.create(&world.datagen(name)).await.expect(201);
    }
    for (role, may) in [
        ("ResourceOwner", true),
        ("ConnectManager", true),
        ("DeveloperWrite", false),
        ("DeveloperRead", false),
    ] {
        let (_, login) = holder(&world, role).await;
        let bearer = token(&world, &login).await;
        for (name, own) in [
            ("claims-orders", true),
            ("fraud-orders", false),
            ("fraud-unknown", false),
        ] {
            let status = search(&world, &bearer, name, &json!({})).await.status.as_u16();
            assert_eq!(status, if may && own { 200 } else { 403 }, "{role}: {name}");
        }
    }
    let organization = world.harness.seed.stages[0].address.organization_crn().to_string();
    let cluster = world.harness.cluster_crn();
    let environment = format!("{organization}/environment=env-prod1");
    world.advance(60);
    for (role, on, may) in [
        ("OrganizationAdmin", &organization, true),
        ("EnvironmentAdmin", &environment, true),
        ("CloudClusterAdmin", &cluster, true),
        ("Operator", &cluster, false),
        ("MetricsViewer", &organization, false),
    ] {
        let account = world.harness.account(&format!("wide-{role}")).await;
        world.harness.bind(&account, role, on).await;
        let key = world.harness.make_key(&account, "cloud").await;
        let bearer = token(&world, &key).await;
        world.advance(20);
        let status = search(&world, &bearer, "fraud-orders", &json!({}))
            .await
            .status
            .as_u16();
        assert_eq!(status, if may { 200 } else { 403 }, "{role}");
    }
}

#[tokio::test]
async fn the_sixth_request_in_a_minute_is_refused_for_that_connector_alone() {
    let world = World::new().await;
    for name in ["claims-orders", "claims-other"] {
        world.create(&world.datagen(name)).await.expect(201);
    }
    let login = token(&world, world.admin()).await;
    for _ in 0..5 {
        search(&world, &login, "claims-orders", &json!({})).await.expect(200);
    }
    let refused = search(&world, &login, "claims-orders", &json!({})).await.expect(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((55..=60).contains(&wait), "{wait}");
    search(&world, &login, "claims-other", &json!({})).await.expect(200);
    // It is the connector's limit, whoever asks (§2.5).
    let (_, other) = holder(&world, "ConnectManager").await;
    let other = token(&world, &other).await;
    search(&world, &other, "claims-orders", &json!({})).await.expect(429);
    world.advance(wait);
    search(&world, &other, "claims-orders", &json!({})).await.expect(200);
}

// Dossier `logs.md` §2.4, `connect.md` §3.3.
#[tokio::test]
async fn a_connector_that_never_started_a_task_has_no_lines() {
    let world = World::new().await;
    let config = world.cdc("claims-hr", &json!({ "database.hostname": "pg.example.invalid" }));
    world.create(&config).await.expect(201);
    world.advance(20 * 60);
    assert_eq!(world.state("claims-hr").await, "FAILED");
    assert!(lines(&world, "claims-hr", &[]).await.is_empty());
    let status = world.status("claims-hr").await;
    assert_eq!(status["validation_errors"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn every_failure_leaves_its_trace_in_the_logs() {
    let world = World::new().await;
    let mut config = world.cdc("claims-hr", &json!({}));
    config["tasks.max"] = json!("2");
    world.create(&config).await.expect(201);
    for kind in ConnectorFault::ALL {
        world.advance(70 * 60);
        world
            .harness
            .sandbox
            .set_connector_fault("claims-hr", Some(*kind))
            .unwrap();
        world.advance(6 * 60);
        let status = world.status("claims-hr").await;
        world.harness.sandbox.set_connector_fault("claims-hr", None).unwrap();
        let errors = lines(&world, "claims-hr", &["ERROR"]).await;
        if *kind == ConnectorFault::StuckProvisioning {
            assert!(errors.is_empty(), "{kind}");
            continue;
        }
        // §2.4: the identical exception again after five minutes.
        assert!(errors.len() >= 2, "{kind}: {errors:?}");
        let trace = errors[0]["exception"]["stacktrace"].as_str().unwrap();
        assert!(
            trace.contains("Task threw an uncaught and unrecoverable exception"),
            "{kind}: {trace}"
        );
        let known = status["tasks"][0]["trace"].as_str().unwrap_or_default();
        match kind {
            // Where the status says nothing, the logs say more (dossier `connect.md` §3.3).
            ConnectorFault::PlatformError => {
                assert!(known.contains("Contact our Support") && !trace.contains("Contact our Support"));
            }
            _ if !known.is_empty() => assert_eq!(trace, known, "{kind}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn what_happened_stays_in_the_logs_and_a_connector_made_anew_begins_without_it() {
    let world = World::new().await;
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(1);
    let id = text(&lines(&world, "claims-orders", &[]).await[0], "id").to_owned();
    world.advance(5 * 60);
    world
        .harness
        .sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
        .unwrap();
    world.advance(60);
    world
        .harness
        .sandbox
        .set_connector_fault("claims-orders", None)
        .unwrap();
    world.act("POST", "claims-orders/restart").await.expect(202);
    world.advance(5 * 60);
    let all = lines(&world, "claims-orders", &[]).await;
    let errors = all.iter().filter(|line| text(line, "level") == "ERROR").count();
    assert_eq!(errors, 1);
    let said = |words: &str| all.iter().filter(|line| text(line, "message").contains(words)).count();
    assert_eq!(
        said("is initialized"),
        3,
        "at creation, after the failure, after the restart"
    );
    assert_eq!(said("Stopped: the connector starts anew"), 1);
    world.act("DELETE", "claims-orders").await.expect(200);
    world.create(&world.datagen("claims-orders")).await.expect(201);
    world.advance(60);
    let anew = lines(&world, "claims-orders", &[]).await;
    assert!(!anew.is_empty() && anew.iter().all(|line| text(line, "id") != id));
}

// Dossier `logs.md` §2.4: lines are found a few seconds after they were written, some of them later.
#[tokio::test]
async fn under_real_timing_some_lines_are_late() {
    let world = World::with(Settings::lagging()).await;
    world.advance(600);
    let mut config = world.datagen("claims-orders");
    config["tasks.max"] = json!("4");
    world.create(&config).await.expect(201);
    let (mut early, mut complete) = (0, 0);
    for _ in 0..60 {
        world.advance(600);
        let login = token(&world, world.admin()).await;
        let wanted = body(&world, "claims-orders", 5, &json!({}));
        let ask = async || {
            let target = "/logs/v1/search?page_size=200";
            world.harness.post(&login, target, wanted.clone()).await.expect(200)
        };
        let first = ask().await.data().to_vec();
        world.advance(60);
        let later = ask().await.data().to_vec();
        assert!(first.iter().all(|line| later.contains(line)));
        world.advance(60);
        assert_eq!(ask().await.data(), later, "nothing is later than a minute");
        early += first.len();
        complete += later.len();
    }
    assert!(early < complete, "{early} and then {complete}");
}
