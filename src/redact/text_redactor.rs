//! Redaction of secrets in free text: log lines, stack traces. A value is redacted if it follows the name of a secret,
//! if it is the password in a URL, or if it was redacted before.

use std::{borrow::Cow, collections::BTreeSet};

use super::REDACTED;
use crate::catalog::{
    catalog,
    secret::{Secrecy, is_secret_name, secrecy},
};

/// Maximum number of remembered values, which limits memory in long runs.
const MAX_KNOWN_SECRETS: usize = 256;
/// Minimum length of a remembered value. Shorter values are flags and numbers; redacting them elsewhere would garble
/// the text.
const MIN_SECRET_LENGTH: usize = 6;

/// Maximum number of bytes of a value that a message quotes. It keeps the search linear for a text that repeats the
/// beginning of such a message.
const MAX_QUOTED_VALUE: usize = 16 * 1024;

/// Redactor for free text. It redacts every later occurrence of a value that it redacted once.
#[derive(Clone, Debug, Default)]
pub struct TextRedactor {
    /// Secret keys that do not have a secret name.
    keys: BTreeSet<String>,
    known: Vec<String>,
}

impl TextRedactor {
    /// Creates a redactor that also treats these keys as secret.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = String>) -> Self {
        Self {
            keys: keys.into_iter().map(|key| key.to_ascii_lowercase()).collect(),
            known: Vec::new(),
        }
    }

    /// Creates a redactor that treats the secret keys of a plugin as secret, in addition to keys that are secret by name.
    #[must_use]
    pub fn for_plugin(class: &str) -> Self {
        let facts = catalog();
        let plugin = facts.plugin(class);
        let keys = plugin.into_iter().flat_map(|plugin| plugin.keys.keys());
        let secret = keys.filter(|key| matches!(secrecy(facts, plugin, key), Secrecy::Secret));
        Self::new(secret.cloned())
    }

    /// Returns `text` with its secrets redacted.
    #[must_use]
    pub fn redact<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let found = self.find_secrets(text);
        for (from, to) in &found {
            self.add(&text[*from..*to]);
        }
        let mut out = match found.is_empty() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(replace_ranges(text, &found)),
        };
        for secret in &self.known {
            if out.contains(secret.as_str()) {
                out = Cow::Owned(out.replace(secret.as_str(), REDACTED));
            }
        }
        out
    }

    fn add(&mut self, value: &str) {
        if value.len() >= MIN_SECRET_LENGTH
            && self.known.len() < MAX_KNOWN_SECRETS
            && !self.known.iter().any(|known| known == value)
        {
            self.known.push(value.to_owned());
            // Longer values come first: a value may contain another one.
            self.known.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Returns the byte ranges of secrets, in order and disjoint.
    fn find_secrets(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        let mut named = NamedValue::default();
        while let Some(next) = self.next_secret(text, at, &mut named) {
            at = next.1.max(at + 1);
            if next.0 < next.1 && &text[next.0..next.1] != REDACTED {
                found.push(next);
            }
        }
        found
    }

    /// Returns the next secret at or after `from`.
    fn next_secret(&self, text: &str, from: usize, named: &mut NamedValue) -> Option<(usize, usize)> {
        let mut at = from;
        while at < text.len() {
            let rest = text.get(at..)?;
            let first = rest.chars().next()?;
            if let Some(key) = rest.strip_prefix("-----BEGIN ") {
                let head = key.find("-----").map(|end| &key[..end]);
                if head.is_some_and(|head| head.contains("PRIVATE KEY")) {
                    let end = prefix(rest, MAX_QUOTED_VALUE).find("-----END").unwrap_or(rest.len());
                    return Some((at, at + end));
                }
            }
            if let Some(authority) = rest.strip_prefix("://")
                && let Some((from, to)) = url_password_range(authority)
            {
                let begin = at + "://".len();
                return Some((begin + from, begin + to));
            }
            if is_name_char(first) {
                let length = rest.find(|letter| !is_name_char(letter)).unwrap_or(rest.len());
                if let Some((from, to)) = self.value_range(text, at, at + length, named) {
                    return Some((from, to));
                }
                at += length;
                continue;
            }
            at += first.len_utf8();
        }
        None
    }

    /// Returns where the value that begins at `from` ends and ` for configuration NAME` begins, and whether that key is
    /// secret. Each part of the text is searched only once, because values may follow each other without such an end.
    fn end_of_named_value(&self, text: &str, from: usize, named: &mut NamedValue) -> Option<usize> {
        const NAMES: &str = " for configuration ";
        if named.searched_to <= from {
            named.end = text[from..].find(NAMES).map(|length| from + length);
            named.searched_to = named.end.map_or(usize::MAX, |end| end + 1);
            let rest = named.end.map_or("", |end| &text[end + NAMES.len()..]);
            named.is_secret = self.is_secret(rest.split([':', ' ', '\n']).next().unwrap_or_default());
        }
        named.end
    }

    fn is_secret(&self, name: &str) -> bool {
        self.keys.contains(&name.to_ascii_lowercase()) || is_secret_name(name)
    }

    /// Returns the value after the name `text[from..to]`, if that is the name of a secret.
    fn value_range(&self, text: &str, from: usize, to: usize, named: &mut NamedValue) -> Option<(usize, usize)> {
        let name = text[from..to].trim_matches('.');
        // `Invalid value VALUE for configuration NAME: …` is a message of the service
        // (docs/reference/connect.md#error-messages).
        if name == "Invalid" && text[to..].starts_with(" value ") {
            let begin = to + " value ".len();
            if let Some(end) = self.end_of_named_value(text, begin, named) {
                return named.is_secret.then_some((begin, end));
            }
        }
        if !self.is_secret(name) || is_java_class(name) {
            return None;
        }
        let quoted = from > 0 && matches!(text.as_bytes()[from - 1], b'"' | b'\'');
        let mut at = to;
        if quoted {
            at += text[at..]
                .chars()
                .next()
                .filter(|c| matches!(c, '"' | '\''))?
                .len_utf8();
        }
        at += count_blanks(&text[at..]);
        let separator = text[at..].chars().next()?;
        match separator {
            '=' => at += if text[at..].starts_with("=>") { 2 } else { 1 },
            ':' if quoted || !is_sentence(&text[at + 1..]) => at += 1,
            _ => return None,
        }
        at += count_blanks(&text[at..]);
        let rest = &text[at..];
        if rest.starts_with(REDACTED) {
            return None;
        }
        if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
            let begin = at + 1;
            return Some((begin, begin + quoted_length(&text[begin..], quote)));
        }
        Some((at, at + bare_length(rest)))
    }
}

