//! Encryption to recipients with `age` (<https://age-encryption.org/v1>), the only place that knows the crate.
//!
//! What is sealed is armoured: a short text that survives a ticket, a mail and a pipeline's variable, and that `age -d`
//! opens as well as `profile import`. Nothing here prints or keeps a clear text. A build without the Cargo feature `age`
//! has the same functions; they say so and do nothing.

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

/// No profile and no file of keys comes near this; more is not read.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why something could not be sealed or opened. None of these holds a text that was read.
#[derive(Debug, thiserror::Error)]
pub enum AgeError {
    /// Built without it.
    #[error("this program was built without `age`")]
    NotBuilt,
    /// The file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of keys is locked itself.
    #[error("the identity file `{}` is protected by a passphrase, which is not supported", .0.display())]
    PassphraseProtected(PathBuf),
    /// The file of keys holds something else.
    #[error("line {line} of the identity file `{}` is {what}", path.display())]
    NotAnIdentity {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What it is instead.
        what: &'static str,
    },
    /// The file of keys holds none.
    #[error("the identity file `{}` holds no key", .0.display())]
    NoIdentity(PathBuf),
    /// It was sealed for others.
    #[error("it is encrypted to other recipients: no key of the identity file opens it")]
    OtherRecipients,
    /// It was sealed with a passphrase.
    #[error("it is encrypted with a passphrase, not to recipients")]
    Passphrase,
    /// It was changed, or cut off.
    #[error("the encrypted file is damaged: {0}")]
    Damaged(&'static str),
    /// The system has no random numbers, or the like.
    #[error("it could not be encrypted")]
    Encrypt(#[source] io::Error),
}

impl Advice for AgeError {
    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::NotBuilt => "Install it with its Cargo feature `age`, which is on by default.",
            Self::PassphraseProtected(path) => {
                return vec![Hint::new(format!(
                    "Unlock it into a file of your own first: `age -d -o key.txt {}`.",
                    path.display()
                ))];
            }
            Self::NotAnIdentity { .. } | Self::NoIdentity(_) => {
                "An identity file holds lines that begin with `AGE-SECRET-KEY-1`, as `age-keygen -o key.txt` writes it."
            }
            Self::OtherRecipients => {
                "`age-keygen -y key.txt` prints the recipient of your key: EBS must have it in the department's file."
            }
            Self::Passphrase => "Open it with `age -d`, and import what comes out.",
            Self::Damaged(_) => "Fetch it again, whole and unchanged; else ask EBS to hand it over again.",
            Self::Unreadable { .. } | Self::Encrypt(_) => return Vec::new(),
        };
        vec![hint.into()]
    }
}

/// Reads a file that may be large by mistake, or never end.
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

/// The bytes of `path`, if they are encrypted.
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

    /// Whether this build can encrypt.
    ///
    /// # Errors
    /// When it cannot.
    pub fn ensure_supported() -> Result<(), AgeError> {
        Ok(())
    }

    /// `text` for `recipients` and nobody else.
    ///
    /// # Errors
    /// When there is no recipient, or the system refuses.
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
        // Armour is ASCII.
        Ok(String::from_utf8_lossy(&sealed).into_owned())
    }

    /// Keys that open what was sealed.
    pub struct Identities(Vec<x25519::Identity>);

    impl Identities {
        /// Reads an identity file, as `age-keygen` writes it.
        ///
        /// # Errors
        /// When it cannot be read, is locked by a passphrase, or holds anything but keys.
        pub fn load(path: &Path) -> Result<Self, AgeError> {
            let bytes = read_limited(path)?;
            if is_encrypted(&bytes) {
                return Err(AgeError::PassphraseProtected(path.to_owned()));
            }
            // What is no text is no key, and is found as such.
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
            "the public half of a key"
        } else if line.contains("BEGIN OPENSSH") || line.contains("BEGIN RSA") || line.contains("BEGIN PRIVATE") {
            "the beginning of an SSH key, which is not supported"
        } else if line.starts_with("AGE-PLUGIN-") {
            "an identity of a plugin, which is not supported"
        } else if line.starts_with("AGE-SECRET-KEY-PQ-") {
            "a post-quantum key, which is not supported"
        } else if line.starts_with("AGE-SECRET-KEY-") {
            "a mistyped key"
        } else {
            "no key"
        }
    }

    /// What was sealed, in clear.
    ///
    /// # Errors
    /// When none of the keys opens it, or it is not what was sealed.
    pub fn decrypt(sealed: &[u8], identities: &Identities) -> Result<Secret, AgeError> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed)).map_err(|error| to_age_error(&error))?;
        if decryptor.is_scrypt() {
            return Err(AgeError::Passphrase);
        }
        let keys = identities.0.iter().map(|key| key as &dyn Identity);
        let mut reader = decryptor.decrypt(keys).map_err(|error| to_age_error(&error))?;
        // The clear text is shorter, so that it is never moved and left behind in memory.
        let mut text = Vec::with_capacity(sealed.len());
        reader
            .read_to_end(&mut text)
            .map_err(|_| AgeError::Damaged("it was changed or cut off after it was encrypted"))?;
        let text = String::from_utf8(text).map_err(|_| AgeError::Damaged("what is in it is no text"))?;
        Ok(Secret::new(text))
    }

    fn to_age_error(error: &DecryptError) -> AgeError {
        match error {
            DecryptError::NoMatchingKeys => AgeError::OtherRecipients,
            DecryptError::UnknownFormat => AgeError::Damaged("its version of the format is not known"),
            DecryptError::InvalidMac => AgeError::Damaged("its head was changed after it was encrypted"),
            DecryptError::InvalidHeader | DecryptError::Io(_) => AgeError::Damaged("its head cannot be read"),
            _ => AgeError::Damaged("it was changed or cut off after it was encrypted"),
        }
    }
}

#[cfg(not(feature = "age"))]
mod backend {
    use std::path::Path;

    use super::{AgeError, Recipient, Secret, read_limited};

    /// Whether this build can encrypt.
    ///
    /// # Errors
    /// It cannot.
    pub fn ensure_supported() -> Result<(), AgeError> {
        Err(AgeError::NotBuilt)
    }

    /// Does nothing.
    ///
    /// # Errors
    /// Always.
    pub fn encrypt(_text: &Secret, _recipients: &[Recipient]) -> Result<String, AgeError> {
        Err(AgeError::NotBuilt)
    }

    /// No keys: this build has no use for them.
    pub struct Identities;

    impl Identities {
        /// Does nothing.
        ///
        /// # Errors
        /// Always.
        pub fn load(path: &Path) -> Result<Self, AgeError> {
            read_limited(path)?;
            Err(AgeError::NotBuilt)
        }
    }

    /// Does nothing.
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
