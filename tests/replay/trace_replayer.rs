//! Replay of recorded requests with the ids of the sandbox.

use std::collections::BTreeMap;

use confluent_ebs::{
    model::StageAddress,
    sandbox::{ClusterKind, Sandbox, SandboxSettings, Seed, SeedStage},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    common::{Caller, SandboxResponse, SandboxServer, encode_query_value, sandbox_start},
    trace::{RecordedCommand, RecordedRequest},
    unauthorized_callers::UnauthorizedCallers,
};

/// The administrator in the recordings.
const RECORDED_ADMIN_ID: &str = "u-11aaaa";
/// Ids in the recordings that do not exist.
const RECORDED_MISSING_ID: &str = "sa-nope99";

pub(crate) struct TraceReplayer {
    pub(crate) api: SandboxServer,
    /// Identity of the recorded client.
    pub(crate) login: Caller,
    /// API keys created during the replay, with the recorded id.
    keys: BTreeMap<String, Caller>,
    /// Recorded id → id in the sandbox.
    ids: BTreeMap<String, String>,
    /// The object of each kind that was created last, or was the only one in a list: the client continues with it.
    last: BTreeMap<&'static str, String>,
    newest_key: Option<Caller>,
    /// The token for Kafka REST and for logs.
    data_plane: Option<Caller>,
    /// Responses of the last command, for its checks.
    pub(crate) responses: Vec<(String, SandboxResponse)>,
}

impl TraceReplayer {
    /// The environments and clusters of the recordings are seeded with their own names.
    pub(crate) fn new() -> Self {
        Self::at_time(sandbox_start())
    }

    /// The same at the time of the recording.
    pub(crate) fn at_time(moment: Timestamp) -> Self {
        Self::with_sandbox(|seed| Sandbox::in_memory_at(seed, SandboxSettings::instant(), moment).unwrap())
    }

