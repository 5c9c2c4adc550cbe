//! Design, "Retries", rule by rule; dossier `rbac.md` §4.4 and §4.7.

use std::{sync::Arc, time::Duration};

use confluent_ebs::{
    api::{keys, mds},
    client::{Client, ClientError, Jitter, Lost, RetryPolicy},
    clock::Clock,
};
use futures_util::future::join_all;
use http::StatusCode;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::rig::{ACCOUNT, Held, Raw, Rig, Scripted, auth, create, listenable, read, reply};

/// Mounts `first` for as many requests as it has answers, then a good one, each expected exactly as often as said.
async fn service(verb: &str, first: Vec<ResponseTemplate>, good: u64) -> MockServer {
    let server = MockServer::start().await;
    for answer in first {
        Mock::given(method(verb))
            .respond_with(answer)
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
    }
    let answer = ResponseTemplate::new(200).set_body_string(ACCOUNT);
    Mock::given(method(verb))
        .respond_with(answer)
        .expect(good)
        .mount(&server)
        .await;
    server
}

fn throttled(header: &str, value: &str) -> ResponseTemplate {
    ResponseTemplate::new(429).insert_header(header, value)
}

#[tokio::test]
async fn a_429_is_waited_out_on_any_verb_for_as_long_as_the_service_says() {
    let date = throttled("retry-after", "Sun, 22 Nov 2026 12:01:00 GMT")
        .insert_header("date", "Sun, 22 Nov 2026 12:00:00 GMT");
    let answers = [
        (throttled("retry-after", "7"), 7),
        (date, 60),
        (throttled("x-ratelimit-reset", "11"), 11),
        (
            throttled("retry-after", "5").insert_header("x-ratelimit-reset", "99"),
            5,
        ),
    ];
    for (answer, seconds) in answers {
        let server = service("POST", vec![answer], 1).await;
        let rig = Rig::at(&server.uri());
        rig.client.send(&create()).await.unwrap();
        assert_eq!(rig.waited(), Duration::from_secs(seconds));
        assert_eq!(rig.waits(), [seconds]);
        server.verify().await;
    }
}

#[tokio::test]
async fn without_a_word_from_the_service_the_wait_doubles() {
    let server = service("DELETE", vec![ResponseTemplate::new(429); 4], 1).await;
    let rig = Rig::with(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
    rig.client
        .send(&keys::DeleteApiKey("KEY".parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(rig.waits(), [1, 2, 4, 8]);
    assert_eq!(rig.waited(), Duration::from_secs(15));
    let notice = rig.notices.lock().unwrap()[2].clone();
    assert_eq!(notice.call, "delete API key `KEY`");
    assert_eq!(notice.reason, "Confluent Cloud answered 429 Too Many Requests");
    assert_eq!(notice.tries, 3);
}

#[tokio::test]
async fn the_budget_ends_it_and_the_error_says_what_was_spent() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(throttled("retry-after", "40"))
        .expect(3)
        .mount(&server)
        .await;
    let policy = RetryPolicy {
        budget: Duration::from_secs(100),
        ..RetryPolicy::default()
    };
    let rig = Rig::with(&server.uri(), |builder| builder.policy(policy));
    let error = rig.client.send(&read()).await.unwrap_err();
    assert!(error.is_throttled() && error.is_transient());
    assert_eq!(
        error.to_string(),
        "could not read service account `sa-1`: Confluent Cloud answered 429 Too Many Requests (3 tries, 80 s of waiting)"
    );
    assert_eq!(rig.waited(), Duration::from_secs(80));
}

#[tokio::test]
async fn a_pause_beyond_the_budget_is_not_begun_and_stops_the_others_before_they_send() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(throttled("retry-after", "3600"))
        .expect(1)
        .mount(&server)
        .await;
    let rig = Rig::at(&server.uri());
    let error = rig.client.send(&read()).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS));
    let error = rig.client.send(&read()).await.unwrap_err();
    assert!(matches!(error, ClientError::Paused { .. }) && error.is_throttled());
    assert_eq!(
        error.to_string(),
        "could not read service account `sa-1`: Confluent Cloud asks for a pause of 3600 s, and only 300 s of waiting are left"
    );
    assert_eq!(rig.waited(), Duration::ZERO);
}

