//! Kafka REST: ACLs of a cluster.
//!
//! Listing, creating and deleting ACLs requires CloudClusterAdmin or a higher administrator role
//! (docs/reference/rbac.md#roles-of-the-provisioner), or an ACL on the cluster that allows ALTER (docs
//! `access-control/acls/operations`).

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    kafka::{KafkaPermissions, error_reply, resolve_cluster},
    login::numeric_id,
};
use crate::{
    access::Operation,
    model::{AclBinding, AclOperation, AclPermission, AclResource, ClusterId, Principal, acl::CLUSTER_NAME},
    sandbox::{
        reply::{ErrorReply, ErrorShape, Reply},
        request::ApiRequest,
        settings::CreatedObject,
        state::{AclRecord, SandboxState, StateChange},
        tx::Tx,
    },
};

/// Notation of principals in a response; it depends on the request (docs `access-control/acls/operations`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PrincipalNotation {
    Id,
    Number,
}

/// Principal filter of an ACL query.
#[derive(Debug)]
enum PrincipalFilter {
    All,
    One(Principal),
    /// Numeric id, as in `User:1234`. It also matches deleted principals.
    Numbered(String),
}

/// Filter values that match everything.
const ANY: &str = "ANY";
const UNKNOWN: &str = "UNKNOWN";

/// Filter of a list or delete request.
#[derive(Debug)]
struct AclQuery {
    resource: Option<AclResource>,
    name: Option<String>,
    /// `LITERAL` or `PREFIXED`; `None` for both.
    pattern_type: Option<String>,
    /// Whether patterns that cover the name match, not only patterns with exactly that name.
    match_patterns: bool,
    principal: PrincipalFilter,
    notation: PrincipalNotation,
    host: Option<String>,
    operation: Option<AclOperation>,
    permission: Option<AclPermission>,
}

/// Returns 400 with the Kafka REST code for invalid input.
fn bad_request(message: &str) -> Reply {
    error_reply(StatusCode::BAD_REQUEST, 40002, message)
}

fn parse_one_of<'a>(request: &'a ApiRequest, name: &str, known: &[&str]) -> Result<Option<&'a str>, Reply> {
    match request.query(name) {
        None | Some(ANY) => Ok(None),
        Some(word) if known.contains(&word) => Ok(Some(word)),
        Some(word) => Err(bad_request(&format!("{name} cannot be {word}"))),
    }
}

fn names<T>(known: &'static [T], word: impl Fn(&'static T) -> &'static str) -> Vec<&'static str> {
    known.iter().map(word).collect()
}

impl AclQuery {
    fn parse(request: &ApiRequest) -> Result<Self, Reply> {
        let resources = names(AclResource::KNOWN, AclResource::as_str);
        let operations = names(AclOperation::KNOWN, AclOperation::as_str);
        let permissions = names(AclPermission::KNOWN, AclPermission::as_str);
        let read = |word: Option<&str>| word.map(str::to_owned);
        let pattern_type = parse_one_of(request, "pattern_type", &["LITERAL", "PREFIXED", "MATCH"])?;
        let (whose, notation) = parse_principal_filter(request.query("principal"));
        Ok(Self {
            resource: parse_one_of(request, "resource_type", &resources)?.and_then(|word| word.parse().ok()),
            name: read(request.query("resource_name")),
            match_patterns: pattern_type == Some("MATCH"),
            pattern_type: read(pattern_type.filter(|word| *word != "MATCH")),
            principal: whose,
            notation,
            host: read(request.query("host")),
            operation: parse_one_of(request, "operation", &operations)?.and_then(|word| word.parse().ok()),
            permission: parse_one_of(request, "permission", &permissions)?.and_then(|word| word.parse().ok()),
        })
    }

