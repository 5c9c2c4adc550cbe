//! Tables in the format of the Confluent CLI (docs/reference/cli.md#tables): lists without an outer border, records
//! with one. Never coloured, so that a pasted table is unchanged.

use comfy_table::{
    Cell as TableCell, CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table as Grid, TableStyle,
};

use super::{
    escape::{escape, escape_lines},
    sparkline,
    style::{Palette, Style},
    view::{Cell, Record, Table, TextLine},
    wrap,
};

/// Width at which a list's cell is wrapped, regardless of the terminal width.
const CELL_WIDTH: usize = 30;

/// Maximum width of a sparkline.
const CURVE_WIDTH: usize = 60;

/// Minimum width of a column.
const MIN_COLUMN_WIDTH: usize = 8;

/// List style of the Confluent CLI: spaces instead of the outer border, a rule below the header.
const LIST: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::new(' ', '|', ' '))
    .header_separator(LineStyle::new('-', '-', '+', '-'))
    .content_lines(ContentLineStyle::new(' ', '|', ' '));

/// Record style of the Confluent CLI: a border around names and values, no header.
const BORDERED: TableStyle = TableStyle::new()
    .top_border(LineStyle::new('+', '-', '+', '+'))
    .content_lines(ContentLineStyle::new('|', '|', '|'))
    .bottom_border(LineStyle::new('+', '-', '+', '+'));

/// Appends `table`, at most `width` columns wide. If it is too wide, it first loses its empty and its optional columns;
/// if it is still too wide, each row is printed as a record. Words are never broken, except very long ones.
pub(super) fn render_list(table: &Table, width: usize, palette: Palette, out: &mut String) {
    if table.rows.is_empty() {
        out.push_str("None found.\n");
        return;
    }
    let (width, cell_width) = if palette.unlimited_width {
        (usize::MAX, usize::MAX)
    } else {
        (width, CELL_WIDTH)
    };
    let full = column_texts(table);
    if let Some(limits) = column_limits(table, &full, width, cell_width, usize::MAX) {
        return render_grid(table, &full, &limits, cell_width, palette, out);
    }
    let mut narrowed = table.clone();
    let has_text = |column: usize| {
        full.iter()
            .any(|row| row.get(column).is_some_and(|text| !text.is_empty()))
    };
    let empty = table
        .columns
        .iter()
        .enumerate()
        .filter(|(column, _)| !has_text(*column));
    let empty = empty.map(|(_, heading)| (heading.as_ref(), false));
    let optional = table.optional_columns.iter().map(|heading| (*heading, true));
    let mut left_out = Vec::new();
    for (heading, is_missed) in empty.chain(optional) {
        if !remove_column(&mut narrowed, heading) {
            continue;
        }
        left_out.extend(is_missed.then_some(heading));
        let texts = column_texts(&narrowed);
        if let Some(limits) = column_limits(&narrowed, &texts, width, cell_width, usize::MAX) {
            render_grid(&narrowed, &texts, &limits, cell_width, palette, out);
            return report_left_out(&left_out, width, palette, out);
        }
    }
    let texts = column_texts(&narrowed);
    match column_limits(&narrowed, &texts, width, cell_width, CELL_WIDTH) {
        Some(limits) => {
            render_grid(&narrowed, &texts, &limits, cell_width, palette, out);
            report_left_out(&left_out, width, palette, out);
        }
        None => rows_as_records(table, width, palette, out),
    }
}

/// Removes a column; returns whether there was one, and another one remains.
fn remove_column(table: &mut Table, heading: &str) -> bool {
    let found = table.columns.iter().position(|column| column == heading);
    let Some(column) = found.filter(|_| table.columns.len() > 1) else {
        return false;
    };
    table.columns.remove(column);
    for row in &mut table.rows {
        if column < row.len() {
            row.remove(column);
        }
    }
    true
}

fn report_left_out(headings: &[&str], width: usize, palette: Palette, out: &mut String) {
    if headings.is_empty() {
        return;
    }
    let noun = if headings.len() == 1 { "column" } else { "columns" };
    let text = format!("(too narrow for the {noun} {})", headings.join(", "));
    wrap::write_wrapped(
        &TextLine::new().with_styled_text(Style::Muted, text),
        width,
        palette,
        out,
    );
}

/// Returns the texts of all cells, by row.
fn column_texts(table: &Table) -> Vec<Vec<String>> {
    let rows = table.rows.iter();
    rows.map(|row| row.iter().map(cell_text).collect()).collect()
}

