//! All departments at once: what `status` and `quota audit` look at. One list of connectors for each cluster is all that is
//! asked of the service, however many departments and connectors there are.
//!
//! - [`Lookout`]: which clusters, and whose departments; looks at them
//! - [`Fleet`]: what was seen, by stage, department and connector; pure
//! - [`Condition`]: how a connector is, in one word that can be compared
//! - [`page`]: the parts that pages about the fleet are made of
//! - [`sightings`]: since when things are as they are, as far as this computer knows

mod condition;
mod lookout;
mod model;
pub(super) mod page;
mod sightings;
mod wording;

pub(super) use condition::Condition;
pub(super) use lookout::{Listed, Lookout, unseen};
pub(super) use model::{ConnectorRow, DepartmentRow, Fleet, Owner, Share, StageView, at_least, tells_tasks};

pub(super) use sightings::age;

use super::session::DepartmentSession;
