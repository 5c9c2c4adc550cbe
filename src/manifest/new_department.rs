//! Text of a new department file for `department new`, with a comment for every key.

use std::fmt::Write;

use super::{
    Workspace, department,
    toml_format::{toml_list, toml_string},
};
use crate::{
    diag::{Finding, SourceFile},
    model::{DepartmentCode, DepartmentQuota},
};

/// Values for a new department file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDepartment {
    /// Code.
    pub code: DepartmentCode,
    /// Name.
    pub name: String,
    /// Proposed prefix.
    pub prefix: String,
    /// Template; `None` for the default.
    pub template: Option<String>,
    /// Cost center.
    pub cost_center: Option<String>,
    /// E-mail addresses of contacts.
    pub contacts: Vec<String>,
    /// Quota; `None` for the default.
    pub quota: Option<DepartmentQuota>,
}

impl NewDepartment {
    /// Derives name and prefix from the code.
    pub fn propose(code: DepartmentCode) -> Self {
        let words = code.as_str().split('-').map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        Self {
            name: words.collect::<Vec<_>>().join(" "),
            prefix: format!("{code}-"),
            code,
            template: None,
            cost_center: None,
            contacts: Vec::new(),
            quota: None,
        }
    }

    /// Returns the text of the file. Missing values are commented out and show their defaults.
    pub fn render(&self, workspace: &Workspace) -> String {
        let mut out = String::new();
        // Writing into a `String` cannot fail.
        let _ = self.write(&mut out, workspace);
        out
    }

    fn write(&self, out: &mut String, workspace: &Workspace) -> std::fmt::Result {
        let platform = &workspace.platform;
        writeln!(
            out,
            "# Department {}. The name of this file is its code and never changes.",
            self.code
        )?;
        writeln!(out)?;
        writeln!(out, "# Display name.")?;
        writeln!(out, "name = {}", toml_string(&self.name))?;
        writeln!(out)?;
        writeln!(
            out,
            "# Prefix of all its topics, groups, schemas and connectors. It never changes after onboarding."
        )?;
        writeln!(out, "prefix = {}", toml_string(&self.prefix))?;
        writeln!(out)?;
        let templates: Vec<&str> = workspace.templates().map(|template| template.name.as_str()).collect();
        writeln!(out, "# Template with its grants: {}.", templates.join(", "))?;
        match &self.template {
            Some(template) => writeln!(out, "template = {}", toml_string(template))?,
            None => writeln!(out, "# template = {}", toml_string(&platform.template))?,
        }
        writeln!(out)?;
        writeln!(out, "# Cost center and contacts.")?;
        match &self.cost_center {
            Some(center) => writeln!(out, "cost_center = {}", toml_string(center))?,
            None => writeln!(out, "# cost_center = \"CC-0000\"")?,
        }
        if self.contacts.is_empty() {
            writeln!(out, "# contacts = [\"{}@example.com\"]", self.code)?;
        } else {
            writeln!(out, "contacts = {}", toml_list(&self.contacts))?;
        }
        writeln!(out)?;
        writeln!(out, "# Public `age` keys; its profiles are encrypted to them.")?;
        writeln!(out, "# recipients = [\"age1…\"]")?;
        writeln!(out)?;
        writeln!(
            out,
            "# Stages in which it may be onboarded; without the key, all of them."
        )?;
        let stages: Vec<String> = platform.stages.keys().cloned().collect();
        writeln!(out, "# stages = {}", toml_list(&stages))?;
        writeln!(out)?;
        writeln!(
            out,
            "# Quota: a limit that `connector create` follows and `quota audit` checks; Confluent Cloud does not know it."
        )?;
        writeln!(out, "# A missing key has the value shown.")?;
        writeln!(out, "[quota]")?;
        let (mark, quota) = match &self.quota {
            Some(quota) => ("", quota),
            None => ("# ", &platform.quota),
        };
        writeln!(out, "{mark}connectors = {}", quota.connectors)?;
        writeln!(out, "{mark}tasks = {}", quota.tasks)?;
        writeln!(out, "{mark}tasks_per_connector = {}", quota.tasks_per_connector)?;
        writeln!(out, "{mark}plugins = {}", toml_list(&quota.plugins))?;
        writeln!(out)?;
        writeln!(out, "# Quota of one stage, which wins over `[quota]` key by key.")?;
        writeln!(
            out,
            "# [quota.stages.{}]",
            stages.first().map_or("prod", String::as_str)
        )?;
        writeln!(out, "# connectors = {}", quota.connectors)
    }
}

impl Workspace {
    /// Checks `text` as the file of department `code`, alone and together with all other departments.
    pub fn check_department(&self, code: &DepartmentCode, text: &str) -> Vec<Finding> {
        let source = SourceFile::new(format!("{}/{code}.toml", super::workspace::DEPARTMENTS), text);
        let (read, mut findings) = department::read(&source, code.as_str(), &self.platform);
        let Some(read) = read else { return findings };
        let mut others = self.clone();
        let known = others.cross_check();
        others.departments.insert(code.clone(), read);
        // Ignore findings that exist without this department.
        let is_new = |finding: &Finding| !known.iter().any(|old| old.message == finding.message);
        findings.extend(others.cross_check().into_iter().filter(is_new));
        findings
    }
}
