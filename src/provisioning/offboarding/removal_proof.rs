//! Proof that an offboarded department has no access: its API keys are rejected, and nothing of it remains.

use std::ops::ControlFlow;

use futures_util::future::join_all;
use serde::Serialize;

use crate::{
    api::org::ListEnvironments,
    apply::{EventListener, RunEvent},
    client::{Auth, BasicCredentials, CredentialSource},
    error::{Error, ErrorKind},
    hint::Hint,
    model::{ApiKeyId, Department, Prefix, Secret},
    plan::{self, ResidualAccess, Teardown, find_residual_access, plan_teardown},
    provisioning::{AclLookup, Reconciliation, observe_organization},
    resources::{PROPAGATION_BUDGET, poll},
    session::RunContext,
    text,
};

/// State of a deleted API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedKeyState {
    /// The service rejects the key with 401.
    Refused,
    /// The service still accepts or lists the key.
    StillAccepted,
    /// The key is no longer listed. It was not tested, because no stored profile contains its secret.
    Gone,
    /// The test was inconclusive.
    Inconclusive,
}

/// Deleted API key and its state.
#[derive(Debug, Serialize)]
pub struct RemovedKey {
    /// Id of the API key, without its secret.
    pub api_key: ApiKeyId,
    /// State of the key.
    pub state: RemovedKeyState,
}

/// Proof of a removal.
#[derive(Debug, Serialize)]
pub struct RemovalProof {
    /// Keys that the run deleted or that a stored profile contains.
    pub keys: Vec<RemovedKey>,
    /// Remaining resources of the department.
    pub remaining: Vec<String>,
    /// Principals that still have access to the prefix.
    #[serde(flatten)]
    pub residual_access: ResidualAccess,
    /// Data outside the proof, each with the reason.
    pub not_observed: Vec<String>,
}

/// Observes the organization again, and tests the keys whose secrets are in stored profiles. `topics_unknown` is the
/// reason why the topics could not be listed.
pub(super) async fn prove_removal(
    run: &RunContext,
    reconciliation: &Reconciliation<'_>,
    department: &Department,
    down: &Teardown,
    topics_unknown: Option<&str>,
) -> Result<RemovalProof, Error> {
    let session = reconciliation.session;
    let (observed, _) = observe_organization(session, std::slice::from_ref(department), AclLookup::BestEffort).await?;
    let snapshot = &observed.snapshot;
    let teardown = plan_teardown(&reconciliation.plan_input(false), snapshot, department, false);
    let mut remaining: Vec<String> = teardown
        .plan
        .changes
        .iter()
        .map(|change| format!("{} {}", change.operation.kind(), change.what))
        .collect();
    remaining.extend(teardown.plan.refusals.iter().map(|refusal| refusal.message.clone()));
    let stored = reconciliation
        .profile_store
        .cloud_keys(&department.code, &session.stage_name);
    let removed = down.plan.changes.iter().filter_map(|change| match &change.operation {
        plan::PlannedOperation::DeleteKey { id, .. } => Some(id.clone()),
        _ => None,
    });
    let mut ids: Vec<ApiKeyId> = removed.collect();
    ids.extend(stored.iter().map(|(id, _)| id.clone()));
    ids.sort();
    ids.dedup();
    let progress = run.reporter.start_progress();
    progress.on_event(&RunEvent::Phase {
        name: "Prove",
        total: ids.len(),
    });
    // All keys are tested at the same time, so that the propagation of their deletions is waited for once.
    let keys = join_all(ids.into_iter().map(async |id| {
        let secret = stored.iter().find(|(known, _)| *known == id).map(|(_, secret)| secret);
        let state = match secret {
            Some(secret) => test_key(run, reconciliation, &*progress, &id, secret).await,
            None if snapshot.keys.iter().any(|key| key.id == id) => RemovedKeyState::StillAccepted,
            None => RemovedKeyState::Gone,
        };
        RemovedKey { api_key: id, state }
    }))
    .await;
    let mut not_observed: Vec<String> = snapshot
        .unknown
        .iter()
        .map(|(what, why)| format!("{what}: {why}"))
        .collect();
    if let Some(reason) = topics_unknown {
        not_observed.push(format!("topics with the prefix: {reason}"));
    }
    not_observed.push("contents of topics, schemas and consumer groups: offboarding keeps them".to_owned());
    Ok(RemovalProof {
        keys,
        remaining,
        residual_access: find_residual_access(snapshot, department),
        not_observed,
    })
}

/// Tests a key until the service rejects it or the propagation budget is used up
/// (docs/reference/rbac.md#propagation-delays).
async fn test_key(
    run: &RunContext,
    reconciliation: &Reconciliation<'_>,
    progress: &dyn EventListener,
    id: &ApiKeyId,
    secret: &Secret,
) -> RemovedKeyState {
    let label = format!("test deleted API key {id}");
    progress.on_event(&RunEvent::Started {
        label: label.clone(),
        department: None,
    });
    let session = reconciliation.session;
    let client = session.client.with_auth(Auth::Basic(BasicCredentials {
        key: id.to_string(),
        secret: secret.clone(),
        source: CredentialSource::Issued("the removal proof".to_owned()),
    }));
    let attempt = || async {
        match client.list(ListEnvironments).await {
            Err(error) if error.is_unauthorized() => ControlFlow::Break(RemovedKeyState::Refused),
            Ok(_) => ControlFlow::Continue(RemovedKeyState::StillAccepted),
            Err(_) => ControlFlow::Continue(RemovedKeyState::Inconclusive),
        }
    };
    let polled = poll(&session.clock, &run.cancel, PROPAGATION_BUDGET, attempt).await;
    progress.on_event(&RunEvent::Done {
        label,
        department: None,
    });
    polled.unwrap_or_else(|end| end.last)
}

impl RemovalProof {
    /// Returns an error if the department still has access, or if others have access to its prefix. The hint on others
    /// depends on whether the run removed their grants (`removed_foreign`).
    pub(super) fn to_error(&self, prefix: &Prefix, removed_foreign: bool) -> Option<Error> {
        let alive: Vec<&str> = self
            .keys
            .iter()
            .filter(|key| key.state == RemovedKeyState::StillAccepted)
            .map(|key| key.api_key.as_str())
            .collect();
        let mut problems = Vec::new();
        let mut hints = Vec::new();
        if !alive.is_empty() {
            let noun = if alive.len() == 1 { "API key" } else { "API keys" };
            problems.push(format!("the service still accepts {noun} {}", text::join_code(&alive)));
            hints.push(Hint::new(
                "Re-run the command in a few minutes, when the deletion has propagated.",
            ));
        }
        if !self.remaining.is_empty() {
            problems.push(format!("not removed: {}", self.remaining.join("; ")));
            hints.push(Hint::rerun());
        }
        if !self.residual_access.others.is_empty() {
            let others: Vec<&str> = self.residual_access.others.iter().map(String::as_str).collect();
            problems.push(format!(
                "others still have access to the prefix `{prefix}`: {}",
                others.join("; ")
            ));
            hints.push(Hint::new(if removed_foreign {
                "Remove the remaining grants by hand: they also cover names outside the prefix."
            } else {
                "Pass `--remove-foreign` to remove grants that cover only the prefix."
            }));
        }
        (!problems.is_empty()).then(|| {
            let error = Error::new(ErrorKind::Partial, problems.join("; "));
            hints.into_iter().fold(error, Error::with_hint)
        })
    }
}