    /// Matches like Apache Kafka (`ResourcePatternFilter`, `AccessControlEntryFilter`).
    fn matches(&self, state: &SandboxState, acl: &AclBinding) -> bool {
        let named = |name: &str| match self.match_patterns {
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
            && match &self.principal {
                PrincipalFilter::All => true,
                PrincipalFilter::One(wanted) => acl.principal == *wanted,
                PrincipalFilter::Numbered(wanted) => {
                    format_principal(state, &acl.principal, PrincipalNotation::Number) == *wanted
                }
            }
    }
}

/// Parses the principal parameter. Without it, or with a numeric id, the response contains numeric ids; `UserV2:*`
/// selects all principals and returns their ids.
fn parse_principal_filter(asked: Option<&str>) -> (PrincipalFilter, PrincipalNotation) {
    match asked {
        None => (PrincipalFilter::All, PrincipalNotation::Number),
        Some("UserV2:*") => (PrincipalFilter::All, PrincipalNotation::Id),
        Some(text) => match strip_principal_type(text) {
            id if is_number(id) => (
                PrincipalFilter::Numbered(format!("User:{id}")),
                PrincipalNotation::Number,
            ),
            id => (PrincipalFilter::One(Principal::from_id(id)), PrincipalNotation::Id),
        },
    }
}

/// Returns the id in `User:ID` or `UserV2:ID`.
fn strip_principal_type(principal: &str) -> &str {
    let id = principal
        .strip_prefix("UserV2:")
        .or_else(|| principal.strip_prefix("User:"));
    id.unwrap_or(principal)
}

fn is_number(id: &str) -> bool {
    id.parse::<u32>().is_ok()
}

/// Returns the principal of a new ACL, which is given by id or numeric id.
fn resolve_principal(state: &SandboxState, text: &str) -> Principal {
    let id = strip_principal_type(text);
    let accounts = state.accounts.values().filter(|found| found.lifetime.exists());
    let accounts = accounts.map(|found| Principal::ServiceAccount(found.id.clone()));
    let mut known = accounts.chain(state.users.keys().cloned().map(Principal::User));
    let numbered =
        |known: &Principal| strip_principal_type(&format_principal(state, known, PrincipalNotation::Number)) == id;
    let found = is_number(id).then(|| known.find(numbered)).flatten();
    found.unwrap_or_else(|| Principal::from_id(id))
}

/// Formats a principal. Deleted principals only have a numeric id (cli `kafka acl list --all`).
fn format_principal(state: &SandboxState, principal: &Principal, notation: PrincipalNotation) -> String {
    match principal {
        Principal::ServiceAccount(id)
            if notation == PrincipalNotation::Number || !state.principal_exists(principal) =>
        {
            format!("User:{}", numeric_id(id))
        }
        Principal::User(id) if notation == PrincipalNotation::Number => match state.users.get(id) {
            Some(user) => format!("User:{}", user.number),
            None => principal.to_string(),
        },
        _ => principal.to_string(),
    }
}

fn to_json(
    tx: &Tx<'_>,
    request: &ApiRequest,
    cluster: &ClusterId,
    acl: &AclBinding,
    notation: PrincipalNotation,
) -> Value {
    let named = AclBinding {
        principal: Principal::Other(format_principal(tx.state, &acl.principal, notation)),
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

pub(crate) fn list(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::DescribeAccess, &address.kafka_crn())?;
    let search = match AclQuery::parse(request) {
        Ok(search) => search,
        Err(reply) => return Ok(reply),
    };
    let found = tx
        .state
        .acls_in(&cluster.id)
        .filter(|acl| tx.is_listed(&acl.lifetime) && search.matches(tx.state, &acl.acl));
    let data: Vec<_> = found
        .map(|acl| to_json(tx, request, &cluster.id, &acl.acl, search.notation))
        .collect();
    let query = if request.raw_query.is_empty() { "" } else { "?" };
    Ok(Reply::ok(json!({
        "kind": "KafkaAclList",
        "metadata": { "self": format!("{}{}{query}{}", request.base, request.path, request.raw_query), "next": null },
        "data": data,
    })))
}

/// Seven parts of an ACL in a request.
#[derive(Debug, Deserialize)]
struct AclBody {
    resource_type: String,
    resource_name: String,
    pattern_type: String,
    principal: String,
    host: String,
    operation: String,
    permission: String,
}

impl AclBody {
    fn into_acl(self, state: &SandboxState) -> Result<AclBinding, Reply> {
        let resources = names(AclResource::KNOWN, AclResource::as_str);
        let operations = names(AclOperation::KNOWN, AclOperation::as_str);
        let permissions = names(AclPermission::KNOWN, AclPermission::as_str);
        for (field, written, known) in [
            ("resource_type", &self.resource_type, &resources),
            ("pattern_type", &self.pattern_type, &vec!["LITERAL", "PREFIXED"]),
            ("operation", &self.operation, &operations),
            ("permission", &self.permission, &permissions),
        ] {
            if !known.contains(&written.as_str()) {
                return Err(bad_request(&format!("{field} cannot be {written}")));
            }
        }
        if self.resource_type == AclResource::Cluster.as_str() && self.resource_name != CLUSTER_NAME {
            return Err(bad_request(&format!(
                "The only valid name for the CLUSTER resource is {CLUSTER_NAME}"
            )));
        }
        if self.resource_name.is_empty() {
            return Err(bad_request("resource_name cannot be empty"));
        }
        if !self.principal.starts_with("User:") {
            return Err(bad_request("principal must be of the form User:ID"));
        }
        let principal = resolve_principal(state, &self.principal);
        let parts = json!({
            "resource_type": self.resource_type, "resource_name": self.resource_name, "pattern_type": self.pattern_type,
            "principal": principal, "host": self.host, "operation": self.operation, "permission": self.permission,
        });
        serde_json::from_value(parts).map_err(|error| bad_request(&error.to_string()))
    }
}

pub(crate) fn create(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let body = |request: &ApiRequest| request.parse_json::<AclBody>().map(|body| vec![body]);
    create_from(tx, request, body)
}

pub(crate) fn create_all(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    #[derive(Deserialize)]
    struct AclBatchBody {
        data: Vec<AclBody>,
    }
    create_from(tx, request, |request| {
        request.parse_json::<AclBatchBody>().map(|batch| batch.data)
    })
}

/// Creates all ACLs or none. Existing ACLs are not an error and stay unchanged.
fn create_from(
    tx: &mut Tx<'_>,
    request: &ApiRequest,
    read: impl Fn(&ApiRequest) -> Result<Vec<AclBody>, ErrorReply>,
) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::AlterAccess, &address.kafka_crn())?;
    let bodies = read(request).map_err(|error| error.with_shape(ErrorShape::Flat))?;
    let acls: Result<Vec<_>, Reply> = bodies.into_iter().map(|body| body.into_acl(tx.state)).collect();
    let acls = match acls {
        Ok(acls) => acls,
        Err(reply) => return Ok(reply),
    };
    for acl in acls {
        if tx.state.acl(&cluster.id, &acl).is_none() {
            let life = tx.new_lifetime(CreatedObject::Acl, &acl.to_string());
            tx.record(StateChange::Acl(AclRecord {
                cluster: cluster.id.clone(),
                acl,
                lifetime: life,
            }));
        }
    }
    Ok(Reply::empty(StatusCode::CREATED))
}

