//! Malformed responses: truncated, with wrong types, deeply nested, too long. Nothing panics or hangs, and each becomes
//! a result or an error.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::State, response::Response};
use confluent_ebs::{
    api::{
        cmk::GetCluster,
        connect::{ClusterPath, GetOffsets, ListConnectors, ValidateConfig},
        iam::{GetServiceAccount, ListServiceAccounts},
        keys::ListApiKeys,
        mds::{ListRoleBindings, RoleBindingScope},
    },
    client::InProcessTransport,
    config::Profile,
};
use http::StatusCode;
use proptest::prelude::*;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any as anything};

use crate::common::scripted_service::TestClient;

/// Next response of the service, for any request.
type NextResponse = Arc<Mutex<(u16, Vec<u8>)>>;

async fn respond(State(next): State<NextResponse>) -> Response {
    let (status, body) = next.lock().unwrap().clone();
    let status = StatusCode::from_u16(status).unwrap();
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

/// Valid responses, to be damaged.
const VALID_BODIES: [&str; 6] = [
    r#"{"api_version":"iam/v2","kind":"ServiceAccountList","metadata":{"next":"https://api.example.com/x?page_token=AB"},
        "data":[{"id":"sa-abc123","display_name":"a","description":"","metadata":{"created_at":"2025-01-02T03:04:05Z"}}]}"#,
    r#"{"claims-a":{"id":{"id":"lcc-abc123","id_type":"ID"},"info":{"name":"claims-a","type":"sink",
        "config":{"connector.class":"S3_SINK","tasks.max":"2"},"tasks":[{"connector":"claims-a","task":0}]},
        "status":{"name":"claims-a","type":"sink","connector":{"state":"RUNNING","worker_id":"w","trace":""},
        "tasks":[{"id":0,"state":"RUNNING","worker_id":"w","msg":""}],"errors_from_trace":[{"error":"x"},"y"],
        "validation_errors":["a: b"],"override_message":""},"extensions":{}}}"#,
    r#"{"errors":[{"id":"e","status":"403","code":"forbidden","title":"Forbidden","detail":"no","source":{}}]}"#,
    r#"{"error":{"code":400,"message":"There were some errors with your configuration:\ntopics: wrong"}}"#,
    r#"{"name":"x","groups":[],"error_count":1,"configs":[{"definition":{"name":"flush.size","type":"INT","required":false},
        "value":{"name":"flush.size","value":"10","recommended_values":[],"errors":["too small"],"visible":true}}]}"#,
    r#"{"id":"lcc-abc123","name":"claims-a","offsets":[{"partition":{"kafka_partition":0},"offset":{"kafka_offset":7}}],
        "metadata":{"observed_at":"2026-08-20T09:15:14Z"}}"#,
];

/// A valid response with damage: truncated, bytes changed, a part repeated, a value of another type.
fn damaged_body() -> impl Strategy<Value = Vec<u8>> {
    let good = proptest::sample::select(&VALID_BODIES[..]);
    let value = proptest::sample::select(&["null", "7", "\"\\u0000\"", "[]", "{}", "[[[[[]]]]]", "1e999", "true"][..]);
    let harm = (
        0..6_u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<u8>(),
        value,
    );
    (good, proptest::collection::vec(harm, 0..4)).prop_map(|(good, harms)| {
        let mut bytes = good.as_bytes().to_vec();
        for (kind, at, to, byte, value) in harms {
            if bytes.is_empty() {
                break;
            }
            let (a, b) = (at.index(bytes.len()), to.index(bytes.len()));
            let (low, high) = (a.min(b), a.max(b));
            match kind {
                0 => bytes.truncate(a),
                1 => bytes[a] = byte,
                2 => drop(bytes.drain(low..high)),
                3 => {
                    let piece = bytes[low..high].to_vec();
                    bytes.splice(low..low, piece);
                }
                4 => drop(bytes.splice(low..high, value.bytes())),
                _ => bytes = byte.to_string().into_bytes(),
            }
        }
        bytes
    })
}

