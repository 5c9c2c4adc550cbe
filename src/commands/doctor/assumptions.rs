//! `confluent ebs doctor --assumptions`.

use serde::Serialize;

use crate::{
    checks::assumptions::DocumentedAssumption,
    render::{Block, Style, TextLine, Viewable},
};

/// Assumptions about Confluent Cloud that are not verified yet.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands) struct AssumptionList {
    list: Vec<DocumentedAssumption>,
}

impl AssumptionList {
    pub(super) fn new(list: Vec<DocumentedAssumption>) -> Self {
        Self { list }
    }
}

impl Viewable for AssumptionList {
    fn view(&self) -> Vec<Block> {
        let mut blocks = vec![Block::line(
            "The following behavior is not verified on a live organization. Where a switch is given, the sandbox can \
             simulate the alternative: `confluent ebs sandbox start --set assumptions.NAME=VALUE`.",
        )];
        blocks.extend(self.list.iter().map(|assumption| {
            let id = assumption.id.as_deref().unwrap_or("–");
            let mut lines = vec![
                TextLine::new()
                    .with_styled_text(Style::Heading, format!("{id:3}"))
                    .with_text(format!(" {}", assumption.assumed))
                    .with_hanging_indent(4),
            ];
            let switch = assumption
                .switch
                .as_ref()
                .map(|switch| match assumption.values.is_empty() {
                    true => switch.clone(),
                    false => format!("{switch} ({})", assumption.values.join(", ")),
                });
            let fields = [
                ("switch", &switch),
                ("affects", &assumption.depends),
                ("probe", &assumption.probe),
            ];
            for (name, value) in fields {
                if let Some(value) = value {
                    lines.push(TextLine::from(format!("    {name}: {value}")).with_hanging_indent(2));
                }
            }
            Block::Lines(lines)
        }));
        blocks
    }
}
