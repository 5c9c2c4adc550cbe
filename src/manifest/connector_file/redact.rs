//! Redaction of files that could not be parsed: all values are redacted, because any of them may be a secret. Each
//! redacted byte becomes a star, so locations stay valid.

/// Redacts JSON: strings that are not keys, and everything between a colon and the end of its line or member.
pub(super) fn redact_json(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut shown = bytes.to_vec();
    let mut index = 0;
    let mut after_colon = false;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => {
                let end = string_end(bytes, index);
                let next = bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace());
                if after_colon || next != Some(&b':') {
                    redact_bytes(&mut shown[index..end]);
                }
                index = end;
                continue;
            }
            b':' => after_colon = true,
            b',' | b'{' | b'[' | b'}' | b']' | b'\n' => after_colon = false,
            _ if after_colon => redact_bytes(&mut shown[index..=index]),
            _ => {}
        }
        index += 1;
    }
    String::from_utf8(shown).unwrap_or_default()
}

/// Returns the end of the string that begins at `start`, or the end of its line.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut index = start + 1;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' => index += 1,
            b'"' => return index + 1,
            b'\n' => return index,
            _ => {}
        }
        index += 1;
    }
    bytes.len()
}

/// Redacts YAML: text after a colon, and lines without one.
pub(super) fn redact_yaml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let keep = line.find(':').map_or(0, |colon| colon + 1);
        let mut rest = line.as_bytes()[keep..].to_vec();
        redact_bytes(&mut rest);
        shown.push_str(&line[..keep]);
        shown.push_str(&String::from_utf8(rest).unwrap_or_default());
    }
    shown
}

fn redact_bytes(bytes: &mut [u8]) {
    for byte in bytes {
        if !byte.is_ascii_whitespace() && *byte != b'"' {
            *byte = b'*';
        }
    }
}
