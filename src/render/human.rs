//! Rendering of views as text.

use super::{
    escape::escape,
    findings,
    style::{Palette, Style},
    table,
    view::{Block, DiffEntry, TextLine},
    wrap,
};

/// Renders `blocks` as text of at most `width` columns, ending in a line break.
pub(super) fn render(blocks: &[Block], width: usize, palette: Palette) -> String {
    let mut out = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            let titled = matches!(block, Block::Titled { .. }) || matches!(blocks[index - 1], Block::Titled { .. });
            out.push_str(if titled { "\n\n" } else { "\n" });
        }
        self::render_block(block, width, palette, &mut out);
    }
    out
}

fn render_block(block: &Block, width: usize, palette: Palette, out: &mut String) {
    match block {
        Block::Table(table) => table::render_list(table, width, palette, out),
        Block::Record(record) => table::render_record(record, width, palette, out),
        Block::Lines(lines) => {
            for line in lines {
                wrap::write_wrapped(line, width, palette, out);
            }
        }
        Block::Diff(changes) => render_diff(changes, width, palette, out),
        Block::Findings(list) => out.push_str(&findings::render_findings(list, width, palette)),
        Block::Titled { title, blocks } => {
            wrap::write_wrapped(
                &TextLine::new().with_styled_text(Style::Heading, title),
                width,
                palette,
                out,
            );
            out.push_str(&render(blocks, width, palette));
        }
        Block::Empty => out.push_str("None found.\n"),
        Block::Verbatim(text) => out.push_str(text),
    }
}

