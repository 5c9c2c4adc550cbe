//! Kafka REST: the ACLs of a cluster.
//!
//! Whoever may change access in the cluster may list, make and delete them: CloudClusterAdmin and the administrators above
//! it (dossier `rbac.md` §8.6), and whoever an ACL on the cluster gives ALTER (docs `access-control/acls/operations`).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    kafka::{Rights, coded, place},
    session::number,
};
use crate::{
    access::Operation,
    model::{AclBinding, AclOperation, AclPermission, AclResource, ClusterId, Principal, acl::CLUSTER_NAME},
    sandbox::{
        reply::{Refusal, Reply, Shape},
        request::Request,
        settings::Made,
        state::{Acl, Change, State},
        tx::Tx,
    },
};

/// How the principals of an answer are named: it follows from how they were asked for (docs
/// `access-control/acls/operations`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    Id,
    Number,
}

/// Whose ACLs a search is for.
#[derive(Debug)]
enum Whose {
    All,
    One(Principal),
    /// As `User:1234`, which also finds who is gone.
    Numbered(String),
}

/// The words of a search that stand for any value.
const ANY: &str = "ANY";
const UNKNOWN: &str = "UNKNOWN";

/// What a list or a deletion is about.
#[derive(Debug)]
struct Search {
    resource: Option<AclResource>,
    name: Option<String>,
    /// `LITERAL` or `PREFIXED`; otherwise both.
    pattern_type: Option<String>,
    /// Patterns that mean the name, not only those that are written so.
    matching: bool,
    whose: Whose,
    notation: Notation,
    host: Option<String>,
    operation: Option<AclOperation>,
    permission: Option<AclPermission>,
}

/// 400 with Kafka REST's own code for what a client has written.
fn bad(message: &str) -> Reply {
    coded(StatusCode::BAD_REQUEST, 40002, message)
}

fn one_of<'a>(request: &'a Request, name: &str, known: &[&str]) -> Result<Option<&'a str>, Reply> {
    match request.query(name) {
        None | Some(ANY) => Ok(None),
        Some(word) if known.contains(&word) => Ok(Some(word)),
        Some(word) => Err(bad(&format!("{name} cannot be {word}"))),
    }
}

fn words<T>(known: &'static [T], word: impl Fn(&'static T) -> &'static str) -> Vec<&'static str> {
    known.iter().map(word).collect()
}

impl Search {
    fn read(request: &Request) -> Result<Self, Reply> {
        let resources = words(AclResource::KNOWN, AclResource::as_str);
        let operations = words(AclOperation::KNOWN, AclOperation::as_str);
        let permissions = words(AclPermission::KNOWN, AclPermission::as_str);
        let read = |word: Option<&str>| word.map(str::to_owned);
        let pattern_type = one_of(request, "pattern_type", &["LITERAL", "PREFIXED", "MATCH"])?;
        let (whose, notation) = whose(request.query("principal"));
        Ok(Self {
            resource: one_of(request, "resource_type", &resources)?.and_then(|word| word.parse().ok()),
            name: read(request.query("resource_name")),
            matching: pattern_type == Some("MATCH"),
            pattern_type: read(pattern_type.filter(|word| *word != "MATCH")),
            whose,
            notation,
            host: read(request.query("host")),
            operation: one_of(request, "operation", &operations)?.and_then(|word| word.parse().ok()),
            permission: one_of(request, "permission", &permissions)?.and_then(|word| word.parse().ok()),
        })
    }

    /// Apache Kafka's own rule (`ResourcePatternFilter`, `AccessControlEntryFilter`).
    fn finds(&self, state: &State, acl: &AclBinding) -> bool {
        let named = |name: &str| match self.matching {
            true => acl.pattern.matches(name),
            false => acl.resource_name() == name,
        };
        self.resource.as_ref().is_none_or(|wanted| acl.resource == *wanted)
            && self
                .pattern_type
                .as_ref()
                .is_none_or(|wanted| acl.pattern_type() == wanted)
            && self.name.as_deref().is_none_or(named)
            && self.host.as_ref().is_none_or(|wanted| acl.host == *wanted)
            && self.operation.as_ref().is_none_or(|wanted| acl.operation == *wanted)
            && self.permission.as_ref().is_none_or(|wanted| acl.permission == *wanted)
            && match &self.whose {
                Whose::All => true,
                Whose::One(wanted) => acl.principal == *wanted,
                Whose::Numbered(wanted) => written(state, &acl.principal, Notation::Number) == *wanted,
            }
    }
}

