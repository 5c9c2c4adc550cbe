//! `age` recipients: public keys that profiles are encrypted to.
//!
//! This module only validates the text, so that the result does not depend on build features; `handover::age` encrypts.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::diag::Finding;

/// Prefixes of `age` secret keys.
const SECRET_KEY_PREFIXES: [&str; 2] = ["AGE-SECRET-KEY-", "AGE-PLUGIN-"];

/// Length of a recipient: `age`, `1`, 52 characters for 32 bytes and 6 for the checksum.
const RECIPIENT_LENGTH: usize = 62;

/// Bech32 alphabet in the order of values (BIP-173).
const BECH32_ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// Small-order points on Curve25519 as `x` coordinates. The shared secret of such a public key does not depend on the
/// private key (RFC 7748 §6.1 requires the check, <https://cr.yp.to/ecdh.html#validate> lists the points), so anyone
/// could decrypt the data; the `age` library panics.
pub(crate) const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_first(0, 1, 0),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    with_first(0xff, 0xec, 0x7f),
    with_first(0xff, 0xed, 0x7f),
    with_first(0xff, 0xee, 0x7f),
];

const fn with_first(rest: u8, first: u8, last: u8) -> [u8; 32] {
    let mut bytes = [rest; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// An X25519 public key as printed by `age-keygen`: `age1…` (age specification, "Native recipient types").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient(String);

/// Error: the text is not a valid recipient. The error never contains the text, which may be a secret key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// A secret key.
    #[error("this is an `age` secret key")]
    Secret,
    /// An unsupported kind of recipient.
    #[error("recipients of this kind ({0}) are not supported")]
    Unsupported(&'static str),
    /// Not a recipient.
    #[error("not an `age` recipient")]
    Unknown,
    /// Wrong length: truncated, or two recipients joined.
    #[error("an `age` recipient has 62 characters, but this one has {0}")]
    Length(usize),
    /// A character outside the alphabet.
    #[error("an `age` recipient cannot contain {0:?}")]
    Letter(char),
    /// Wrong checksum.
    #[error("the `age` recipient has a wrong checksum")]
    Checksum,
    /// A small-order key, which offers no protection.
    #[error("this `age` recipient is insecure: anyone can decrypt data encrypted to it")]
    Insecure,
}

impl RecipientError {
    /// Returns the finding to report at the location of the text.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let (rule, fix) = match self {
            Self::Secret => (
                "recipient-secret",
                "Remove it, generate a new key with `age-keygen`, and write the new public key (`age1…`).",
            ),
            Self::Unsupported(_) => (
                "recipient-unsupported",
                "Generate a key with `age-keygen -o key.txt`; it prints the recipient (`age1…`).",
            ),
            Self::Unknown => (
                "recipient-invalid",
                "Write a recipient that starts with `age1`; `age-keygen -y key.txt` prints it.",
            ),
            Self::Length(_) | Self::Checksum | Self::Letter(_) => (
                "recipient-invalid",
                "Copy the complete recipient in lower case; `age-keygen -y key.txt` prints it.",
            ),
            Self::Insecure => ("recipient-invalid", "Ask the owner for a new recipient."),
        };
        Finding::error(rule, self.to_string()).with_fix(fix)
    }
}

