//! Log lines of `-v`.

use std::io::Write;

use crate::client::trace::subscriber;

/// Starts logging to `writer`; `verbosity` is the number of `-v`. Does nothing if logging has started already, as in a
/// test.
pub fn start_log<W, T>(verbosity: u8, writer: W)
where
    W: Fn() -> T + Send + Sync + 'static,
    T: Write + 'static,
{
    drop(tracing::subscriber::set_global_default(subscriber(verbosity, writer)));
}