#[tokio::test]
async fn one_pause_holds_all_workers() {
    let transport = Scripted::new(|number, _| match number {
        1 => reply(429, &[("retry-after", "30")], ""),
        _ => reply(200, &[], ACCOUNT),
    });
    let held = Held::new();
    listenable();
    let client = Client::builder(
        "http://127.0.0.1:1".parse().unwrap(),
        transport.clone(),
        auth(),
        Clock::new(held.clone()),
    )
    .jitter(Jitter::none())
    .build();
    let call = |client: Client| tokio::spawn(async move { client.send(&read()).await.map(|_| ()) });
    let first = call(client.clone());
    held.asleep(1).await;
    // Another caller shares the service, and therefore the pause.
    let others = [call(client.clone()), call(client.with_auth(auth()))];
    held.asleep(3).await;
    held.advance(Duration::from_secs(29));
    tokio::task::yield_now().await;
    assert_eq!(transport.sent(), 1);
    held.advance(Duration::from_secs(1));
    for done in join_all(others.into_iter().chain([first])).await {
        done.unwrap().unwrap();
    }
    assert_eq!(transport.sent(), 4);
}

#[tokio::test]
async fn concurrency_is_bounded_halved_by_a_429_and_restored() {
    let transport = Scripted::new(|number, _| match number {
        21 => reply(429, &[("retry-after", "1")], ""),
        _ => reply(200, &[], ACCOUNT),
    });
    let rig = Rig::over("http://127.0.0.1:1", transport.clone(), |builder| {
        builder.concurrency(6)
    });
    let wave = |count: usize| {
        let client = rig.client.clone();
        async move {
            let read = read();
            for answer in join_all((0..count).map(|_| client.send(&read))).await {
                answer.unwrap();
            }
        }
    };
    wave(20).await;
    assert_eq!(transport.most.load(std::sync::atomic::Ordering::SeqCst), 6);
    wave(1).await;
    assert_eq!(rig.client.allowed_concurrency(), 3);
    wave(2).await;
    assert_eq!(rig.client.allowed_concurrency(), 4);
    wave(40).await;
    assert_eq!(rig.client.allowed_concurrency(), 6);
}

#[tokio::test]
async fn a_5xx_is_repeated_where_that_is_safe() {
    for (verb, status) in [("GET", 500), ("PATCH", 502), ("DELETE", 503), ("GET", 504)] {
        let server = service(verb, vec![ResponseTemplate::new(status); 2], 1).await;
        let rig = Rig::with(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
        match verb {
            "GET" => rig.client.send(&read()).await.map(|_| ()),
            "PATCH" => rig
                .client
                .send(&confluent_ebs::api::iam::UpdateServiceAccount {
                    id: "sa-1".parse().unwrap(),
                    description: "d".into(),
                })
                .await
                .map(|_| ()),
            _ => rig
                .client
                .send(&mds::DeleteRoleBinding("rb-1".parse().unwrap()))
                .await
                .map(|_| ()),
        }
        .unwrap();
        assert_eq!(rig.waits(), [1, 2]);
        server.verify().await;
    }
}

#[tokio::test]
async fn a_service_that_stays_broken_gets_five_tries() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(500))
        .expect(5)
        .mount(&server)
        .await;
    let rig = Rig::with(&server.uri(), |builder| builder.jitter(Jitter::ceiling()));
    let error = rig.client.send(&read()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("answered 500 Internal Server Error (5 tries, 15 s of waiting)"),
        "{text}"
    );
    assert_eq!(
        (error.tries().count, error.tries().waited),
        (5, Duration::from_secs(15))
    );
}

#[tokio::test]
async fn unavailable_says_how_long_and_is_believed() {
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "20");
    let server = service("GET", vec![answer], 1).await;
    let rig = Rig::at(&server.uri());
    rig.client.send(&read()).await.unwrap();
    assert_eq!(rig.waited(), Duration::from_secs(20));
}

