use super::*;
use crate::checks::CheckState;

fn answered(answer: Answer) -> Knock {
    Knock {
        host: "api.confluent.cloud".into(),
        began: Timestamp::UNIX_EPOCH,
        took: Duration::ZERO,
        answer: Ok(answer),
    }
}

fn failed(error: TransportError) -> Knock {
    Knock {
        answer: Err(error),
        ..answered(Answer::default())
    }
}

fn status(status: u16) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        ..Answer::default()
    }
}

fn confluent() -> BaseUrl {
    "https://api.confluent.cloud".parse().unwrap()
}

fn proxy_at(address: Option<&str>) -> Proxy {
    Proxy {
        variable: "HTTPS_PROXY".into(),
        address: address.map(str::to_owned),
    }
}

fn refused() -> TransportError {
    TransportError::Certificate {
        host: "api.confluent.cloud:443".into(),
        issuer: Some("Inspection CA 7 (Example Insurance)".into()),
        source: "nobody here vouches for its issuer".into(),
    }
}

#[test]
fn a_service_that_wants_a_key_is_there() {
    for good in [200, 401, 403, 429] {
        assert_eq!(reachable(&answered(status(good)), &[]).state, CheckState::Ok, "{good}");
    }
    assert_eq!(reachable(&answered(status(503)), &[]).state, CheckState::Unknown);
    assert_eq!(reachable(&answered(status(404)), &[]).state, CheckState::Problem);
}

#[test]
fn whoever_answers_in_its_place_is_told() {
    let page = Answer {
        web_page: true,
        ..status(200)
    };
    let check = reachable(&answered(page), &[]);
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "a web page answers in place of api.confluent.cloud (status 200)"
    );
    let elsewhere = Answer {
        points_to: Some("portal.example.com".into()),
        ..status(302)
    };
    let check = reachable(&answered(elsewhere), &[]);
    assert!(check.detail.contains("portal.example.com"), "{}", check.detail);
    assert!(check.fix.unwrap().contains("with a browser"));
    assert_eq!(reachable(&answered(status(407)), &[]).state, CheckState::Problem);
}

#[test]
fn no_answer_is_a_problem_with_the_command_that_shows_more() {
    let connect = || TransportError::Connect {
        host: "api.confluent.cloud:443".into(),
        source: "no route to host".into(),
    };
    let check = reachable(&failed(connect()), &[]);
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "could not connect to api.confluent.cloud:443: no route to host"
    );
    assert!(check.fix.unwrap().contains("`curl -v https://api.confluent.cloud`"));
    let check = reachable(&failed(connect()), &[proxy_at(Some("proxy.example.com:8080"))]);
    assert!(check.fix.unwrap().starts_with("Check HTTPS_PROXY"));
    // One cause is one problem: the certificate has a check of its own.
    assert_eq!(reachable(&failed(refused()), &[]).state, CheckState::Unknown);
}

#[test]
fn the_issuer_of_the_certificate_is_shown_and_a_refused_one_explained() {
    let seen = Answer {
        issuer: Some("Example CA".into()),
        ..status(401)
    };
    let check = certificate(&answered(seen), &confluent());
    assert_eq!(
        (check.state, check.detail.as_str()),
        (CheckState::Ok, "issued by Example CA")
    );
    let check = certificate(&failed(refused()), &confluent());
    assert_eq!(check.state, CheckState::Problem);
    assert!(check.detail.contains("issued by Inspection CA 7"), "{}", check.detail);
    assert!(check.fix.unwrap().contains("SSL_CERT_FILE"));
    let local = "http://127.0.0.1:1024".parse().unwrap();
    assert_eq!(certificate(&answered(status(401)), &local).state, CheckState::Ok);
}

#[test]
fn a_proxy_is_named_without_its_password() {
    let seen = |name: &str, value: &str| proxies([(name.to_owned(), value.to_owned())]);
    for (value, expected) in [
        ("http://proxy.example.com:8080", Some("proxy.example.com:8080")),
        ("proxy.example.com:8080", Some("proxy.example.com:8080")),
        (
            "http://me:canary@proxy.example.com:8080/",
            Some("proxy.example.com:8080"),
        ),
        ("http://me:can/ary@proxy.example.com", Some("proxy.example.com")),
        ("me:canary@[::1]:3128", Some("[::1]:3128")),
        ("http://", None),
        ("not an address", None),
    ] {
        let found = seen("https_proxy", value);
        assert_eq!(found[0].address.as_deref(), expected, "{value}");
        assert!(!format!("{found:?}").contains("canary"));
    }
    assert!(seen("HTTPS_PROXY", "").is_empty());
    assert!(seen("NO_PROXY", "example.com").is_empty());
    let both = [("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(proxies(both)[0].address.as_deref(), Some("b:2"));

    assert_eq!(proxy(&[], false).state, CheckState::Ok);
    assert_eq!(proxy(&[proxy_at(None)], false).state, CheckState::Problem);
    assert_eq!(proxy(&[proxy_at(None)], true).state, CheckState::Ok);
}

#[test]
fn an_answer_from_a_cache_has_aged() {
    let mut headers = HeaderMap::new();
    assert_eq!(date(&headers), None);
    headers.insert(header::DATE, "Sun, 22 Nov 2026 12:00:02 GMT".parse().unwrap());
    assert_eq!(date(&headers).unwrap().to_string(), "2026-11-22T12:00:02Z");
    headers.insert(header::AGE, "58".parse().unwrap());
    assert_eq!(date(&headers).unwrap().to_string(), "2026-11-22T12:01:00Z");
    headers.insert(header::DATE, "yesterday".parse().unwrap());
    assert_eq!(date(&headers), None);
}

#[test]
fn a_host_of_logs_that_does_not_answer_is_named_with_what_it_is_for() {
    let other = |purpose, knock| OtherHost { purpose, knock };
    let logs = Knock {
        host: "api.logging.confluent.cloud".into(),
        ..failed(TransportError::Timeout {
            host: "api.logging.confluent.cloud:443".into(),
            seconds: 10,
        })
    };
    // Whatever they say without a key, they are there.
    let good = [
        other("connector logs", answered(status(404))),
        other("metrics", answered(status(401))),
    ];
    assert_eq!(others(Ok(&good)).state, CheckState::Ok);
    assert_eq!(others(Ok(&[])).state, CheckState::Ok);
    let [first, _] = good;
    let check = others(Ok(&[first, other("connector logs", logs)]));
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "connector logs: api.logging.confluent.cloud:443 did not answer within 10 s"
    );
    assert!(
        check
            .fix
            .unwrap()
            .contains("`curl -v https://api.logging.confluent.cloud`")
    );
}
