//! Weak secrets: values that cannot be redacted in every text, because they are short or occur in ordinary text.

use std::{
    collections::{BTreeSet, HashSet},
    sync::LazyLock,
};

use super::{reader::catalog, secret::is_masked_value};

/// Minimum number of characters of a registered value. A shorter value occurs in ordinary text; it is redacted only in
/// messages about its key.
pub const MIN_REGISTERED_LENGTH: usize = 8;

/// Values that are known to everybody: names, hosts, users and topics. A secret that equals one of them is not
/// registered, because redacting it would garble the text.
#[derive(Clone, Debug, Default)]
pub struct OrdinaryValues(BTreeSet<String>);

impl OrdinaryValues {
    /// Adds a value, and each item of a list that is separated by commas.
    pub fn add(&mut self, value: &str) {
        for item in std::iter::once(value).chain(value.split(',')) {
            self.0.insert(item.trim().to_lowercase());
        }
    }

    /// Returns whether `value` is one of these values or a word of the catalog.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.contains(&value.to_lowercase()) || is_vocabulary(value)
    }
}

impl<T: AsRef<str>> Extend<T> for OrdinaryValues {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.add(value.as_ref()));
    }
}

impl<T: AsRef<str>> FromIterator<T> for OrdinaryValues {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut ordinary = Self::default();
        ordinary.extend(values);
        ordinary
    }
}

/// Returns whether `value` is a word of the catalog: a class, a key, a part of a key, or an allowed value.
pub(crate) fn is_vocabulary(value: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let mut words = HashSet::from(["redacted".to_owned()]);
        for plugin in catalog().plugins() {
            words.insert(plugin.class.to_ascii_lowercase());
            for key in plugin.keys.values() {
                let parts = key
                    .name
                    .split('.')
                    .chain([key.name.as_str()])
                    .chain(key.allowed.iter().copied());
                words.extend(parts.map(str::to_ascii_lowercase));
            }
        }
        words
    });
    // Generated secrets contain digits and upper-case letters, so the catalog is rarely loaded for this.
    let resembles_word = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_' | b'-');
    if value.len() > 64 || !value.bytes().all(resembles_word) {
        return false;
    }
    WORDS.contains(&value.to_ascii_lowercase())
}

/// Returns whether `value` is registered unless it is an ordinary value: it is long enough and not a mask.
#[must_use]
pub fn is_registrable(value: &str) -> bool {
    value.chars().count() >= MIN_REGISTERED_LENGTH && !is_masked_value(value)
}

/// Returns whether `value` is too short or too ordinary to be redacted in every text.
#[must_use]
pub fn is_weak_secret(value: &str, ordinary: &OrdinaryValues) -> bool {
    !is_registrable(value) || ordinary.contains(value)
}
