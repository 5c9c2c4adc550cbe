//! What is to be done: observe → pure comparison → ordered changes.
//!
//! A plan is data. `apply` obeys it and never decides again; the same inputs give the same plan, byte for byte, whatever
//! order the service listed things in.

mod acls;
pub mod budget;
pub mod change;
pub mod connectors;
mod control;
mod department;
pub mod diff;
pub mod look;
pub mod observe;
pub mod reach;
mod removals;
pub mod rotation;
pub mod teardown;

pub use budget::{BudgetRow, BudgetVerdict, budget};
pub use change::{AccountRef, Action, Change, Operation, PlannedAcl, PlannedPattern};
pub use connectors::{ConnectorChange, ConnectorOperation, ConnectorPlan};
pub use diff::{DepartmentPlan, DepartmentStatus, Plan, Refusal, Surplus, Wanted, diff};
pub use look::{look, observe_acls};
pub use observe::{ObserveError, Observed, Target, observe};
pub use reach::{Reach, reach};
pub use removals::removals;
pub use rotation::Rotation;
pub use teardown::{Teardown, teardown};

#[cfg(test)]
mod tests;
