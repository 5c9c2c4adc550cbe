//! Registry of secret values. A value is registered as soon as it exists, and every writer redacts it from then on.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use base64::{Engine as _, engine::general_purpose};
use serde_json::{Map, Value};

use super::{REDACTED, decoding::decoded_views};
use crate::catalog::{
    secret::is_secret_name,
    weak_secret::{MIN_REGISTERED_LENGTH, OrdinaryValues, is_registrable},
};

/// Registry of the secret values of a process. Clones share the values.
#[derive(Clone, Default)]
pub struct SecretRegistry(Arc<Mutex<RegistryState>>);

#[derive(Default)]
struct RegistryState {
    patterns: BTreeSet<String>,
    /// Names of variables with secrets that a profile lists.
    variables: BTreeSet<String>,
    /// Patterns that no automaton contains yet.
    pending: Vec<String>,
    /// Automata of all other patterns.
    matcher: Arc<SecretMatcher>,
}

impl fmt::Debug for SecretRegistry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretRegistry")
    }
}

impl SecretRegistry {
    /// Registers a value.
    pub fn add(&self, value: &str) {
        self.add_unless_ordinary(value, &OrdinaryValues::default());
    }

    /// Registers the secret of an API key, also as `id:secret` in base64 (RFC 7617).
    pub fn add_pair(&self, id: &str, secret: &str) {
        self.add(secret);
        if is_registrable(secret) {
            self.insert(base64_forms(&format!("{id}:{secret}")));
        }
    }

    /// Registers a value, each of its lines, and the secrets in a JSON document such as a credentials file. Short values
    /// and `ordinary` ones are not registered.
    pub fn add_unless_ordinary(&self, value: &str, ordinary: &OrdinaryValues) {
        let mut parts = vec![value.to_owned()];
        // A one-line value can contain written line breaks, as in a JSON document.
        parts.extend(
            value
                .split(['\n', '\r'])
                .flat_map(|line| line.split("\\n"))
                .map(str::to_owned),
        );
        if let Ok(document @ Value::Object(_)) = serde_json::from_str(value) {
            collect_secrets(&document, &mut |_, secret| {
                parts.extend(secret.lines().map(str::to_owned));
            });
        }
        let mut patterns = Vec::new();
        for part in &parts {
            let part = part.trim();
            // The first and the last line of a PEM document are the same in all of them (RFC 7468).
            if is_registrable(part) && !ordinary.contains(part) && !is_pem_boundary(part) {
                patterns.push(part.to_owned());
                patterns.extend(base64_forms(part));
            }
        }
        self.insert(patterns);
    }

    /// Registers names of variables that connector files may refer to (`secret_variables` of a profile).
    pub fn add_variable_names<T: Into<String>>(&self, names: impl IntoIterator<Item = T>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.variables.extend(names.into_iter().map(Into::into));
    }

