//! Sends recorded requests with ids of our own.

use std::collections::BTreeMap;

use confluent_ebs::{
    model::Address,
    sandbox::{ClusterKind, Sandbox, Seed, SeedStage, Settings},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    harness::{Answer, Harness, Login, escape},
    outsiders::Outsiders,
    trace::{Command, Recorded},
};

/// What the recordings call the administrator.
const RECORDED_ADMIN: &str = "u-11aaaa";
/// What they ask for because it does not exist.
const MISSING: &str = "sa-nope99";

pub(crate) struct Player {
    pub(crate) world: Harness,
    /// Who the recorded client is.
    pub(crate) login: Login,
    /// The API keys that were made on the way, with the recorded id.
    keys: BTreeMap<String, Login>,
    /// Recorded id → ours.
    ids: BTreeMap<String, String>,
    /// The object of each kind that was last made, or was alone in a list: the one the client goes on with.
    last: BTreeMap<&'static str, String>,
    fresh: Option<Login>,
    /// The token for Kafka REST and for logs.
    data_plane: Option<Login>,
    /// Every answer of the last command, for what it should hold.
    pub(crate) answers: Vec<(String, Answer)>,
}

impl Player {
    /// The places of the recordings are seeded under their own names.
    pub(crate) fn new() -> Self {
        Self::around(|seed| Sandbox::in_memory(seed, Settings::instant()).unwrap())
    }

    /// The same at the moment at which they were made.
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self::around(|seed| Sandbox::in_memory_at(seed, Settings::instant(), moment).unwrap())
    }

    fn around(sandbox: impl FnOnce(Seed) -> Sandbox) -> Self {
        let address = Address {
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
        let world = Harness::around(sandbox(seed.clone()), seed);
        Self {
            login: world.admin.clone(),
            ids: [
                (RECORDED_ADMIN.to_owned(), world.seed.admin().to_string()),
                (MISSING.to_owned(), MISSING.to_owned()),
            ]
            .into(),
            world,
            keys: BTreeMap::new(),
            last: BTreeMap::new(),
            fresh: None,
            data_plane: None,
            answers: Vec::new(),
        }
    }

    /// A recorded id that nothing in the recording makes.
    pub(crate) fn stands_for(&mut self, recorded: &str, mine: &str) {
        self.ids.insert(recorded.to_owned(), mine.to_owned());
    }

    /// Our id for a recorded one.
    pub(crate) fn mine(&self, recorded: &str) -> &str {
        &self.ids[recorded]
    }

    pub(crate) async fn play(&mut self, command: &Command, outsiders: Option<&Outsiders>) {
        self.answers.clear();
        for request in &command.requests {
            for _ in 0..request.times {
                self.send(&command.name, request, outsiders).await;
            }
        }
    }

    async fn send(&mut self, command: &str, recorded: &Recorded, outsiders: Option<&Outsiders>) {
        let target = self.target(recorded);
        let body = recorded.body.as_ref().map(|body| self.map(body));
        let login = match recorded.auth.as_str() {
            // The CLI sends the user part of its URL; it must be ignored.
            "none" => Login::key("cpdev.cloud", ""),
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
        if let Some(outsiders) = outsiders.filter(|_| recorded.auth != "none") {
            outsiders
                .try_the_same(&self.world, recorded, &target, body.as_ref())
                .await;
        }
        let answer = self.world.send(&login, &recorded.method, &target, body).await;
        let tolerated = recorded.path == "/api/usage_limits" && answer.status == 404;
        assert!(
            tolerated || answer.status.as_u16() == recorded.status,
            "{command}: {} {target}: {} instead of {}: {:?}",
            recorded.method,
            answer.status,
            recorded.status,
            answer.body
        );
        self.learn(recorded, &answer);
        self.answers.push((recorded.path.clone(), answer));
    }

    /// The recorded request's path and query, with our ids.
    fn target(&mut self, recorded: &Recorded) -> String {
        let path: Vec<_> = recorded.path.split('/').map(|part| self.text(part)).collect();
        let mut pairs = Vec::new();
        for (key, values) in &recorded.query {
            for value in values.all() {
                // Connector expansions and patterns alike: ids stand inside.
                pairs.push(format!("{key}={}", escape(&self.text(value))));
            }
        }
        let separator = if pairs.is_empty() { "" } else { "?" };
        format!("{}{separator}{}", path.join("/"), pairs.join("&"))
    }

    /// A value with our ids in the place of the recorded ones.
    pub(crate) fn map(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.as_str() {
                "<password>" => confluent_ebs::sandbox::ADMIN_PASSWORD.into(),
                text => self.text(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.map(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.clone(), self.map(value)));
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let (head, id) = match text.rsplit_once([':', '=']) {
            Some((head, id)) => (&text[..=head.len()], id),
            None => ("", text),
        };
        let Some(kind) = kind_of(id) else {
            return text.to_owned();
        };
        let last = self.last.get(kind).cloned();
        let mine = self.ids.entry(id.to_owned()).or_insert_with(|| {
            last.unwrap_or_else(|| panic!("`{id}` is asked for before anything of its kind was made"))
        });
        let mapped = format!("{head}{mine}");
        if kind == "key"
            && let Some(fresh) = self.fresh.take()
        {
            self.keys.insert(id.to_owned(), fresh);
        }
        mapped
    }

    /// Takes the ids out of an answer: of an object that was made, or that a list found.
    fn learn(&mut self, recorded: &Recorded, answer: &Answer) {
        let body = answer.json();
        if let Some(token) = body["token"].as_str().filter(|_| recorded.path == "/api/sessions") {
            self.login = Login::Bearer(token.to_owned());
        }
        if let Some(token) = body["token"].as_str().filter(|_| recorded.path == "/api/access_tokens") {
            self.data_plane = Some(Login::Bearer(token.to_owned()));
        }
        let only = match answer.data() {
            [only] => only,
            _ => body,
        };
        let Some(id) = only["id"].as_str() else { return };
        if let Some(kind) = kind_of(id).filter(|_| recorded.method == "POST" || body["data"].is_array()) {
            self.last.insert(kind, id.to_owned());
        }
        if let Some(secret) = body["spec"]["secret"].as_str() {
            let login = Login::key(id, secret);
            // Terraform's provider uses a key before anything else names it.
            let recorded_later = "K9F6BF8ABCDEFGHI";
            self.keys.insert(recorded_later.to_owned(), login.clone());
            self.fresh = Some(login);
        }
    }
}

fn kind_of(id: &str) -> Option<&'static str> {
    let is_key = id.len() == 16 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    match id.split_once('-') {
        Some(("sa", _)) => Some("account"),
        Some(("rb", _)) => Some("binding"),
        Some(("u", _)) => Some("user"),
        Some(("lcc", _)) => Some("connector"),
        _ => is_key.then_some("key"),
    }
}
