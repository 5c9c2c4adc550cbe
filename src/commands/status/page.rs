//! The fleet, or one department, as a page to send to somebody: everything in one file.

use super::view::lag_of;
use crate::{
    commands::fleet::{
        Condition, ConnectorRow, DepartmentRow, Fleet, StageView, age, at_least,
        page::{Content, Page, badge, bar, cell, meter, section, table, text, tiles, used, without_connectors},
    },
    quota::ADVISORY,
    render::{html::Html, words::count},
};

/// More of a cause than a terminal has room for.
const CAUSE: usize = 320;

/// The page.
pub(super) fn page(fleet: &Fleet) -> String {
    let one = fleet.one();
    let title = match one {
        Some(department) => format!("Connectors of {}", department.name),
        None => "Connectors of all departments".to_owned(),
    };
    let (condition, verdict) = verdict(fleet);
    let not_shown = not_shown(fleet);
    let page = Page {
        title: &title,
        verdict: &verdict,
        condition,
        taken_at: fleet.taken_at,
        not_shown: &not_shown,
    };
    page.write(|html| {
        for stage in &fleet.stages {
            let below = format!("Kafka cluster {}", stage.place.cluster);
            section(html, &format!("Stage {}", stage.stage), &below, |html| {
                write_stage(html, fleet, stage);
            });
        }
    })
}

/// The result in one sentence.
fn verdict(fleet: &Fleet) -> (Condition, String) {
    let number = |condition| {
        let all = fleet.connectors().filter(|(_, row)| row.condition == condition);
        all.count()
    };
    let (failed, degraded) = (number(Condition::Failed), number(Condition::Degraded));
    let troubled = fleet.troubled().len();
    let of = match (&fleet.department, troubled) {
        (None, 1..) => format!(", of {}", count(troubled, "department")),
        _ => String::new(),
    };
    let unseen = fleet.unseen().count();
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{} failed", count(failed, "connector")));
    }
    if degraded > 0 {
        parts.push(format!("{} degraded", count(degraded, "connector")));
    }
    let worst = fleet.condition.unwrap_or(Condition::Running);
    match (parts.is_empty(), unseen) {
        (false, 0) => (worst, format!("{}{of}.", parts.join(", "))),
        (false, _) => (
            worst,
            format!(
                "{}{of}; {} could not be looked at.",
                parts.join(", "),
                count(unseen, "stage")
            ),
        ),
        (true, 1..) => (
            Condition::Unknown,
            format!("{} could not be looked at.", count(unseen, "stage")),
        ),
        (true, 0) if worst == Condition::Unknown => (worst, "The service does not tell how everything is.".to_owned()),
        (true, 0) if fleet.condition.is_none() => (Condition::Paused, "There are no connectors.".to_owned()),
        (true, 0) => (Condition::Running, "Nothing needs attention.".to_owned()),
    }
}

