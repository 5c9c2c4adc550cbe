//! Connect on a socket: undocumented properties of clients' requests.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::common::{CONNECTORS_PATH, Caller, ConnectSandbox};

/// One connection, used as long as the service allows.
struct RawHttpConnection {
    socket: BufReader<TcpStream>,
    authorization: String,
}

/// Head and body of a response.
struct RawHttpResponse {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl RawHttpResponse {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl RawHttpConnection {
    async fn connect(connect: &ConnectSandbox) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sandbox = connect.api.sandbox.clone();
        tokio::spawn(async move { sandbox.serve(listener).await });
        let Caller::ApiKey(id, secret) = connect.admin() else {
            unreachable!()
        };
        Self {
            socket: BufReader::new(TcpStream::connect(address).await.unwrap()),
            authorization: STANDARD.encode(format!("{id}:{secret}")),
        }
    }

    async fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn write(&mut self, text: &str) {
        self.socket.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn read_head(&mut self) -> (String, Vec<(String, String)>) {
        let status = self.read_line().await;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line().await;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        (status, headers)
    }

    async fn read_response(&mut self, method: &str) -> RawHttpResponse {
        let (status, headers) = self.read_head().await;
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.socket.read_exact(&mut body).await.unwrap();
        RawHttpResponse {
            status,
            headers,
            body: String::from_utf8(body).unwrap(),
        }
    }

    fn request_head(&self, method: &str, target: &str, more: &str, length: usize) -> String {
        let login = &self.authorization;
        format!(
            "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: basic {login}\r\ncontent-length: \
             {length}\r\n{more}\r\n"
        )
    }

    /// Header names and the scheme are always in lower case.
    async fn send(&mut self, method: &str, target: &str, more: &str, body: &str) -> RawHttpResponse {
        let request = self.request_head(method, target, more, body.len());
        self.write(&format!("{request}{body}")).await;
        self.read_response(method).await
    }
}

#[tokio::test]
async fn one_connection_serves_requests_of_every_kind() {
    let connect = ConnectSandbox::new().await;
    let mut wire = RawHttpConnection::connect(&connect).await;
    let config = connect.datagen_config("claims-orders");
    let body = json!({ "name": "claims-orders", "config": config }).to_string();
    let made = wire.send("POST", CONNECTORS_PATH, "", &body).await;
    assert_eq!(made.status, "HTTP/1.1 201 Created");
    // Every Go program offers compression, which the service may ignore.
    let list = wire
        .send(
            "GET",
            &format!("{CONNECTORS_PATH}?expand=info%2Cstatus%2Cid&expand=id%2Cstatus"),
            "accept-encoding: gzip\r\n",
            "",
        )
        .await;
    assert_eq!(
        (list.header("content-encoding"), list.header("content-type")),
        (None, Some("application/json"))
    );
    assert!(
        list.json()["claims-orders"]["info"]["config"].is_object(),
        "all expansions together"
    );
    // 202 with an empty body.
    for (method, act) in [("PUT", "pause"), ("PUT", "resume"), ("POST", "restart")] {
        let done = wire
            .send(method, &format!("{CONNECTORS_PATH}/claims-orders/{act}"), "", "")
            .await;
        assert_eq!(done.status, "HTTP/1.1 202 Accepted", "{act}");
        assert_eq!(
            (done.header("content-length"), done.header("content-type")),
            (Some("0"), None),
            "{act}"
        );
        assert!(done.header("x-request-id").is_some());
    }
    // Other methods, and no CORS.
    for method in ["HEAD", "OPTIONS", "PATCH"] {
        let refused = wire.send(method, CONNECTORS_PATH, "", "").await;
        assert_eq!(refused.status, "HTTP/1.1 405 Method Not Allowed", "{method}");
        assert_eq!(refused.header("allow"), Some("GET, POST"), "{method}");
        assert!(
            !refused
                .headers
                .iter()
                .any(|(name, _)| name.starts_with("access-control"))
        );
    }
    let slash = wire.send("GET", &format!("{CONNECTORS_PATH}/"), "", "").await;
    assert_eq!(slash.json()["error"]["code"], 404);
    let gone = wire
        .send("DELETE", &format!("{CONNECTORS_PATH}/claims-orders"), "", "")
        .await;
    assert_eq!(gone.body, r#"{"error":null}"#);
}

#[tokio::test]
async fn expect_100_continue_is_answered_before_the_body() {
    let connect = ConnectSandbox::new().await;
    let mut wire = RawHttpConnection::connect(&connect).await;
    let body = connect.datagen_config("claims-orders").to_string();
    let target = format!("{CONNECTORS_PATH}/claims-orders/config");
    let request = wire.request_head("PUT", &target, "expect: 100-continue\r\n", body.len());
    wire.write(&request).await;
    let (status, _) = wire.read_head().await;
    assert_eq!(status, "HTTP/1.1 100 Continue");
    wire.write(&body).await;
    assert_eq!(wire.read_response("PUT").await.status, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn a_five_megabyte_body_is_refused_in_the_connect_error_format() {
    let connect = ConnectSandbox::new().await;
    let mut config = connect.datagen_config("claims-orders");
    config["schema.string"] = json!("x".repeat(5 << 20));
    let (_, detail) = connect.create_connector(&config).await.expect_status(413).first_error();
    assert!(detail.contains("4 MiB"), "{detail}");
    let answer = connect.put_config(&config).await.expect_status(413);
    assert_eq!(answer.json()["error"]["code"], 413);
    assert!(connect.api.sandbox.connectors().unwrap().is_empty());
}

// Source: docs/reference/connect.md#transport-and-authentication and docs/reference/connect.md#connector-names. A name
// is one percent-encoded segment of the path.
#[tokio::test]
async fn connector_names_with_spaces_and_special_characters_are_addressable() {
    let connect = ConnectSandbox::new().await;
    for name in ["claims orders", "claims+orders", "claims,[1]|a&b.c_d", "claims-größe"] {
        connect
            .create_connector(&connect.datagen_config(name))
            .await
            .expect_status(201);
        let path = format!("{CONNECTORS_PATH}/{}/status", confluent_ebs::api::encode_segment(name));
        let status = connect.api.get(connect.admin(), &path).await.expect_status(200);
        assert_eq!(
            (status.string_at("/name"), status.string_at("/connector/worker_id")),
            (name.to_owned(), name.to_owned())
        );
    }
    // A plus is a plus: only `%20` is a space.
    connect.get("claims+orders/status").await.expect_status(200);
    connect.send_action("DELETE", "claims+orders").await.expect_status(200);
    connect.get("claims%20orders/status").await.expect_status(200);
    // Names cannot contain a percent sign or a slash, and requests with them are handled.
    connect
        .create_connector(&connect.datagen_config("claims%20orders"))
        .await
        .expect_status(400);
    for odd in ["claims%2520orders", "claims%2Forders", "%zz", "%25"] {
        connect.get(&format!("{odd}/status")).await.expect_status(404);
    }
}

// connect/v1, the examples of 404; docs/reference/connect.md#error-bodies; docs/reference/connect.md#error-messages,
// pattern 28.
#[tokio::test]
async fn unknown_connectors_are_404_in_the_connect_error_format() {
    let connect = ConnectSandbox::new().await;
    for (method, below) in [
        ("GET", ""),
        ("GET", "/config"),
        ("GET", "/status"),
        ("GET", "/tasks"),
        ("GET", "/offsets"),
        ("GET", "/offsets/request/status"),
        ("GET", "/error-recommendations"),
        ("PUT", "/pause"),
        ("PUT", "/resume"),
        ("POST", "/restart"),
        ("DELETE", ""),
    ] {
        let answer = connect
            .send_action(method, &format!("claims-none{below}"))
            .await
            .expect_status(404);
        assert_eq!(answer.json()["error"]["code"], 404, "{method} {below}");
    }
    let body = json!({ "type": "DELETE" });
    let alter = format!("{CONNECTORS_PATH}/claims-none/offsets/request");
    connect.api.post(connect.admin(), &alter, body).await.expect_status(404);
    for (from, to, words) in [
        ("env-prod1", "env-none", "account not found"),
        ("env-prod1", "env-test1", "resource not found"),
        ("lkc-prod1", "lkc-none", "resource not found"),
    ] {
        let elsewhere = CONNECTORS_PATH.replace(from, to);
        let (_, detail) = connect
            .api
            .get(connect.admin(), &elsewhere)
            .await
            .expect_status(404)
            .first_error();
        assert_eq!(detail, words, "{elsewhere}");
    }
}
