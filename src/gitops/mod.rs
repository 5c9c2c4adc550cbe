//! Connectors from Git: the files below `connectors/` are the desired state, the service is the actual state, and there
//! is no state file.
//!
//! - [`file_tree`]: the files of a repository, by department, stage and name
//! - [`effective_file`]: the file of a stage merged over the base file of its department
//! - [`settings`]: keys beside `config`: state, replacement, former name, protection
//! - [`validation`]: everything that can be checked without a connection
//! - [`base_revision`]: files that vanished or moved since an earlier revision
//! - [`plan`]: what must change; pure
//! - [`policies`]: rules of the site in CEL, with their tests
//! - [`pipelines`]: files that run all of this in the pipelines of a forge
//! - [`planning`]: plans with the service
//! - [`approval`]: which changes of a plan may be applied
//! - [`applying`]: applies the approved changes
//! - [`evidence`]: record of each apply
//! - [`promotion`]: the file of a connector for the next stage
//! - [`release`]: a connector continues to run without a file
//! - [`unmanaged`]: connectors without a file on purpose
//! - [`drift`]: differences that nobody planned
//! - [`import`]: files from what runs
//! - [`workspace`]: the repository of a run with the rules of its departments
//!
//! A connector belongs to a department if its name begins with the department's prefix. A connector is deleted only by a
//! file with `state: absent`, never because a file is missing (`docs/gitops.md`).

pub mod applying;
pub mod approval;
pub mod base_revision;
pub mod drift;
pub mod effective_file;
pub mod evidence;
pub mod file_tree;
pub mod import;
pub mod plan;
pub mod pipelines;
pub mod planning;
pub mod policies;
pub mod promotion;
pub mod release;
pub mod settings;
pub mod unmanaged;
pub mod validation;
pub mod workspace;

pub use applying::{AppliedPlan, ApplyOptions, apply_items};
pub use approval::{ApplyExceptions, Approval, SavedPlans, approve};
pub use drift::DepartmentDrift;
pub use effective_file::EffectiveFile;
pub use evidence::EvidenceContext;
pub use file_tree::{ConnectorAddress, ConnectorTree};
pub use import::ImportedFile;
pub use pipelines::{
    generated_file::{GeneratedFileState, WrittenFile},
    options::{DEFAULT_BRANCH, DEFAULT_RUNNER, Forge, PipelineOptions},
    place::PipelinePlace,
    write_pipelines,
};
pub use plan::{GitopsPlan, ItemAction, LiveFact, PlanItem, PlanProblem, Risk, SentSecret};
pub use planning::{PlannedStage, import_stage, plan_stage};
pub use promotion::{Promotion, promote_connector};
pub use release::{ReleasedConnector, release_connector};
pub use settings::{ConfiguredState, ConnectorSettings, ReplacePolicy};
pub use validation::{DepartmentRules, TreeValidation};
pub use workspace::{GitopsWorkspace, ShownConnector};
