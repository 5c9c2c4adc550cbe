//! Isolation over every route: with the keys of one department, nothing of another can be read or changed.
//!
//! The test iterates over the route table, so it includes new routes. It fills every path parameter with every object
//! of the other department, and sends every write with every body that names that department.

use std::collections::BTreeSet;

use confluent_ebs::sandbox::{ListVisibility, Sandbox, SandboxAssumptions, SandboxSettings};
use serde_json::{Value, json};

use crate::common::{Caller, SandboxResponse, SandboxServer, encode_query_value};

/// Objects of one department in the sandbox.
struct IsolationDepartment {
    /// Name of the persona, and its Cloud API key.
    personas: Vec<(&'static str, Caller)>,
    /// Ids of accounts, keys, bindings and connectors, and names.
    identifying_texts: Vec<String>,
    prefix: &'static str,
    runtime: String,
    operator: String,
}

/// The grants of the template `hybrid` (docs/reference/rbac.md#personas), and of `self-service`, whose people deploy.
async fn create_department(api: &SandboxServer, code: &str, prefix: &'static str) -> IsolationDepartment {
    let cluster = api.cluster_crn();
    let organization = api.seed.stages[0].address.organization_crn().to_string();
    let environment = api.seed.stages[0].address.environment_crn().to_string();
    let (connectors, topics, groups, subjects) = (
        format!("{cluster}/connector={prefix}*"),
        format!("{cluster}/kafka=lkc-prod1/topic={prefix}*"),
        format!("{cluster}/kafka=lkc-prod1/group={prefix}*"),
        format!("{environment}/schema-registry=lsrc-prod1/subject={prefix}*"),
    );
    let name = |persona: &str| format!("ebs-prod-{code}-{persona}");
    let runtime = api.create_account(&name("runtime")).await;
    let on_runtime = format!("{organization}/service-account={runtime}");
    let mut marks = vec![format!("ebs-prod-{code}"), prefix.to_owned(), runtime.clone()];
    for (role, pattern) in [
        ("DeveloperRead", topics.clone()),
        ("DeveloperWrite", topics.clone()),
        ("DeveloperManage", topics.clone()),
        ("DeveloperRead", subjects.clone()),
        ("DeveloperRead", format!("{cluster}/kafka=lkc-prod1/group=connect-lcc*")),
    ] {
        marks.push(api.bind(&runtime, role, &pattern).await);
    }
    let mut personas = Vec::new();
    let mut operator = String::new();
    for (persona, grants) in [
        (
            "operator",
            vec![
                ("ConnectManager", &connectors),
                ("DeveloperRead", &topics),
                ("DeveloperRead", &groups),
                ("DeveloperRead", &subjects),
            ],
        ),
        (
            "deployer",
            vec![
                ("ResourceOwner", &connectors),
                ("Assigner", &on_runtime),
                ("DeveloperManage", &topics),
                ("DeveloperWrite", &subjects),
            ],
        ),
        (
            "person",
            vec![
                ("ResourceOwner", &connectors),
                ("ConnectManager", &connectors),
                ("Assigner", &on_runtime),
            ],
        ),
        (
            "viewer",
            vec![("DeveloperRead", &connectors), ("DeveloperRead", &subjects)],
        ),
    ] {
        let account = api.create_account(&name(persona)).await;
        for (role, pattern) in grants {
            marks.push(api.bind(&account, role, pattern).await);
        }
        let login = api.create_key(&account, "cloud").await;
        let Caller::ApiKey(id, _) = &login else { unreachable!() };
        marks.extend([account.clone(), id.clone()]);
        personas.push((persona, login));
        if persona == "operator" {
            operator = account;
        }
    }
    for connector in ["orders", "audit"] {
        let config = json!({ "connector.class": "DatagenSource", "kafka.auth.mode": "SERVICE_ACCOUNT",
            "kafka.service.account.id": runtime, "kafka.topic": format!("{prefix}t"), "tasks.max": "1" });
        let body = json!({ "name": format!("{prefix}{connector}"), "config": config });
        let path = "/connect/v1/environments/env-prod1/clusters/lkc-prod1/connectors";
        api.post(&api.admin, path, body).await.expect_status(201);
    }
    IsolationDepartment {
        personas,
        identifying_texts: marks,
        prefix,
        runtime,
        operator,
    }
}

/// All objects of a department in the sandbox, as text.
fn department_objects(api: &SandboxServer, of: &IsolationDepartment) -> BTreeSet<String> {
    let mut objects = api.object_texts();
    objects.retain(|text| of.identifying_texts.iter().any(|mark| text.contains(mark)));
    objects
}

/// Bodies that refer to another department, in the formats of every POST, PUT and PATCH.
fn attack_bodies(api: &SandboxServer, mine: &IsolationDepartment, theirs: &IsolationDepartment) -> Vec<Value> {
    let cluster = api.cluster_crn();
    let organization = api.seed.stages[0].address.organization_crn();
    let me = format!("User:{}", mine.operator);
    let bind = |role: &str, pattern: String| json!({ "principal": me, "role_name": role, "crn_pattern": pattern });
    let config = |identity: &str| {
        json!({ "connector.class": "DatagenSource", "kafka.auth.mode": "SERVICE_ACCOUNT",
            "kafka.service.account.id": identity, "kafka.topic": "t", "tasks.max": "1" })
    };
    vec![
        json!({}),
        json!({ "display_name": "claims-renamed", "description": "taken over" }),
        json!({ "spec": { "owner": { "id": theirs.operator }, "resource": { "id": "cloud" } } }),
        json!({ "spec": { "owner": { "id": theirs.runtime }, "resource": { "id": "lkc-prod1" } } }),
        json!({ "spec": { "description": "taken over" } }),
        bind("DeveloperRead", format!("{cluster}/connector={}*", theirs.prefix)),
        bind("ResourceOwner", format!("{cluster}/connector={}orders", theirs.prefix)),
        bind("DeveloperRead", format!("{cluster}/connector=*")),
        bind(
            "DeveloperRead",
            format!("{cluster}/kafka=lkc-prod1/topic={}*", theirs.prefix),
        ),
        bind("Assigner", format!("{organization}/service-account={}", theirs.runtime)),
        bind("CloudClusterAdmin", cluster.clone()),
        json!({ "name": format!("{}orders", theirs.prefix), "config": config(&mine.runtime) }),
        json!({ "name": format!("{}new", theirs.prefix), "config": config(&mine.runtime) }),
        json!({ "name": format!("{}steal", mine.prefix), "config": config(&theirs.runtime) }),
        json!({ "refresh_token": "v1.0123", "email": "admin@example.com", "password": "" }),
    ]
}

/// Queries of lists that name the other department.
fn attack_queries(api: &SandboxServer, theirs: &IsolationDepartment) -> Vec<String> {
    let cluster = api.cluster_crn();
    let organization = api.seed.stages[0].address.organization_crn().to_string();
    let pattern = |text: String| format!("crn_pattern={}&page_size=1000", encode_query_value(&text));
    vec![
        String::new(),
        "environment=env-prod1&page_size=100".into(),
        "expand=info,status,id".into(),
        pattern(format!("{organization}/*")),
        pattern(cluster.clone()),
        pattern(format!("{cluster}/*")),
        pattern(format!("{cluster}/connector={}*", theirs.prefix)),
        format!(
            "{}&principal=User%3A{}",
            pattern(format!("{organization}/*")),
            theirs.operator
        ),
        pattern(format!("{organization}/service-account={}", theirs.runtime)),
        format!("spec.owner={}", theirs.operator),
        "spec.resource=cloud&page_size=100".into(),
        "scope=service_account&page_size=200".into(),
        "scope=kafka_cluster&environment=env-prod1&kafka_cluster=lkc-prod1".into(),
    ]
}

/// Values of a path parameter: every object of the other department, and the shared environment and cluster.
fn path_values(part: &str, api: &SandboxServer, theirs: &IsolationDepartment) -> Vec<String> {
    match part {
        "environment" => vec!["env-prod1".into()],
        "cluster" => vec!["lkc-prod1".into()],
        "role" => vec!["OrganizationAdmin".into()],
        "plugin" => vec!["DatagenSource".into()],
        "topic" => vec![format!("{}t", theirs.prefix), format!("{}new", theirs.prefix)],
        "name" => vec![format!("{}orders", theirs.prefix), format!("{}new", theirs.prefix)],
        "id" => {
            let places = ["env-prod1", "lkc-prod1", "lsrc-prod1", "SERVICE_ACCOUNT"];
            let shared = places.map(str::to_owned).into_iter();
            let organization = api.seed.organization.to_string();
            theirs
                .identifying_texts
                .iter()
                .cloned()
                .chain(shared)
                .chain([organization])
                .collect()
        }
        other => panic!("no values for {{{other}}}"),
    }
}

/// All combinations of values for the path parameters of a route.
fn route_paths(route: &str, api: &SandboxServer, theirs: &IsolationDepartment) -> Vec<String> {
    route.split('/').skip(1).fold(vec![String::new()], |paths, part| {
        let values = match part.strip_prefix('{') {
            Some(part) => path_values(part.trim_end_matches('}'), api, theirs),
            None => vec![part.to_owned()],
        };
        paths
            .iter()
            .flat_map(|path| {
                values
                    .iter()
                    .map(move |value| format!("{path}/{}", encode_query_value(value)))
            })
            .collect()
    })
}

fn path_with_queries(path: &str, queries: &[String]) -> Vec<(String, Option<Value>)> {
    queries.iter().map(|query| (format!("{path}?{query}"), None)).collect()
}

#[expect(clippy::print_stdout, reason = "the number of requests is a part of the result")]
async fn assert_isolation(settings: SandboxSettings) {
    let api = SandboxServer::with_settings(settings);
    let claims = create_department(&api, "claims", "claims-").await;
    let fraud = create_department(&api, "fraud", "fraud-").await;
    let untouched = department_objects(&api, &fraud);
    assert!(untouched.len() > 20);
    let (bodies, queries) = (attack_bodies(&api, &claims, &fraud), attack_queries(&api, &fraud));
    let mut sent = 0_usize;
    for (persona, login) in &claims.personas {
        for route in Sandbox::routes() {
            let method = route.method.as_str();
            for path in route_paths(route.path, &api, &fraud) {
                let requests: Vec<(String, Option<Value>)> = match method {
                    // A single object is requested with a scope and an expansion, a list with all parameters.
                    "GET" if route.path.ends_with("{id}") => path_with_queries(&path, &queries[..2]),
                    "GET" => path_with_queries(&path, &queries),
                    "DELETE" => vec![(path.clone(), None)],
                    // The first five update an object, the others create one.
                    "PATCH" => bodies[..5]
                        .iter()
                        .map(|body| (path.clone(), Some(body.clone())))
                        .collect(),
                    _ => bodies.iter().map(|body| (path.clone(), Some(body.clone()))).collect(),
                };
                for (target, body) in requests {
                    let request = format!(
                        "{method} {target} {}",
                        body.as_ref().map_or(String::new(), Value::to_string)
                    );
                    let answer = api.send(login, method, &target, body).await;
                    sent += 1;
                    assert_no_foreign_data(&format!("{persona}: {request}"), &request, answer, &fraud);
                }
            }
        }
        let now = department_objects(&api, &fraud);
        assert_eq!(now, untouched, "after {persona}");
    }
    println!("{sent} requests, none got through");
}

/// The response contains nothing of the other department, except parts of the request in an error, and in the links of
/// a list.
fn assert_no_foreign_data(what: &str, request: &str, answer: SandboxResponse, theirs: &IsolationDepartment) {
    let refused = answer.status.is_client_error();
    assert!(refused || answer.status.is_success(), "{what}: {}", answer.status);
    let mut body = answer.body.unwrap_or_default();
    if !refused && let Some(list) = body.as_object_mut() {
        list.remove("metadata");
    }
    let text = body.to_string();
    for mark in &theirs.identifying_texts {
        let known = refused && request.contains(mark.as_str());
        assert!(
            known || !text.contains(mark.as_str()),
            "{what}: {} {text}",
            answer.status
        );
    }
}

#[tokio::test]
async fn keys_of_a_department_reach_nothing_of_another_over_any_route() {
    assert_isolation(SandboxSettings::instant()).await;
}

#[tokio::test]
async fn keys_of_a_department_reach_nothing_of_another_when_lists_are_refused() {
    assert_isolation(SandboxSettings {
        assumptions: SandboxAssumptions {
            binding_list: ListVisibility::Refused,
            connector_list: ListVisibility::Refused,
            own_keys_manageable: false,
            own_key_readable: false,
            own_bindings_visible: false,
            missing_assigner_is_forbidden: false,
            ..SandboxAssumptions::default()
        },
        ..SandboxSettings::instant()
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "fraud-")]
async fn the_isolation_check_detects_a_leaking_list() {
    assert_isolation(SandboxSettings {
        assumptions: SandboxAssumptions {
            connector_list: ListVisibility::Everything,
            ..SandboxAssumptions::default()
        },
        ..SandboxSettings::instant()
    })
    .await;
}
