//! Departments of the files as desired state for the audit.

use super::Workspace;
use crate::{
    access::audit::{ExpectedDepartment, ExpectedPersona},
    model::StageAddress,
};

impl Workspace {
    /// Returns all departments that have a file, with their desired state in `stage` at `address`; retired ones have
    /// only a prefix, and so have those that may not be onboarded in `stage`.
    pub fn expected_departments(&self, stage: &str, address: &StageAddress) -> Vec<ExpectedDepartment> {
        let personas = |department| {
            let desired = self.desired_department(department, stage, address);
            let personas = desired.into_iter().flat_map(|desired| desired.personas);
            personas.map(|persona| ExpectedPersona {
                tag: persona.tag,
                keys: persona.keys,
                grants: persona.grants,
                acls: persona.acls,
            })
        };
        self.departments()
            .map(|department| ExpectedDepartment {
                personas: match department.retired.is_none() && department.is_allowed_in(stage) {
                    true => personas(department).collect(),
                    false => Vec::new(),
                },
                department: department.in_stage(stage),
            })
            .collect()
    }
}
