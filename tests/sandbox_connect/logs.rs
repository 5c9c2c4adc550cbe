//! The token exchange and the log search (docs/reference/logs.md).

use std::time::Duration;

use confluent_ebs::sandbox::{ConnectorFault, SandboxAssumptions, SandboxSettings};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    common::{Caller, ConnectSandbox, JsonAccess as _, SandboxResponse},
    failures::OTHER_PLUGINS,
    permissions::create_key_with_role,
};

pub(crate) async fn exchange_token(connect: &ConnectSandbox, login: &Caller) -> Caller {
    let answer = connect.api.post(login, "/api/access_tokens", json!({})).await;
    Caller::Bearer(answer.expect_status(200).string_at("/token"))
}

fn connector_crn(connect: &ConnectSandbox, name: &str) -> String {
    format!("{}/connector={name}", connect.api.cluster_crn())
}

fn now(connect: &ConnectSandbox) -> Timestamp {
    connect.api.sandbox.now().unwrap()
}

/// A search of the last minutes.
fn search_body(connect: &ConnectSandbox, name: &str, minutes: u64, search: &Value) -> Value {
    let end = now(connect);
    let start = end - Duration::from_mins(minutes);
    json!({ "crn": connector_crn(connect, name), "search": search, "sort": "desc", "start_time": start, "end_time": end })
}

async fn search(connect: &ConnectSandbox, login: &Caller, name: &str, search: &Value) -> SandboxResponse {
    let body = search_body(connect, name, 60, search);
    connect.api.post(login, "/logs/v1/search?page_size=200", body).await
}

async fn log_lines(connect: &ConnectSandbox, name: &str, levels: &[&str]) -> Vec<Value> {
    let login = exchange_token(connect, connect.admin()).await;
    let answer = search(connect, &login, name, &json!({ "level": levels }))
        .await
        .expect_status(200);
    answer.items().to_vec()
}

fn line_field<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_key_is_exchanged_for_an_expiring_token() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    let (_, login) = create_key_with_role(&connect, "ConnectManager").await;
    let exchanged = connect
        .api
        .post(&login, "/api/access_tokens", json!({}))
        .await
        .expect_status(200);
    let ends: Timestamp = exchanged.string_at("/expires_at").parse().unwrap();
    let lives = ends.duration_since(now(&connect)).as_secs();
    assert!(
        (595..=600).contains(&lives),
        "docs/reference/logs.md#access-token: ten minutes, not {lives} s"
    );
    let bearer = Caller::Bearer(exchanged.string_at("/token"));
    search(&connect, &bearer, "claims-orders", &json!({}))
        .await
        .expect_status(200);
    // Source: docs/reference/logs.md#access-token. The API key itself is refused.
    search(&connect, &login, "claims-orders", &json!({}))
        .await
        .expect_status(401);
    search(&connect, &Caller::Anonymous, "claims-orders", &json!({}))
        .await
        .expect_status(401);
    search(&connect, &Caller::Bearer("x.y.z".into()), "claims-orders", &json!({}))
        .await
        .expect_status(401);
    // The token is only valid for logs, metrics and Kafka.
    connect
        .api
        .get(&bearer, "/org/v2/environments")
        .await
        .expect_status(401);
    connect.advance_clock(601);
    search(&connect, &bearer, "claims-orders", &json!({}))
        .await
        .expect_status(401);
    let fresh = exchange_token(&connect, &login).await;
    search(&connect, &fresh, "claims-orders", &json!({}))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_wrong_key_gets_no_token() {
    let connect = ConnectSandbox::new().await;
    let (account, login) = create_key_with_role(&connect, "ConnectManager").await;
    let Caller::ApiKey(id, _) = &login else { unreachable!() };
    let cluster = connect.api.create_key(&account, "lkc-prod1").await;
    for wrong in [
        Caller::api_key(id, "wrong"),
        Caller::api_key("ABCDEFGHIJKLMNOP", "x"),
        cluster,
        Caller::Anonymous,
    ] {
        let answer = connect.api.post(&wrong, "/api/access_tokens", json!({})).await;
        answer.expect_status(401);
    }
}

