//! `connect/v1`, as far as an onboarding proves itself with it: connectors that are created, looked at and deleted, and
//! run without doing anything.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    access::{Operation, roles::gives},
    api::connect::{Expanded, ExpandedId, Info, Status, StatusOfConnector, TaskId, TaskStatus},
    model::{Address, Crn, CrnPattern, NamePattern, Principal, ResourceKind},
    sandbox::{
        assumptions::Listing,
        reply::{Refusal, Reply},
        request::Request,
        settings::Made,
        state::{Change, Cluster, Connector},
        tx::Tx,
    },
};

pub(crate) const PLUGINS: &str = "/connect/v1/environments/{environment}/clusters/{cluster}/connector-plugins";

/// What the service shows instead of a secret.
const MASK: &str = "****************";

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let listing = tx.assumptions().connector_list;
    let every = tx
        .state
        .connector_pattern(&address, NamePattern::Prefixed(String::new()));
    let whole = tx.may_on_all(Operation::Describe, &every);
    if listing == Listing::Refused && !whole {
        return Err(tx.denied(&format!("list the connectors of {}", cluster.id)));
    }
    let seen: Vec<_> = tx
        .state
        .connectors
        .values()
        .filter(|found| found.cluster == cluster.id && tx.lists(&found.life))
        .map(|found| (found, crn(tx, &address, &found.name)))
        .filter(|(_, crn)| whole || listing == Listing::Everything || tx.may(Operation::Describe, crn))
        .collect();
    let expand: Vec<_> = request.queries("expand").flat_map(|value| value.split(',')).collect();
    if expand.is_empty() {
        let names: Vec<_> = seen.into_iter().map(|(found, _)| &found.name).collect();
        return Ok(Reply::ok(names));
    }
    let mut map = serde_json::Map::new();
    for (found, crn) in seen {
        let everything = listing == Listing::Everything;
        let may = |operation| everything || tx.may(operation, &crn);
        let expanded = Expanded {
            id: ExpandedId {
                id: found.id.clone(),
                id_type: "ID".into(),
            },
            info: info(found),
            status: status_of(found),
        };
        let mut entry = serde_json::to_value(expanded).unwrap_or_default();
        if let Some(fields) = entry.as_object_mut() {
            fields.retain(|field, _| {
                expand.contains(&field.as_str())
                    && match field.as_str() {
                        "info" => may(Operation::ReadConfig),
                        "status" => may(Operation::ReadStatus),
                        _ => true,
                    }
            });
        }
        map.insert(found.name.clone(), entry);
    }
    Ok(Reply::ok(map))
}

/// The role is looked at before the body: an invalid body is 400 for whoever may create, 403 for everybody else.
pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let Some(name) = text(&body["name"]).or_else(|| text(&body["config"]["name"])) else {
        return Err(match creates_some(tx, &address) {
            true => bad("name: the name of the connector is required"),
            false => tx.denied(&format!("create connectors in {}", cluster.id)),
        });
    };
    let crn = crn(tx, &address, &name);
    tx.require(Operation::Create, &crn)?;
    let config = read_config(&body["config"], &name)?;
    check_identity(tx, &config, &crn)?;
    if tx.state.connector(&cluster.id, &name).is_some() {
        // The words of self-managed Connect; those of Cloud are not published (dossier `connect.md`, "Conflict").
        return Err(Refusal::conflict(format!("Connector {name} already exists")));
    }
    let counted_as = format!("connector {} {name}", cluster.id);
    let taken = |id: &String| tx.state.connectors.values().any(|known| known.id == *id);
    let id: String = tx.fresh_id(
        "lcc-",
        6,
        "connector",
        &format!("{} {name}", cluster.id),
        &counted_as,
        taken,
    )?;
    let connector = Connector {
        life: tx.born(Made::Connector, &id),
        id,
        cluster: cluster.id.clone(),
        name,
        config: masked(config),
        paused: false,
    };
    let mut answer = serde_json::to_value(info(&connector)).unwrap_or_default();
    answer["offsets"] = json!([]);
    tx.change(Change::Connector(connector));
    Ok(Reply::with(StatusCode::CREATED, answer))
}

