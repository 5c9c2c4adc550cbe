//! With the delivered keys of department claims: no access to fraud, neither over HTTP for every endpoint of the
//! sandbox, nor in the evaluator for all operations and kinds.

use std::collections::BTreeSet;

use confluent_ebs::{
    access::{Evaluator, Operation},
    model::{Principal, ResourceKind, StageAddress},
    sandbox::{RouteAuth, Sandbox},
};
use serde_json::{Value, json};

use crate::common::{ApiKeyPair, CLUSTER_CRN, Cli, account_crn};

fn cli_with_claims_and_fraud() -> Cli {
    let cli = Cli::onboarded("claims fraud");
    // A resource of fraud.
    let runtime = cli.account_id("ebs-prod-fraud-runtime");
    let config = json!({
        "name": "fraud-cases", "connector.class": "DatagenSource", "tasks.max": "1",
        "kafka.topic": "fraud-cases", "quickstart": "ORDERS", "output.data.format": "JSON",
        "kafka.auth.mode": "SERVICE_ACCOUNT", "kafka.service.account.id": runtime,
    });
    let connectors = "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors";
    let body = json!({ "name": "fraud-cases", "config": config });
    cli.send_ok(&cli.profile_key("fraud-deployer"), "POST", connectors, Some(body));
    cli
}

/// A request at `path` about fraud, with every path parameter replaced.
fn requests_targeting_fraud(cli: &Cli, method: &str, path: &str) -> Vec<(String, Option<Value>)> {
    let operator = cli.account_id("ebs-prod-fraud-operator");
    let runtime = cli.account_id("ebs-prod-fraud-runtime");
    let key = cli.profile_key("fraud-operator").id;
    let binding = cli
        .sandbox()
        .bindings()
        .unwrap()
        .into_iter()
        .find(|object| object.binding.principal.id() == operator)
        .unwrap()
        .id
        .to_string();
    let place = |path: &str| {
        path.replace("{environment}", "env-prod01")
            .replace("{environment_id}", "env-prod01")
            .replace("{cluster}", "lkc-prod01")
            .replace("{cluster_id}", "lkc-prod01")
            .replace("{kafka_cluster_id}", "lkc-prod01")
            .replace("{connector_name}", "fraud-cases")
            .replace("{connector}", "fraud-cases")
            .replace("{name}", "fraud-cases")
    };
    let one = |id: &str, body: Option<Value>| vec![(place(path).replace("{id}", id), body)];
    match (method, path) {
        ("GET" | "DELETE", "/iam/v2/service-accounts/{id}") => [one(&operator, None), one(&runtime, None)].concat(),
        ("PATCH", "/iam/v2/service-accounts/{id}") => one(&operator, Some(json!({ "description": "mine" }))),
        ("GET" | "DELETE", "/iam/v2/api-keys/{id}") => one(&key, None),
        ("PATCH", "/iam/v2/api-keys/{id}") => one(&key, Some(json!({ "spec": { "description": "mine" } }))),
        ("POST", "/iam/v2/api-keys") => [&operator, &runtime]
            .into_iter()
            .flat_map(|owner| ["cloud", "lkc-prod01", "lsrc-prod01"].map(|resource| (owner, resource)))
            .map(|(owner, resource)| {
                let body = json!({ "spec": { "owner": { "id": owner }, "resource": { "id": resource } } });
                (path.to_owned(), Some(body))
            })
            .collect(),
        ("GET" | "DELETE", "/iam/v2/role-bindings/{id}") => one(&binding, None),
        ("POST", "/iam/v2/role-bindings") => {
            let me = cli.account_id("ebs-prod-claims-deployer");
            let patterns = [
                format!("{CLUSTER_CRN}/connector=fraud-*"),
                format!("{CLUSTER_CRN}/connector=fraud-cases"),
                format!("{CLUSTER_CRN}/connector=*"),
                format!("{CLUSTER_CRN}/kafka=lkc-prod01/topic=fraud-*"),
                account_crn(&operator),
                account_crn(&runtime),
            ];
            let roles = ["ResourceOwner", "DeveloperRead", "Assigner"];
            patterns
                .iter()
                .flat_map(|pattern| roles.map(|role| (pattern, role)))
                .map(|(pattern, role)| {
                    let body = json!({ "principal": format!("User:{me}"), "role_name": role, "crn_pattern": pattern });
                    (path.to_owned(), Some(body))
                })
                .collect()
        }
        (method, path) if path.contains("/connectors/") => {
            let config = json!({
                "name": "fraud-cases", "connector.class": "DatagenSource", "tasks.max": "1", "kafka.topic": "claims-x",
                "quickstart": "ORDERS", "output.data.format": "JSON", "kafka.auth.mode": "SERVICE_ACCOUNT",
                "kafka.service.account.id": cli.account_id("ebs-prod-claims-runtime"),
            });
            let body = match path.rsplit('/').next() {
                Some("config") if method == "PUT" => Some(config),
                Some("request") => Some(json!({ "type": "DELETE" })),
                _ => None,
            };
            // An existing one, and one that would be created.
            let other = place(&path.replace("{name}", "fraud-other"));
            vec![(place(path), body.clone()), (other, body)]
        }
        ("POST", path) if path.ends_with("/connectors") => {
            let config = |name: &str| json!({ "name": name, "connector.class": "DatagenSource", "tasks.max": "1" });
            ["fraud-mine", "fraud-cases", "fraud-"]
                .map(|name| (place(path), Some(json!({ "name": name, "config": config(name) }))))
                .to_vec()
        }
        _ => Vec::new(),
    }
}

