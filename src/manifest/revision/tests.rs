//! The pure comparison of two revisions, rule by rule.

use super::{OnboardingRecord, RevisionComparison};
use crate::manifest::tests::{findings_text, load};

const PLATFORM: &str = "\
default_stage = \"prod\"
[organization]
id = \"11111111-2222-3333-4444-555555555555\"
[stages.prod]
environment = \"env-1\"
cluster = \"lkc-1\"
schema_registry = \"lsrc-1\"
[stages.test]
environment = \"env-2\"
cluster = \"lkc-2\"
";
const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\n";
const MOTOR: &str = "name = \"Motor\"\nprefix = \"motor-\"\n";

/// Files of a revision: `ebs.toml`, departments and templates.
#[derive(Clone, Copy)]
struct Files<'a> {
    platform: &'a str,
    departments: &'a [(&'a str, &'a str)],
    templates: &'a [(&'a str, &'a str)],
}

const FORMER: Files<'_> = Files {
    platform: PLATFORM,
    departments: &[("claims", CLAIMS), ("motor", MOTOR)],
    templates: &[],
};

/// Both departments onboarded in prod, and `motor` off-boarded from test.
fn record() -> OnboardingRecord {
    let mut record = OnboardingRecord::default();
    let at = |day: i8| {
        jiff::civil::date(2026, 11, day)
            .at(12, 0, 0, 0)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .unwrap()
            .timestamp()
    };
    record.add("claims", "prod", at(2), true);
    record.add("motor", "prod", at(2), true);
    record.add("motor", "test", at(9), false);
    record.add("motor", "test", at(3), true);
    record
}

/// Returns `severity rule: message` of each finding.
fn compare_with(record: &OnboardingRecord, former: Files<'_>, current: Files<'_>) -> Vec<String> {
    let build = |files: Files<'_>| load(files.platform, files.departments, files.templates).workspace;
    let (former, current) = (build(former), build(current));
    let findings = RevisionComparison::new(&former, &current, record, "0123456789abcdef").check();
    assert!(
        findings
            .iter()
            .all(|finding| finding.span.is_some() && finding.fix.is_some()),
        "{}",
        findings_text(&findings)
    );
    let line = |finding: &crate::diag::Finding| {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        format!("{severity} {}: {}", finding.rule, finding.message)
    };
    findings.iter().map(line).collect()
}

fn compare(current: Files<'_>) -> Vec<String> {
    compare_with(&record(), FORMER, current)
}

fn departments<'a>(departments: &'a [(&'a str, &'a str)]) -> Files<'a> {
    Files { departments, ..FORMER }
}

/// Asserts that there is one finding and that it begins with `expected`.
#[track_caller]
fn assert_one(found: &[String], expected: &str) {
    assert!(
        found.len() == 1 && found[0].starts_with(expected),
        "expected {expected}, found {found:#?}"
    );
}

#[test]
fn equal_files_and_new_departments_have_no_findings() {
    assert!(compare(FORMER).is_empty());
    let hr = "name = \"HR\"\nprefix = \"hr-\"\n";
    assert!(compare(departments(&[("claims", CLAIMS), ("motor", MOTOR), ("hr", hr)])).is_empty());
    // The display name, contacts and higher quotas are free.
    let renamed = "name = \"Claims and Losses\"\nprefix = \"claims-\"\n[quota]\ntasks = 20\n";
    assert!(compare(departments(&[("claims", renamed), ("motor", MOTOR)])).is_empty());
}

#[test]
fn a_deleted_file_of_an_onboarded_department_is_an_error() {
    let found = compare(departments(&[("claims", CLAIMS)]));
    assert_one(
        &found,
        "error department-deleted: the file of department `motor` was deleted, but the department is onboarded in `prod`",
    );
    // Without any evidence, each department counts as onboarded.
    let found = compare_with(&OnboardingRecord::default(), FORMER, departments(&[("claims", CLAIMS)]));
    assert_one(&found, "error department-deleted: ");
    // Evidence of others, but none of this department: it was never onboarded.
    let mut others = OnboardingRecord::default();
    others.add("claims", "prod", jiff::Timestamp::UNIX_EPOCH, true);
    assert_one(
        &compare_with(&others, FORMER, departments(&[("claims", CLAIMS)])),
        "warning department-deleted: ",
    );
}

