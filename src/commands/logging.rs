//! What `-v` shows: this program's own log lines, on standard error. Lines of libraries are never shown, because they may
//! hold headers and bodies.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer as _, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Starts logging; without `-v` there is nothing to start.
pub(super) fn start(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::WARN,
        2 => LevelFilter::INFO,
        3 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = filter_fn(move |event| event.target().starts_with("confluent_ebs") && *event.level() <= level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(ours);
    // Fails only when somebody else already listens, as a test may.
    drop(tracing_subscriber::registry().with(lines).try_init());
}
