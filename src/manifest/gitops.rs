//! `[gitops]` of `ebs.toml`: how connectors are applied from Git.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::Serialize;
use toml::{Spanned, de::DeValue};

use super::{
    department::unknown_stage,
    platform::Platform,
    suggest_name,
    toml::{FromToml, TomlTable},
};
use crate::diag::Finding;

/// Settings of `[gitops]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitopsSettings {
    /// Times in which nothing is applied from Git.
    pub freezes: Vec<FreezeWindow>,
    /// Highest risk that a pipeline applies without reviewers, by stage; [`RiskLimit::None`] for a stage that is not listed.
    pub auto_apply: BTreeMap<String, RiskLimit>,
}

/// Highest risk of changes that need no further approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskLimit {
    /// Every change needs an approval.
    #[default]
    None,
    /// Changes with a normal risk need none.
    Normal,
    /// Changes with a normal or high risk need none.
    High,
    /// No change needs one.
    Destructive,
}

impl RiskLimit {
    const ALL: [Self; 4] = [Self::None, Self::Normal, Self::High, Self::Destructive];

    /// Returns the name in `ebs.toml` and in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for RiskLimit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A text is not the name of a risk.
#[derive(Debug, thiserror::Error)]
#[error("unknown risk")]
pub struct UnknownRiskError;

impl FromStr for RiskLimit {
    type Err = UnknownRiskError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = Self::ALL.into_iter();
        known.find(|limit| limit.as_str() == text).ok_or(UnknownRiskError)
    }
}

/// Time in which nothing is applied from Git (`[[gitops.freeze]]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FreezeWindow {
    /// First moment.
    pub from: Timestamp,
    /// First moment after the freeze.
    pub until: Timestamp,
    /// Reason, for the refusal.
    pub reason: String,
    /// Names of the stages; empty for all.
    pub stages: Vec<String>,
}

impl GitopsSettings {
    /// Reads `table`; stages must be stages of `platform`.
    pub(super) fn read(table: &TomlTable<'_>, platform: &Platform) -> Self {
        let freezes = table.tables("freeze");
        Self {
            freezes: freezes
                .iter()
                .filter_map(|freeze| FreezeWindow::read(freeze, platform))
                .collect(),
            auto_apply: table
                .table("auto_apply")
                .map(|limits| read_limits(&limits, platform))
                .unwrap_or_default(),
        }
    }

    /// Returns the highest risk that a pipeline applies in `stage` without reviewers.
    #[must_use]
    pub fn auto_apply_in(&self, stage: &str) -> RiskLimit {
        self.auto_apply.get(stage).copied().unwrap_or_default()
    }

    /// Returns the freeze of `stage` at `now` that ends last.
    #[must_use]
    pub fn freeze(&self, stage: &str, now: Timestamp) -> Option<&FreezeWindow> {
        let active = self.freezes.iter().filter(|freeze| freeze.is_active(stage, now));
        active.max_by_key(|freeze| freeze.until)
    }
}

fn read_limits(table: &TomlTable<'_>, platform: &Platform) -> BTreeMap<String, RiskLimit> {
    let mut limits = BTreeMap::new();
    for (stage, risk) in table.named_texts() {
        if let Some(finding) = unknown_stage(stage.get_ref(), platform) {
            table.report(stage.span(), finding);
        } else if let Ok(limit) = risk.get_ref().parse() {
            limits.insert(stage.into_inner(), limit);
        } else {
            let message = format!("`{}` is not a risk", risk.get_ref().escape_debug());
            let fix = suggest_name(risk.get_ref(), RiskLimit::ALL.into_iter().map(RiskLimit::as_str));
            table.report(risk.span(), Finding::error("invalid-value", message).with_fix(fix));
        }
    }
    limits
}

impl FreezeWindow {
    fn read(table: &TomlTable<'_>, platform: &Platform) -> Option<Self> {
        let from = table.require::<Moment>("from");
        let until = table.require::<Moment>("until");
        let reason = table.require::<String>("reason");
        let stages = table.list("stages").unwrap_or_default();
        for stage in &stages {
            if let Some(finding) = unknown_stage(stage.get_ref(), platform) {
                table.report(stage.span(), finding);
            }
        }
        let (from, until) = (from?, until?);
        let window = Self {
            from: from.get_ref().start(),
            until: until.get_ref().end(),
            reason: reason?.into_inner(),
            stages: stages.into_iter().map(Spanned::into_inner).collect(),
        };
        if window.until <= window.from {
            let finding = Finding::error("invalid-value", "`until` is not after `from`");
            table.report(
                until.span(),
                finding.with_fix("Exchange the two, or remove the freeze."),
            );
            return None;
        }
        Some(window)
    }

