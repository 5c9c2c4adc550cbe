//! Known differences between the service and its OpenAPI documents, each with its source: the one table of exceptions.

use super::{ContractViolation, route_specificity};

/// A known difference between the documents and the service, or a newer source.
#[derive(Debug)]
pub(crate) struct Deviation {
    /// As in [`Problem`].
    pub(crate) operation: &'static str,
    /// As in [`Problem`].
    pub(crate) aspect: &'static str,
    /// Source of the difference.
    pub(crate) source: &'static str,
}

const fn deviation(operation: &'static str, aspect: &'static str, source: &'static str) -> Deviation {
    Deviation {
        operation,
        aspect,
        source,
    }
}

const CONNECTORS: &str = "POST /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors";
const CONFIG: &str =
    "PUT /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/config";
const RECOMMENDATIONS: &str = "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/error-recommendations";
const RESTART: &str =
    "POST /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/restart";
const LIST_CONNECTORS: &str = "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors";
const EXPAND_CONNECTORS: &str =
    "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors?expand=info,status,id";
const READ_CONNECTOR: &str =
    "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}";
const DELETE_CONNECTOR: &str =
    "DELETE /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}";
const CONNECTOR_STATUS: &str =
    "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/status";
const PLUGINS: &str = "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connector-plugins";
const READ_CONFIG: &str =
    "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/config";
const PAUSE: &str =
    "PUT /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/pause";
const RESUME: &str =
    "PUT /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/resume";
const TASKS: &str =
    "GET /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connectors/{connector_name}/tasks";
const VALIDATE: &str = "PUT /connect/v1/environments/{environment_id}/clusters/{kafka_cluster_id}/connector-plugins/{plugin_name}/config/validate";
const CONNECT_400_SOURCE: &str = "docs/reference/connect.md#error-bodies: 400 for a body that is no configuration";
const CONNECT_403_SOURCE: &str =
    "docs/reference/connect.md#error-bodies: 403 for missing rights, though the document does not declare it";
const BINDING_402_SOURCE: &str = "docs/reference/rbac.md#error-bodies and docs/reference/quotas.md#service-quota-api: \
                                  a full quota is 402, or 400";
const READ_BINDING: &str = "GET /iam/v2/role-bindings/{id}";
const DELETE_BINDING: &str = "DELETE /iam/v2/role-bindings/{id}";
const HIDDEN_BINDING_SOURCE: &str = "docs/reference/rbac.md#error-bodies: the third error shape, from the provider's \
                                     recordings";
const CONFLUENT_CLI_SOURCE: &str =
    "trace of the Confluent CLI: it sends them, and the OpenAPI documents do not describe them";
const METRICS_QUERY: &str = "POST /v2/metrics/{dataset}/query";
const METRICS_403_SOURCE: &str = "docs/reference/metrics.md#access: an unknown key is refused by the gateway, in its \
                                  own shape";
const LOGS_SOURCE: &str = "docs/reference/logs.md#access-token: both official clients call it, and no document \
                           describes it";
const BOTH_CLIENTS_SOURCE: &str = "traces of the Confluent CLI and of the Terraform provider: both send it empty";