fn bad(message: &str) -> Refusal {
    Refusal::invalid(format!("There were some errors with your configuration:\n{message}"))
}

/// Values are strings, `connector.class` is required, and `name` is the same inside and outside.
fn read_config(config: &Value, name: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let Some(fields) = config.as_object() else {
        return Err(bad("config: the configuration is required"));
    };
    let mut read = BTreeMap::new();
    for (key, value) in fields {
        let Some(text) = value.as_str() else {
            return Err(bad(&format!("{key}: the value must be a string")));
        };
        read.insert(key.clone(), text.to_owned());
    }
    if read.get("connector.class").is_none_or(String::is_empty) {
        return Err(bad("connector.class: the class of the connector is required"));
    }
    match read.get("name") {
        Some(inside) if inside != name => Err(bad("name: must be the same in the configuration")),
        _ => Ok(read),
    }
}

/// Which identity it uses towards Kafka: attaching a service account needs Assigner on it (dossier `rbac.md` §2.4).
fn check_identity(tx: &Tx<'_>, config: &BTreeMap<String, String>, crn: &Crn) -> Result<(), Refusal> {
    tx.require(Operation::ConfigureCredentials, crn)?;
    let value = |key: &str| config.get(key).map(String::as_str).filter(|value| !value.is_empty());
    match value("kafka.auth.mode") {
        Some("SERVICE_ACCOUNT") => {
            let Some(id) = value("kafka.service.account.id") else {
                return Err(bad("kafka.service.account.id: a service account is required"));
            };
            let assignable = tx.state.account(id).is_some_and(|account| {
                let principal = Principal::ServiceAccount(account.id.clone());
                tx.may(Operation::Assign, &tx.state.principal_crn(&principal))
            });
            if assignable {
                return Ok(());
            }
            Err(match tx.assumptions().missing_assigner_is_forbidden {
                true => tx.denied(&format!("assign service account `{id}`")),
                false => bad(&format!("kafka.service.account.id: {id} cannot be assigned")),
            })
        }
        Some("KAFKA_API_KEY") | None if value("kafka.api.key").is_some() => Ok(()),
        Some("KAFKA_API_KEY") | None => Err(bad("kafka.api.key: an API key is required")),
        Some(other) => Err(bad(&format!("kafka.auth.mode: {other} is not a mode"))),
    }
}

pub(crate) fn read(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let connector = connector(tx, request, Operation::ReadConfig)?;
    Ok(Reply::ok(info(connector)))
}

pub(crate) fn status(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let connector = connector(tx, request, Operation::ReadStatus)?;
    Ok(Reply::ok(status_of(connector)))
}

/// 200 with `{"error":null}`: a value there would be a failure (dossier `connect.md` §1.1).
pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let connector = connector(tx, request, Operation::Delete)?;
    tx.change(Change::Count(format!(
        "connector {} {}",
        connector.cluster, connector.name
    )));
    tx.change(match tx.lingers(&connector.id) {
        None => Change::NoConnector(connector.cluster.clone(), connector.name.clone()),
        gone => {
            let mut connector = connector.clone();
            connector.life.gone = gone;
            Change::Connector(connector)
        }
    });
    Ok(Reply::ok(json!({ "error": null })))
}

/// The same for everybody who sees the cluster.
pub(crate) fn plugins(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    place(tx, request)?;
    let plugin = |class: &str| json!({ "class": class, "type": kind_of(class), "version": "1.0.0" });
    let all = ["DatagenSource", "HttpSink", "PostgresSource", "PostgresSink", "S3_SINK"];
    Ok(Reply::ok(all.map(plugin)))
}

