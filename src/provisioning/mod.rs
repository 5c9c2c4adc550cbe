//! Service accounts, grants and API keys of departments: onboarding, offboarding, key rotation, and the audit of access.
//!
//! Each operation is a function that observes the organization, plans and refuses, asks its caller for confirmation,
//! applies, proves and delivers, and returns a serializable outcome. `None` stands for a declined run.

pub mod access;
pub mod audit;
mod confirmation;
mod delivery;
mod departments;
mod errors;
mod evidence;
mod isolation_check;
pub mod keys;
pub mod offboarding;
pub mod onboarding;
mod planned_changes;
pub mod profile_files;
mod recipients;
mod reconciliation;

pub use confirmation::{Confirm, ConfirmPlan, ConfirmationRequest};
pub use delivery::{DeliveryOptions, DeliveryReport, PendingDelivery};
pub use departments::{DepartmentSelection, find_department, find_department_to_remove};
pub use isolation_check::{IsolationSummary, check_isolation};
pub use planned_changes::{ChangeRow, PlannedChanges};
pub use recipients::read_recipients_files;
pub use reconciliation::{AclLookup, ProvisioningOptions, Reconciliation, observe_organization};

/// Outcomes contain these values, and views match on them. Commands must not name `plan`, so they are exported here.
pub use crate::plan::{Action, DepartmentStatus};