    /// Returns the sentence about the freeze of `stage`, without the period.
    #[must_use]
    pub fn describe(&self, stage: &str) -> String {
        format!("stage `{stage}` is frozen until {}: {}", self.until, self.reason)
    }

    fn is_active(&self, stage: &str, now: Timestamp) -> bool {
        let concerns = self.stages.is_empty() || self.stages.iter().any(|own| own == stage);
        concerns && self.from <= now && now < self.until
    }
}

/// Date, which means the whole day in UTC, or a time with an offset.
enum Moment {
    Day(Date),
    Time(Timestamp),
}

impl Moment {
    fn start(&self) -> Timestamp {
        match self {
            Self::Day(day) => start_of_day(*day),
            Self::Time(time) => *time,
        }
    }

    /// Returns the first moment after it: a freeze until a date includes that day.
    fn end(&self) -> Timestamp {
        match self {
            Self::Day(day) => day.checked_add(1.day()).map_or(Timestamp::MAX, start_of_day),
            Self::Time(time) => *time,
        }
    }
}

fn start_of_day(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC)
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

impl FromToml for Moment {
    const EXPECTED: &'static str =
        "a date such as 2026-12-20, or a time with an offset such as 2026-12-20T18:00:00+01:00, without quotes";

    fn read(value: &DeValue<'_>) -> Option<Self> {
        if let Some(day) = Date::read(value) {
            return Some(Self::Day(day));
        }
        // A time without an offset depends on the machine, and `Timestamp` rejects it.
        value.as_datetime()?.to_string().parse().ok().map(Self::Time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diag::SourceFile, manifest::platform};

    const STAGES: &str = "[stages.test]\nenvironment = \"env-a\"\ncluster = \"lkc-a\"\n[stages.prod]\nenvironment = \
                          \"env-b\"\ncluster = \"lkc-b\"\n";

    fn read(freeze: &str) -> (GitopsSettings, Vec<String>) {
        let text = format!("default_stage = \"test\"\n{STAGES}[[gitops.freeze]]\n{freeze}");
        let (file, findings) = platform::read(&SourceFile::new("ebs.toml", text));
        let messages = findings.iter().map(|finding| finding.message.clone());
        (file.platform.gitops, messages.collect())
    }

    fn is_frozen(settings: &GitopsSettings, stage: &str, now: &str) -> bool {
        settings.freeze(stage, now.parse().unwrap()).is_some()
    }

    #[test]
    fn a_freeze_until_a_date_includes_this_day_in_utc() {
        let (settings, messages) =
            read("from = 2026-12-20\nuntil = 2027-01-03\nreason = \"year end\"\nstages = [\"prod\"]\n");
        assert_eq!(messages, [""; 0]);
        for (now, frozen) in [
            ("2026-12-19T23:59:59Z", false),
            ("2026-12-20T00:00:00Z", true),
            ("2027-01-03T23:59:59Z", true),
            ("2027-01-04T00:00:00Z", false),
        ] {
            assert_eq!(is_frozen(&settings, "prod", now), frozen, "{now}");
            assert!(!is_frozen(&settings, "test", now), "{now}");
        }
    }

    #[test]
    fn a_freeze_without_stages_concerns_all_and_its_times_have_an_offset() {
        let (settings, messages) =
            read("from = 2026-12-20T18:00:00+01:00\nuntil = 2026-12-20T20:00:00+01:00\nreason = \"release\"\n");
        assert_eq!(messages, [""; 0]);
        assert!(is_frozen(&settings, "test", "2026-12-20T17:00:00Z"));
        assert!(!is_frozen(&settings, "prod", "2026-12-20T19:00:00Z"));
    }

    #[test]
    fn mistakes_in_a_freeze_are_findings() {
        let (settings, messages) = read("from = 2026-12-20\nuntil = 2026-12-19\nreason = \"x\"\n");
        assert_eq!(
            (settings.freezes.len(), messages.as_slice()),
            (0, &["`until` is not after `from`".to_owned()][..])
        );
        let (_, messages) =
            read("from = 2026-12-20T18:00:00\nuntil = \"2026-12-21\"\nreason = \"x\"\nstages = [\"prd\"]\n");
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(
            messages[0].contains("expected a date such as 2026-12-20"),
            "{messages:?}"
        );
        assert_eq!(messages[2], "no stage `prd` in `ebs.toml`");
        let (_, messages) = read("from = 2026-12-20\nuntil = 2026-12-21\n");
        assert_eq!(messages, ["`gitops.freeze.reason` is missing"]);
    }
}
