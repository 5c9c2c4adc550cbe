//! `docs/assumptions.md` is complete: every switch, its default, its subject, and its probe.

use std::{collections::BTreeMap, fs, path::Path};

use confluent_ebs::sandbox::SandboxAssumptions;
use serde_json::Value;

/// Every switch with its default, by its dotted name.
fn collect_switches(value: &Value, prefix: &str, found: &mut BTreeMap<String, String>) {
    for (name, value) in value.as_object().unwrap() {
        match value {
            Value::Object(_) => collect_switches(value, &format!("{prefix}{name}."), found),
            Value::String(word) => drop(found.insert(format!("{prefix}{name}"), word.clone())),
            other => drop(found.insert(format!("{prefix}{name}"), other.to_string())),
        }
    }
}

#[test]
fn the_assumptions_page_lists_every_switch_with_default_and_probe() {
    let mut real = BTreeMap::new();
    let defaults = serde_json::to_value(SandboxAssumptions::default()).unwrap();
    collect_switches(&defaults, "", &mut real);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/assumptions.md");
    let page = fs::read_to_string(page).unwrap();
    let mut documented = BTreeMap::new();
    let is_row = |line: &&str| line.starts_with('|');
    // The table of assumptions without switches follows it.
    let table = page.lines().skip_while(|line| !is_row(line)).take_while(is_row);
    for line in table.skip(2) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, assumed, switch, depends, probe] = cells.as_slice() else {
            panic!("five cells: {line}");
        };
        for cell in [id, assumed, depends, probe] {
            assert!(!cell.is_empty(), "{line}");
        }
        let mut code = switch.split('`').skip(1).step_by(2);
        let (name, default) = (code.next().unwrap(), code.next().unwrap());
        assert!(
            documented.insert(name.to_owned(), default.to_owned()).is_none(),
            "{name} is listed twice"
        );
    }
    assert_eq!(documented, real, "left: the page, right: the program");
}