#[tokio::test]
async fn log_lines_are_sorted_newest_first_with_level_task_and_id() {
    let connect = ConnectSandbox::new().await;
    let mut config = connect.datagen_config("claims-orders");
    config["tasks.max"] = json!("2");
    connect.create_connector(&config).await.expect_status(201);
    connect.advance_clock(10 * 60);
    let all = log_lines(&connect, "claims-orders", &["INFO", "WARN", "ERROR"]).await;
    assert!(all.len() > 20, "two tasks write lines each minute: {}", all.len());
    let times: Vec<&str> = all.iter().map(|line| line_field(line, "timestamp")).collect();
    assert!(times.windows(2).all(|two| two[0] >= two[1]), "{times:?}");
    // Always milliseconds, as in docs/reference/logs.md#log-lines-and-pages.
    assert!(
        times.iter().all(|time| time.len() == "2026-08-20T08:44:23.761Z".len()),
        "{times:?}"
    );
    let id = line_field(&all[0], "id");
    assert!(id.starts_with("lcc-"));
    let committed = format!("WorkerSourceTask{{id={id}-1}} Committing offsets for ");
    assert!(
        all.iter()
            .any(|line| line_field(line, "message").starts_with(&committed))
    );
    assert!(all.iter().all(|line| line.get("exception").is_none()));
    assert!(
        all.iter().any(|line| line.get("task_id").is_none()),
        "lines of the connector itself"
    );
    assert!(log_lines(&connect, "claims-orders", &["ERROR"]).await.is_empty());
    // The same search returns the same lines.
    assert_eq!(
        log_lines(&connect, "claims-orders", &["INFO", "WARN", "ERROR"]).await[..5],
        all[..5]
    );
}

#[tokio::test]
async fn a_log_search_filters_by_text_and_id() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    connect.advance_clock(10 * 60);
    let login = exchange_token(&connect, connect.admin()).await;
    let found = async |wanted: Value| {
        let answer = search(&connect, &login, "claims-orders", &wanted)
            .await
            .expect_status(200);
        answer.items().len()
    };
    let all = found(json!({})).await;
    // Plain text and regular expressions are both documented (docs/reference/logs.md#search-request).
    let some = found(json!({ "search_text": "Committing" })).await;
    assert!(some > 0 && some < all);
    assert_eq!(found(json!({ "search_text": "Commit.*messages$" })).await, some);
    assert_eq!(
        found(json!({ "search_text": "configuration [", "id": "lcc-000000" })).await,
        0
    );
    connect.advance_clock(60);
    assert_eq!(found(json!({ "id": "lcc-000000" })).await, 0);
}

#[tokio::test]
async fn log_pages_contain_every_line_once_for_each_link_format() {
    for (bare, empty) in [(false, false), (true, false), (false, true), (true, true)] {
        let settings = SandboxSettings {
            assumptions: SandboxAssumptions {
                log_next_is_token: bare,
                log_pages_end_empty: empty,
                ..SandboxAssumptions::default()
            },
            ..SandboxSettings::instant()
        };
        let connect = ConnectSandbox::with_settings(settings).await;
        let mut config = connect.datagen_config("claims-orders");
        config["tasks.max"] = json!("4");
        connect.create_connector(&config).await.expect_status(201);
        connect.advance_clock(12 * 60);
        let login = exchange_token(&connect, connect.admin()).await;
        let wanted = search_body(&connect, "claims-orders", 60, &json!({}));
        let page = async |query: String| {
            let target = format!("/logs/v1/search?{query}");
            connect
                .api
                .post(&login, &target, wanted.clone())
                .await
                .expect_status(200)
        };
        let whole = page("page_size=200".into()).await.items().to_vec();
        connect.advance_clock(60);
        let mut query = "page_size=20".to_owned();
        let mut collected = Vec::new();
        let mut pages = 0;
        loop {
            let answer = page(query).await;
            let read: confluent_ebs::api::logs::LogPage = serde_json::from_value(answer.json().clone()).unwrap();
            collected.extend_from_slice(answer.items());
            pages += 1;
            assert_eq!(
                answer.json()["metadata"]["next"]
                    .as_str()
                    .is_some_and(|next| next.contains("://")),
                !bare && (read.next_page_token().is_some() || empty)
            );
            let Some(token) = read.next_page_token() else { break };
            query = format!("page_token={token}");
            // Four pages and the first one are the limit of a minute.
            if pages % 4 == 0 {
                connect.advance_clock(60);
            }
        }
        assert!(pages >= 3, "{pages}");
        assert_eq!(collected, whole, "bare {bare}, empty {empty}");
    }
}

