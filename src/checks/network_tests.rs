use super::*;
use crate::checks::CheckState;

fn reachable_with(answer: HostResponse) -> HostReachability {
    HostReachability {
        host: "api.confluent.cloud".into(),
        started_at: Timestamp::UNIX_EPOCH,
        elapsed: Duration::ZERO,
        response: Ok(answer),
    }
}

fn unreachable_with(error: TransportError) -> HostReachability {
    HostReachability {
        response: Err(error),
        ..reachable_with(HostResponse::default())
    }
}

fn status(status: u16) -> HostResponse {
    HostResponse {
        status: StatusCode::from_u16(status).unwrap(),
        ..HostResponse::default()
    }
}

fn confluent() -> BaseUrl {
    "https://api.confluent.cloud".parse().unwrap()
}

fn proxy_at(address: Option<&str>) -> ProxySetting {
    ProxySetting {
        variable: "HTTPS_PROXY".into(),
        address: address.map(str::to_owned),
    }
}

fn refused() -> TransportError {
    TransportError::Certificate {
        host: "api.confluent.cloud:443".into(),
        issuer: Some("Inspection CA 7 (Example Insurance)".into()),
        source: "its issuer is not trusted on this machine".into(),
    }
}

#[test]
fn an_unauthorized_response_means_the_service_is_reachable() {
    for good in [200, 401, 403, 429] {
        assert_eq!(
            check_reachable(&reachable_with(status(good)), &[]).state,
            CheckState::Ok,
            "{good}"
        );
    }
    assert_eq!(
        check_reachable(&reachable_with(status(503)), &[]).state,
        CheckState::Unknown
    );
    assert_eq!(
        check_reachable(&reachable_with(status(404)), &[]).state,
        CheckState::Problem
    );
}

#[test]
fn a_response_from_another_server_is_reported() {
    let page = HostResponse {
        web_page: true,
        ..status(200)
    };
    let check = check_reachable(&reachable_with(page), &[]);
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "a web page responds instead of `api.confluent.cloud` (status 200)"
    );
    let elsewhere = HostResponse {
        redirects_to: Some("portal.example.com".into()),
        ..status(302)
    };
    let check = check_reachable(&reachable_with(elsewhere), &[]);
    assert!(check.detail.contains("portal.example.com"), "{}", check.detail);
    assert!(check.fix.unwrap().contains("with a browser"));
    assert_eq!(
        check_reachable(&reachable_with(status(407)), &[]).state,
        CheckState::Problem
    );
}

#[test]
fn no_response_is_a_problem_with_a_diagnostic_command() {
    let connect = || TransportError::Connect {
        host: "api.confluent.cloud:443".into(),
        source: "no route to host".into(),
    };
    let check = check_reachable(&unreachable_with(connect()), &[]);
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "cannot connect to `api.confluent.cloud:443`: no route to host"
    );
    assert!(check.fix.unwrap().contains("`curl -v https://api.confluent.cloud`"));
    let check = check_reachable(
        &unreachable_with(connect()),
        &[proxy_at(Some("proxy.example.com:8080"))],
    );
    assert!(check.fix.unwrap().starts_with("Check `HTTPS_PROXY`"));
    // An untrusted certificate is reported once, by the certificate check.
    assert_eq!(
        check_reachable(&unreachable_with(refused()), &[]).state,
        CheckState::Unknown
    );
}

#[test]
fn the_certificate_issuer_is_shown_and_an_untrusted_one_is_explained() {
    let seen = HostResponse {
        issuer: Some("Example CA".into()),
        ..status(401)
    };
    let check = check_certificate(&reachable_with(seen), &confluent());
    assert_eq!(
        (check.state, check.detail.as_str()),
        (CheckState::Ok, "issued by Example CA")
    );
    let check = check_certificate(&unreachable_with(refused()), &confluent());
    assert_eq!(check.state, CheckState::Problem);
    assert!(check.detail.contains("issued by Inspection CA 7"), "{}", check.detail);
    assert!(check.fix.unwrap().contains("SSL_CERT_FILE"));
    let local = "http://127.0.0.1:1024".parse().unwrap();
    assert_eq!(
        check_certificate(&reachable_with(status(401)), &local).state,
        CheckState::Ok
    );
}

#[test]
fn a_proxy_is_named_without_its_password() {
    let seen = |name: &str, value: &str| find_proxies([(name, value)]);
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
    let both = [("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:2")];
    assert_eq!(find_proxies(both)[0].address.as_deref(), Some("b:2"));

    assert_eq!(check_proxy(&[], false).state, CheckState::Ok);
    assert_eq!(check_proxy(&[proxy_at(None)], false).state, CheckState::Problem);
    assert_eq!(check_proxy(&[proxy_at(None)], true).state, CheckState::Ok);
}

#[test]
fn a_cached_response_is_recognized_by_its_age() {
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
fn an_unreachable_telemetry_host_is_named_with_its_purpose() {
    let other = |purpose, knock| TelemetryHost {
        purpose,
        reachability: knock,
    };
    let logs = HostReachability {
        host: "api.logging.confluent.cloud".into(),
        ..unreachable_with(TransportError::Timeout {
            host: "api.logging.confluent.cloud:443".into(),
            seconds: 10,
        })
    };
    // Any response without a key means that the host is reachable.
    let good = [
        other("connector logs", reachable_with(status(404))),
        other("metrics", reachable_with(status(401))),
    ];
    assert_eq!(check_telemetry_hosts(Ok(&good)).state, CheckState::Ok);
    assert_eq!(check_telemetry_hosts(Ok(&[])).state, CheckState::Ok);
    let [first, _] = good;
    let check = check_telemetry_hosts(Ok(&[first, other("connector logs", logs)]));
    assert_eq!(check.state, CheckState::Problem);
    assert_eq!(
        check.detail,
        "connector logs: `api.logging.confluent.cloud:443` did not respond within 10 s"
    );
    assert!(
        check
            .fix
            .unwrap()
            .contains("`curl -v https://api.logging.confluent.cloud`")
    );
}
