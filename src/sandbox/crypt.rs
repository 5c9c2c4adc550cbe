//! Ids, secrets and signatures, all derived from a seed or the control token.

use std::fmt::Write as _;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Generator of ids from a seed, a kind and a natural key. Concurrent calls get the same ids in any order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdGenerator {
    seed: u64,
}

impl IdGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn hash_parts(self, parts: &[&str]) -> u128 {
        let mut hash = Sha256::new_with_prefix(self.seed.to_be_bytes());
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize()
            .iter()
            .take(16)
            .fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    fn encode(self, parts: &[&str], alphabet: &[u8], length: usize) -> String {
        let base = alphabet.len() as u128;
        let mut number = self.hash_parts(parts);
        (0..length)
            .map(|_| {
                let digit = usize::try_from(number % base).unwrap_or(0);
                number /= base;
                char::from(alphabet[digit])
            })
            .collect()
    }

    /// Returns `length` lower-case letters and digits.
    pub(crate) fn lowercase_id(self, parts: &[&str], length: usize) -> String {
        self.encode(parts, LOWER, length)
    }

    /// Returns a number below `below`.
    pub(crate) fn draw_below(self, parts: &[&str], below: u64) -> u64 {
        u64::try_from(self.hash_parts(parts) % u128::from(below.max(1))).unwrap_or(0)
    }

    /// Returns the public half of an API key: 16 upper-case letters and digits.
    pub(crate) fn api_key(self, parts: &[&str]) -> String {
        self.encode(parts, UPPER, 16)
    }

    /// Returns a text in UUID format, for request ids.
    pub(crate) fn uuid(self, parts: &[&str]) -> String {
        let hex = format!("{:032x}", self.hash_parts(parts));
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

/// Returns random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Formats bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Computes HMAC with SHA-256 (RFC 2104).
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new_with_prefix(pad(0x36)).chain_update(message).finalize();
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Formats a secret like a real one: `cflt` and 60 characters of base64 (the format since 30 July 2025,
/// docs/reference/rbac.md#api-key-types).
fn format_secret(bytes: &[u8; 45]) -> String {
    format!("cflt{}", STANDARD.encode(bytes))
}

/// Creates a random secret.
pub(crate) fn new_secret() -> std::io::Result<String> {
    Ok(format_secret(&random()?))
}

/// Derives the secret of a seeded key from the control token, so that only its digest is stored.
pub(crate) fn derived_secret(token: &str, purpose: &str) -> String {
    let first = hmac(token.as_bytes(), format!("secret 1 {purpose}").as_bytes());
    let second = hmac(token.as_bytes(), format!("secret 2 {purpose}").as_bytes());
    let mut bytes = [0; 45];
    bytes[..32].copy_from_slice(&first);
    bytes[32..].copy_from_slice(&second[..13]);
    format_secret(&bytes)
}

/// Stored form of a secret: a salt, and the SHA-256 digest of salt and secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretDigest {
    salt: String,
    digest: String,
}

impl SecretDigest {
    pub(crate) fn new(secret: &str) -> std::io::Result<Self> {
        let salt = hex(&random::<12>()?);
        let digest = Self::digest(&salt, secret);
        Ok(Self { salt, digest })
    }

    fn digest(salt: &str, secret: &str) -> String {
        hex(&Sha256::new_with_prefix(salt).chain_update(secret).finalize())
    }

    pub(crate) fn matches(&self, secret: &str) -> bool {
        Self::digest(&self.salt, secret) == self.digest
    }
}

/// Claims of a token. Clients read only `exp` (cli `pkg/jwt`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenClaims {
    /// Id of the principal.
    pub(crate) sub: String,
    /// Audience: the control plane (`session`), or Kafka REST and logs (`data-plane`).
    pub(crate) aud: String,
    /// Session id, for logging out.
    pub(crate) sid: String,
    /// Time of issue, in seconds.
    pub(crate) iat: i64,
    /// Expiry, in seconds.
    pub(crate) exp: i64,
}

/// Creates a signed token (JWT).
pub(crate) fn sign<T: Serialize>(key: &str, claims: &T) -> String {
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&serde_json::json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = part(&serde_json::to_value(claims).unwrap_or_default());
    let signed = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(hmac(key.as_bytes(), signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Returns the claims of a token that was signed with `key`.
pub(crate) fn verify<T: DeserializeOwned>(key: &str, token: &str) -> Option<T> {
    let (signed, signature) = token.rsplit_once('.')?;
    let expected = URL_SAFE_NO_PAD.encode(hmac(key.as_bytes(), signed.as_bytes()));
    let (_, claims) = signed.split_once('.')?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    (expected == signature)
        .then(|| serde_json::from_slice(&claims).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231, test cases 2 and 6.
    #[test]
    fn hmac_matches_the_rfc_4231_test_vectors() {
        let short = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&short),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(
            hex(&long),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn ids_depend_only_on_seed_and_natural_key() {
        let ids = IdGenerator::new(1);
        assert_eq!(
            ids.lowercase_id(&["sa", "claims"], 6),
            IdGenerator::new(1).lowercase_id(&["sa", "claims"], 6)
        );
        assert_ne!(
            ids.lowercase_id(&["sa", "claims"], 6),
            IdGenerator::new(2).lowercase_id(&["sa", "claims"], 6)
        );
        assert_ne!(ids.lowercase_id(&["a", "bc"], 6), ids.lowercase_id(&["ab", "c"], 6));
        let key = ids.api_key(&["key", "sa-1", "cloud", "0"]);
        assert_eq!(key.len(), 16);
        assert!(key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    }

    #[test]
    fn secrets_have_the_real_format_and_only_their_digest_is_stored() {
        let secret = new_secret().unwrap();
        assert_eq!(secret.len(), 64);
        assert!(secret.starts_with("cflt"));
        let digest = SecretDigest::new(&secret).unwrap();
        assert!(digest.matches(&secret) && !digest.matches("cflt"));
        assert!(!serde_json::to_string(&digest).unwrap().contains(&secret));
        assert_eq!(derived_secret("t", "admin"), derived_secret("t", "admin"));
        assert_ne!(derived_secret("t", "admin"), derived_secret("t", "provisioner"));
    }

    #[test]
    fn a_token_is_valid_only_with_its_own_signature() {
        let token = sign("key", &serde_json::json!({ "sub": "u-1" }));
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(
            verify::<serde_json::Value>("key", &token).unwrap()["sub"],
            serde_json::json!("u-1")
        );
        assert!(verify::<serde_json::Value>("other", &token).is_none());
        assert!(verify::<serde_json::Value>("key", &token[1..]).is_none());
    }
}
