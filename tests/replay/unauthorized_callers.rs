//! Unauthorized callers: each sends every recorded request before the administrator does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    common::{Caller, SandboxResponse, SandboxServer},
    trace::RecordedRequest,
};

pub(crate) struct UnauthorizedCallers {
    /// No credentials, a wrong secret, an unknown key, a revoked key, a key of another kind: always 401.
    unauthenticated: Vec<Caller>,
    /// A key whose account has no role, and one of another department.
    powerless: Caller,
    other_department: Caller,
    /// Their own objects.
    own_objects: BTreeSet<String>,
}

/// Requests that every valid key may send: the organization, environments and clusters filtered by access, the caller
/// itself, role definitions and tokens.
const PATHS_FOR_EVERY_KEY: [&str; 9] = [
    "/org/v2/organizations",
    "/org/v2/environments",
    "/iam/v2/api-keys",
    "/metadata/security/v2alpha1/roles",
    "/me",
    "/growth/v1/free-trial-info",
    "/cli/v1/usages",
    "/access_tokens",
    "/sessions",
];

impl UnauthorizedCallers {
    pub(crate) async fn new(api: &SandboxServer) -> Self {
        let powerless_account = api.create_account("powerless").await;
        let powerless = api.create_key(&powerless_account, "cloud").await;
        let foreign_account = api.create_account("fraud-operator").await;
        let pattern = format!("{}/connector=fraud-*", api.cluster_crn());
        api.bind(&foreign_account, "ConnectManager", &pattern).await;
        let foreign = api.create_key(&foreign_account, "cloud").await;
        let revoked = api.create_key(&foreign_account, "cloud").await;
        let kafka = api.create_key(&foreign_account, "lkc-abc123").await;
        let Caller::ApiKey(revoked_id, _) = &revoked else {
            unreachable!()
        };
        let path = format!("/iam/v2/api-keys/{revoked_id}");
        api.delete(&api.admin, &path).await.expect_status(204);
        let Caller::ApiKey(admin, _) = &api.admin else {
            unreachable!()
        };
        let unknown = vec![
            Caller::Anonymous,
            Caller::api_key(admin, "cfltwrong"),
            Caller::api_key("ABCDEFGHIJKLMNOP", "cfltwrong"),
            Caller::Bearer("a.b.c".into()),
            revoked,
            kafka,
        ];
        Self {
            unauthenticated: unknown,
            powerless,
            other_department: foreign,
            own_objects: api.object_texts(),
        }
    }

    /// Sends a recorded request as all unauthorized callers.
    pub(crate) async fn assert_refused(
        &self,
        api: &SandboxServer,
        recorded: &RecordedRequest,
        target: &str,
        body: Option<&Value>,
    ) {
        let before = api.object_texts();
        let send = async |login: &Caller| api.send(login, &recorded.method, target, body.cloned()).await;
        for login in &self.unauthenticated {
            let answer = send(login).await;
            // Kafka REST accepts the Kafka key.
            let kafka = recorded.path.starts_with("/kafka/") && answer.status == 200;
            assert!(kafka || answer.status == 401, "{login:?}: {target}: {}", answer.status);
        }
        let path = recorded.path.strip_prefix("/api").unwrap_or(&recorded.path);
        let open = PATHS_FOR_EVERY_KEY
            .iter()
            .any(|open| path == *open || path.starts_with(&format!("{open}/")));
        for (who, login) in [("powerless", &self.powerless), ("foreign", &self.other_department)] {
            let answer = send(login).await;
            let what = format!(
                "{who}: {} {target}: {}: {:?}",
                recorded.method, answer.status, answer.body
            );
            if who == "powerless" && !open && !path.starts_with("/kafka/") {
                assert_eq!(answer.status, 403, "{what}");
            }
            // A validation returns what the caller has sent.
            let echo = path.ends_with("/config/validate");
            assert!(echo || contains_nothing_foreign(&answer), "{what}");
        }
        assert_eq!(
            api.object_texts(),
            before,
            "{target}: an outsider has changed something"
        );
    }

    /// The objects of the unauthorized callers are unchanged, and they created none.
    pub(crate) fn assert_own_objects_unchanged(&self, api: &SandboxServer) {
        assert!(self.own_objects.is_subset(&api.object_texts()));
    }
}

/// The names in the recordings belong to the other department.
fn contains_nothing_foreign(answer: &SandboxResponse) -> bool {
    let mut body = answer.body.clone().unwrap_or_default();
    if answer.status.is_client_error() {
        return true;
    }
    if let Some(list) = body.as_object_mut() {
        list.remove("metadata");
    }
    let text = body.to_string();
    !["claims", "ebs-provisioner", "admin@example.com"]
        .iter()
        .any(|name| text.contains(name))
}