#[tokio::test]
async fn invalid_log_searches_are_refused_with_the_reason() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    let login = exchange_token(&connect, connect.admin()).await;
    let good = search_body(&connect, "claims-orders", 5, &json!({}));
    let ask = async |query: &str, change: &dyn Fn(&mut Value)| {
        let mut wanted = good.clone();
        change(&mut wanted);
        let target = format!("/logs/v1/search{query}");
        connect.api.post(&login, &target, wanted).await
    };
    // Source: docs/reference/logs.md#search-request. At most 72 hours.
    let old = now(&connect) - Duration::from_hours(73);
    ask("", &|wanted| wanted["start_time"] = json!(old))
        .await
        .expect_status(400);
    ask("", &|wanted| wanted["end_time"] = wanted["start_time"].clone())
        .await
        .expect_status(400);
    for wrong in ["page_size=0", "page_size=201", "page_size=x", "page_token=x"] {
        ask(&format!("?{wrong}"), &|_| {}).await.expect_status(400);
    }
    // Source: docs/reference/logs.md#limits-and-errors. The body is text, not JSON.
    for wrong in ["", "crn://confluent.cloud/organization=x", "nothing"] {
        let refused = ask("", &|wanted| wanted["crn"] = json!(wrong)).await.expect_status(403);
        assert_eq!(refused.json(), "forbidden");
    }
    // The service's response for an unknown name is not known (docs/reference/logs.md#limits-and-errors); the sandbox
    // returns no lines.
    let unknown = ask("", &|wanted| {
        wanted["crn"] = json!(connector_crn(&connect, "claims-unknown"));
    })
    .await
    .expect_status(200);
    assert!(unknown.items().is_empty());
}

// Source: docs/reference/rbac.md#connector-roles, column "View logs"; docs/reference/logs.md#who-may-read-logs.
#[tokio::test]
async fn log_access_is_checked_per_connector_name() {
    let connect = ConnectSandbox::new().await;
    for name in ["claims-orders", "fraud-orders"] {
        connect
            .create_connector(&connect.datagen_config(name))
            .await
            .expect_status(201);
    }
    for (role, may) in [
        ("ResourceOwner", true),
        ("ConnectManager", true),
        ("DeveloperWrite", false),
        ("DeveloperRead", false),
    ] {
        let (_, login) = create_key_with_role(&connect, role).await;
        let bearer = exchange_token(&connect, &login).await;
        for (name, own) in [
            ("claims-orders", true),
            ("fraud-orders", false),
            ("fraud-unknown", false),
        ] {
            let status = search(&connect, &bearer, name, &json!({})).await.status.as_u16();
            assert_eq!(status, if may && own { 200 } else { 403 }, "{role}: {name}");
        }
    }
    let organization = connect.api.seed.stages[0].address.organization_crn().to_string();
    let cluster = connect.api.cluster_crn();
    let environment = format!("{organization}/environment=env-prod1");
    connect.advance_clock(60);
    for (role, on, may) in [
        ("OrganizationAdmin", &organization, true),
        ("EnvironmentAdmin", &environment, true),
        ("CloudClusterAdmin", &cluster, true),
        ("Operator", &cluster, false),
        ("MetricsViewer", &organization, false),
    ] {
        let account = connect.api.create_account(&format!("wide-{role}")).await;
        connect.api.bind(&account, role, on).await;
        let key = connect.api.create_key(&account, "cloud").await;
        let bearer = exchange_token(&connect, &key).await;
        connect.advance_clock(20);
        let status = search(&connect, &bearer, "fraud-orders", &json!({}))
            .await
            .status
            .as_u16();
        assert_eq!(status, if may { 200 } else { 403 }, "{role}");
    }
}

