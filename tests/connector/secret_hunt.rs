//! The secret hunt: every PASSWORD key of the catalog with values of every kind, against a service that repeats the values
//! of a request in every notation, and every writer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use confluent_ebs::{
    catalog::{ValueType, catalog, secret::not_secret_reason},
    clock::Clock,
    config::StandardDirs,
    connectors::{
        backup::BackupPolicy,
        change::ChangeOptions,
        creation::plan_creation,
        definition::ConnectorDefinition,
        preparation::{ConnectorListing, ConnectorPreparation},
        secrets::SecretSources,
        sent_secrets::ExistingConnectorPolicy,
        validation::validate_definition,
    },
    error::Error,
    redact::SecretRegistry,
    render::{Captured, Format, Problem, Ui, Viewable},
    session::{ConnectorSession, Environment, Options, RunContext},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    cli_with_claims,
    common::{Cli, PROFILES_DIR},
};

const TOPIC: &str = "claims-orders";
const VARIABLE: &str = "EBS_SECRET_CANARY";
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIICanaryFirstLine+/0123456789\nMIICanarySecondLine+/012345678\n\
                   -----END PRIVATE KEY-----\n";

/// Values that a secret can have, and the parts of each that no output may contain.
const CANARIES: [(&str, &[&str]); 5] = [
    ("Ca9ary-8", &["Ca9ary-8"]),
    (
        PEM,
        &["MIICanaryFirstLine+/0123456789", "MIICanarySecondLine+/012345678"],
    ),
    ("Ge\"h\\eim%2024+x&y", &["Ge\"h\\eim%2024+x&y"]),
    ("Schlüssel-ß-漢字", &["Schlüssel-ß-漢字"]),
    // Only messages about the key lose this one: it is also the name of a topic.
    (TOPIC, &[]),
];

/// Behavior of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The validation has errors, with status 200.
    Validation,
    /// The creation is refused with status 400.
    Creation,
    /// The creation is refused without repeating a value.
    Silent,
}

/// Returns a message of the service about `key` that repeats its value in every notation.
fn message_about(key: &str, value: &str) -> String {
    let percent = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pair = STANDARD.encode(format!("user:{value}"));
    format!(
        "Invalid value {value} for configuration {key}: rejected\nsent {}, url https://h/?p={percent}&q={}, \
         debug {value:?}, csv \"{}\", base64 {}, authorization Basic {pair}",
        json!({ key: value }),
        value.replace(' ', "+"),
        value.replace('"', "\"\""),
        STANDARD.encode(value),
    )
}

async fn respond(State(refusal): State<Refusal>, request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let config = sent.get("config").unwrap_or(&sent).clone();
    let pairs = || {
        let fields = config.as_object().cloned().unwrap_or_default();
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
    };
    let about_all = || {
        pairs()
            .map(|(key, value)| message_about(&key, &value))
            .collect::<Vec<_>>()
            .join("\n")
    };
    if path.ends_with("/validate") {
        let configs: Vec<Value> = pairs()
            .map(|(key, value)| {
                let errors = match refusal {
                    Refusal::Validation => vec![message_about(&key, &value)],
                    _ => Vec::new(),
                };
                json!({
                    "definition": {"name": key, "type": "STRING"},
                    "value": {"name": key, "value": value, "errors": errors, "recommended_values": errors},
                })
            })
            .collect();
        let count = if refusal == Refusal::Validation {
            configs.len()
        } else {
            0
        };
        let answer = json!({"name": "x", "groups": [], "error_count": count, "configs": configs});
        return (StatusCode::OK, Json(answer));
    }
    if parts.method == Method::POST && path.ends_with("/connectors") {
        return match refusal {
            Refusal::Silent => (
                StatusCode::BAD_REQUEST,
                Json(json!({"error_code": 400, "message": "no capacity"})),
            ),
            _ => (
                StatusCode::BAD_REQUEST,
                Json(json!({"error_code": 400, "message": about_all()})),
            ),
        };
    }
    if parts.method == Method::GET && path.ends_with("/connectors") {
        return (StatusCode::OK, Json(json!({})));
    }
    (
        StatusCode::NOT_FOUND,
        Json(json!({"error_code": 404, "message": about_all()})),
    )
}

