use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    api::connect::ExpandedConnector,
    catalog::catalog,
    gitops::{
        file_tree::ConnectorAddress,
        settings::{ConfiguredState, ConnectorSettings, ReplacePolicy},
    },
    model::{DepartmentQuota, Prefix, ServiceAccountId, UNNAMED_PLATFORM_TEAM},
};

type Connectors = BTreeMap<String, ExpandedConnector>;

const ACCOUNT: &str = "sa-own111";

fn file(name: &str, pairs: &[(&str, &str)]) -> DesiredFile {
    let mut config: BTreeMap<String, String> = BTreeMap::from([
        ("connector.class".to_owned(), "S3_SINK".to_owned()),
        ("kafka.service.account.id".to_owned(), ACCOUNT.to_owned()),
        ("name".to_owned(), name.to_owned()),
    ]);
    config.extend(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
    );
    let is_secret = |(key, value): &(&String, &String)| key.contains("secret") || value.contains("${");
    let secret_keys = config.iter().filter(is_secret).map(|(key, _)| key.clone()).collect();
    DesiredFile {
        address: ConnectorAddress {
            department: "claims".to_owned(),
            stage: "prod".to_owned(),
            name: name.to_owned(),
        },
        settings: ConnectorSettings::default(),
        config,
        secret_keys,
        offsets: None,
    }
}

fn tombstone(name: &str) -> DesiredFile {
    let mut file = file(name, &[]);
    file.config.clear();
    file.settings.state = Some(ConfiguredState::Absent);
    file
}

/// Connector as the service returns it: with masks, and with keys of its own.
fn live(file: &DesiredFile, lcc: &str, state: &str) -> ExpandedConnector {
    let mut connector = ExpandedConnector::default();
    connector.id.id = lcc.to_owned();
    connector.info.config.clone_from(&file.config);
    for key in &file.secret_keys {
        connector.info.config.insert(key.clone(), "****************".to_owned());
    }
    for key in ["kafka.region", "config.internal.x", "cloud.provider"] {
        connector.info.config.insert(key.to_owned(), "added".to_owned());
    }
    connector.status.connector.state = state.into();
    connector
}

fn plan(files: &[DesiredFile], observed: &Connectors) -> GitopsPlan {
    plan_sending(files, observed, &[])
}

fn plan_sending(files: &[DesiredFile], observed: &Connectors, sent_secrets: &[SentSecret]) -> GitopsPlan {
    let quota = DepartmentQuota {
        connectors: 5,
        tasks: 8,
        tasks_per_connector: 4,
        throughput: None,
        plugins: vec!["*".to_owned()],
    };
    plan_with_quota(files, observed, sent_secrets, &quota)
}

fn plan_with_quota(
    files: &[DesiredFile],
    observed: &Connectors,
    sent_secrets: &[SentSecret],
    quota: &DepartmentQuota,
) -> GitopsPlan {
    plan_department(&GitopsPlanInput {
        department: "claims",
        stage: "prod",
        prefix: &Prefix::parse("claims-").unwrap(),
        quota,
        runtime_account: Some(&ACCOUNT.parse::<ServiceAccountId>().unwrap()),
        platform_team: &UNNAMED_PLATFORM_TEAM,
        desired: files,
        observed,
        sent_secrets,
        catalog: catalog(),
        unmanaged: &crate::gitops::unmanaged::UnmanagedConnectors::default(),
        recorded: None,
        policy_hash: "",
        catalog_hash: "facts",
    })
}

fn actions(plan: &GitopsPlan) -> Vec<String> {
    let line = |item: &PlanItem| format!("{} {} {}", item.action, item.address.name, item.risk);
    plan.items.iter().map(line).collect()
}

fn connectors(list: &[(&DesiredFile, &str)]) -> Connectors {
    let entry = |(number, (file, state)): (usize, &(&DesiredFile, &str))| {
        (file.address.name.clone(), live(file, &format!("lcc-{number}"), state))
    };
    list.iter().enumerate().map(entry).collect()
}

