//! Properties: no expression panics, and a violated rule is reported for exactly its connectors.

use proptest::prelude::*;

use super::*;

/// Expressions of all operators, fields and functions, valid and invalid.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "stage",
        "connector",
        "connector.name",
        "connector.config",
        "connector.tasks_max",
        "connector.protect",
        "connector.config[\"topics\"]",
        "department.plugins",
        "department",
        "change.keys",
        "change.old",
        "change.action",
        "\"\"",
        "\"prod\"",
        "\"(a|b\"",
        "b\"\\xff\"",
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1u",
        "1.5",
        "1e308",
        "true",
        "null",
        "[]",
        "{}",
        "[1, \"a\"]",
        "{\"a\": 1}",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let operators = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let methods = prop::sample::select(vec!["contains", "startsWith", "endsWith", "matches", "orValue"]);
        let functions = prop::sample::select(vec!["size", "int", "double", "string", "bool", "!", "-", ""]);
        let macros = prop::sample::select(vec!["all", "exists", "exists_one", "filter", "map"]);
        let element = prop_oneof![Just("k".to_owned()), inner.clone()];
        prop_oneof![
            (inner.clone(), operators.clone(), inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (inner.clone(), methods, inner.clone()).prop_map(|(a, name, b)| format!("({a}).{name}({b})")),
            (functions, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (inner.clone(), macros, element, operators, inner.clone())
                .prop_map(|(a, name, b, op, c)| format!("({a}).{name}(k, ({b}) {op} ({c}))")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[?{b}].hasValue()")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{{a}: {b}, \"x\": [{b}]}}")),
        ]
    })
}

fn any_config() -> impl Strategy<Value = BTreeMap<String, String>> {
    let keys = prop::sample::select(vec![
        "topics",
        "tasks.max",
        "errors.tolerance",
        "aws.secret.access.key",
        "é",
        "x\"y",
    ]);
    prop::collection::btree_map(keys.prop_map(str::to_owned), "\\PC{0,12}|[0-9]{1,25}", 0..6)
}

proptest! {
    #[test]
    fn no_expression_and_no_configuration_panics(expression in any_expression(), config in any_config()) {
        if let Ok(compiled) = PolicyExpression::compile(&expression) {
            let mut facts = facts(&config);
            let _ = compiled.evaluate(&EvaluationContext::new(&facts));
            facts.change = Some(BTreeMap::from([
                ("action", "update".into()),
                ("keys", FactValue::List(config.keys().cloned().collect())),
                ("old", FactValue::Texts(config)),
            ]));
            let _ = compiled.evaluate(&EvaluationContext::new(&facts));
        }
    }

    #[test]
    fn no_text_panics_as_an_expression(text in "\\PC{0,60}|[-a-z0-9.()\\[\\]{}?:!&|\"'\\\\+ ]{0,60}") {
        if let Err(problems) = PolicyExpression::compile(&text) {
            for problem in problems {
                let range = problem.range.clone();
                prop_assert!(range.start <= range.end && text.get(range).is_some(), "{:?}", problem);
            }
        }
    }

    #[test]
    fn a_violated_rule_is_reported_for_exactly_those_connectors(
        tasks in prop::collection::vec(1_u32..9, 1..8),
        limit in 0_u32..9,
        excepted in prop::collection::vec(0_usize..8, 0..3),
    ) {
        let mut rules = rule("a", &format!("connector.tasks_max <= {limit}"));
        for number in &excepted {
            let _ = write!(
                rules,
                "[[rule.exception]]\nconnector = \"claims-{number}\"\nreason = \"r\"\nuntil = 2027-01-01\n"
            );
        }
        let set = policies(&rules, "");
        let texts: Vec<(String, String)> = tasks
            .iter()
            .enumerate()
            .map(|(number, tasks)| {
                let text = format!("config:\n  connector.class: S3_SINK\n  tasks.max: \"{tasks}\"\n");
                (format!("claims/prod/claims-{number}.yaml"), text)
            })
            .collect();
        let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let tree = tree(&files);
        for (number, file) in tree.connectors.values().enumerate() {
            let is_violated = tasks[number] > limit && !excepted.contains(&number);
            let found = set.check_file(file, None, catalog());
            prop_assert_eq!(found.len(), usize::from(is_violated), "{}", lines(&found));
        }
    }
}
