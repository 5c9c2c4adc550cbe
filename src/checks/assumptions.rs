//! What nobody could yet try on a live organization, read from the pages that explain it: the tables there are the only
//! list there is. A row that is added to one of them is shown by `doctor --assumptions`, without a second place.

use serde::Serialize;

/// The pages with tables of assumptions.
const PAGES: [&str; 2] = [
    include_str!("../../docs/assumptions.md"),
    include_str!("../../docs/sandbox-connect.md"),
];

/// Headings of the columns; a table without a probe is about something else.
const ID: &[&str] = &["Id"];
const ASSUMED: &[&str] = &["Assumed by default", "Assumed"];
const SWITCH: &[&str] = &["Switch", "Switch and its default"];
const DEPENDS: &[&str] = &["What depends on it"];
const OTHERWISE: &[&str] = &["Otherwise"];
const PROBE: &[&str] = &["The probe that settles it", "What settles it"];

/// One behaviour of the service that is assumed and not proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentedAssumption {
    /// Its id in docs/assumptions.md, if it has one.
    pub id: Option<String>,
    /// What is assumed.
    pub assumed: String,
    /// The sandbox's setting that turns it over, if there is one.
    pub switch: Option<String>,
    /// What the setting is when nobody sets it, where the page says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What the setting may be, its default first, unless that is yes and no.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What rests on it, and what happens if it is not so.
    pub depends: Option<String>,
    /// The call on a live organization that settles it, if one is known.
    pub probe: Option<String>,
}

/// All of them, in the order of the pages; what stands on both counts once.
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

/// The rows of every table of a page that has a column for probes.
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
    // Words instead of a name say why there is none.
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

/// The setting's name. The page about connectors names its own without `connect.`.
fn qualify(name: String, of_connect: bool) -> String {
    match of_connect && !name.starts_with("connect.") {
        true => format!("connect.{name}"),
        false => name,
    }
}

/// The cells of a line of a table. A bar inside backticks or behind a backslash parts nothing.
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

    // The twelve questions Q1 to Q12 of docs/assumptions.md; each is listed until its probe is answered.
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
