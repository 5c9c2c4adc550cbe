//! Route table: all routes with their credentials and handlers, which are in one module per API group.

mod acls;
mod client_quotas;
mod cmk;
mod connect;
mod read_only;
mod iam;
mod kafka;
mod keys;
mod logs;
mod mds;
mod metrics;
mod org;
mod quota;
mod quota_defaults;
mod roles;
mod login;
mod srcm;

use http::Method;
use percent_encoding::percent_decode_str;

use super::{
    auth::RouteAuth,
    reply::{ErrorReply, Reply},
    request::ApiRequest,
    tx::Tx,
};
use crate::api;

/// Request handler: reads the state, records changes and returns the response.
pub(crate) type Handler = for<'a, 'b, 'c> fn(&'a mut Tx<'b>, &'c ApiRequest) -> Result<Reply, ErrorReply>;

/// Route of the sandbox.
pub(crate) struct ApiRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) auth: RouteAuth,
    pub(crate) handler: Handler,
}

const fn route_with_auth(access: RouteAuth, method: Method, path: &'static str, handler: Handler) -> ApiRoute {
    ApiRoute {
        method,
        path,
        auth: access,
        handler,
    }
}

const fn route(method: Method, path: &'static str, handler: Handler) -> ApiRoute {
    route_with_auth(RouteAuth::Cloud, method, path, handler)
}

const fn anonymous_route(method: Method, path: &'static str, handler: Handler) -> ApiRoute {
    route_with_auth(RouteAuth::Anonymous, method, path, handler)
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

static ROUTES: &[ApiRoute] = &[
    // iam/v2
    route(GET, api::iam::SERVICE_ACCOUNTS, iam::list_accounts),
    route(POST, api::iam::SERVICE_ACCOUNTS, iam::create_account),
    route(GET, api::iam::SERVICE_ACCOUNT, iam::read_account),
    route(PATCH, api::iam::SERVICE_ACCOUNT, iam::update_account),
    route(DELETE, api::iam::SERVICE_ACCOUNT, iam::delete_account),
    route(GET, api::iam::USERS, iam::list_users),
    route(GET, api::iam::USER, iam::read_user),
    route(PATCH, api::iam::USER, read_only::user),
    route(DELETE, api::iam::USER, read_only::user),
    route(GET, api::iam::IDENTITY_PROVIDERS, iam::no_identity_providers),
    route(GET, api::iam::GROUP_MAPPINGS, iam::no_group_mappings),
    // apikeys/v2
    route(GET, api::keys::API_KEYS, keys::list),
    route(POST, api::keys::API_KEYS, keys::create),
    route(GET, api::keys::API_KEY, keys::read),
    route(PATCH, api::keys::API_KEY, keys::update),
    route(DELETE, api::keys::API_KEY, keys::delete),
    // mds/v2
    route(GET, api::mds::ROLE_BINDINGS, mds::list),
    route(POST, api::mds::ROLE_BINDINGS, mds::create),
    route(GET, api::mds::ROLE_BINDING, mds::read),
    route(DELETE, api::mds::ROLE_BINDING, mds::delete),
    // org/v2
    route(GET, api::org::ORGANIZATIONS, org::list_organizations),
    route(GET, api::org::ORGANIZATION, org::read_organization),
    route(PATCH, api::org::ORGANIZATION, read_only::organization),
    route(GET, api::org::ENVIRONMENTS, org::list_environments),
    route(POST, api::org::ENVIRONMENTS, read_only::new_environment),
    route(GET, api::org::ENVIRONMENT, org::read_environment),
    route(PATCH, api::org::ENVIRONMENT, read_only::environment),
    route(DELETE, api::org::ENVIRONMENT, read_only::environment),
    // cmk/v2, srcm/v3
    route(GET, api::cmk::CLUSTERS, cmk::list),
    route(POST, api::cmk::CLUSTERS, read_only::new_cluster),
    route(GET, api::cmk::CLUSTER, cmk::read),
    route(PATCH, api::cmk::CLUSTER, read_only::cluster),
    route(DELETE, api::cmk::CLUSTER, read_only::cluster),
    route(GET, api::srcm::REGISTRIES, srcm::list),
    route(GET, api::srcm::REGISTRY, srcm::read),
    // service-quota/v1
    route(GET, api::quota::APPLIED_QUOTAS, quota::list),
    route(GET, api::quota::APPLIED_QUOTA, quota::read),
    route(GET, api::quota::SCOPES, quota::scopes),
    route(GET, api::quota::SCOPE, quota::scope),
    // kafka-quotas/v1
    route(GET, api::kafka_quotas::CLIENT_QUOTAS, client_quotas::list),
    route(POST, api::kafka_quotas::CLIENT_QUOTAS, client_quotas::create),
    route(GET, api::kafka_quotas::CLIENT_QUOTA, client_quotas::read),
    route(PATCH, api::kafka_quotas::CLIENT_QUOTA, client_quotas::update),
    route(DELETE, api::kafka_quotas::CLIENT_QUOTA, client_quotas::delete),
    // connect/v1
    route(GET, api::connect::CONNECTORS, connect::connectors::list),
    route(POST, api::connect::CONNECTORS, connect::connectors::create),
    route(GET, api::connect::CONNECTOR, connect::connectors::read),
    route(DELETE, api::connect::CONNECTOR, connect::connectors::delete),
    route(GET, api::connect::CONFIG, connect::connectors::config),
    route(PUT, api::connect::CONFIG, connect::connectors::put),
    route(PUT, api::connect::PAUSE, connect::lifecycle::pause),
    route(PUT, api::connect::RESUME, connect::lifecycle::resume),
    route(POST, api::connect::RESTART, connect::lifecycle::restart),
    route(GET, api::connect::STATUS, connect::status::status),
    route(GET, api::connect::TASKS, connect::status::tasks),
    route(GET, api::connect::RECOMMENDATIONS, connect::status::recommendations),
    route(GET, api::connect::OFFSETS, connect::offsets::read),
    route(POST, api::connect::OFFSETS_REQUEST, connect::offsets::alter),
    route(GET, api::connect::OFFSETS_STATUS, connect::offsets::request_status),
    route(GET, api::connect::PLUGINS, connect::plugins::list),
    route(PUT, api::connect::VALIDATE, connect::plugins::validate),
    // Logs and metrics
    route_with_auth(RouteAuth::DataPlane, POST, api::logs::SEARCH, logs::search),
    route_with_auth(RouteAuth::Metrics, POST, api::metrics::QUERY, metrics::query),
    route_with_auth(RouteAuth::Metrics, GET, api::metrics::EXPORT, metrics::export),
    route_with_auth(
        RouteAuth::Metrics,
        GET,
        api::metrics::METRIC_DESCRIPTORS,
        metrics::metric_descriptors,
    ),
    route_with_auth(
        RouteAuth::Metrics,
        GET,
        api::metrics::RESOURCE_DESCRIPTORS,
        metrics::resource_descriptors,
    ),
    // Kafka REST: ACLs
    route_with_auth(RouteAuth::Kafka, GET, api::kafka::ACLS, acls::list),
    route_with_auth(RouteAuth::Kafka, POST, api::kafka::ACLS, acls::create),
    route_with_auth(RouteAuth::Kafka, DELETE, api::kafka::ACLS, acls::delete),
    route_with_auth(RouteAuth::Kafka, POST, api::kafka::ACLS_BATCH, acls::create_all),
    // Kafka REST: topics
    route_with_auth(RouteAuth::Kafka, GET, kafka::TOPICS, kafka::list),
    route_with_auth(RouteAuth::Kafka, POST, kafka::TOPICS, kafka::create),
    route_with_auth(RouteAuth::Kafka, GET, kafka::TOPIC, kafka::read),
    route_with_auth(RouteAuth::Kafka, DELETE, kafka::TOPIC, kafka::delete),
    // Endpoints for the login of the Confluent CLI and for names (docs/reference/cli.md#login-requests)
    anonymous_route(GET, login::REALM, login::login_realm),
    anonymous_route(POST, login::SESSIONS, login::log_in),
    route(DELETE, login::SESSIONS, login::log_out),
    route(GET, login::ME, login::current_user),
    route(GET, login::FREE_TRIAL, login::free_trial),
    route(POST, login::USAGES, login::usages),
    route(POST, login::ACCESS_TOKENS, login::access_token),
    route(GET, login::SERVICE_ACCOUNTS, login::service_accounts),
    route(GET, login::USERS, login::users),
    route(GET, login::USAGE_LIMITS, login::usage_limits),
    route(GET, roles::ROLES, roles::list),
    route(GET, roles::ROLE, roles::read),
];

/// Returns all routes.
pub(crate) fn all_routes() -> impl Iterator<Item = &'static ApiRoute> {
    ROUTES.iter()
}

