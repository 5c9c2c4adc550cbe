//! Callers that must not: each tries every recorded request before the administrator sends it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    harness::{Answer, Harness, Login},
    trace::Recorded,
};

pub(crate) struct Outsiders {
    /// Nobody, a wrong secret, a key that does not exist, a revoked key, a key of another kind: 401 always.
    unknown: Vec<Login>,
    /// A key whose account holds no role, and one of another department.
    powerless: Login,
    foreign: Login,
    /// What they have themselves.
    own: BTreeSet<String>,
}

/// What every valid key may ask: the organization's own places cut to what it sees, itself, role definitions and tokens.
const OPEN: [&str; 9] = [
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

impl Outsiders {
    pub(crate) async fn new(world: &Harness) -> Self {
        let powerless_account = world.account("powerless").await;
        let powerless = world.make_key(&powerless_account, "cloud").await;
        let foreign_account = world.account("fraud-operator").await;
        let pattern = format!("{}/connector=fraud-*", world.cluster_crn());
        world.bind(&foreign_account, "ConnectManager", &pattern).await;
        let foreign = world.make_key(&foreign_account, "cloud").await;
        let revoked = world.make_key(&foreign_account, "cloud").await;
        let kafka = world.make_key(&foreign_account, "lkc-abc123").await;
        let Login::Key(revoked_id, _) = &revoked else {
            unreachable!()
        };
        let path = format!("/iam/v2/api-keys/{revoked_id}");
        world.delete(&world.admin, &path).await.expect(204);
        let Login::Key(admin, _) = &world.admin else {
            unreachable!()
        };
        let unknown = vec![
            Login::Nobody,
            Login::key(admin, "cfltwrong"),
            Login::key("ABCDEFGHIJKLMNOP", "cfltwrong"),
            Login::Bearer("a.b.c".into()),
            revoked,
            kafka,
        ];
        Self {
            unknown,
            powerless,
            foreign,
            own: everything(world),
        }
    }

    /// Sends a recorded request as everybody who must not.
    pub(crate) async fn try_the_same(&self, world: &Harness, recorded: &Recorded, target: &str, body: Option<&Value>) {
        let before = everything(world);
        let send = async |login: &Login| world.send(login, &recorded.method, target, body.cloned()).await;
        for login in &self.unknown {
            let answer = send(login).await;
            // Kafka REST takes the Kafka key.
            let kafka = recorded.path.starts_with("/kafka/") && answer.status == 200;
            assert!(kafka || answer.status == 401, "{login:?}: {target}: {}", answer.status);
        }
        let path = recorded.path.strip_prefix("/api").unwrap_or(&recorded.path);
        let open = OPEN
            .iter()
            .any(|open| path == *open || path.starts_with(&format!("{open}/")));
        for (who, login) in [("powerless", &self.powerless), ("foreign", &self.foreign)] {
            let answer = send(login).await;
            let what = format!(
                "{who}: {} {target}: {}: {:?}",
                recorded.method, answer.status, answer.body
            );
            if who == "powerless" && !open && !path.starts_with("/kafka/") {
                assert_eq!(answer.status, 403, "{what}");
            }
            // A validation shows the caller what it has sent itself.
            let echo = path.ends_with("/config/validate");
            assert!(echo || nothing_of_others(&answer), "{what}");
        }
        assert_eq!(everything(world), before, "{target}: an outsider has changed something");
    }

    /// The things of the outsiders are as they were, and nothing of theirs is left behind.
    pub(crate) fn check_nothing_was_done(&self, world: &Harness) {
        assert!(self.own.is_subset(&everything(world)));
    }
}

/// Accounts, bindings, keys and the names of connectors as text.
fn everything(world: &Harness) -> BTreeSet<String> {
    let accounts = world.sandbox.accounts().unwrap().into_iter().map(|found| json!(found));
    let bindings = world.sandbox.bindings().unwrap().into_iter().map(|found| json!(found));
    let keys = world.sandbox.keys().unwrap().into_iter().map(|found| json!(found));
    let connectors = world.sandbox.connectors().unwrap().into_iter().map(|name| json!(name));
    accounts
        .chain(bindings)
        .chain(keys)
        .chain(connectors)
        .map(|object| object.to_string())
        .collect()
}

/// The names in the recordings are the other department's.
fn nothing_of_others(answer: &Answer) -> bool {
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
