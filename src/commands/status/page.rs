//! Status of the fleet, or of one department, as a self-contained HTML page.

use super::view::lag_text;
use crate::{
    commands::html_parts::{
        CellContent, FleetPage, badge, cell, condition_bar, condition_tiles, departments_without_connectors, section,
        table, text_cell, usage_meter, usage_with_meter,
    },
    fleet::{ConnectorCondition, Fleet, FleetConnectorRow, FleetDepartmentRow, StageView, at_least_prefix, format_age},
    quota::ADVISORY,
    render::html::Html,
    text::count_noun,
};

/// Length limit of causes; longer than on a terminal.
const MAX_CAUSE: usize = 320;

/// Renders the page.
pub(super) fn render_page(fleet: &Fleet) -> String {
    let one = fleet.single_department();
    let title = match one {
        Some(department) => format!("Connectors of {}", department.name),
        None => "Connectors of all departments".to_owned(),
    };
    let (condition, verdict) = overall_verdict(fleet);
    let not_shown = omissions(fleet);
    let page = FleetPage {
        title: &title,
        summary: &verdict,
        condition,
        taken_at: fleet.taken_at,
        omissions: &not_shown,
    };
    page.write(|html| {
        for stage in &fleet.stages {
            let below = format!("Kafka cluster {}", stage.location.cluster);
            section(html, &format!("Stage {}", stage.stage), &below, |html| {
                write_stage(html, fleet, stage);
            });
        }
    })
}

/// Returns the verdict in one sentence.
fn overall_verdict(fleet: &Fleet) -> (ConnectorCondition, String) {
    let number = |condition| {
        let all = fleet.connectors().filter(|(_, row)| row.condition == condition);
        all.count()
    };
    let (failed, degraded) = (number(ConnectorCondition::Failed), number(ConnectorCondition::Degraded));
    let troubled = fleet.departments_in_trouble().len();
    let of = match (&fleet.department, troubled) {
        (None, 1..) => format!(", of {}", count_noun(troubled, "department")),
        _ => String::new(),
    };
    let unseen = fleet.unobserved_stages().count();
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{} failed", count_noun(failed, "connector")));
    }
    if degraded > 0 {
        parts.push(format!("{} degraded", count_noun(degraded, "connector")));
    }
    let worst = fleet.condition.unwrap_or(ConnectorCondition::Running);
    match (parts.is_empty(), unseen) {
        (false, 0) => (worst, format!("{}{of}.", parts.join(", "))),
        (false, _) => (
            worst,
            format!(
                "{}{of}; {} not observed.",
                parts.join(", "),
                count_noun(unseen, "stage")
            ),
        ),
        (true, 1..) => (
            ConnectorCondition::Unknown,
            format!("{} not observed.", count_noun(unseen, "stage")),
        ),
        (true, 0) if worst == ConnectorCondition::Unknown => {
            (worst, "The state of some connectors is unknown.".to_owned())
        }
        (true, 0) if fleet.condition.is_none() => (ConnectorCondition::Paused, "There are no connectors.".to_owned()),
        (true, 0) => (ConnectorCondition::Running, "Nothing needs attention.".to_owned()),
    }
}

fn omissions(fleet: &Fleet) -> Vec<String> {
    let mut sentences = vec![
        "Changes after the time above: the page does not refresh itself.".to_owned(),
        match fleet.has_lag() {
            true => "How many records flow, and what connectors log. How many records sinks are behind is from a few minutes \
                     before."
                .to_owned(),
            false => "How many records flow, how far connectors lag behind, and what they log.".to_owned(),
        },
        "When a state began: the API does not report it. “Observed for” is how long the machine that created this page \
         has observed the state; “5h+” means at least 5 hours."
            .to_owned(),
    ];
    match &fleet.department {
        Some(_) => sentences.push("Connectors of other departments, and the usage of the shared cluster.".to_owned()),
        None => sentences.push("Departments of other platforms, and clusters without a stage.".to_owned()),
    }
    for (stage, why) in fleet.unobserved_stages() {
        sentences.push(format!("Stage {stage}, which was not observed: {why}."));
    }
    sentences.push(ADVISORY.to_owned());
    sentences
}

