//! Probes: requests with a given key that must be allowed or denied according to `access`.
//!
//! A probe is harmless even if it succeeds unexpectedly: it reads the status of a connector, or asks to create one with
//! an invalid body, so that 400 means allowed and 403 means denied.

mod run;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    access::{Evaluator, Operation},
    model::{Crn, KeyKind, ObservedConnector, Prefix, Principal, ResourceKind, StageAddress},
};

pub use run::{ProbeOptions, ProbeOutcome, ProbeVerdict, is_call_allowed, run_probes};

/// Suffix of a connector name that is never used.
pub const PROBE_NAME: &str = "ebs-probe";

/// Request of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeCall {
    /// `GET …/connectors/{name}/status`.
    ReadStatus,
    /// `POST …/connectors` with a body that contains only the name.
    CreateInvalid,
}

impl ProbeCall {
    /// Returns the operation that the request needs.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::ReadStatus => Operation::ReadStatus,
            Self::CreateInvalid => Operation::Create,
        }
    }
}

/// One request and its expected result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// Request.
    pub call: ProbeCall,
    /// Connector name.
    pub connector: String,
    /// Whether the connector exists, so that 403 cannot mean "not found".
    pub exists: bool,
    /// Whether the key must be allowed to do this.
    pub allowed: bool,
}

impl Probe {
    /// Returns the probe for display: `create connector fraud-x: must be denied`.
    #[must_use]
    pub fn label(&self) -> String {
        let verb = match self.call {
            ProbeCall::ReadStatus => "read the status of",
            ProbeCall::CreateInvalid => "create",
        };
        let must = if self.allowed {
            "must be allowed"
        } else {
            "must be denied"
        };
        format!("{verb} connector {}: {must}", self.connector)
    }
}

/// Names to probe.
#[derive(Clone, Debug)]
pub struct ProbeScope<'a> {
    /// Address of the stage.
    pub address: &'a StageAddress,
    /// Prefix of the department.
    pub own_prefix: &'a Prefix,
    /// Prefix of another department, or a reserved one if there is no other.
    pub foreign_prefix: &'a str,
    /// Existing connectors.
    pub connectors: &'a [ObservedConnector],
}

fn connector_crn(address: &StageAddress, name: &str) -> Option<Crn> {
    address.resource(ResourceKind::Connector, name)
}

/// Derives the probes of a key of `kind` for `principal`: first the allowed requests, then the denied ones. `evaluator`
/// contains the desired role bindings.
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
            // Reading may use an existing connector; creating must not, because its name would conflict.
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

/// Reasons why probes were inconclusive, by persona.
pub type InconclusiveReasons = BTreeMap<String, String>;
