//! Rules by subject. The first match counts, so more specific rules and subjects come first.

mod capacity;
mod cloud;
mod config;
mod control;
mod data;
mod database;
mod general;
mod http;
mod kafka;
mod login;
mod network;
mod provisioning;
mod records;
mod registry;
mod service;
mod settings;
mod transaction_log;
mod values;

use super::{
    CONTACT_PLATFORM_TEAM,
    Confidence::{Documented, Inferred, Verified},
    DESCRIBE, DiagnosisRule, ErrorFamily,
    FaultOwner::{Confluent, Department, Network, Platform, Unknown},
    LOGS, RESTART, RESTART_UNCHANGED, RemedyStep, Speaker, UPDATE, alternative, deployer_step, operator_step,
    text_step, viewer_step,
};

pub(super) use config::INVALID_CONFIGURATION;
pub use kafka::{TOPIC_DENIED, TOPIC_FOREIGN_STEPS};
pub(super) use service::DATABASE_UNREACHABLE;
pub use service::{NO_RECORDS, PROVISIONING, PROVISIONING_STUCK, UNKNOWN};

/// Step shared by the rules about connections.
const CONFLUENT_CONNECTS: RemedyStep =
    text_step("Connections come from Confluent's network, so a test from this computer proves nothing.");

/// Returns all rules, most specific first.
pub fn rules() -> impl Iterator<Item = &'static DiagnosisRule> {
    let particular = [
        config::RULES,
        control::RULES,
        http::RULES,
        registry::RULES,
        kafka::RULES,
        transaction_log::RULES,
        database::RULES,
        login::RULES,
        cloud::RULES,
        capacity::RULES,
        records::RULES,
        data::RULES,
        values::RULES,
        provisioning::RULES,
        network::RULES,
        general::RULES,
        settings::RULES,
        service::RULES,
    ];
    particular
        .into_iter()
        .flatten()
        .chain([&INVALID_CONFIGURATION, &DATABASE_UNREACHABLE])
        .chain(service::GENERIC_RULES)
        .chain([&NO_RECORDS, &PROVISIONING, &PROVISIONING_STUCK, &UNKNOWN])
}

/// Returns the rule with this id.
#[must_use]
pub fn find_rule(id: &str) -> Option<&'static DiagnosisRule> {
    rules().find(|rule| rule.id == id)
}