#[test]
fn the_file_of_a_retired_department_reserves_its_prefix() {
    let retired = format!("{MOTOR}retired = 2026-11-20\n");
    let former = [("claims", CLAIMS), ("motor", retired.as_str())];
    let former = departments(&former);
    let mut gone = record();
    gone.add("motor", "prod", jiff::Timestamp::MAX, false);
    let reuse = "name = \"Fleet\"\nprefix = \"motor-fleet-\"\n";
    let found = compare_with(&gone, former, departments(&[("claims", CLAIMS), ("fleet", reuse)]));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("error department-deleted: the file of the retired department `motor`"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("error prefix-reused: prefix `motor-fleet-` covers names of department `motor`"),
        "{found:?}"
    );

    assert_one(
        &compare_with(&gone, former, FORMER),
        "error retirement-removed: `retired` was removed from department `motor`, which was off-boarded on 2026-11-20",
    );
    // A retirement by mistake can be taken back: nothing was off-boarded.
    assert!(compare_with(&record(), former, FORMER).is_empty());
    let later = format!("{MOTOR}retired = 2026-11-21\n");
    assert_one(
        &compare_with(&gone, former, departments(&[("claims", CLAIMS), ("motor", &later)])),
        "warning retirement-changed: the date of `retired` of department `motor` changed from 2026-11-20 to 2026-11-21",
    );
}

#[test]
fn a_code_never_changes() {
    assert_one(
        &compare(departments(&[("claims", CLAIMS), ("cars", MOTOR)])),
        "error department-moved: the code of department `motor` changed to `cars`",
    );
}

#[test]
fn a_prefix_never_changes_after_onboarding() {
    let other = MOTOR.replace("motor-", "cars-");
    assert_one(
        &compare(departments(&[("claims", CLAIMS), ("motor", &other)])),
        "error prefix-changed: the prefix of department `motor` changed from `motor-` to `cars-`",
    );
    let mut others = OnboardingRecord::default();
    others.add("claims", "prod", jiff::Timestamp::UNIX_EPOCH, true);
    assert!(compare_with(&others, FORMER, departments(&[("claims", CLAIMS), ("motor", &other)])).is_empty());
}

#[test]
fn departments_that_exchange_prefixes_are_two_errors_that_name_each_other() {
    let claims = CLAIMS.replace("claims-", "motor-");
    let motor = MOTOR.replace("motor-", "claims-");
    let found = compare(departments(&[("claims", &claims), ("motor", &motor)]));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with("and prefix `motor-` belonged to department `motor`"),
        "{found:?}"
    );
    assert!(
        found[1].ends_with("and prefix `claims-` belonged to department `claims`"),
        "{found:?}"
    );
}

#[test]
fn a_new_department_cannot_get_a_prefix_that_another_one_gave_up() {
    let motor = MOTOR.replace("motor-", "cars-");
    let heir = "name = \"Heir\"\nprefix = \"motor-\"\n";
    let found = compare(departments(&[("claims", CLAIMS), ("motor", &motor), ("heir", heir)]));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("error prefix-changed: "), "{found:?}");
    assert!(found[1].starts_with("error prefix-reused: "), "{found:?}");
}

#[test]
fn a_department_leaves_a_stage_only_by_an_offboarding() {
    let test = format!("{CLAIMS}stages = [\"test\"]\n");
    assert_one(
        &compare(departments(&[("claims", &test), ("motor", MOTOR)])),
        "error offboarding-missing: department `claims` is no longer allowed in stage `prod`, but it is onboarded there",
    );
    // `motor` was off-boarded from test; its latest evidence decides.
    let prod = format!("{MOTOR}stages = [\"prod\"]\n");
    assert!(compare(departments(&[("claims", CLAIMS), ("motor", &prod)])).is_empty());
    let retired = format!("{MOTOR}retired = 2026-11-20\n");
    assert_one(
        &compare(departments(&[("claims", CLAIMS), ("motor", &retired)])),
        "error offboarding-missing: department `motor` is retired without an off-boarding; it is onboarded in `prod`",
    );
}

