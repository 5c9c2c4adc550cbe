//! Verification of a key: probes for what it must be able to do and what it must not.

use super::ProvisioningExecutor;
use crate::{
    access::Evaluator,
    api::connect::ClusterPath as ConnectPlace,
    apply::StepError,
    config::KeyPair,
    manifest::DesiredDepartment,
    model::{CrnPattern, KeyKind, Principal, Role, RoleBinding},
    plan::{AccountRef, PlannedChange},
    probe::{self, ProbeOptions, ProbeScope, ProbeVerdict},
};

impl ProvisioningExecutor<'_> {
    /// Returns an evaluator with the desired role bindings of the department's accounts, with fallback roles where they
    /// were created.
    fn effective_permissions(&self, desired: &DesiredDepartment) -> Evaluator {
        let address = &self.input.context.address;
        let accounts = self.accounts.borrow();
        let id_of = |name: &str| {
            let persona = desired.personas.iter().find(|persona| persona.persona == name)?;
            accounts.get(&persona.account_name).cloned()
        };
        let fallbacks = self.fallbacks.borrow();
        let held = |principal: &Principal, role: &Role, pattern: &CrnPattern| {
            self.input
                .snapshot
                .bindings_of(principal)
                .any(|seen| &seen.binding.role == role && &seen.binding.pattern == pattern)
        };
        let mut bindings = Vec::new();
        for persona in &desired.personas {
            let Some(account) = accounts.get(&persona.account_name) else {
                continue;
            };
            let principal = Principal::ServiceAccount(account.clone());
            for grant in &persona.grants {
                let Some(pattern) = grant.on.resolve(address, &desired.department.prefix, id_of) else {
                    continue;
                };
                let stands_in = grant.fallback.as_ref().filter(|fallback| {
                    let made = fallbacks.contains(&(principal.clone(), pattern.clone(), (*fallback).clone()));
                    made || (held(&principal, fallback, &pattern) && !held(&principal, &grant.role, &pattern))
                });
                let role = stands_in.unwrap_or(&grant.role).clone();
                bindings.push(RoleBinding {
                    principal: principal.clone(),
                    role,
                    pattern,
                });
            }
        }
        Evaluator::new(bindings)
    }

    pub(super) async fn prove(
        &self,
        change: &PlannedChange,
        account: &AccountRef,
        kind: KeyKind,
    ) -> Result<Option<String>, StepError> {
        let context = self.input.context;
        let (desired, persona) = self.find_desired(change)?;
        let principal = Principal::ServiceAccount(self.resolve_account(account)?);
        let keys = self.available_keys(change, persona);
        let missing = || StepError::MissingInput("the secret of the key is not available".to_owned());
        let KeyPair { id: key, secret } = keys.get(kind).ok_or_else(missing)?.clone();
        let foreign = (self.input.foreign_prefix)(desired);
        let scope = ProbeScope {
            address: &context.address,
            own_prefix: &desired.department.prefix,
            foreign_prefix: &foreign,
            connectors: &self.input.snapshot.connectors,
        };
        let probes = probe::derive_probes(kind, &principal, &self.effective_permissions(desired), &scope);
        let client = (self.input.client_with_key)(&key, &secret);
        let place = ConnectPlace {
            environment: context.address.environment.clone(),
            cluster: context.address.cluster.clone(),
        };
        let options = ProbeOptions {
            clock: &context.clock,
            propagation_budget: context.propagation_budget,
            interrupt: &context.interrupt,
        };
        let outcomes_or_interrupted = probe::run_probes(&client, &place, probes, options).await;
        let outcomes = outcomes_or_interrupted
            .ok_or_else(|| StepError::MissingInput("interrupted before the key was verified".to_owned()))?;
        let refuted: Vec<String> = outcomes
            .iter()
            .filter_map(|outcome| match &outcome.verdict {
                ProbeVerdict::Failed { reason } => Some(format!("{}: {reason}", outcome.probe.label())),
                _ => None,
            })
            .collect();
        self.report
            .borrow_mut()
            .proofs
            .insert(persona.account_name.clone(), outcomes);
        match refuted.is_empty() {
            true => Ok(Some(key.to_string())),
            false => Err(StepError::ProbeFailed(format!("probes failed: {}", refuted.join("; ")))),
        }
    }
}