/// Result of a route lookup.
pub(crate) enum RouteMatch {
    /// Matching route, with the values of its placeholders.
    Route(&'static ApiRoute, Vec<String>),
    /// The path exists with other methods only; contains these methods.
    WrongMethod(String),
    /// No route has this path.
    NotFound,
}

/// Returns the route for a method and a path.
pub(crate) fn match_route(method: &Method, path: &str) -> RouteMatch {
    let mut allowed = Vec::new();
    for route in ROUTES {
        if let Some(values) = match_path(route.path, path) {
            if route.method == *method {
                return RouteMatch::Route(route, values);
            }
            allowed.push(route.method.as_str());
        }
    }
    match allowed.is_empty() {
        true => RouteMatch::NotFound,
        false => RouteMatch::WrongMethod(allowed.join(", ")),
    }
}

/// Returns the values of the placeholders if `path` matches `template`.
fn match_path(template: &str, path: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut parts = path.split('/');
    for expected in template.split('/') {
        let part = parts.next()?;
        if expected.starts_with('{') {
            let value = percent_decode_str(part).decode_utf8().ok()?;
            (!value.is_empty()).then_some(())?;
            values.push(value.into_owned());
        } else if expected != part {
            return None;
        }
    }
    parts.next().is_none().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_an_encoded_slash_is_one_path_segment() {
        let path = "/connect/v1/environments/env-1/clusters/lkc-1/connectors/a%2Fb/status";
        let RouteMatch::Route(route, values) = match_route(&Method::GET, path) else {
            panic!("the status of a connector is served");
        };
        assert_eq!(route.path, api::connect::STATUS);
        assert_eq!(values, ["env-1", "lkc-1", "a/b"]);
    }

    #[test]
    fn a_wrong_method_and_an_unknown_path_are_distinguished() {
        assert!(
            matches!(match_route(&Method::PUT, "/iam/v2/users"), RouteMatch::WrongMethod(allowed) if allowed == "GET")
        );
        assert!(matches!(match_route(&Method::GET, "/iam/v2"), RouteMatch::NotFound));
        assert!(matches!(
            match_route(&Method::GET, "/iam/v2/users/"),
            RouteMatch::NotFound
        ));
    }
}
