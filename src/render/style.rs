//! What text means, and what that looks like. Code says [`Style::Added`]; only this file knows about green.
//!
//! Output must be understandable without colour, so a style only repeats what a word or a symbol already says.

use anstyle::{AnsiColor, Effects};

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Nothing in particular.
    #[default]
    Plain,
    /// Something failed or is wrong.
    Error,
    /// Something may be wrong.
    Warning,
    /// Advice.
    Hint,
    /// Will be, or was, created.
    Added,
    /// Will be, or was, deleted.
    Removed,
    /// Will be, or was, changed.
    Changed,
    /// Is as it should be.
    Ok,
    /// Of little importance.
    Muted,
    /// The title of what follows.
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

/// What can be shown on one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Styles. False when the stream is no terminal, or the user does not want colour.
    pub colour: bool,
    /// Characters that draw. False where the locale or the terminal has no more than letters.
    pub unicode: bool,
}

impl Palette {
    /// No styles at all, and nothing but letters.
    pub const PLAIN: Self = Self {
        colour: false,
        unicode: false,
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
