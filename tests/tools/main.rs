//! What departments do besides changing connectors: begin a file, check it, look at connectors, offsets and quotas. The
//! binary in a sealed home on its own embedded Confluent Cloud.

#[path = "../common/mod.rs"]
mod common;
mod browser;
mod fleet_fixture;
mod department_fixture;

mod lint;
mod list_and_describe;
#[cfg(unix)]
mod running_command;
mod logs;
mod metrics;
mod offsets;
mod quota;
mod plugin_new;
mod status;
