//! The rules, by subject. The first that is met counts: what is more particular stands first, also among the subjects.

mod config;
mod data;
mod kafka;
mod network;
mod service;
mod target;

use super::{
    DESCRIBE, LOGS,
    Mark::{Documented, Inferred, Verified},
    Owner::{Confluent, Department, Ebs, Network},
    RESTART, Rule, Step, TELL_EBS, UPDATE, deploy, look, operate, say,
};

pub(super) use config::INVALID_CONFIGURATION;
pub(super) use service::DATABASE_UNREACHABLE;
pub use service::{NO_RECORDS, PROVISIONING, UNKNOWN};

/// All rules, the most particular first.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
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
        .chain(service::VAGUE)
        .chain([&NO_RECORDS, &PROVISIONING, &UNKNOWN])
}

/// The rule of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}
