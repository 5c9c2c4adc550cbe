//! What an onboarding needs before its first write. Pure: it judges what was observed.

use serde::Serialize;

use crate::{
    model::SchemaRegistryId,
    plan::{BudgetRow, BudgetVerdict, Observed},
};

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it must be.
    Ok,
    /// In the way.
    Problem,
    /// Not looked at, or not told: neither good nor bad.
    Unknown,
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What it says.
    pub state: CheckState,
    /// What was seen.
    pub detail: String,
    /// What to do about a problem, a whole sentence.
    pub fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    fn problem(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Problem,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    fn unknown(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            state: CheckState::Unknown,
            detail: detail.into(),
            fix: None,
        }
    }
}

/// Judges what was observed, and what the plan needs of the provider's quotas.
#[must_use]
pub fn preflight(observed: &Observed, wanted_registry: Option<&SchemaRegistryId>, budget: &[BudgetRow]) -> Vec<Check> {
    let mut checks = vec![credentials(observed), cluster_type(observed), cluster_phase(observed)];
    checks.push(registry(observed, wanted_registry));
    checks.extend(budget.iter().map(quota));
    checks.extend(
        observed
            .snapshot
            .unknown
            .iter()
            .map(|(what, why)| Check::unknown("not looked at", format!("{what}: {why}"))),
    );
    checks
}

fn credentials(observed: &Observed) -> Check {
    Check::ok(
        "credentials",
        format!("acting as {}", observed.snapshot.name_of(&observed.snapshot.seen_by)),
    )
}

fn cluster_type(observed: &Observed) -> Check {
    let kind = observed.cluster.spec.config.kind.as_str();
    let name = format!("{} is {kind}", observed.cluster.id);
    match kind {
        // docs.confluent.io, managed-connector-rbac (dossier `rbac.md` §1.3).
        "Standard" | "Enterprise" | "Dedicated" | "Freight" => Check::ok("cluster type", name),
        "Basic" => Check::problem(
            "cluster type",
            format!("{name}: role bindings on connectors and topics do not exist there"),
            "Upgrade the cluster to Standard, or use a cluster of another type for this stage.",
        ),
        _ => Check::unknown(
            "cluster type",
            format!("{name}: whether it knows granular role bindings is not known"),
        ),
    }
}

fn cluster_phase(observed: &Observed) -> Check {
    let phase = observed.cluster.status.phase.as_str();
    match phase {
        "PROVISIONED" => Check::ok("cluster state", "provisioned"),
        "" => Check::unknown("cluster state", "the service does not tell it"),
        _ => Check::problem(
            "cluster state",
            format!("{} is {phase}", observed.cluster.id),
            "Wait until the cluster is provisioned, then run the command again.",
        ),
    }
}

fn registry(observed: &Observed, wanted: Option<&SchemaRegistryId>) -> Check {
    match (&observed.snapshot.address.schema_registry, wanted) {
        (Some(found), _) => Check::ok("Schema Registry", found.to_string()),
        (None, Some(wanted)) => Check::problem(
            "Schema Registry",
            format!("ebs.toml names {wanted}, but this key sees none in the environment"),
            "Give the provisioner ResourceOwner on its subjects (`confluent ebs init --print` shows the command); if \
             there is none, remove `schema_registry` of the stage from ebs.toml or enable Stream Governance.",
        ),
        (None, None) => Check::unknown(
            "Schema Registry",
            "the environment has none: grants on subjects are left out",
        ),
    }
}

fn quota(row: &BudgetRow) -> Check {
    let limit = row
        .limit
        .map_or_else(|| "an unknown limit".to_owned(), |limit| limit.to_string());
    let at_least = if row.reported { "" } else { "at least " };
    let detail = format!(
        "{}: {at_least}{} used, {} wanted, of {limit}",
        row.name, row.used, row.wanted
    );
    match row.verdict {
        BudgetVerdict::Fits => Check::ok("provider quota", detail),
        BudgetVerdict::Unknown => Check::unknown("provider quota", detail),
        BudgetVerdict::Exceeds => Check::problem(
            "provider quota",
            format!("{detail}; 90 % is the most that may be used"),
            format!(
                "Ask Confluent's support to raise `{}`, or onboard fewer departments.",
                row.quota_code
            ),
        ),
    }
}
