//! Reading TOML so that one run reports everything: every syntax error, every unknown, missing or mistyped key, each
//! with its place and the nearest name that would have been right.
//!
//! serde stops at the first mistake, so the files are walked by hand: a [`Table`] remembers which keys it was asked
//! for, and whatever is left over when it goes is a finding.

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

/// One parsed file, and what was found in it so far.
#[derive(Debug)]
pub struct TomlDocument<'a> {
    source: &'a Arc<SourceFile>,
    root: Spanned<DeTable<'a>>,
    sink: FindingSink,
    /// Places of syntax errors. What the parser recovered around them is a guess, so nothing is said about it.
    damaged: Vec<Range<usize>>,
}

impl<'a> TomlDocument<'a> {
    /// Parses `source`; syntax errors become findings and everything that could be read is kept.
    pub fn parse(source: &'a Arc<SourceFile>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let mut findings = Vec::new();
        let mut damaged = Vec::new();
        for error in errors {
            let range = error.span().unwrap_or(0..0);
            let finding = if error.message().contains("duplicate key") {
                let key = source.text.get(range.clone()).unwrap_or_default();
                Finding::error("duplicate-key", format!("`{key}` is already set above"))
                    .with_fix("Keep one of them; which one counts would be a guess.")
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

    /// The table of the whole file.
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

    /// What was found. Every [`Table`] must be gone, so that its unknown keys are among it.
    pub fn into_findings(self) -> Vec<Finding> {
        self.sink.into_inner()
    }

    fn push(&self, finding: Finding) {
        self.sink.borrow_mut().push(finding);
    }

    /// Whether a syntax error stands on the same line, or broke the header of the table that the place is in: the keys
    /// below a broken header were read as part of the table above it.
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
    /// What is expected, for "… is expected".
    const EXPECTED: &'static str;
    /// The value, or `None` when it is of another type.
    fn read(value: &DeValue<'_>) -> Option<Self>;
}

impl FromToml for String {
    const EXPECTED: &'static str = "text in quotes";
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
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let number = value.as_integer()?;
        u32::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

impl FromToml for jiff::civil::Date {
    const EXPECTED: &'static str = "a date without quotes, as in 2026-11-30,";
    fn read(value: &DeValue<'_>) -> Option<Self> {
        let written = value.as_datetime()?;
        match (written.date, written.time, written.offset) {
            (Some(_), None, None) => written.to_string().parse().ok(),
            _ => None,
        }
    }
}

/// One table: asks for keys, remembers which, and reports the ones nobody asked for when it is dropped.
#[derive(Debug)]
pub struct TomlTable<'d> {
    document: &'d TomlDocument<'d>,
    entries: &'d DeTable<'d>,
    range: Range<usize>,
    /// Dotted path of the table, with the dot at its end; empty for the whole file.
    path: String,
    requested: RefCell<Vec<&'static str>>,
    /// Keys that are known, but belong somewhere else; with the sentence that says where.
    misplaced_key_hints: RefCell<Vec<(&'static str, String)>>,
}

impl<'d> TomlTable<'d> {
    /// Where the table begins.
    pub fn span(&self) -> SourceSpan {
        SourceSpan::new(self.document.source, self.range.clone())
    }

    /// The place of a value in this file.
    pub fn span_of(&self, range: Range<usize>) -> SourceSpan {
        SourceSpan::new(self.document.source, range)
    }

    /// Adds a finding, unless it is about text that a syntax error made unreadable.
    pub fn report(&self, range: Range<usize>, finding: Finding) {
        if !self.document.is_damaged(&range) {
            self.document.push(finding.with_span(self.span_of(range)));
        }
    }

    /// Where `key` is written.
    pub fn key_range(&self, key: &str) -> Option<Range<usize>> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Says where `keys` belong when somebody writes them into this table.
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
                // Only the size is wrong.
                DeValue::Integer(number) if T::EXPECTED == u32::EXPECTED => {
                    format!("`{path}` is {number}, {} is expected", T::EXPECTED)
                }
                other => format!("`{path}` is {}, {} is expected", type_name(other), T::EXPECTED),
            };
            self.report(value.span(), Finding::error("wrong-type", message));
        }
        read
    }

    fn path_of(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    /// The value of `key`, if it is there and of the right type.
    pub fn get<T: FromToml>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.read(&self.path_of(key), self.entry(key)?)
    }

    /// The value of `key`, which must be there.
    pub fn require<T: FromToml>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.check_present(key);
        self.get(key)
    }

    /// The text of `key`, read as a `T`.
    pub fn parse<T: FromStr<Err: std::fmt::Display>>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.get::<String>(key).and_then(|text| self.parse_text(&text))
    }