fn render_diff(changes: &[DiffEntry], width: usize, palette: Palette, out: &mut String) {
    let columns = changes.iter().map(|change| change.columns.len()).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for change in changes {
        // The last column needs no alignment.
        for (column, word) in change
            .columns
            .iter()
            .enumerate()
            .take(change.columns.len().saturating_sub(1))
        {
            widths[column] = widths[column].max(wrap::width(&escape(word)));
        }
    }
    for change in changes {
        let mut line = TextLine::new()
            .with_text("  ")
            .with_styled_text(change.mark.style(), change.mark.symbol())
            .with_text(" ")
            .with_hanging_indent(6);
        for (column, word) in change.columns.iter().enumerate() {
            let missing = widths[column].saturating_sub(wrap::width(&escape(word)));
            line = line.with_text(word);
            if column + 1 < change.columns.len() {
                line = line.with_text(" ".repeat(missing + 2));
            }
        }
        // The reason follows on the same line if it fits, else on the next.
        let below = match &change.reason {
            Some(why) => {
                let long = wrap::line_width(&line) + wrap::width(&escape(why)) + 4 > width;
                let text = format!("{}({why})", if long { "      " } else { "  " });
                if long {
                    Some(TextLine::new().with_styled_text(Style::Muted, text))
                } else {
                    line = line.with_styled_text(Style::Muted, text);
                    None
                }
            }
            None => None,
        };
        wrap::write_wrapped(&line, width, palette, out);
        if let Some(below) = below {
            wrap::write_wrapped(&below, width, palette, out);
        }

        let names = change
            .fields
            .iter()
            .map(|field| wrap::width(&field.name))
            .max()
            .unwrap_or(0);
        for field in &change.fields {
            let mut line = TextLine::from(format!("      {:names$}  ", field.name)).with_hanging_indent(names + 2);
            if field.old.is_empty() {
                line = line.with_styled_text(Style::Added, &field.new);
            } else {
                line = line
                    .with_styled_text(Style::Removed, &field.old)
                    .with_text(" → ")
                    .with_styled_text(Style::Added, if field.new.is_empty() { "(none)" } else { &field.new });
            }
            wrap::write_wrapped(&line, width, palette, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diag::{Finding, SourceFile, SourceSpan},
        render::view::{ChangeMark, Record, Table},
    };

    fn rendered(blocks: &[Block]) -> String {
        render(blocks, 80, Palette::PLAIN)
    }

    // docs/reference/cli.md#tables, `connect cluster describe`.
    #[test]
    fn titled_blocks_are_two_lines_apart() {
        let record = Record::new().field("ID", "lcc-123").field("Name", "az-connector");
        let tasks = Table::new(["Task", "State"]).row([1_u32.into(), "RUNNING".into()]);
        let blocks = [
            Block::titled("Connector Details", [Block::Record(record)]),
            Block::titled("Task Level Details", [Block::Table(tasks)]),
            Block::titled("Configuration Details", [Block::Empty]),
        ];
        assert_eq!(
            rendered(&blocks),
            concat!(
                "Connector Details\n",
                "+------+--------------+\n",
                "| ID   | lcc-123      |\n",
                "| Name | az-connector |\n",
                "+------+--------------+\n",
                "\n\n",
                "Task Level Details\n",
                "  Task |  State   \n",
                "-------+----------\n",
                "     1 | RUNNING  \n",
                "\n\n",
                "Configuration Details\n",
                "None found.\n",
            )
        );
    }

    #[test]
    fn the_columns_of_a_plan_are_aligned() {
        let changes = vec![
            DiffEntry::new(ChangeMark::Add, ["service-account", "ebs-prod-claims-operator"]),
            DiffEntry::new(
                ChangeMark::Add,
                [
                    "role-binding",
                    "ebs-prod-claims-operator",
                    "ConnectManager",
                    "connector:claims-*",
                ],
            )
            .with_reason("status, logs, pause, resume, restart of own connectors"),
            DiffEntry::new(ChangeMark::Change, ["service-account", "ebs-prod-claims-viewer"])
                .field("description", "tpl=hybrid@1", "tpl=hybrid@2")
                .field("owner", "", "sa-123456"),
            DiffEntry::new(
                ChangeMark::Remove,
                ["role-binding", "ebs-prod-claims-viewer", "DeveloperRead", "topic:old-*"],
            ),
        ];
        let blocks = [Block::line("Department claims"), Block::Diff(changes)];
        insta::assert_snapshot!(rendered(&blocks), @r"
        Department claims

          + service-account  ebs-prod-claims-operator
          + role-binding     ebs-prod-claims-operator  ConnectManager
                connector:claims-*
              (status, logs, pause, resume, restart of own connectors)
          ~ service-account  ebs-prod-claims-viewer
              description  tpl=hybrid@1 → tpl=hybrid@2
              owner        sa-123456
          - role-binding     ebs-prod-claims-viewer    DeveloperRead   topic:old-*
        ");
    }

    #[test]
    fn a_finding_shows_its_source_line() {
        let text = "name = \"Claims\"\nprefx = \"claims-\"\n";
        let file = SourceFile::new("departments/claims.toml", text);
        let finding = Finding::error("unknown-key", "unknown key `prefx`")
            .with_span(SourceSpan::new(&file, 16..21))
            .with_fix("Did you mean `prefix`?");
        let rest = Finding::warning("orphan-department", "the department `motor` has accounts and no file");
        let whole = Finding::error("unreadable", "is not UTF-8").with_span(SourceSpan::new(&file, 0..0));
        insta::assert_snapshot!(rendered(&[Block::Findings(vec![finding, rest, whole])]), @r#"
        error[unknown-key]: unknown key `prefx`
         --> departments/claims.toml:2:1
          |
        2 | prefx = "claims-"
          | ^^^^^
          |
          = help: Did you mean `prefix`?

        warning[orphan-department]: the department `motor` has accounts and no file

        error[unreadable]: is not UTF-8
        --> departments/claims.toml

        Found 2 errors and 1 warning.
        "#);
    }

    #[test]
    fn a_finding_at_the_end_of_a_line_shows_the_line() {
        let file = SourceFile::new("departments/legal.toml", "name = \"Legal\nprefix = \"legal-\"\n");
        let finding = Finding::error("toml-syntax", "unclosed").with_span(SourceSpan::new(&file, 13..13));
        let text = rendered(&[Block::Findings(vec![finding])]);
        assert!(text.contains("departments/legal.toml:1:13"), "{text}");
        assert!(text.contains("1 | name = \"Legal"), "{text}");
    }

    #[test]
    fn control_characters_in_a_findings_source_are_escaped() {
        let file = SourceFile::new("a\u{1b}[2J.toml", "name = \"\u{1b}]0;x\u{7}\u{202e}\"\n");
        let finding = Finding::error("bad-name", "bad name \u{9b}1m").with_span(SourceSpan::new(&file, 7..13));
        let text = rendered(&[Block::Findings(vec![finding])]);
        assert!(
            !text.replace('\n', "").contains(crate::render::escape::is_deceptive),
            "{text:?}"
        );
    }
}
