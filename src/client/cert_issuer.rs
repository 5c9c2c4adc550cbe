//! Issuer name of a TLS certificate, which tells the user which proxy intercepts the connection.
//!
//! Parses only the needed part of X.509 (RFC 5280 §4.1). Unexpected input yields no name and never panics.

/// DER element: tag, content, and the bytes that follow it.
struct DerElement<'a> {
    tag: u8,
    value: &'a [u8],
    rest: &'a [u8],
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BMP_STRING: u8 = 0x1e;
/// `[0]`: the optional version.
const VERSION: u8 = 0xa0;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANIZATION: [u8; 3] = [0x55, 0x04, 0x0a];

fn element(bytes: &[u8]) -> Option<DerElement<'_>> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(first), bytes),
        // Two length bytes suffice for any usual certificate; three cover certificates with very many names.
        0x81..=0x83 => {
            let (digits, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            (
                digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
                bytes,
            )
        }
        _ => return None,
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some(DerElement { tag, value, rest })
}

fn element_with_tag(bytes: &[u8], tag: u8) -> Option<DerElement<'_>> {
    element(bytes).filter(|element| element.tag == tag)
}

/// Returns the elements of a sequence or set.
fn elements(bytes: &[u8]) -> impl Iterator<Item = DerElement<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let next = element(rest)?;
        rest = next.rest;
        Some(next)
    })
}

/// Returns the issuer of a certificate: its common name, with the organization if that differs.
pub(super) fn issuer_name(certificate: &[u8]) -> Option<String> {
    let certificate = element_with_tag(certificate, SEQUENCE)?;
    let mut to_be_signed = element_with_tag(certificate.value, SEQUENCE)?.value;
    if let Some(version) = element_with_tag(to_be_signed, VERSION) {
        to_be_signed = version.rest;
    }
    // Skips serial number and signature algorithm; the issuer follows.
    let name = elements(to_be_signed).nth(2).filter(|name| name.tag == SEQUENCE)?;
    match (attribute(name.value, COMMON_NAME), attribute(name.value, ORGANIZATION)) {
        (Some(name), Some(organization)) if name != organization => Some(format!("{name} ({organization})")),
        (name, organization) => name.or(organization),
    }
}

/// Returns the first attribute of this type in a name, as text.
fn attribute(name: &[u8], kind: [u8; 3]) -> Option<String> {
    elements(name)
        .filter(|set| set.tag == SET)
        .flat_map(|set| elements(set.value))
        .find_map(|pair| {
            let identifier =
                element_with_tag(pair.value, OBJECT_IDENTIFIER).filter(|identifier| identifier.value == kind)?;
            let text = element(identifier.rest)?;
            let text = match text.tag {
                BMP_STRING => {
                    let units: Vec<u16> = text
                        .value
                        .chunks_exact(2)
                        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                        .collect();
                    String::from_utf16_lossy(&units)
                }
                _ => String::from_utf8_lossy(text.value).into_owned(),
            };
            // The name is untrusted and goes into a message: limit its length.
            Some(text.trim().chars().take(100).collect::<String>()).filter(|text| !text.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
        let value = parts.concat();
        let length = u8::try_from(value.len()).unwrap();
        let mut out = vec![tag];
        match length {
            0..=0x7f => out.push(length),
            _ => out.extend([0x81, length]),
        }
        out.extend(value);
        out
    }

    fn name_attribute(kind: [u8; 3], tag: u8, text: &[u8]) -> Vec<u8> {
        let pair = der(
            SEQUENCE,
            &[der(OBJECT_IDENTIFIER, &[kind.to_vec()]), der(tag, &[text.to_vec()])],
        );
        der(SET, &[pair])
    }

    fn certificate(version: bool, name: &[Vec<u8>]) -> Vec<u8> {
        let mut fields = Vec::new();
        if version {
            fields.push(der(VERSION, &[der(0x02, &[vec![2]])]));
        }
        fields.extend([der(0x02, &[vec![7]]), der(SEQUENCE, &[]), der(SEQUENCE, name)]);
        fields.push(der(SEQUENCE, &[]));
        der(SEQUENCE, &[der(SEQUENCE, &fields)])
    }

    #[test]
    fn the_issuer_is_read_with_and_without_a_version_and_in_each_string_type() {
        let both = [
            name_attribute(ORGANIZATION, 0x13, b"Example Corp"),
            name_attribute(COMMON_NAME, 0x0c, "Prüf-CA".as_bytes()),
        ];
        assert_eq!(
            issuer_name(&certificate(true, &both)).unwrap(),
            "Prüf-CA (Example Corp)"
        );
        assert_eq!(issuer_name(&certificate(false, &both[..1])).unwrap(), "Example Corp");
        let wide = [name_attribute(COMMON_NAME, BMP_STRING, b"\0C\0A")];
        assert_eq!(issuer_name(&certificate(true, &wide)).unwrap(), "CA");
        assert_eq!(issuer_name(&certificate(true, &[])), None);
    }

    proptest! {
        #[test]
        fn parsing_arbitrary_bytes_as_a_certificate_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            issuer_name(&bytes);
        }

        #[test]
        fn a_damaged_certificate_never_panics(at in 0_usize..60, with in any::<u8>()) {
            let mut bytes = certificate(true, &[name_attribute(COMMON_NAME, 0x0c, b"CA"), name_attribute(ORGANIZATION, 0x0c, b"Example")]);
            let at = at % bytes.len();
            bytes[at] = with;
            issuer_name(&bytes);
        }
    }
}
