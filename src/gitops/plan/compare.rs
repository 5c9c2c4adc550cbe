//! Differences between the configuration in a file and that of the service.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::{Catalog, ValueReference, schema::ValueType},
    resources::connector::{FieldDiff, SecretChange, is_mask, is_server_key},
};

/// Keys whose values are sets: the order of the items has no meaning.
const SETS: [&str; 3] = ["table.include.list", "table.whitelist", "topics"];

/// Compares the configuration of a file, whose references are not resolved, with that of the service.
///
/// A secret or a reference that both have is not compared, because the service returns no secrets: its difference is
/// [`SecretChange::Unknown`]. Keys that the service adds, and other spellings of the same value (`TRUE`, another order of
/// topics), are no differences.
#[must_use]
pub fn compare_config(
    catalog: &Catalog,
    live: &BTreeMap<String, String>,
    desired: &BTreeMap<String, String>,
    secret_keys: &BTreeSet<String>,
) -> Vec<FieldDiff> {
    let plugin = desired.get("connector.class").and_then(|class| catalog.plugin(class));
    let value_type = |key: &str| {
        let schema = match plugin {
            Some(plugin) => plugin.key(key),
            None => catalog.common_key(key),
        };
        schema
            .filter(|schema| schema.is_defined())
            .map(|schema| schema.value_type)
    };
    let keys: BTreeSet<&String> = live.keys().chain(desired.keys()).collect();
    let mut fields = Vec::new();
    for key in keys {
        let (old, new) = (live.get(key), desired.get(key));
        if key == "name" || is_server_key(key) {
            continue;
        }
        let reference = new.filter(|value| ValueReference::parse(value).is_some());
        let is_hidden = reference.is_some() || secret_keys.contains(key) || old.is_some_and(|value| is_mask(value));
        if is_hidden {
            fields.push(FieldDiff {
                config: key.clone(),
                old: None,
                new: None,
                secret: Some(match (old, new) {
                    (Some(_), Some(_)) => SecretChange::Unknown,
                    _ => SecretChange::Changed,
                }),
                reference: reference.cloned(),
            });
            continue;
        }
        let same = match (old, new) {
            (Some(old), Some(new)) => is_same_value(key, value_type(key), old, new),
            _ => false,
        };
        if !same {
            fields.push(FieldDiff {
                config: key.clone(),
                old: old.cloned(),
                new: new.cloned(),
                secret: None,
                reference: None,
            });
        }
    }
    fields
}

fn is_same_value(key: &str, value_type: Option<ValueType>, old: &str, new: &str) -> bool {
    let (old, new) = (old.trim(), new.trim());
    if old == new {
        return true;
    }
    match value_type {
        Some(ValueType::Boolean) => old.eq_ignore_ascii_case(new),
        _ if SETS.contains(&key) => {
            let items = |list: &str| {
                list.split(',')
                    .map(|item| item.trim().to_owned())
                    .collect::<BTreeSet<_>>()
            };
            items(old) == items(new)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;

    fn config(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn differences(live: &[(&str, &str)], desired: &[(&str, &str)]) -> Vec<String> {
        let class = [("connector.class", "S3_SINK")];
        let (live, desired) = ([&class, live].concat(), [&class, desired].concat());
        let secrets = BTreeSet::from(["aws.secret.access.key".to_owned()]);
        let fields = compare_config(catalog(), &config(&live), &config(&desired), &secrets);
        fields
            .into_iter()
            .map(|field| match field.secret {
                Some(change) => format!("{} {}", field.config, change.as_str()),
                None => format!("{} {:?} {:?}", field.config, field.old, field.new),
            })
            .collect()
    }

    #[test]
    fn other_spellings_and_added_keys_are_no_differences() {
        let live = [
            ("topics", "b, a"),
            ("auto.restart.on.user.error", "TRUE"),
            ("kafka.region", "x"),
            ("config.internal.y", "1"),
        ];
        assert!(differences(&live, &[("topics", "a,b"), ("auto.restart.on.user.error", "true")]).is_empty());
        assert_eq!(differences(&[("transforms", "a,b")], &[("transforms", "b,a")]).len(), 1);
    }

    #[test]
    fn changed_added_and_removed_keys_are_differences() {
        assert_eq!(
            differences(
                &[("tasks.max", "1"), ("time.interval", "HOURLY")],
                &[("tasks.max", "2"), ("flush.size", "9")]
            ),
            [
                "flush.size None Some(\"9\")",
                "tasks.max Some(\"1\") Some(\"2\")",
                "time.interval Some(\"HOURLY\") None"
            ]
        );
    }

    #[test]
    fn a_secret_on_both_sides_is_not_compared_and_a_removed_one_is_a_change() {
        let live = [
            ("aws.secret.access.key", "****************"),
            ("aws.access.key.id", "AKIA"),
        ];
        let desired = [
            ("aws.secret.access.key", "${env:EBS_SECRET_KEY}"),
            ("aws.access.key.id", "${env:EBS_SECRET_ID}"),
        ];
        assert_eq!(
            differences(&live, &desired),
            ["aws.access.key.id unknown", "aws.secret.access.key unknown"]
        );
        assert_eq!(differences(&live[..1], &[]), ["aws.secret.access.key changed"]);
        assert_eq!(differences(&[], &desired[..1]), ["aws.secret.access.key changed"]);
    }
}