/// Applies a plan as the service would: the model of the tests.
fn apply(plan: &GitopsPlan, files: &[DesiredFile], observed: &mut Connectors) {
    for (number, item) in plan.items.iter().enumerate() {
        let name = &item.address.name;
        let file = files.iter().find(|file| file.address == item.address).unwrap();
        let set_state = |observed: &mut Connectors, state: &str| {
            observed.get_mut(name).unwrap().status.connector.state = state.into();
        };
        match item.action {
            ItemAction::Update => {
                let state = observed[name].status.connector.state.to_string();
                let id = observed[name].id.id.clone();
                observed.insert(name.clone(), live(file, &id, &state));
            }
            ItemAction::Pause => set_state(observed, "PAUSED"),
            ItemAction::Resume => set_state(observed, "RUNNING"),
            ItemAction::Create | ItemAction::Replace => {
                observed.remove(item.replaces.as_ref().unwrap_or(name));
                let paused = file.settings.state == Some(ConfiguredState::Paused);
                let state = if paused { "PAUSED" } else { "RUNNING" };
                observed.insert(name.clone(), live(file, &format!("lcc-new{number}"), state));
            }
            ItemAction::Delete => drop(observed.remove(name)),
        }
    }
}

#[test]
fn a_missing_connector_is_created_and_one_without_file_is_only_reported() {
    let other = file("claims-other", &[]);
    let plan = plan(
        &[file("claims-a", &[("topics", "claims-t")])],
        &connectors(&[(&other, "RUNNING")]),
    );
    assert_eq!(actions(&plan), ["create claims-a normal"]);
    assert_eq!(plan.unmanaged[0].name, "claims-other");
    assert!(plan.id.is_some());
}

#[test]
fn connectors_of_other_departments_are_not_mentioned() {
    let foreign = file("motor-a", &[]);
    let plan = plan(&[], &connectors(&[(&foreign, "RUNNING")]));
    assert!(plan.is_empty() && plan.unmanaged.is_empty());
}

#[test]
fn only_a_tombstone_deletes_and_without_connector_it_does_nothing() {
    let old = file("claims-a", &[]);
    let deletes = plan(&[tombstone("claims-a")], &connectors(&[(&old, "RUNNING")]));
    assert_eq!(actions(&deletes), ["delete claims-a destructive"]);
    assert_eq!(deletes.items[0].lcc.as_deref(), Some("lcc-0"));
    let gone = plan(&[tombstone("claims-a")], &Connectors::new());
    assert!(gone.is_empty());
    assert_eq!(gone.deleted, ["claims-a"]);
}

#[test]
fn topics_identity_and_error_handling_are_a_high_risk() {
    let old = file("claims-a", &[("topics", "claims-t"), ("flush.size", "1000")]);
    for (key, value, risk) in [
        ("flush.size", "2000", "normal"),
        ("topics", "claims-u", "high"),
        ("kafka.auth.mode", "KAFKA_API_KEY", "high"),
        ("errors.tolerance", "none", "high"),
    ] {
        let mut new = old.clone();
        new.config.insert(key.to_owned(), value.to_owned());
        let plan = plan(&[new], &connectors(&[(&old, "RUNNING")]));
        assert_eq!(actions(&plan), [format!("update claims-a {risk}")], "{key}");
    }
}

#[test]
fn a_state_is_changed_only_if_the_file_sets_one() {
    let mut desired = file("claims-a", &[]);
    let paused = connectors(&[(&desired, "PAUSED")]);
    assert!(plan(std::slice::from_ref(&desired), &paused).is_empty());
    desired.settings.state = Some(ConfiguredState::Running);
    assert_eq!(
        actions(&plan(std::slice::from_ref(&desired), &paused)),
        ["resume claims-a normal"]
    );
    desired.settings.state = Some(ConfiguredState::Paused);
    assert!(plan(std::slice::from_ref(&desired), &paused).is_empty());
    let created = plan(&[desired], &Connectors::new());
    assert_eq!(actions(&created), ["create claims-a normal"]);
    assert_eq!(created.items[0].final_state, Some(ConfiguredState::Paused));
}