async fn serve(refusal: Refusal) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(respond).with_state(refusal);
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

/// Home folder with a profile for each service.
struct Hunt {
    cli: Cli,
    plugins: Vec<(String, Vec<String>)>,
}

impl Hunt {
    fn new() -> Self {
        let plugins = catalog().plugins().map(|plugin| {
            let passwords = plugin.keys.values().filter(|key| key.value_type == ValueType::Password);
            let secrets = passwords
                .map(|key| key.name.clone())
                .filter(|key| not_secret_reason(key).is_none());
            (plugin.class.to_owned(), secrets.collect())
        });
        Self {
            cli: cli_with_claims(),
            plugins: plugins.collect(),
        }
    }

    /// Returns every PASSWORD key once, with a plugin that has it.
    fn keys(&self) -> BTreeMap<&str, &str> {
        let pairs = self
            .plugins
            .iter()
            .flat_map(|(class, keys)| keys.iter().map(move |key| (key.as_str(), class.as_str())));
        pairs.collect()
    }

    /// Returns the run of a deployer at the endpoint `url`, with the value of a secret.
    fn run(&self, url: &str, value: &str, ui: impl FnOnce(SecretRegistry) -> Ui) -> RunContext {
        let text = std::fs::read_to_string(self.cli.path(format!("{PROFILES_DIR}/claims-deployer.toml"))).unwrap();
        let text: String = text
            .lines()
            .map(|line| match line.split_once(" = ") {
                Some(("endpoint", _)) => format!("endpoint = \"{url}\"\n"),
                Some(("plugins", _)) => "plugins = [\"*\"]\n".to_owned(),
                _ => format!("{line}\n"),
            })
            .collect();
        self.cli.write("echo.toml", text);
        let secrets = SecretRegistry::default();
        let state = self.cli.path(".hunt-state");
        RunContext {
            environment: Arc::new(Environment {
                variables: [(VARIABLE.to_owned(), value.to_owned())].into(),
                working_dir: Some(self.cli.path("")),
                dirs: Ok(StandardDirs::with_roots(state, self.cli.path(".config"))),
                home: None,
                executable: None,
                clock: Clock::system(),
                secrets: secrets.clone(),
            }),
            options: Options {
                profile: Some(self.cli.path("echo.toml").display().to_string()),
                ..Options::default()
            },
            reporter: Arc::new(ui(secrets)),
            cancel: CancellationToken::new(),
        }
    }

    /// Returns everything that commands write for a connector with the secret `key`.
    async fn written(&self, url: &str, refusal: Refusal, class: &str, key: &str, value: &str) -> String {
        let mut all = Outputs::default();
        let run = self.run(url, value, |secrets| all.open(&secrets));
        let session = ConnectorSession::open(&run).unwrap();
        let secrets = SecretSources {
            dir: None,
            prompt: &|_| None,
        };
        let config = [
            ("connector.class", class),
            ("name", TOPIC),
            ("topics", TOPIC),
            (key, &format!("${{env:{VARIABLE}}}")),
        ];
        let definition = ConnectorDefinition {
            file: None,
            name: TOPIC.to_owned(),
            class: class.to_owned(),
            config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            offsets: None,
        };
        if refusal == Refusal::Validation {
            let result = validate_definition(&run, &session, secrets, definition.clone()).await;
            all.print(result.map(|result| (result.value, result.error)));
        }
        let listing = ConnectorListing::observe(&session).await.unwrap();
        let mut preparation = ConnectorPreparation {
            run: &run,
            session: &session,
            secrets,
            listing,
        };
        let options = ChangeOptions {
            dry_run: false,
            wait: None,
            timeout: Duration::ZERO,
            settle_time: Duration::ZERO,
            backup: BackupPolicy {
                enabled: false,
                dir: None,
            },
        };
        let result = async {
            let planned = plan_creation(&mut preparation, definition, &ExistingConnectorPolicy::Keep, &options).await?;
            planned.apply(&run, &session, &options).await
        };
        let result = result.await;
        assert!(
            !matches!(&result, Ok(result) if result.error.is_none()),
            "{key} is refused"
        );
        all.print(result.map(|result| (result.value, result.error)));
        let journal = std::fs::read_to_string(&session.journal_path).unwrap_or_default();
        let _ = std::fs::remove_file(&session.journal_path);
        all.text() + &journal
    }
}