fn write_stage(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    if let Some(why) = &stage.unknown {
        html.text_element("p", &[("class", "notice")], &format!("Unknown: {why}."));
        return;
    }
    if stage.connectors.is_empty() {
        let none = match fleet.department {
            Some(_) => "No connectors.".to_owned(),
            None => format!(
                "None of {} has connectors.",
                count_noun(stage.departments.len(), "department")
            ),
        };
        html.element("div", &[("class", "card")], |html| html.text_element("p", &[], &none));
        return;
    }
    condition_tiles(html, stage.counts);
    write_gauges(html, stage);
    write_attention(html, fleet, stage);
    if fleet.department.is_none() {
        write_departments(html, fleet, stage);
        write_connectors_by_department(html, fleet, stage);
        return;
    }
    html.text_element("h3", &[], "All connectors");
    html.element("div", &[("class", "card")], |html| {
        let rows = stage.connectors.iter();
        write_connectors(html, fleet, "Connectors that need attention first.", rows);
    });
}

/// Writes the bar of all connectors and the usage of the quota or of the cluster.
fn write_gauges(html: &mut Html, stage: &StageView) {
    html.element("div", &[("class", "gauges")], |html| {
        html.element("div", &[("class", "card")], |html| {
            html.element("p", &[], |html| {
                html.text_element("span", &[("class", "label")], "Connectors: ");
                html.text(&stage.counts.summary());
            });
            condition_bar(html, stage.counts);
        });
        let mut gauge = |label: &str, words: String, least: bool, used: u32, limit: u32| {
            html.element("div", &[("class", "card")], |html| {
                html.element("p", &[], |html| {
                    html.text_element("span", &[("class", "label")], label);
                    html.text(&words);
                });
                usage_meter(html, least, used, limit);
            });
        };
        if let Some(tasks) = stage.cluster_tasks {
            let words = format!("{}; {} reserved", tasks.summary(), tasks.reserved);
            gauge(
                "Tasks of the cluster: ",
                words,
                !tasks.complete,
                tasks.used,
                tasks.allocatable,
            );
        } else if let [row] = &stage.departments[..] {
            let total = row.summary.counts.total();
            let words = format!("{total} of {}", row.connectors_limit);
            gauge("Connector quota: ", words, false, total, row.connectors_limit);
            let (tasks, complete) = (row.summary.tasks, row.summary.complete);
            let words = format!("{}{tasks} of {}", at_least_prefix(complete), row.tasks_limit);
            gauge("Task quota: ", words, !complete, tasks, row.tasks_limit);
        }
    });
}

/// Writes the table of unhealthy connectors.
fn write_attention(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    let rows: Vec<&FleetConnectorRow> = stage.connectors.iter().filter(|row| row.is_notable()).collect();
    html.text_element("h3", &[], "Needs attention");
    html.element("div", &[("class", "card")], |html| {
        if rows.is_empty() {
            html.text_element("p", &[], "Nothing.");
            return;
        }
        // The department is obvious on its own page.
        let whose = fleet.department.is_none();
        let columns = [
            "Connector",
            "State",
            "Observed for",
            "Problem",
            "Responsible",
            "Department",
        ];
        let columns = if whose { &columns[..] } else { &columns[..5] };
        let rows = rows.into_iter().map(|row| {
            let department = row.department.as_ref().map_or("unowned", |code| code.as_str());
            vec![
                name_cell(row),
                state_cell(row),
                text_cell(
                    row.observed_since
                        .map(|since| format_age(since, fleet.taken_at))
                        .unwrap_or_default(),
                ),
                cell(|html| {
                    html.element("div", &[("class", "prose")], |html| {
                        html.text(&row.reason(MAX_CAUSE).unwrap_or_default());
                        if let Some(fix) = row.fix {
                            html.text_element("span", &[("class", "small")], fix);
                        }
                    });
                }),
                text_cell(match row.owner {
                    Some("department") => "department",
                    Some("network") => "network team",
                    Some("confluent") => "Confluent",
                    Some(_) => "platform team",
                    None => "",
                }),
                text_cell(department),
            ]
        });
        table(html, "Worst state first, then longest observed.", columns, rows);
    });
}

fn name_cell(row: &FleetConnectorRow) -> CellContent<'_> {
    cell(|html| {
        html.text(&row.name);
        html.text_element("span", &[("class", "small")], &row.plugin);
    })
}

