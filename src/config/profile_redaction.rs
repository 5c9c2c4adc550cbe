//! Redaction of a profile's text, for findings that show the line they refer to.

/// Returns the text with everything that may be a secret replaced by `*`, byte for byte, so that positions stay valid.
///
/// From the first mention of a key or secret on, it redacts the right side of every `=` and every line without one.
/// This covers a misspelt `secrt`, an unclosed quote and a multi-line value. Text that starts with `cflt`, like
/// Confluent's secrets (docs/reference/rbac.md#api-key-types), is redacted everywhere.
pub fn redact_profile(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let words = line.trim_start().trim_start_matches(['[', '"', '\'', ' ']);
        inside |= starts_secret_section(words);
        if inside {
            redact_line(line, &mut out);
        } else {
            redact_tokens_into(line, &mut out);
        }
    }
    out
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
