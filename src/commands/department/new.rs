//! `confluent ebs department new`.

use std::path::PathBuf;

use serde::Serialize;

use super::load_valid_platform;
use crate::{
    commands::{CommandOutput, Ctx},
    config::{IfExists, SaveError, save::save_public},
    diag::has_errors,
    error::{Error, ResultExt},
    manifest::{
        WorkspaceOrigin,
        new_department::NewDepartment,
        schema::{FileKind, editor_hint},
        workspace::DEPARTMENTS,
    },
    model::DepartmentCode,
    render::{Block, Viewable},
};

/// Create the file of a new department
///
/// The file is checked against all other files before it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Create departments/claims.toml.

  $ confluent ebs department new claims --name Claims --contact claims-data@example.com

Show the file without writing it.

  $ confluent ebs department new claims --dry-run")]
pub(super) struct DepartmentNewArgs {
    /// Code of the department; names its file and is a part of its account names.
    #[arg(value_name = "department")]
    code: DepartmentCode,
    /// Display name of the department.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Prefix of all names of the department, delimiter included. Default: the code and a dash.
    #[arg(long, value_name = "string")]
    prefix: Option<String>,
    /// Template of its role bindings.
    #[arg(long, value_name = "string")]
    template: Option<String>,
    /// Cost center.
    #[arg(long, value_name = "string")]
    cost_center: Option<String>,
    /// Contact address (can be repeated).
    #[arg(long = "contact", value_name = "string")]
    contacts: Vec<String>,
    /// Show the file without writing it.
    #[arg(long)]
    dry_run: bool,
}

impl DepartmentNewArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DepartmentNewOutput>, Error> {
        let workspace = load_valid_platform(ctx)?;
        let WorkspaceOrigin::Folder(folder) = &workspace.origin else {
            return Err(Error::failed("cannot change the built-in example")
                .with_hint("Create your own platform with `confluent ebs init`."));
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
        let path = folder.join(DEPARTMENTS).join(format!("{}.toml", self.code));
        let kind = FileKind::Department;
        let hint = editor_hint(kind, &path, &kind.file_name()).unwrap_or_default();
        let text = hint + &department.render(&workspace);
        let findings = workspace.check_department(&self.code, &text);
        if has_errors(&findings) {
            return Err(Error::findings(
                format!("department `{}` would be invalid", self.code),
                findings,
            ));
        }
        for warning in &findings {
            ctx.ui.warn(&warning.message);
        }
        if !self.dry_run {
            let parent = folder.join(DEPARTMENTS);
            std::fs::create_dir_all(&parent)
                .with_context(|| format!("cannot create the directory `{}`", parent.display()))?;
            save_public(&path, text.as_bytes(), IfExists::Keep).map_err(|error| match error {
                SaveError::Exists(path) => Error::failed(format!("`{}` already exists", path.display()))
                    .with_hint("Edit the file and check it with `confluent ebs department validate`."),
                error => error.into(),
            })?;
        }
        Ok(CommandOutput::new(DepartmentNewOutput {
            code: self.code,
            file: path,
            dry_run: self.dry_run,
            text,
        }))
    }
}

/// Created file.
#[derive(Debug, Serialize)]
pub(super) struct DepartmentNewOutput {
    #[serde(skip)]
    code: DepartmentCode,
    file: PathBuf,
    dry_run: bool,
    text: String,
}

impl Viewable for DepartmentNewOutput {
    fn view(&self) -> Vec<Block> {
        match self.dry_run {
            true => vec![Block::Verbatim(self.text.clone())],
            false => vec![
                Block::line(format!("Created `{}`.", self.file.display())),
                Block::line(format!(
                    "Review the file, then show the plan with `confluent ebs onboard {} --dry-run`.",
                    self.code
                )),
            ],
        }
    }
}