/// Deletes the matching ACLs and returns them.
pub(crate) fn delete(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let (cluster, address) = resolve_cluster(tx, request)?;
    KafkaPermissions::for_caller(tx)?.require(tx, Operation::AlterAccess, &address.kafka_crn())?;
    // Text of the document; the other three required fields get the same text.
    for field in ["resource_type", "pattern_type", "operation", "permission"] {
        if request.query(field).is_none_or(|word| word == UNKNOWN) {
            let message = format!("{field} cannot be unspecified or UNKNOWN");
            return Ok(error_reply(StatusCode::BAD_REQUEST, 400, &message));
        }
    }
    let search = match AclQuery::parse(request) {
        Ok(search) => search,
        Err(reply) => return Ok(reply),
    };
    let state = tx.state;
    let found = state
        .acls_in(&cluster.id)
        .filter(|acl| acl.lifetime.exists() && search.matches(tx.state, &acl.acl));
    let found: Vec<_> = found.cloned().collect();
    let shown = found
        .iter()
        .map(|acl| to_json(tx, request, &cluster.id, &acl.acl, search.notation));
    let data: Vec<_> = shown.collect();
    for acl in found {
        remove_acl(tx, acl);
    }
    Ok(Reply::ok(json!({ "data": data })))
}

/// Deletes an ACL.
fn remove_acl(tx: &mut Tx<'_>, mut acl: AclRecord) {
    tx.record(match tx.listed_until(&acl.acl.to_string()) {
        None => StateChange::RemoveAcl(acl.cluster, acl.acl),
        gone => {
            acl.lifetime.listed_until = gone;
            StateChange::Acl(acl)
        }
    });
}

/// Deletes all ACLs of `principal`.
pub(super) fn remove_acls_of(tx: &mut Tx<'_>, principal: &Principal) {
    let all = tx.state.clusters.keys().flat_map(|cluster| tx.state.acls_in(cluster));
    let mine = all.filter(|acl| acl.lifetime.exists() && acl.acl.principal == *principal);
    for acl in mine.cloned().collect::<Vec<_>>() {
        remove_acl(tx, acl);
    }
}
