//! From a view to text for people.

use super::{
    escape::escape,
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
        Block::Table(table) => table::list(table, width, palette, out),
        Block::Record(record) => table::record(record, width, palette, out),
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
            widths[column] = widths[column].max(wrap::width(&escape(word)));
        }
    }
    for change in changes {
        let mut line = Line::new()
            .then("  ")
            .styled(change.mark.style(), change.mark.symbol())
            .then(" ")
            .hang(6);
        for (column, word) in change.words.iter().enumerate() {
            let missing = widths[column].saturating_sub(wrap::width(&escape(word)));
            line = line.then(word);
            if column + 1 < change.words.len() {
                line = line.then(" ".repeat(missing + 2));
            }
        }
        // The reason stands beside the change where it fits, else below it.
        let below = match &change.why {
            Some(why) => {
                let long = wrap::line_width(&line) + wrap::width(&escape(why)) + 4 > width;
                let text = format!("{}({why})", if long { "      " } else { "  " });
                if long {
                    Some(Line::new().styled(Style::Muted, text))
                } else {
                    line = line.styled(Style::Muted, text);
                    None
                }
            }
            None => None,
        };
        wrap::styled(&line, width, palette, out);
        if let Some(below) = below {
            wrap::styled(&below, width, palette, out);
        }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diag::{Finding, SourceFile, Span},
        render::view::{Mark, Record, Table},
    };

    fn shown(blocks: &[Block]) -> String {
        render(blocks, 80, Palette::PLAIN)
    }

    // Dossier `native-cli.md` §4.3, `connect cluster describe`.
    #[test]
    fn titled_blocks_stand_two_lines_apart() {
        let record = Record::new().field("ID", "lcc-123").field("Name", "az-connector");
        let tasks = Table::new(["Task", "State"]).row([1_u32.into(), "RUNNING".into()]);
        let blocks = [
            Block::titled("Connector Details", [Block::Record(record)]),
            Block::titled("Task Level Details", [Block::Table(tasks)]),
            Block::titled("Configuration Details", [Block::Empty]),
        ];
        assert_eq!(
            shown(&blocks),
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
    fn a_plan_can_be_read_at_a_glance() {
        let changes = vec![
            Change::new(Mark::Add, ["service-account", "ebs-prod-claims-operator"]),
            Change::new(
                Mark::Add,
                [
                    "role-binding",
                    "ebs-prod-claims-operator",
                    "ConnectManager",
                    "connector:claims-*",
                ],
            )
            .why("status, logs, pause, resume, restart of own connectors"),
            Change::new(Mark::Change, ["service-account", "ebs-prod-claims-viewer"])
                .field("description", "tpl=hybrid@1", "tpl=hybrid@2")
                .field("owner", "", "sa-123456"),
            Change::new(
                Mark::Remove,
                ["role-binding", "ebs-prod-claims-viewer", "DeveloperRead", "topic:old-*"],
            ),
        ];
        let blocks = [Block::line("Department claims"), Block::Diff(changes)];
        insta::assert_snapshot!(shown(&blocks), @r"
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
    fn a_finding_points_into_its_file() {
        let text = "name = \"Claims\"\nprefx = \"claims-\"\n";
        let file = SourceFile::new("departments/claims.toml", text);
        let finding = Finding::error("unknown-key", "unknown key `prefx`")
            .at(Span::new(&file, 16..21))
            .fix("Did you mean `prefix`?");
        let rest = Finding::warning("orphan-department", "the department `motor` has accounts and no file");
        let whole = Finding::error("unreadable", "is not UTF-8").at(Span::new(&file, 0..0));
        insta::assert_snapshot!(shown(&[Block::Findings(vec![finding, rest, whole])]), @r#"
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
    fn a_finding_in_a_hostile_file_cannot_speak_to_the_terminal() {
        let file = SourceFile::new("a\u{1b}[2J.toml", "name = \"\u{1b}]0;x\u{7}\u{202e}\"\n");
        let finding = Finding::error("bad-name", "bad name \u{9b}1m").at(Span::new(&file, 7..13));
        let text = shown(&[Block::Findings(vec![finding])]);
        assert!(
            !text.replace('\n', "").contains(crate::render::escape::is_deceptive),
            "{text:?}"
        );
    }
}
