//! Bad weather on every call of Connect (dossier `connect.md` §1): storms of 429, failures of the service, bodies that are
//! compressed, somebody else's, or huge.

use std::{collections::BTreeMap, io::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use confluent_ebs::{
    api::{
        Repeat,
        connect::{
            AlterOffsets, CreateConnector, DeleteConnector, GetConfig, GetConnector, GetOffsets, GetOffsetsStatus,
            GetRecommendations, GetStatus, ListConnectors, ListPlugins, ListTasks, PauseConnector, Place, PutConfig,
            RestartConnector, ResumeConnector, Validate,
        },
    },
    client::{Client, ClientError},
};
use futures_util::future::BoxFuture;

use crate::rig::{Rig, Scripted, reply};

/// One call: its name, whether it may be repeated, a good answer, and how it is made.
struct Call {
    name: &'static str,
    repeat: Repeat,
    good: (u16, &'static str),
    make: fn(Client) -> BoxFuture<'static, Result<(), ClientError>>,
}

fn place() -> Place {
    Place {
        environment: "env-1".parse().unwrap(),
        cluster: "lkc-1".parse().unwrap(),
    }
}

fn config() -> BTreeMap<String, String> {
    let lines = [("connector.class", "DatagenSource"), ("name", "claims orders")];
    lines.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// `PutConfig` of `PutConfig { … }` and of `named!(PutConfig)`.
fn endpoint_of(written: &'static str) -> &'static str {
    let written = written.strip_prefix("named!(").unwrap_or(written);
    written.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

macro_rules! calls {
    ($($endpoint:expr => $status:literal $good:literal, $repeat:ident;)+) => {
        vec![$(Call {
            name: endpoint_of(stringify!($endpoint)),
            repeat: Repeat::$repeat,
            good: ($status, $good),
            make: |client| Box::pin(async move { client.send(&$endpoint).await.map(drop) }),
        }),+]
    };
}

macro_rules! named {
    ($name:ident) => {
        $name {
            place: place(),
            name: "claims orders".into(),
        }
    };
}

/// Every call, with which answer it is content, and whether a second one does harm.
fn calls() -> Vec<Call> {
    calls! {
        ListConnectors(place()) => 200 "{}", Safe;
        ListPlugins(place()) => 200 "[]", Safe;
        Validate { place: place(), plugin: "DatagenSource".into(), config: config() } => 200 r#"{"configs":[]}"#, Safe;
        CreateConnector { place: place(), name: "claims orders".into(), config: config(), offsets: None }
            => 201 r#"{"name":"claims orders"}"#, LookFirst;
        PutConfig { place: place(), name: "claims orders".into(), config: config() }
            => 200 r#"{"name":"claims orders"}"#, Safe;
        named!(GetConnector) => 200 "{}", Safe;
        named!(GetConfig) => 200 "{}", Safe;
        named!(GetStatus) => 200 "{}", Safe;
        named!(ListTasks) => 200 "[]", Safe;
        named!(GetRecommendations) => 200 "{}", Safe;
        named!(PauseConnector) => 202 "", Safe;
        named!(ResumeConnector) => 204 "", Safe;
        named!(RestartConnector) => 202 "", LookFirst;
        named!(DeleteConnector) => 200 r#"{"error":null}"#, Safe;
        named!(GetOffsets) => 200 "{}", Safe;
        named!(GetOffsetsStatus) => 200 "{}", Safe;
        AlterOffsets { place: place(), name: "claims orders".into(), offsets: None } => 202 "{}", LookFirst;
    }
}

fn at(transport: &Arc<Scripted>) -> Rig {
    Rig::over("http://127.0.0.1:1", transport.clone(), |builder| builder)
}

#[tokio::test]
async fn a_storm_of_429_is_waited_out_by_every_call() {
    for call in calls() {
        let (status, body) = call.good;
        let transport = Scripted::new(move |number, _| match number {
            1..=3 => reply(429, &[("retry-after", "2")], ""),
            _ => reply(status, &[], body),
        });
        let rig = at(&transport);
        (call.make)(rig.client.clone())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", call.name));
        assert_eq!(
            (transport.sent(), rig.waited()),
            (4, Duration::from_secs(6)),
            "{}",
            call.name
        );
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_and_a_create_a_restart_and_a_change_of_offsets_are_not() {
    for call in calls() {
        let (status, body) = call.good;
        let transport = Scripted::new(move |number, _| match number {
            1 => reply(503, &[], "<html>try again</html>"),
            _ => reply(status, &[], body),
        });
        let done = (call.make)(at(&transport).client.clone()).await;
        match call.repeat {
            Repeat::Safe => assert_eq!((done.is_ok(), transport.sent()), (true, 2), "{}", call.name),
            Repeat::LookFirst => {
                let error = done.unwrap_err();
                assert!(
                    error.is_answer_lost() && transport.sent() == 1,
                    "{}: {error}",
                    call.name
                );
            }
        }
    }
}

#[tokio::test]
async fn an_error_that_is_compressed_is_read_whatever_was_called() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(br#"{"error":{"code":400,"message":"topics: \"topics\" is required"}}"#)
        .unwrap();
    let zip = Bytes::from(zip.finish().unwrap());
    for call in calls() {
        let zip = zip.clone();
        let transport = Scripted::new(move |_, _| http::Response::builder().status(400).body(zip.clone()).unwrap());
        let error = (call.make)(at(&transport).client.clone()).await.unwrap_err();
        assert_eq!(error.detail(), Some("topics: \"topics\" is required"), "{}", call.name);
    }
}

// Dossier `connect.md` §1.1: "403 can also mean not found".
#[tokio::test]
async fn a_403_is_never_taken_for_absence() {
    for call in calls() {
        let transport = Scripted::new(|_, _| reply(403, &[], r#"{"error":{"code":403,"message":"Forbidden"}}"#));
        let error = (call.make)(at(&transport).client.clone()).await.unwrap_err();
        assert!(error.is_forbidden() && !error.is_not_found(), "{}: {error}", call.name);
    }
}

// Dossier `connect.md` §2.2, pattern 7: a 500 that will not pass.
#[tokio::test]
async fn a_plugin_that_does_not_exist_is_not_asked_for_again() {
    let text = "Failed to find any class that implements Connector and which name matches Datagen";
    for call in calls()
        .into_iter()
        .filter(|call| ["Validate", "CreateConnector"].contains(&call.name))
    {
        let body = format!(r#"{{"error_code":500,"message":"{text}"}}"#);
        let transport = Scripted::new(move |_, _| reply(500, &[], &body));
        let error = (call.make)(at(&transport).client.clone()).await.unwrap_err();
        assert_eq!((transport.sent(), error.detail()), (1, Some(text)));
        assert!(
            error.is_not_found() && !error.is_answer_lost() && !error.is_transient(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn messages_name_the_deed() {
    let refused = |_: usize, _: &http::Request<Bytes>| reply(400, &[], r#"{"error":{"code":400,"message":"no"}}"#);
    let mut said = BTreeMap::new();
    for call in calls() {
        let transport = Scripted::new(refused);
        let error = (call.make)(at(&transport).client.clone())
            .await
            .unwrap_err()
            .to_string();
        let deed = error
            .strip_prefix("could not ")
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        said.insert(call.name, deed);
    }
    for (name, deed) in [
        ("CreateConnector", "create connector `claims orders`"),
        ("PutConfig", "update connector `claims orders`"),
        ("Validate", "check configuration of plugin `DatagenSource`"),
        ("AlterOffsets", "change offsets of connector `claims orders`"),
    ] {
        assert_eq!(said[name], deed);
    }
    let by_name: Vec<_> = said
        .values()
        .filter(|deed| deed.ends_with("connector `claims orders`"))
        .collect();
    for deed in ["pause", "resume", "restart", "delete", "read"] {
        assert!(by_name.iter().any(|said| said.starts_with(deed)), "{deed}: {by_name:?}");
    }
}

#[tokio::test]
async fn five_megabytes_are_read_as_a_list_and_cut_as_an_error() {
    let entry = |number: usize| {
        let config = format!(r#"{{"name":"claims-{number}","filler":"{}"}}"#, "x".repeat(500));
        format!(r#""claims-{number}":{{"id":{{"id":"lcc-{number}"}},"info":{{"config":{config}}}}}"#)
    };
    let all: Vec<_> = (0..9_000).map(entry).collect();
    let list = format!("{{{}}}", all.join(","));
    assert!(list.len() > 5 << 20);
    let transport = Scripted::new(move |_, _| reply(200, &[], &list));
    let read = at(&transport)
        .client
        .send(&ListConnectors(place()))
        .await
        .unwrap()
        .value;
    assert_eq!((read.len(), read["claims-8999"].id.id.as_str()), (9_000, "lcc-8999"));

    for body in [
        format!(r#"{{"error":{{"code":400,"message":"{}"}}}}"#, "x".repeat(5 << 20)),
        format!("<html>{}</html>", "y".repeat(5 << 20)),
    ] {
        let transport = Scripted::new(move |_, _| reply(400, &[], &body));
        let error = at(&transport).client.send(&ListConnectors(place())).await.unwrap_err();
        assert!(error.to_string().len() < 10_000, "{}", error.to_string().len());
    }
}
