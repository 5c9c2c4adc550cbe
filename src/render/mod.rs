//! Output: the only code that writes to standard output and, besides tracing, to standard error.
//!
//! A command returns a [`Viewable`] value. [`Ui`] prints its view as text, or the value as JSON or YAML.

mod ci_findings;
mod csv;
pub mod error;
pub mod escape;
mod findings;
pub mod html;
mod human;
mod json;
mod markdown;
mod onboarding_markdown;
mod plan_markdown;
mod progress;
mod prompt;
mod redaction;
mod screen;
mod sparkline;
mod stream;
pub mod style;
mod suggestions;
mod table;
mod ui;
pub mod view;
mod wrap;
mod yaml;

pub use ci_findings::{findings_to_markdown, to_github_annotations, to_gitlab_code_quality, to_junit};
pub use csv::to_csv;
pub use error::Problem;
pub use escape::escape;
pub use findings::{sarif_text, sarif_text_with_rules};
pub(crate) use json::render as json_document;
pub use markdown::escape_markdown;
pub use onboarding_markdown::{onboarding_to_markdown, refusal_to_markdown};
pub use plan_markdown::{drift_to_markdown, plan_to_markdown};
pub use screen::Screen;
pub use stream::Captured;
pub use style::Style;
pub use ui::Ui;
pub(crate) use ui::width;
pub use view::{Block, Cell, ChangeMark, DiffEntry, Record, RowList, Table, TableRow, TextLine, Viewable};
pub(crate) use wrap::wrap_paragraph;

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Tables and text.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// JSON Lines: one value per line, for streams and long lists.
    Ndjson,
}