    fn with_sandbox(sandbox: impl FnOnce(Seed) -> Sandbox) -> Self {
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: Some("lsrc-abc123".parse().unwrap()),
        };
        let seed = Seed {
            stages: vec![SeedStage {
                name: "prod".into(),
                address,
                cluster_kind: ClusterKind::Standard,
            }],
            clusters: Vec::new(),
            ..Seed::default()
        };
        let api = SandboxServer::from_sandbox(sandbox(seed.clone()), seed);
        Self {
            login: api.admin.clone(),
            ids: [
                (RECORDED_ADMIN_ID.to_owned(), api.seed.admin().to_string()),
                (RECORDED_MISSING_ID.to_owned(), RECORDED_MISSING_ID.to_owned()),
            ]
            .into(),
            api,
            keys: BTreeMap::new(),
            last: BTreeMap::new(),
            newest_key: None,
            data_plane: None,
            responses: Vec::new(),
        }
    }

    /// A recorded id that no request in the recording creates.
    pub(crate) fn map_id(&mut self, recorded: &str, mine: &str) {
        self.ids.insert(recorded.to_owned(), mine.to_owned());
    }

    /// Id in the sandbox for a recorded one.
    pub(crate) fn mapped_id(&self, recorded: &str) -> &str {
        &self.ids[recorded]
    }

    pub(crate) async fn replay(&mut self, command: &RecordedCommand, unauthorized: Option<&UnauthorizedCallers>) {
        self.responses.clear();
        for request in &command.requests {
            for _ in 0..request.times {
                self.send(&command.name, request, unauthorized).await;
            }
        }
    }

    async fn send(&mut self, command: &str, recorded: &RecordedRequest, unauthorized: Option<&UnauthorizedCallers>) {
        let target = self.target(recorded);
        let body = recorded.body.as_ref().map(|body| self.map_value(body));
        let login = match recorded.auth.as_str() {
            // The Confluent CLI sends the user part of its URL; it must be ignored.
            "none" => Caller::api_key("cpdev.cloud", ""),
            "Bearer"
                if ["/kafka/", "/logs/"]
                    .iter()
                    .any(|group| recorded.path.starts_with(group)) =>
            {
                self.data_plane.clone().unwrap()
            }
            "Bearer" | "Basic:CLOUDKEY" => self.login.clone(),
            basic => self.keys[basic.strip_prefix("Basic:").unwrap()].clone(),
        };
        if let Some(unauthorized) = unauthorized.filter(|_| recorded.auth != "none") {
            unauthorized
                .assert_refused(&self.api, recorded, &target, body.as_ref())
                .await;
        }
        let answer = self.api.send(&login, &recorded.method, &target, body).await;
        let tolerated = recorded.path == "/api/usage_limits" && answer.status == 404;
        assert!(
            tolerated || answer.status.as_u16() == recorded.status,
            "{command}: {} {target}: {} instead of {}: {:?}",
            recorded.method,
            answer.status,
            recorded.status,
            answer.body
        );
        self.record_ids(recorded, &answer);
        self.responses.push((recorded.path.clone(), answer));
    }

    /// Path and query of the recorded request, with the ids of the sandbox.
    fn target(&mut self, recorded: &RecordedRequest) -> String {
        let path: Vec<_> = recorded.path.split('/').map(|part| self.map_text(part)).collect();
        let mut pairs = Vec::new();
        for (key, values) in &recorded.query {
            for value in values.all() {
                // Ids also occur inside of connector expansions and patterns.
                pairs.push(format!("{key}={}", encode_query_value(&self.map_text(value))));
            }
        }
        let separator = if pairs.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", path.join("/"), pairs.join("&"))
    }

    /// A value with the ids of the sandbox instead of the recorded ones.
    pub(crate) fn map_value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.as_str() {
                "<password>" => confluent_ebs::sandbox::ADMIN_PASSWORD.into(),
                text => self.map_text(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.map_value(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.clone(), self.map_value(value)));
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }

    fn map_text(&mut self, text: &str) -> String {
        let (head, id) = match text.rsplit_once([':', '=']) {
            Some((head, id)) => (&text[..=head.len()], id),
            None => ("", text),
        };
        let Some(kind) = id_kind(id) else {
            return text.to_owned();
        };
        let last = self.last.get(kind).cloned();
        let mine = self.ids.entry(id.to_owned()).or_insert_with(|| {
            last.unwrap_or_else(|| panic!("`{id}` is requested before an object of its kind was created"))
        });
        let mapped = format!("{head}{mine}");
        if kind == "key"
            && let Some(fresh) = self.newest_key.take()
        {
            self.keys.insert(id.to_owned(), fresh);
        }
        mapped
    }

    /// Learns the ids of a response: of a created object, or of an object in a list.
    fn record_ids(&mut self, recorded: &RecordedRequest, answer: &SandboxResponse) {
        let body = answer.json();
        if let Some(token) = body["token"].as_str().filter(|_| recorded.path == "/api/sessions") {
            self.login = Caller::Bearer(token.to_owned());
        }
        if let Some(token) = body["token"].as_str().filter(|_| recorded.path == "/api/access_tokens") {
            self.data_plane = Some(Caller::Bearer(token.to_owned()));
        }
        let only = match answer.items() {
            [only] => only,
            _ => body,
        };
        let Some(id) = only["id"].as_str() else { return };
        if let Some(kind) = id_kind(id).filter(|_| recorded.method == "POST" || body["data"].is_array()) {
            self.last.insert(kind, id.to_owned());
        }
        if let Some(secret) = body["spec"]["secret"].as_str() {
            let login = Caller::api_key(id, secret);
            // The Terraform provider uses a key before any other request contains it.
            let recorded_later = "K9F6BF8ABCDEFGHI";
            self.keys.insert(recorded_later.to_owned(), login.clone());
            self.newest_key = Some(login);
        }
    }
}

fn id_kind(id: &str) -> Option<&'static str> {
    let is_key = id.len() == 16 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    match id.split_once('-') {
        Some(("sa", _)) => Some("account"),
        Some(("rb", _)) => Some("binding"),
        Some(("u", _)) => Some("user"),
        Some(("lcc", _)) => Some("connector"),
        _ => is_key.then_some("key"),
    }
}
