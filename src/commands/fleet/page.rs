//! The parts that pages about the fleet are made of. A colour never stands alone: a sign and a word say the same.

use jiff::Timestamp;

use super::{
    condition::{Condition, Counts},
    model::at_least,
};
use crate::{
    model::DepartmentCode,
    render::html::{self, Html},
};

/// How a condition is drawn: the sign before its word.
const fn sign(condition: Condition) -> &'static str {
    match condition {
        Condition::Failed => "✕",
        Condition::Degraded => "▲",
        Condition::Unknown => "?",
        Condition::Starting => "○",
        Condition::Paused => "‖",
        Condition::Running => "●",
    }
}

/// A moment, for people.
pub(in crate::commands) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A page with a heading, a verdict, and what it does not show.
pub(in crate::commands) struct Page<'a> {
    /// What is shown.
    pub(in crate::commands) title: &'a str,
    /// The result in one sentence.
    pub(in crate::commands) verdict: &'a str,
    /// How bad it is.
    pub(in crate::commands) condition: Condition,
    /// When it was looked.
    pub(in crate::commands) taken_at: Timestamp,
    /// What a reader must not take for shown.
    pub(in crate::commands) not_shown: &'a [String],
}

impl Page<'_> {
    /// The whole page; `main` writes what stands in it.
    pub(in crate::commands) fn write(&self, main: impl FnOnce(&mut Html)) -> String {
        html::page(self.title, |html| {
            html.element("header", &[], |html| {
                html.leaf("p", &[("class", "eyebrow")], "Confluent Cloud connectors");
                html.leaf("h1", &[], self.title);
                let class = format!("verdict {}", self.condition.word());
                html.element("p", &[("class", &class)], |html| {
                    html.leaf("span", &[("aria-hidden", "true")], sign(self.condition));
                    html.leaf("span", &[], self.verdict);
                });
                html.element("p", &[("class", "meta")], |html| {
                    html.text("As of ");
                    let machine = self.taken_at.to_string();
                    html.leaf("time", &[("datetime", &machine)], &moment(self.taken_at));
                    html.text(", made by confluent ebs ");
                    html.text(env!("CARGO_PKG_VERSION"));
                    html.text(".");
                });
            });
            html.element("main", &[], main);
            html.element("footer", &[], |html| {
                html.leaf("h2", &[], "What this page does not show");
                html.element("ul", &[], |html| {
                    for sentence in self.not_shown {
                        html.leaf("li", &[], sentence);
                    }
                });
            });
        })
    }
}

/// A section with a heading and a line below it.
pub(in crate::commands) fn section(html: &mut Html, heading: &str, below: &str, inside: impl FnOnce(&mut Html)) {
    html.element("section", &[("class", "stage")], |html| {
        html.leaf("h2", &[], heading);
        html.leaf("p", &[("class", "sub")], below);
        inside(html);
    });
}

/// A word with its sign, on the condition's colour.
pub(in crate::commands) fn badge(html: &mut Html, condition: Condition, word: &str) {
    let class = format!("badge {}", condition.word());
    html.element("span", &[("class", &class)], |html| {
        html.leaf("span", &[("class", "sign"), ("aria-hidden", "true")], sign(condition));
        html.text(" ");
        html.text(word);
    });
}

/// How many connectors are how: a tile for each condition, and all of them in one bar.
pub(in crate::commands) fn tiles(html: &mut Html, counts: Counts) {
    html.element("ul", &[("class", "tiles")], |html| {
        for condition in Condition::ALL {
            let number = counts.of(condition);
            let none = if number == 0 { " none" } else { "" };
            let class = format!("{}{none}", condition.word());
            html.element("li", &[("class", &class)], |html| {
                html.leaf("span", &[("class", "number")], &number.to_string());
                html.element("span", &[("class", "name")], |html| {
                    html.leaf("span", &[("class", "sign"), ("aria-hidden", "true")], sign(condition));
                    html.text(" ");
                    html.text(condition.word());
                });
            });
        }
    });
}

/// All connectors in one bar.
pub(in crate::commands) fn bar(html: &mut Html, counts: Counts) {
    let label = counts.words();
    let view = format!("0 0 {} 10", counts.total().max(1));
    let attributes = [
        ("class", "bar"),
        ("role", "img"),
        ("aria-label", label.as_str()),
        ("viewBox", &view),
        ("preserveAspectRatio", "none"),
    ];
    html.element("svg", &attributes, |html| {
        let mut from = 0;
        for condition in Condition::ALL {
            let number = counts.of(condition);
            rectangle(html, &format!("fill {}", condition.word()), from, number);
            from += number;
        }
    });
}

