//! What a command's result looks like, as data. A command returns a value; people see its [`Viewable::view`], machines
//! its `Serialize`. Nothing here knows about width, colour or streams.

use std::borrow::Cow;

use serde::Serialize;

use super::style::Style;
use crate::diag::Finding;

/// A result that can be shown to people and to machines.
pub trait Viewable: Serialize {
    /// The result for people, from top to bottom.
    fn view(&self) -> Vec<Block>;
}

/// One part of a view. Blocks are separated by an empty line, titled ones by two.
#[derive(Clone, Debug)]
pub enum Block {
    /// Rows under a header, as the stock CLI lists things. An empty table says so.
    Table(Table),
    /// Names and values in a border, as the stock CLI describes one thing.
    Record(Record),
    /// Sentences.
    Lines(Vec<TextLine>),
    /// What will change.
    Diff(Vec<DiffEntry>),
    /// What a check found, with carets into the file.
    Findings(Vec<Finding>),
    /// Blocks under a title of their own.
    Titled {
        /// The title, without a colon.
        title: String,
        /// What stands below it.
        blocks: Vec<Block>,
    },
    /// The stock CLI's words for an empty list.
    Empty,
    /// Text made by this program, shown as it is: never wrapped, never escaped (scripts, man pages).
    Verbatim(String),
}

impl Block {
    /// One sentence.
    pub fn line(line: impl Into<TextLine>) -> Self {
        Self::Lines(vec![line.into()])
    }

    /// `blocks` under a title.
    pub fn titled(title: impl Into<String>, blocks: impl IntoIterator<Item = Block>) -> Self {
        Self::Titled {
            title: title.into(),
            blocks: blocks.into_iter().collect(),
        }
    }
}

/// Rows under a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The header, in the words of the stock CLI (`Resource Type`).
    pub columns: Vec<Cow<'static, str>>,
    /// One cell per column in each row.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// The same table with one more row.
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

/// One cell of a table, or one value of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Text on the left, wrapped when it is long; its own line breaks are written out.
    Text(String),
    /// Text whose line breaks are meant (log messages, traces).
    Multiline(String),
    /// A number, on the right.
    Integer(i64),
    /// A number that is written already (`0.4`, `<0.1`), on the right.
    Number(String),
    /// Values over time, drawn as wide as there is room for; nothing where there is no value, which is not zero.
    Sparkline(Vec<Option<u64>>),
}

impl Cell {
    /// Text from anything that can be displayed.
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

/// Names and values of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// In the order in which they are shown.
    pub fields: Vec<(Cow<'static, str>, Cell)>,
}

impl Record {
    /// A record without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same record with one more field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<Cell>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// The same record with one more field, if there is a value: the stock CLI leaves empty ones out of its records.
    #[must_use]
    pub fn optional(self, name: &'static str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }
}

/// A stretch of text with one meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSpan {
    /// The text; what a terminal would obey in it is written out.
    pub text: String,
    /// What it means.
    pub style: Style,
}

/// One line, wrapped at spaces when it is too long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLine {
    /// Its parts, without anything between them.
    pub spans: Vec<TextSpan>,
    /// How much further than its first line the others are indented.
    pub hanging_indent: usize,
}

impl TextLine {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same line, continued.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        self.with_styled_text(Style::Plain, text)
    }

    /// The same line, continued in a style.
    #[must_use]
    pub fn with_styled_text(mut self, style: Style, text: impl Into<String>) -> Self {
        self.spans.push(TextSpan {
            text: text.into(),
            style,
        });
        self
    }

    /// The same line with a hanging indent.
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

/// What happens to a thing, with the symbol that plans show for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeMark {
    /// `+`: created.
    Add,
    /// `~`: changed in place.
    Change,
    /// `±`: a new one is created, then the old one is deleted.
    Replace,
    /// `-`: deleted.
    Remove,
    /// `=`: stays as it is.
    Keep,
    /// `?`: not known, or not ours: shown and left alone.
    Leave,
}

impl ChangeMark {
    /// The symbol.
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

    /// What the symbol looks like.
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

/// One thing of a plan: `+ role-binding  User:sa-abc123  DeveloperRead  topic claims-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffEntry {
    /// What happens to it.
    pub mark: ChangeMark,
    /// What it is, from general to particular. All changes of a block are aligned at these.
    pub columns: Vec<String>,
    /// The fields that change.
    pub fields: Vec<FieldChange>,
    /// Why, for people.
    pub reason: Option<String>,
}

impl DiffEntry {
    /// A change without fields and reasons.
    pub fn new(mark: ChangeMark, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            mark,
            columns: words.into_iter().map(Into::into).collect(),
            fields: Vec::new(),
            reason: None,
        }
    }

    /// The same change with a field that goes from `old` to `new`.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.fields.push(FieldChange {
            name: name.into(),
            old: old.into(),
            new: new.into(),
        });
        self
    }

    /// The same change with its reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// One field of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name, as in JSON.
    pub name: String,
    /// What it was; empty for nothing.
    pub old: String,
    /// What it will be; empty for nothing.
    pub new: String,
}

/// One row of a [`List`]: the human heading and the serialised name of a column belong to one type.
pub trait TableRow: Serialize {
    /// The header.
    const COLUMNS: &'static [&'static str];
    /// One cell per column.
    fn cells(&self) -> Vec<Cell>;
}

/// What every `list` command returns: a table for people, an array for machines, both in the stock CLI's order (sorted
/// by what the rows show).
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

    /// Keeps the order of `rows`, where it means something.
    pub fn in_order(rows: impl IntoIterator<Item = T>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
        }
    }

    /// The rows.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }
}

impl<T: TableRow> Viewable for RowList<T> {
    fn view(&self) -> Vec<Block> {
        let mut table = Table::new(T::COLUMNS.iter().copied());
        for row in &self.rows {
            table.push(row.cells());
        }
        vec![Block::Table(table)]
    }
}
