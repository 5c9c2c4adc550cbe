//! `department new`: the text of a department's file, with a comment on every key, so that nobody needs the reference
//! to fill it in.

use std::fmt::Write;

use super::{
    Workspace, department,
    toml_format::{toml_list, toml_string},
};
use crate::{
    diag::{Finding, SourceFile},
    model::{DepartmentCode, DepartmentQuota},
};

/// What is known about a department that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDepartment {
    /// Its code.
    pub code: DepartmentCode,
    /// Its name.
    pub name: String,
    /// Its prefix, as proposed.
    pub prefix: String,
    /// Its template; the default one when it is not said.
    pub template: Option<String>,
    /// Where its costs go.
    pub cost_center: Option<String>,
    /// Whom to write to.
    pub contacts: Vec<String>,
    /// Its quota; the default one when it is not said.
    pub quota: Option<DepartmentQuota>,
}

impl NewDepartment {
    /// A department with everything but its code guessed: the name from the code, and the code with a dash as prefix.
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

    /// The text of its file. What was not said is there as a comment, with what counts instead.
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
        writeln!(out, "# What people call it.")?;
        writeln!(out, "name = {}", toml_string(&self.name))?;
        writeln!(out)?;
        writeln!(
            out,
            "# All its topics, groups, schemas and connectors begin so. Never changes after onboarding."
        )?;
        writeln!(out, "prefix = {}", toml_string(&self.prefix))?;
        writeln!(out)?;
        let templates: Vec<&str> = workspace.templates().map(|template| template.name.as_str()).collect();
        writeln!(out, "# What its people and pipeline may do: {}.", templates.join(", "))?;
        match &self.template {
            Some(template) => writeln!(out, "template = {}", toml_string(template))?,
            None => writeln!(out, "# template = {}", toml_string(&platform.template))?,
        }
        writeln!(out)?;
        writeln!(out, "# Where its costs go, and whom to write to.")?;
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
        writeln!(
            out,
            "# Public `age` keys; with them its profiles are handed over encrypted."
        )?;
        writeln!(out, "# recipients = [\"age1…\"]")?;
        writeln!(out)?;
        writeln!(out, "# What it may use. A key that is missing has the value shown.")?;
        writeln!(out, "[quota]")?;
        let (mark, quota) = match &self.quota {
            Some(quota) => ("", quota),
            None => ("# ", &platform.quota),
        };
        writeln!(out, "{mark}connectors = {}", quota.connectors)?;
        writeln!(out, "{mark}tasks = {}", quota.tasks)?;
        writeln!(out, "{mark}tasks_per_connector = {}", quota.tasks_per_connector)?;
        writeln!(out, "{mark}plugins = {}", toml_list(&quota.plugins))
    }
}

impl Workspace {
    /// What would be found if `text` were the file of department `code`: in itself, and together with all others.
    pub fn check_department(&self, code: &DepartmentCode, text: &str) -> Vec<Finding> {
        let source = SourceFile::new(format!("{}/{code}.toml", super::workspace::DEPARTMENTS), text);
        let (read, mut findings) = department::read(&source, code.as_str(), &self.platform);
        let Some(read) = read else { return findings };
        let mut others = self.clone();
        let known = others.cross_check();
        others.departments.insert(code.clone(), read);
        // What others owe each other already is not this department's business.
        let is_new = |finding: &Finding| !known.iter().any(|old| old.message == finding.message);
        findings.extend(others.cross_check().into_iter().filter(is_new));
        findings
    }
}
