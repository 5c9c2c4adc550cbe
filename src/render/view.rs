//! Views of results: [`Viewable::view`] for people, `Serialize` for machines. Views do not depend on width, colour or
//! streams.

use std::borrow::Cow;

use serde::Serialize;

use super::style::Style;
use crate::diag::Finding;

/// Result that can be printed for people and machines.
pub trait Viewable: Serialize {
    /// Returns the blocks of the result, from top to bottom.
    fn view(&self) -> Vec<Block>;

    /// Returns whether the user asked for secrets (`--show-secrets`), which are then not redacted.
    fn shows_secrets(&self) -> bool {
        false
    }
}

/// Block of a view. Blocks are separated by one empty line, titled ones by two.
#[derive(Clone, Debug)]
pub enum Block {
    /// Table, like the lists of the Confluent CLI. An empty table prints a notice.
    Table(Table),
    /// Names and values in a border, like the details of the Confluent CLI.
    Record(Record),
    /// Text lines.
    Lines(Vec<TextLine>),
    /// Changes of a plan.
    Diff(Vec<DiffEntry>),
    /// Findings, with carets into the file.
    Findings(Vec<Finding>),
    /// Blocks with a title.
    Titled {
        /// Title, without a colon.
        title: String,
        /// Blocks below the title.
        blocks: Vec<Block>,
    },
    /// Notice for an empty list, in the words of the Confluent CLI.
    Empty,
    /// Trusted text that is neither wrapped nor escaped (scripts, man pages).
    Verbatim(String),
}

impl Block {
    /// Creates a block with one line.
    pub fn line(line: impl Into<TextLine>) -> Self {
        Self::Lines(vec![line.into()])
    }

    /// Creates `blocks` with a title.
    pub fn titled(title: impl Into<String>, blocks: impl IntoIterator<Item = Block>) -> Self {
        Self::Titled {
            title: title.into(),
            blocks: blocks.into_iter().collect(),
        }
    }
}

/// Rows with a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Column headings, in the words of the Confluent CLI (`Resource Type`).
    pub columns: Vec<Cow<'static, str>>,
    /// Rows with one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// Headings of the columns that are left out where the table is too wide, in this order.
    pub optional_columns: &'static [&'static str],
}

impl Table {
    /// Creates a table without rows.
    pub fn new(columns: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            optional_columns: &[],
        }
    }

    /// Sets the columns that are left out where the table is too wide.
    #[must_use]
    pub fn with_optional_columns(mut self, headings: &'static [&'static str]) -> Self {
        self.optional_columns = headings;
        self
    }

    /// Returns the table with an additional row.
    #[must_use]
    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Self {
        self.push(cells);
        self
    }

    /// Appends a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// Cell of a table or value of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Left-aligned text, wrapped if it is long; line breaks are escaped.
    Text(String),
    /// Text with its line breaks (log messages, traces).
    Multiline(String),
    /// Right-aligned integer.
    Integer(i64),
    /// Right-aligned formatted number (`0.4`, `<0.1`).
    Number(String),
    /// Sparkline as wide as there is space; a missing value differs from zero.
    Sparkline(Vec<Option<u64>>),
}

impl Cell {
    /// Creates a text cell from a displayable value.
    pub fn text(value: &(impl ToString + ?Sized)) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// An absent value is an empty cell.
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self::Text(String::new()), Into::into)
    }
}

/// Names and values of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Fields in display order.
    pub fields: Vec<(Cow<'static, str>, Cell)>,
}

impl Record {
    /// Creates a record without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the record with an additional field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Returns the record with an additional field if there is a value, because the Confluent CLI omits empty fields.
    #[must_use]
    pub fn optional(self, name: &'static str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }
}

/// Part of a line with one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSpan {
    /// Text, which is escaped when it is printed.
    pub text: String,
    /// Style.
    pub style: Style,
}

/// Line of text, wrapped at spaces if it is too long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLine {
    /// Parts of the line.
    pub spans: Vec<TextSpan>,
    /// Additional indentation of wrapped lines.
    pub hanging_indent: usize,
}

