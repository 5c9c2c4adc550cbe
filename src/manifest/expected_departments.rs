//! The files as what an organization is audited by.

use super::Workspace;
use crate::{
    access::audit::{ExpectedDepartment, ExpectedPersona},
    model::StageAddress,
};

impl Workspace {
    /// Every department that has a file, as it should be in `stage`, which lives at `address`; of a retired one only its
    /// prefix is left.
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
                personas: match department.retired {
                    Some(_) => Vec::new(),
                    None => personas(department).collect(),
                },
                department: department.clone(),
            })
            .collect()
    }
}
