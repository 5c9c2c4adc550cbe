//! Encryption to recipients with `age` (<https://age-encryption.org/v1>). This is the only module that uses the crate.
//!
//! Output is ASCII-armored, so it can be pasted into tickets, mails and pipeline variables, and decrypted with `age -d`
//! or `profile import`. This module neither prints nor stores plaintext. Without the Cargo feature `age`, its functions
//! return an error.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    config::profile::is_encrypted,
    hint::{Advice, Hint},
    model::{Recipient, Secret},
};

/// Maximum size of a profile or identity file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reason why a text could not be encrypted or decrypted. Never contains text that was read.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// The Cargo feature for `age` is not compiled in.
    #[error("this build does not support encrypted profiles")]
    NotBuilt,
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The identity file is passphrase-protected.
    #[error("the identity file `{}` is protected by a passphrase, which is not supported", .0.display())]
    PassphraseProtected(PathBuf),
    /// A line of the identity file is not a key.
    #[error("line {line} of the identity file `{}` is {what}", path.display())]
    NotAnIdentity {
        /// Path of the identity file.
        path: PathBuf,
        /// Line number, counted from 1.
        line: usize,
        /// Description of the line.
        what: &'static str,
    },
    /// The identity file contains no key.
    #[error("the identity file `{}` contains no key", .0.display())]
    NoIdentity(PathBuf),
    /// The file is encrypted to other recipients.
    #[error("cannot decrypt: the file is encrypted to other recipients")]
    OtherRecipients,
    /// The file is encrypted with a passphrase.
    #[error("cannot decrypt: the file is encrypted with a passphrase, not to recipients")]
    Passphrase,
    /// The file was modified or truncated.
    #[error("the encrypted file is damaged: {0}")]
    Damaged(&'static str),
    /// The text could not be encrypted.
    #[error("cannot encrypt the profile")]
    Encrypt(#[source] io::Error),
}

impl Advice for AgeError {
    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::NotBuilt => "Install it with the Cargo feature `age`, which is enabled by default.",
            Self::PassphraseProtected(path) => {
                return vec![Hint::new(format!(
                    "Decrypt it into a private file first: `age -d -o key.txt {}`.",
                    path.display()
                ))];
            }
            Self::NotAnIdentity { .. } | Self::NoIdentity(_) => {
                "Create an identity file with `age-keygen -o key.txt`; its key lines begin with `AGE-SECRET-KEY-1`."
            }
            Self::OtherRecipients => {
                "Show the recipient of your key with `age-keygen -y key.txt`, and ask the platform team to add it to \
                 the department's file."
            }
            Self::Passphrase => "Decrypt it with `age -d`, and import the result.",
            Self::Damaged(_) => "Download the complete file again, or ask the platform team to deliver it again.",
            Self::Unreadable { .. } | Self::Encrypt(_) => return Vec::new(),
        };
        vec![hint.into()]
    }
}

/// Reads a file up to the maximum size.
fn read_limited(path: &Path) -> Result<Vec<u8>, AgeError> {
    let fail = |source| AgeError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_BYTES) {
        return Err(fail(io::Error::other("it is larger than 1 MiB")));
    }
    Ok(bytes)
}

/// Returns the bytes of the file if it is encrypted.
///
/// # Errors
/// When the file cannot be read.
pub fn read_encrypted(path: &Path) -> Result<Option<Vec<u8>>, AgeError> {
    Ok(Some(read_limited(path)?).filter(|bytes| is_encrypted(bytes)))
}

pub use backend::{Identities, decrypt, encrypt, ensure_supported};

#[cfg(feature = "age")]
mod backend {
    use std::{
        io::{Read, Write},
        path::Path,
    };

    use ::age::{
        DecryptError, Decryptor, EncryptError, Encryptor, Identity,
        armor::{ArmoredReader, ArmoredWriter, Format},
        x25519,
    };

    use super::{AgeError, Recipient, Secret, io, is_encrypted, read_limited};

    /// Returns an error if this build cannot encrypt.
    ///
    /// # Errors
    /// When the feature is not compiled in.
    pub fn ensure_supported() -> Result<(), AgeError> {
        Ok(())
    }

    /// Encrypts `text` to `recipients`.
    ///
    /// # Errors
    /// When there is no recipient, or encryption fails.
    pub fn encrypt(text: &Secret, recipients: &[Recipient]) -> Result<String, AgeError> {
        let failed = |error: EncryptError| AgeError::Encrypt(io::Error::other(error));
        let keys = recipients.iter().map(|recipient| recipient.as_str().parse());
        let keys: Vec<x25519::Recipient> = keys
            .collect::<Result<_, _>>()
            .map_err(|error: &str| AgeError::Encrypt(io::Error::other(error)))?;
        let encryptor = Encryptor::with_recipients(keys.iter().map(|key| key as _)).map_err(failed)?;
        let write = || -> io::Result<Vec<u8>> {
            let armour = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
            let mut writer = encryptor.wrap_output(armour)?;
            writer.write_all(text.expose().as_bytes())?;
            writer.finish()?.finish()
        };
        let sealed = write().map_err(AgeError::Encrypt)?;
        // The armored text is ASCII.
        Ok(String::from_utf8_lossy(&sealed).into_owned())
    }

