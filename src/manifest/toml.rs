//! TOML reader that reports all problems in one run: every syntax error, and every unknown, missing or mistyped key,
//! each with its location and the nearest valid name.
//!
//! serde stops at the first error, so files are read by hand: a [`TomlTable`] records the requested keys and reports
//! the remaining ones when it is dropped.

use std::{cell::RefCell, ops::Range, str::FromStr, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    hint,
};

type FindingSink = RefCell<Vec<Finding>>;

/// A parsed file with its findings.
#[derive(Debug)]
pub struct TomlDocument<'a> {
    source: &'a Arc<SourceFile>,
    root: Spanned<DeTable<'a>>,
    sink: FindingSink,
    /// Locations of syntax errors. The parser guesses the text around them, so other findings there are suppressed.
    damaged: Vec<Range<usize>>,
}

impl<'a> TomlDocument<'a> {
    /// Parses `source`. Syntax errors become findings, and valid parts are kept.
    pub fn parse(source: &'a Arc<SourceFile>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let mut findings = Vec::new();
        let mut damaged = Vec::new();
        for error in errors {
            let range = error.span().unwrap_or(0..0);
            let finding = if error.message().contains("duplicate key") {
                let key = source.text.get(range.clone()).unwrap_or_default();
                Finding::error("duplicate-key", format!("`{key}` is already set above")).with_fix("Remove one of them.")
            } else {
                damaged.push(range.clone());
                Finding::error("toml-syntax", error.message().to_owned())
            };
            findings.push(finding.with_span(SourceSpan::new(source, range)));
        }
        Self {
            source,
            root,
            sink: RefCell::new(findings),
            damaged,
        }
    }

    /// Returns the root table.
    pub fn root(&self) -> TomlTable<'_> {
        TomlTable {
            document: self,
            entries: self.root.get_ref(),
            range: 0..0,
            path: String::new(),
            requested: RefCell::default(),
            misplaced_key_hints: RefCell::default(),
        }
    }

    /// Returns the findings. All [`TomlTable`]s must be dropped before, so that unknown keys are included.
    pub fn into_findings(self) -> Vec<Finding> {
        self.sink.into_inner()
    }

    fn push(&self, finding: Finding) {
        self.sink.borrow_mut().push(finding);
    }

    /// Whether a syntax error is on the same line, or in the header of the enclosing table: keys after a broken header
    /// are attributed to the table above it.
    fn is_damaged(&self, range: &Range<usize>) -> bool {
        let line = |offset| self.source.line_column(offset).0;
        let (from, to) = (line(range.start), line(range.end));
        let header = |number: usize| {
            let text = self.source.text.lines().nth(number - 1).unwrap_or_default();
            text.trim_start().starts_with('[')
        };
        let above = (1..=from).rev().find(|number| header(*number));
        self.damaged.iter().any(|damage| {
            let (first, last) = (line(damage.start), line(damage.end));
            (from..=to).contains(&first) || (from..=to).contains(&last) || above.is_some_and(|above| above == first)
        })
    }
}

/// A value that can be read from TOML.
pub trait FromToml: Sized {
    /// Expected type for messages, after "expected".
    const EXPECTED: &'static str;
    /// Returns the value, or `None` if it has another type.
    fn read(value: &DeValue<'_>) -> Option<Self>;
}

impl FromToml for String {
    const EXPECTED: &'static str = "a string";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromToml for bool {
    const EXPECTED: &'static str = "`true` or `false`";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl FromToml for u32 {
    const EXPECTED: &'static str = "an integer from 0 to 4294967295";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let number = value.as_integer()?;
        u32::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

impl FromToml for jiff::civil::Date {
    const EXPECTED: &'static str = "a date without quotes such as 2026-11-30";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let written = value.as_datetime()?;
        match (written.date, written.time, written.offset) {
            (Some(_), None, None) => written.to_string().parse().ok(),
            _ => None,
        }
    }
}

/// A table that records requested keys and reports all others when it is dropped.
#[derive(Debug)]
pub struct TomlTable<'d> {
    document: &'d TomlDocument<'d>,
    entries: &'d DeTable<'d>,
    range: Range<usize>,
    /// Dotted path of the table with a trailing dot; empty for the root.
    path: String,
    requested: RefCell<Vec<&'static str>>,
    /// Known keys that belong into another table, with the suggestion.
    misplaced_key_hints: RefCell<Vec<(&'static str, String)>>,
}

impl<'d> TomlTable<'d> {
    /// Returns the location of the table.
    pub fn span(&self) -> SourceSpan {
        SourceSpan::new(self.document.source, self.range.clone())
    }

