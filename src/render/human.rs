//! From a view to text for people.

use super::{
    findings,
    style::{Palette, Style},
    table,
    view::{Block, Change, Line},
    wrap,
};

/// `blocks` as text of at most `width` columns, ending in a line break.
pub(super) fn render(blocks: &[Block], width: usize, palette: Palette) -> String {
    let mut out = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            let titled = matches!(block, Block::Titled { .. }) || matches!(blocks[index - 1], Block::Titled { .. });
            out.push_str(if titled { "\n\n" } else { "\n" });
        }
        self::block(block, width, palette, &mut out);
    }
    out
}

fn block(block: &Block, width: usize, palette: Palette, out: &mut String) {
    match block {
        Block::Table(table) => table::list(table, width, out),
        Block::Record(record) => table::record(record, width, out),
        Block::Lines(lines) => {
            for line in lines {
                wrap::styled(line, width, palette, out);
            }
        }
        Block::Diff(changes) => diff(changes, width, palette, out),
        Block::Findings(list) => out.push_str(&findings::human(list, width, palette)),
        Block::Titled { title, blocks } => {
            wrap::styled(&Line::new().styled(Style::Heading, title), width, palette, out);
            out.push_str(&render(blocks, width, palette));
        }
        Block::Empty => out.push_str("None found.\n"),
        Block::Verbatim(text) => out.push_str(text),
    }
}

fn diff(changes: &[Change], width: usize, palette: Palette, out: &mut String) {
    let columns = changes.iter().map(|change| change.words.len()).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for change in changes {
        // The last word of a change is followed by nothing, so it does not push the others apart.
        for (column, word) in change
            .words
            .iter()
            .enumerate()
            .take(change.words.len().saturating_sub(1))
        {
            widths[column] = widths[column].max(wrap::width(&super::escape::escape(word)));
        }
    }
    for change in changes {
        let mut line = Line::new()
            .then("  ")
            .styled(change.mark.style(), change.mark.symbol())
            .then(" ")
            .hang(6);
        for (column, word) in change.words.iter().enumerate() {
            let missing = widths[column].saturating_sub(wrap::width(&super::escape::escape(word)));
            line = line.then(word);
            if column + 1 < change.words.len() {
                line = line.then(" ".repeat(missing + 2));
            }
        }
        if let Some(why) = &change.why {
            line = line.styled(Style::Muted, format!("  ({why})"));
        }
        wrap::styled(&line, width, palette, out);

        let names = change
            .fields
            .iter()
            .map(|field| wrap::width(&field.name))
            .max()
            .unwrap_or(0);
        for field in &change.fields {
            let mut line = Line::from(format!("      {:names$}  ", field.name)).hang(names + 2);
            if field.old.is_empty() {
                line = line.styled(Style::Added, &field.new);
            } else {
                line = line
                    .styled(Style::Removed, &field.old)
                    .then(" → ")
                    .styled(Style::Added, if field.new.is_empty() { "(none)" } else { &field.new });
            }
            wrap::styled(&line, width, palette, out);
        }
    }
}
