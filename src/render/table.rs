//! Tables as the stock CLI prints them (dossier `native-cli.md` §4.3): lists without an outer border, records with one.
//! Never coloured, so that a pasted table is the table that was seen.

use comfy_table::{
    Cell as TableCell, CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table as Grid, TableStyle,
};

use super::{
    escape::{escape, escape_lines},
    view::{Cell, Record, Table},
    wrap,
};

/// At this many columns a cell of a list is wrapped, however wide the terminal is.
const CELL_WIDTH: usize = 30;

/// Below this many columns a cell cannot be read any more.
const NARROWEST: usize = 8;

/// The stock CLI's list: blanks instead of the outer border, a rule below the header.
const LIST: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::new(' ', '|', ' '))
    .header_separator(LineStyle::new('-', '-', '+', '-'))
    .content_lines(ContentLineStyle::new(' ', '|', ' '));

/// The stock CLI's record: a border around names and values, no header.
const BORDERED: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('+', '-', '+', '+'))
    .content_lines(ContentLineStyle::new('|', '|', '|'))
    .bottom_border(LineStyle::new('+', '-', '+', '+'));

/// Appends `table`, at most `width` columns wide. When its columns would become unreadably narrow, each row is shown as
/// a record instead.
pub(super) fn list(table: &Table, width: usize, out: &mut String) {
    if table.rows.is_empty() {
        out.push_str("None found.\n");
        return;
    }
    let texts = table
        .rows
        .iter()
        .map(|row| row.iter().map(cell_text).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let Some(limits) = limits(&table.columns, &texts, width) else {
        return rows_as_records(table, width, out);
    };
    let fold = |text: &str, column: usize| fold(text, limits[column].min(CELL_WIDTH), limits[column]);

    let mut grid = grid(LIST);
    grid.set_header(
        table
            .columns
            .iter()
            .enumerate()
            .map(|(column, heading)| TableCell::new(fold(heading, column)).set_alignment(CellAlignment::Center)),
    );
    for (row, texts) in table.rows.iter().zip(&texts) {
        grid.add_row(row.iter().zip(texts).enumerate().map(|(column, (cell, text))| {
            TableCell::new(fold(text, column)).set_alignment(match cell {
                Cell::Integer(_) => CellAlignment::Right,
                Cell::Text(_) | Cell::Multiline(_) => CellAlignment::Left,
            })
        }));
    }
    finish(&grid, out);
}

/// Appends `record`, at most `width` columns wide.
pub(super) fn record(record: &Record, width: usize, out: &mut String) {
    let names = record
        .fields
        .iter()
        .map(|(name, _)| wrap::width(name))
        .max()
        .unwrap_or(0);
    // Two borders, the line between, and a blank on either side of both.
    let room = width.saturating_sub(names + 7).max(NARROWEST);
    let mut grid = grid(BORDERED);
    for (name, value) in &record.fields {
        grid.add_row([(*name).to_owned(), fold(&cell_text(value), room, room)]);
    }
    finish(&grid, out);
}

fn rows_as_records(table: &Table, width: usize, out: &mut String) {
    for (index, row) in table.rows.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let fields = table.columns.iter().copied().zip(row.iter().cloned()).collect();
        record(&Record { fields }, width, out);
    }
}

fn grid(style: TableStyle) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(style);
    // Cells are folded here, since only we know the stock CLI's rule.
    grid.set_content_arrangement(ContentArrangement::Disabled);
    grid
}

fn finish(grid: &Grid, out: &mut String) {
    for line in grid.lines() {
        out.push_str(&line);
        out.push('\n');
    }
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape(text).into_owned(),
        Cell::Multiline(text) => escape_lines(text.trim_end()).into_owned(),
        Cell::Integer(number) => number.to_string(),
    }
}

/// `text` in lines of about `limit` columns, and never more than `most`.
fn fold(text: &str, limit: usize, most: usize) -> String {
    text.split('\n')
        .flat_map(|line| {
            // A line that fits keeps its blanks.
            if wrap::width(line) <= limit {
                vec![line.to_owned()]
            } else {
                wrap::even(line, limit)
            }
        })
        .flat_map(|line| wrap::chop(&line, most))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How wide each column may become so that the table fits into `width`; nothing when it cannot fit.
fn limits(columns: &[&str], rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let cells = |column: usize| {
        let heading = columns.get(column).copied().unwrap_or_default();
        rows.iter()
            .filter_map(move |row| row.get(column).map(String::as_str))
            .chain([heading])
    };
    let widest = |part: &dyn Fn(&str) -> usize| {
        (0..columns.len())
            .map(|c| cells(c).map(part).max().unwrap_or(0))
            .collect::<Vec<_>>()
    };
    let words = widest(&|text| text.split_whitespace().map(wrap::width).max().unwrap_or(0));
    let natural = widest(&|text| {
        let folded = fold(text, CELL_WIDTH, usize::MAX);
        folded.split('\n').map(wrap::width).max().unwrap_or(0)
    });

    // One blank on either side of every cell, a line between the columns, a blank for each missing border.
    let room = width.checked_sub(3 * columns.len() + 1)?;
    let fits = |limits: &Vec<usize>| limits.iter().sum::<usize>() <= room;
    if fits(&natural) {
        return Some(natural);
    }
    // Narrow the widest columns: first without breaking a word, then with.
    let most = natural.iter().copied().max().unwrap_or(0);
    let narrowed = |least: &dyn Fn(usize) -> usize| {
        (NARROWEST..=most).rev().find_map(|cap| {
            let limits = (0..columns.len())
                .map(|column| natural[column].min(cap.max(least(column))))
                .collect::<Vec<_>>();
            fits(&limits).then_some(limits)
        })
    };
    narrowed(&|column| words[column]).or_else(|| narrowed(&|_| 0))
}