#[tokio::test]
async fn the_sixth_log_request_per_minute_is_throttled_per_connector() {
    let connect = ConnectSandbox::new().await;
    for name in ["claims-orders", "claims-other"] {
        connect
            .create_connector(&connect.datagen_config(name))
            .await
            .expect_status(201);
    }
    let login = exchange_token(&connect, connect.admin()).await;
    for _ in 0..5 {
        search(&connect, &login, "claims-orders", &json!({}))
            .await
            .expect_status(200);
    }
    let refused = search(&connect, &login, "claims-orders", &json!({}))
        .await
        .expect_status(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((55..=60).contains(&wait), "{wait}");
    search(&connect, &login, "claims-other", &json!({}))
        .await
        .expect_status(200);
    // The limit is per connector, over all callers (docs/reference/logs.md#limits-and-errors).
    let (_, other) = create_key_with_role(&connect, "ConnectManager").await;
    let other = exchange_token(&connect, &other).await;
    search(&connect, &other, "claims-orders", &json!({}))
        .await
        .expect_status(429);
    connect.advance_clock(wait);
    search(&connect, &other, "claims-orders", &json!({}))
        .await
        .expect_status(200);
}

// Source: docs/reference/logs.md#log-lines-and-pages and docs/reference/connect.md#where-errors-are-reported
#[tokio::test]
async fn a_connector_without_started_tasks_has_no_log_lines() {
    let connect = ConnectSandbox::new().await;
    let config = connect.cdc_config("claims-hr", &json!({ "database.hostname": "pg.example.invalid" }));
    connect.create_connector(&config).await.expect_status(201);
    connect.advance_clock(20 * 60);
    assert_eq!(connect.connector_state("claims-hr").await, "FAILED");
    assert!(log_lines(&connect, "claims-hr", &[]).await.is_empty());
    let connector_status = connect.connector_status("claims-hr").await;
    assert_eq!(connector_status.items("/validation_errors").len(), 5);
}

#[tokio::test]
async fn every_connector_fault_is_logged() {
    let connect = ConnectSandbox::new().await;
    let mut config = connect.cdc_config("claims-hr", &json!({}));
    config["tasks.max"] = json!("2");
    connect.create_connector(&config).await.expect_status(201);
    for kind in ConnectorFault::ALL.iter().filter(|kind| !OTHER_PLUGINS.contains(kind)) {
        connect.advance_clock(70 * 60);
        connect
            .api
            .sandbox
            .set_connector_fault("claims-hr", Some(*kind))
            .unwrap();
        connect.advance_clock(6 * 60);
        let connector_status = connect.connector_status("claims-hr").await;
        connect.api.sandbox.set_connector_fault("claims-hr", None).unwrap();
        let errors = log_lines(&connect, "claims-hr", &["ERROR"]).await;
        if *kind == ConnectorFault::StuckProvisioning {
            assert!(errors.is_empty(), "{kind}");
            continue;
        }
        // Source: docs/reference/logs.md#log-lines-and-pages. The identical exception again after five minutes.
        assert!(errors.len() >= 2, "{kind}: {errors:?}");
        let trace = errors[0].text("/exception/stacktrace");
        assert!(
            trace.contains("Task threw an uncaught and unrecoverable exception"),
            "{kind}: {trace}"
        );
        let known = connector_status["tasks"][0]["trace"].as_str().unwrap_or_default();
        match kind {
            // If the status is generic, the logs contain the cause
            // (docs/reference/connect.md#where-errors-are-reported).
            ConnectorFault::PlatformError => {
                assert!(known.contains("Contact our Support") && !trace.contains("Contact our Support"));
            }
            _ if !known.is_empty() => assert_eq!(trace, known, "{kind}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_recreated_connector_starts_without_the_log_lines_of_the_old_one() {
    let connect = ConnectSandbox::new().await;
    connect.create_datagen("claims-orders").await;
    connect.advance_clock(1);
    let id = line_field(&log_lines(&connect, "claims-orders", &[]).await[0], "id").to_owned();
    connect.advance_clock(5 * 60);
    connect
        .api
        .sandbox
        .set_connector_fault("claims-orders", Some(ConnectorFault::RecordTooLarge))
        .unwrap();
    connect.advance_clock(60);
    connect.api.sandbox.set_connector_fault("claims-orders", None).unwrap();
    connect.advance_clock(1);
    connect
        .send_action("POST", "claims-orders/restart")
        .await
        .expect_status(202);
    connect.advance_clock(5 * 60);
    let all = log_lines(&connect, "claims-orders", &[]).await;
    let errors = all.iter().filter(|line| line_field(line, "level") == "ERROR").count();
    assert_eq!(errors, 1);
    let said = |words: &str| {
        all.iter()
            .filter(|line| line_field(line, "message").contains(words))
            .count()
    };
    assert_eq!(
        said("is initialized"),
        3,
        "at creation, after the failure, after the restart"
    );
    assert_eq!(said("Stopped: the connector restarts"), 1);
    connect.send_action("DELETE", "claims-orders").await.expect_status(200);
    connect.create_datagen("claims-orders").await;
    connect.advance_clock(60);
    let anew = log_lines(&connect, "claims-orders", &[]).await;
    assert!(!anew.is_empty() && anew.iter().all(|line| line_field(line, "id") != id));
}

// Source: docs/reference/logs.md#log-lines-and-pages. Lines are searchable a few seconds after they were written, some
// of them later.
#[tokio::test]
async fn under_lagging_timing_some_log_lines_arrive_late() {
    let connect = ConnectSandbox::with_settings(SandboxSettings::lagging()).await;
    connect.advance_clock(600);
    let mut config = connect.datagen_config("claims-orders");
    config["tasks.max"] = json!("4");
    connect.create_connector(&config).await.expect_status(201);
    let (mut early, mut complete) = (0, 0);
    for _ in 0..60 {
        connect.advance_clock(600);
        let login = exchange_token(&connect, connect.admin()).await;
        let wanted = search_body(&connect, "claims-orders", 5, &json!({}));
        let ask = async || {
            let target = "/logs/v1/search?page_size=200";
            connect
                .api
                .post(&login, target, wanted.clone())
                .await
                .expect_status(200)
        };
        let first = ask().await.items().to_vec();
        connect.advance_clock(60);
        let later = ask().await.items().to_vec();
        assert!(first.iter().all(|line| later.contains(line)));
        connect.advance_clock(60);
        assert_eq!(ask().await.items(), later, "no line is more than a minute late");
        early += first.len();
        complete += later.len();
    }
    assert!(early < complete, "{early} and then {complete}");
}
