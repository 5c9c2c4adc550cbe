//! `confluent ebs access matrix`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::source_args::{DefaultSource, SourceArgs, source_line};
use crate::{
    access::{
        Operation,
        matrix::{AccessExtent, AccessMatrix},
    },
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    error::Error,
    model::{DepartmentCode, ResourceKind},
    provisioning::access::{MatrixOutcome, MatrixRow, access_matrix},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// Show the allowed operations of personas
///
/// Shows one row per resource kind and operation, and one column per persona. Departments with equal rights share a
/// table. In addition to "human", "json" and "yaml", --output accepts "csv", with one line per right.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the allowed operations of the personas of department \"claims\".

  $ confluent ebs access matrix claims

Write the rights of all departments, according to the platform files, to a file.

  $ confluent ebs access matrix --planned -o csv > rights.csv")]
pub(super) struct AccessMatrixArgs {
    /// Code of a department. Without a code, all departments are shown.
    #[arg(value_name = "department")]
    code: Option<DepartmentCode>,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessMatrixArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessMatrixOutput>, Error> {
        let csv = ctx.globals.output == OutputFormat::Csv;
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let selected = self.code.as_ref().or(ctx.run.options.department.as_ref());
        let outcome = access_matrix(context, selected)?;
        if csv {
            // CSV has no place for uncertainties.
            for uncertainty in &outcome.uncertainties {
                ctx.ui.warn(&format!("the matrix may be incomplete: {uncertainty}"));
            }
        }
        Ok(CommandOutput::new(AccessMatrixOutput { outcome, csv }))
    }
}

/// Matrix as a table or as CSV.
#[derive(Debug, Serialize)]
pub(super) struct AccessMatrixOutput {
    #[serde(flatten)]
    outcome: MatrixOutcome,
    #[serde(skip)]
    csv: bool,
}

/// Cells of a table by row, with one cell per persona.
type MatrixCells = BTreeMap<(ResourceKind, Operation), Vec<BTreeSet<AccessExtent>>>;
/// Common properties of the departments in a table: template, personas and cells.
type MatrixGroupKey<'a> = (Option<&'a str>, Vec<String>, MatrixCells);

impl AccessMatrixOutput {
    /// Returns sentences about personas without a service account.
    fn missing_accounts(&self) -> impl Iterator<Item = String> {
        let has_none = |matrix: &&AccessMatrix| matrix.personas.is_empty();
        let absent: Vec<&str> = self
            .outcome
            .matrices
            .iter()
            .filter(has_none)
            .map(|matrix| matrix.department.as_str())
            .collect();
        let complete = self.outcome.is_account_list_complete;
        let verb = if absent.len() == 1 { "has" } else { "have" };
        let absent = (!absent.is_empty()).then(|| match complete {
            true => format!("{} {verb} no service account.", format_departments(&absent)),
            false => format!("{}: no service account is visible.", format_departments(&absent)),
        });
        let partly = |matrix: &&AccessMatrix| !matrix.personas.is_empty() && !matrix.missing.is_empty();
        let partly = self.outcome.matrices.iter().filter(partly).map(move |matrix| {
            let missing = text::join_list(&matrix.missing);
            match complete {
                true => format!("{} has no service account for {missing}.", matrix.department),
                false => format!("{}: no service account for {missing} is visible.", matrix.department),
            }
        });
        let incomplete =
            (!complete).then(|| "Not all service accounts are visible: what is not shown may exist.".to_owned());
        absent.into_iter().chain(partly).chain(incomplete)
    }
}

impl Viewable for AccessMatrixOutput {
    fn view(&self) -> Vec<Block> {
        if self.csv {
            return vec![Block::Verbatim(to_csv(&self.outcome.rights))];
        }
        let mut blocks = Vec::new();
        for ((template, personas, cells), departments) in group_departments(&self.outcome.matrices) {
            let mut table = Table::new(
                ["Kind", "Operation"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(personas.iter().cloned()),
            );
            for ((kind, operation), extents) in cells.iter().filter(|(row, _)| is_displayed(**row)) {
                let texts = extents.iter().map(|extents| {
                    let all: Vec<&str> = extents.iter().map(|extent| extent.as_str()).collect();
                    Cell::Text(all.join(", "))
                });
                table.push(
                    [Cell::text(kind_label(*kind)), Cell::text(operation)]
                        .into_iter()
                        .chain(texts),
                );
            }
            let template = template
                .map(|template| format!(" (template {template})"))
                .unwrap_or_default();
            let title = format!("{}{template}", format_departments(&departments));
            blocks.push(Block::titled(title, [Block::Table(table)]));
        }
        let mut lines = vec![TextLine::from(
            "own: all names with the department's prefix; some: some names or accounts of the department; shared: \
             names that all departments share by design of Confluent Cloud; beyond: names outside the prefix; yes: the \
             resource of the stage; unknown: Confluent's documents disagree (assumption Q5 of `confluent ebs doctor \
             --assumptions`). Other operations are not allowed, except to describe the organization, the \
             environment and the cluster.",
        )];
        lines.extend(
            self.missing_accounts()
                .map(|text| TextLine::new().with_styled_text(Style::Warning, text)),
        );
        for uncertainty in &self.outcome.uncertainties {
            let text = format!("The matrix may be incomplete: {uncertainty}.");
            lines.push(TextLine::new().with_styled_text(Style::Warning, text));
        }
        lines.push(source_line(&self.outcome.source));
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Whether a row is shown. Each role allows describing the scopes that contain it, so these rows are omitted.
fn is_displayed((kind, operation): (ResourceKind, Operation)) -> bool {
    use ResourceKind::{Cluster, Environment, Organization};
    operation != Operation::Describe || !matches!(kind, Organization | Environment | Cluster)
}

/// Returns the label of a kind, short enough for four personas in 80 columns.
fn kind_label(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::ServiceAccount => "account",
        kind => kind.display_name(),
    }
}

/// Groups departments with equal rights, in the order of the first department of each group.
fn group_departments(matrices: &[AccessMatrix]) -> Vec<(MatrixGroupKey<'_>, Vec<&str>)> {
    let mut groups: Vec<(MatrixGroupKey<'_>, Vec<&str>)> = Vec::new();
    for matrix in matrices.iter().filter(|matrix| !matrix.personas.is_empty()) {
        let mut cells = MatrixCells::new();
        for (column, persona) in matrix.personas.iter().enumerate() {
            for (row, extents) in matrix.extents(persona) {
                let cells = cells
                    .entry(row)
                    .or_insert_with(|| vec![BTreeSet::new(); matrix.personas.len()]);
                cells[column] = extents;
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

/// Joins up to three department codes, and the number of further ones.
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

/// Formats rights as CSV, with one line per right.
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
