//! The file of a connector in another stage, from its file in one stage. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::Serialize;

use crate::{
    catalog::ValueReference,
    gitops::{
        effective_file::EffectiveFile,
        import::{yaml_key, yaml_string},
    },
};

/// Configuration by key.
pub type ConfigValues = BTreeMap<String, String>;

/// Values that differ between two stages in the same way in all files of a department.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StagePairs {
    /// Values of the second stage by key and value of the first stage; `None` if the files disagree.
    by_key: BTreeMap<(String, String), Option<String>>,
    /// The same for the names of places and references, which mean the same under every key.
    by_value: BTreeMap<String, Option<String>>,
}

impl StagePairs {
    /// Returns the pairs of `connectors`: of each, its configuration in both stages.
    pub fn new<'a>(connectors: impl IntoIterator<Item = (&'a ConfigValues, &'a ConfigValues)>) -> Self {
        let mut pairs = Self::default();
        for (from, to) in connectors {
            for (key, value) in from {
                let Some(other) = to.get(key) else { continue };
                insert(&mut pairs.by_key, (key.clone(), value.clone()), other);
                if review_reason(key, value).is_some() {
                    insert(&mut pairs.by_value, value.clone(), other);
                }
            }
        }
        pairs
    }

    /// Returns the value of the second stage, if all files agree on it.
    fn find(&self, key: &str, value: &str) -> Option<&str> {
        let exact = self.by_key.get(&(key.to_owned(), value.to_owned()));
        match exact {
            Some(other) => other.as_deref(),
            None => self.by_value.get(value)?.as_deref(),
        }
    }
}

/// Inserts a pair; a second, different value removes it for good.
fn insert<K: Ord>(pairs: &mut BTreeMap<K, Option<String>>, key: K, other: &str) {
    pairs
        .entry(key)
        .and_modify(|known| {
            if known.as_deref() != Some(other) {
                *known = None;
            }
        })
        .or_insert_with(|| Some(other.to_owned()));
}

/// Value that was replaced by the one of the other stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplacedValue {
    /// Configuration key.
    pub config: String,
    /// Value of the first stage.
    pub from: String,
    /// Value of the second stage.
    pub to: String,
}

/// Value that probably belongs to the first stage, and for which no file knows the value of the second stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedValue {
    /// Configuration key.
    pub config: String,
    /// Value of the first stage; a reference, not a secret.
    pub value: String,
    /// Why the value is listed: `address`, `account` or `reference`.
    pub reason: &'static str,
}

/// Inputs of a promotion.
pub(super) struct PromotionInput<'a> {
    /// Effective configuration in the first stage, without the name.
    pub(super) source: &'a ConfigValues,
    /// Configuration of the base file; empty without one.
    pub(super) base: &'a ConfigValues,
    /// Configuration of the stage file that the connector has in the second stage; empty without one.
    pub(super) own: &'a ConfigValues,
    /// Keys that the file of the second stage removes from the base.
    pub(super) removed: &'a BTreeSet<String>,
    pub(super) pairs: &'a StagePairs,
    /// Name of the first stage, for comments.
    pub(super) from: &'a str,
    /// Settings beside `config`, with their values as text.
    pub(super) settings: &'a [(&'static str, String)],
}

/// Text of a promoted file, and what happened to its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RewrittenFile {
    pub(super) text: String,
    pub(super) replaced: Vec<ReplacedValue>,
    pub(super) review: Vec<ReviewedValue>,
    /// Keys whose value in the second stage was kept.
    pub(super) kept: Vec<String>,
}