/// Next ` for configuration NAME` of a text.
#[derive(Default)]
struct NamedValue {
    /// Position up to which it was searched for: it stays the next one until there.
    searched_to: usize,
    /// Its position, if there is one.
    end: Option<usize>,
    /// Whether the key is secret.
    is_secret: bool,
}

/// Characters of configuration keys, headers and identifiers.
fn is_name_char(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

/// Returns whether a name is a Java class, as in `TokenExpiredException: …`, where a message follows instead of a
/// value.
fn is_java_class(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.starts_with(|letter: char| letter.is_ascii_uppercase())
        && [
            "Exception",
            "Error",
            "Provider",
            "Handler",
            "Manager",
            "Factory",
            "Config",
        ]
        .iter()
        .any(|end| last.ends_with(end))
}

/// Returns at most `length` bytes from the beginning of `text`.
fn prefix(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

fn count_blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Returns whether the text after a key and a colon is a sentence: `database.password: Error while validating …`. The
/// list holds the beginnings of the service's messages (docs/reference/connect.md#status and
/// docs/reference/connect.md#error-messages).
fn is_sentence(text: &str) -> bool {
    const BEGINNINGS: [&str; 16] = [
        "Error while ",
        "Provided ",
        "User ",
        "Value ",
        "Invalid ",
        "Missing ",
        "Unable to ",
        "must ",
        "is ",
        "a ",
        "an ",
        "the ",
        "Expected ",
        "Not ",
        "FATAL",
        "com.",
    ];
    let text = text.trim_start();
    text.is_empty() || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Returns the length of a quoted value, up to its closing quote.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return at,
            '\n' => return at,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of an unquoted value, including the scheme of an `Authorization` header.
fn bare_length(text: &str) -> usize {
    let stop =
        |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '&' | ')' | ']' | '}' | '"' | '\'');
    for scheme in ["Basic ", "Bearer ", "Token "] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return scheme.len() + rest.find(stop).unwrap_or(rest.len());
        }
    }
    text.find(stop).unwrap_or(text.len())
}

/// Returns the range of the password in `user:password@host`.
fn url_password_range(authority: &str) -> Option<(usize, usize)> {
    let end = authority.find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '?' | '#' | '"' | '\''));
    let authority = &authority[..end.unwrap_or(authority.len())];
    let (user, _) = authority.rsplit_once('@')?;
    let (name, _) = user.split_once(':')?;
    Some((name.len() + 1, user.len()))
}