/// All known deviations. A deviation that no check meets is stale; `tests/openapi.rs` finds those of requests.
pub(crate) const DEVIATIONS: &[Deviation] = &[
    deviation(
        "POST /iam/v2/api-keys",
        "request /spec/owner/related",
        BOTH_CLIENTS_SOURCE,
    ),
    deviation(
        "POST /iam/v2/api-keys",
        "request /spec/owner/resource_name",
        BOTH_CLIENTS_SOURCE,
    ),
    deviation(
        "POST /iam/v2/api-keys",
        "request /spec/resource/related",
        BOTH_CLIENTS_SOURCE,
    ),
    deviation(
        "POST /iam/v2/api-keys",
        "request /spec/resource/resource_name",
        BOTH_CLIENTS_SOURCE,
    ),
    deviation(
        CONNECTORS,
        "request /config",
        "docs/reference/connect.md#create-a-connector: `kafka.auth.mode=SERVICE_ACCOUNT` stands in the place of the \
         required Kafka API key",
    ),
    deviation(
        CONFIG,
        "request",
        "docs/reference/connect.md#create-a-connector: `kafka.auth.mode=SERVICE_ACCOUNT` stands in the place of the \
         required Kafka API key",
    ),
    deviation(
        RECOMMENDATIONS,
        "route",
        "docs/reference/connect.md#error-recommendations: called by Confluent's own client, in no document",
    ),
    deviation(
        RESTART,
        "route",
        "docs/reference/connect.md#restart: published as a preview, missing in the document",
    ),
    deviation(
        CONNECTORS,
        "answer /config",
        "docs/reference/connect.md#create-a-connector: without a Kafka API key there is none to show",
    ),
    deviation(
        CONNECTORS,
        "answer /error",
        "docs/reference/connect.md#error-bodies, E1, E3: the document's schema contradicts its own example",
    ),
    deviation(
        CONNECTORS,
        "status 409",
        "docs/reference/connect.md#connector-names: a name that exists is refused; 409 as in self-managed Connect",
    ),
    deviation(CONNECTORS, "status 403", CONNECT_403_SOURCE),
    deviation(LIST_CONNECTORS, "status 403", CONNECT_403_SOURCE),
    deviation(EXPAND_CONNECTORS, "status 403", CONNECT_403_SOURCE),
    deviation(READ_CONNECTOR, "status 403", CONNECT_403_SOURCE),
    deviation(DELETE_CONNECTOR, "status 403", CONNECT_403_SOURCE),
    deviation(CONNECTOR_STATUS, "status 403", CONNECT_403_SOURCE),
    deviation(PLUGINS, "status 403", CONNECT_403_SOURCE),
    deviation(READ_CONFIG, "status 403", CONNECT_403_SOURCE),
    deviation(PAUSE, "status 403", CONNECT_403_SOURCE),
    deviation(RESUME, "status 403", CONNECT_403_SOURCE),
    deviation(TASKS, "status 403", CONNECT_403_SOURCE),
    deviation(VALIDATE, "status 403", CONNECT_403_SOURCE),
    deviation(VALIDATE, "status 400", CONNECT_400_SOURCE),
    deviation(CONFIG, "status 403", CONNECT_403_SOURCE),
    deviation("POST /iam/v2/role-bindings", "status 402", BINDING_402_SOURCE),
    deviation(READ_BINDING, "answer", HIDDEN_BINDING_SOURCE),
    deviation(READ_BINDING, "answer /error_code", HIDDEN_BINDING_SOURCE),
    deviation(READ_BINDING, "answer /message", HIDDEN_BINDING_SOURCE),
    deviation(DELETE_BINDING, "answer", HIDDEN_BINDING_SOURCE),
    deviation(DELETE_BINDING, "answer /error_code", HIDDEN_BINDING_SOURCE),
    deviation(DELETE_BINDING, "answer /message", HIDDEN_BINDING_SOURCE),
    deviation(
        METRICS_QUERY,
        "answer",
        "docs/reference/metrics.md#queries: an empty answer is both flat and grouped",
    ),
    deviation(
        METRICS_QUERY,
        "answer /meta",
        "docs/reference/metrics.md#queries: answers to grouped queries say where the next page is",
    ),
    deviation(METRICS_QUERY, "answer /error", METRICS_403_SOURCE),
    deviation(
        "GET /v2/metrics/{dataset}/export",
        "answer",
        "docs/reference/metrics.md#limits-and-delay: the body of a 429 names the resource; the document says so in \
         words only",
    ),
    deviation("POST /api/access_tokens", "route", LOGS_SOURCE),
    deviation("POST /logs/v1/search", "route", LOGS_SOURCE),
    deviation("GET /iam/v2/identity-providers", "route", CONFLUENT_CLI_SOURCE),
    deviation("GET /iam/v2/sso/group-mappings", "route", CONFLUENT_CLI_SOURCE),
];

impl Deviation {
    pub(crate) fn covers(&self, problem: &ContractViolation) -> bool {
        // An undocumented path is not split into segments; the table names its route.
        let same_route = || {
            let (method, route) = self.operation.split_once(' ').unwrap_or_default();
            let (asked, path) = problem.operation.split_once(' ').unwrap_or_default();
            method == asked && route_specificity(route, path, &[]).is_some()
        };
        self.aspect == problem.aspect
            && (self.operation == problem.operation || (self.aspect == "route" && same_route()))
    }
}
