use std::collections::BTreeMap;

use super::*;
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    commands::status::StatusOutput,
    error::ErrorKind,
    fleet::OwnerDepartment,
    model::{DepartmentQuota, Prefix},
    quota::ClusterTaskLimit,
    render::{Format, Ui, Viewable as _},
};

fn owner(number: usize) -> OwnerDepartment {
    OwnerDepartment {
        code: format!("department-{number}").parse().unwrap(),
        name: format!("Department {number}"),
        prefix: Prefix::parse(&format!("d{number:02}-")).unwrap(),
        quota: DepartmentQuota {
            connectors: 9,
            tasks: 9,
            tasks_per_connector: 9,
            plugins: vec!["*".into()],
            throughput: None,
        },
    }
}

/// 24 departments with five connectors each, of which `failed` connectors have failed.
fn fleet(failed: usize) -> Fleet {
    let owners: Vec<OwnerDepartment> = (1..=24).map(owner).collect();
    let names = (0..120).map(|number| format!("d{:02}-a-connector-with-a-name-{number}", number % 24 + 1));
    let list = names.enumerate().map(|(number, name)| {
        let mut now = ExpandedConnector::default();
        now.info.config.insert("tasks.max".into(), "1".into());
        now.status.connector.state = if number < failed { "FAILED" } else { "RUNNING" }.into();
        now.status.connector.trace = "the database at db.example.com refused the password of the reader ".repeat(3);
        (name, now)
    });
    let list: BTreeMap<String, ExpandedConnector> = list.collect();
    let place = ClusterPath {
        environment: "env-prod01".parse().unwrap(),
        cluster: "lkc-prod01".parse().unwrap(),
    };
    let ceiling = ClusterTaskLimit {
        tasks: 250,
        reserve_percent: 10,
    };
    Fleet::example(&place, ceiling, &list, &owners)
}

/// Renders the screen in the given size.
fn render_frame(fleet: &Fleet, width: usize, height: usize) -> Vec<String> {
    let (ui, captured) = Ui::captured(Format::Human, width, "");
    ui.print_message(&frame(fleet, Duration::from_secs(10), width, height));
    captured.stderr().lines().map(str::to_owned).collect()
}

#[test]
fn every_trouble_fits_on_one_line_of_the_smallest_screen() {
    for (width, height) in [(80, 23), (200, 60)] {
        let lines = render_frame(&fleet(12), width, height);
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{lines:#?}");
        let first = lines.iter().position(|line| line.contains(" FAILED ")).unwrap();
        let failed = lines.iter().filter(|line| line.contains(" FAILED ")).count();
        assert_eq!(failed, (height / 3).min(12), "{lines:#?}");
        assert!(first + failed < height, "{lines:#?}");
        assert!(
            lines[first].starts_with("d01-a-connector-with-a-name-0 FAILED new: the database"),
            "{lines:#?}"
        );
    }
    assert!(render_frame(&fleet(12), 80, 23).contains(&"… and 5 more".to_owned()));
}

#[test]
fn a_failed_refresh_is_reported_and_the_last_result_stays() {
    let lines = render_frame(&fleet(0).mark_stale(Error::failed("503 Service Unavailable")), 80, 23);
    assert_eq!(lines[0], "Connectors of all departments, 00:00:00 UTC, every 10 s");
    assert_eq!(lines[1], "Refresh failed: 503 Service Unavailable.");
    assert_eq!(lines[2], "prod  120 connectors: 120 running. 120 of 225 tasks.");
    assert!(lines.iter().any(|line| line.contains("department-24")), "{lines:#?}");
}

#[test]
fn ending_after_a_failed_refresh_is_not_success() {
    let failed = Error::denied("403 Forbidden").with_hint("Ask the platform team.");
    let last = fleet(0).mark_stale(failed);
    let (ui, captured) = Ui::captured(Format::Human, 80, "");
    ui.print_message(&StatusOutput { fleet: last.clone() }.view());
    let text = captured.stderr();
    assert!(
        text.starts_with("As of 00:00:00 UTC: refresh failed: 403 Forbidden."),
        "{text}"
    );
    let error = last.incomplete_error().unwrap();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert_eq!(error.to_string(), "refresh failed after 00:00:00 UTC: 403 Forbidden");
    assert_eq!(error.hints.len(), 1);
    assert!(fleet(0).incomplete_error().is_none());
}

#[test]
fn an_unknown_lag_of_all_sinks_is_reported_once() {
    let mut fleet = fleet(0);
    fleet.stages.push(fleet.stages[0].clone());
    fleet.lag_unknown = Some("503 Service Unavailable".into());
    let (ui, captured) = Ui::captured(Format::Human, 80, "");
    ui.print_message(&StatusOutput { fleet }.view());
    let text = captured.stderr();
    assert_eq!(text.matches("The lag of sinks").count(), 1, "{text}");
}
