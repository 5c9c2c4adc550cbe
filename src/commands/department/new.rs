//! `confluent ebs department new`.

use std::path::PathBuf;

use serde::Serialize;

use super::load_valid_platform;
use crate::{
    commands::{CommandOutput, Ctx},
    config::{IfExists, save::save},
    diag::has_errors,
    error::{Error, ResultExt},
    manifest::{WorkspaceOrigin, new_department::NewDepartment, workspace::DEPARTMENTS},
    model::DepartmentCode,
    render::{Block, Viewable},
};

/// Make the file of a new department.
///
/// The file is checked against all others before it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Make departments/claims.toml.

  $ confluent ebs department new claims --name Claims --contact claims-data@example.com

Show it without writing it.

  $ confluent ebs department new claims --dry-run")]
pub(super) struct DepartmentNewArgs {
    /// Code of the department: the name of its file, and a part of its accounts' names.
    #[arg(value_name = "department")]
    code: DepartmentCode,
    /// The name people call it.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// The beginning of all its names, delimiter included. The code and a dash by default.
    #[arg(long, value_name = "string")]
    prefix: Option<String>,
    /// Template of its role bindings.
    #[arg(long, value_name = "string")]
    template: Option<String>,
    /// Where its costs go.
    #[arg(long, value_name = "string")]
    cost_center: Option<String>,
    /// Whom to write to (can be repeated).
    #[arg(long = "contact", value_name = "string")]
    contacts: Vec<String>,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
}

impl DepartmentNewArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DepartmentNewOutput>, Error> {
        let workspace = load_valid_platform(ctx)?;
        let WorkspaceOrigin::Folder(folder) = &workspace.origin else {
            return Err(Error::failed("the built-in example cannot be changed")
                .with_hint("`confluent ebs init` makes a platform of your own."));
        };
        let mut department = NewDepartment::propose(self.code.clone());
        if let Some(name) = self.name {
            department.name = name;
        }
        if let Some(prefix) = self.prefix {
            department.prefix = prefix;
        }
        department.template = self.template;
        department.cost_center = self.cost_center;
        department.contacts = self.contacts;
        let text = department.render(&workspace);
        let findings = workspace.check_department(&self.code, &text);
        if has_errors(&findings) {
            return Err(Error::findings(
                format!("department \"{}\" would not be valid", self.code),
                findings,
            ));
        }
        let path = folder.join(DEPARTMENTS).join(format!("{}.toml", self.code));
        if !self.dry_run {
            let parent = folder.join(DEPARTMENTS);
            std::fs::create_dir_all(&parent)
                .with_context(|| format!("the folder {} could not be made", parent.display()))?;
            save(&path, text.as_bytes(), IfExists::Keep)?;
        }
        Ok(CommandOutput::new(DepartmentNewOutput {
            file: path,
            dry_run: self.dry_run,
            text,
        }))
    }
}

/// The file that was made.
#[derive(Debug, Serialize)]
pub(super) struct DepartmentNewOutput {
    file: PathBuf,
    dry_run: bool,
    text: String,
}

impl Viewable for DepartmentNewOutput {
    fn view(&self) -> Vec<Block> {
        match self.dry_run {
            true => vec![Block::Verbatim(self.text.clone())],
            false => vec![
                Block::line(format!("Created {}.", self.file.display())),
                Block::line("Look it over, then show the plan with `confluent ebs onboard … --dry-run`."),
            ],
        }
    }
}
