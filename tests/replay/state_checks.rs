//! Expected state after each command.

use confluent_ebs::{
    api::{keys::ApiKey, mds::RoleBindingObject},
    model::Role,
};
use serde_json::Value;

use crate::{
    common::{JsonAccess as _, SandboxResponse},
    trace_replayer::TraceReplayer,
};

/// Checks the state after the replayed command. Commands are identified by their beginning; an unknown one is an error,
/// so that new recordings get checks.
pub(crate) fn check(replayer: &TraceReplayer, command: &str) {
    let state = ReplayState { replayer };
    let known = CHECKS.iter().find(|(beginning, _)| command.starts_with(beginning));
    let (_, check) = known.unwrap_or_else(|| panic!("no expected state for `{command}`"));
    check(&state, command);
}

type Check = fn(&ReplayState<'_>, &str);

/// Longer beginnings first.
const CHECKS: &[(&str, Check)] = &[
    ("confluent login", |state, _| {
        let me = state.response_body("/api/me");
        assert_eq!(me["user"]["email"], "admin@example.com");
        assert_eq!(
            me["organization"]["resource_id"],
            "11111111-2222-3333-4444-555555555555"
        );
        assert_eq!(me["accounts"][0]["id"], "env-abc123");
    }),
    ("confluent logout", |_, _| {}),
    ("confluent organization list", |state, _| {
        assert_eq!(
            state.response_body("/api/org/v2/organizations")["data"][0]["display_name"],
            "Sandbox Insurance"
        );
    }),
    ("confluent organization describe", |state, _| {
        let id = "11111111-2222-3333-4444-555555555555";
        assert_eq!(
            state.response_body(&format!("/api/org/v2/organizations/{id}"))["id"],
            id
        );
    }),
    ("confluent environment list", |state, _| {
        assert_eq!(
            state.response_body("/api/org/v2/environments")["data"][0]["id"],
            "env-abc123"
        );
    }),
    ("confluent environment ", |state, _| {
        assert_eq!(
            state.response_body("/api/org/v2/environments/env-abc123")["display_name"],
            "prod"
        );
    }),
    ("confluent kafka cluster list", |state, _| {
        assert_eq!(
            state.response_body("/api/cmk/v2/clusters")["data"][0]["id"],
            "lkc-abc123"
        );
    }),
    ("confluent kafka cluster describe", |state, _| {
        let cluster = state.response_body("/api/cmk/v2/clusters/lkc-abc123");
        // The Confluent CLI uses it next, and caches the other one for a week unless it is empty.
        assert_eq!(cluster["spec"]["http_endpoint"], "http://127.0.0.1");
        assert_ne!(cluster["spec"]["kafka_bootstrap_endpoint"], "");
        assert!(state.response_body("/api/access_tokens")["token"].is_string());
        assert!(state.response_body("/kafka/v3/clusters/lkc-abc123/topics")["data"].is_array());
    }),
    ("confluent kafka cluster use", |_, _| {}),
    (
        "confluent iam service-account create claims-operator --description ebs:v1",
        |state, _| {
            assert_eq!(
                state.account_description().as_deref(),
                Some("ebs:v1 dept=claims role=operator")
            );
        },
    ),
    (
        "confluent iam service-account create claims-operator --description x",
        |state, _| {
            // 409: the existing account is unchanged, and the Confluent CLI replaces this message by its own.
            assert_eq!(
                state.account_description().as_deref(),
                Some("ebs:v1 dept=claims role=operator")
            );
            let (_, answer) = &state.replayer.responses[0];
            assert!(answer.first_error().1.contains("already in use"));
        },
    ),
    ("confluent iam service-account list", |state, _| {
        let names: Vec<_> = state
            .list_items("/api/iam/v2/service-accounts")
            .iter()
            .map(|found| &found["display_name"])
            .collect();
        assert!(names.iter().any(|name| *name == "claims-operator"));
        assert!(names.iter().any(|name| *name == "ebs-provisioner"));
    }),
    ("confluent iam service-account describe sa-nope99", |state, _| {
        assert_eq!(
            state.replayer.responses[0].1.first_error().0,
            "service_account_not_found"
        );
    }),
    ("confluent iam service-account describe", |state, _| {
        assert_eq!(state.replayer.responses[0].1.json()["display_name"], "claims-operator");
    }),
    ("confluent iam service-account update", |state, _| {
        assert_eq!(state.account_description().as_deref(), Some("y"));
    }),
    ("confluent iam service-account delete", |state, _| {
        assert_eq!(state.account_description(), None);
        // Its keys and bindings were deleted with it; the administrator's own key from `api-key create` remains.
        assert!(state.account_bindings().is_empty());
        assert_eq!(state.count_account_keys(), 0);
    }),
    ("confluent iam rbac role-binding create", |state, command| {
        let role = flag_value(command, "--role");
        let bound = state.account_bindings();
        let resource = flag_value(command, "--resource").map(|resource| resource.split_once(':').unwrap().1);
        let found = bound.iter().any(|(held, pattern)| {
            let at = match resource {
                Some("sa-a5b1d7") => pattern.contains("/service-account="),
                Some(name) => pattern.ends_with(&format!("={name}*")),
                None => !pattern.contains('*'),
            };
            Some(held.as_str()) == role && at
        });
        assert!(found, "{command}: {bound:?}");
    }),
    ("confluent iam rbac role-binding delete", |state, _| {
        let bound = state.account_bindings();
        assert!(!bound.iter().any(|(role, _)| *role == Role::ConnectManager));
        assert_eq!(bound.len(), 8);
    }),
    // Bindings on the organization itself, without those of lower scopes.
    (
        "confluent iam rbac role-binding list --principal User:sa-a5b1d7 --inclusive",
        |state, _| {
            assert_eq!(state.list_items("/api/iam/v2/role-bindings").len(), 8);
        },
    ),
    (
        "confluent iam rbac role-binding list --principal User:sa-a5b1d7",
        |state, _| {
            assert_eq!(
                state.list_items("/api/iam/v2/role-bindings")[0]["role_name"],
                "OrganizationAdmin"
            );
            assert_eq!(state.list_items("/api/iam/v2/users")[0]["email"], "admin@example.com");
        },
    ),
    ("confluent iam rbac role-binding list --current-user", |state, _| {
        assert_eq!(
            state.list_items("/api/iam/v2/role-bindings")[0]["role_name"],
            "OrganizationAdmin"
        );
    }),
    (
        "confluent iam rbac role-binding list --role ConnectManager",
        |state, _| {
            // The binding is on the prefix, the query is for one name.
            assert!(state.list_items("/api/iam/v2/role-bindings").is_empty());
            assert!(state.list_items("/api/iam/v2/identity-providers").is_empty());
        },
    ),
    ("confluent iam rbac role list", |state, _| {
        let roles = state.response_body("/api/metadata/security/v2alpha1/roles");
        assert!(roles.as_array().is_some());
    }),
    ("confluent iam rbac role describe ConnectManager", |state, _| {
        let role = state.response_body("/api/metadata/security/v2alpha1/roles/ConnectManager");
        assert_eq!(role["name"], "ConnectManager");
    }),
    ("confluent iam user list", |state, _| {
        assert_eq!(state.list_items("/api/iam/v2/users").len(), 1);
    }),
    ("confluent api-key create", |state, command| {
        let (_, made) = state
            .replayer
            .responses
            .iter()
            .find(|(path, _)| path == "/api/iam/v2/api-keys")
            .unwrap();
        let id = made.string_at("/id").parse().unwrap();
        assert!(
            state
                .replayer
                .api
                .sandbox
                .secret_matches(&id, &made.string_at("/spec/secret"))
                .unwrap()
        );
        assert_eq!(
            Some(made.string_at("/spec/resource/id").as_str()),
            flag_value(command, "--resource")
        );
        assert_eq!(
            made.string_at("/spec/owner/kind") == "User",
            flag_value(command, "--service-account").is_none()
        );
    }),
    ("confluent api-key list", |state, command| {
        let keys = state.list_items("/api/iam/v2/api-keys");
        let owned = flag_value(command, "--service-account").is_some();
        let cloud = flag_value(command, "--resource").is_some();
        // Two of the account, one of the administrator, and the seeded ones and those of the unauthorized callers.
        assert_eq!(
            keys.len(),
            if owned {
                2
            } else if cloud {
                6
            } else {
                9
            }
        );
        // The older lists return the names of owners.
        let people = state.response_body("/api/users");
        assert_eq!(people["users"][0]["email"], "admin@example.com");
        let accounts = state.response_body("/api/service_accounts").items("/users");
        for key in keys {
            let owner = &key["spec"]["owner"]["id"];
            let named = accounts.iter().any(|account| account["resource_id"] == *owner);
            assert!(named || people["users"][0]["resource_id"] == *owner);
        }
    }),
    ("confluent api-key describe", |state, _| {
        assert!(state.replayer.responses[0].1.json()["spec"].get("secret").is_none());
    }),
    ("confluent api-key update", |state, _| {
        let keys = state.replayer.api.sandbox.keys().unwrap();
        assert_eq!(keys.iter().filter(|key| key.spec.description == "e").count(), 1);
    }),
    ("confluent api-key delete", |state, _| {
        let keys = state.replayer.api.sandbox.keys().unwrap();
        assert!(keys.iter().all(|key| key.spec.description != "e"));
    }),
    ("confluent service-quota list organization", |state, _| {
        let quotas = state.list_items("/api/service-quota/v1/applied-quotas");
        assert_eq!(quotas.len(), 10, "the Confluent CLI does not change the page size");
    }),
    ("confluent service-quota list environment", |state, _| {
        let quotas = state.list_items("/api/service-quota/v1/applied-quotas");
        assert!(quotas.iter().all(|quota| quota["environment"]["id"] == "env-abc123"));
        assert_eq!(quotas.len(), 3);
    }),
    ("confluent service-quota list kafka_cluster", |state, _| {
        let quotas = state.list_items("/api/service-quota/v1/applied-quotas");
        let keys = quotas
            .iter()
            .find(|quota| quota["id"] == "kafka.max_api_keys.per_cluster")
            .unwrap();
        assert_eq!(keys["applied_limit"], 100, "a Standard cluster");
        assert!(keys["usage"].as_i64() > Some(0));
    }),
    ("terraform plan again", check_applied),
    ("terraform plan", |state, _| {
        assert_eq!(state.account_description(), None);
    }),
    ("terraform apply", check_applied),
    ("terraform destroy", |state, _| {
        assert_eq!(state.account_description(), None);
        assert_eq!(state.count_account_keys(), 0);
    }),
];

/// Resources of the configuration: an account, a binding, a key.
fn check_applied(state: &ReplayState<'_>, _: &str) {
    assert_eq!(state.account_description().as_deref(), Some("claims operator"));
    let bound = state.account_bindings();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].0, Role::ConnectManager);
    assert!(bound[0].1.ends_with("/cloud-cluster=lkc-abc123/connector=claims-*"));
    assert_eq!(state.count_account_keys(), 1);
}