    /// Returns the location of a range in this file.
    pub fn span_of(&self, range: Range<usize>) -> SourceSpan {
        SourceSpan::new(self.document.source, range)
    }

    /// Adds a finding, unless a syntax error affects its location.
    pub fn report(&self, range: Range<usize>, finding: Finding) {
        if !self.document.is_damaged(&range) {
            self.document.push(finding.with_span(self.span_of(range)));
        }
    }

    /// Returns the location of `key`.
    pub fn key_range(&self, key: &str) -> Option<Range<usize>> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Registers the suggestion for keys that belong into another table.
    pub fn hint_misplaced_keys(&self, keys: &[&'static str], sentence: &str) {
        let known = keys.iter().map(|key| (*key, sentence.to_owned()));
        self.misplaced_key_hints.borrow_mut().extend(known);
    }

    fn entry(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.requested.borrow_mut().push(key);
        self.entries.get(key)
    }

    fn read<T: FromToml>(&self, path: &str, value: &Spanned<DeValue<'_>>) -> Option<Spanned<T>> {
        let read = T::read(value.get_ref()).map(|read| Spanned::new(value.span(), read));
        if read.is_none() {
            let message = match value.get_ref() {
                // Only the value is out of range.
                DeValue::Integer(number) if T::EXPECTED == u32::EXPECTED => {
                    format!("`{path}` is {number}, expected {}", T::EXPECTED)
                }
                other => format!("`{path}` is {}, expected {}", type_name(other), T::EXPECTED),
            };
            self.report(value.span(), Finding::error("wrong-type", message));
        }
        read
    }

    fn path_of(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    /// Returns the value of `key`, if it exists and has the right type.
    pub fn get<T: FromToml>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.read(&self.path_of(key), self.entry(key)?)
    }

    /// Returns the value of the required `key`.
    pub fn require<T: FromToml>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.check_present(key);
        self.get(key)
    }

    /// Parses the text of `key` as a `T`.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.get::<String>(key).and_then(|text| self.parse_text(&text))
    }

