//! Access to JSON documents that shows the document when it fails.

use serde_json::Value;

/// Values at a JSON pointer (RFC 6901): `/rows/0/name`; the empty pointer is the document itself.
pub(crate) trait JsonAccess {
    /// The value at `pointer`.
    fn at(&self, pointer: &str) -> &Value;
    /// The string at `pointer`.
    fn text(&self, pointer: &str) -> &str;
    /// The number at `pointer`.
    fn number(&self, pointer: &str) -> f64;
    /// The natural number at `pointer`.
    fn count(&self, pointer: &str) -> u64;
    /// The items of the array at `pointer`.
    fn items(&self, pointer: &str) -> &[Value];
    /// A string field of each item of the array at `pointer`.
    fn texts(&self, pointer: &str, field: &str) -> Vec<&str>;
    /// The item of the array at `pointer` whose `field` is `value`.
    fn item(&self, pointer: &str, field: &str, value: &str) -> &Value;
}

#[track_caller]
fn expect<'a, T>(document: &'a Value, pointer: &str, kind: &str, read: impl Fn(&'a Value) -> Option<T>) -> T {
    let value = document.pointer(pointer).and_then(read);
    value.unwrap_or_else(|| panic!("no {kind} at `{pointer}` in {document:#}"))
}

impl JsonAccess for Value {
    #[track_caller]
    fn at(&self, pointer: &str) -> &Value {
        expect(self, pointer, "value", Some)
    }

    #[track_caller]
    fn text(&self, pointer: &str) -> &str {
        expect(self, pointer, "string", Self::as_str)
    }

    #[track_caller]
    fn number(&self, pointer: &str) -> f64 {
        expect(self, pointer, "number", Self::as_f64)
    }

    #[track_caller]
    fn count(&self, pointer: &str) -> u64 {
        expect(self, pointer, "natural number", Self::as_u64)
    }

    #[track_caller]
    fn items(&self, pointer: &str) -> &[Value] {
        expect(self, pointer, "array", Self::as_array)
    }

    #[track_caller]
    fn texts(&self, pointer: &str, field: &str) -> Vec<&str> {
        let items = self.items(pointer).iter();
        items
            .map(|item| expect(item, &format!("/{field}"), "string", Self::as_str))
            .collect()
    }

    #[track_caller]
    fn item(&self, pointer: &str, field: &str, value: &str) -> &Value {
        let found = self.items(pointer).iter().find(|item| item[field] == value);
        found.unwrap_or_else(|| panic!("no item with {field} `{value}` at `{pointer}` in {self:#}"))
    }
}

/// Asserts that a SARIF log has the form that code scanners read. The schema is our own; `.ci/formats` validates against the
/// published one.
#[track_caller]
pub(crate) fn assert_valid_sarif(log: &Value) {
    let schema = serde_json::from_str(include_str!("sarif-schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{log:#}");
    let rules = log.texts("/runs/0/tool/driver/rules", "id");
    for result in log.items("/runs/0/results") {
        assert!(rules.contains(&result.text("/ruleId")), "{result:#}");
    }
}

/// The file of each result of a SARIF log, empty without one, with the rule.
pub(crate) fn sarif_places(log: &Value) -> Vec<(String, String)> {
    let place = |result: &Value| {
        let uri = result.pointer("/locations/0/physicalLocation/artifactLocation/uri");
        let uri = uri.and_then(Value::as_str).unwrap_or_default();
        (result.text("/ruleId").to_owned(), uri.to_owned())
    };
    log.items("/runs/0/results").iter().map(place).collect()
}
