//! Styles and their appearance. Code uses [`Style::Added`]; only this file knows colours.
//!
//! Output must be readable without colour: a style only repeats the meaning of a word or symbol.

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Effects};

use crate::env;

/// Style of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// No style.
    #[default]
    Plain,
    /// Error.
    Error,
    /// Warning.
    Warning,
    /// Hint.
    Hint,
    /// Created.
    Added,
    /// Deleted.
    Removed,
    /// Changed.
    Changed,
    /// Success.
    Ok,
    /// Secondary text.
    Muted,
    /// Heading.
    Heading,
}

impl Style {
    fn ansi(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let colour = |colour: AnsiColor| plain.fg_color(Some(colour.into()));
        match self {
            Self::Plain => plain,
            Self::Error | Self::Removed => colour(AnsiColor::Red),
            Self::Warning | Self::Changed => colour(AnsiColor::Yellow),
            Self::Hint => colour(AnsiColor::Cyan),
            Self::Added | Self::Ok => colour(AnsiColor::Green),
            Self::Muted => plain.effects(Effects::DIMMED),
            Self::Heading => plain.effects(Effects::BOLD),
        }
    }
}

/// Capabilities of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Whether styles are enabled (`uses_colour`).
    pub colour: bool,
    /// Whether Unicode drawing characters are supported by locale and terminal.
    pub unicode: bool,
    /// Whether the stream has no width, such as a pipe: each row of a table is one line then.
    pub unlimited_width: bool,
}

impl Palette {
    /// No styles and only ASCII.
    pub const PLAIN: Self = Self {
        colour: false,
        unicode: false,
        unlimited_width: false,
    };

    /// Appends `text` in `style`.
    pub fn paint(self, style: Style, text: &str, out: &mut String) {
        if !self.colour || style == Style::Plain || text.is_empty() {
            out.push_str(text);
            return;
        }
        let ansi = style.ansi();
        out.push_str(&ansi.render().to_string());
        out.push_str(text);
        out.push_str(&ansi.render_reset().to_string());
    }
}

/// Returns whether styles are used on a stream: never with `NO_COLOR`, always with `FORCE_COLOR` or `CLICOLOR_FORCE`,
/// else on a terminal that displays them.
pub(super) fn uses_colour(stream: &impl RawStream) -> bool {
    let is_set = |name| env::var(name).is_some_and(|value| !matches!(value.as_str(), "0" | "false"));
    if env::var(env::NO_COLOR).is_some() {
        false
    } else if is_set(env::FORCE_COLOR) || is_set(env::CLICOLOR_FORCE) {
        true
    } else {
        // `anstream` reads `CLICOLOR`, `TERM` and `CI`.
        stream.is_terminal() && AutoStream::choice(stream) != ColorChoice::Never
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURED: Palette = Palette {
        colour: true,
        ..Palette::PLAIN
    };

    #[test]
    fn a_plain_palette_adds_nothing() {
        let mut out = String::new();
        Palette::PLAIN.paint(Style::Error, "no", &mut out);
        COLOURED.paint(Style::Plain, "thing", &mut out);
        assert_eq!(out, "nothing");
    }

    #[test]
    fn a_style_is_reset_at_the_end_of_its_text() {
        let mut out = String::new();
        COLOURED.paint(Style::Added, "+", &mut out);
        assert_eq!(out, "\u{1b}[32m+\u{1b}[0m");
    }
}
