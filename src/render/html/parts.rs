//! Values of the parts that several pages have (`templates/parts.html`).

use crate::{
    fleet::{ConnectorCondition, at_least_prefix},
    model::DepartmentCode,
};

/// Label with the color and the symbol of a condition.
pub(super) struct ConditionBadge {
    pub(super) condition: ConnectorCondition,
    pub(super) label: String,
}

impl ConditionBadge {
    pub(super) fn new(condition: ConnectorCondition, label: impl Into<String>) -> Self {
        let label = label.into();
        Self { condition, label }
    }

    /// Returns the class of the style sheet that sets the colors.
    pub(super) const fn class(&self) -> &'static str {
        self.condition.as_str()
    }

    pub(super) const fn symbol(&self) -> &'static str {
        match self.condition {
            ConnectorCondition::Failed => "✕",
            ConnectorCondition::Degraded => "▲",
            ConnectorCondition::Unknown => "?",
            ConnectorCondition::Starting => "○",
            ConnectorCondition::Paused => "‖",
            ConnectorCondition::Running => "●",
        }
    }
}

impl From<ConnectorCondition> for ConditionBadge {
    fn from(condition: ConnectorCondition) -> Self {
        Self::new(condition, condition.as_str())
    }
}

/// Bar with the used part of a limit.
pub(super) struct UsageMeter {
    pub(super) used: u32,
    limit: u32,
    /// Whether `used` is exact; otherwise it is a lower bound.
    complete: bool,
}

impl UsageMeter {
    pub(super) const fn new(used: u32, limit: u32, complete: bool) -> Self {
        Self { used, limit, complete }
    }

    /// Returns the length of the whole bar in units of `used`.
    pub(super) fn width(&self) -> u32 {
        self.limit.max(self.used).max(1)
    }

    /// Returns the class of the style sheet that sets the colors.
    pub(super) fn class(&self) -> &'static str {
        let condition = match self.used {
            used if used > self.limit => ConnectorCondition::Failed,
            _ if !self.complete => ConnectorCondition::Unknown,
            used if u64::from(used) * 10 >= u64::from(self.limit) * 8 => ConnectorCondition::Degraded,
            _ => ConnectorCondition::Running,
        };
        condition.as_str()
    }
}

/// Sentence with a bar below.
pub(super) struct UsageGauge {
    /// Subject in front of the sentence; may be empty.
    pub(super) label: &'static str,
    pub(super) text: String,
    pub(super) meter: UsageMeter,
}

/// Table whose first column holds the row headings.
pub(super) struct PageTable {
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<TableCell>>,
}

/// Cell of a table.
pub(super) enum TableCell {
    /// Text; may be empty.
    Text(String),
    /// Text from outside, whose words may be broken.
    Prose(String),
    /// Name with a smaller line below.
    Named { name: String, detail: String },
    /// Condition of a connector or a department.
    Condition(ConditionBadge),
    /// Used part of a limit, such as `12 of 20`, with a bar below.
    Usage { text: String, meter: UsageMeter },
    /// Cause of a failure and its fix.
    Problem { reason: String, fix: Option<&'static str> },
}

impl TableCell {
    pub(super) fn text(text: Option<impl Into<String>>) -> Self {
        Self::Text(text.map(Into::into).unwrap_or_default())
    }

    pub(super) fn named(name: impl Into<String>, detail: impl Into<String>) -> Self {
        let (name, detail) = (name.into(), detail.into());
        Self::Named { name, detail }
    }

    pub(super) fn condition(condition: ConnectorCondition, label: impl Into<String>) -> Self {
        Self::Condition(ConditionBadge::new(condition, label))
    }

    pub(super) fn usage(used: u32, limit: u32, complete: bool) -> Self {
        Self::Usage {
            text: format!("{}{used} of {limit}", at_least_prefix(complete)),
            meter: UsageMeter::new(used, limit, complete),
        }
    }

    /// Returns whether a narrow screen leaves out the cell.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// Returns a department for the list of those without connectors.
pub(super) fn name_with_code(name: &str, code: &DepartmentCode) -> String {
    format!("{name} ({code})")
}
