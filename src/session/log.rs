//! Log lines of `-v`.

use std::io::Write;

use crate::{client::trace::subscriber, redact::SecretRegistry};

/// Starts logging to `writer` without `secrets`; `verbosity` is the number of `-v`. Does nothing if logging has started already, as in a
/// test.
pub fn start_log<W, T>(verbosity: u8, secrets: SecretRegistry, writer: W)
where
    W: Fn() -> T + Send + Sync + 'static,
    T: Write + 'static,
{
    drop(tracing::subscriber::set_global_default(subscriber(
        verbosity, secrets, writer,
    )));
}
