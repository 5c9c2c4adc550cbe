//! Commands of departments that do not change connectors: files, checks, lists, offsets and quotas. The binary runs in
//! a sealed home with its own sandbox.

#[path = "../common/mod.rs"]
mod common;
mod browser;
mod interrupts;
mod lint;
mod list_and_describe;
mod logs;
mod metrics;
mod offsets;
mod quota;
mod plugin_new;
mod plugin_refresh;
mod sandbox_clock;
mod status;