fn not_shown(fleet: &Fleet) -> Vec<String> {
    let mut sentences = vec![
        "What happened after the moment above: the page does not refresh itself.".to_owned(),
        match fleet.knows_lag() {
            true => "How many records flow, and what connectors log. How many records sinks are behind is from a few minutes \
                     before."
                .to_owned(),
            false => "How many records flow, how far connectors lag behind, and what they log.".to_owned(),
        },
        "Since when a connector really is in its state: the service does not tell. “Seen so for” is since when the computer \
         that made this page has seen it so: at least 5 hours are “5h+”."
            .to_owned(),
    ];
    match &fleet.department {
        Some(_) => sentences.push("Connectors of other departments, and how full the shared cluster is.".to_owned()),
        None => sentences.push("Departments of other platforms, and clusters that are in no stage.".to_owned()),
    }
    for (stage, why) in fleet.unseen() {
        sentences.push(format!("Stage {stage}, which could not be looked at: {why}."));
    }
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn write_stage(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    if let Some(why) = &stage.unknown {
        html.leaf("p", &[("class", "notice")], &format!("Not known: {why}."));
        return;
    }
    if stage.connectors.is_empty() {
        let none = match fleet.department {
            Some(_) => "No connectors.".to_owned(),
            None => format!(
                "No connectors: none of {} has any.",
                count(stage.departments.len(), "department")
            ),
        };
        html.element("div", &[("class", "card")], |html| html.leaf("p", &[], &none));
        return;
    }
    tiles(html, stage.counts);
    gauges(html, stage);
    attention(html, fleet, stage);
    if fleet.department.is_none() {
        departments(html, fleet, stage);
        by_department(html, fleet, stage);
        return;
    }
    html.leaf("h3", &[], "All connectors");
    html.element("div", &[("class", "card")], |html| {
        let rows = stage.connectors.iter();
        connectors(html, fleet, "By what needs attention first.", rows);
    });
}

/// All connectors in one bar, and what is used of the quota or of the cluster.
fn gauges(html: &mut Html, stage: &StageView) {
    html.element("div", &[("class", "gauges")], |html| {
        html.element("div", &[("class", "card")], |html| {
            html.element("p", &[], |html| {
                html.leaf("span", &[("class", "label")], "Connectors: ");
                html.text(&stage.counts.words());
            });
            bar(html, stage.counts);
        });
        let mut gauge = |label: &str, words: String, least: bool, used: u32, limit: u32| {
            html.element("div", &[("class", "card")], |html| {
                html.element("p", &[], |html| {
                    html.leaf("span", &[("class", "label")], label);
                    html.text(&words);
                });
                meter(html, least, used, limit);
            });
        };
        if let Some(tasks) = stage.cluster_tasks {
            let words = format!("{}; {} more in reserve", tasks.words(), tasks.reserved);
            gauge(
                "Tasks of the cluster: ",
                words,
                !tasks.complete,
                tasks.used,
                tasks.allocatable,
            );
        } else if let [row] = &stage.departments[..] {
            let total = row.share.counts.total();
            let words = format!("{total} of {}", row.connectors_limit);
            gauge("Quota of connectors: ", words, false, total, row.connectors_limit);
            let (tasks, complete) = (row.share.tasks, row.share.complete);
            let words = format!("{}{tasks} of {}", at_least(complete), row.tasks_limit);
            gauge("Quota of tasks: ", words, !complete, tasks, row.tasks_limit);
        }
    });
}

/// What somebody has to look at.
fn attention(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    let rows: Vec<&ConnectorRow> = stage.connectors.iter().filter(|row| row.is_noteworthy()).collect();
    html.leaf("h3", &[], "Needs attention");
    html.element("div", &[("class", "card")], |html| {
        if rows.is_empty() {
            html.leaf("p", &[], "Nothing.");
            return;
        }
        // Whose they are goes without saying on a department's own page.
        let whose = fleet.department.is_none();
        let columns = [
            "Connector",
            "State",
            "Seen so for",
            "What is wrong",
            "Who can act",
            "Department",
        ];
        let columns = if whose { &columns[..] } else { &columns[..5] };
        let rows = rows.into_iter().map(|row| {
            let department = row.department.as_ref().map_or("nobody", |code| code.as_str());
            vec![
                name(row),
                state(row),
                text(
                    row.seen_since
                        .map(|since| age(since, fleet.taken_at))
                        .unwrap_or_default(),
                ),
                cell(|html| {
                    html.element("div", &[("class", "prose")], |html| {
                        html.text(&row.why(CAUSE).unwrap_or_default());
                        if let Some(fix) = row.fix {
                            html.leaf("span", &[("class", "small")], fix);
                        }
                    });
                }),
                text(match row.owner {
                    Some("department") => "department",
                    Some("network") => "network team",
                    Some("confluent") => "Confluent",
                    Some(_) => "platform team",
                    None => "",
                }),
                text(department),
            ]
        });
        table(
            html,
            "The worst first, and of those the one that is so for longest.",
            columns,
            rows,
        );
    });
}

fn name(row: &ConnectorRow) -> Content<'_> {
    cell(|html| {
        html.text(&row.name);
        html.leaf("span", &[("class", "small")], &row.plugin);
    })
}

