//! Evidence of a run, one file per department.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::Reconciliation;
use crate::{
    apply::{CompletedStep, ProvisioningReport},
    error::{Error, ResultExt},
    handover::{
        EvidenceKey, EvidenceRecord,
        evidence::{self, RecordedKey},
    },
    manifest::DesiredDepartment,
    model::{ApiKeyId, Principal},
    plan::{Plan, PlannedOperation},
    resources::{KINDS, api_key::ApiKeyStatus},
};

/// Writes the evidence of each department that the run changed or that has delivered but unrecorded keys, which an
/// interrupted run leaves. Returns the files.
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
        let file = evidence::write(folder, &evidence, reconciliation.session.client.secrets()).with_context(|| {
            format!(
                "cannot write the evidence of department `{code}` to `{}`",
                folder.display()
            )
        })?;
        files.push(file);
    }
    Ok(files)
}

/// Returns the delivered keys of a department that the evidence does not contain, without the keys that this run
/// deleted.
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
        let existing = principal.iter().flat_map(|principal| snapshot.keys_of(principal));
        let unrecorded = existing
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
    let observed: Vec<_> = personas()
        .filter_map(|persona| snapshot.account_by_name(&persona.account_name))
        .map(|account| {
            let principal = Principal::ServiceAccount(account.id.clone());
            let mut fields = serde_json::json!({
                "account": account,
                "role_bindings": snapshot.bindings_of(&principal).collect::<Vec<_>>(),
            });
            for kind in KINDS {
                let held = kind.held_by(snapshot, &principal);
                fields[kind.info().list_key] = held.iter().map(|object| object.json.clone()).collect();
            }
            fields["keys"] = snapshot
                .keys_of(&principal)
                .map(|key| serde_json::json!(key.id))
                .collect();
            fields
        })
        .collect();
    let keys = personas().flat_map(|persona| {
        let created = report.keys.get(&persona.account_name).into_iter().flatten();
        created.map(|key| EvidenceKey {
            id: key.clone(),
            account: persona.account_name.clone(),
            persona: persona.persona.clone(),
            handed_over: report.profiles.iter().any(|profile| profile.keys.contains(key)),
        })
    });
    let desired_personas: Vec<_> = personas()
        .map(|persona| {
            let mut fields = serde_json::json!({
                "account": persona.account_name, "keys": persona.keys, "grants": persona.grants,
            });
            for kind in KINDS {
                fields[kind.info().list_key] = kind.desired_evidence(persona);
            }
            fields
        })
        .collect();
    let own_steps = report.done.iter().filter(|step| step.department.as_ref() == Some(code));
    let folder = reconciliation.profile_store.folder();
    let done: Vec<_> = own_steps.map(|step| without_folder(step, folder)).collect();
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
        desired: serde_json::json!(desired_personas),
        observed: serde_json::json!(observed),
        done: serde_json::json!({ "planned": planned, "done": done, "failed": failed }),
        probes: probes.into(),
        unknown: serde_json::json!(snapshot.unknown),
    }
}

/// Returns the step with a path relative to `folder`: evidence is committed, and the folder is only known to the machine.
fn without_folder(step: &CompletedStep, folder: &Path) -> CompletedStep {
    let relative = |id: &String| match Path::new(id).strip_prefix(folder) {
        Ok(path) => path.display().to_string(),
        Err(_) => id.clone(),
    };
    CompletedStep {
        id: step.id.as_ref().map(relative),
        ..step.clone()
    }
}

/// Writes the evidence of an offboarded department and returns the file.
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
    let secrets = reconciliation.session.client.secrets();
    evidence::write(folder, &evidence, secrets)
        .with_context(|| format!("cannot write the evidence to `{}`", folder.display()))
}
