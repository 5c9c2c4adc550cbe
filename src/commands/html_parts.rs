//! HTML elements of fleet pages. Each color is accompanied by a symbol and a word.

use jiff::Timestamp;

use crate::{
    fleet::{ConditionCounts, ConnectorCondition, at_least_prefix},
    model::DepartmentCode,
    render::html::{self, Html},
};

/// Returns the symbol of a condition.
const fn condition_symbol(condition: ConnectorCondition) -> &'static str {
    match condition {
        ConnectorCondition::Failed => "✕",
        ConnectorCondition::Degraded => "▲",
        ConnectorCondition::Unknown => "?",
        ConnectorCondition::Starting => "○",
        ConnectorCondition::Paused => "‖",
        ConnectorCondition::Running => "●",
    }
}

/// Formats a timestamp for readers.
pub(in crate::commands) fn format_timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// HTML page with a title, a verdict and its limitations.
pub(in crate::commands) struct FleetPage<'a> {
    /// Title.
    pub(in crate::commands) title: &'a str,
    /// Verdict in one sentence.
    pub(in crate::commands) summary: &'a str,
    /// Severity of the verdict.
    pub(in crate::commands) condition: ConnectorCondition,
    /// Time of the observation.
    pub(in crate::commands) taken_at: Timestamp,
    /// Limitations: what the page does not show.
    pub(in crate::commands) omissions: &'a [String],
}

impl FleetPage<'_> {
    /// Renders the page; `main` writes its content.
    pub(in crate::commands) fn write(&self, main: impl FnOnce(&mut Html)) -> String {
        html::page(self.title, |html| {
            html.element("header", &[], |html| {
                html.text_element("p", &[("class", "eyebrow")], "Confluent Cloud connectors");
                html.text_element("h1", &[], self.title);
                let class = format!("verdict {}", self.condition.as_str());
                html.element("p", &[("class", &class)], |html| {
                    html.text_element("span", &[("aria-hidden", "true")], condition_symbol(self.condition));
                    html.text_element("span", &[], self.summary);
                });
                html.element("p", &[("class", "meta")], |html| {
                    html.text("As of ");
                    let machine = self.taken_at.to_string();
                    html.text_element("time", &[("datetime", &machine)], &format_timestamp(self.taken_at));
                    html.text(", created by confluent ebs ");
                    html.text(env!("CARGO_PKG_VERSION"));
                    html.text(".");
                });
            });
            html.element("main", &[], main);
            html.element("footer", &[], |html| {
                html.text_element("h2", &[], "What this page does not show");
                html.element("ul", &[], |html| {
                    for sentence in self.omissions {
                        html.text_element("li", &[], sentence);
                    }
                });
            });
        })
    }
}

/// Writes a section with a heading and a subtitle.
pub(in crate::commands) fn section(html: &mut Html, heading: &str, below: &str, inside: impl FnOnce(&mut Html)) {
    html.element("section", &[("class", "stage")], |html| {
        html.text_element("h2", &[], heading);
        html.text_element("p", &[("class", "sub")], below);
        inside(html);
    });
}

/// Writes a label with symbol and color of the condition.
pub(in crate::commands) fn badge(html: &mut Html, condition: ConnectorCondition, word: &str) {
    let class = format!("badge {}", condition.as_str());
    html.element("span", &[("class", &class)], |html| {
        html.text_element(
            "span",
            &[("class", "sign"), ("aria-hidden", "true")],
            condition_symbol(condition),
        );
        html.text(" ");
        html.text(word);
    });
}

/// Writes the number of connectors per condition as tiles, and a bar of all connectors.
pub(in crate::commands) fn condition_tiles(html: &mut Html, counts: ConditionCounts) {
    html.element("ul", &[("class", "tiles")], |html| {
        for condition in ConnectorCondition::ALL {
            let number = counts.get(condition);
            let none = if number == 0 { " none" } else { "" };
            let class = format!("{}{none}", condition.as_str());
            html.element("li", &[("class", &class)], |html| {
                html.text_element("span", &[("class", "number")], &number.to_string());
                html.element("span", &[("class", "name")], |html| {
                    html.text_element(
                        "span",
                        &[("class", "sign"), ("aria-hidden", "true")],
                        condition_symbol(condition),
                    );
                    html.text(" ");
                    html.text(condition.as_str());
                });
            });
        }
    });
}

