//! From values to text: the only writer of standard output, and of standard error besides tracing.
//!
//! A command returns a [`Viewable`] value. [`Ui`] prints its view for people, or the value itself as JSON or YAML.

pub mod error;
pub mod escape;
mod findings;
mod human;
mod json;
mod progress;
pub mod style;
mod table;
pub mod ui;
pub mod view;
mod wrap;
mod yaml;

pub use error::Problem;
pub use escape::escape;
pub use findings::sarif;
pub use style::Style;
pub use ui::{PromptError, Ui};
pub use view::{Block, Cell, Change, Line, List, Mark, Record, Row, Table, Viewable};
pub(crate) use wrap::paragraph;

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
}
