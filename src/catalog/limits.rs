//! Limits of numeric values: the smallest and the largest number that a key accepts. The service reports them only for a
//! value outside of them.

use super::schema::{ConnectorDirection, KeySchema, PluginSchema, ValueType};

/// Numbers that a key accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLimits {
    /// Smallest number.
    pub min: i64,
    /// Smallest number on a Dedicated cluster.
    pub min_dedicated: i64,
    /// Largest number.
    pub max: Option<i64>,
}

impl ValueLimits {
    const fn between(min: i64, max: Option<i64>) -> Self {
        Self {
            min,
            min_dedicated: min,
            max,
        }
    }

    /// Returns whether a number is too small or too large on a cluster that is not Dedicated.
    #[must_use]
    pub fn excludes(self, number: i64) -> bool {
        number < self.min || self.max.is_some_and(|max| number > max)
    }
}

/// Returns the limits of a key (docs/reference/connect.md#limits-of-values).
#[must_use]
pub fn value_limits(plugin: &PluginSchema, key: &KeySchema) -> Option<ValueLimits> {
    if !matches!(key.value_type, ValueType::Int | ValueType::Long | ValueType::Short) {
        return None;
    }
    let is_sink = plugin.direction == ConnectorDirection::Sink;
    Some(match key.name.as_str() {
        "flush.size" if is_sink => ValueLimits {
            min_dedicated: 1,
            ..ValueLimits::between(1_000, None)
        },
        "s3.part.size" => ValueLimits::between(5_242_880, Some(2_147_483_647)),
        "max.poll.interval.ms" | "max.poll.records" => ValueLimits::between(1, None),
        name if name.rsplit('.').next() == Some("port") => ValueLimits::between(1, Some(65_535)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;

    // Every default is inside the limits, and every family of keys of docs/reference/connect.md#limits-of-values is known.
    #[test]
    fn defaults_are_inside_the_limits() {
        let mut limited = std::collections::BTreeSet::new();
        for plugin in catalog().plugins() {
            for key in plugin.keys.values() {
                let Some(limits) = value_limits(plugin, key) else {
                    continue;
                };
                limited.insert(key.name.as_str());
                let default = key.default.and_then(|default| default.parse().ok());
                let inside = default.is_none_or(|default| !limits.excludes(default));
                assert!(inside, "{} {}", plugin.class, key.name);
            }
        }
        for key in [
            "flush.size",
            "s3.part.size",
            "max.poll.interval.ms",
            "max.poll.records",
            "database.port",
            "connection.port",
        ] {
            assert!(limited.contains(key), "{key}");
        }
    }
}
