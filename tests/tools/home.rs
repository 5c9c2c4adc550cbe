//! A home with an onboarded department, and its personas.

use crate::common::{Seen, World};

/// Where the sandbox puts profiles.
pub(crate) const PROFILES: &str = ".state/confluent-ebs/sandbox/handover";

/// An organization with the department "claims", template hybrid.
pub(crate) fn onboarded() -> World {
    let world = World::new();
    let seen = world.ebs("onboard claims --sandbox --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    world
}

pub(crate) fn deployer(world: &World, args: &str) -> Seen {
    world.ebs(&format!("{args} --profile {PROFILES}/claims-deployer.toml"))
}

/// Standard error without its line breaks.
pub(crate) fn said(seen: &Seen) -> String {
    seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn json(seen: &Seen) -> serde_json::Value {
    serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen}"))
}

pub(crate) fn operator(world: &World, args: &str) -> Seen {
    world.ebs(&format!("{args} --profile {PROFILES}/claims-operator.toml"))
}