/// Without a principal, numbers; a number is answered with numbers; `UserV2:*` is everybody, by id.
fn whose(asked: Option<&str>) -> (Whose, Notation) {
    match asked {
        None => (Whose::All, Notation::Number),
        Some("UserV2:*") => (Whose::All, Notation::Id),
        Some(text) => match bare(text) {
            id if is_number(id) => (Whose::Numbered(format!("User:{id}")), Notation::Number),
            id => (Whose::One(Principal::from_id(id)), Notation::Id),
        },
    }
}

/// The id in `User:ID` and `UserV2:ID`.
fn bare(principal: &str) -> &str {
    let id = principal
        .strip_prefix("UserV2:")
        .or_else(|| principal.strip_prefix("User:"));
    id.unwrap_or(principal)
}

fn is_number(id: &str) -> bool {
    id.parse::<u32>().is_ok()
}

/// The principal that a new ACL names, by id or by number.
fn principal(state: &State, text: &str) -> Principal {
    let id = bare(text);
    let accounts = state.accounts.values().filter(|found| found.life.exists());
    let accounts = accounts.map(|found| Principal::ServiceAccount(found.id.clone()));
    let mut known = accounts.chain(state.users.keys().cloned().map(Principal::User));
    let numbered = |known: &Principal| bare(&written(state, known, Notation::Number)) == id;
    let found = is_number(id).then(|| known.find(numbered)).flatten();
    found.unwrap_or_else(|| Principal::from_id(id))
}

/// How a principal is named. Those that are gone have numbers only (cli `kafka acl list --all`).
fn written(state: &State, principal: &Principal, notation: Notation) -> String {
    match principal {
        Principal::ServiceAccount(id) if notation == Notation::Number || !state.principal_exists(principal) => {
            format!("User:{}", number(id))
        }
        Principal::User(id) if notation == Notation::Number => match state.users.get(id) {
            Some(user) => format!("User:{}", user.number),
            None => principal.to_string(),
        },
        _ => principal.to_string(),
    }
}

fn shown(tx: &Tx<'_>, request: &Request, cluster: &ClusterId, acl: &AclBinding, notation: Notation) -> Value {
    let named = AclBinding {
        principal: Principal::Other(written(tx.state, &acl.principal, notation)),
        ..acl.clone()
    };
    let query = [
        ("resource_type", named.resource.as_str()),
        ("resource_name", named.resource_name()),
        ("pattern_type", named.pattern_type()),
        ("principal", named.principal.id()),
        ("host", &named.host),
        ("operation", named.operation.as_str()),
        ("permission", named.permission.as_str()),
    ]
    .map(|(key, value)| format!("{key}={}", crate::api::encode_segment(value)))
    .join("&");
    let mut value = json!({
        "kind": "KafkaAcl",
        "metadata": { "self": format!("{}/kafka/v3/clusters/{cluster}/acls?{query}", request.base) },
        "cluster_id": cluster,
    });
    if let (Value::Object(value), Ok(Value::Object(parts))) = (&mut value, serde_json::to_value(named)) {
        value.extend(parts);
    }
    value
}

pub(crate) fn list(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    Rights::of(tx)?.require(tx, Operation::DescribeAccess, &address.kafka_crn())?;
    let search = match Search::read(request) {
        Ok(search) => search,
        Err(reply) => return Ok(reply),
    };
    let found = tx
        .state
        .acls_in(&cluster.id)
        .filter(|acl| tx.lists(&acl.life) && search.finds(tx.state, &acl.acl));
    let data: Vec<_> = found
        .map(|acl| shown(tx, request, &cluster.id, &acl.acl, search.notation))
        .collect();
    let query = if request.raw_query.is_empty() { "" } else { "?" };
    Ok(Reply::ok(json!({
        "kind": "KafkaAclList",
        "metadata": { "self": format!("{}{}{query}{}", request.base, request.path, request.raw_query), "next": null },
        "data": data,
    })))
}

/// The seven parts as a client writes them.
#[derive(Debug, Deserialize)]
struct Body {
    resource_type: String,
    resource_name: String,
    pattern_type: String,
    principal: String,
    host: String,
    operation: String,
    permission: String,
}

