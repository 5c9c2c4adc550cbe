//! Decoded views of a text. A service can repeat a secret escaped or encoded, completely or in part; a search in the
//! decoded text finds every spelling, and the positions lead back to the original text.

/// Text with the position of each of its bytes in the original text.
pub(super) struct DecodedText {
    /// Decoded bytes.
    pub(super) bytes: Vec<u8>,
    /// Position of each byte in the original text, followed by the length of the original text.
    starts: Vec<usize>,
}

/// Notation that a secret can be repeated in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    /// Backslash escapes of JSON, YAML, Java properties and `Debug`.
    Backslash,
    /// Percent-encoding of URLs (RFC 3986); `+` stays.
    Percent,
    /// Percent-encoding of forms, where `+` is a space (URL Standard, `application/x-www-form-urlencoded`).
    Form,
    /// Character references of HTML and XML.
    Markup,
    /// Doubled quotation marks of CSV (RFC 4180) and SQL.
    DoubledQuotes,
}

/// Maximum number of nested backslash escapes, such as JSON in a string of a JSON document.
const MAX_NESTING: usize = 3;

/// Returns the decoded views of `text` that differ from it.
pub(super) fn decoded_views(text: &str) -> Vec<DecodedText> {
    let mut views = Vec::new();
    let bytes = text.as_bytes();
    if bytes.contains(&b'\\') {
        let mut view = decode(&DecodedText::original(text), Notation::Backslash);
        for _ in 1..MAX_NESTING {
            if !view.bytes.contains(&b'\\') {
                break;
            }
            let inner = decode(&view, Notation::Backslash);
            views.push(view);
            view = inner;
        }
        views.push(view);
    }
    let notations = [
        (Notation::Percent, bytes.contains(&b'%')),
        (Notation::Form, bytes.contains(&b'+')),
        (Notation::Markup, bytes.contains(&b'&')),
        (Notation::DoubledQuotes, text.contains("\"\"") || text.contains("''")),
    ];
    for (notation, _) in notations.into_iter().filter(|(_, occurs)| *occurs) {
        views.push(decode(&DecodedText::original(text), notation));
    }
    views
}

impl DecodedText {
    fn original(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            starts: (0..=text.len()).collect(),
        }
    }

    /// Returns the range in the original text of a range of decoded bytes.
    pub(super) fn original_range(&self, from: usize, to: usize) -> (usize, usize) {
        (self.starts[from], self.starts[to])
    }
}

/// Decodes one level of `notation`. Bytes that are no escape stay unchanged.
fn decode(text: &DecodedText, notation: Notation) -> DecodedText {
    let bytes = &text.bytes;
    let mut out = DecodedText {
        bytes: Vec::with_capacity(bytes.len()),
        starts: Vec::with_capacity(bytes.len() + 1),
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let mut letter = [0; 4];
        let (decoded, length): (&[u8], usize) = match decode_one(rest, notation) {
            Some((c, length)) => match c {
                Decoded::Letter(c) => (c.encode_utf8(&mut letter).as_bytes(), length),
                Decoded::Byte(byte) => {
                    letter[0] = byte;
                    (&letter[..1], length)
                }
            },
            None => (&rest[..1], 1),
        };
        for byte in decoded {
            out.bytes.push(*byte);
            out.starts.push(text.starts[at]);
        }
        at += length;
    }
    out.starts.push(text.starts[bytes.len()]);
    out
}

enum Decoded {
    Letter(char),
    Byte(u8),
}

/// Decodes the escape at the beginning of `rest`. Returns its value and its length.
fn decode_one(rest: &[u8], notation: Notation) -> Option<(Decoded, usize)> {
    match (notation, rest[0]) {
        (Notation::Backslash, b'\\') => decode_backslash(rest),
        (Notation::Percent | Notation::Form, b'%') => {
            let byte = u8::try_from(parse_digits(rest.get(1..3)?, 16)?).ok()?;
            Some((Decoded::Byte(byte), 3))
        }
        (Notation::Form, b'+') => Some((Decoded::Byte(b' '), 1)),
        (Notation::Markup, b'&') => decode_reference(rest),
        (Notation::DoubledQuotes, quote @ (b'"' | b'\'')) if rest.get(1) == Some(&quote) => {
            Some((Decoded::Byte(quote), 2))
        }
        _ => None,
    }
}

