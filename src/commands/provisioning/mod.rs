//! Flags and views of provisioning commands.

mod args;
mod delivery_view;
pub(super) mod plan_view;

pub(super) use args::{FolderArgs, HandoverArgs, select_departments};
pub(super) use delivery_view::{confirm_delivery, delivery_lines, probe_line};
