//! Every request that this program can send is one that the vendor's documents describe.

mod common;

use std::{cell::RefCell, collections::BTreeSet, path::Path};

use common::openapi::{ContractMatch, ContractViolation, DEVIATIONS, OpenApiContract};
use confluent_ebs::api::{
    Endpoint, RetrySafety, cmk, connect, endpoint, iam, kafka, kafka_quotas, keys, logs,
    mds::{self, RoleBindingScope},
    metrics, org, quota, srcm,
};
use http::Method;
use serde_json::json;

/// POSTs that make nothing.
const READ_ONLY_POSTS: [&str; 3] = ["ExchangeToken", "QueryMetrics", "SearchLogs"];

/// Checks endpoints and remembers what came of it.
struct EndpointInspection<'a> {
    contract: &'a OpenApiContract,
    checked: RefCell<BTreeSet<String>>,
    problems: RefCell<Vec<ContractViolation>>,
}

impl EndpointInspection<'_> {
    fn check<E: Endpoint>(&self, endpoint: &E) {
        let name = std::any::type_name::<E>().rsplit("::").next().unwrap();
        self.checked.borrow_mut().insert(name.to_owned());
        let path = endpoint::expand_route(E::ROUTE, &endpoint.segments());
        let query = endpoint.query();
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let body = endpoint.body();
        if let Err(problems) = self
            .contract
            .check_request(E::METHOD.as_str(), &path, &query, body.as_ref())
        {
            self.problems.borrow_mut().extend(problems);
        }
        // Not the documents' business, but every endpoint's: what creates must not be repeated blindly.
        let expected = match E::METHOD {
            Method::POST if !READ_ONLY_POSTS.contains(&name) => RetrySafety::CheckFirst,
            _ => RetrySafety::Idempotent,
        };
        assert_eq!(E::RETRY, expected, "{name}");
    }

    /// A list, whose later pages are asked for by a token.
    fn check_list<E: Endpoint>(&self, endpoint: &E) {
        self.check(endpoint);
        let mut query = endpoint.query();
        query.push(("page_token", "opaque".to_owned()));
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let path = endpoint::expand_route(E::ROUTE, &endpoint.segments());
        if let Err(problems) = self.contract.check_request("GET", &path, &query, None) {
            self.problems.borrow_mut().extend(problems);
        }
    }
}

