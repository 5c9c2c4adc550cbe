//! Rules by subject. The first match counts, so more specific rules and subjects come first.

mod config;
mod data;
mod kafka;
mod network;
mod service;
mod target;

use super::{
    CONTACT_PLATFORM_TEAM,
    Confidence::{Documented, Inferred, Verified},
    DESCRIBE, DiagnosisRule,
    FaultOwner::{Confluent, Department, Network, Platform},
    LOGS, RESTART, RemedyStep, UPDATE, deployer_step, operator_step, text_step, viewer_step,
};

pub(super) use config::INVALID_CONFIGURATION;
pub(super) use service::DATABASE_UNREACHABLE;
pub use service::{NO_RECORDS, PROVISIONING, UNKNOWN};

/// Returns all rules, most specific first.
pub fn rules() -> impl Iterator<Item = &'static DiagnosisRule> {
    let particular = [
        config::RULES,
        kafka::RULES,
        data::RULES,
        target::RULES,
        network::RULES,
        service::RULES,
    ];
    particular
        .into_iter()
        .flatten()
        .chain([&INVALID_CONFIGURATION, &DATABASE_UNREACHABLE])
        .chain(service::GENERIC_RULES)
        .chain([&NO_RECORDS, &PROVISIONING, &UNKNOWN])
}

/// Returns the rule with this id.
#[must_use]
pub fn find_rule(id: &str) -> Option<&'static DiagnosisRule> {
    rules().find(|rule| rule.id == id)
}
