//! Plans: observe the organization, compare it with the desired state, order the changes.
//!
//! A plan is data. `apply` executes it without making decisions of its own. The same inputs give the same plan, byte
//! for byte, in whatever order the service lists objects.

pub mod budget;
pub mod change;
pub mod connectors;
mod keys;
mod kinds;
mod ownership_check;
mod department;
mod departed;
pub mod diff;
pub mod observe_visible;
pub mod observe;
pub mod residual_access;
mod prune;
pub mod rotation;
pub mod teardown;

pub use budget::{BudgetRow, BudgetVerdict, check_budget};
pub use change::{AccountRef, Action, ChangeSubject, ObjectOperation, PlannedChange, PlannedOperation, PlannedPattern};
pub use connectors::{ConnectorChange, ConnectorOperation, ConnectorPlan};
pub use diff::{DepartmentPlan, DepartmentStatus, Plan, PlanInput, PlanRefusal, SurplusGrant, diff};
pub use kinds::{ForeignObject, ForeignObjects};
pub use observe::{ObservationTarget, ObserveError, ObservedOrganization, observe};
pub use observe_visible::{observe_objects, observe_visible};
pub use prune::plan_prune;
pub use residual_access::{ResidualAccess, find_residual_access};
pub use rotation::Rotation;
pub use teardown::{Teardown, plan_teardown};

#[cfg(test)]
mod tests;