#[test]
fn a_stage_keeps_its_name_and_its_address_while_departments_are_in_it() {
    let platform = |from: &str, to: &str| PLATFORM.replace(from, to);
    let changed = |platform: &str| compare(Files { platform, ..FORMER });
    for (from, to, key) in [
        ("env-1", "env-9", "environment"),
        ("lkc-1", "lkc-9", "cluster"),
        ("lsrc-1", "lsrc-9", "schema_registry"),
    ] {
        assert_one(
            &changed(&platform(from, to)),
            &format!("error stage-address-changed: `{key}` of stage `prod` changed from `{from}` to `{to}`"),
        );
    }
    assert_one(
        &changed(&platform("[stages.prod]", "[stages.live]").replace("\"prod\"", "\"test\""))
            .into_iter()
            .take(1)
            .collect::<Vec<_>>(),
        "error stage-removed: stage `prod` was renamed to `live`",
    );
    let without = PLATFORM.split("[stages.prod]").next().unwrap().replace("prod", "test")
        + "[stages.test]"
        + PLATFORM.split("[stages.test]").nth(1).unwrap();
    let found = changed(&without);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with(
            "error stage-removed: stage `prod` was removed, but departments are onboarded in it: `claims` and `motor`"
        ),
        "{found:?}"
    );
    assert!(found[1].starts_with("warning default-stage-changed: "), "{found:?}");
    // Nobody is onboarded in test.
    let without_test = PLATFORM.split("[stages.test]").next().unwrap();
    assert!(changed(without_test).is_empty());
    assert!(changed(&platform("lkc-2", "lkc-8")).is_empty());
    assert_one(
        &changed(&platform("11111111", "99999999")),
        "error organization-changed: ",
    );
}

#[test]
fn an_invalid_file_is_not_reported_as_deleted() {
    let broken = MOTOR.replace("motor-", "Motor");
    assert!(compare(departments(&[("claims", CLAIMS), ("motor", &broken)])).is_empty());
    let platform = PLATFORM.replace("lkc-1", "nothing");
    assert!(
        compare(Files {
            platform: &platform,
            ..FORMER
        })
        .is_empty()
    );
}

const TEMPLATE: &str = "\
[[persona]]
name = \"operator\"
keys = [\"cloud\"]
[[persona.grant]]
role = \"DeveloperRead\"
on = \"connector:{prefix}*\"
why = \"status\"
[[persona]]
name = \"runtime\"
keys = []
[[persona.grant]]
role = \"DeveloperRead\"
on = \"topic:{prefix}*\"
why = \"sinks\"
[[persona.grant]]
role = \"DeveloperWrite\"
on = \"topic:{prefix}*\"
why = \"sources\"
";

#[test]
fn personas_and_grants_that_a_template_loses_are_named_once_for_all_departments() {
    let templates = [("hybrid", TEMPLATE)];
    let former = Files {
        templates: &templates,
        ..FORMER
    };
    let without_operator = format!(
        "[[persona]]\nname = \"runtime\"{}",
        TEMPLATE.split("name = \"runtime\"").nth(1).unwrap()
    );
    let changed = [("hybrid", without_operator.as_str())];
    let found = compare_with(
        &record(),
        former,
        Files {
            templates: &changed,
            ..FORMER
        },
    );
    assert_one(
        &found,
        "warning persona-removed: template `hybrid` has no persona `operator` any more; its accounts and API keys keep \
         working in `claims` and `motor`",
    );
    let read_only = TEMPLATE
        .split("[[persona.grant]]\nrole = \"DeveloperWrite\"")
        .next()
        .unwrap();
    let changed = [("hybrid", read_only)];
    let found = compare_with(
        &record(),
        former,
        Files {
            templates: &changed,
            ..FORMER
        },
    );
    assert_one(
        &found,
        "info grant-removed: persona `runtime` of template `hybrid` loses `DeveloperWrite` on `topic:{prefix}*`",
    );
}

#[test]
fn a_lower_quota_is_information() {
    let claims = format!("{CLAIMS}[quota]\nconnectors = 4\nplugins = [\"S3_SINK\"]\n");
    assert_one(
        &compare(departments(&[("claims", &claims), ("motor", MOTOR)])),
        "info quota-lowered: the quota of department `claims` decreases: `connectors` from 5 to 4, `plugins` without `*`",
    );
}

#[test]
fn a_removed_recipient_needs_new_keys() {
    let recipient = "recipients = [\"age1mp5rpkkyvlrwdlr8jnttm6yk373dl8y5jqwdwfv2xw6dm9mma4eqlex5al\"]\n";
    let encrypted = format!("{CLAIMS}{recipient}");
    let former = [("claims", encrypted.as_str()), ("motor", MOTOR)];
    assert_one(
        &compare_with(&record(), departments(&former), FORMER),
        "warning recipient-removed: department `claims` has no recipients any more",
    );
}
