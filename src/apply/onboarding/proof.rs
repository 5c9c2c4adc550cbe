//! The proof of a key: what it must be able to do, and what it must not.

use super::Running;
use crate::{
    access::Evaluator,
    api::connect::Place as ConnectPlace,
    apply::StepError,
    config::KeyPair,
    manifest::DesiredDepartment,
    model::{CrnPattern, KeyKind, Principal, Role, RoleBinding},
    plan::{AccountRef, Change},
    probe::{self, Ground, Patience, Verdict},
};

impl Running<'_> {
    /// What the department's accounts may do, as wanted and as bound.
    fn rights(&self, desired: &DesiredDepartment) -> Evaluator {
        let address = &self.engine.world.address;
        let accounts = self.accounts.borrow();
        let id_of = |name: &str| {
            let persona = desired.personas.iter().find(|persona| persona.persona == name)?;
            accounts.get(&persona.account_name).cloned()
        };
        let fallbacks = self.fallbacks.borrow();
        let held = |principal: &Principal, role: &Role, pattern: &CrnPattern| {
            self.engine
                .seen
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
        change: &Change,
        account: &AccountRef,
        kind: KeyKind,
    ) -> Result<Option<String>, StepError> {
        let world = self.engine.world;
        let (desired, persona) = self.desired(change)?;
        let principal = Principal::ServiceAccount(self.account(account)?);
        let keys = self.keys_at_hand(change, persona);
        let missing = || StepError::Missing("the secret of the key is not at hand".to_owned());
        let KeyPair { id: key, secret } = keys.get(kind).ok_or_else(missing)?.clone();
        let foreign = (self.engine.foreign)(desired);
        let ground = Ground {
            address: &world.address,
            own: &desired.department.prefix,
            foreign: &foreign,
            connectors: &self.engine.seen.connectors,
        };
        let probes = probe::probes(kind, &principal, &self.rights(desired), &ground);
        let client = (self.engine.client_as)(&key, &secret);
        let place = ConnectPlace {
            environment: world.address.environment.clone(),
            cluster: world.address.cluster.clone(),
        };
        let patience = Patience {
            clock: &world.clock,
            budget: world.budget,
            interrupt: &world.interrupt,
        };
        let proved = probe::prove(&client, &place, probes, patience).await;
        let outcomes = proved.ok_or_else(|| StepError::Missing("interrupted before it was proved".to_owned()))?;
        let refuted: Vec<String> = outcomes
            .iter()
            .filter_map(|outcome| match &outcome.verdict {
                Verdict::Refuted { reason } => Some(format!("{}: {reason}", outcome.probe.label())),
                _ => None,
            })
            .collect();
        self.report
            .borrow_mut()
            .proofs
            .insert(persona.account_name.clone(), outcomes);
        match refuted.is_empty() {
            true => Ok(Some(key.to_string())),
            false => Err(StepError::Refuted(format!("the proof failed: {}", refuted.join("; ")))),
        }
    }
}
