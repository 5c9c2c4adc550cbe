//! Settings of the sandbox: delays, rate limits, page sizes, quotas.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{assumptions::SandboxAssumptions, crypt::IdGenerator};

/// Propagation delays of writes (docs/reference/rbac.md#propagation-delays).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// No delays.
    #[default]
    Instant,
    /// The delays that the official clients expect: 90 s for a role binding, 10 s for an ACL and a Cloud key, 2 min for
    /// a Kafka key.
    Real,
    /// Longer delays that differ between objects, and lists that lag behind writes.
    Lagging,
}

/// Kind of a created object, which determines the delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreatedObject {
    Account,
    Binding,
    /// ResourceOwner binding that is created with a new account.
    OwnerBinding,
    CloudKey,
    ResourceKey,
    Acl,
    Connector,
}

/// Delays until a new object is effective and until lists contain it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VisibilityDelay {
    pub(crate) effective: Duration,
    pub(crate) listed: Duration,
}

impl Timing {
    /// Returns the delays of the object `id`. The same object always gets the same delays.
    pub(crate) fn visibility_delay(self, ids: IdGenerator, made: CreatedObject, id: &str) -> VisibilityDelay {
        let between = |what: &str, low: u64, high: u64| {
            let spread = u64::from_str_radix(&ids.lowercase_id(&["delay", what, id], 4), 36).unwrap_or(0);
            Duration::from_secs(low + spread % (high - low + 1))
        };
        let seconds = Duration::from_secs;
        match self {
            Self::Instant => VisibilityDelay::default(),
            Self::Real => VisibilityDelay {
                effective: match made {
                    CreatedObject::Account | CreatedObject::Connector => Duration::ZERO,
                    CreatedObject::Binding => seconds(90),
                    CreatedObject::OwnerBinding => seconds(15),
                    CreatedObject::CloudKey | CreatedObject::Acl => seconds(10),
                    CreatedObject::ResourceKey => seconds(120),
                },
                listed: match made {
                    // The Terraform provider waits this long before it reads a created ACL
                    // (`kafkaRestAPIWaitAfterCreate`).
                    CreatedObject::Acl => seconds(10),
                    _ => Duration::from_millis(500),
                },
            },
            Self::Lagging => VisibilityDelay {
                effective: match made {
                    CreatedObject::Account | CreatedObject::Connector => Duration::ZERO,
                    CreatedObject::Binding => between("effective", 5, 300),
                    CreatedObject::OwnerBinding => between("effective", 5, 60),
                    CreatedObject::CloudKey => between("effective", 5, 90),
                    CreatedObject::ResourceKey => between("effective", 60, 300),
                    CreatedObject::Acl => between("effective", 2, 60),
                },
                listed: between("listed", 2, 15),
            },
        }
    }

    /// Returns the time for which lists still contain a deleted object.
    pub(crate) fn deletion_lag(self, ids: IdGenerator, id: &str) -> Duration {
        match self {
            Self::Instant | Self::Real => Duration::ZERO,
            Self::Lagging => self.visibility_delay(ids, CreatedObject::Account, id).listed,
        }
    }
}

/// Rate limit per principal and for the whole organization. The service publishes no numbers; these are plausible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    /// Maximum number of requests per principal in a window.
    pub per_principal: u32,
    /// Maximum number of requests of all principals in a window.
    pub per_organization: u32,
    /// Length of the window in seconds.
    pub window_seconds: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            per_principal: 200,
            per_organization: 1_000,
            window_seconds: 10,
        }
    }
}

/// Settings of the sandbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// Propagation delays.
    pub timing: Timing,
    /// Rate limits; `None` for no limits.
    pub rate_limit: Option<RateLimit>,
    /// Upper limit of the page size, regardless of the request.
    pub page_size_cap: Option<u32>,
    /// Sandbox seconds per system second.
    pub time_scale: f64,
    /// Applied limits by quota code, where they differ from the defaults.
    pub quotas: BTreeMap<String, i64>,
    /// Unconfirmed behaviour of the service.
    pub assumptions: SandboxAssumptions,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self::instant()
    }
}

impl SandboxSettings {
    /// Returns settings without delays and rate limits.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            timing: Timing::Instant,
            rate_limit: None,
            page_size_cap: None,
            time_scale: 1.0,
            quotas: BTreeMap::new(),
            assumptions: SandboxAssumptions::default(),
        }
    }

    /// Returns settings with the delays that the official clients expect, and with rate limits.
    #[must_use]
    pub fn real() -> Self {
        Self {
            timing: Timing::Real,
            rate_limit: Some(RateLimit::default()),
            ..Self::instant()
        }
    }

    /// Returns settings with long and uneven delays, lagging lists, and rate limits.
    #[must_use]
    pub fn lagging() -> Self {
        Self {
            timing: Timing::Lagging,
            ..Self::real()
        }
    }

    /// Returns the settings for a timing.
    #[must_use]
    pub fn for_timing(timing: Timing) -> Self {
        match timing {
            Timing::Instant => Self::instant(),
            Timing::Real => Self::real(),
            Timing::Lagging => Self::lagging(),
        }
    }

    /// Validates the numbers.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if !(self.time_scale.is_finite() && (0.001..=100_000.0).contains(&self.time_scale)) {
            return Err(format!(
                "time_scale must be between 0.001 and 100000, not {}",
                self.time_scale
            ));
        }
        if self.page_size_cap == Some(0) {
            return Err("page_size_cap must be at least 1".into());
        }
        if self
            .rate_limit
            .is_some_and(|limit| limit.per_principal == 0 || limit.per_organization == 0 || limit.window_seconds == 0)
        {
            return Err("rate_limit must allow at least one request in at least one second".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Source: docs/reference/rbac.md#propagation-delays. Waits of the official clients.
    #[test]
    fn real_delays_equal_the_waits_of_the_official_clients() {
        let delay = |made| {
            Timing::Real
                .visibility_delay(IdGenerator::new(1), made, "x")
                .effective
                .as_secs()
        };
        assert_eq!(delay(CreatedObject::Binding), 90);
        assert_eq!(delay(CreatedObject::CloudKey), 10);
        assert_eq!(delay(CreatedObject::ResourceKey), 120);
        assert_eq!(delay(CreatedObject::Acl), 10);
    }

    #[test]
    fn lagging_delays_differ_between_objects_and_stay_below_five_minutes() {
        let ids = IdGenerator::new(1);
        let delays: std::collections::BTreeSet<_> = (0..50)
            .map(|n| {
                Timing::Lagging
                    .visibility_delay(ids, CreatedObject::Binding, &format!("rb-{n}"))
                    .effective
                    .as_secs()
            })
            .collect();
        assert!(delays.len() > 20);
        assert!(delays.iter().all(|seconds| (5..=300).contains(seconds)));
    }

    #[test]
    fn empty_settings_are_the_instant_ones_and_unknown_keys_are_rejected() {
        assert_eq!(
            serde_json::from_str::<SandboxSettings>("{}").unwrap(),
            SandboxSettings::instant()
        );
        assert!(serde_json::from_str::<SandboxSettings>(r#"{"timeing":"real"}"#).is_err());
        assert!(
            SandboxSettings {
                time_scale: 0.0,
                ..SandboxSettings::instant()
            }
            .validate()
            .is_err()
        );
    }
}