/// How much of something is used, or `least` so much. The numbers stand beside it, so that it is only for the eye.
pub(in crate::commands) fn meter(html: &mut Html, least: bool, used: u32, limit: u32) {
    let condition = match used {
        _ if used > limit => Condition::Failed,
        _ if least => Condition::Unknown,
        _ if u64::from(used) * 10 >= u64::from(limit) * 8 => Condition::Degraded,
        _ => Condition::Running,
    };
    let whole = limit.max(used).max(1);
    let view = format!("0 0 {whole} 10");
    let attributes = [
        ("class", "meter"),
        ("aria-hidden", "true"),
        ("viewBox", view.as_str()),
        ("preserveAspectRatio", "none"),
    ];
    html.element("svg", &attributes, |html| {
        rectangle(html, "track", 0, whole);
        rectangle(html, &format!("fill {}", condition.word()), 0, used);
    });
}

fn rectangle(html: &mut Html, class: &str, from: u32, width: u32) {
    if width > 0 {
        let (from, width) = (from.to_string(), width.to_string());
        let attributes = [
            ("class", class),
            ("x", &from),
            ("y", "0"),
            ("width", &width),
            ("height", "10"),
        ];
        html.element("rect", &attributes, |_| ());
    }
}

/// Names whoever has no connectors in a sentence, where rows would say nothing.
pub(in crate::commands) fn without_connectors<'a>(
    html: &mut Html,
    who: impl Iterator<Item = (&'a str, &'a DepartmentCode)>,
) {
    let named: Vec<String> = who.map(|(name, code)| format!("{name} ({code})")).collect();
    if !named.is_empty() {
        let sentence = format!("Without connectors: {}.", named.join(", "));
        html.leaf("p", &[("class", "aside")], &sentence);
    }
}

/// `12 of 20`, with a meter below.
pub(in crate::commands) fn used(html: &mut Html, least: bool, used: u32, limit: u32) {
    let words = format!("{}{used} of {limit}", at_least(!least));
    html.element("div", &[], |html| {
        html.leaf("span", &[("class", "figures")], &words);
        meter(html, least, used, limit);
    });
}

/// What stands in one cell of a table; nothing where there is nothing to say.
pub(in crate::commands) struct Content<'a>(Option<Writer<'a>>);

type Writer<'a> = Box<dyn FnOnce(&mut Html) + 'a>;

/// A cell that `write` writes.
pub(in crate::commands) fn cell<'a>(write: impl FnOnce(&mut Html) + 'a) -> Content<'a> {
    Content(Some(Box::new(write)))
}

/// A cell with text.
pub(in crate::commands) fn text<'a>(text: impl Into<String>) -> Content<'a> {
    let text = text.into();
    match text.is_empty() {
        true => Content(None),
        false => cell(move |html| html.leaf("span", &[], &text)),
    }
}

/// A cell with text of others, which may hold words longer than a line.
pub(in crate::commands) fn prose<'a>(text: impl Into<String>) -> Content<'a> {
    let text = text.into();
    cell(move |html| html.leaf("span", &[("class", "prose")], &text))
}

/// A table whose rows are headed by their first cell. Narrow screens show each row as a card; the roles are written out
/// because a browser forgets them when a table is not laid out as one.
pub(in crate::commands) fn table<'a>(
    html: &mut Html,
    caption: &str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = Vec<Content<'a>>>,
) {
    html.element("table", &[("role", "table")], |html| {
        html.leaf("caption", &[], caption);
        html.element("thead", &[("role", "rowgroup")], |html| {
            html.element("tr", &[("role", "row")], |html| {
                for column in columns {
                    html.leaf("th", &[("role", "columnheader"), ("scope", "col")], column);
                }
            });
        });
        html.element("tbody", &[("role", "rowgroup")], |html| {
            for row in rows {
                html.element("tr", &[("role", "row")], |html| {
                    for (place, (cell, column)) in row.into_iter().zip(columns).enumerate() {
                        write_cell(html, place, column, cell);
                    }
                });
            }
        });
    });
}

fn write_cell(html: &mut Html, place: usize, column: &str, content: Content<'_>) {
    let head = [("role", "rowheader"), ("scope", "row")];
    let full = [("role", "cell"), ("data-label", column)];
    let empty = [("role", "cell"), ("data-label", column), ("class", "empty")];
    match content.0 {
        Some(write) if place == 0 => html.element("th", &head, write),
        None if place == 0 => html.element("th", &head, |_| ()),
        Some(write) => html.element("td", &full, write),
        None => html.element("td", &empty, |_| ()),
    }
}