/// Returns the file of the second stage: the values of the first one that the base does not have, those with a pair
/// replaced. What the second stage sets itself is kept.
pub(super) fn rewrite(input: &PromotionInput<'_>) -> RewrittenFile {
    let mut out = RewrittenFile::default();
    let mut lines = Vec::new();
    for (key, value) in input.source {
        if input.removed.contains(key) && input.base.contains_key(key) {
            out.kept.push(key.clone());
            lines.push(format!("  {}: null", yaml_key(key)));
            continue;
        }
        let (value, comment) = if let Some(own) = input.own.get(key) {
            out.kept.push(key.clone());
            (own.as_str(), String::new())
        } else if let Some(other) = input.pairs.find(key, value) {
            if other != value {
                out.replaced.push(ReplacedValue {
                    config: key.clone(),
                    from: value.clone(),
                    to: other.to_owned(),
                });
            }
            let comment = format!("replaced: {} in {}", yaml_string(value), input.from);
            (other, if other == value { String::new() } else { comment })
        } else if let Some(reason) = review_reason(key, value) {
            out.review.push(ReviewedValue {
                config: key.clone(),
                value: value.clone(),
                reason,
            });
            (value.as_str(), format!("check: {reason} of {}", input.from))
        } else {
            (value.as_str(), String::new())
        };
        if input.base.get(key).map(String::as_str) == Some(value) {
            continue;
        }
        let comment = if comment.is_empty() {
            comment
        } else {
            format!("  # {comment}")
        };
        lines.push(format!("  {}: {}{comment}", yaml_key(key), yaml_string(value)));
    }
    for (key, value) in input.own.iter().filter(|(key, _)| !input.source.contains_key(*key)) {
        out.kept.push(key.clone());
        lines.push(format!("  {}: {}", yaml_key(key), yaml_string(value)));
    }
    let in_neither = |key: &&String| !input.source.contains_key(*key) && !input.own.contains_key(*key);
    for key in input.base.keys().filter(in_neither) {
        lines.push(format!("  {}: null", yaml_key(key)));
    }
    for (setting, value) in input.settings {
        let _ = writeln!(out.text, "{setting}: {value}");
    }
    match lines.is_empty() {
        true => out.text.push_str("config: {}\n"),
        false => {
            let _ = writeln!(out.text, "config:\n{}", lines.join("\n"));
        }
    }
    out
}

/// Words in keys whose values are addresses.
const ADDRESS_WORDS: [&str; 16] = [
    "host",
    "hosts",
    "hostname",
    "url",
    "urls",
    "uri",
    "endpoint",
    "endpoints",
    "server",
    "servers",
    "bucket",
    "region",
    "brokers",
    "workspace",
    "queue",
    "domain",
];
/// Words in keys whose values are accounts.
const ACCOUNT_WORDS: [&str; 8] = [
    "account",
    "user",
    "username",
    "arn",
    "project",
    "tenant",
    "subscription",
    "principal",
];
/// Beginnings of ids of Confluent Cloud.
const CONFLUENT_IDS: [&str; 6] = ["env-", "lkc-", "lsrc-", "sa-", "cspi-", "ap-"];

/// Returns why a value probably belongs to one stage only; `None` if nothing suggests it.
pub(super) fn review_reason(key: &str, value: &str) -> Option<&'static str> {
    if ValueReference::occurs_in(value) {
        return Some("reference");
    }
    if value.is_empty() || value.parse::<f64>().is_ok() || matches!(value, "true" | "false") {
        return None;
    }
    let has_any = |words: &[&str]| {
        key.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| words.contains(&word))
    };
    let is_account =
        value.starts_with("arn:") || has_any(&ACCOUNT_WORDS) || CONFLUENT_IDS.iter().any(|id| value.starts_with(id));
    if is_account {
        return Some("account");
    }
    let has_port = value.split(',').any(|part| {
        part.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
        })
    });
    (value.contains("://") || has_port || has_any(&ADDRESS_WORDS)).then_some("address")
}

