//! `connect/v1`: connectors by name, in the words and shapes of dossier `connect.md` §2.

pub(crate) mod connectors;
pub(crate) mod lifecycle;
pub(crate) mod offsets;
pub(crate) mod plugins;
pub(crate) mod status;
mod write;

use http::StatusCode;
use serde_json::json;

use crate::{
    access::Operation,
    model::{Address, Crn, ResourceKind},
    sandbox::{
        connector::{
            diagnose::{Eye, Seen},
            life::{State, Times},
        },
        reply::{Refusal, Reply, Shape},
        request::Request,
        state::{Change, Cluster, Connector},
        tx::Tx,
    },
};

/// The cluster that the path names; the words are those of Connect (dossier `connect.md` §1.1, pattern 28).
fn place<'a>(tx: &Tx<'a>, request: &Request) -> Result<(&'a Cluster, Address), Refusal> {
    let environment = tx.environment(request.segment(0));
    let environment = environment.map_err(|refusal| refusal.missing_as("account not found"))?;
    let cluster = tx.cluster(environment.id.as_str(), request.segment(1));
    let cluster = cluster.map_err(|refusal| refusal.missing_as("resource not found"))?;
    Ok((cluster, tx.state.address(cluster)))
}

/// The connectors of a cluster as they are now; what they have made in the meantime is written down.
pub(crate) fn eye<'a>(tx: &mut Tx<'a>, cluster: &'a Cluster) -> Eye<'a> {
    let mut eye = Eye {
        world: tx.state,
        cluster,
        address: tx.state.address(cluster),
        now: tx.now,
        fresh: Vec::new(),
    };
    for (connector, topics) in eye.settle() {
        tx.change(Change::Connector(connector));
        for topic in topics {
            tx.change(Change::Topic(topic));
        }
    }
    eye
}

fn crn(tx: &Tx<'_>, address: &Address, name: &str) -> Crn {
    let resource = address.resource(ResourceKind::Connector, name);
    resource.unwrap_or_else(|| tx.state.organization_crn())
}

/// The connector that a path names, and how it is.
struct Found<'a> {
    eye: Eye<'a>,
    connector: Connector,
    crn: Crn,
    seen: Seen,
}

/// The connector that the path names, with the right first: whoever has it learns that the name is free.
fn found<'a>(tx: &mut Tx<'a>, request: &Request, operation: Operation) -> Result<Found<'a>, Refusal> {
    let (cluster, address) = place(tx, request)?;
    let name = request.segment(2);
    let crn = crn(tx, &address, name);
    tx.require(operation, &crn)?;
    let connector = tx.state.connector(&cluster.id, name);
    let connector = connector.ok_or_else(|| missing(name))?;
    let eye = eye(tx, cluster);
    let seen = eye.look(connector);
    let connector = written_down(tx, &eye, connector, &seen);
    Ok(Found {
        eye,
        connector,
        crn,
        seen,
    })
}

/// The connector as it is stored after everything that was found out about it just now: what was settled must not be undone
/// by what a handler writes, and what it has been through is written down.
fn written_down(tx: &mut Tx<'_>, eye: &Eye<'_>, connector: &Connector, seen: &Seen) -> Connector {
    let mut connector = connector.clone();
    if seen.trouble.is_none() && seen.state == State::Running {
        connector.made = Some(connector.run.since);
    }
    if let Some(told) = eye.chronicled(&connector, seen) {
        connector = told;
        tx.change(Change::Connector(connector.clone()));
    }
    connector
}

/// A connector with its chronicle up to date, and how long things take for it.
pub(crate) fn chronicled<'a>(tx: &mut Tx<'a>, cluster: &'a Cluster, connector: &Connector) -> (Connector, Times) {
    let eye = eye(tx, cluster);
    let seen = eye.look(connector);
    let times = eye.times(&connector.id);
    (written_down(tx, &eye, connector, &seen), times)
}

fn missing(name: &str) -> Refusal {
    Refusal::missing("not_found", format!("Connector {name} not found")).shaped(Shape::Nested)
}

/// 400 with something other than the configuration.
fn bad(message: impl Into<String>) -> Refusal {
    Refusal::invalid(message).shaped(Shape::Nested)
}

/// 400 with the errors of a configuration, `key: text` (dossier `connect.md` §2.2).
fn misconfigured(lines: &[String]) -> Refusal {
    bad(format!(
        "There were some errors with your configuration:\n{}",
        lines.join("\n")
    ))
}

/// 500 in its own shape (E2): there is no such plugin (dossier `connect.md` §2.2, pattern 7).
fn unknown_class(class: &str) -> Reply {
    let message = format!("Failed to find any class that implements Connector and which name matches {class}");
    Reply::with(
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({ "error_code": 500, "message": message }),
    )
}

fn unwritable(error: &std::io::Error) -> Refusal {
    Refusal::broken(format!("the secret cannot be kept: {error}")).shaped(Shape::Nested)
}
