//! The evidence of a run, one file for each department.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::Estate;
use crate::{
    apply::Report,
    error::{Error, ResultExt},
    handover::{
        Evidence, EvidenceKey,
        evidence::{self, Vouched},
    },
    manifest::DesiredDepartment,
    model::{ApiKeyId, Principal},
    plan::{Operation, Plan},
    resources::api_key::KeyClaim,
};

/// Writes the evidence of every department that something was done for, or that has a key which was handed over by a run
/// that died before it could say so here; answers the files.
pub(super) fn write(
    folder: &Path,
    estate: &Estate<'_>,
    plan: &Plan,
    report: &Report,
    run: &str,
) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let vouched = evidence::vouched(folder);
    for department in &estate.desired {
        let code = &department.department.code;
        let untold = untold(estate, department, plan, report, &vouched);
        if untold.is_empty() && !report.done.iter().any(|step| step.department.as_ref() == Some(code)) {
            continue;
        }
        let mut evidence = evidence_of(estate, department, plan, report, run);
        evidence.keys.extend(untold);
        let file = evidence::write(folder, &evidence)
            .with_context(|| format!("the evidence of {code} could not be written into {}", folder.display()))?;
        files.push(file);
    }
    Ok(files)
}

/// The keys of a department that were handed over and that no evidence names, but for those that this run removed.
fn untold(
    estate: &Estate<'_>,
    desired: &DesiredDepartment,
    plan: &Plan,
    report: &Report,
    vouched: &BTreeMap<ApiKeyId, Vouched>,
) -> Vec<EvidenceKey> {
    let seen = &estate.observed.snapshot;
    let removed = |key: &ApiKeyId| {
        let done = report.done.iter().map(|step| &plan.changes[step.change].operation);
        done.into_iter()
            .any(|operation| matches!(operation, Operation::DeleteKey { id, .. } if id == key))
    };
    let mut keys = Vec::new();
    for persona in &desired.personas {
        let account = seen.account_named(&persona.account_name);
        let principal = account.map(|account| Principal::ServiceAccount(account.id.clone()));
        let held = principal.iter().flat_map(|principal| seen.keys_of(principal));
        let untold = held
            .filter(|key| estate.ledger.claim(key) == KeyClaim::Held)
            .filter(|key| !vouched.contains_key(&key.id) && !removed(&key.id));
        keys.extend(untold.map(|key| EvidenceKey {
            id: key.id.clone(),
            account: persona.account_name.clone(),
            persona: persona.persona.clone(),
            handed_over: true,
        }));
    }
    keys
}

fn evidence_of(estate: &Estate<'_>, desired: &DesiredDepartment, plan: &Plan, report: &Report, run: &str) -> Evidence {
    let code = &desired.department.code;
    let seen = &estate.observed.snapshot;
    let personas = || desired.personas.iter();
    let found: Vec<_> = personas()
        .filter_map(|persona| seen.account_named(&persona.account_name))
        .map(|account| {
            let principal = Principal::ServiceAccount(account.id.clone());
            serde_json::json!({
                "account": account,
                "role_bindings": seen.bindings_of(&principal).collect::<Vec<_>>(),
                "acls": seen.acls_of(&principal).collect::<Vec<_>>(),
                "keys": seen.keys_of(&principal).map(|key| &key.id).collect::<Vec<_>>(),
            })
        })
        .collect();
    let keys = personas().flat_map(|persona| {
        let made = report.keys.get(&persona.account_name).into_iter().flatten();
        made.map(|key| EvidenceKey {
            id: key.clone(),
            account: persona.account_name.clone(),
            persona: persona.persona.clone(),
            handed_over: report.handed.iter().any(|handed| handed.keys.contains(key)),
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
    let proved: serde_json::Map<String, serde_json::Value> = personas()
        .filter_map(|persona| {
            let outcomes = report.proofs.get(&persona.account_name)?;
            Some((persona.account_name.clone(), serde_json::json!(outcomes)))
        })
        .collect();
    let planned = plan.changes.iter().filter(|change| change.department == *code).count();
    Evidence {
        version: 1,
        at: seen.taken_at,
        run: run.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        stage: estate.session.stage_name.clone(),
        department: code.to_string(),
        prefix: desired.department.prefix.to_string(),
        template: format!("{}@{}", desired.template.name, desired.template.hash),
        address: serde_json::json!(seen.address),
        provisioner: seen.name_of(&seen.seen_by),
        keys: keys.collect(),
        recipients: estate
            .sink
            .recipients()
            .of(code)
            .iter()
            .map(ToString::to_string)
            .collect(),
        wanted: serde_json::json!(wanted),
        found: serde_json::json!(found),
        done: serde_json::json!({ "planned": planned, "done": done, "failed": failed }),
        proved: proved.into(),
        unknown: serde_json::json!(seen.unknown),
    }
}

/// Writes what was proved about a department that has gone; answers the file.
pub(super) fn write_proof(
    folder: &Path,
    estate: &Estate<'_>,
    desired: &DesiredDepartment,
    run: &str,
    proof: serde_json::Value,
) -> Result<PathBuf, Error> {
    let mut evidence = evidence_of(estate, desired, &Plan::default(), &Report::default(), run);
    evidence.at = estate.session.clock.now();
    evidence.wanted = serde_json::Value::Array(Vec::new());
    evidence.proved = proof;
    evidence::write(folder, &evidence)
        .with_context(|| format!("the evidence could not be written into {}", folder.display()))
}
