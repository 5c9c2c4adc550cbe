//! Calls that must work or must be refused, derived from `access`, made with the key in question.
//!
//! A probe is harmless even when it wrongly succeeds: it reads the status of a connector, or it asks to create one with
//! a body that no service accepts, so that 400 means "you may" and 403 means "you may not".

mod run;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    access::{Evaluator, Operation},
    model::{Crn, KeyKind, ObservedConnector, Prefix, Principal, ResourceKind, StageAddress},
};

pub use run::{ProbeOptions, ProbeOutcome, ProbeVerdict, is_call_allowed, run_probes};

/// The end of the name of a connector that nobody has.
pub const PROBE_NAME: &str = "ebs-probe";

/// What a probe sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeCall {
    /// `GET …/connectors/{name}/status`.
    ReadStatus,
    /// `POST …/connectors` with a body that lacks everything but the name.
    CreateInvalid,
}

impl ProbeCall {
    /// The operation that it needs.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::ReadStatus => Operation::ReadStatus,
            Self::CreateInvalid => Operation::Create,
        }
    }
}

/// One call, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// What is sent.
    pub call: ProbeCall,
    /// The connector it is about.
    pub connector: String,
    /// Whether that connector exists, so that a 403 cannot mean "not found".
    pub exists: bool,
    /// Whether the key must be allowed to.
    pub allowed: bool,
}

impl Probe {
    /// The probe as people read it: `create connectors of fraud-*: refused`.
    #[must_use]
    pub fn label(&self) -> String {
        let verb = match self.call {
            ProbeCall::ReadStatus => "read the status of",
            ProbeCall::CreateInvalid => "create",
        };
        let must = if self.allowed { "must work" } else { "must be refused" };
        format!("{verb} connector {}: {must}", self.connector)
    }
}

/// Whose names a key is probed on.
#[derive(Clone, Debug)]
pub struct ProbeScope<'a> {
    /// The stage.
    pub address: &'a StageAddress,
    /// The department's own names.
    pub own_prefix: &'a Prefix,
    /// Names of somebody else: another department's, or reserved ones when there is no other.
    pub foreign_prefix: &'a str,
    /// Connectors that exist.
    pub connectors: &'a [ObservedConnector],
}

fn connector_crn(address: &StageAddress, name: &str) -> Option<Crn> {
    address.resource(ResourceKind::Connector, name)
}

/// The probes of a key of `kind` that acts as `principal`: first what must work, then what must be refused. `rights`
/// holds the bindings that were wanted.
#[must_use]
pub fn derive_probes(
    kind: KeyKind,
    principal: &Principal,
    evaluator: &Evaluator,
    scope: &ProbeScope<'_>,
) -> Vec<Probe> {
    if kind != KeyKind::Cloud {
        return Vec::new();
    }
    let mut probes = Vec::new();
    for begin in [scope.own_prefix.as_str(), scope.foreign_prefix] {
        let existing = scope.connectors.iter().find(|seen| seen.name.starts_with(begin));
        for call in [ProbeCall::ReadStatus, ProbeCall::CreateInvalid] {
            // Reading may aim at a connector that exists; creating must not, or it would meet its name.
            let (name, exists) = match (call, existing) {
                (ProbeCall::ReadStatus, Some(seen)) => (seen.name.clone(), true),
                _ => (format!("{begin}{PROBE_NAME}"), false),
            };
            let Some(crn) = connector_crn(scope.address, &name) else {
                continue;
            };
            let allowed = evaluator.decide(principal, call.operation(), &crn).is_allowed();
            probes.push(Probe {
                call,
                connector: name,
                exists,
                allowed,
            });
        }
    }
    probes.sort_by_key(|probe| !probe.allowed);
    probes
}

/// What no probe can show, by persona, with the reason.
pub type InconclusiveReasons = BTreeMap<String, String>;