impl Body {
    fn into_acl(self, state: &State) -> Result<AclBinding, Reply> {
        let resources = words(AclResource::KNOWN, AclResource::as_str);
        let operations = words(AclOperation::KNOWN, AclOperation::as_str);
        let permissions = words(AclPermission::KNOWN, AclPermission::as_str);
        for (field, written, known) in [
            ("resource_type", &self.resource_type, &resources),
            ("pattern_type", &self.pattern_type, &vec!["LITERAL", "PREFIXED"]),
            ("operation", &self.operation, &operations),
            ("permission", &self.permission, &permissions),
        ] {
            if !known.contains(&written.as_str()) {
                return Err(bad(&format!("{field} cannot be {written}")));
            }
        }
        if self.resource_type == AclResource::Cluster.as_str() && self.resource_name != CLUSTER_NAME {
            return Err(bad(&format!(
                "The only valid name for the CLUSTER resource is {CLUSTER_NAME}"
            )));
        }
        if self.resource_name.is_empty() {
            return Err(bad("resource_name cannot be empty"));
        }
        if !self.principal.starts_with("User:") {
            return Err(bad("principal must be of the form User:ID"));
        }
        let principal = principal(state, &self.principal);
        let parts = json!({
            "resource_type": self.resource_type, "resource_name": self.resource_name, "pattern_type": self.pattern_type,
            "principal": principal, "host": self.host, "operation": self.operation, "permission": self.permission,
        });
        serde_json::from_value(parts).map_err(|error| bad(&error.to_string()))
    }
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let body = |request: &Request| request.json::<Body>().map(|body| vec![body]);
    create_from(tx, request, body)
}

pub(crate) fn create_all(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    #[derive(Deserialize)]
    struct Batch {
        data: Vec<Body>,
    }
    create_from(tx, request, |request| request.json::<Batch>().map(|batch| batch.data))
}

/// Makes all of them or none. What is there already stays as it is, and is no conflict.
fn create_from(
    tx: &mut Tx<'_>,
    request: &Request,
    read: impl Fn(&Request) -> Result<Vec<Body>, Refusal>,
) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    Rights::of(tx)?.require(tx, Operation::AlterAccess, &address.kafka_crn())?;
    let bodies = read(request).map_err(|refusal| refusal.shaped(Shape::Flat))?;
    let acls: Result<Vec<_>, Reply> = bodies.into_iter().map(|body| body.into_acl(tx.state)).collect();
    let acls = match acls {
        Ok(acls) => acls,
        Err(reply) => return Ok(reply),
    };
    for acl in acls {
        if tx.state.acl(&cluster.id, &acl).is_none() {
            let life = tx.born(Made::Acl, &acl.to_string());
            tx.change(Change::Acl(Acl {
                cluster: cluster.id.clone(),
                acl,
                life,
            }));
        }
    }
    Ok(Reply::empty(StatusCode::CREATED))
}

/// Deletes what a search finds, and says what that was.
pub(crate) fn delete(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let (cluster, address) = place(tx, request)?;
    Rights::of(tx)?.require(tx, Operation::AlterAccess, &address.kafka_crn())?;
    // The document's own words; the other three it requires likewise.
    for field in ["resource_type", "pattern_type", "operation", "permission"] {
        if request.query(field).is_none_or(|word| word == UNKNOWN) {
            let message = format!("{field} cannot be unspecified or UNKNOWN");
            return Ok(coded(StatusCode::BAD_REQUEST, 400, &message));
        }
    }
    let search = match Search::read(request) {
        Ok(search) => search,
        Err(reply) => return Ok(reply),
    };
    let state = tx.state;
    let found = state
        .acls_in(&cluster.id)
        .filter(|acl| acl.life.exists() && search.finds(tx.state, &acl.acl));
    let found: Vec<_> = found.cloned().collect();
    let shown = found
        .iter()
        .map(|acl| shown(tx, request, &cluster.id, &acl.acl, search.notation));
    let data: Vec<_> = shown.collect();
    for acl in found {
        remove(tx, acl);
    }
    Ok(Reply::ok(json!({ "data": data })))
}

/// Takes an ACL away.
fn remove(tx: &mut Tx<'_>, mut acl: Acl) {
    tx.change(match tx.lingers(&acl.acl.to_string()) {
        None => Change::NoAcl(acl.cluster, acl.acl),
        gone => {
            acl.life.gone = gone;
            Change::Acl(acl)
        }
    });
}

/// Takes away every ACL that names `principal`.
pub(super) fn remove_acls_of(tx: &mut Tx<'_>, principal: &Principal) {
    let all = tx.state.clusters.keys().flat_map(|cluster| tx.state.acls_in(cluster));
    let mine = all.filter(|acl| acl.life.exists() && acl.acl.principal == *principal);
    for acl in mine.cloned().collect::<Vec<_>>() {
        remove(tx, acl);
    }
}
