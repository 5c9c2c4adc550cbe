//! `[gitops]` of `ebs.toml`: settings of the pipelines that apply connector files.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{suggest_name, toml::TomlTable};
use crate::diag::Finding;

/// Settings of pipelines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitopsSettings {
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

impl GitopsSettings {
    /// Reads the table. `stages` are the names of the stages.
    pub(super) fn read(table: &TomlTable<'_>, stages: &[&str]) -> Self {
        let mut settings = Self::default();
        let Some(limits) = table.table("auto_apply") else {
            return settings;
        };
        for (stage, risk) in limits.named_texts() {
            let (name, text) = (stage.get_ref(), risk.get_ref());
            // Without stages, the missing table is reported.
            if !stages.is_empty() && !stages.contains(&name.as_str()) {
                let finding = Finding::error("unknown-stage", format!("no stage `{}`", name.escape_debug()));
                let fix = suggest_name(name, stages.iter().copied());
                limits.report(stage.span(), finding.with_fix(fix));
                continue;
            }
            if let Ok(limit) = text.parse() {
                settings.auto_apply.insert(stage.into_inner(), limit);
            } else {
                let message = format!("`{}` is not a risk", text.escape_debug());
                let fix = suggest_name(text, RiskLimit::ALL.into_iter().map(RiskLimit::as_str));
                limits.report(risk.span(), Finding::error("invalid-value", message).with_fix(fix));
            }
        }
        settings
    }

    /// Returns the highest risk that a pipeline applies in `stage` without reviewers.
    #[must_use]
    pub fn auto_apply_in(&self, stage: &str) -> RiskLimit {
        self.auto_apply.get(stage).copied().unwrap_or_default()
    }
}
