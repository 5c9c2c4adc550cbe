//! How much of a quota is used, in one word.

use serde::Serialize;

use crate::{model::DepartmentQuota, quota::Usage};

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
    /// More is used than may be.
    Over,
}

impl State {
    /// Of one number.
    pub(super) fn of_one(used: u64, limit: u64) -> Self {
        match used {
            _ if used > limit => Self::Over,
            _ if used == limit => Self::Full,
            _ if used * 10 >= limit * 8 => Self::Near,
            _ => Self::Ok,
        }
    }

    /// Of a department's quota: the worse of its two numbers.
    pub(super) fn of(usage: &Usage, quota: &DepartmentQuota) -> Self {
        let one = |used: u32, limit: u32| Self::of_one(used.into(), limit.into());
        one(usage.connectors, quota.connectors).max(one(usage.tasks, quota.tasks))
    }

    /// The word for it, in data.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Near => "near",
            Self::Full => "full",
            Self::Over => "over",
        }
    }

    /// The words for it, for people; none where there is room.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ok => "",
            Self::Near => "nearly full",
            Self::Full => "full",
            Self::Over => "over",
        }
    }
}
