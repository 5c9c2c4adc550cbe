//! CODEOWNERS: who reviews changes of which files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::PathBuf,
};

use super::options::Forge;
use crate::{
    gitops::{ConnectorTree, file_tree::CONNECTORS},
    manifest::{DepartmentFile, Workspace},
};

/// Returns the lines of CODEOWNERS; empty if no owners are configured. The last matching line of a file decides, so the
/// lines of stages are below those of departments, and these below that of the platform.
#[must_use]
pub fn code_owners(platform: &Workspace, tree: &ConnectorTree, forge: Forge) -> String {
    let mut lines = Vec::new();
    let mut sections = Vec::new();
    if !platform.platform.owners.is_empty() {
        lines.push(owner_line("*", &platform.platform.owners));
    }
    for department in platform.active_departments() {
        let Some(file) = platform.department_file(&department.code) else {
            continue;
        };
        let stages: Vec<&str> = platform
            .platform
            .stages
            .keys()
            .map(String::as_str)
            .filter(|stage| department.is_allowed_in(stage))
            .collect();
        add_department(file, &stages, tree, forge, &mut lines, &mut sections);
    }
    lines.append(&mut sections);
    lines.concat()
}

/// Adds the lines of a department. A base file belongs to the owners of every stage that uses it: on GitHub, one of them
/// approves; on GitLab, a section per stage requires one approval of each.
fn add_department(
    file: &DepartmentFile,
    stages: &[&str],
    tree: &ConnectorTree,
    forge: Forge,
    lines: &mut Vec<String>,
    sections: &mut Vec<String>,
) {
    let code = file.department.code.as_str();
    let owners = &file.owners;
    let all = owners.in_any(stages.iter().copied());
    if all.is_empty() {
        return;
    }
    lines.push(owner_line(&format!("/{CONNECTORS}/{code}/"), &all));
    let differ = stages.iter().any(|stage| owners.in_any([*stage]) != all);
    if !differ {
        return;
    }
    let base_files = stages_by_base_file(tree, code, stages);
    for (path, used_by) in &base_files {
        let names = owners.in_any(used_by.iter().copied());
        if forge == Forge::Github && !names.is_empty() && names != all {
            lines.push(owner_line(path, &names));
        }
    }
    for stage in stages.iter().filter(|stage| !owners.in_stage(stage).is_empty()) {
        let names = owners.in_stage(stage);
        let folder = owner_line(&format!("/{CONNECTORS}/{code}/{stage}/"), names);
        if forge == Forge::Github {
            lines.push(folder);
            continue;
        }
        let mut section = format!("\n[{code} {stage}]\n{folder}");
        for (path, _) in base_files.iter().filter(|(_, used_by)| used_by.contains(stage)) {
            section.push_str(&owner_line(path, names));
        }
        sections.push(section);
    }
}

/// Returns the stages that use each base file of a department.
fn stages_by_base_file<'a>(
    tree: &ConnectorTree,
    code: &str,
    stages: &[&'a str],
) -> BTreeMap<String, BTreeSet<&'a str>> {
    let mut by_file: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for stage in stages {
        for file in tree.stage(code, stage) {
            // The path may begin with the way from the current directory to the repository.
            let name = file.base_path().and_then(|path| path.file_name());
            if let Some(name) = name {
                let path = PathBuf::from(name);
                let pattern = format!("/{CONNECTORS}/{code}/{}", path.display());
                by_file.entry(pattern).or_default().insert(stage);
            }
        }
    }
    by_file
}

fn owner_line(pattern: &str, owners: &[String]) -> String {
    let mut line = pattern.to_owned();
    for owner in owners {
        // Writing to a `String` cannot fail.
        let _ = write!(line, " {owner}");
    }
    line.push('\n');
    line
}
