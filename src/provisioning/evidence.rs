//! The evidence of a run, one file for each department.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::Reconciliation;
use crate::{
    apply::ProvisioningReport,
    error::{Error, ResultExt},
    handover::{
        EvidenceKey, EvidenceRecord,
        evidence::{self, RecordedKey},
    },
    manifest::DesiredDepartment,
    model::{ApiKeyId, Principal},
    plan::{Plan, PlannedOperation},
    resources::api_key::ApiKeyStatus,
};

/// Writes the evidence of every department that something was done for, or that has a key which was handed over by a run
/// that died before it could say so here; answers the files.
pub(crate) fn write_evidence(
    folder: &Path,
    reconciliation: &Reconciliation<'_>,
    plan: &Plan,
    report: &ProvisioningReport,
    run: &str,
) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let recorded = evidence::read_recorded_keys(folder);
    for department in &reconciliation.desired {
        let code = &department.department.code;
        let unrecorded = unrecorded_keys(reconciliation, department, plan, report, &recorded);
        if unrecorded.is_empty() && !report.done.iter().any(|step| step.department.as_ref() == Some(code)) {
            continue;
        }
        let mut evidence = build_evidence(reconciliation, department, plan, report, run);
        evidence.keys.extend(unrecorded);
        let file = evidence::write(folder, &evidence)
            .with_context(|| format!("the evidence of {code} could not be written into {}", folder.display()))?;
        files.push(file);
    }
    Ok(files)
}

/// The keys of a department that were handed over and that no evidence names, but for those that this run removed.
fn unrecorded_keys(
    reconciliation: &Reconciliation<'_>,
    desired: &DesiredDepartment,
    plan: &Plan,
    report: &ProvisioningReport,
    recorded: &BTreeMap<ApiKeyId, RecordedKey>,
) -> Vec<EvidenceKey> {
    let snapshot = &reconciliation.observed.snapshot;
    let removed = |key: &ApiKeyId| {
        let done = report.done.iter().map(|step| &plan.changes[step.change].operation);
        done.into_iter()
            .any(|operation| matches!(operation, PlannedOperation::DeleteKey { id, .. } if id == key))
    };
    let mut keys = Vec::new();
    for persona in &desired.personas {
        let account = snapshot.account_by_name(&persona.account_name);
        let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
        let held = principal.iter().flat_map(|principal| snapshot.keys_of(principal));
        let unrecorded = held
            .filter(|key| reconciliation.known_keys.classify(key) == ApiKeyStatus::Delivered)
            .filter(|key| !recorded.contains_key(&key.id) && !removed(&key.id));
        keys.extend(unrecorded.map(|key| EvidenceKey {
            id: key.id.clone(),
            account: persona.account_name.clone(),
            persona: persona.persona.clone(),
            handed_over: true,
        }));
    }
    keys
}

fn build_evidence(
    reconciliation: &Reconciliation<'_>,
    desired: &DesiredDepartment,
    plan: &Plan,
    report: &ProvisioningReport,
    run: &str,
) -> EvidenceRecord {
    let code = &desired.department.code;
    let snapshot = &reconciliation.observed.snapshot;
    let personas = || desired.personas.iter();
    let found: Vec<_> = personas()
        .filter_map(|persona| snapshot.account_by_name(&persona.account_name))
        .map(|account| {
            let principal = Principal::ServiceAccount(account.id.clone());
            serde_json::json!({
                "account": account,
                "role_bindings": snapshot.bindings_of(&principal).collect::<Vec<_>>(),
                "acls": snapshot.acls_of(&principal).collect::<Vec<_>>(),
                "keys": snapshot.keys_of(&principal).map(|key| &key.id).collect::<Vec<_>>(),
            })
        })
        .collect();
    let keys = personas().flat_map(|persona| {
        let made = report.keys.get(&persona.account_name).into_iter().flatten();
        made.map(|key| EvidenceKey {
            id: key.clone(),
            account: persona.account_name.clone(),
            persona: persona.persona.clone(),
            handed_over: report.profiles.iter().any(|profile| profile.keys.contains(key)),
        })
    });
    let wanted: Vec<_> = personas()
        .map(|persona| {
            serde_json::json!({
                "account": persona.account_name, "keys": persona.keys, "grants": persona.grants, "acls": persona.acls,
            })
        })
        .collect();
    let done: Vec<_> = report
        .done
        .iter()
        .filter(|step| step.department.as_ref() == Some(code))
        .collect();
    let failed: Vec<_> = report
        .failures
        .iter()
        .filter(|failure| failure.department.as_ref() == Some(code))
        .collect();
    let probes: serde_json::Map<String, serde_json::Value> = personas()
        .filter_map(|persona| {
            let outcomes = report.proofs.get(&persona.account_name)?;
            Some((persona.account_name.clone(), serde_json::json!(outcomes)))
        })
        .collect();
    let planned = plan.changes.iter().filter(|change| change.department == *code).count();
    EvidenceRecord {
        version: 1,
        at: snapshot.taken_at,
        run: run.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        stage: reconciliation.session.stage_name.clone(),
        department: code.to_string(),
        prefix: desired.department.prefix.to_string(),
        template: format!("{}@{}", desired.template.name, desired.template.hash),
        address: serde_json::json!(snapshot.address),
        provisioner: snapshot.display_name(&snapshot.observed_by),
        keys: keys.collect(),
        recipients: reconciliation
            .profile_store
            .recipients()
            .for_department(code)
            .iter()
            .map(ToString::to_string)
            .collect(),
        desired: serde_json::json!(wanted),
        observed: serde_json::json!(found),
        done: serde_json::json!({ "planned": planned, "done": done, "failed": failed }),
        probes: probes.into(),
        unknown: serde_json::json!(snapshot.unknown),
    }
}

/// Writes what was proved about a department that has gone; answers the file.
pub(crate) fn write_removal_evidence(
    folder: &Path,
    reconciliation: &Reconciliation<'_>,
    desired: &DesiredDepartment,
    run: &str,
    proof: serde_json::Value,
) -> Result<PathBuf, Error> {
    let mut evidence = build_evidence(
        reconciliation,
        desired,
        &Plan::default(),
        &ProvisioningReport::default(),
        run,
    );
    evidence.at = reconciliation.session.clock.now();
    evidence.desired = serde_json::Value::Array(Vec::new());
    evidence.probes = proof;
    evidence::write(folder, &evidence)
        .with_context(|| format!("the evidence could not be written into {}", folder.display()))
}