#[tokio::test]
async fn what_will_not_pass_is_not_repeated() {
    let limited = r#"{"error":{"code":500,"message":"Your organization is currently limited to 5 keys"}}"#;
    for (status, body) in [
        (400, ""),
        (401, ""),
        (402, ""),
        (403, ""),
        (404, ""),
        (409, ""),
        (422, ""),
        (501, ""),
        (500, limited),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(body);
        Mock::given(method("GET"))
            .respond_with(answer)
            .expect(1)
            .mount(&server)
            .await;
        let rig = Rig::at(&server.uri());
        let error = rig.client.send(&read()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(rig.notices.lock().unwrap().is_empty());
        server.verify().await;
    }
}

#[tokio::test]
async fn a_post_is_never_repeated_after_a_5xx_and_the_error_says_that_it_may_have_worked() {
    let server = MockServer::start().await;
    let body = r#"{"errors":[{"id":"r7","status":"500","code":"internal","detail":"Oops."}]}"#;
    let answer = ResponseTemplate::new(500).set_body_string(body);
    Mock::given(method("POST"))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    let rig = Rig::at(&server.uri());
    let error = rig.client.send(&create()).await.unwrap_err();
    assert!(error.is_answer_lost());
    assert!(matches!(&error, ClientError::AnswerLost { lost, .. } if matches!(**lost, Lost::InTheService(_))));
    assert_eq!(error.request_id(), Some("r7"));
    assert_eq!(
        error.to_string(),
        "it is not known whether it worked to create service account `ebs-prod-claims-operator`: \
         Confluent Cloud answered 500 internal: Oops (request r7)"
    );
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_a_read_and_never_by_a_create() {
    const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 79\r\n\r\n\
        {\"api_version\":\"iam/v2\",\"kind\":\"ServiceAccount\",\"id\":\"sa-1\",\"display_name\":\"a\"}";
    // Closed without a word, and closed in the middle of the answer.
    for lost in [None, Some("HTTP/1.1 200 OK\r\ncontent-length: 79\r\n\r\n{\"api_ver")] {
        let raw = Raw::start(vec![lost, Some(GOOD)]).await;
        let rig = Rig::at(&raw.url());
        assert_eq!(GOOD.split("\r\n\r\n").nth(1).unwrap().len(), 79);
        rig.client.send(&read()).await.unwrap();
        assert_eq!(raw.count(), 2);

        let raw = Raw::start(vec![lost, Some(GOOD)]).await;
        let rig = Rig::at(&raw.url());
        let error = rig.client.send(&create()).await.unwrap_err();
        assert!(error.is_answer_lost(), "{error}");
        assert_eq!((raw.count(), error.tries().count), (1, 1));
        assert!(
            error.to_string().contains("broke before the answer was complete"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_was_never_sent_may_always_be_sent_again() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let rig = Rig::with(&format!("http://127.0.0.1:{port}"), |builder| {
        builder.jitter(Jitter::ceiling())
    });
    let error = rig.client.send(&create()).await.unwrap_err();
    assert!(!error.is_answer_lost() && error.is_transient());
    assert_eq!(rig.waits(), [1, 2, 4, 8]);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "could not create service account `ebs-prod-claims-operator`: could not connect to 127.0.0.1:{port}: "
        )),
        "{text}"
    );
    assert!(text.ends_with("(5 tries, 15 s of waiting)"), "{text}");
}

#[tokio::test]
async fn a_call_that_is_dropped_in_the_middle_gives_its_place_back() {
    let transport = Scripted::new(|_, _| reply(200, &[], ACCOUNT));
    let rig = Rig::over("http://127.0.0.1:1", transport, |builder| builder.concurrency(1));
    let client = rig.client.clone();
    {
        let read = read();
        let mut call = std::pin::pin!(client.send(&read));
        // Polled once, so that it holds the only place, then dropped.
        assert!(futures_util::poll!(call.as_mut()).is_pending());
    }
    let listener = Arc::new(|_: &_| {});
    rig.client.with_on_retry(listener).send(&read()).await.unwrap();
}