    /// Parses the text of the required `key` as a `T`.
    pub fn require_parse<T: FromStr<Err: std::fmt::Display>>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.require::<String>(key).and_then(|text| self.parse_text(&text))
    }

    /// Parses a text of this table as a `T`.
    pub fn parse_text<T: FromStr<Err: std::fmt::Display>>(&self, text: &Spanned<String>) -> Option<Spanned<T>> {
        match text.get_ref().parse() {
            Ok(value) => Some(Spanned::new(text.span(), value)),
            Err(error) => {
                self.report(text.span(), Finding::error("invalid-value", error.to_string()));
                None
            }
        }
    }

    /// Returns the texts of the list `key`. A single text is rejected.
    pub fn list(&self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        self.read_list(key, self.entry(key)?)
    }

    fn read_list(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<Spanned<String>>> {
        let path = self.path_of(key);
        let Some(elements) = value.get_ref().as_array() else {
            let found = type_name(value.get_ref());
            let message = format!("`{path}` is {found}, expected a list of strings");
            let finding = Finding::error("wrong-type", message).with_fix(format!("Write `{key} = [\"…\"]`."));
            self.report(value.span(), finding);
            return None;
        };
        Some(
            elements
                .iter()
                .filter_map(|element| self.read(&path, element))
                .collect(),
        )
    }

    /// Returns the texts of the required list `key`.
    pub fn require_list(&self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        self.check_present(key);
        self.list(key)
    }

    /// Returns the required table `key`.
    pub fn require_table(&self, key: &'static str) -> Option<TomlTable<'d>> {
        self.check_present(key);
        self.table(key)
    }

    /// Returns the tables of the required list `key` (`[[key]]`).
    pub fn require_tables(&self, key: &'static str) -> Vec<TomlTable<'d>> {
        self.check_present(key);
        self.tables(key)
    }

    /// Returns the table `key`, if it exists.
    pub fn table(&self, key: &'static str) -> Option<TomlTable<'d>> {
        let value = self.entry(key)?;
        self.subtable(key, value)
    }

    fn subtable(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<TomlTable<'d>> {
        let path = self.path_of(key);
        let Some(entries) = value.get_ref().as_table() else {
            let found = type_name(value.get_ref());
            let finding = Finding::error("wrong-type", format!("`{path}` is {found}, expected a table"));
            self.report(value.span(), finding.with_fix(format!("Write a `[{path}]` table.")));
            return None;
        };
        Some(TomlTable {
            document: self.document,
            entries,
            range: value.span(),
            path: format!("{path}."),
            requested: RefCell::default(),
            misplaced_key_hints: RefCell::default(),
        })
    }

    /// Returns the tables of the list `key` (`[[key]]`).
    pub fn tables(&self, key: &'static str) -> Vec<TomlTable<'d>> {
        let Some(value) = self.entry(key) else {
            return Vec::new();
        };
        let Some(elements) = value.get_ref().as_array() else {
            let path = self.path_of(key);
            let found = type_name(value.get_ref());
            let finding = Finding::error("wrong-type", format!("`{path}` is {found}, expected a list of tables"));
            let fix = format!("Write one `[[{path}]]` table for each.");
            self.report(value.span(), finding.with_fix(fix));
            return Vec::new();
        };
        let tables = elements.iter().filter_map(|element| self.subtable(key, element));
        tables.collect()
    }

    /// Returns all keys and tables of a table whose keys are user-defined names.
    pub fn named_tables(&self) -> Vec<(Spanned<String>, TomlTable<'d>)> {
        let tables = self.named_entries();
        tables
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), self.subtable(name.get_ref(), value)?)))
            .collect()
    }

    /// Returns all keys and texts of a table whose keys are user-defined names.
    pub fn named_texts(&self) -> Vec<(Spanned<String>, Spanned<String>)> {
        let texts = self.named_entries();
        texts
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), self.read(&self.path_of(name.get_ref()), value)?)))
            .collect()
    }

    /// Returns all keys and lists of texts of a table whose keys are user-defined names.
    pub fn named_lists(&self) -> Vec<(Spanned<String>, Vec<Spanned<String>>)> {
        let lists = self.named_entries();
        lists
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), self.read_list(name.get_ref(), value)?)))
            .collect()
    }

    /// Returns whether the value of `key` is a table.
    pub fn is_table(&self, key: &str) -> bool {
        let value = self.entries.get(key);
        value.is_some_and(|value| value.get_ref().as_table().is_some())
    }

    fn named_entries(&self) -> Vec<(Spanned<String>, &'d Spanned<DeValue<'d>>)> {
        self.requested.borrow_mut().push(ANY_KEY);
        let entries = self.entries.iter();
        let mut names: Vec<_> = entries
            .map(|(key, value)| (Spanned::new(key.span(), key.get_ref().to_string()), value))
            .collect();
        names.sort_by_key(|(key, _)| key.span().start);
        names
    }

    fn check_present(&self, key: &'static str) {
        if !self.entries.contains_key(key) {
            self.report_missing(key);
        }
    }

    /// Reports a missing key. Suppressed after syntax errors, because the key may be in an unreadable part.
    fn report_missing(&self, key: &str) {
        if self.document.damaged.is_empty() {
            self.document.push(self.missing_finding(key));
        }
    }

    /// Reports a missing key, with a suggestion.
    pub fn report_missing_with(&self, key: &str, fix: &str) {
        if self.document.damaged.is_empty() {
            self.document.push(self.missing_finding(key).with_fix(fix));
        }
    }

    fn missing_finding(&self, key: &str) -> Finding {
        Finding::error("missing-key", format!("`{}` is missing", self.path_of(key))).with_span(self.span())
    }
}

/// Marks a table whose keys are user-defined names.
const ANY_KEY: &str = "*";

impl Drop for TomlTable<'_> {
    /// Reports unknown keys, so that callers cannot forget it.
    fn drop(&mut self) {
        let asked = self.requested.borrow();
        if asked.contains(&ANY_KEY) {
            return;
        }
        let unknown = self
            .entries
            .keys()
            .filter(|key| !asked.contains(&key.get_ref().as_ref()));
        for key in unknown {
            let written = key.get_ref().as_ref();
            let mut finding = Finding::error("unknown-key", format!("unknown key `{}`", self.path_of(written)));
            let elsewhere = self.misplaced_key_hints.borrow();
            if let Some((_, sentence)) = elsewhere.iter().find(|(known, _)| *known == written) {
                finding = finding.with_fix(sentence.clone());
            } else if let Some(near) = hint::closest_match(written, asked.iter().copied()) {
                finding = finding.with_fix(format!("Did you mean `{near}`?"));
            } else {
                finding = finding.with_fix(format!("Known keys: {}.", list_known_keys(&asked)));
            }
            self.report(key.span(), finding);
        }
    }
}

fn list_known_keys(asked: &[&'static str]) -> String {
    let mut known: Vec<String> = asked.iter().map(|key| format!("`{key}`")).collect();
    known.sort();
    known.dedup();
    known.join(", ")
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a floating-point number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
