//! View of `keys rotate` and `keys revoke`.

use crate::{
    commands::provisioning::{delivery_lines, plan_view::change_blocks, probe_line},
    provisioning::keys::KeysOutcome,
    render::{Block, Style, TextLine, Viewable},
    text::count_noun,
};

/// Returns a plan as blocks.
pub(super) fn plan_blocks(planned: &KeysOutcome) -> Vec<Block> {
    let mut blocks = change_blocks(&planned.changes);
    blocks.extend(notice_block(&planned.notices));
    blocks
}

fn notice_block(notices: &[String]) -> Option<Block> {
    let lines = notices
        .iter()
        .map(|notice| TextLine::from(notice.as_str()).with_hanging_indent(2));
    (!notices.is_empty()).then(|| Block::Lines(lines.collect()))
}

impl Viewable for KeysOutcome {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            return plan_blocks(self);
        }
        let Some(report) = &self.report else {
            let text = format!("Stage `{}`: no API keys were created or deleted.", self.stage);
            let mut lines = vec![TextLine::from(text)];
            lines.extend(delivery_lines(&self.deliveries, 0));
            let mut blocks = vec![Block::Lines(lines)];
            blocks.extend(notice_block(&self.notices));
            return blocks;
        };
        let (created, deleted) = (self.count_created(), self.count_deleted());
        let style = if report.is_complete() { Style::Ok } else { Style::Error };
        let mut parts = Vec::new();
        if created > 0 {
            parts.push(format!("{} created", count_noun(created, "API key")));
        }
        if deleted > 0 {
            parts.push(format!("{} deleted", count_noun(deleted, "API key")));
        }
        if !report.profiles.is_empty() {
            parts.push(format!("{} written", count_noun(report.profiles.len(), "profile")));
        }
        if parts.is_empty() {
            parts.push("nothing was changed".to_owned());
        }
        let headline = format!("Stage `{}`: {}.", self.stage, parts.join(", "));
        let mut lines = vec![TextLine::new().with_styled_text(style, headline)];
        for profile in &report.profiles {
            let text = format!(
                "  {} of {}: `{}`",
                profile.persona,
                profile.department,
                profile.path.display()
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        if deleted > 0 {
            let text = "Remove the profiles of deleted keys with `confluent ebs profile prune`.";
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        lines.extend(delivery_lines(&self.deliveries, self.count_delivered()));
        lines.extend(probe_line(report.count_verdicts()));
        for failure in &report.failures {
            let failed = TextLine::new().with_styled_text(Style::Error, "failed");
            lines.push(
                failed
                    .with_text(format!("  {}: {}", failure.label, failure.reason))
                    .with_hanging_indent(8),
            );
        }
        if let [first, ..] = self.evidence.as_slice() {
            let folder = first.parent().unwrap_or(first).display();
            let files = count_noun(self.evidence.len(), "file");
            lines.push(TextLine::from(format!("Evidence: {files} in `{folder}`.")).with_hanging_indent(2));
        }
        let mut blocks = vec![Block::Lines(lines)];
        blocks.extend(notice_block(&self.notices));
        blocks
    }
}
