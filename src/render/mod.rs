//! From values to text: the only writer of standard output, and of standard error besides tracing.
//!
//! A command returns a [`Viewable`] value. [`Ui`] prints its view for people, or the value itself as JSON or YAML.

mod csv;
pub mod error;
pub mod escape;
mod findings;
pub mod html;
mod human;
mod json;
mod progress;
mod prompt;
mod screen;
mod sparkline;
mod stream;
pub mod style;
mod table;
mod ui;
pub mod view;
mod wrap;
mod yaml;

pub use csv::to_csv;
pub use error::Problem;
pub use escape::escape;
pub use findings::to_sarif;
pub(crate) use json::render as json_document;
pub use screen::Screen;
pub use stream::Captured;
pub use style::Style;
pub use ui::Ui;
pub(crate) use ui::width;
pub use view::{Block, Cell, ChangeMark, DiffEntry, Record, RowList, Table, TableRow, TextLine, Viewable};
pub(crate) use wrap::wrap_paragraph;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Tables and sentences.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// JSON, one value per line: for what comes bit by bit, and for lists that are long.
    Ndjson,
}