/// Endpoints that are neither about one department nor public: lists, and objects of the organization. The response is
/// checked instead of the status.
fn is_shared_endpoint(method: &str, path: &str) -> bool {
    method == "GET"
        && !path.contains("/service-accounts/{")
        && !path.contains("/api-keys/{")
        && !path.contains("/connectors/")
}

#[test]
fn every_endpoint_refuses_requests_of_claims_about_fraud() {
    let cli = cli_with_claims_and_fraud();
    let keys: Vec<(String, ApiKeyPair)> = ["operator", "deployer", "viewer"]
        .map(|persona| (persona.to_owned(), cli.profile_key(&format!("claims-{persona}"))))
        .to_vec();
    let before = cli.provisioned_state();
    let routes: Vec<_> = Sandbox::routes().collect();
    let mut aimed = BTreeSet::new();
    for route in routes.iter().filter(|route| route.auth != RouteAuth::Anonymous) {
        let (method, path) = (route.method.as_str(), route.path);
        for (target, body) in requests_targeting_fraud(&cli, method, path) {
            aimed.insert(format!("{method} {path}"));
            assert!(!target.contains('{'), "{target} contains an unfilled parameter");
            for prefix in ["", "/api"] {
                for (persona, key) in &keys {
                    let (status, answer) = cli.send(key, method, &format!("{prefix}{target}"), body.clone());
                    assert_eq!(status, 403, "{persona}: {method} {prefix}{target} {body:?}: {answer}");
                }
            }
        }
    }
    // Every write and every read of a single object of a department is included.
    for route in &routes {
        let (method, path) = (route.method.as_str(), route.path);
        let of_department = [
            "/iam/v2/service-accounts/",
            "/iam/v2/api-keys",
            "/iam/v2/role-bindings",
            "/connectors",
        ]
        .iter()
        .any(|part| path.contains(part));
        let hit = aimed.contains(&format!("{method} {path}"));
        assert!(
            !of_department || hit || is_shared_endpoint(method, path),
            "{method} {path} is not tried"
        );
    }
    assert_eq!(cli.provisioned_state(), before);
}

#[test]
fn lists_show_claims_nothing_of_fraud() {
    let cli = cli_with_claims_and_fraud();
    let address = "environment=env-prod01&spec.environment=env-prod01&page_size=100";
    for persona in ["operator", "deployer", "viewer"] {
        let key = cli.profile_key(&format!("claims-{persona}"));
        let scope = format!(
            "crn_pattern={ORG}/*&page_size=100",
            ORG = crate::common::ORGANIZATION_CRN
        )
        .replace('/', "%2F");
        for target in [
            format!("/iam/v2/service-accounts?{address}"),
            "/iam/v2/api-keys?page_size=100".to_owned(),
            format!("/iam/v2/role-bindings?{scope}"),
            "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors".to_owned(),
            "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors?expand=info,status,id".to_owned(),
        ] {
            let (status, answer) = cli.send(&key, "GET", &target, None);
            assert!([200, 403].contains(&status), "{persona} {target}: {status}");
            let text = answer.to_string();
            let key_ids = ["fraud-operator", "fraud-deployer", "fraud-viewer"].map(|name| cli.profile_key(name).id);
            assert!(!text.contains("fraud"), "{persona} {target}: {text}");
            assert!(
                key_ids.iter().all(|id| !text.contains(id.as_str())),
                "{persona} {target}: {text}"
            );
        }
    }
}

#[test]
fn the_evaluator_allows_claims_no_operation_on_fraud() {
    let cli = cli_with_claims_and_fraud();
    let bindings = cli.sandbox().bindings().unwrap();
    let evaluator = Evaluator::new(bindings.into_iter().map(|object| object.binding));
    let address = StageAddress {
        organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
        schema_registry: Some("lsrc-prod01".parse().unwrap()),
    };
    let mut asked = 0;
    for persona in ["operator", "deployer", "viewer", "runtime"] {
        let me = Principal::from_id(&cli.account_id(&format!("ebs-prod-claims-{persona}")));
        for kind in [
            ResourceKind::Connector,
            ResourceKind::Topic,
            ResourceKind::Group,
            ResourceKind::TransactionalId,
            ResourceKind::Subject,
        ] {
            for name in ["fraud-", "fraud-cases", "fraud-claims-", "fraud.cases", "FRAUD-cases"] {
                let crn = address.resource(kind, name).unwrap();
                for operation in Operation::ALL {
                    asked += 1;
                    let decision = evaluator.decide(&me, operation, &crn);
                    assert!(!decision.is_allowed(), "{persona} may {operation:?} {crn}");
                }
            }
        }
        for other in ["operator", "deployer", "viewer", "runtime"] {
            let account = cli.account_id(&format!("ebs-prod-fraud-{other}")).parse().unwrap();
            for operation in Operation::ALL
                .into_iter()
                .filter(|operation| *operation != Operation::Create)
            {
                asked += 1;
                let decision = evaluator.decide(&me, operation, &address.service_account_crn(&account));
                assert!(!decision.is_allowed(), "{persona} may {operation:?} fraud's {other}");
            }
        }
    }
    assert!(asked > 2_000);
}