fn decode_backslash(rest: &[u8]) -> Option<(Decoded, usize)> {
    let letter = match *rest.get(1)? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'x' => {
            let code = parse_digits(rest.get(2..4)?, 16)?;
            return Some((Decoded::Letter(char::from_u32(code)?), 4));
        }
        b'u' if rest.get(2) == Some(&b'{') => {
            let length = rest.iter().take(11).position(|byte| *byte == b'}')?;
            let code = parse_digits(&rest[3..length], 16)?;
            return Some((Decoded::Letter(char::from_u32(code)?), length + 1));
        }
        b'u' => {
            let unit = parse_digits(rest.get(2..6)?, 16)?;
            if let Some(letter) = char::from_u32(unit) {
                return Some((Decoded::Letter(letter), 6));
            }
            // A letter outside of the first plane is written as two surrogates.
            let second = rest.get(6..12).filter(|second| second.starts_with(b"\\u"))?;
            let units = [unit, parse_digits(&second[2..], 16)?].map(|unit| u16::try_from(unit).unwrap_or_default());
            let letter = char::decode_utf16(units).next()?.ok()?;
            return Some((Decoded::Letter(letter), 12));
        }
        byte if byte.is_ascii_punctuation() || byte == b' ' => char::from(byte),
        _ => return None,
    };
    Some((Decoded::Letter(letter), 2))
}

fn decode_reference(rest: &[u8]) -> Option<(Decoded, usize)> {
    let end = rest.iter().take(12).position(|byte| *byte == b';')?;
    let letter = match &rest[1..end] {
        b"quot" => '"',
        b"apos" => '\'',
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(parse_digits(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(parse_digits(digits, 10)?)?,
        _ => return None,
    };
    Some((Decoded::Letter(letter), end + 1))
}

/// Parses digits without a sign.
fn parse_digits(digits: &[u8], radix: u32) -> Option<u32> {
    let all = digits.iter().all(|byte| char::from(*byte).is_digit(radix));
    let text = std::str::from_utf8(digits).ok().filter(|_| all)?;
    u32::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str, notation: Notation) -> String {
        String::from_utf8_lossy(&decode(&DecodedText::original(text), notation).bytes).into_owned()
    }

    #[test]
    fn every_notation_is_decoded() {
        for (notation, text, expected) in [
            (Notation::Backslash, r#"a\"b\\c\nd\/e"#, "a\"b\\c\nd/e"),
            (Notation::Backslash, r"\u00fc\u{fc}\xfc\ud83d\ude00", "üüü😀"),
            (Notation::Backslash, r"\q \u12 \ud83d", r"\q \u12 \ud83d"),
            (Notation::Percent, "a%2Bb%2bc+%C3%BC%zz%", "a+b+c+ü%zz%"),
            (Notation::Form, "a+b%2B", "a b+"),
            (
                Notation::Markup,
                "&#34;&#x27;&amp;&lt;&gt;&quot;&apos;&no;&",
                "\"'&<>\"'&no;&",
            ),
            (Notation::DoubledQuotes, "a\"\"b''c'\"", "a\"b'c'\""),
        ] {
            assert_eq!(decoded(text, notation), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn positions_lead_back_to_the_original_text(text in r#"([a-zü "\\]|\\u00fc|%C3%BC|&#34;|""){0,30}"#) {
            for view in decoded_views(&text) {
                prop_assert_eq!(view.bytes.len() + 1, view.starts.len());
                prop_assert!(view.starts.is_sorted());
                prop_assert_eq!(view.original_range(0, view.bytes.len()), (0, text.len()));
            }
        }
    }
}