/// The value of a flag.
fn flag_value<'a>(command: &'a str, flag: &str) -> Option<&'a str> {
    let mut words = command.split(' ');
    words.find(|word| *word == flag)?;
    words.next()
}

struct ReplayState<'a> {
    replayer: &'a TraceReplayer,
}

impl ReplayState<'_> {
    fn response_body(&self, path: &str) -> &Value {
        let found: Option<&(String, SandboxResponse)> = self.replayer.responses.iter().find(|(asked, _)| asked == path);
        found.unwrap_or_else(|| panic!("no request for {path}")).1.json()
    }

    fn list_items(&self, path: &str) -> &[Value] {
        self.response_body(path).items("/data")
    }

    /// Description of the account that the recordings create.
    fn account_description(&self) -> Option<String> {
        let all = self.replayer.api.sandbox.accounts().unwrap();
        let mut named = all
            .into_iter()
            .filter(|account| account.display_name == "claims-operator");
        let description = named.next().map(|account| account.description);
        assert!(named.next().is_none());
        description
    }

    fn account_id(&self) -> Option<String> {
        let all = self.replayer.api.sandbox.accounts().unwrap();
        let mut named = all
            .into_iter()
            .filter(|account| account.display_name == "claims-operator");
        named.next().map(|account| account.id.to_string())
    }

    fn account_bindings(&self) -> Vec<(Role, String)> {
        let id = self.account_id();
        let all = self.replayer.api.sandbox.bindings().unwrap().into_iter();
        let theirs = |found: &RoleBindingObject| {
            if let Some(id) = &id {
                return found.binding.principal.id() == id;
            }
            // After its deletion, only the initial state may remain.
            let seeded = [Role::CloudClusterAdmin, Role::OrganizationAdmin, Role::ResourceOwner];
            !seeded.contains(&found.binding.role) && !found.binding.pattern.to_string().contains("fraud-")
        };
        all.filter(theirs)
            .map(|found| (found.binding.role, found.binding.pattern.to_string()))
            .collect()
    }

    fn count_account_keys(&self) -> usize {
        let id = self.account_id();
        let keys = self.replayer.api.sandbox.keys().unwrap();
        let accounts = self.replayer.api.sandbox.accounts().unwrap();
        let theirs = |key: &&ApiKey| {
            let owner = &key.spec.owner.id;
            if let Some(id) = &id {
                return owner == id;
            }
            owner.starts_with("sa-") && !accounts.iter().any(|account| account.id.as_str() == owner)
        };
        keys.iter().filter(theirs).count()
    }
}