fn replace_ranges(text: &str, found: &[(usize, usize)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (from, to) in found {
        out.push_str(&text[at..*from]);
        out.push_str(REDACTED);
        at = *to;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redact(text: &str) -> String {
        TextRedactor::new(["azblob.account.name".to_owned()])
            .redact(text)
            .into_owned()
    }

    #[test]
    fn a_secret_value_is_redacted_and_its_name_stays() {
        for (text, expected) in [
            ("connection.password = canary-1", "connection.password = [redacted]"),
            (
                "\taws.secret.access.key = canary-1\n\ttopics = a",
                "\taws.secret.access.key = [redacted]\n\ttopics = a",
            ),
            ("password=canary-1, user=me", "password=[redacted], user=me"),
            (
                r#"{"database.password":"can\"ary-1","a":1}"#,
                r#"{"database.password":"[redacted]","a":1}"#,
            ),
            (
                "jdbc:postgresql://h/db?user=a&password=canary-1&ssl=on",
                "jdbc:postgresql://h/db?user=a&password=[redacted]&ssl=on",
            ),
            (
                "GET https://me:canary-1@example.com/x failed",
                "GET https://me:[redacted]@example.com/x failed",
            ),
            ("Authorization: Basic Y2FuYXJ5LTE=", "Authorization: [redacted]"),
            (
                "headers {authorization=Bearer canary-1}",
                "headers {authorization=[redacted]}",
            ),
            ("token: canary-1", "token: [redacted]"),
            ("azblob.account.name = canary-1", "azblob.account.name = [redacted]"),
            (
                r#"LoginModule required username="u" password="canary-1";"#,
                r#"LoginModule required username="u" password="[redacted]";"#,
            ),
            (
                "Invalid value canary-1 for configuration connection.password: a backslash is not supported",
                "Invalid value [redacted] for configuration connection.password: a backslash is not supported",
            ),
            (
                "Invalid value a; Invalid value canary-1 for configuration tasks.max: b; Invalid value canary-2 for \
                 configuration connection.password: is c; Invalid value d",
                "Invalid value a; Invalid value canary-1 for configuration tasks.max: b; Invalid value [redacted] for \
                 configuration connection.password: is c; Invalid value d",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\ncanary-1\n-----END RSA PRIVATE KEY-----",
                "[redacted]-----END RSA PRIVATE KEY-----",
            ),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    // The messages of docs/reference/connect.md#status and docs/reference/connect.md#error-messages stay unchanged.
    #[test]
    fn a_sentence_about_a_secret_is_not_redacted() {
        for text in [
            "database.password: Error while validating connector config: FATAL: password authentication failed for user \"cdc\"",
            "kafka.api.secret: Provided Kafka ApiKey is invalid",
            "net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.",
            "com.example.InvalidTokenException: the token has expired",
            "Access denied for user 'u'@'10.0.12.7' (using password: YES)",
            "WorkerSinkTask{id=lcc-8kq2zm-0} Task threw an uncaught and unrecoverable exception",
            "\"connection.password\" is required",
            "connection.password = [redacted]",
            "https://example.com/a@b:c",
        ] {
            let scrubbed = redact(text);
            match text.contains("(using password: YES)") {
                // `YES` follows the name of a secret, so it is redacted; nothing is lost by that.
                true => assert_eq!(scrubbed, text.replace("YES", "[redacted]")),
                false => assert_eq!(scrubbed, text),
            }
        }
    }

    #[test]
    fn a_redacted_value_is_redacted_everywhere_afterwards() {
        let mut scrubber = TextRedactor::default();
        assert_eq!(scrubber.redact("password=canary-1"), "password=[redacted]");
        assert_eq!(
            scrubber.redact("login with canary-1 failed"),
            "login with [redacted] failed"
        );
        assert_eq!(scrubber.redact("password=YES"), "password=[redacted]");
        assert_eq!(scrubber.redact("YES, it is"), "YES, it is");
    }

    proptest! {
        #[test]
        fn redaction_never_panics_and_is_idempotent(text in any::<String>()) {
            let once = redact(&text);
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn every_value_of_a_secret_key_is_redacted(
            key in "[a-z]{1,5}\\.(password|secret\\.key|token)",
            separator in "( = |=|: )",
            value in "[A-Za-z0-9/+]{6,20}",
            before in "[ a-z\n]{0,9}",
            after in "(, x=1|\n|&b=c|\"|)",
        ) {
            let text = format!("{before} {key}{separator}{value}{after}");
            prop_assert!(!redact(&text).contains(&value), "{}", redact(&text));
        }
    }
}
