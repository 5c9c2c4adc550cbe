//! Tests of expressions: names, syntax, bounds, and the declared fields.

use super::*;

fn compile_problems(expression: &str) -> String {
    match PolicyExpression::compile(expression) {
        Ok(_) => "valid".to_owned(),
        Err(problems) => {
            let line = |problem: &ExpressionProblem| {
                let part = expression.get(problem.range.clone()).unwrap_or("outside");
                let fix = problem.fix.as_deref().unwrap_or_default();
                format!("{part}: {}. {fix}", problem.message)
            };
            problems.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn unknown_names_fields_and_functions_are_errors_with_a_suggestion() {
    for (expression, expected) in [
        (
            "conector.name == \"a\"",
            "conector: unknown name `conector`. Did you mean `connector`?",
        ),
        (
            "prod == stage",
            "prod: unknown name `prod`. Known names: `connector`, `department`, `change`, and `stage`. Texts are written in \
             quotes.",
        ),
        (
            "connector.clas == \"é\"",
            ".: `connector` has no field `clas`. Did you mean `connector.class`?",
        ),
        (
            "connector[\"xyzxyzxyz\"] == \"\"",
            "[: `connector` has no field `xyzxyzxyz`. Known fields: `name`, `class`, `direction`, `config`, `tasks_max`, \
             `state`, `replace`, `renamed_from`, `protect`, and `ticket`.",
        ),
        ("stage.name == \"\"", ".: `stage` is a text and has no field `name`. "),
        (
            "connector.tasks_max.x == 1",
            ".: `connector.tasks_max` is a number and has no field `x`. ",
        ),
        (
            "connector.name.startWith(\"a\")",
            "(: unknown function `startWith`. Did you mean `startsWith`?",
        ),
        (
            "connector.name.startsWith()",
            "(: `startsWith` takes 1 argument, not 0. ",
        ),
        ("size(connector.name, 1) > 1", "(: `size` takes 1 argument, not 2. "),
        (
            "startsWith(connector.name, \"a\")",
            "(: `startsWith` is called as `value.startsWith(…)`. ",
        ),
        (
            "connector.config.exists(k, j == k)",
            "j: unknown name `j`. Did you mean `k`?",
        ),
        ("Claims{a: 1} == 1", "{: there is no type `Claims`. "),
        (
            "connector.?nam.orValue(\"\") == \"\"",
            ".: `connector` has no field `nam`. Did you mean `connector.name`?",
        ),
    ] {
        assert_eq!(compile_problems(expression), expected, "{expression}");
    }
    for valid in [
        "connector.config[\"a\"] == \"b\" && connector.config.topics != \"\"",
        "connector.config.all(k, !k.startsWith(\"x\") || connector.config[k] in [\"a\"])",
        "department.plugins.exists(p, p.matches(\"^a+$\")) && has(connector.config.topics)",
        "change.keys.filter(k, k == \"topics\").size() == 0 && change.old[?\"a\"].orValue(\"\") == \"\"",
    ] {
        assert_eq!(compile_problems(valid), "valid", "{valid}");
    }
}

#[test]
fn a_syntax_error_is_shown_in_the_expression() {
    let set = policies(&rule("a", "\nstage == \"é\" &&\n  connector.tasks_max <= = 3\n"), "");
    let finding = &set.findings[0];
    let span = finding.span.clone().unwrap();
    assert_eq!(finding.rule, "policy-expression");
    assert_eq!(span.location(), "policies/site.toml:6:26");
    assert!(
        finding.message.starts_with("rule `a`: syntax error: ") && !finding.message.contains("NUM_FLOAT"),
        "{finding:?}"
    );
}

#[test]
fn long_deep_and_expensive_expressions_are_refused() {
    let long = format!("stage == \"{}\"", "a".repeat(2000));
    assert!(compile_problems(&long).contains("more than 2000 bytes"));
    for deep in [
        vec!["1"; 990].join("+"),
        vec!["1"; 300].join(" in "),
        format!("{}1{} == 1", "[".repeat(90), "]".repeat(90)),
    ] {
        assert!(compile_problems(&deep).contains("levels, at most 50"), "{deep}");
    }
    let brackets = format!("{}true{}", "(".repeat(900), ")".repeat(900));
    assert!(compile_problems(&brackets).contains("too many levels of brackets"));
    let large: BTreeMap<String, String> = (0..200)
        .map(|number| (format!("key.{number}"), "x".repeat(50)))
        .collect();
    let context = EvaluationContext::new(&facts(&large));
    let eightfold = ".map(a, a+a+a+a+a+a+a+a)".repeat(8);
    for (expensive, allowed) in [
        ("connector.config.all(a, a != \"\")".to_owned(), true),
        (
            "connector.config.all(a, connector.config[a].contains(\"x\") || a.matches(\"^[a-z.]+$\"))".to_owned(),
            true,
        ),
        (
            "connector.config.all(a, connector.config.all(b, connector.config.all(c, true)))".to_owned(),
            false,
        ),
        (format!("[connector.name]{eightfold}.size() > 0"), false),
    ] {
        let expression = PolicyExpression::compile(&expensive).unwrap();
        match expression.evaluate(&context) {
            Ok(_) => assert!(allowed, "{expensive}"),
            Err(error) => {
                assert!(!allowed, "{expensive}: {error}");
                assert_eq!(error, "the evaluation would take too long for this file", "{expensive}");
            }
        }
    }
}

// Threads of tests have a stack of 2 MB, a fourth of that of a main thread.
#[test]
fn the_deepest_expressions_are_evaluated() {
    let context = EvaluationContext::new(&facts(&BTreeMap::new()));
    for (deepest, expected) in [
        (format!("{} == 48", vec!["1"; 48].join("+")), true),
        (format!("{}1{} == 1", "[".repeat(48), "]".repeat(48)), false),
        (format!("{}true{}", "[1].exists(k, ".repeat(23), ")".repeat(23)), true),
    ] {
        let expression = PolicyExpression::compile(&deepest).unwrap();
        assert_eq!(expression.evaluate(&context), Ok(expected), "{deepest}");
    }
}

#[test]
fn facts_have_exactly_the_declared_fields() {
    let facts = facts(&BTreeMap::new());
    for (object, values) in [(CONNECTOR, &facts.connector), (DEPARTMENT, &facts.department)] {
        let mut declared: Vec<&str> = object.fields.iter().map(|field| field.name).collect();
        declared.sort_unstable();
        assert_eq!(values.keys().copied().collect::<Vec<_>>(), declared);
        for field in object.fields {
            let empty = FactValue::empty(field.field_type);
            let is_of_type = std::mem::discriminant(&values[field.name]) == std::mem::discriminant(&empty);
            assert!(is_of_type, "{}", field.name);
        }
    }
}

#[test]
fn the_documentation_lists_every_field_and_function() {
    let page = include_str!("../../../../docs/gitops.md");
    for object in [CONNECTOR, DEPARTMENT, CHANGE] {
        for field in object.fields {
            let row = format!(
                "| `{}.{}` | {} | {} |",
                object.name,
                field.name,
                field.field_type.to_noun(),
                field.meaning
            );
            assert!(page.contains(&row), "docs/gitops.md lacks\n{row}");
        }
    }
    for (name, ..) in FUNCTIONS {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/gitops.md lacks the function `{name}`"
        );
    }
}
