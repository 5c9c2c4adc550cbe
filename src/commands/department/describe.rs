//! `confluent ebs department describe`.

use super::{load_valid_platform, unknown_department_error};
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    manifest::views::{DepartmentView, PersonaView},
    model::{AclOperation, DepartmentCode, OrganizationId, Recipient},
    render::{Block, Cell, Record, Table, Viewable},
    session::Settings,
};

/// Describe a department: accounts, permissions and quota
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the department \"claims\".

  $ confluent ebs department describe claims")]
pub(super) struct DepartmentDescribeArgs {
    /// Code of the department.
    #[arg(value_name = "department")]
    code: DepartmentCode,
}

impl DepartmentDescribeArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DepartmentView>, Error> {
        let workspace = load_valid_platform(ctx)?;
        let department = workspace
            .department(&self.code)
            .ok_or_else(|| unknown_department_error(&workspace, &self.code))?;
        let settings = Settings::resolve(&ctx.run, None, Some(&workspace));
        let (stage_name, stage) = settings.platform_stage(&workspace)?;
        // The organization may be unknown offline; the output does not depend on it.
        let organization = workspace.platform.organization.clone();
        let address = stage.address(&organization.unwrap_or_else(placeholder_organization));
        let desired = workspace
            .desired_department(department, &stage_name, &address)
            .ok_or_else(|| Error::failed(format!("no template `{}`", department.template)))?;
        Ok(CommandOutput::new(workspace.describe_department(&desired)))
    }
}

fn placeholder_organization() -> OrganizationId {
    "unknown".parse().expect("a word is a valid id")
}

impl Viewable for DepartmentView {
    fn view(&self) -> Vec<Block> {
        let quota = &self.quota;
        let recipients: Vec<&str> = self.recipients.iter().map(Recipient::as_str).collect();
        let recipients = (!recipients.is_empty()).then(|| recipients.join(", "));
        let record = Record::new()
            .field("Department", self.code.clone())
            .field("Name", self.name.clone())
            .field("Prefix", self.prefix.clone())
            .optional("Cost Center", self.cost_center.clone())
            .field("Contacts", self.contacts.join(", "))
            .optional("Recipients", recipients)
            .optional("Retired", self.retired.clone())
            .field("Template", format!("{}: {}", self.template, self.template_description))
            .optional("Allowed Stages", self.stages.as_ref().map(|stages| stages.join(", ")))
            .field(
                "Stage",
                format!("{} ({}, {})", self.stage, self.environment, self.cluster),
            )
            .field("Connectors", quota.connectors)
            .field(
                "Tasks",
                format!("{}, at most {} per connector", quota.tasks, quota.tasks_per_connector),
            )
            .field("Plugins", quota.plugins.join(", "));
        let mut blocks = vec![Block::titled("Department Details", [Block::Record(record)])];
        blocks.extend(self.personas.iter().map(persona_block));
        blocks
    }
}

fn persona_block(persona: &PersonaView) -> Block {
    let mut table = Table::new(["Role", "On", "Why"]);
    for grant in &persona.grants {
        let mut on = grant.on.clone();
        if grant.shared {
            on.push_str(" (shared by all)");
        }
        if grant.left_out {
            on.push_str(" (skipped: no Schema Registry)");
        }
        table.push([Cell::text(&grant.role), Cell::Text(on), Cell::text(&grant.why)]);
    }
    for acl in &persona.acls {
        let operations: Vec<_> = acl.operations.iter().map(AclOperation::as_str).collect();
        let shared = if acl.shared { " (shared by all)" } else { "" };
        table.push([
            Cell::Text(format!("ACL {}", operations.join(", "))),
            Cell::Text(format!("{}{shared}", acl.on)),
            Cell::text(&acl.why),
        ]);
    }
    let keys = match persona.keys.as_slice() {
        [] => "no key".to_owned(),
        keys => format!("{} key", keys.join(" and ")),
    };
    let title = format!("Persona {}, account {}, {keys}", persona.persona, persona.account);
    Block::titled(title, [Block::line(persona.description.clone()), Block::Table(table)])
}