fn check_all_endpoints(inspection: &EndpointInspection<'_>) {
    let environment = || "env-abc123".parse().unwrap();
    let cluster = || "lkc-abc123".parse().unwrap();
    let account = || "sa-abc123".parse().unwrap();
    let key = || "ABCDEFGHIJ234567".parse().unwrap();
    let binding = || "rb-abc12".parse().unwrap();
    let text = |text: &str| text.to_owned();

    inspection.check_list(&iam::ListServiceAccounts::default());
    inspection.check_list(&iam::ListServiceAccounts {
        display_names: vec![text("ebs-prod-claims-operator"), text("ebs-prod-claims-deployer")],
    });
    for owner in [None, Some(text("sa-owner1"))] {
        inspection.check(&iam::CreateServiceAccount {
            display_name: text("ebs-prod-claims-operator"),
            description: text("ebs:v1 stage=prod dept=claims role=operator tpl=hybrid@0000"),
            assigned_resource_owner: owner,
        });
    }
    inspection.check(&iam::GetServiceAccount(account()));
    inspection.check(&iam::UpdateServiceAccount {
        id: account(),
        description: text("new"),
    });
    inspection.check(&iam::DeleteServiceAccount(account()));
    inspection.check_list(&iam::ListUsers);

    inspection.check_list(&keys::ListApiKeys::default());
    inspection.check_list(&keys::ListApiKeys {
        owner: Some(text("sa-abc123")),
        resource: Some(text("lkc-abc123")),
    });
    for (resource, environment) in [(keys::CLOUD, None), ("lkc-abc123", Some(text("env-abc123")))] {
        inspection.check(&keys::CreateApiKey {
            owner: text("sa-abc123"),
            resource: text(resource),
            environment,
            display_name: text("claims-operator"),
            description: text("state=new run=1"),
        });
    }
    inspection.check(&keys::GetApiKey(key()));
    inspection.check(&keys::UpdateApiKey {
        id: key(),
        description: text("state=live"),
    });
    inspection.check(&keys::DeleteApiKey(key()));

    let scope = "crn://confluent.cloud/organization=3f0e0a52-0000-4000-8000-000000000000/environment=env-abc123";
    let pattern = format!("{scope}/cloud-cluster=lkc-abc123/kafka=lkc-abc123/topic=claims-*");
    let role_binding: confluent_ebs::model::RoleBinding = serde_json::from_value(json!({
        "principal": "User:sa-abc123", "role_name": "DeveloperRead", "crn_pattern": pattern,
    }))
    .unwrap();
    for scope in [
        RoleBindingScope::Below(scope.parse().unwrap()),
        RoleBindingScope::Exact(role_binding.pattern.clone()),
    ] {
        inspection.check_list(&mds::ListRoleBindings {
            scope,
            principal: Some(role_binding.principal.clone()),
            role: Some(role_binding.role.clone()),
        });
    }
    inspection.check(&mds::CreateRoleBinding(role_binding));
    inspection.check(&mds::GetRoleBinding(binding()));
    inspection.check(&mds::DeleteRoleBinding(binding()));

    inspection.check_list(&org::ListOrganizations);
    inspection.check_list(&org::ListEnvironments);
    inspection.check(&org::GetEnvironment(environment()));
    inspection.check_list(&cmk::ListClusters(environment()));
    inspection.check(&cmk::GetCluster {
        environment: environment(),
        id: cluster(),
    });
    inspection.check_list(&srcm::ListRegistries(environment()));
    inspection.check_list(&quota::ListAppliedQuotas {
        scope: "kafka_cluster",
        environment: Some(text("env-abc123")),
        kafka_cluster: Some(text("lkc-abc123")),
    });

    let quota_id = || "cq-abc12".parse().unwrap();
    let throughput = confluent_ebs::model::Throughput {
        ingress: confluent_ebs::model::ByteRate(5_000_000),
        egress: confluent_ebs::model::ByteRate(20_000_000),
    };
    inspection.check_list(&kafka_quotas::ListClientQuotas {
        environment: environment(),
        cluster: cluster(),
    });
    inspection.check(&kafka_quotas::CreateClientQuota {
        environment: environment(),
        cluster: cluster(),
        display_name: text("ebs-prod-claims-runtime"),
        principal: text("sa-abc123"),
        throughput,
    });
    inspection.check(&kafka_quotas::GetClientQuota(quota_id()));
    inspection.check(&kafka_quotas::UpdateClientQuota {
        id: quota_id(),
        environment: environment(),
        throughput,
    });
    inspection.check(&kafka_quotas::DeleteClientQuota(quota_id()));

    let acl = || -> confluent_ebs::model::AclBinding {
        let text = "TOPIC#dlq-lcc#PREFIXED#User:sa-abc123#*#WRITE#ALLOW";
        text.parse().unwrap()
    };
    inspection.check(&kafka::ListTopics(cluster()));
    for principal in [None, Some(acl().principal)] {
        inspection.check(&kafka::ListAcls {
            cluster: cluster(),
            principal,
        });
    }
    inspection.check(&kafka::CreateAcl {
        cluster: cluster(),
        acl: acl(),
    });
    inspection.check(&kafka::DeleteAcl {
        cluster: cluster(),
        acl: acl(),
    });

    let place = || connect::ClusterPath {
        environment: environment(),
        cluster: cluster(),
    };
    inspection.check(&connect::ListConnectors(place()));
    inspection.check(&connect::CreateConnector {
        cluster_path: place(),
        name: text("claims-policies"),
        config: [
            ("name", "claims-policies"),
            ("connector.class", "DatagenSource"),
            ("kafka.auth.mode", "SERVICE_ACCOUNT"),
            ("kafka.service.account.id", "sa-abc123"),
        ]
        .map(|(key, value)| (text(key), text(value)))
        .into(),
        offsets: Some(serde_json::json!([offset_sample()])),
    });
    inspection.check(&connect::PutConnectorConfig {
        cluster_path: place(),
        name: text("claims-policies"),
        config: [
            ("name", "claims-policies"),
            ("connector.class", "DatagenSource"),
            ("kafka.auth.mode", "SERVICE_ACCOUNT"),
            ("kafka.service.account.id", "sa-abc123"),
        ]
        .map(|(key, value)| (text(key), text(value)))
        .into(),
    });
    macro_rules! by_name {
        ($($endpoint:ident),+) => {$(
            inspection.check(&connect::$endpoint { cluster_path: place(), name: text("a name/with [all] of it") });
        )+};
    }
    by_name!(
        GetConnector,
        GetConnectorConfig,
        DeleteConnector,
        PauseConnector,
        ResumeConnector,
        RestartConnector,
        GetConnectorStatus,
        ListConnectorTasks,
        GetErrorRecommendations,
        GetOffsets,
        GetOffsetsStatus
    );
    let item = connect::OffsetItem {
        partition: offset_sample()["partition"].clone(),
        offset: offset_sample()["offset"].clone(),
    };
    for offsets in [None, Some(vec![item])] {
        inspection.check(&connect::AlterOffsets {
            cluster_path: place(),
            name: text("claims-policies"),
            offsets,
        });
    }
    inspection.check(&connect::ListPlugins(place()));
    inspection.check(&connect::ValidateConfig {
        cluster_path: place(),
        plugin: text("DatagenSource"),
        config: [(text("connector.class"), text("DatagenSource"))].into(),
    });

    let moment = |text: &str| text.parse().unwrap();
    inspection.check(&logs::ExchangeToken);
    inspection.check(&logs::SearchLogs {
        connector: format!("{scope}/cloud-cluster=lkc-abc123/connector=claims-policies")
            .parse()
            .unwrap(),
        search: logs::LogSearch {
            level: vec![text("ERROR")],
            search_text: None,
            id: Some(text("lcc-abc123")),
        },
        from: moment("2026-11-22T00:00:00Z"),
        to: moment("2026-11-22T01:00:00Z"),
        page: Some(text("opaque")),
    });
    for connectors in [vec![text("lcc-abc123")], vec![text("lcc-abc123"), text("lcc-abc124")]] {
        for page in [None, Some(text("opaque"))] {
            inspection.check(&metrics::QueryMetrics {
                metric: text("io.confluent.kafka.connect/connector_status"),
                connectors: connectors.clone(),
                by: vec![metrics::STATUS],
                from: moment("2026-11-22T00:00:00Z"),
                to: moment("2026-11-22T01:00:00Z"),
                granularity: metrics::Granularity::Minute,
                page: page.clone(),
            });
            inspection.check(&metrics::ListMetrics { page: page.clone() });
            inspection.check(&metrics::ListResources { page });
        }
        inspection.check(&metrics::ExportMetrics { connectors });
    }
}