async fn send_all_requests(test: &TestClient) {
    let place = ClusterPath {
        environment: "env-1".parse().unwrap(),
        cluster: "lkc-1".parse().unwrap(),
    };
    let client = &test.client;
    let name = || "claims-a".to_owned();
    let organization: confluent_ebs::model::Crn = "crn://confluent.cloud/organization=1".parse().unwrap();
    // Depending on the damage, the result is a response or an error; the call must end.
    drop(client.send(&ListConnectors(place.clone())).await);
    drop(
        client
            .send(&GetOffsets {
                cluster_path: place.clone(),
                name: name(),
            })
            .await,
    );
    let validate = ValidateConfig {
        cluster_path: place,
        plugin: "S3_SINK".to_owned(),
        config: std::collections::BTreeMap::new(),
    };
    drop(client.send(&validate).await);
    drop(client.send(&GetServiceAccount("sa-abc123".parse().unwrap())).await);
    drop(
        client
            .list(ListServiceAccounts {
                display_names: Vec::new(),
            })
            .await,
    );
    drop(
        client
            .list(ListApiKeys {
                owner: None,
                resource: None,
            })
            .await,
    );
    let bindings = ListRoleBindings {
        scope: RoleBindingScope::Below(organization),
        principal: None,
        role: None,
    };
    drop(client.list(bindings).await);
    drop(
        client
            .send(&GetCluster {
                id: "lkc-1".parse().unwrap(),
                environment: "env-1".parse().unwrap(),
            })
            .await,
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_response_never_panics_or_hangs(status in proptest::sample::select(&[200_u16, 201, 202, 400, 402, 403, 404, 409][..]), body in damaged_body()) {
        let next: NextResponse = Arc::new(Mutex::new((status, body)));
        let router = Router::new().fallback(respond).with_state(next);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let test = TestClient::with_transport("http://127.0.0.1:1024", Arc::new(InProcessTransport::new(router)), |builder| builder);
            send_all_requests(&test).await;
        });
    }
}

const PROFILE: &str = "version = 1\nendpoint = \"https://api.confluent.cloud\"\norganization = \"o\"\nstage = \"prod\"\n\
    department = \"claims\"\npersona = \"operator\"\nprefix = \"claims-\"\nissued = 2026-11-26\n[key]\nid = \
    \"ABCDEFGHIJKLMNOP\"\nsecret = \"canary-3f\"\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A damaged profile gives findings that do not contain its secret.
    #[test]
    fn a_damaged_profile_gives_findings_without_its_secret(at in any::<prop::sample::Index>(), piece in any::<String>(), cut in 0..8_usize) {
        let mut text: Vec<char> = PROFILE.chars().collect();
        let at = at.index(text.len());
        let end = text.len().min(at + cut);
        text.splice(at..end, piece.chars());
        let text: String = text.into_iter().collect();
        let whole = text.contains("secret = \"canary-3f\"\n");
        let (profile, _, findings) = Profile::parse(std::path::Path::new("p.toml"), text, &[]);
        prop_assert!(profile.is_some() || !findings.is_empty());
        let shown = format!("{findings:?}");
        prop_assert!(!(whole && shown.contains("canary-3f")), "{shown}");
    }
}

#[tokio::test]
async fn a_response_above_the_size_limit_is_not_read_to_its_end() {
    let server = MockServer::start().await;
    let endless = vec![b' '; (64 << 20) + 1];
    Mock::given(anything())
        .respond_with(ResponseTemplate::new(200).set_body_raw(endless, "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let error = test
        .client
        .send(&GetServiceAccount("sa-abc123".parse().unwrap()))
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with(" has more than 64 MiB"), "{error}");
}

// 250,000 empty objects take two megabytes in a response and hundreds of megabytes as connectors.
#[tokio::test]
async fn a_response_of_many_small_objects_is_not_decoded() {
    let server = MockServer::start().await;
    let connectors: Vec<String> = (0..250_000).map(|number| format!(r#""{number}":{{}}"#)).collect();
    Mock::given(anything())
        .respond_with(
            ResponseTemplate::new(200).set_body_raw(format!("{{{}}}", connectors.join(",")), "application/json"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let list = ListConnectors(ClusterPath {
        environment: "env-abc123".parse().unwrap(),
        cluster: "lkc-abc123".parse().unwrap(),
    });
    let error = test.client.send(&list).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("could not read connectors"), "{text}");
    assert!(text.ends_with(" has more than 250000 objects and lists"), "{text}");
}

#[tokio::test]
async fn a_gzip_bomb_is_decompressed_only_to_the_size_limit() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..80 {
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let server = MockServer::start().await;
    Mock::given(anything())
        .respond_with(ResponseTemplate::new(400).set_body_raw(packed.finish().unwrap(), "application/json"))
        .mount(&server)
        .await;
    let test = TestClient::with_base_url(&server.uri());
    let refused = test.client.send(&GetServiceAccount("sa-abc123".parse().unwrap())).await;
    assert_eq!(refused.unwrap_err().status().map(|status| status.as_u16()), Some(400));
}