fn place<'a>(tx: &Tx<'a>, request: &Request) -> Result<(&'a Cluster, Address), Refusal> {
    let environment = tx.environment(request.segment(0))?;
    let cluster = tx.cluster(environment.id.as_str(), request.segment(1))?;
    Ok((cluster, tx.state.address(cluster)))
}

fn crn(tx: &Tx<'_>, address: &Address, name: &str) -> Crn {
    let resource = address.resource(ResourceKind::Connector, name);
    resource.unwrap_or_else(|| tx.state.organization_crn())
}

/// The connector that the path names, with the right first: whoever has it learns that the name is free.
fn connector<'a>(tx: &Tx<'a>, request: &Request, operation: Operation) -> Result<&'a Connector, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let name = request.segment(2);
    tx.require(operation, &crn(tx, &address, name))?;
    tx.state
        .connector(&cluster.id, name)
        .ok_or_else(|| Refusal::missing("not_found", format!("Connector {name} not found")))
}

/// Whether the caller may create a connector of some name in the cluster.
fn creates_some(tx: &Tx<'_>, address: &Address) -> bool {
    let cluster = CrnPattern::from(address.cluster_crn());
    let Ok(principal) = tx.principal() else { return false };
    tx.state.roles_of(principal).any(|held| {
        let here = cluster.covers_pattern(&held.pattern) || held.pattern.covers(&address.cluster_crn());
        let on_connectors = matches!(
            held.pattern.kind(),
            ResourceKind::Connector | ResourceKind::Cluster | ResourceKind::Environment | ResourceKind::Organization
        );
        here && on_connectors && gives(&held.role, ResourceKind::Connector).contains(Operation::Create)
    })
}

/// Secrets are not even stored.
fn masked(mut config: BTreeMap<String, String>) -> BTreeMap<String, String> {
    const WORDS: [&str; 6] = ["password", "secret", "token", "credentials", "private.key", "api.key"];
    for (key, value) in &mut config {
        if WORDS.iter().any(|word| key.contains(word)) {
            MASK.clone_into(value);
        }
    }
    config
}

fn kind_of(class: &str) -> &'static str {
    match class.to_ascii_lowercase().contains("sink") {
        true => "sink",
        false => "source",
    }
}

fn class_of(connector: &Connector) -> &str {
    connector.config.get("connector.class").map_or("", String::as_str)
}

fn tasks_of(connector: &Connector) -> u32 {
    let written = connector.config.get("tasks.max");
    written.and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn info(connector: &Connector) -> Info {
    let (provider, region) = crate::sandbox::view::CLOUD;
    let mut config = connector.config.clone();
    // Keys that the service adds (dossier `connect.md` §4.4).
    for (key, value) in [
        ("name", connector.name.as_str()),
        ("cloud.environment", "prod"),
        ("cloud.provider", &provider.to_ascii_lowercase()),
        ("kafka.endpoint", "SASL_SSL://127.0.0.1:9092"),
        ("kafka.region", region),
    ] {
        config.insert(key.to_owned(), value.to_owned());
    }
    let tasks = (0..tasks_of(connector)).map(|task| TaskId {
        connector: connector.name.clone(),
        task,
    });
    Info {
        name: connector.name.clone(),
        connector_type: kind_of(class_of(connector)).into(),
        config,
        tasks: tasks.collect(),
        offsets: None,
    }
}

fn status_of(connector: &Connector) -> Status {
    let state = if connector.paused { "PAUSED" } else { "RUNNING" };
    let tasks = (0..tasks_of(connector)).map(|id| TaskStatus {
        id,
        state: state.into(),
        worker_id: connector.name.clone(),
        ..TaskStatus::default()
    });
    Status {
        name: connector.name.clone(),
        connector_type: kind_of(class_of(connector)).into(),
        connector: StatusOfConnector {
            state: state.into(),
            worker_id: connector.name.clone(),
            trace: String::new(),
        },
        tasks: tasks.collect(),
        ..Status::default()
    }
}
