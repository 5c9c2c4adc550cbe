//! Unverified assumptions about the service, parsed from the tables of the documentation pages. A row added to such a
//! table appears in `doctor --assumptions` without any change in code.

use serde::Serialize;

/// Pages with tables of assumptions.
const PAGES: [&str; 2] = [
    include_str!("../../docs/assumptions.md"),
    include_str!("../../docs/sandbox-connect.md"),
];

/// Column headings. A table without a probe column is not about assumptions.
const ID: &[&str] = &["Id"];
const ASSUMED: &[&str] = &["Assumed by default", "Assumed"];
const SWITCH: &[&str] = &["Switch", "Switch and its default"];
const DEPENDS: &[&str] = &["What depends on it"];
const OTHERWISE: &[&str] = &["Otherwise"];
const PROBE: &[&str] = &["The probe that settles it", "What settles it"];

/// Behaviour of the service that is assumed and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentedAssumption {
    /// Id of the open question in docs/assumptions.md, if it has one.
    pub id: Option<String>,
    /// Assumed behaviour.
    pub assumed: String,
    /// Sandbox setting that changes the assumption, if there is one.
    pub switch: Option<String>,
    /// Default of the setting, if the page names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Allowed values of the setting, the default first, unless it is a boolean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What depends on the assumption, and what happens if it is wrong.
    pub depends: Option<String>,
    /// Call on a live organization that verifies the assumption, if one is known.
    pub probe: Option<String>,
}

/// Returns all assumptions in the order of the pages; one that occurs on both pages is listed once.
#[must_use]
pub fn all() -> Vec<DocumentedAssumption> {
    let mut found: Vec<DocumentedAssumption> = Vec::new();
    for assumption in PAGES.iter().flat_map(|page| parse_tables(page)) {
        let twice = assumption.switch.is_some() && found.iter().any(|known| known.switch == assumption.switch);
        if !twice {
            found.push(assumption);
        }
    }
    found
}

/// Returns the rows of every table of a page that has a probe column.
fn parse_tables(page: &str) -> Vec<DocumentedAssumption> {
    let mut found = Vec::new();
    let mut header: Option<Vec<String>> = None;
    for line in page.lines() {
        let Some(cells) = split_cells(line) else {
            header = None;
            continue;
        };
        let Some(columns) = &header else {
            header = Some(cells);
            continue;
        };
        let rule = cells.iter().all(|cell| cell.chars().all(|c| "-:".contains(c)));
        if !rule {
            found.extend(parse_row(columns, &cells));
        }
    }
    found
}

fn parse_row(columns: &[String], cells: &[String]) -> Option<DocumentedAssumption> {
    let place = |names: &[&str]| columns.iter().position(|column| names.contains(&column.as_str()));
    let cell = |names: &[&str]| {
        let text = cells.get(place(names)?)?;
        (text != "–").then(|| text.clone())
    };
    place(PROBE)?;
    let switch = cell(SWITCH).unwrap_or_default();
    let mut marked = switch.split('`').skip(1).step_by(2).map(str::to_owned);
    let name = marked.next().map(|name| qualify(name, place(OTHERWISE).is_some()));
    let values: Vec<String> = marked.collect();
    // Text instead of a setting's name explains why there is no setting.
    let unmarked = (name.is_none() && !switch.is_empty()).then_some(switch.as_str());
    let otherwise = cell(OTHERWISE).map(|otherwise| format!("otherwise {otherwise}"));
    let depends = [cell(DEPENDS).or(otherwise).as_deref(), unmarked]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ");
    Some(DocumentedAssumption {
        id: cell(ID),
        assumed: cell(ASSUMED)?,
        switch: name,
        default: values.first().cloned(),
        values: if values.len() > 1 { values } else { Vec::new() },
        depends: Some(depends).filter(|depends| !depends.is_empty()),
        probe: cell(PROBE),
    })
}

/// Returns the full name of the setting. The page about connectors omits the prefix `connect.`.
fn qualify(name: String, of_connect: bool) -> String {
    match of_connect && !name.starts_with("connect.") {
        true => format!("connect.{name}"),
        false => name,
    }
}

/// Splits a table line into cells. A bar inside backticks or after a backslash is not a separator.
fn split_cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let (mut code, mut escaped) = (false, false);
    for c in inner.chars() {
        code ^= c == '`';
        match (c, cells.last_mut()) {
            ('|', _) if !code && !escaped => cells.push(String::new()),
            ('\\', _) if !code && !escaped => {}
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
        escaped = c == '\\' && !escaped;
    }
    Some(cells.into_iter().map(|cell| cell.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tables_with_a_probe_column_are_parsed() {
        let page = "\
# Page\n\n| Kind | What |\n|---|---|\n| a | b |\n\n\
| Id | Assumed by default | Switch | What depends on it | The probe that settles it |\n|---|:---|---|---|---|\n\
| Q1 | it `a|b` works | `list`: `x`, `y` | the \\| rest | call it |\n| – | nothing | no switch: why | – | – |\n\n\
| Id | Assumed by default | Switch and its default | The probe that settles it |\n|---|---|---|---|\n\
| C1 | kept | `connect.mask`: `true` | try |\n\n\
| Switch | Assumed | Otherwise | What settles it |\n|---|---|---|---|\n| `name` | free | 400 | try |\n";
        let text = |text: &str| Some(text.to_owned());
        let plain = DocumentedAssumption {
            id: None,
            assumed: "nothing".into(),
            switch: None,
            default: None,
            values: Vec::new(),
            depends: text("no switch: why"),
            probe: None,
        };
        assert_eq!(
            parse_tables(page),
            [
                DocumentedAssumption {
                    id: text("Q1"),
                    assumed: "it `a|b` works".into(),
                    switch: text("list"),
                    default: text("x"),
                    values: vec!["x".into(), "y".into()],
                    depends: text("the | rest"),
                    probe: text("call it"),
                },
                plain.clone(),
                DocumentedAssumption {
                    id: text("C1"),
                    assumed: "kept".into(),
                    switch: text("connect.mask"),
                    default: text("true"),
                    depends: None,
                    probe: text("try"),
                    ..plain.clone()
                },
                DocumentedAssumption {
                    assumed: "free".into(),
                    switch: text("connect.name"),
                    depends: text("otherwise 400"),
                    probe: text("try"),
                    ..plain
                },
            ]
        );
    }

    // docs/assumptions.md has twelve open questions; each is listed until its probe is done.
    #[test]
    fn every_open_assumption_is_listed_with_its_probe() {
        let all = all();
        for number in 1..=12 {
            let id = format!("Q{number}");
            assert!(all.iter().any(|known| known.id.as_deref() == Some(&id)), "{id}");
        }
        for assumption in &all {
            assert!(assumption.probe.is_some(), "{assumption:?} has no probe");
        }
    }
}