impl TextLine {
    /// Creates an empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the line with text appended.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.with_styled_text(Style::Plain, text)
    }

    /// Returns the line with styled text appended.
    #[must_use]
    pub fn with_styled_text(mut self, style: Style, text: impl Into<String>) -> Self {
        self.spans.push(TextSpan {
            text: text.into(),
            style,
        });
        self
    }

    /// Returns the line with a hanging indent.
    #[must_use]
    pub fn with_hanging_indent(mut self, columns: usize) -> Self {
        self.hanging_indent = columns;
        self
    }
}

impl From<&str> for TextLine {
    fn from(text: &str) -> Self {
        Self::new().with_text(text)
    }
}

impl From<String> for TextLine {
    fn from(text: String) -> Self {
        Self::new().with_text(text)
    }
}

/// Kind of a change, with its symbol in plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeMark {
    /// `+`: created.
    Add,
    /// `~`: changed in place.
    Change,
    /// `±`: recreated; the new one is created before the old one is deleted.
    Replace,
    /// `-`: deleted.
    Remove,
    /// `=`: unchanged.
    Keep,
    /// `?`: unknown or unmanaged; listed but not changed.
    Leave,
}

impl ChangeMark {
    /// Returns the symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Replace => "±",
            Self::Remove => "-",
            Self::Keep => "=",
            Self::Leave => "?",
        }
    }

    /// Returns the style of the symbol.
    #[must_use]
    pub const fn style(self) -> Style {
        match self {
            Self::Add => Style::Added,
            Self::Change | Self::Replace => Style::Changed,
            Self::Remove => Style::Removed,
            Self::Keep | Self::Leave => Style::Muted,
        }
    }
}

/// Change in a plan: `+ role-binding  User:sa-abc123  DeveloperRead  topic claims-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffEntry {
    /// Kind of the change.
    pub mark: ChangeMark,
    /// Description of the object, from general to specific. All changes of a block are aligned by these columns.
    pub columns: Vec<String>,
    /// Changed fields.
    pub fields: Vec<FieldChange>,
    /// Reason, for people.
    pub reason: Option<String>,
}

impl DiffEntry {
    /// Creates a change without fields and reason.
    pub fn new(mark: ChangeMark, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            mark,
            columns: words.into_iter().map(Into::into).collect(),
            fields: Vec::new(),
            reason: None,
        }
    }

    /// Returns the change with a field that changes from `old` to `new`.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.fields.push(FieldChange {
            name: name.into(),
            old: old.into(),
            new: new.into(),
        });
        self
    }

    /// Returns the change with a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// Changed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Name, as in JSON.
    pub name: String,
    /// Old value; empty if there is none.
    pub old: String,
    /// New value; empty if there is none.
    pub new: String,
}

/// Row of a [`RowList`]. One type defines the headings and the serialised names of the columns.
pub trait TableRow: Serialize {
    /// Column headings.
    const COLUMNS: &'static [&'static str];
    /// Columns that are left out where the table is too wide, in this order.
    const OPTIONAL_COLUMNS: &'static [&'static str] = &[];
    /// Returns one cell per column.
    fn cells(&self) -> Vec<Cell>;
}

/// Result of a `list` command: a table for people, an array for machines. The order is that of the Confluent CLI:
/// sorted by the displayed cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RowList<T> {
    rows: Vec<T>,
}

impl<T: TableRow> RowList<T> {
    /// Sorts `rows` by their cells, from left to right.
    pub fn new(rows: impl IntoIterator<Item = T>) -> Self {
        let mut rows = rows.into_iter().collect::<Vec<_>>();
        rows.sort_by_cached_key(T::cells);
        Self { rows }
    }

    /// Keeps the order of `rows`.
    pub fn in_order(rows: impl IntoIterator<Item = T>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
        }
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }
}

impl<T: TableRow> Viewable for RowList<T> {
    fn view(&self) -> Vec<Block> {
        let mut table = Table::new(T::COLUMNS.iter().copied()).with_optional_columns(T::OPTIONAL_COLUMNS);
        for row in &self.rows {
            table.push(row.cells());
        }
        vec![Block::Table(table)]
    }
}
