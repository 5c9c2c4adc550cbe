//! The proof that a department's access is gone.

use std::time::Duration;

use serde::Serialize;

use super::{AclLookup, Reconciliation, observe_organization};
use crate::{
    api::org::ListEnvironments,
    client::{Auth, BasicCredentials, ClientError, CredentialSource},
    error::{Error, ErrorKind},
    model::{ApiKeyId, Department, Secret},
    plan::{self, ResidualAccess, Teardown, find_residual_access, plan_teardown},
    resources::{PROPAGATION_BUDGET, sleep_or_cancel},
    session::RunContext,
    text,
};

/// What is known of a key that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedKeyState {
    /// The service answers it with 401.
    Refused,
    /// The service still takes it.
    StillAccepted,
    /// The lists do not show it any more; nobody here holds its secret to try it.
    Gone,
    /// It could not be tried.
    Inconclusive,
}

/// One key and its proof.
#[derive(Debug, Serialize)]
pub struct RemovedKey {
    pub api_key: ApiKeyId,
    pub state: RemovedKeyState,
}

/// What was proved.
#[derive(Debug, Serialize)]
pub struct RemovalProof {
    /// The keys that were removed, or whose profiles are at hand.
    pub keys: Vec<RemovedKey>,
    /// What is still there of the department.
    pub remaining: Vec<String>,
    /// Who can still do something on the prefix.
    #[serde(flatten)]
    pub residual_access: ResidualAccess,
    /// What was not looked at.
    pub not_observed: Vec<String>,
}

/// Looks again, and tries the keys whose secrets are at hand.
pub async fn prove_removal(
    run: &RunContext,
    reconciliation: &Reconciliation<'_>,
    department: &Department,
    down: &Teardown,
    topics_unseen: Option<&str>,
) -> Result<RemovalProof, Error> {
    let session = reconciliation.session;
    let (again, _) = observe_organization(session, std::slice::from_ref(department), AclLookup::BestEffort).await?;
    let snapshot = &again.snapshot;
    let left = plan_teardown(&reconciliation.plan_input(false), snapshot, department, false);
    let mut still: Vec<String> = left
        .plan
        .changes
        .iter()
        .map(|change| format!("{} {}", change.operation.kind(), change.what))
        .collect();
    still.extend(left.plan.refusals.iter().map(|refusal| refusal.message.clone()));
    let at_hand = reconciliation.profile_store.cloud_keys(&department.code);
    let removed = down.plan.changes.iter().filter_map(|change| match &change.operation {
        plan::PlannedOperation::DeleteKey { id, .. } => Some(id.clone()),
        _ => None,
    });
    let mut ids: Vec<ApiKeyId> = removed.collect();
    ids.extend(at_hand.iter().map(|(id, _)| id.clone()));
    ids.sort();
    ids.dedup();
    let mut keys = Vec::new();
    for id in ids {
        let secret = at_hand.iter().find(|(known, _)| *known == id).map(|(_, secret)| secret);
        let proof = match secret {
            Some(secret) => try_key(run, reconciliation, &id, secret).await,
            None if snapshot.keys.iter().any(|key| key.id == id) => RemovedKeyState::StillAccepted,
            None => RemovedKeyState::Gone,
        };
        keys.push(RemovedKey {
            api_key: id,
            state: proof,
        });
    }
    let mut not_looked_at: Vec<String> = snapshot
        .unknown
        .iter()
        .map(|(what, why)| format!("{what}: {why}"))
        .collect();
    if let Some(reason) = topics_unseen {
        not_looked_at.push(format!("topics of the prefix: {reason}"));
    }
    not_looked_at.push("what is in topics, schemas and consumer groups: none of them was removed".to_owned());
    Ok(RemovalProof {
        keys,
        remaining: still,
        residual_access: find_residual_access(snapshot, department),
        not_observed: not_looked_at,
    })
}

/// Tries a key until it is refused: a removal takes a while to reach everywhere
/// (docs/reference/rbac.md#propagation-delays).
async fn try_key(
    run: &RunContext,
    reconciliation: &Reconciliation<'_>,
    id: &ApiKeyId,
    secret: &Secret,
) -> RemovedKeyState {
    let session = reconciliation.session;
    let client = session.client.with_auth(Auth::Basic(BasicCredentials {
        key: id.to_string(),
        secret: secret.clone(),
        source: CredentialSource::Issued("the proof".to_owned()),
    }));
    let begun = session.clock.now();
    let mut wait = Duration::from_secs(1);
    loop {
        let answered: Result<(), ClientError> = client.list(ListEnvironments).await.map(drop);
        let proof = match answered {
            Err(error) if error.is_unauthorized() => return RemovedKeyState::Refused,
            Ok(()) => RemovedKeyState::StillAccepted,
            Err(_) => RemovedKeyState::Inconclusive,
        };
        if session.clock.elapsed_since(begun) + wait > PROPAGATION_BUDGET
            || !sleep_or_cancel(&session.clock, &run.cancel, wait).await
        {
            return proof;
        }
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}

impl RemovalProof {
    /// What is not as it should be, if anything.
    pub fn to_error(&self, department: &Department, removed_foreign: bool) -> Option<Error> {
        let alive: Vec<&str> = self
            .keys
            .iter()
            .filter(|key| key.state == RemovedKeyState::StillAccepted)
            .map(|key| key.api_key.as_str())
            .collect();
        let mut wrong = Vec::new();
        let mut hints = Vec::new();
        if !alive.is_empty() {
            let noun = if alive.len() == 1 { "API key" } else { "API keys" };
            wrong.push(format!("the service still takes {noun} {}", text::join_quoted(&alive)));
            hints.push("Run the command again in a few minutes: a removal takes a while to reach everywhere.");
        }
        if !self.remaining.is_empty() {
            wrong.push(format!("still there: {}", self.remaining.join("; ")));
            hints.push("Run the command again: it does the rest and nothing twice.");
        }
        if !self.residual_access.others.is_empty() {
            let others: Vec<&str> = self.residual_access.others.iter().map(String::as_str).collect();
            wrong.push(format!(
                "others can still act on names that begin with \"{}\": {}",
                department.prefix,
                others.join("; ")
            ));
            hints.push(match removed_foreign {
                false => "`--remove-foreign` removes what is bound on the prefix alone.",
                true => "What is bound on more than the prefix is about others, too: remove it by hand.",
            });
        }
        (!wrong.is_empty()).then(|| {
            let error = Error::new(ErrorKind::Partial, wrong.join("; "));
            hints.into_iter().fold(error, Error::with_hint)
        })
    }
}
