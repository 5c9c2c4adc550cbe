//! All departments at once: what `status` and `quota audit` look at. One list of connectors for each cluster is all that is
//! asked of the service, however many departments and connectors there are.
//!
//! - [`FleetCollector`]: which clusters, and whose departments; looks at them
//! - [`Fleet`]: what was seen, by stage, department and connector; pure
//! - [`ConnectorCondition`]: how a connector is, in one word that can be compared
//! - [`html_parts`]: the parts that pages about the fleet are made of
//! - [`state_history`]: since when things are as they are, as far as this computer knows

mod condition;
mod collector;
mod model;
pub(super) mod html_parts;
mod state_history;
mod cause_text;

pub(super) use collector::{ConnectorListResult, FleetCollector, incomplete_error};
pub(super) use condition::ConnectorCondition;
pub(super) use model::{
    ConnectorSummary, Fleet, FleetConnectorRow, FleetDepartmentRow, OwnerDepartment, StageView, at_least_prefix,
    has_task_count,
};

pub(super) use state_history::format_age;

use super::session::ConnectorSession;