    /// The text of `key`, which must be there, read as a `T`.
    pub fn require_parse<T: FromStr<Err: std::fmt::Display>>(&self, key: &'static str) -> Option<Spanned<T>> {
        self.require::<String>(key).and_then(|text| self.parse_text(&text))
    }

    /// A text of this table, read as a `T`.
    pub fn parse_text<T: FromStr<Err: std::fmt::Display>>(&self, text: &Spanned<String>) -> Option<Spanned<T>> {
        match text.get_ref().parse() {
            Ok(value) => Some(Spanned::new(text.span(), value)),
            Err(error) => {
                self.report(text.span(), Finding::error("invalid-value", error.to_string()));
                None
            }
        }
    }

    /// The texts of the list `key`; one text alone is refused, because a list with one element looks like a list.
    pub fn list(&self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        let value = self.entry(key)?;
        let path = self.path_of(key);
        let Some(elements) = value.get_ref().as_array() else {
            let found = type_name(value.get_ref());
            let message = format!("`{path}` is {found}, a list of texts is expected");
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

    /// The texts of the list `key`, which must be there.
    pub fn require_list(&self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        self.check_present(key);
        self.list(key)
    }

    /// The table `key`, which must be there.
    pub fn require_table(&self, key: &'static str) -> Option<TomlTable<'d>> {
        self.check_present(key);
        self.table(key)
    }

    /// The tables of the list `key` (`[[key]]`), of which there must be some.
    pub fn require_tables(&self, key: &'static str) -> Vec<TomlTable<'d>> {
        self.check_present(key);
        self.tables(key)
    }

    /// The table `key`, if there is one.
    pub fn table(&self, key: &'static str) -> Option<TomlTable<'d>> {
        let value = self.entry(key)?;
        self.subtable(key, value)
    }

    fn subtable(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<TomlTable<'d>> {
        let path = self.path_of(key);
        let Some(entries) = value.get_ref().as_table() else {
            let found = type_name(value.get_ref());
            let finding = Finding::error("wrong-type", format!("`{path}` is {found}, a table is expected"));
            self.report(
                value.span(),
                finding.with_fix(format!("Write `[{path}]` and its keys below it.")),
            );
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

    /// The tables of the list `key` (`[[key]]`).
    pub fn tables(&self, key: &'static str) -> Vec<TomlTable<'d>> {
        let Some(value) = self.entry(key) else {
            return Vec::new();
        };
        let Some(elements) = value.get_ref().as_array() else {
            let path = self.path_of(key);
            let found = type_name(value.get_ref());
            let finding = Finding::error(
                "wrong-type",
                format!("`{path}` is {found}, a list of tables is expected"),
            );
            let fix = format!("Write `[[{path}]]` above each of them.");
            self.report(value.span(), finding.with_fix(fix));
            return Vec::new();
        };
        let tables = elements.iter().filter_map(|element| self.subtable(key, element));
        tables.collect()
    }

    /// Every key of a table whose keys are names that people choose, with its table.
    pub fn named_tables(&self) -> Vec<(Spanned<String>, TomlTable<'d>)> {
        let tables = self.named_entries();
        tables
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), self.subtable(name.get_ref(), value)?)))
            .collect()
    }

    /// Every key of a table whose keys are names that people choose, with its text.
    pub fn named_texts(&self) -> Vec<(Spanned<String>, Spanned<String>)> {
        let texts = self.named_entries();
        texts
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone(), self.read(&self.path_of(name.get_ref()), value)?)))
            .collect()
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

    /// Says that `key` is missing. In a damaged file it may be there, unread, so nothing is said then.
    fn report_missing(&self, key: &str) {
        if self.document.damaged.is_empty() {
            self.document.push(self.missing_finding(key));
        }
    }

    /// Says that `key` is missing, and what to do.
    pub fn report_missing_with(&self, key: &str, fix: &str) {
        if self.document.damaged.is_empty() {
            self.document.push(self.missing_finding(key).with_fix(fix));
        }
    }

    fn missing_finding(&self, key: &str) -> Finding {
        Finding::error("missing-key", format!("`{}` is missing", self.path_of(key))).with_span(self.span())
    }
}

/// Marks a table whose keys are names that people choose.
const ANY_KEY: &str = "*";

impl Drop for TomlTable<'_> {
    /// Unknown keys are reported here, so that no reader can forget it.
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
                finding = finding.with_fix(format!("Known here: {}.", list_known_keys(&asked)));
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
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