impl Recipient {
    /// Returns the recipient as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if contains_secret_key(text) {
            return Err(RecipientError::Secret);
        }
        let lower = text.to_ascii_lowercase();
        let Some(rest) = lower.strip_prefix("age1") else {
            // An OpenSSH public key: kind, key, comment.
            return Err(match lower.split_ascii_whitespace().next() {
                Some(kind) if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") => {
                    RecipientError::Unsupported("SSH")
                }
                _ => RecipientError::Unknown,
            });
        };
        // `age1NAME1…` is a recipient of plugin NAME, such as a hardware token. The data part contains no `1`.
        match rest.find('1') {
            Some(_) if rest.starts_with("pq1") => return Err(RecipientError::Unsupported("post-quantum")),
            Some(name) if name < 30 => return Err(RecipientError::Unsupported("plugin")),
            _ => {}
        }
        let length = text.chars().count();
        if length != RECIPIENT_LENGTH {
            return Err(RecipientError::Length(length));
        }
        if let Some(letter) = text.chars().find(|c| *c != '1' && !BECH32_ALPHABET.contains(*c)) {
            return Err(RecipientError::Letter(letter));
        }
        let key = decode_bech32(rest).ok_or(RecipientError::Checksum)?;
        if is_small_order(key) {
            return Err(RecipientError::Insecure);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether `text` contains an `age` secret key.
fn contains_secret_key(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    SECRET_KEY_PREFIXES.iter().any(|begin| upper.contains(begin))
}

/// Returns `text` with `age` secret keys redacted, without changing its length in bytes. Findings quote the line of a
/// recipient, and users may paste a secret key there by mistake.
#[must_use]
pub fn redact_secret_keys(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let upper = bytes.to_ascii_uppercase();
    for begin in SECRET_KEY_PREFIXES {
        for at in (0..upper.len()).filter(|at| upper[*at..].starts_with(begin.as_bytes())) {
            let secret = bytes[at + begin.len()..].iter_mut();
            secret
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
                .for_each(|byte| *byte = b'*');
        }
    }
    // ASCII was replaced by ASCII, so the text stays valid UTF-8.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Decodes the 32 bytes after `age1` (Bech32, BIP-173); `None` if the checksum is wrong or bits remain.
fn decode_bech32(letters: &str) -> Option<[u8; 32]> {
    let values: Vec<u8> = letters
        .chars()
        .map(|c| BECH32_ALPHABET.find(c).and_then(|at| u8::try_from(at).ok()))
        .collect::<Option<_>>()?;
    let expanded = "age"
        .bytes()
        .map(|byte| byte >> 5)
        .chain([0])
        .chain("age".bytes().map(|byte| byte & 31));
    if polymod(expanded.chain(values.iter().copied())) != 1 {
        return None;
    }
    let (mut out, mut at, mut kept, mut bits) = ([0; 32], 0, 0_u32, 0);
    for value in &values[..values.len().checked_sub(6)?] {
        kept = (kept << 5 | u32::from(*value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(at)? = u8::try_from(kept >> bits & 0xff).ok()?;
            at += 1;
        }
    }
    (at == 32 && kept & ((1 << bits) - 1) == 0).then_some(out)
}

/// Computes the checksum of BIP-173.
fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |check, value| {
        let top = check >> 25;
        let next = (check & 0x01ff_ffff) << 5 ^ u32::from(value);
        (0..5)
            .filter(|bit| top >> bit & 1 == 1)
            .fold(next, |next, bit| next ^ GENERATOR[bit])
    })
}

/// Whether a public key has small order. The highest bit is ignored (RFC 7748 §5).
fn is_small_order(mut key: [u8; 32]) -> bool {
    key[31] &= 0x7f;
    SMALL_ORDER.contains(&key)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Test key whose secret half was discarded.
    pub(crate) const VALID_RECIPIENT: &str = "age1mp5rpkkyvlrwdlr8jnttm6yk373dl8y5jqwdwfv2xw6dm9mma4eqlex5al";

    fn error(text: &str) -> RecipientError {
        text.parse::<Recipient>().unwrap_err()
    }

    /// Encodes a public key as a recipient, independently of `decode_bech32`.
    pub(crate) fn encode_bech32(key: &[u8; 32]) -> String {
        let mut bits: Vec<u8> = key
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
            .collect();
        bits.resize(260, 0);
        let mut values: Vec<u8> = bits
            .chunks(5)
            .map(|five| five.iter().fold(0, |value, bit| value << 1 | bit))
            .collect();
        let head = [3, 3, 3, 0, 1, 7, 5];
        let check = polymod(head.iter().chain(&values).copied().chain([0; 6])) ^ 1;
        values.extend((0..6).map(|at| u8::try_from(check >> (5 * (5 - at)) & 31).unwrap()));
        let letters = values
            .iter()
            .map(|value| char::from(BECH32_ALPHABET.as_bytes()[usize::from(*value)]));
        "age1".chars().chain(letters).collect()
    }

    #[test]
    fn a_recipient_is_what_age_keygen_prints() {
        assert_eq!(VALID_RECIPIENT.parse::<Recipient>().unwrap().as_str(), VALID_RECIPIENT);
        assert_eq!(
            format!(" {VALID_RECIPIENT}\n").parse::<Recipient>().unwrap().as_str(),
            VALID_RECIPIENT
        );
    }

    #[test]
    fn invalid_recipients_are_distinguished() {
        let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Wn example";
        assert_eq!(error(ssh), RecipientError::Unsupported("SSH"));
        assert_eq!(error("ssh-rsa AAAA"), RecipientError::Unsupported("SSH"));
        assert_eq!(error("age1pq1qqqq"), RecipientError::Unsupported("post-quantum"));
        assert_eq!(error("age1yubikey1qqqq"), RecipientError::Unsupported("plugin"));
        assert_eq!(error("gpg:1"), RecipientError::Unknown);
        assert_eq!(error(""), RecipientError::Unknown);
        assert_eq!(error("AGE-SECRET-KEY-1QQQ"), RecipientError::Secret);
        assert_eq!(error("age-plugin-yubikey-1qqq"), RecipientError::Secret);
        assert_eq!(error(&VALID_RECIPIENT[..61]), RecipientError::Length(61));
        assert_eq!(
            error(&format!("{VALID_RECIPIENT} {VALID_RECIPIENT}")),
            RecipientError::Length(125)
        );
        assert_eq!(error(&VALID_RECIPIENT.to_uppercase()), RecipientError::Letter('A'));
        assert_eq!(
            error(&VALID_RECIPIENT.replace(&VALID_RECIPIENT[60..], "bb")),
            RecipientError::Letter('b')
        );
    }

    #[test]
    fn one_wrong_letter_is_detected_at_any_position() {
        for at in 4..RECIPIENT_LENGTH {
            for letter in BECH32_ALPHABET
                .chars()
                .filter(|letter| !VALID_RECIPIENT[at..].starts_with(*letter))
            {
                let mut text = VALID_RECIPIENT.to_owned();
                text.replace_range(at..=at, &letter.to_string());
                assert_eq!(error(&text), RecipientError::Checksum, "{text}");
            }
        }
    }

    // RFC 7748 §6.1: the shared secret of these keys is zero for every private key.
    #[test]
    fn a_small_order_key_is_rejected() {
        for key in SMALL_ORDER {
            for top in [0, 0x80] {
                let mut key = key;
                key[31] |= top;
                assert_eq!(error(&encode_bech32(&key)), RecipientError::Insecure, "{key:x?}");
            }
        }
    }

    #[test]
    fn secret_keys_are_redacted_in_place() {
        let text = "a = \"age-secret-key-1CANARY\" # Schlüssel\nAGE-PLUGIN-YUBIKEY-1CANARY AGE-SECRET-KEY-1CANARY";
        let covered = redact_secret_keys(text);
        assert!(!covered.contains("CANARY"), "{covered}");
        assert_eq!(covered.len(), text.len());
        assert!(
            covered.ends_with("AGE-PLUGIN-*************** AGE-SECRET-KEY-*******") && covered.contains("# Schlüssel\n")
        );
    }

    proptest! {
        #[test]
        fn every_key_round_trips(key in any::<[u8; 32]>()) {
            prop_assert_eq!(decode_bech32(&encode_bech32(&key)[4..]), Some(key));
        }

        #[test]
        fn no_text_causes_a_panic(text in "(age1|AGE-SECRET-KEY-)?\\PC{0,70}") {
            let _ = text.parse::<Recipient>();
            prop_assert_eq!(redact_secret_keys(&text).len(), text.len());
        }
    }
}
