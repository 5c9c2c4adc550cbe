//! `confluent ebs access matrix`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    parse::{format_resource, grant_label, unknown_department_error},
    source::{AccessSource, DefaultSource, SourceArgs},
};
use crate::{
    access::{
        AccessModel, Operation, Uncertainty,
        matrix::{AccessExtent, AccessMatrix, Right},
    },
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    error::Error,
    model::{AclBinding, DepartmentCode, ResourceKind},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// Show what the personas of departments may do.
///
/// One row per kind and operation, one column per persona. Departments that may do the same share a table. Besides "human",
/// "json" and "yaml", --output takes "csv": one line per right, for spreadsheets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show what the personas of the department \"claims\" may do.

  $ confluent ebs access matrix claims

Write the rights that the platform's files give to all departments into a file.

  $ confluent ebs access matrix --planned -o csv > rights.csv")]
pub(super) struct AccessMatrixArgs {
    /// Code of a department; all of them without it.
    #[arg(value_name = "department")]
    code: Option<DepartmentCode>,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessMatrixArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessMatrixOutput>, Error> {
        let csv = ctx.globals.output == OutputFormat::Csv;
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let model = &context.model;
        let named = self.code.as_ref().or(ctx.run.options.department.as_ref());
        let matrices = match named {
            Some(code) => vec![
                model
                    .matrix(code)
                    .ok_or_else(|| unknown_department_error(&context, code))?,
            ],
            None => model.matrices(),
        };
        let rights = matrices.iter().flat_map(|matrix| matrix_rows(model, matrix)).collect();
        let uncertainties: Vec<Uncertainty> = model.visibility_gaps_anywhere().collect();
        if csv {
            // A spreadsheet has no place for it.
            for uncertainty in &uncertainties {
                ctx.ui.warn(&format!("there may be more: {uncertainty}"));
            }
        }
        Ok(CommandOutput::new(AccessMatrixOutput {
            rights,
            matrices,
            uncertainties,
            csv,
            is_account_list_complete: model.is_account_list_complete(),
            source: context.source,
        }))
    }
}

fn matrix_rows(model: &AccessModel, matrix: &AccessMatrix) -> Vec<MatrixRow> {
    let row = |right: &Right| MatrixRow {
        department: matrix.department.clone(),
        template: matrix.template.clone(),
        persona: right.persona.clone(),
        kind: right.kind,
        operation: right.operation,
        extent: right.extent,
        label: grant_label(&right.granted_by),
        role_name: right.granted_by.role_binding().map(|binding| binding.role.to_string()),
        acl: right.granted_by.acl().cloned(),
        on: format_resource(model, right.granted_by.pattern()),
    };
    matrix.rights.iter().map(row).collect()
}

/// One right.
#[derive(Debug, Serialize)]
struct MatrixRow {
    department: DepartmentCode,
    template: Option<String>,
    persona: String,
    kind: ResourceKind,
    operation: Operation,
    extent: AccessExtent,
    /// The role, unless it is an ACL.
    role_name: Option<String>,
    /// The ACL, if it is one.
    acl: Option<AclBinding>,
    on: String,
    /// What it is, for people.
    #[serde(skip)]
    label: String,
}

/// What `matrix` answers.
#[derive(Debug, Serialize)]
pub(super) struct AccessMatrixOutput {
    rights: Vec<MatrixRow>,
    /// What could not be looked at.
    uncertainties: Vec<Uncertainty>,
    source: AccessSource,
    #[serde(skip)]
    matrices: Vec<AccessMatrix>,
    #[serde(skip)]
    csv: bool,
    #[serde(skip)]
    is_account_list_complete: bool,
}

/// The cells of a table by row; one per persona in each.
type MatrixCells = BTreeMap<(ResourceKind, Operation), Vec<BTreeSet<AccessExtent>>>;
/// What the departments of a table have in common: template, personas, cells.
type MatrixGroupKey<'a> = (Option<&'a str>, Vec<String>, MatrixCells);

impl AccessMatrixOutput {
    /// Who has no account, in sentences.
    fn missing_accounts(&self) -> impl Iterator<Item = String> {
        let is_absent = |matrix: &&AccessMatrix| matrix.personas.is_empty();
        let absent: Vec<&str> = self
            .matrices
            .iter()
            .filter(is_absent)
            .map(|matrix| matrix.department.as_str())
            .collect();
        let verb = if absent.len() == 1 { "has" } else { "have" };
        let absent = (!absent.is_empty()).then(|| format!("{} {verb} no account.", format_departments(&absent)));
        let partly = |matrix: &&AccessMatrix| !matrix.personas.is_empty() && !matrix.missing.is_empty();
        let partly = self.matrices.iter().filter(partly).map(|matrix| {
            let missing = text::join_list(&matrix.missing);
            format!("{} has no account for {missing}.", matrix.department)
        });
        let unsure = (!self.is_account_list_complete).then(|| "Not all accounts were shown.".to_owned());
        absent.into_iter().chain(partly).chain(unsure)
    }
}