    /// Returns whether a profile lists a variable of this name.
    #[must_use]
    pub fn is_secret_variable(&self, name: &str) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.variables.contains(name)
    }

    /// Registers the secrets of a JSON body by the names of their fields; the other values of the body are ordinary.
    pub fn add_from_body(&self, body: &[u8]) {
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        let (mut secrets, mut ordinary) = (Vec::new(), OrdinaryValues::default());
        collect_secrets(&document, &mut |_, secret| secrets.push(secret.to_owned()));
        collect_ordinary(&document, &mut |value| ordinary.add(value));
        for secret in secrets {
            self.add_unless_ordinary(&secret, &ordinary);
        }
    }

    fn insert(&self, patterns: impl IntoIterator<Item = String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for pattern in patterns {
            if state.patterns.insert(pattern.clone()) {
                state.pending.push(pattern);
            }
        }
    }

    /// Returns the automata of the current values; `None` without values.
    fn matcher(&self) -> Option<Arc<SecretMatcher>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.patterns.is_empty() {
            return None;
        }
        if !state.pending.is_empty() {
            let pending = std::mem::take(&mut state.pending);
            state.matcher = Arc::new(state.matcher.with_patterns(pending));
        }
        Some(Arc::clone(&state.matcher))
    }

    /// Returns whether `text` contains a registered value.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        self.matcher().is_some_and(|matcher| !matcher.find(text).is_empty())
    }

    /// Returns `text` with every registered value redacted.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.matcher() {
            Some(matcher) => replace_ranges(text, &matcher.find(text), |_| REDACTED.into()),
            None => Cow::Borrowed(text),
        }
    }

    /// Redacts `text` in place.
    pub fn redact_string(&self, text: &mut String) {
        if let Cow::Owned(redacted) = self.redact(text) {
            *text = redacted;
        }
    }

    /// Returns `text` with every registered value replaced by `*`, byte for byte, so that positions stay valid.
    #[must_use]
    pub fn redact_source<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let stars = |secret: &str| -> Cow<'static, str> {
            let bytes = secret.bytes();
            bytes
                .map(|byte| if byte == b'\n' { '\n' } else { '*' })
                .collect::<String>()
                .into()
        };
        match self.matcher() {
            Some(matcher) => replace_ranges(text, &matcher.find(text), stars),
            None => Cow::Borrowed(text),
        }
    }

    /// Redacts the strings of a JSON document; names of fields, numbers and flags stay.
    pub fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.redact_string(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|inner| self.redact_json(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the length in bytes of the longest form of a registered value, which a reader of a stream holds back.
    #[must_use]
    pub fn longest(&self) -> usize {
        // Every byte takes at most six bytes in the notations of `decoding`, three times nested.
        const MAX_EXPANSION: usize = 6;
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = state.patterns.iter().map(String::len).max();
        longest.unwrap_or_default() * MAX_EXPANSION
    }
}

/// Returns the name of the key whose value an object describes, if the key is secret: `{"name": "aws.secret.access.key",
/// "value": "…"}` is how validation responses name configuration keys.
pub(super) fn described_secret(fields: &Map<String, Value>) -> Option<&str> {
    ["name", "key"].iter().find_map(|field| {
        let name = fields.get(*field).and_then(Value::as_str);
        name.filter(|name| is_secret_name(name))
    })
}

/// Calls `found` with the name and the text of each secret in `document`.
pub(super) fn collect_secrets(document: &Value, found: &mut impl FnMut(&str, &str)) {
    match document {
        Value::Object(fields) => {
            let described = described_secret(fields);
            for (name, inner) in fields {
                match (is_secret_name(name), described) {
                    (true, _) => collect_texts(inner, &mut |text| found(name, text)),
                    (false, Some(key)) if name == "value" => collect_texts(inner, &mut |text| found(key, text)),
                    _ => collect_secrets(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, found)),
        _ => {}
    }
}

/// Calls `found` with each text that is no secret by its name.
pub(super) fn collect_ordinary(document: &Value, found: &mut impl FnMut(&str)) {
    match document {
        Value::Object(fields) => {
            let described = described_secret(fields).is_some();
            for (name, inner) in fields {
                let is_secret = is_secret_name(name) || (described && name == "value");
                if !is_secret {
                    collect_ordinary(inner, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_ordinary(item, found)),
        Value::String(text) => found(text),
        _ => {}
    }
}

fn collect_texts(document: &Value, found: &mut impl FnMut(&str)) {
    match document {
        Value::Object(fields) => fields.values().for_each(|inner| collect_texts(inner, found)),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, found)),
        Value::String(text) => found(text),
        _ => {}
    }
}

fn is_pem_boundary(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----") && line.matches("-----").count() == 2
}

/// Returns base64 in which `value` can be found: as a whole, and inside of a longer text at each of the three positions
/// that a byte can have in a group, without the characters that also depend on its neighbors.
fn base64_forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for engine in [
        general_purpose::STANDARD,
        general_purpose::STANDARD_NO_PAD,
        general_purpose::URL_SAFE,
        general_purpose::URL_SAFE_NO_PAD,
    ] {
        forms.push(engine.encode(value));
    }
    for engine in [general_purpose::STANDARD_NO_PAD, general_purpose::URL_SAFE_NO_PAD] {
        for before in 0..3_usize {
            let bytes = [&[0; 2][..before], value.as_bytes()].concat();
            let encoded = engine.encode(&bytes);
            // Characters with bits of the bytes before the value, and of those after it.
            let first = (before * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            if let Some(inside) = encoded.get(first..last)
                && inside.len() >= MIN_REGISTERED_LENGTH
            {
                forms.push(inside.to_owned());
            }
        }
    }
    forms
}

/// Automata that find values in a text and in its decoded views, in linear time.
///
/// An onboarding of many departments registers a key after each request. One automaton of all values would be built as
/// often, each time with all values; so a new automaton contains the new values and those of smaller automata only. There
/// are at most logarithmically many, and each value is built into at most as many.
#[derive(Default)]
pub(super) struct SecretMatcher(Vec<Arc<PatternSet>>);

struct PatternSet {
    patterns: Vec<String>,
    automaton: AhoCorasick,
}

impl SecretMatcher {
    /// Returns a matcher that also finds `added`.
    pub(super) fn with_patterns(&self, mut added: Vec<String>) -> Self {
        let mut sets = self.0.clone();
        while sets.last().is_some_and(|last| last.patterns.len() <= 2 * added.len()) {
            added.extend(sets.pop().into_iter().flat_map(|set| set.patterns.clone()));
        }
        // A deterministic automaton would search faster, and takes longer to build than a run searches. Building fails only
        // for more patterns than a process can hold.
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&added);
        sets.extend(automaton.ok().map(|automaton| {
            Arc::new(PatternSet {
                patterns: added,
                automaton,
            })
        }));
        Self(sets)
    }

    /// Returns the byte ranges of all values, in order and disjoint. Values that overlap are one range.
    pub(super) fn find(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let views = decoded_views(text);
        for set in &self.0 {
            let matches = set.automaton.find_overlapping_iter(text);
            found.extend(matches.map(|hit| (hit.start(), hit.end())));
            for view in &views {
                let matches = set.automaton.find_overlapping_iter(&view.bytes);
                found.extend(matches.map(|hit| view.original_range(hit.start(), hit.end())));
            }
        }
        found.sort_unstable();
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for (from, to) in found {
            let (from, to) = (floor_boundary(text, from), ceil_boundary(text, to));
            match ranges.last_mut() {
                Some(last) if from < last.1 => last.1 = last.1.max(to),
                _ => ranges.push((from, to)),
            }
        }
        ranges
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Returns `text` with the ranges replaced.
pub(super) fn replace_ranges<'a>(
    text: &'a str,
    ranges: &[(usize, usize)],
    replacement: impl Fn(&str) -> Cow<'static, str>,
) -> Cow<'a, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (from, to) in ranges {
        out.push_str(&text[at..*from]);
        out.push_str(&replacement(&text[*from..*to]));
        at = *to;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
