//! Flags and views of provisioning commands.

mod args;
mod delivery_view;
pub(super) mod plan_view;

pub(super) use args::{FolderArgs, HandoverArgs};
pub(super) use delivery_view::{confirm_pending, delivery_lines, probe_line};
