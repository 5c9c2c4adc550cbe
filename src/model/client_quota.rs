//! Client quotas of Kafka clusters: bytes per second that the cluster allows a principal
//! (docs/reference/quotas.md#client-quotas).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{ClientQuotaId, Principal};

/// Bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteRate(pub u64);

/// Error: the text is not a throughput.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is not a throughput: {expected}")]
pub struct ByteRateError {
    written: String,
    expected: &'static str,
}

impl ByteRate {
    /// Smallest throughput in a file; Confluent recommends no less (docs/reference/quotas.md#client-quotas).
    pub const MIN: Self = Self(1_000_000);
    /// Largest throughput in a file: more than any cluster has (docs/reference/quotas.md#client-quotas).
    pub const MAX: Self = Self(100_000_000_000);
    /// Decimal units, largest first.
    const UNITS: [(&'static str, u64); 4] = [
        ("GB/s", 1_000_000_000),
        ("MB/s", 1_000_000),
        ("kB/s", 1_000),
        ("B/s", 1),
    ];
}

impl FromStr for ByteRate {
    type Err = ByteRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |expected| ByteRateError {
            written: text.to_owned(),
            expected,
        };
        let form = "expected a number and a unit, such as `5 MB/s`, with `kB/s`, `MB/s` or `GB/s`";
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let number: u64 = text[..digits].parse().map_err(|_| fail(form))?;
        let unit = text[digits..].strip_prefix(' ').unwrap_or(&text[digits..]);
        let units = Self::UNITS.iter();
        let (_, factor) = units
            .copied()
            .find(|(known, _)| *known == unit)
            .ok_or_else(|| fail(form))?;
        let rate = Self(number.saturating_mul(factor));
        if rate < Self::MIN {
            return Err(fail("the minimum is `1 MB/s`"));
        }
        if rate > Self::MAX {
            return Err(fail("the maximum is `100 GB/s`"));
        }
        Ok(rate)
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |(_, factor): &(&str, u64)| self.0 >= *factor && self.0.is_multiple_of(*factor);
        let (unit, factor) = Self::UNITS.into_iter().find(exact).unwrap_or(("B/s", 1));
        out.pad(&format!("{} {unit}", self.0 / factor))
    }
}

/// Maximum throughput of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Throughput {
    /// From clients to the cluster: what sources write. Bytes per second.
    pub ingress: ByteRate,
    /// From the cluster to clients: what sinks read. Bytes per second.
    pub egress: ByteRate,
}

impl fmt::Display for Throughput {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ingress {}, egress {}", self.ingress, self.egress)
    }
}

/// Client quota of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientQuota {
    /// Principal. A quota of several principals belongs to none of them: this is then a list of their ids.
    pub principal: Principal,
    /// Principals of a quota of several, each of which has the whole throughput; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_by: Vec<Principal>,
    /// Maximum throughput.
    #[serde(flatten)]
    pub throughput: Throughput,
    /// Id; `None` for a desired quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientQuotaId>,
    /// Name, for display.
    pub name: String,
}

impl ClientQuota {
    /// Returns the quota `id` of all `principals`.
    #[must_use]
    pub fn observed(id: ClientQuotaId, name: String, principals: Vec<Principal>, throughput: Throughput) -> Self {
        let ids: Vec<&str> = principals.iter().map(Principal::id).collect();
        Self {
            principal: Principal::from_id(&ids.join(", ")),
            throughput,
            id: Some(id),
            name,
            shared_by: if principals.len() > 1 { principals } else { Vec::new() },
        }
    }

    /// Returns a quota to create for one principal.
    #[must_use]
    pub fn desired(name: String, principal: Principal, throughput: Throughput) -> Self {
        Self {
            principal,
            shared_by: Vec::new(),
            throughput,
            id: None,
            name,
        }
    }

    /// Whether it applies to `principal`.
    #[must_use]
    pub fn applies_to(&self, principal: &Principal) -> bool {
        self.principal == *principal || self.shared_by.contains(principal)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_decimal() {
        for (text, bytes) in [
            ("1 MB/s", 1_000_000),
            ("5MB/s", 5_000_000),
            ("20 MB/s", 20_000_000),
            ("2500 kB/s", 2_500_000),
            ("1 GB/s", 1_000_000_000),
            ("100 GB/s", 100_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(ByteRate(bytes)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_rejected() {
        for text in [
            "",
            "5",
            "MB/s",
            "5 MB",
            "5 mb/s",
            "5 MiB/s",
            "5 Mb/s",
            "-5 MB/s",
            "+5 MB/s",
            "5.5 MB/s",
            "1e3 MB/s",
            " 5 MB/s",
            "5  MB/s",
            "5 MB/s ",
            "0 MB/s",
            "999 kB/s",
            "999999 B/s",
            "101 GB/s",
            "99999999999999999999 GB/s",
            "18446744073709551615 GB/s",
            "５ MB/s",
            "unlimited",
        ] {
            assert!(text.parse::<ByteRate>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_is_shown_as_it_can_be_written(bytes in ByteRate::MIN.0..=ByteRate::MAX.0) {
            let rate = ByteRate(bytes);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
