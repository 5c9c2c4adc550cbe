//! A test of a rule: facts that violate it, or that satisfy it. What a test does not set has a default.

use std::collections::BTreeMap;

use super::{
    PolicyRule,
    fields::{CHANGE, CONNECTOR, DEPARTMENT, FactValue, Facts, FieldType, ObjectFacts, PolicyObject},
};
use crate::{
    catalog::catalog,
    diag::{Finding, SourceSpan},
    manifest::{suggest_name, toml::TomlTable},
    quota::tasks_max,
};

/// Test of a rule.
#[derive(Clone, Debug)]
pub struct PolicyTest {
    /// Id of the rule.
    pub rule: &'static str,
    /// Whether the facts violate the rule.
    pub is_violation: bool,
    /// What the expression reads.
    pub facts: Facts,
    /// Location of the test.
    pub span: SourceSpan,
}

/// Tables of tests, with whether their facts violate the rule.
const KINDS: [(&str, bool); 2] = [("violates", true), ("satisfies", false)];

/// Reads the tests of a file. Their rules must be in `rules`.
pub(super) fn read_tests(root: &TomlTable<'_>, rules: &[PolicyRule]) -> Vec<PolicyTest> {
    root.get::<String>("description");
    let mut tests = Vec::new();
    for (key, is_violation) in KINDS {
        for table in root.tables(key) {
            tests.extend(read_test(&table, is_violation, rules));
        }
    }
    if tests.is_empty() && KINDS.iter().all(|(key, _)| root.key_range(key).is_none()) {
        let finding = Finding::warning("no-test", "the file contains no tests");
        root.report(0..0, finding.with_fix("Add a `[[violates]]` or `[[satisfies]]` table."));
    }
    tests.sort_by_key(|test| test.span.range.start);
    tests
}

fn read_test(table: &TomlTable<'_>, is_violation: bool, rules: &[PolicyRule]) -> Option<PolicyTest> {
    let rule = table.require::<String>("rule");
    table.get::<String>("why");
    let stage = table.get::<String>("stage");
    let connector = read_object(table, &CONNECTOR);
    let department = read_object(table, &DEPARTMENT);
    let change = read_object(table, &CHANGE);
    let rule = rule?;
    let Some(known) = rules.iter().find(|known| known.id == rule.get_ref()) else {
        let message = format!("no rule `{}`", rule.get_ref().escape_debug());
        let fix = suggest_name(rule.get_ref(), rules.iter().map(|rule| rule.id));
        table.report(rule.span(), Finding::error("unknown-rule", message).with_fix(fix));
        return None;
    };
    Some(PolicyTest {
        rule: known.id,
        is_violation,
        facts: Facts {
            stage: stage.map_or_else(|| "prod".to_owned(), toml::Spanned::into_inner),
            connector: complete_connector(connector),
            department: complete(
                department,
                &DEPARTMENT,
                [
                    ("code", "test".into()),
                    ("prefix", "test-".into()),
                    ("plugins", FactValue::List(vec!["*".to_owned()])),
                    ("runtime_account", "sa-test00".into()),
                ],
            ),
            change: Some(complete(
                change,
                &CHANGE,
                [("action", "update".into()), ("risk", "normal".into())],
            )),
        },
        span: table.span_of(rule.span()),
    })
}

/// Reads the fields of an object that the test sets.
fn read_object(test: &TomlTable<'_>, object: &PolicyObject) -> ObjectFacts {
    let Some(table) = test.table(object.name) else {
        return ObjectFacts::new();
    };
    let mut facts = ObjectFacts::new();
    for field in object.fields {
        let value = match field.field_type {
            FieldType::Text => table
                .get::<String>(field.name)
                .map(|text| FactValue::Text(text.into_inner())),
            FieldType::Number => table
                .get::<u32>(field.name)
                .map(|number| FactValue::Number(number.into_inner())),
            FieldType::Flag => table
                .get::<bool>(field.name)
                .map(|flag| FactValue::Flag(flag.into_inner())),
            FieldType::List => table
                .list(field.name)
                .map(|list| FactValue::List(list.into_iter().map(toml::Spanned::into_inner).collect())),
            FieldType::Texts => table.table(field.name).map(|texts| {
                let texts = texts.named_texts().into_iter();
                FactValue::Texts(texts.map(|(key, text)| (key.into_inner(), text.into_inner())).collect())
            }),
        };
        facts.extend(value.map(|value| (field.name, value)));
    }
    facts
}

/// Adds what follows from the configuration, and the class to the configuration.
fn complete_connector(set: ObjectFacts) -> ObjectFacts {
    let mut config = match set.get("config") {
        Some(FactValue::Texts(config)) => config.clone(),
        _ => BTreeMap::new(),
    };
    if let Some(FactValue::Text(class)) = set.get("class") {
        config.insert("connector.class".to_owned(), class.clone());
    }
    let class = config.get("connector.class").cloned().unwrap_or_default();
    let tasks = FactValue::Number(tasks_max(&config).unwrap_or(1));
    let direction = catalog().direction(&class);
    let mut facts = complete(
        set,
        &CONNECTOR,
        [
            ("name", "test-connector".into()),
            ("class", class.as_str().into()),
            ("direction", direction.into()),
            ("tasks_max", tasks),
            ("replace", "forbid".into()),
        ],
    );
    facts.insert("config", FactValue::Texts(config));
    facts
}

/// Adds the defaults of the fields that are not set.
fn complete<const N: usize>(
    mut set: ObjectFacts,
    object: &PolicyObject,
    defaults: [(&'static str, FactValue); N],
) -> ObjectFacts {
    for (name, value) in defaults {
        set.entry(name).or_insert(value);
    }
    for field in object.fields {
        set.entry(field.name)
            .or_insert_with(|| FactValue::empty(field.field_type));
    }
    set
}
