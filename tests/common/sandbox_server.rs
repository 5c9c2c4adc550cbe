//! A sandbox in this process: requests of a caller, and responses that are checked against the OpenAPI documents.

use std::collections::BTreeSet;

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::sandbox::{Sandbox, SandboxSettings, Seed};
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{JsonAccess as _, contract, sandbox_start};

/// Authentication of a request.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// None.
    Anonymous,
    /// With an API key.
    ApiKey(String, String),
    /// With a token.
    Bearer(String),
    /// As a principal, with the control token.
    Impersonated(String),
}

impl Caller {
    pub(crate) fn api_key(id: &str, secret: &str) -> Self {
        Self::ApiKey(id.to_owned(), secret.to_owned())
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct SandboxResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    /// `Null` for an empty body, a string if it is not JSON; `None` if the connection broke.
    pub(crate) body: Option<Value>,
}

impl SandboxResponse {
    pub(crate) fn json(&self) -> &Value {
        self.body.as_ref().expect("the connection did not break")
    }

    /// The string at a JSON pointer.
    #[track_caller]
    pub(crate) fn string_at(&self, pointer: &str) -> String {
        self.json().text(pointer).to_owned()
    }

    /// Code and detail of the first error.
    pub(crate) fn first_error(&self) -> (String, String) {
        let error = confluent_ebs::api::parse_error(self.json().to_string().as_bytes());
        (error.code.unwrap_or_default(), error.detail)
    }

    /// The objects of a list.
    pub(crate) fn items(&self) -> &[Value] {
        self.json()["data"].as_array().map_or(&[], Vec::as_slice)
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A sandbox in this process, with its seeded callers.
#[derive(Clone, Debug)]
pub(crate) struct SandboxServer {
    pub(crate) sandbox: Sandbox,
    pub(crate) seed: Seed,
    pub(crate) admin: Caller,
    pub(crate) provisioner: Caller,
    /// The provisioner with its key of the first stage's cluster.
    pub(crate) provisioner_kafka: Caller,
}

/// Two Cloud API keys, and the provisioner's key of each of the two stages' clusters.
pub(crate) const SEEDED_KEY_COUNT: usize = 4;

impl SandboxServer {
    pub(crate) fn new() -> Self {
        Self::with_settings(SandboxSettings::instant())
    }

    pub(crate) fn with_settings(settings: SandboxSettings) -> Self {
        let sandbox = Sandbox::in_memory_at(Seed::default(), settings, sandbox_start()).unwrap();
        Self::from_sandbox(sandbox, Seed::default())
    }

    pub(crate) fn from_sandbox(sandbox: Sandbox, seed: Seed) -> Self {
        let info = sandbox.info(true).unwrap();
        let stage = &info.stages[0];
        let kafka_secret = stage.provisioner_kafka_secret.as_deref().unwrap();
        Self {
            sandbox,
            seed,
            admin: Caller::api_key(&info.admin_key, &info.admin_secret.unwrap()),
            provisioner_kafka: Caller::api_key(&stage.provisioner_kafka_key, kafka_secret),
            provisioner: Caller::api_key(&info.provisioner_key, &info.provisioner_secret.unwrap()),
        }
    }

    pub(crate) async fn send(
        &self,
        login: &Caller,
        method: &str,
        target: &str,
        body: Option<Value>,
    ) -> SandboxResponse {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://127.0.0.1{target}"));
        request = match login {
            Caller::Anonymous => request,
            Caller::ApiKey(id, secret) => {
                let value = STANDARD.encode(format!("{id}:{secret}"));
                request.header(header::AUTHORIZATION, format!("Basic {value}"))
            }
            Caller::Bearer(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Caller::Impersonated(principal) => {
                let headers = self.sandbox.impersonation_headers(principal);
                headers
                    .into_iter()
                    .fold(request, |request, (name, value)| request.header(name, value))
            }
        };
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.call(request.body(body).unwrap()).await;
        contract::check(method, target, &response);
        response
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> SandboxResponse {
        let Ok(response) = self.sandbox.router().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.ok();
        SandboxResponse {
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

    pub(crate) async fn get(&self, login: &Caller, target: &str) -> SandboxResponse {
        self.send(login, "GET", target, None).await
    }

    pub(crate) async fn post(&self, login: &Caller, target: &str, body: Value) -> SandboxResponse {
        self.send(login, "POST", target, Some(body)).await
    }

    pub(crate) async fn delete(&self, login: &Caller, target: &str) -> SandboxResponse {
        self.send(login, "DELETE", target, None).await
    }

    /// All objects of a list, over all pages.
    pub(crate) async fn list_all(&self, login: &Caller, target: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut next = Some(target.to_owned());
        while let Some(target) = next {
            let page = self.get(login, &target).await.expect_status(200);
            found.extend_from_slice(page.items());
            let link = page.json()["metadata"]["next"].as_str().filter(|link| !link.is_empty());
            next = link.map(|link| link.strip_prefix("http://127.0.0.1").unwrap().to_owned());
        }
        found
    }

    /// Returns all accounts, bindings, keys and connectors of the sandbox as text.
    pub(crate) fn object_texts(&self) -> BTreeSet<String> {
        let sandbox = &self.sandbox;
        let accounts = sandbox.accounts().unwrap().into_iter().map(|account| json!(account));
        let bindings = sandbox.bindings().unwrap().into_iter().map(|binding| json!(binding));
        let keys = sandbox.keys().unwrap().into_iter().map(|key| json!(key));
        let connectors = sandbox.connectors().unwrap().into_iter().map(|name| json!(name));
        let objects = accounts.chain(bindings).chain(keys).chain(connectors);
        objects.map(|object| object.to_string()).collect()
    }

    /// Creates a service account, owned by the provisioner.
    pub(crate) async fn create_account(&self, name: &str) -> String {
        let target = format!(
            "/iam/v2/service-accounts?assigned_resource_owner={}",
            self.seed.provisioner()
        );
        let body = json!({ "display_name": name });
        self.post(&self.provisioner, &target, body)
            .await
            .expect_status(201)
            .string_at("/id")
    }

    /// Binds a role, as the administrator.
    pub(crate) async fn bind(&self, account: &str, role: &str, pattern: &str) -> String {
        let body = json!({
            "principal": format!("User:{account}"), "role_name": role, "crn_pattern": pattern,
        });
        let answer = self.post(&self.admin, "/iam/v2/role-bindings", body).await;
        answer.expect_status(201).string_at("/id")
    }

    /// Creates a key, as the administrator.
    pub(crate) async fn create_key(&self, owner: &str, resource: &str) -> Caller {
        let body = json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource } } });
        let answer = self
            .post(&self.admin, "/iam/v2/api-keys", body)
            .await
            .expect_status(202);
        Caller::ApiKey(answer.string_at("/id"), answer.string_at("/spec/secret"))
    }

    /// The CRN of the first stage's cluster.
    pub(crate) fn cluster_crn(&self) -> String {
        self.seed.stages[0].address.cluster_crn().to_string()
    }
}

/// Escapes a query value.
pub(crate) fn encode_query_value(text: &str) -> String {
    confluent_ebs::api::encode_segment(text)
}
