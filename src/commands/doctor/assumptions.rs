//! `confluent ebs doctor --assumptions`.

use serde::Serialize;

use crate::{
    checks::assumptions::Assumption,
    render::{Block, Line, Style, Viewable},
};

/// What nobody could yet try.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::commands) struct AssumptionList {
    list: Vec<Assumption>,
}

impl AssumptionList {
    pub(super) fn new(list: Vec<Assumption>) -> Self {
        Self { list }
    }
}

impl Viewable for AssumptionList {
    fn view(&self) -> Vec<Block> {
        let mut blocks = vec![Block::line(
            "Nobody could yet try the following on a live organization. What has a switch can be turned over in the \
             sandbox, below `assumptions` in its settings.",
        )];
        blocks.extend(self.list.iter().map(|assumption| {
            let id = assumption.id.as_deref().unwrap_or("–");
            let mut lines = vec![
                Line::new()
                    .styled(Style::Heading, format!("{id:3}"))
                    .then(format!(" {}", assumption.assumed))
                    .hang(4),
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
                ("rests on it", &assumption.depends),
                ("probe", &assumption.probe),
            ];
            for (name, value) in fields {
                if let Some(value) = value {
                    lines.push(Line::from(format!("    {name}: {value}")).hang(2));
                }
            }
            Block::Lines(lines)
        }));
        blocks
    }
}