fn offset_sample() -> serde_json::Value {
    serde_json::json!({
        "partition": { "kafka_topic": "claims-policies", "kafka_partition": 0 },
        "offset": { "kafka_offset": 1000 },
    })
}

/// The names of all endpoints, from the source: one that is added without a sample here is found.
fn all_endpoints() -> BTreeSet<String> {
    fn files(folder: &Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
            .collect()
    }
    let names = |text: &str| -> Vec<String> {
        let written = text.lines().filter_map(|line| line.strip_prefix("impl Endpoint for "));
        let written = written.map(|rest| rest.trim_end_matches(" {").to_owned());
        // `Name: GET ROUTE, …;` in the macro for endpoints that take a connector's name.
        let generated = text.lines().filter_map(|line| {
            let (name, rest) = line.trim().split_once(": ")?;
            let verb = rest.split(' ').next()?;
            (["GET", "PUT", "POST", "DELETE"].contains(&verb) && rest.contains("->")).then(|| name.to_owned())
        });
        written.chain(generated).collect()
    };
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api"))
        .iter()
        .flat_map(|file| names(&std::fs::read_to_string(file).unwrap()))
        .collect()
}

#[test]
fn every_request_matches_the_openapi_documents() {
    let contract = OpenApiContract::load();
    let inspection = EndpointInspection {
        contract: &contract,
        checked: RefCell::default(),
        problems: RefCell::default(),
    };
    check_all_endpoints(&inspection);
    let problems = inspection.problems.into_inner();
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "\n{}", text.join("\n"));
    assert_eq!(inspection.checked.into_inner(), all_endpoints());
    // An exception that nothing needs any more would hide the next mistake.
    let outdated: Vec<_> = contract.unused_deviations();
    let outdated = outdated
        .iter()
        .filter(|known| known.aspect.starts_with("request") || known.aspect.starts_with("query"));
    assert_eq!(outdated.count(), 0, "{:?}", contract.unused_deviations());
}

