//! Departments and stages whose plans may have changed since an earlier revision.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::place::{PROFILES, PipelinePlace};
use crate::{
    error::Error,
    gitops::{GitopsWorkspace, file_tree::CONNECTORS},
    manifest::workspace::DEPARTMENTS,
    session::RunContext,
};

impl GitopsWorkspace {
    /// Returns the departments and stages with changes since `revision`; all that have files without a revision. A revision
    /// of zeros, which forges pass for a new branch, is no revision.
    ///
    /// # Errors
    /// Git does not know the revision.
    pub fn changed_places(&self, run: &RunContext, revision: Option<&str>) -> Result<Vec<PipelinePlace>, Error> {
        let with_files: BTreeSet<(String, String)> = self.tree.stages().into_iter().collect();
        let is_revision = |revision: &&str| revision.chars().any(|c| c != '0');
        let changed = match revision.filter(is_revision) {
            None => None,
            Some(revision) => Some(self.base_revision(run, revision)?.changed_paths()?),
        };
        let mut places = self.places();
        places.retain(|place| {
            let has_files = with_files.contains(&(place.department.clone(), place.stage.clone()));
            match &changed {
                None => has_files,
                Some(paths) => paths.iter().any(|path| affects(path, place, has_files)),
            }
        });
        Ok(places)
    }
}

/// Returns whether the plan of `place` depends on the file at `path`.
fn affects(path: &Path, place: &PipelinePlace, has_files: bool) -> bool {
    let parts: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
    let department = place.department.as_str();
    match parts.as_deref() {
        // The last file of a stage can be removed, so the stage need not have files.
        Some([CONNECTORS, code, stage, _, ..]) => *code == department && *stage == place.stage,
        Some([CONNECTORS, code, _]) => *code == department && has_files,
        Some([DEPARTMENTS, file]) => has_files && PathBuf::from(file).file_stem() == Some(OsStr::new(department)),
        Some([PROFILES, stage, file]) => {
            let persona = file.strip_prefix(department).and_then(|rest| rest.strip_prefix('-'));
            has_files && *stage == place.stage && persona.is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::RiskLimit;

    #[test]
    fn a_plan_depends_on_its_files_its_base_files_its_department_and_its_profiles() {
        let place = PipelinePlace::new("claims", "prod", RiskLimit::None, Vec::new());
        let cases = [
            ("connectors/claims/prod/claims-a.yaml", true, true),
            ("connectors/claims/claims-a.yaml", true, false),
            ("departments/claims.toml", true, false),
            ("profiles/prod/claims-viewer.toml", true, false),
            ("connectors/claims/test/claims-a.yaml", false, false),
            ("connectors/sales/prod/sales-a.yaml", false, false),
            ("connectors/claims-eu/prod/claims-eu-a.yaml", false, false),
            ("departments/claims-eu.toml", false, false),
            ("profiles/test/claims-viewer.toml", false, false),
            ("profiles/prod/claims.toml", false, false),
            ("README.md", false, false),
        ];
        for (path, with_files, without_files) in cases {
            let path = Path::new(path);
            assert_eq!(affects(path, &place, true), with_files, "{}", path.display());
            assert_eq!(affects(path, &place, false), without_files, "{}", path.display());
        }
    }
}