#[test]
fn a_custom_connector_and_one_of_another_account_are_conflicts() {
    let desired = file("claims-a", &[]);
    for (key, value) in [
        ("confluent.connector.type", "CUSTOM"),
        ("kafka.service.account.id", "sa-other1"),
    ] {
        let mut observed = connectors(&[(&desired, "RUNNING")]);
        observed
            .get_mut("claims-a")
            .unwrap()
            .info
            .config
            .insert(key.to_owned(), value.to_owned());
        for file in [desired.clone(), tombstone("claims-a")] {
            let plan = plan(&[file], &observed);
            assert!(
                plan.items.is_empty() && plan.conflicts.len() == 1 && plan.id.is_none(),
                "{key}"
            );
        }
    }
}

#[test]
fn a_secret_is_sent_with_another_change_or_when_it_is_selected() {
    let desired = file(
        "claims-a",
        &[("aws.secret.access.key", "${env:EBS_SECRET_AWS}"), ("tasks.max", "1")],
    );
    let observed = connectors(&[(&desired, "RUNNING")]);
    let unchanged = plan(std::slice::from_ref(&desired), &observed);
    assert!(unchanged.is_empty());
    assert_eq!(unchanged.secrets_not_compared, 1);
    for selected in ["claims-a", "claims-a:aws.secret.access.key"] {
        let sent = plan_sending(std::slice::from_ref(&desired), &observed, &[selected.parse().unwrap()]);
        assert_eq!(actions(&sent), ["update claims-a normal"], "{selected}");
        assert_eq!(
            sent.items[0].fields[0].reference.as_deref(),
            Some("${env:EBS_SECRET_AWS}")
        );
    }
    let other = plan_sending(&[desired], &observed, &["claims-b".parse().unwrap()]);
    assert!(other.is_empty());
}

#[test]
fn a_rename_needs_a_policy_and_an_unprotected_connector() {
    let old = file("claims-old", &[]);
    let observed = connectors(&[(&old, "RUNNING")]);
    let mut new = file("claims-new", &[]);
    new.settings.renamed_from = Some("claims-old".to_owned());
    assert_eq!(plan(std::slice::from_ref(&new), &observed).errors.len(), 1);
    new.settings.replace = Some(ReplacePolicy::Carry);
    let replaced = plan(std::slice::from_ref(&new), &observed);
    assert_eq!(actions(&replaced), ["replace claims-new destructive"]);
    assert_eq!(replaced.items[0].replaces.as_deref(), Some("claims-old"));
    assert!(
        replaced.unmanaged.is_empty(),
        "the old connector belongs to the new file"
    );
    new.settings.protect = true;
    assert_eq!(plan(&[new], &observed).errors.len(), 1);
}

#[test]
fn an_interrupted_rename_is_the_same_item_and_two_running_connectors_are_a_conflict() {
    let old = file("claims-old", &[]);
    let mut new = file("claims-new", &[("flush.size", "1000")]);
    new.settings.renamed_from = Some("claims-old".to_owned());
    new.settings.replace = Some(ReplacePolicy::Reset);
    let before = plan(std::slice::from_ref(&new), &connectors(&[(&old, "RUNNING")]));
    let between = plan(
        std::slice::from_ref(&new),
        &connectors(&[(&old, "PAUSED"), (&new, "RUNNING")]),
    );
    assert_eq!(before.items[0].id, between.items[0].id);
    assert_eq!(before.id, between.id);
    let both = plan(
        &[new],
        &connectors(&[
            (&old, "RUNNING"),
            (&file("claims-new", &[("flush.size", "1000")]), "RUNNING"),
        ]),
    );
    assert_eq!(both.conflicts.len(), 1);
}