fn render_grid(
    table: &Table,
    texts: &[Vec<String>],
    limits: &[usize],
    cell_width: usize,
    palette: Palette,
    out: &mut String,
) {
    let fold = |text: &str, column: usize| fold(text, limits[column].min(cell_width), limits[column]);

    let headings = table
        .columns
        .iter()
        .enumerate()
        .map(|(column, heading)| fold(heading, column))
        .collect::<Vec<_>>();
    let texts = texts
        .iter()
        .zip(&table.rows)
        .map(|(texts, row)| {
            texts
                .iter()
                .zip(row)
                .enumerate()
                .map(|(column, (text, cell))| match cell {
                    Cell::Sparkline(values) => sparkline::draw_sparkline(values, limits[column], palette.unicode),
                    _ => fold(text, column),
                })
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();

    let mut grid = new_grid(LIST);
    grid.set_header(headings.iter().enumerate().map(|(column, heading)| {
        let cells = texts.iter().filter_map(|row| row.get(column)).chain([heading]);
        center(
            heading,
            cells.flat_map(|cell| cell.lines()).map(wrap::width).max().unwrap_or(0),
        )
    }));
    for (row, texts) in table.rows.iter().zip(texts) {
        grid.add_row(row.iter().zip(texts).map(|(cell, text)| {
            TableCell::new(text).set_alignment(match cell {
                Cell::Integer(_) | Cell::Number(_) => CellAlignment::Right,
                Cell::Text(_) | Cell::Multiline(_) | Cell::Sparkline(_) => CellAlignment::Left,
            })
        }));
    }
    append_grid(&grid, out);
}

/// Appends `record`, at most `width` columns wide.
pub(super) fn render_record(record: &Record, width: usize, palette: Palette, out: &mut String) {
    let names = record
        .fields
        .iter()
        .map(|(name, _)| wrap::width(name))
        .max()
        .unwrap_or(0);
    // Two borders, a separator, and a space on both sides of both cells.
    let room = width.saturating_sub(names + 7).max(MIN_COLUMN_WIDTH);
    let mut grid = new_grid(BORDERED);
    for (name, value) in &record.fields {
        let value = match value {
            Cell::Sparkline(values) => sparkline::draw_sparkline(values, room.min(CURVE_WIDTH), palette.unicode),
            value => fold(&cell_text(value), room, room),
        };
        grid.add_row([name.to_string(), value]);
    }
    append_grid(&grid, out);
}

/// Centers a heading in its column. For an odd number of spaces, the Confluent CLI puts the smaller half on the left;
/// the table library would put the larger.
fn center(heading: &str, width: usize) -> String {
    let lines = heading.lines().map(|line| {
        let gap = width.saturating_sub(wrap::width(line)) / 2;
        format!("{}{line}", " ".repeat(gap))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn rows_as_records(table: &Table, width: usize, palette: Palette, out: &mut String) {
    for (index, row) in table.rows.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let fields = table.columns.iter().cloned().zip(row.iter().cloned()).collect();
        render_record(&Record { fields }, width, palette, out);
    }
}

fn new_grid(style: TableStyle) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(style);
    // Cells are wrapped here, by the rule of the Confluent CLI.
    grid.set_content_arrangement(ContentArrangement::Disabled);
    grid
}

fn append_grid(grid: &Grid, out: &mut String) {
    for line in grid.lines() {
        out.push_str(&line);
        out.push('\n');
    }
}

/// Returns the text of a cell; sparklines are drawn later, when their width is known.
fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Number(text) => escape(text).into_owned(),
        Cell::Multiline(text) => escape_lines(text.trim_end()).into_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Sparkline(_) => String::new(),
    }
}

/// Wraps `text` to about `limit` columns, and never more than `most`.
fn fold(text: &str, limit: usize, most: usize) -> String {
    text.split('\n')
        .flat_map(|line| {
            // A line that fits keeps its spaces.
            if wrap::width(line) <= limit {
                vec![line.to_owned()]
            } else {
                wrap::wrap_evenly(line, limit)
            }
        })
        .flat_map(|line| wrap::split_at_width(&line, most))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Returns the width of each column so that the table fits into `width` without breaking a word that is at most
/// `longest_word` wide; `None` if it cannot fit.
fn column_limits(
    table: &Table,
    texts: &[Vec<String>],
    width: usize,
    cell_width: usize,
    longest_word: usize,
) -> Option<Vec<usize>> {
    let columns = &table.columns;
    let cells = |column: usize| {
        let heading = columns.get(column).map(AsRef::as_ref).unwrap_or_default();
        texts
            .iter()
            .filter_map(move |row| row.get(column).map(String::as_str))
            .chain([heading])
    };
    let curve = |column: usize| {
        let lengths = table.rows.iter().filter_map(|row| match row.get(column) {
            Some(Cell::Sparkline(values)) => Some(values.len()),
            _ => None,
        });
        lengths.max().unwrap_or(0)
    };
    let widest = |part: &dyn Fn(&str) -> usize, widest_curve: usize| {
        (0..columns.len())
            .map(|c| {
                cells(c)
                    .map(part)
                    .chain([curve(c).min(widest_curve)])
                    .max()
                    .unwrap_or(0)
            })
            .collect::<Vec<_>>()
    };
    let words = widest(
        &|text| text.split_whitespace().map(wrap::width).max().unwrap_or(0),
        MIN_COLUMN_WIDTH,
    );
    let natural = widest(
        &|text| {
            let folded = fold(text, cell_width, usize::MAX);
            folded.split('\n').map(wrap::width).max().unwrap_or(0)
        },
        CURVE_WIDTH,
    );

    // One space on both sides of every cell, a separator between columns, and a space for each missing border.
    let room = width.checked_sub(3 * columns.len() + 1)?;
    let fits = |limits: &Vec<usize>| limits.iter().sum::<usize>() <= room;
    if fits(&natural) {
        return Some(natural);
    }
    // Shrink the widest columns first.
    let most = natural.iter().copied().max().unwrap_or(0);
    (MIN_COLUMN_WIDTH..=most).rev().find_map(|cap| {
        let limits = (0..columns.len())
            .map(|column| natural[column].min(cap.max(words[column].min(longest_word))))
            .collect::<Vec<_>>();
        fits(&limits).then_some(limits)
    })
}

#[cfg(test)]
mod tests;
