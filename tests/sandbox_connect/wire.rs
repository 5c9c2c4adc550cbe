//! Connect on a socket: what clients send besides what is documented.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    harness::Login,
    world::{CONNECTORS, World},
};

/// One connection, used for as long as the service lets.
struct Wire {
    socket: BufReader<TcpStream>,
    authorization: String,
}

/// The head and the body of one answer.
struct Heard {
    status: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Wire {
    async fn to(world: &World) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sandbox = world.harness.sandbox.clone();
        tokio::spawn(async move { sandbox.serve(listener).await });
        let Login::Key(id, secret) = world.admin() else {
            unreachable!()
        };
        Self {
            socket: BufReader::new(TcpStream::connect(address).await.unwrap()),
            authorization: STANDARD.encode(format!("{id}:{secret}")),
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn say(&mut self, text: &str) {
        self.socket.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn head(&mut self) -> (String, Vec<(String, String)>) {
        let status = self.line().await;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        (status, headers)
    }

    async fn hear(&mut self, method: &str) -> Heard {
        let (status, headers) = self.head().await;
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        let mut body = vec![0; if method == "HEAD" { 0 } else { length }];
        self.socket.read_exact(&mut body).await.unwrap();
        Heard {
            status,
            headers,
            body: String::from_utf8(body).unwrap(),
        }
    }

    fn request(&self, method: &str, target: &str, more: &str, length: usize) -> String {
        let login = &self.authorization;
        format!(
            "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: basic {login}\r\ncontent-length: \
             {length}\r\n{more}\r\n"
        )
    }

    /// Header names and the scheme in lower case, always.
    async fn send(&mut self, method: &str, target: &str, more: &str, body: &str) -> Heard {
        let request = self.request(method, target, more, body.len());
        self.say(&format!("{request}{body}")).await;
        self.hear(method).await
    }
}

#[tokio::test]
async fn one_connection_serves_whatever_comes() {
    let world = World::new().await;
    let mut wire = Wire::to(&world).await;
    let config = world.datagen("claims-orders");
    let body = json!({ "name": "claims-orders", "config": config }).to_string();
    let made = wire.send("POST", CONNECTORS, "", &body).await;
    assert_eq!(made.status, "HTTP/1.1 201 Created");
    // Compression is offered by every Go program, and need not be taken.
    let list = wire
        .send(
            "GET",
            &format!("{CONNECTORS}?expand=info%2Cstatus%2Cid&expand=id%2Cstatus"),
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
    // 202 with nothing in it.
    for (method, act) in [("PUT", "pause"), ("PUT", "resume"), ("POST", "restart")] {
        let done = wire
            .send(method, &format!("{CONNECTORS}/claims-orders/{act}"), "", "")
            .await;
        assert_eq!(done.status, "HTTP/1.1 202 Accepted", "{act}");
        assert_eq!(
            (done.header("content-length"), done.header("content-type")),
            (Some("0"), None),
            "{act}"
        );
        assert!(done.header("x-request-id").is_some());
    }
    // Other verbs, and no CORS.
    for method in ["HEAD", "OPTIONS", "PATCH"] {
        let refused = wire.send(method, CONNECTORS, "", "").await;
        assert_eq!(refused.status, "HTTP/1.1 405 Method Not Allowed", "{method}");
        assert_eq!(refused.header("allow"), Some("GET, POST"), "{method}");
        assert!(
            !refused
                .headers
                .iter()
                .any(|(name, _)| name.starts_with("access-control"))
        );
    }
    let slash = wire.send("GET", &format!("{CONNECTORS}/"), "", "").await;
    assert_eq!(slash.json()["error"]["code"], 404);
    let gone = wire
        .send("DELETE", &format!("{CONNECTORS}/claims-orders"), "", "")
        .await;
    assert_eq!(gone.body, r#"{"error":null}"#);
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let world = World::new().await;
    let mut wire = Wire::to(&world).await;
    let body = world.datagen("claims-orders").to_string();
    let target = format!("{CONNECTORS}/claims-orders/config");
    let request = wire.request("PUT", &target, "expect: 100-continue\r\n", body.len());
    wire.say(&request).await;
    let (status, _) = wire.head().await;
    assert_eq!(status, "HTTP/1.1 100 Continue");
    wire.say(&body).await;
    assert_eq!(wire.hear("PUT").await.status, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn five_megabytes_are_refused_in_connects_own_shape_and_change_nothing() {
    let world = World::new().await;
    let mut config = world.datagen("claims-orders");
    config["schema.string"] = json!("x".repeat(5 << 20));
    let (_, detail) = world.create(&config).await.expect(413).error();
    assert!(detail.contains("4 MiB"), "{detail}");
    let answer = world.put(&config).await.expect(413);
    assert_eq!(answer.json()["error"]["code"], 413);
    assert!(world.harness.sandbox.connectors().unwrap().is_empty());
}

// Dossier `connect.md` §1, §4.5: names are one segment of the path, percent-encoded.
#[tokio::test]
async fn names_with_spaces_and_signs_are_addressed_whole() {
    let world = World::new().await;
    for name in ["claims orders", "claims+orders", "claims,[1]|a&b.c_d", "claims-größe"] {
        world.create(&world.datagen(name)).await.expect(201);
        let path = format!("{CONNECTORS}/{}/status", confluent_ebs::api::encode_segment(name));
        let status = world.harness.get(world.admin(), &path).await.expect(200);
        assert_eq!(
            (status.text("/name"), status.text("/connector/worker_id")),
            (name.to_owned(), name.to_owned())
        );
    }
    // A plus is a plus: only `%20` is a space.
    world.get("claims+orders/status").await.expect(200);
    world.act("DELETE", "claims+orders").await.expect(200);
    world.get("claims%20orders/status").await.expect(200);
    // No name holds a percent sign or a slash, and nobody falls over one.
    world.create(&world.datagen("claims%20orders")).await.expect(400);
    for odd in ["claims%2520orders", "claims%2Forders", "%zz", "%25"] {
        world.get(&format!("{odd}/status")).await.expect(404);
    }
}

// connect/v1, the examples of 404; dossier `connect.md` §1.1, pattern 28.
#[tokio::test]
async fn what_is_not_there_is_404_in_connects_own_shape() {
    let world = World::new().await;
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
        let answer = world.act(method, &format!("claims-none{below}")).await.expect(404);
        assert_eq!(answer.json()["error"]["code"], 404, "{method} {below}");
    }
    let body = json!({ "type": "DELETE" });
    let alter = format!("{CONNECTORS}/claims-none/offsets/request");
    world.harness.post(world.admin(), &alter, body).await.expect(404);
    for (from, to, words) in [
        ("env-prod1", "env-none", "account not found"),
        ("env-prod1", "env-test1", "resource not found"),
        ("lkc-prod1", "lkc-none", "resource not found"),
    ] {
        let elsewhere = CONNECTORS.replace(from, to);
        let (_, detail) = world.harness.get(world.admin(), &elsewhere).await.expect(404).error();
        assert_eq!(detail, words, "{elsewhere}");
    }
}