#[test]
fn another_class_is_a_replacement_that_cannot_carry_offsets() {
    let old = file("claims-a", &[]);
    let observed = connectors(&[(&old, "RUNNING")]);
    let mut new = file("claims-a", &[("connector.class", "HttpSink")]);
    new.settings.replace = Some(ReplacePolicy::Carry);
    assert_eq!(plan(std::slice::from_ref(&new), &observed).errors.len(), 1);
    new.settings.replace = Some(ReplacePolicy::Reset);
    assert_eq!(actions(&plan(&[new], &observed)), ["replace claims-a destructive"]);
}

#[test]
fn the_quota_is_judged_after_the_plan_and_only_against_growth() {
    let names = ["a", "b", "c", "d", "e", "f"].map(|name| format!("claims-{name}"));
    let files: Vec<DesiredFile> = names.iter().map(|name| file(name, &[])).collect();
    let five: Vec<(&DesiredFile, &str)> = files[..5].iter().map(|file| (file, "RUNNING")).collect();
    let six: Vec<(&DesiredFile, &str)> = files.iter().map(|file| (file, "RUNNING")).collect();
    assert_eq!(plan(&files, &connectors(&five)).errors.len(), 1);
    let mut exchanged = files.clone();
    exchanged[0] = tombstone("claims-a");
    assert!(plan(&exchanged, &connectors(&five)).errors.is_empty());
    let mut smaller = files.clone();
    smaller[0].config.insert("flush.size".to_owned(), "2000".to_owned());
    assert!(
        plan(&smaller, &connectors(&six)).errors.is_empty(),
        "a department over its quota may still change a setting"
    );
}

#[test]
fn a_plugin_outside_the_quota_and_too_many_tasks_are_errors_of_new_connectors() {
    let quota = DepartmentQuota {
        connectors: 5,
        tasks: 8,
        tasks_per_connector: 2,
        throughput: None,
        plugins: vec!["HttpSink".to_owned()],
    };
    let wide = file("claims-a", &[("tasks.max", "3")]);
    assert_eq!(
        plan_with_quota(std::slice::from_ref(&wide), &Connectors::new(), &[], &quota)
            .errors
            .len(),
        2
    );
    let observed = connectors(&[(&wide, "RUNNING")]);
    let mut changed = wide.clone();
    changed.config.insert("flush.size".to_owned(), "2000".to_owned());
    assert!(plan_with_quota(&[changed], &observed, &[], &quota).errors.is_empty());
}

#[test]
fn states_and_other_connectors_do_not_change_the_id() {
    let old = file("claims-a", &[("tasks.max", "1")]);
    let new = file("claims-a", &[("tasks.max", "2")]);
    let running = plan(std::slice::from_ref(&new), &connectors(&[(&old, "RUNNING")]));
    let failed = plan(
        std::slice::from_ref(&new),
        &connectors(&[(&old, "FAILED"), (&file("claims-z", &[]), "RUNNING")]),
    );
    assert_eq!(running.id, failed.id);
    let other = file("claims-a", &[("tasks.max", "3")]);
    assert_ne!(running.id, plan(&[other], &connectors(&[(&old, "RUNNING")])).id);
    let mut replaced = connectors(&[(&old, "RUNNING")]);
    replaced.get_mut("claims-a").unwrap().id.id = "lcc-other".to_owned();
    assert_ne!(
        running.id,
        plan(&[new], &replaced).id,
        "a connector that was created again is another one"
    );
}

