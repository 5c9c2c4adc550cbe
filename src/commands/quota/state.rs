//! How much of a quota is used, in one word.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{api::connect::Expanded, commands::fleet::tells_tasks, model::DepartmentQuota, quota::Usage};

/// How much of a quota is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// There is room.
    Ok,
    /// 80 % are used (dossier `quotas.md` §5.3).
    Near,
    /// Nothing is left.
    Full,
    /// What is used is not known, and may be too much.
    Unknown,
    /// More is used than may be.
    Over,
}

impl State {
    /// Of one number.
    pub(super) fn of_one(used: u64, limit: u64) -> Self {
        match used {
            // Of nothing, too: who uses nothing is in nobody's way.
            0 => Self::Ok,
            _ if used > limit => Self::Over,
            _ if used == limit => Self::Full,
            // The provider's numbers may be as large as their type.
            _ if u128::from(used) * 10 >= u128::from(limit) * 8 => Self::Near,
            _ => Self::Ok,
        }
    }

    /// Of tasks, which are a lower bound unless it is `complete`. More than may be is too much all the same.
    pub(super) fn of_tasks(used: u32, limit: u32, complete: bool) -> Self {
        match Self::of_one(used.into(), limit.into()) {
            Self::Over => Self::Over,
            _ if !complete => Self::Unknown,
            state => state,
        }
    }

    /// Of a department's quota: the worse of its two numbers.
    pub(super) fn of(usage: &Usage, quota: &DepartmentQuota, complete: bool) -> Self {
        let connectors = Self::of_one(usage.connectors.into(), quota.connectors.into());
        connectors.max(Self::of_tasks(usage.tasks, quota.tasks, complete))
    }

    /// The word for it, in data.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Near => "near",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Over => "over",
        }
    }

    /// The words for it, for people; none where there is room.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ok => "",
            Self::Near => "nearly full",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Over => "over",
        }
    }
}

/// Whether it is known of all connectors that `usage` counts how many tasks count.
pub(super) fn is_complete(usage: &Usage, list: &BTreeMap<String, Expanded>) -> bool {
    let mut counted = usage.tasks_by_connector.keys();
    counted.all(|name| list.get(name).is_some_and(tells_tasks))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Dossier `quotas.md` §5.3: 80 %. A provider's limit can be as large as its field (§1.5).
    #[test]
    fn every_number_has_a_state_the_largest_and_none_at_all() {
        let huge = 4_611_686_018_427_387_904;
        for (used, limit, state) in [
            (0, 0, State::Ok),
            (0, 1, State::Ok),
            (1, 0, State::Over),
            (7, 10, State::Ok),
            (8, 10, State::Near),
            (10, 10, State::Full),
            (11, 10, State::Over),
            (3, huge, State::Ok),
            (huge - 1, huge, State::Near),
            (huge / 2, huge, State::Ok),
            (u64::MAX, u64::MAX, State::Full),
            (u64::MAX, huge, State::Over),
        ] {
            assert_eq!(State::of_one(used, limit), state, "{used} of {limit}");
        }
    }
}