/// Writes a bar of all connectors by condition.
pub(in crate::commands) fn condition_bar(html: &mut Html, counts: ConditionCounts) {
    let label = counts.summary();
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
        for condition in ConnectorCondition::ALL {
            let number = counts.get(condition);
            rectangle(html, &format!("fill {}", condition.as_str()), from, number);
            from += number;
        }
    });
}

/// Writes a usage bar; `least` marks `used` as a lower bound. The bar is hidden from screen readers, because the
/// numbers stand next to it.
pub(in crate::commands) fn usage_meter(html: &mut Html, least: bool, used: u32, limit: u32) {
    let condition = match used {
        _ if used > limit => ConnectorCondition::Failed,
        _ if least => ConnectorCondition::Unknown,
        _ if u64::from(used) * 10 >= u64::from(limit) * 8 => ConnectorCondition::Degraded,
        _ => ConnectorCondition::Running,
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
        rectangle(html, &format!("fill {}", condition.as_str()), 0, used);
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

/// Writes one sentence that lists the departments without connectors, instead of empty rows.
pub(in crate::commands) fn departments_without_connectors<'a>(
    html: &mut Html,
    who: impl Iterator<Item = (&'a str, &'a DepartmentCode)>,
) {
    let named: Vec<String> = who.map(|(name, code)| format!("{name} ({code})")).collect();
    if !named.is_empty() {
        let sentence = format!("Without connectors: {}.", named.join(", "));
        html.text_element("p", &[("class", "aside")], &sentence);
    }
}

/// Writes `12 of 20` with a usage bar below.
pub(in crate::commands) fn usage_with_meter(html: &mut Html, least: bool, used: u32, limit: u32) {
    let words = format!("{}{used} of {limit}", at_least_prefix(!least));
    html.element("div", &[], |html| {
        html.text_element("span", &[("class", "figures")], &words);
        usage_meter(html, least, used, limit);
    });
}

/// Content of a table cell; may be empty.
pub(in crate::commands) struct CellContent<'a>(Option<CellWriter<'a>>);

type CellWriter<'a> = Box<dyn FnOnce(&mut Html) + 'a>;

/// Creates a cell that `write` renders.
pub(in crate::commands) fn cell<'a>(write: impl FnOnce(&mut Html) + 'a) -> CellContent<'a> {
    CellContent(Some(Box::new(write)))
}

/// Creates a text cell.
pub(in crate::commands) fn text_cell<'a>(text: impl Into<String>) -> CellContent<'a> {
    let text = text.into();
    match text.is_empty() {
        true => CellContent(None),
        false => cell(move |html| html.text_element("span", &[], &text)),
    }
}

/// Creates a text cell whose words may be broken, for text from outside.
pub(in crate::commands) fn prose_cell<'a>(text: impl Into<String>) -> CellContent<'a> {
    let text = text.into();
    cell(move |html| html.text_element("span", &[("class", "prose")], &text))
}

/// Writes a table whose first column holds the row headings. Narrow screens show each row as a card. The ARIA roles are
/// explicit, because browsers drop them from tables with another CSS layout.
pub(in crate::commands) fn table<'a>(
    html: &mut Html,
    caption: &str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = Vec<CellContent<'a>>>,
) {
    html.element("table", &[("role", "table")], |html| {
        html.text_element("caption", &[], caption);
        html.element("thead", &[("role", "rowgroup")], |html| {
            html.element("tr", &[("role", "row")], |html| {
                for column in columns {
                    html.text_element("th", &[("role", "columnheader"), ("scope", "col")], column);
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

fn write_cell(html: &mut Html, place: usize, column: &str, content: CellContent<'_>) {
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
