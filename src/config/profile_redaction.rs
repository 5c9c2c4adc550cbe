//! Redaction of a profile's text, for findings that show the line they refer to.

use crate::catalog::rules;

/// Keys and tables whose values are shown, besides the names of lint rules below `[lint]`.
const OPEN_NAMES: [&str; 26] = [
    "cluster",
    "connectors",
    "contact",
    "department",
    "endpoint",
    "endpoints",
    "environment",
    "issued",
    "lint",
    "logs",
    "metrics",
    "name",
    "organization",
    "persona",
    "platform",
    "plugins",
    "prefix",
    "quota",
    "runtime",
    "runtime_account",
    "schema_registry",
    "secret_variables",
    "stage",
    "tasks",
    "tasks_per_connector",
    "team",
];

/// Returns the text with everything that may be a secret replaced by `*`, byte for byte, so that positions stay valid.
///
/// It shows the right side of `=` only for known keys, and of those no long random text. From the first mention of a key
/// or secret on, it redacts every right side and every line without one. This covers a misspelt `secrt`, an unclosed
/// quote and a multi-line value. Text that starts with `cflt`, like Confluent's secrets
/// (docs/reference/rbac.md#api-key-types), is redacted everywhere.
pub fn redact_profile(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut is_open) = (false, true);
    for line in text.split_inclusive('\n') {
        let words = line.trim_start().trim_start_matches(['[', '"', '\'', ' ']);
        inside |= starts_secret_section(words);
        if let Some(name) = assigned_name(line) {
            is_open = OPEN_NAMES.contains(&name) || rules::find(name).is_some();
        }
        if inside || !is_open {
            redact_line(line, &mut out);
        } else {
            let mut shown = String::with_capacity(line.len());
            redact_tokens_into(line, &mut shown);
            redact_random_text(&shown, &mut out);
        }
    }
    out
}

/// Returns the key or table that a line names; `None` for a comment, an empty line and the continuation of a value.
fn assigned_name(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let name = match line.strip_prefix('[') {
        Some(table) => table.trim_start_matches('[').split(']').next()?,
        None => line.split_once('=')?.0,
    };
    Some(name.trim().trim_matches(['"', '\'']).split('.').next_back()?.trim())
}

/// Minimum length of a text that is taken for a generated secret.
const MIN_RANDOM_LENGTH: usize = 24;

/// Redacts long words of digits, upper-case and lower-case letters, as generated secrets are.
fn redact_random_text(line: &str, out: &mut String) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_');
    let mut rest = line;
    while let Some(begin) = rest.find(is_part) {
        let length = rest[begin..].find(|c| !is_part(c)).unwrap_or(rest.len() - begin);
        let (before, word, after) = (&rest[..begin], &rest[begin..begin + length], &rest[begin + length..]);
        let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
        let is_random = length >= MIN_RANDOM_LENGTH
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase);
        out.push_str(before);
        match is_random {
            true => redact_bytes(word, out),
            false => out.push_str(word),
        }
        rest = after;
    }
    out.push_str(rest);
}

/// Returns whether a line starts the section with the key.
fn starts_secret_section(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let key = lower
        .strip_prefix("key")
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    let secret = lower.match_indices("secret").any(|(at, word)| {
        let rest = lower[at + word.len()..].trim_start_matches(['"', '\'', ' ', '\t']);
        rest.starts_with('=')
    });
    key || secret || lower.starts_with("api_key") || lower.starts_with("api_secret")
}

fn redact_line(line: &str, out: &mut String) {
    let trimmed = line.trim_start();
    if trimmed.starts_with('[') {
        out.push_str(line);
        return;
    }
    let visible = line.find('=').map_or(0, |at| at + 1);
    out.push_str(&line[..visible]);
    redact_bytes(&line[visible..], out);
}

/// Returns the text with tokens that start with `cflt` redacted, for text that should contain no secret.
#[must_use]
pub fn redact_tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    redact_tokens_into(text, &mut out);
    out
}

fn redact_tokens_into(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find("cflt") {
        let end = rest[at..]
            .find(|c: char| !c.is_ascii_alphanumeric() && !"+/=-_".contains(c))
            .map_or(rest.len(), |end| at + end);
        out.push_str(&rest[..at]);
        redact_bytes(&rest[at..end], out);
        rest = &rest[end..];
    }
    out.push_str(rest);
}

fn redact_bytes(text: &str, out: &mut String) {
    out.extend(text.bytes().map(|byte| match byte {
        b'\n' | b'\r' | b' ' => char::from(byte),
        _ => '*',
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_the_key_section_leaks_the_secret() {
        for text in [
            "[key]\nid = \"A\"\nsecret = \"canary\"\n",
            "[key]\nsecrt = \"canary\"\n",
            "[ key ]\n\"secret\"=\"canary\"\n",
            "key = { id = \"A\", secret = \"canary\" }\n",
            "key.secret = \"canary\"\n",
            "[key]\nsecret = \"\"\"\ncanary\n\"\"\"\n",
            "[key]\nsecret = \"canary\nprefix = \"x-\"\n",
            "name = \"x\"\n# secret = canary\n",
            "stage = \"cfltcanary/+=\"\n",
            "[kye]\nsecret = 'canary'",
            "password = \"canary\"\n",
            "password = \"\"\"\ncanary\n\"\"\"\nstage = \"prod\"\n",
            "cloud = { id = \"A\", password = \"canary\" }\n",
            "[cloud]\nid = \"A\"\npassword = \"canary\"\n",
            "environment = \"canaryABCDEFGHIJKLMNOP0123456789+/=\"\n",
        ] {
            let masked = redact_profile(text);
            assert!(!masked.contains("canary"), "{masked}");
            assert_eq!(masked.len(), text.len());
            assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
        }
    }

    #[test]
    fn lines_without_secrets_stay_unchanged() {
        let text = "prefix = \"claims-\"\nsecret_variables = [\"DB_PASSWORD\"]\n\n[quota]\ntasks = 2\n";
        assert_eq!(redact_profile(text), text);
    }
}