/// Returns the effective configuration of a file without the name.
pub(super) fn config_values(file: &EffectiveFile) -> ConfigValues {
    let entries = file.merged.entries.iter().filter(|entry| entry.key != "name");
    entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{diag::SourceFile, gitops::file_tree::ConnectorAddress, manifest::connector_file};

    fn config(pairs: &[(&str, &str)]) -> ConfigValues {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn input<'a>(
        source: &'a ConfigValues,
        base: &'a ConfigValues,
        own: &'a ConfigValues,
        pairs: &'a StagePairs,
    ) -> RewrittenFile {
        rewrite(&PromotionInput {
            source,
            base,
            own,
            removed: &BTreeSet::new(),
            pairs,
            from: "test",
            settings: &[],
        })
    }

    #[test]
    fn values_with_a_constant_pair_are_replaced_and_addresses_without_one_are_listed() {
        let others = [
            (
                config(&[("connection.host", "db.test.example.com"), ("tasks.max", "1")]),
                config(&[("connection.host", "db.example.com"), ("tasks.max", "4")]),
            ),
            (
                config(&[
                    ("connection.host", "db.test.example.com"),
                    ("tasks.max", "1"),
                    ("s3.bucket.name", "t"),
                ]),
                config(&[
                    ("connection.host", "db.example.com"),
                    ("tasks.max", "2"),
                    ("s3.bucket.name", "p"),
                ]),
            ),
        ];
        let pairs = StagePairs::new(others.iter().map(|(from, to)| (from, to)));
        let source = config(&[
            ("connection.host", "db.test.example.com"),
            ("database.hostname", "db.test.example.com"),
            ("connection.password", "${env:EBS_SECRET_TEST_DB}"),
            ("connection.user", "reader"),
            ("tasks.max", "1"),
            ("topic.prefix", "claims-"),
        ]);
        let file = input(&source, &ConfigValues::new(), &ConfigValues::new(), &pairs);
        assert_eq!(
            file.text,
            "config:\n  connection.host: \"db.example.com\"  # replaced: \"db.test.example.com\" in test\n  \
             connection.password: \"${env:EBS_SECRET_TEST_DB}\"  # check: reference of test\n  connection.user: \"reader\"  \
             # check: account of test\n  database.hostname: \"db.example.com\"  # replaced: \"db.test.example.com\" in \
             test\n  tasks.max: \"1\"\n  topic.prefix: \"claims-\"\n"
        );
        assert_eq!(file.replaced.len(), 2);
        let review: Vec<&str> = file.review.iter().map(|value| value.config.as_str()).collect();
        assert_eq!(review, ["connection.password", "connection.user"]);
    }

    #[test]
    fn a_file_over_a_base_holds_only_the_differences_and_keeps_what_the_stage_set_itself() {
        let base = config(&[("mode", "bulk"), ("poll.interval.ms", "1000"), ("tasks.max", "1")]);
        let source = config(&[("mode", "bulk"), ("tasks.max", "2")]);
        let own = config(&[("tasks.max", "8")]);
        let file = input(&source, &base, &own, &StagePairs::default());
        assert_eq!(file.text, "config:\n  tasks.max: \"8\"\n  poll.interval.ms: null\n");
        assert_eq!(file.kept, ["tasks.max"]);
        let file = input(&base, &base, &ConfigValues::new(), &StagePairs::default());
        assert_eq!(file.text, "config: {}\n");
    }

    fn values() -> impl Strategy<Value = ConfigValues> {
        let value = prop_oneof![
            "[a-z]{1,3}",
            "[ -~ä]{0,12}",
            Just("db.test:5432".to_owned()),
            Just("${env:EBS_SECRET_A}".to_owned())
        ];
        proptest::collection::btree_map("[a-e]\\.(host|mode|user)", value, 0..5)
    }

    proptest! {
        #[test]
        fn the_promoted_file_over_the_base_has_the_values_of_source_pairs_and_stage(
            source in values(), base in values(), own in values(), other in values(), to in values(),
        ) {
            let pairs = StagePairs::new([(&other, &to)]);
            let file = input(&source, &base, &own, &pairs);
            let parse = |name: &str, text: &str| connector_file::parse(&SourceFile::new(name, text)).unwrap();
            let stage = parse("a.yaml", &file.text);
            let mut base_text = String::from("config:\n");
            for (key, value) in &base {
                let _ = writeln!(base_text, "  {}: {}", yaml_key(key), yaml_string(value));
            }
            let base_file = (!base.is_empty()).then(|| parse("base.yaml", &base_text));
            let address = ConnectorAddress { department: "d".into(), stage: "to".into(), name: "a".into() };
            let merged = EffectiveFile::merge(address, base_file.as_ref(), stage, &mut Vec::new());
            let mut expected = ConfigValues::new();
            for (key, value) in &source {
                expected.insert(key.clone(), pairs.find(key, value).unwrap_or(value).to_owned());
            }
            expected.extend(own.clone());
            prop_assert_eq!(config_values(&merged), expected, "{}", file.text);
        }
    }
}