    /// Private keys for decryption.
    pub struct Identities(Vec<x25519::Identity>);

    impl Identities {
        /// Reads an identity file in the format of `age-keygen`.
        ///
        /// # Errors
        /// When it cannot be read, is passphrase-protected, or contains anything but keys.
        pub fn load(path: &Path) -> Result<Self, AgeError> {
            let bytes = read_limited(path)?;
            if is_encrypted(&bytes) {
                return Err(AgeError::PassphraseProtected(path.to_owned()));
            }
            // Invalid UTF-8 is reported as an invalid key.
            let text = Secret::new(String::from_utf8_lossy(&bytes));
            let mut keys = Vec::new();
            for (at, line) in text.expose().lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                keys.push(line.parse().map_err(|_| AgeError::NotAnIdentity {
                    path: path.to_owned(),
                    line: at + 1,
                    what: describe_line(line),
                })?);
            }
            match keys.is_empty() {
                true => Err(AgeError::NoIdentity(path.to_owned())),
                false => Ok(Self(keys)),
            }
        }
    }

    fn describe_line(line: &str) -> &'static str {
        if line.starts_with("age1") {
            "a public key"
        } else if line.contains("BEGIN OPENSSH") || line.contains("BEGIN RSA") || line.contains("BEGIN PRIVATE") {
            "an SSH key, which is not supported"
        } else if line.starts_with("AGE-PLUGIN-") {
            "a plugin identity, which is not supported"
        } else if line.starts_with("AGE-SECRET-KEY-PQ-") {
            "a post-quantum key, which is not supported"
        } else if line.starts_with("AGE-SECRET-KEY-") {
            "a mistyped key"
        } else {
            "not a key"
        }
    }

    /// Decrypts `sealed`.
    ///
    /// # Errors
    /// When no key matches, or the file is damaged.
    pub fn decrypt(sealed: &[u8], identities: &Identities) -> Result<Secret, AgeError> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(|error| to_age_error(&error))?;
        if decryptor.is_scrypt() {
            return Err(AgeError::Passphrase);
        }
        let keys = identities.0.iter().map(|key| key as &dyn Identity);
        let mut reader = decryptor.decrypt(keys).map_err(|error| to_age_error(&error))?;
        // The plaintext is shorter, so the buffer is never reallocated and leaves no copy in memory.
        let mut text = Vec::with_capacity(sealed.len());
        reader
            .read_to_end(&mut text)
            .map_err(|_| AgeError::Damaged("it was modified or truncated"))?;
        let text = String::from_utf8(text).map_err(|_| AgeError::Damaged("its content is not UTF-8 text"))?;
        Ok(Secret::new(text))
    }

    fn to_age_error(error: &DecryptError) -> AgeError {
        match error {
            DecryptError::NoMatchingKeys => AgeError::OtherRecipients,
            DecryptError::UnknownFormat => AgeError::Damaged("unknown format version"),
            DecryptError::InvalidMac => AgeError::Damaged("its header was modified"),
            DecryptError::InvalidHeader | DecryptError::Io(_) => AgeError::Damaged("its header cannot be read"),
            _ => AgeError::Damaged("it was modified or truncated"),
        }
    }
}

#[cfg(not(feature = "age"))]
mod backend {
    use std::path::Path;

    use super::{AgeError, Recipient, Secret, read_limited};

    /// Returns an error: this build cannot encrypt.
    ///
    /// # Errors
    /// Always.
    pub fn ensure_supported() -> Result<(), AgeError> {
        Err(AgeError::NotBuilt)
    }

    /// Returns an error: this build cannot encrypt.
    ///
    /// # Errors
    /// Always.
    pub fn encrypt(_text: &Secret, _recipients: &[Recipient]) -> Result<String, AgeError> {
        Err(AgeError::NotBuilt)
    }

    /// Placeholder in a build that cannot decrypt.
    pub struct Identities;

    impl Identities {
        /// Returns an error: this build cannot decrypt.
        ///
        /// # Errors
        /// Always.
        pub fn load(path: &Path) -> Result<Self, AgeError> {
            read_limited(path)?;
            Err(AgeError::NotBuilt)
        }
    }

    /// Returns an error: this build cannot decrypt.
    ///
    /// # Errors
    /// Always.
    pub fn decrypt(_sealed: &[u8], _identities: &Identities) -> Result<Secret, AgeError> {
        Err(AgeError::NotBuilt)
    }
}

#[cfg(all(test, feature = "age"))]
#[path = "age_tests.rs"]
mod tests;