impl Viewable for AccessMatrixOutput {
    fn view(&self) -> Vec<Block> {
        if self.csv {
            return vec![Block::Verbatim(to_csv(&self.rights))];
        }
        let mut blocks = Vec::new();
        for ((template, personas, cells), departments) in group_departments(&self.matrices) {
            let mut table = Table::new(
                ["Kind", "Operation"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(personas.iter().cloned()),
            );
            for ((kind, operation), reaches) in cells.iter().filter(|(row, _)| is_displayed(**row)) {
                let given = reaches.iter().map(|reaches| {
                    let all: Vec<&str> = reaches.iter().map(|reach| reach.as_str()).collect();
                    Cell::Text(all.join(", "))
                });
                table.push(
                    [Cell::text(kind_label(*kind)), Cell::text(operation)]
                        .into_iter()
                        .chain(given),
                );
            }
            let template = template
                .map(|template| format!(" (template {template})"))
                .unwrap_or_default();
            let title = format!("{}{template}", format_departments(&departments));
            blocks.push(Block::titled(title, [Block::Table(table)]));
        }
        let mut lines = vec![TextLine::from(
            "own: all that begins with the department's prefix; some: single names or accounts of it; shared: names \
             that Confluent makes all departments share; beyond: more than that; yes: the one of the stage. What is \
             not listed nobody in the department may do, but see the organization, the environment and the cluster.",
        )];
        lines.extend(
            self.missing_accounts()
                .map(|text| TextLine::new().with_styled_text(Style::Warning, text)),
        );
        for uncertainty in &self.uncertainties {
            lines.push(TextLine::new().with_styled_text(Style::Warning, format!("There may be more: {uncertainty}.")));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Whether a row tells anything: whoever holds a role sees the scopes that it lies in.
fn is_displayed((kind, operation): (ResourceKind, Operation)) -> bool {
    use ResourceKind::{Cluster, Environment, Organization};
    operation != Operation::Describe || !matches!(kind, Organization | Environment | Cluster)
}

/// The word for a kind, short enough for four personas in 80 columns.
fn kind_label(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::ServiceAccount => "account",
        kind => kind.display_name(),
    }
}

/// Departments that may do the same, together; in the order of the first of each.
fn group_departments(matrices: &[AccessMatrix]) -> Vec<(MatrixGroupKey<'_>, Vec<&str>)> {
    let mut groups: Vec<(MatrixGroupKey<'_>, Vec<&str>)> = Vec::new();
    for matrix in matrices.iter().filter(|matrix| !matrix.personas.is_empty()) {
        let mut cells = MatrixCells::new();
        for (column, persona) in matrix.personas.iter().enumerate() {
            for (row, reaches) in matrix.extents(persona) {
                let cells = cells
                    .entry(row)
                    .or_insert_with(|| vec![BTreeSet::new(); matrix.personas.len()]);
                cells[column] = reaches;
            }
        }
        let key = (matrix.template.as_deref(), matrix.personas.clone(), cells);
        let code = matrix.department.as_str();
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, departments)) => departments.push(code),
            None => groups.push((key, vec![code])),
        }
    }
    groups
}

/// A few names, and how many more there are.
fn format_departments(departments: &[&str]) -> String {
    const SHOWN: usize = 3;
    match departments.len() {
        0..=SHOWN => text::join_list(departments),
        count => format!(
            "{} and {} more departments",
            departments[..SHOWN].join(", "),
            count - SHOWN
        ),
    }
}

/// One line per right.
fn to_csv(rights: &[MatrixRow]) -> String {
    let header = [
        "department",
        "template",
        "persona",
        "kind",
        "operation",
        "extent",
        "role",
        "on",
    ];
    let rows = rights.iter().map(|right| {
        vec![
            right.department.as_str(),
            right.template.as_deref().unwrap_or_default(),
            &right.persona,
            right.kind.display_name(),
            right.operation.as_str(),
            right.extent.as_str(),
            &right.label,
            &right.on,
        ]
    });
    crate::render::to_csv(&header, rows)
}