/// One output per format.
#[derive(Default)]
struct Outputs(Vec<(Ui, Captured)>);

impl Outputs {
    fn open(&mut self, secrets: &SecretRegistry) -> Ui {
        for format in [Format::Human, Format::Json, Format::Yaml] {
            // Wide enough that no value is wrapped, which would hide it from the search.
            self.0
                .push(Ui::captured_redacting(format, 100_000, "", secrets.clone()));
        }
        self.0[0].0.clone()
    }

    fn print<T: Viewable>(&self, result: Result<(Option<T>, Option<Error>), Error>) {
        let (value, error) = result.unwrap_or_else(|error| (None, Some(error)));
        for (ui, _) in &self.0 {
            if let Some(value) = &value {
                ui.print_result(value).unwrap();
            }
            if let Some(error) = &error {
                ui.print_error(&Problem::from(error));
            }
        }
    }

    fn text(&self) -> String {
        let texts = self
            .0
            .iter()
            .map(|(_, captured)| captured.stdout() + &captured.stderr());
        texts.collect()
    }
}

/// Returns the notations in which `text` repeats a secret.
fn hits(text: &str, part: &str) -> Vec<String> {
    let json = json!(part).to_string();
    let json = json.trim_matches('"');
    let forms = [
        part.to_owned(),
        json.to_owned(),
        json.replace('\\', "\\\\"),
        percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string(),
        part.replace('"', "\"\""),
        STANDARD.encode(part),
        // Inside of a pair: without the characters that depend on the neighbors.
        STANDARD.encode(format!("user:{part}"))[8..]
            .trim_end_matches('=')
            .to_owned(),
    ];
    forms.into_iter().filter(|form| text.contains(form.as_str())).collect()
}

#[tokio::test]
async fn no_writer_repeats_a_secret_of_any_password_key() {
    let hunt = Hunt::new();
    let keys = hunt.keys();
    assert!(keys.len() > 120, "{}", keys.len());
    for refusal in [Refusal::Validation, Refusal::Creation] {
        let url = serve(refusal).await;
        for (key, class) in &keys {
            for (value, parts) in CANARIES {
                let text = hunt.written(&url, refusal, class, key, value).await;
                assert!(
                    text.contains("rejected") && text.contains(key),
                    "{refusal:?} {key}: {text}"
                );
                for part in parts {
                    assert_eq!(hits(&text, part), [""; 0], "{refusal:?} {key} {value}: {text}");
                }
                let about_key = format!("Invalid value {value} for configuration {key}:");
                assert!(!text.contains(&about_key), "{refusal:?} {key}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn output_without_secrets_does_not_depend_on_the_registry() {
    let hunt = Hunt::new();
    let url = serve(Refusal::Silent).await;
    let class = "PostgresSource";
    let mut texts = Vec::new();
    for (value, _) in CANARIES {
        texts.push(
            hunt.written(&url, Refusal::Silent, class, "connection.password", value)
                .await,
        );
    }
    // A value that is not registered.
    texts.push(
        hunt.written(&url, Refusal::Silent, class, "connection.password", "x")
            .await,
    );
    assert!(texts[0].contains("no capacity"), "{}", texts[0]);
    let comparable = |text: &String| {
        let lines = text.lines().filter(|line| !line.starts_with("{\"at\":"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for text in &texts {
        assert_eq!(comparable(text), comparable(&texts[0]));
    }
}
