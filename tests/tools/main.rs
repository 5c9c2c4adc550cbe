//! What departments do besides changing connectors: begin a file, check it, look at connectors, offsets and quotas. The
//! binary in a sealed home on its own embedded Confluent Cloud.

#[path = "../common/mod.rs"]
mod common;
mod browser;
mod fleet;
mod home;

mod lint;
mod lists;
#[cfg(unix)]
mod live;
mod logs;
mod metrics;
mod offsets;
mod quota;
mod starter;
mod status;