fn state(row: &ConnectorRow) -> Content<'_> {
    cell(|html| badge(html, row.condition, row.state()))
}

/// One row per department, and one for what is nobody's.
fn departments(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    html.leaf("h3", &[], "Departments");
    html.element("div", &[("class", "card")], |html| {
        let columns = ["Department", "State", "Connectors", "Tasks", "Worst", "Failing for"];
        let row = |row: &'_ DepartmentRow| {
            let share = row.share.clone();
            let (title, code, limits) = (
                row.name.clone(),
                row.department.clone(),
                (row.connectors_limit, row.tasks_limit),
            );
            let since = share.failing_since.map(|since| age(since, fleet.taken_at));
            let (total, tasks, complete) = (share.counts.total(), share.tasks, share.complete);
            vec![
                cell(move |html| {
                    html.text(&title);
                    html.leaf("span", &[("class", "small")], code.as_str());
                }),
                share.condition.map_or_else(
                    || text("no connectors"),
                    |condition| cell(move |html| badge(html, condition, condition.word())),
                ),
                cell(move |html| used(html, false, total, limits.0)),
                cell(move |html| used(html, !complete, tasks, limits.1)),
                text(share.worst.unwrap_or_default()),
                text(since.unwrap_or_default()),
            ]
        };
        let nobody = stage.unmanaged.as_ref().filter(|share| share.counts.total() > 0);
        let nobody = nobody.map(|share| {
            let since = share.failing_since.map(|since| age(since, fleet.taken_at));
            let condition = share.condition.unwrap_or(Condition::Unknown);
            vec![
                cell(|html| {
                    html.text("Nobody");
                    html.leaf("span", &[("class", "small")], "no department owns the prefix");
                }),
                cell(move |html| badge(html, condition, condition.word())),
                text(share.counts.total().to_string()),
                text(format!("{}{}", at_least(share.complete), share.tasks)),
                text(share.worst.clone().unwrap_or_default()),
                text(since.unwrap_or_default()),
            ]
        });
        let (some, none): (Vec<&DepartmentRow>, Vec<&DepartmentRow>) =
            stage.departments.iter().partition(|row| row.share.counts.total() > 0);
        let rows = some.into_iter().map(row).chain(nobody);
        table(
            html,
            "Those with trouble first. Numbers are used and limit.",
            &columns,
            rows,
        );
        without_connectors(html, none.into_iter().map(|row| (row.name.as_str(), &row.department)));
    });
}

/// Every connector, below the name of its department.
fn by_department(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    html.leaf("h3", &[], "All connectors");
    html.element("div", &[("class", "card")], |html| {
        let owned = stage
            .departments
            .iter()
            .map(|row| (row.name.as_str(), Some(&row.department)));
        for (title, code) in owned.chain([("Nobody", None)]) {
            let rows: Vec<&ConnectorRow> = stage
                .connectors
                .iter()
                .filter(|row| row.department.as_ref() == code)
                .collect();
            if rows.is_empty() {
                continue;
            }
            html.element("details", &[], |html| {
                html.element("summary", &[], |html| {
                    html.text(title);
                    html.text(" ");
                    let number = count(rows.len(), "connector");
                    html.leaf("span", &[("class", "count")], &number);
                });
                connectors(html, fleet, &format!("Connectors of {title}."), rows.into_iter());
            });
        }
    });
}

fn connectors<'a>(html: &mut Html, fleet: &Fleet, caption: &str, rows: impl Iterator<Item = &'a ConnectorRow>) {
    let lag = fleet.knows_lag();
    let mut columns = vec!["Connector", "State", "Tasks that run", "Direction", "Seen so for"];
    if lag {
        columns.push("Records behind");
    }
    let rows = rows.map(|row| {
        let mut cells = vec![
            name(row),
            state(row),
            text(row.tasks()),
            text(row.direction.clone()),
            text(
                row.seen_since
                    .map(|since| age(since, fleet.taken_at))
                    .unwrap_or_default(),
            ),
        ];
        if lag {
            cells.push(text(lag_of(row).unwrap_or_default()));
        }
        cells
    });
    table(html, caption, &columns, rows);
}
