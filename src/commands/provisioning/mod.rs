//! What the commands that provision share: flags and views.

mod args;
mod delivery_view;
pub(super) mod plan_view;

pub(super) use args::{FolderArgs, HandoverArgs};
pub(super) use delivery_view::{confirm_pending, delivery_lines};