#[test]
fn every_known_deviation_is_listed_once_with_its_source() {
    let mut seen = BTreeSet::new();
    for known in DEVIATIONS {
        assert!(seen.insert((known.operation, known.aspect)), "{known:?}");
        assert!(
            known.source.contains("docs/reference/") || known.source.contains("trace"),
            "{known:?}"
        );
    }
}

fn aspects(outcome: Result<ContractMatch, Vec<ContractViolation>>) -> Vec<String> {
    outcome
        .err()
        .into_iter()
        .flatten()
        .map(|problem| problem.aspect)
        .collect()
}

/// The contract itself: a check that finds nothing proves something only if it would have found it.
#[test]
fn the_contract_check_finds_invalid_requests() {
    let contract = OpenApiContract::load();
    let request = |method: &str, path: &str, query: &[(&str, &str)], body: Option<serde_json::Value>| {
        aspects(contract.check_request(method, path, query, body.as_ref()))
    };
    let accounts = "/iam/v2/service-accounts";
    assert_eq!(request("GET", "/iam/v2/service-account", &[], None), ["route"]);
    assert_eq!(request("PUT", accounts, &[], None), ["route"]);
    assert_eq!(
        request("GET", accounts, &[("page-size", "10")], None),
        ["query page-size"]
    );
    assert_eq!(
        request("GET", accounts, &[("page_size", "101")], None),
        ["query page_size"]
    );
    assert_eq!(request("GET", "/cmk/v2/clusters", &[], None), ["query environment"]);
    assert_eq!(
        request("POST", accounts, &[], Some(json!({ "description": "x" }))),
        ["request"]
    );
    let misspelt = json!({ "display_name": "a", "descripton": "b" });
    assert_eq!(request("POST", accounts, &[], Some(misspelt)), ["request /descripton"]);
    let number = json!({ "display_name": 7, "id": "sa-1" });
    assert_eq!(
        request("POST", accounts, &[], Some(number)),
        ["request /display_name", "request /id"]
    );
    let restart = "/connect/v1/environments/env-1/clusters/lkc-1/connectors/a/restart";
    assert_eq!(
        contract.check_request("POST", restart, &[], None),
        Ok(ContractMatch::KnownDeviation)
    );
}

#[test]
fn the_contract_check_finds_invalid_responses() {
    let contract = OpenApiContract::load();
    let answer = |method: &str, path: &str, status: u16, body: Option<serde_json::Value>| {
        aspects(contract.check_response(method, path, &[], status, body.as_ref()))
    };
    let account = |id: serde_json::Value| {
        json!({
            "api_version": "iam/v2", "kind": "ServiceAccount", "id": id, "display_name": "a", "description": "",
            "metadata": {
                "self": "https://api.confluent.cloud/iam/v2/service-accounts/sa-1",
                "resource_name": "crn://confluent.cloud/organization=o/service-account=sa-1",
                "created_at": "2026-11-22T12:00:00Z", "updated_at": "2026-11-22T12:00:00Z",
            },
        })
    };
    let list = |item| {
        let link = "https://api.confluent.cloud/iam/v2/service-accounts";
        json!({
            "api_version": "iam/v2", "kind": "ServiceAccountList",
            "metadata": { "first": link, "next": null, "total_size": 1 }, "data": [item],
        })
    };
    let (all, one) = ("/iam/v2/service-accounts", "/iam/v2/service-accounts/sa-1");
    assert_eq!(answer("GET", all, 200, Some(list(account("sa-1".into())))), [""; 0]);
    assert_eq!(
        answer("GET", all, 200, Some(list(account(7.into())))),
        ["answer /data/*/id"]
    );
    assert_eq!(answer("DELETE", one, 204, None), [""; 0]);
    assert_eq!(answer("DELETE", one, 418, None), ["status 418"]);
    assert_eq!(answer("GET", one, 200, None), ["answer"]);
    let refusal = json!({ "errors": [{ "id": "r1", "status": "403", "code": "forbidden_access", "detail": "no" }] });
    assert_eq!(answer("GET", one, 403, Some(refusal)), [""; 0]);
    assert_eq!(
        answer("GET", one, 403, Some(json!({ "errors": [{ "detial": "no" }] }))),
        ["answer /errors/*/detial"]
    );
}
