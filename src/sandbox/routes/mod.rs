//! The whole API on one screen: every route, the credentials it takes, and its handler, one file per API group.

mod acls;
mod cmk;
mod connect;
mod fixed;
mod iam;
mod kafka;
mod keys;
mod logs;
mod mds;
mod metrics;
mod org;
mod quota;
mod quota_table;
mod roles;
mod session;
mod srcm;

use http::Method;
use percent_encoding::percent_decode_str;

use super::{
    auth::Access,
    reply::{Refusal, Reply},
    request::Request,
    tx::Tx,
};
use crate::api;

/// Answers a request: looks at the state, records changes, and says what comes back.
pub(crate) type Handler = for<'a, 'b, 'c> fn(&'a mut Tx<'b>, &'c Request) -> Result<Reply, Refusal>;

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
}

const fn of(access: Access, method: Method, path: &'static str, handler: Handler) -> Route {
    Route {
        method,
        path,
        access,
        handler,
    }
}

const fn route(method: Method, path: &'static str, handler: Handler) -> Route {
    of(Access::Cloud, method, path, handler)
}

const fn open(method: Method, path: &'static str, handler: Handler) -> Route {
    of(Access::Anonymous, method, path, handler)
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

static ROUTES: &[Route] = &[
    // iam/v2
    route(GET, api::iam::SERVICE_ACCOUNTS, iam::list_accounts),
    route(POST, api::iam::SERVICE_ACCOUNTS, iam::create_account),
    route(GET, api::iam::SERVICE_ACCOUNT, iam::read_account),
    route(PATCH, api::iam::SERVICE_ACCOUNT, iam::update_account),
    route(DELETE, api::iam::SERVICE_ACCOUNT, iam::delete_account),
    route(GET, api::iam::USERS, iam::list_users),
    route(GET, api::iam::USER, iam::read_user),
    route(PATCH, api::iam::USER, fixed::user),
    route(DELETE, api::iam::USER, fixed::user),
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
    route(PATCH, api::org::ORGANIZATION, fixed::organization),
    route(GET, api::org::ENVIRONMENTS, org::list_environments),
    route(POST, api::org::ENVIRONMENTS, fixed::new_environment),
    route(GET, api::org::ENVIRONMENT, org::read_environment),
    route(PATCH, api::org::ENVIRONMENT, fixed::environment),
    route(DELETE, api::org::ENVIRONMENT, fixed::environment),
    // cmk/v2, srcm/v3
    route(GET, api::cmk::CLUSTERS, cmk::list),
    route(POST, api::cmk::CLUSTERS, fixed::new_cluster),
    route(GET, api::cmk::CLUSTER, cmk::read),
    route(PATCH, api::cmk::CLUSTER, fixed::cluster),
    route(DELETE, api::cmk::CLUSTER, fixed::cluster),
    route(GET, api::srcm::REGISTRIES, srcm::list),
    route(GET, api::srcm::REGISTRY, srcm::read),
    // service-quota/v1
    route(GET, api::quota::APPLIED_QUOTAS, quota::list),
    route(GET, api::quota::APPLIED_QUOTA, quota::read),
    route(GET, api::quota::SCOPES, quota::scopes),
    route(GET, api::quota::SCOPE, quota::scope),
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
    of(Access::DataPlane, POST, api::logs::SEARCH, logs::search),
    of(Access::Metrics, POST, api::metrics::QUERY, metrics::query),
    of(Access::Metrics, GET, api::metrics::EXPORT, metrics::export),
    of(
        Access::Metrics,
        GET,
        api::metrics::METRIC_DESCRIPTORS,
        metrics::metric_descriptors,
    ),
    of(
        Access::Metrics,
        GET,
        api::metrics::RESOURCE_DESCRIPTORS,
        metrics::resource_descriptors,
    ),
    // Kafka REST: ACLs
    of(Access::Kafka, GET, api::kafka::ACLS, acls::list),
    of(Access::Kafka, POST, api::kafka::ACLS, acls::create),
    of(Access::Kafka, DELETE, api::kafka::ACLS, acls::delete),
    of(Access::Kafka, POST, api::kafka::ACLS_BATCH, acls::create_all),
    // Kafka REST: topics
    of(Access::Kafka, GET, kafka::TOPICS, kafka::list),
    of(Access::Kafka, POST, kafka::TOPICS, kafka::create),
    of(Access::Kafka, GET, kafka::TOPIC, kafka::read),
    of(Access::Kafka, DELETE, kafka::TOPIC, kafka::delete),
    // What the stock CLI needs for logging in, and for names (dossier `native-cli.md` §5.2)
    open(GET, session::REALM, session::realm),
    open(POST, session::SESSIONS, session::log_in),
    route(DELETE, session::SESSIONS, session::log_out),
    route(GET, session::ME, session::me),
    route(GET, session::FREE_TRIAL, session::free_trial),
    route(POST, session::USAGES, session::usages),
    route(POST, session::ACCESS_TOKENS, session::access_token),
    route(GET, session::SERVICE_ACCOUNTS, session::service_accounts),
    route(GET, session::USERS, session::users),
    route(GET, session::USAGE_LIMITS, session::usage_limits),
    route(GET, roles::ROLES, roles::list),
    route(GET, roles::ROLE, roles::read),
];

/// Every route.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter()
}

/// What a verb and a path lead to.
pub(crate) enum Found {
    /// A route, with the values of its variable parts.
    Route(&'static Route, Vec<String>),
    /// The path exists, with other verbs.
    Method(String),
    /// Nothing.
    Nothing,
}

/// Looks a verb and a path up.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let mut allowed = Vec::new();
    for route in ROUTES {
        if let Some(values) = values(route.path, path) {
            if route.method == *method {
                return Found::Route(route, values);
            }
            allowed.push(route.method.as_str());
        }
    }
    match allowed.is_empty() {
        true => Found::Nothing,
        false => Found::Method(allowed.join(", ")),
    }
}

/// The values of the variable parts, when `path` has the form of `template`.
fn values(template: &str, path: &str) -> Option<Vec<String>> {
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
    fn a_name_with_a_slash_in_it_is_one_part_of_the_path() {
        let path = "/connect/v1/environments/env-1/clusters/lkc-1/connectors/a%2Fb/status";
        let Found::Route(route, values) = find(&Method::GET, path) else {
            panic!("the status of a connector is served");
        };
        assert_eq!(route.path, api::connect::STATUS);
        assert_eq!(values, ["env-1", "lkc-1", "a/b"]);
    }

    #[test]
    fn a_wrong_verb_and_a_wrong_path_are_two_things() {
        assert!(matches!(find(&Method::PUT, "/iam/v2/users"), Found::Method(allowed) if allowed == "GET"));
        assert!(matches!(find(&Method::GET, "/iam/v2"), Found::Nothing));
        assert!(matches!(find(&Method::GET, "/iam/v2/users/"), Found::Nothing));
    }
}
