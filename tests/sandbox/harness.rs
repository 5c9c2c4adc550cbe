//! A caller of the sandbox: keys in, status and JSON out.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::sandbox::{Sandbox, Seed, Settings};
use http::{Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::contract;

/// How a request says who sends it.
#[derive(Clone, Debug)]
pub(crate) enum Login {
    /// It does not.
    Nobody,
    /// With an API key.
    Key(String, String),
    /// With a token.
    Bearer(String),
    /// As a principal, with the control token.
    As(String),
}

impl Login {
    pub(crate) fn key(id: &str, secret: &str) -> Self {
        Self::Key(id.to_owned(), secret.to_owned())
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    /// `Null` for an empty body, a string for one that is not JSON; `None` when the connection broke.
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn json(&self) -> &Value {
        self.body.as_ref().expect("the connection did not break")
    }

    /// The only object of a list, a field of an object …
    pub(crate) fn text(&self, pointer: &str) -> String {
        let value = self.json().pointer(pointer).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{pointer} in {}", self.json()))
            .to_owned()
    }

    /// The first error's code and detail.
    pub(crate) fn error(&self) -> (String, String) {
        let error = confluent_ebs::api::parse_error(self.json().to_string().as_bytes());
        (error.code.unwrap_or_default(), error.detail)
    }

    /// The objects of a list.
    pub(crate) fn data(&self) -> &[Value] {
        self.json()["data"].as_array().map_or(&[], Vec::as_slice)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Calls a sandbox in-process.
#[derive(Clone, Debug)]
pub(crate) struct Harness {
    pub(crate) sandbox: Sandbox,
    pub(crate) seed: Seed,
    pub(crate) admin: Login,
    pub(crate) provisioner: Login,
    /// The provisioner with its key of the first stage's cluster.
    pub(crate) kafka: Login,
}

/// Two Cloud keys, and the provisioner's key of each of the two stages' clusters.
pub(crate) const SEEDED_KEYS: usize = 4;

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with(Settings::instant())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::around(Sandbox::in_memory(Seed::default(), settings).unwrap(), Seed::default())
    }

    pub(crate) fn around(sandbox: Sandbox, seed: Seed) -> Self {
        let info = sandbox.info(true).unwrap();
        let stage = &info.stages[0];
        let kafka_secret = stage.provisioner_kafka_secret.as_deref().unwrap();
        Self {
            sandbox,
            seed,
            admin: Login::key(&info.admin_key, &info.admin_secret.unwrap()),
            kafka: Login::key(&stage.provisioner_kafka_key, kafka_secret),
            provisioner: Login::key(&info.provisioner_key, &info.provisioner_secret.unwrap()),
        }
    }

    pub(crate) async fn send(&self, login: &Login, method: &str, target: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://127.0.0.1{target}"));
        request = match login {
            Login::Nobody => request,
            Login::Key(id, secret) => {
                let value = STANDARD.encode(format!("{id}:{secret}"));
                request.header(header::AUTHORIZATION, format!("Basic {value}"))
            }
            Login::Bearer(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Login::As(principal) => {
                let headers = self.sandbox.stand_in(principal);
                headers
                    .into_iter()
                    .fold(request, |request, (name, value)| request.header(name, value))
            }
        };
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.call(request.body(body).unwrap()).await;
        contract::check(method, target, &answer);
        answer
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let Ok(response) = self.sandbox.router().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.ok();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: bytes.map(|bytes| {
                serde_json::from_slice(&bytes).unwrap_or_else(|_| match bytes.is_empty() {
                    true => Value::Null,
                    false => String::from_utf8_lossy(&bytes).into(),
                })
            }),
        }
    }

    pub(crate) async fn get(&self, login: &Login, target: &str) -> Answer {
        self.send(login, "GET", target, None).await
    }

    pub(crate) async fn post(&self, login: &Login, target: &str, body: Value) -> Answer {
        self.send(login, "POST", target, Some(body)).await
    }

    pub(crate) async fn delete(&self, login: &Login, target: &str) -> Answer {
        self.send(login, "DELETE", target, None).await
    }

    /// All objects of a list, page by page.
    pub(crate) async fn all(&self, login: &Login, target: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = Some(target.to_owned());
        while let Some(target) = next {
            let page = self.get(login, &target).await.expect(200);
            found.extend_from_slice(page.data());
            let link = page.json()["metadata"]["next"].as_str().filter(|link| !link.is_empty());
            next = link.map(|link| link.strip_prefix("http://127.0.0.1").unwrap().to_owned());
        }
        found
    }

    /// Makes a service account, owned by the provisioner.
    pub(crate) async fn account(&self, name: &str) -> String {
        let target = format!(
            "/iam/v2/service-accounts?assigned_resource_owner={}",
            self.seed.provisioner()
        );
        let body = serde_json::json!({ "display_name": name });
        self.post(&self.provisioner, &target, body)
            .await
            .expect(201)
            .text("/id")
    }

    /// Binds a role, as the administrator.
    pub(crate) async fn bind(&self, account: &str, role: &str, pattern: &str) -> String {
        let body = serde_json::json!({
            "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern,
        });
        let answer = self.post(&self.admin, "/iam/v2/role-bindings", body).await;
        answer.expect(201).text("/id")
    }

    /// Makes a key, as the administrator.
    pub(crate) async fn make_key(&self, owner: &str, resource: &str) -> Login {
        let body = serde_json::json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource } } });
        let answer = self.post(&self.admin, "/iam/v2/api-keys", body).await.expect(202);
        Login::Key(answer.text("/id"), answer.text("/spec/secret"))
    }

    /// The CRN of the first stage's cluster.
    pub(crate) fn cluster_crn(&self) -> String {
        self.seed.stages[0].address.cluster_crn().to_string()
    }
}

/// Escapes a query value.
pub(crate) fn escape(text: &str) -> String {
    confluent_ebs::api::encode_segment(text)
}