fn any_file(name: String) -> impl Strategy<Value = DesiredFile> {
    let keys = prop::collection::btree_map(
        prop::sample::select(vec![
            "topics",
            "flush.size",
            "auto.restart.on.user.error",
            "aws.secret.access.key",
            "time.interval",
        ]),
        prop::sample::select(vec![
            "claims-a,claims-b",
            "claims-b,claims-a",
            "1000",
            "true",
            "TRUE",
            "${env:EBS_SECRET_X}",
        ]),
        0..5,
    );
    let state = prop::sample::select(vec![
        None,
        Some(ConfiguredState::Running),
        Some(ConfiguredState::Paused),
        Some(ConfiguredState::Absent),
    ]);
    let class = prop::sample::select(vec!["S3_SINK", "S3_SINK", "HttpSink"]);
    (keys, state, class, prop::bool::ANY).prop_map(move |(keys, state, class, rename)| {
        let mut pairs: Vec<(&str, &str)> = keys.into_iter().collect();
        pairs.push(("connector.class", class));
        let mut file = if state == Some(ConfiguredState::Absent) {
            tombstone(&name)
        } else {
            file(&name, &pairs)
        };
        file.settings.state = state;
        file.settings.replace = Some(ReplacePolicy::Reset);
        if rename && state != Some(ConfiguredState::Absent) {
            file.settings.renamed_from = Some(format!("{name}-former"));
        }
        file
    })
}

fn any_files() -> impl Strategy<Value = Vec<DesiredFile>> {
    let names = ["claims-a", "claims-b", "claims-c"];
    let files = names.map(|name| prop::option::of(any_file(name.to_owned())));
    files.prop_map(|files| files.into_iter().flatten().collect())
}

/// Connectors of earlier files, of hand, of others, under present and former names.
fn any_connectors() -> impl Strategy<Value = Connectors> {
    let states = || prop::sample::select(vec!["RUNNING", "PAUSED", "FAILED", "PROVISIONING"]);
    let names = prop::sample::select(vec![
        "claims-a",
        "claims-b",
        "claims-b-former",
        "claims-c-former",
        "claims-x",
        "motor-a",
    ]);
    let one = names.prop_flat_map(move |name| (any_file(name.to_owned()), states()));
    prop::collection::vec(one, 0..5).prop_map(|list| {
        let existing = list.iter().filter(|(file, _)| !file.settings.is_absent());
        let list: Vec<(&DesiredFile, &str)> = existing.map(|(file, state)| (file, *state)).collect();
        connectors(&list)
    })
}

proptest! {
    // The central promise: what a plan says is done once, and then there is nothing left to do.
    #[test]
    fn the_plan_after_an_apply_is_empty(files in any_files(), mut observed in any_connectors()) {
        let before = observed.clone();
        let first = plan(&files, &observed);
        if !first.is_refused() {
            apply(&first, &files, &mut observed);
            let second = plan(&files, &observed);
            prop_assert!(second.is_empty(), "{:?} after {:?}", actions(&second), actions(&first));
        }
        // Nothing of others, and nothing without a file, is touched.
        let mine: BTreeSet<&String> = first.items.iter().flat_map(|item| [Some(&item.address.name), item.replaces.as_ref()]).flatten().collect();
        for (name, connector) in before.iter().filter(|(name, _)| !mine.contains(name)) {
            prop_assert_eq!(&observed[name].info.config, &connector.info.config);
            prop_assert!(name.starts_with("claims-") || !mine.contains(name));
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_of_files(files in any_files(), observed in any_connectors()) {
        let mut reversed = files.clone();
        reversed.reverse();
        prop_assert_eq!(plan(&files, &observed).id, plan(&reversed, &observed).id);
    }

    #[test]
    fn each_approved_item_is_approved_again(files in any_files(), observed in any_connectors()) {
        let first = plan(&files, &observed);
        let again = plan(&files, &observed);
        let ids = |plan: &GitopsPlan| plan.items.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&first), ids(&again));
        let distinct: BTreeSet<String> = ids(&first).into_iter().collect();
        prop_assert_eq!(distinct.len(), first.items.len(), "ids are unique");
    }
}