fn state_cell(row: &FleetConnectorRow) -> CellContent<'_> {
    cell(|html| badge(html, row.condition, row.state_text()))
}

/// Writes one row per department, and one for unowned connectors.
fn write_departments(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    html.text_element("h3", &[], "Departments");
    html.element("div", &[("class", "card")], |html| {
        let columns = ["Department", "State", "Connectors", "Tasks", "Worst", "Failing for"];
        let row = |row: &'_ FleetDepartmentRow| {
            let share = row.summary.clone();
            let (title, code, limits) = (
                row.name.clone(),
                row.department.clone(),
                (row.connectors_limit, row.tasks_limit),
            );
            let since = share.failing_since.map(|since| format_age(since, fleet.taken_at));
            let (total, tasks, complete) = (share.counts.total(), share.tasks, share.complete);
            vec![
                cell(move |html| {
                    html.text(&title);
                    html.text_element("span", &[("class", "small")], code.as_str());
                }),
                share.condition.map_or_else(
                    || text_cell("no connectors"),
                    |condition| cell(move |html| badge(html, condition, condition.as_str())),
                ),
                cell(move |html| usage_with_meter(html, false, total, limits.0)),
                cell(move |html| usage_with_meter(html, !complete, tasks, limits.1)),
                text_cell(share.worst.unwrap_or_default()),
                text_cell(since.unwrap_or_default()),
            ]
        };
        let unowned = stage.unowned.as_ref().filter(|share| share.counts.total() > 0);
        let unowned = unowned.map(|share| {
            let since = share.failing_since.map(|since| format_age(since, fleet.taken_at));
            let condition = share.condition.unwrap_or(ConnectorCondition::Unknown);
            vec![
                cell(|html| {
                    html.text("Unowned");
                    html.text_element("span", &[("class", "small")], "no department has the prefix");
                }),
                cell(move |html| badge(html, condition, condition.as_str())),
                text_cell(share.counts.total().to_string()),
                text_cell(format!("{}{}", at_least_prefix(share.complete), share.tasks)),
                text_cell(share.worst.clone().unwrap_or_default()),
                text_cell(since.unwrap_or_default()),
            ]
        });
        let (some, none): (Vec<&FleetDepartmentRow>, Vec<&FleetDepartmentRow>) =
            stage.departments.iter().partition(|row| row.summary.counts.total() > 0);
        let rows = some.into_iter().map(row).chain(unowned);
        table(
            html,
            "Departments with unhealthy connectors first. Numbers are used and limit.",
            &columns,
            rows,
        );
        departments_without_connectors(html, none.into_iter().map(|row| (row.name.as_str(), &row.department)));
    });
}

/// Writes all connectors, grouped by department.
fn write_connectors_by_department(html: &mut Html, fleet: &Fleet, stage: &StageView) {
    html.text_element("h3", &[], "All connectors");
    html.element("div", &[("class", "card")], |html| {
        let owned = stage
            .departments
            .iter()
            .map(|row| (row.name.as_str(), Some(&row.department)));
        for (title, code) in owned.chain([("Unowned", None)]) {
            let rows: Vec<&FleetConnectorRow> = stage
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
                    let number = count_noun(rows.len(), "connector");
                    html.text_element("span", &[("class", "count")], &number);
                });
                write_connectors(html, fleet, &format!("Connectors of {title}."), rows.into_iter());
            });
        }
    });
}

fn write_connectors<'a>(
    html: &mut Html,
    fleet: &Fleet,
    caption: &str,
    rows: impl Iterator<Item = &'a FleetConnectorRow>,
) {
    let lag = fleet.has_lag();
    let mut columns = vec!["Connector", "State", "Running tasks", "Direction", "Observed for"];
    if lag {
        columns.push("Lag (records)");
    }
    let rows = rows.map(|row| {
        let mut cells = vec![
            name_cell(row),
            state_cell(row),
            text_cell(row.tasks_text()),
            text_cell(row.direction.clone()),
            text_cell(
                row.observed_since
                    .map(|since| format_age(since, fleet.taken_at))
                    .unwrap_or_default(),
            ),
        ];
        if lag {
            cells.push(text_cell(lag_text(row).unwrap_or_default()));
        }
        cells
    });
    table(html, caption, &columns, rows);
}
