//! `confluent ebs access matrix`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    question::{no_department, place, what},
    source::{From, Otherwise, Source},
};
use crate::{
    access::{
        Doubt, Operation, Scene,
        matrix::{Matrix, Reach, Right},
    },
    commands::{Ctx, Report, globals::Output},
    error::Error,
    model::{AclBinding, DepartmentCode, ResourceKind},
    render::{Block, Cell, Line, Style, Table, Viewable, words},
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
pub(super) struct ShowMatrix {
    /// Code of a department; all of them without it.
    #[arg(value_name = "department")]
    code: Option<DepartmentCode>,
    #[command(flatten)]
    from: From,
}

impl ShowMatrix {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Rights>, Error> {
        let csv = ctx.globals.output == Output::Csv;
        let ground = self.from.look(ctx, Otherwise::Live)?;
        let scene = &ground.scene;
        let named = self.code.as_ref().or(ctx.globals.department.as_ref());
        let matrices = match named {
            Some(code) => vec![scene.matrix(code).ok_or_else(|| no_department(&ground, code))?],
            None => scene.matrices(),
        };
        let rights = matrices.iter().flat_map(|matrix| rows(scene, matrix)).collect();
        let doubts: Vec<Doubt> = scene.unlisted_anywhere().collect();
        if csv {
            // A spreadsheet has no place for it.
            for doubt in &doubts {
                ctx.ui.warn(&format!("there may be more: {doubt}"));
            }
        }
        Ok(Report::new(Rights {
            rights,
            matrices,
            doubts,
            csv,
            sees_accounts: scene.sees_accounts(),
            source: ground.source,
        }))
    }
}

fn rows(scene: &Scene, matrix: &Matrix) -> Vec<RightRow> {
    let row = |right: &Right| RightRow {
        department: matrix.department.clone(),
        template: matrix.template.clone(),
        persona: right.persona.clone(),
        kind: right.kind,
        operation: right.operation,
        reach: right.reach,
        what: what(&right.through),
        role_name: right.through.role().map(|binding| binding.role.to_string()),
        acl: right.through.acl().cloned(),
        on: place(scene, right.through.pattern()),
    };
    matrix.rights.iter().map(row).collect()
}

/// One right.
#[derive(Debug, Serialize)]
struct RightRow {
    department: DepartmentCode,
    template: Option<String>,
    persona: String,
    kind: ResourceKind,
    operation: Operation,
    reach: Reach,
    /// The role, unless it is an ACL.
    role_name: Option<String>,
    /// The ACL, if it is one.
    acl: Option<AclBinding>,
    on: String,
    /// What it is, for people.
    #[serde(skip)]
    what: String,
}

/// What `matrix` answers.
#[derive(Debug, Serialize)]
pub(super) struct Rights {
    rights: Vec<RightRow>,
    /// What could not be looked at.
    doubts: Vec<Doubt>,
    source: Source,
    #[serde(skip)]
    matrices: Vec<Matrix>,
    #[serde(skip)]
    csv: bool,
    #[serde(skip)]
    sees_accounts: bool,
}

/// The cells of a table by row; one per persona in each.
type Cells = BTreeMap<(ResourceKind, Operation), Vec<BTreeSet<Reach>>>;
/// What the departments of a table have in common: template, personas, cells.
type Alike<'a> = (Option<&'a str>, Vec<String>, Cells);

impl Rights {
    /// Who has no account, in sentences.
    fn missing(&self) -> impl Iterator<Item = String> {
        let is_absent = |matrix: &&Matrix| matrix.personas.is_empty();
        let absent: Vec<&str> = self
            .matrices
            .iter()
            .filter(is_absent)
            .map(|matrix| matrix.department.as_str())
            .collect();
        let verb = if absent.len() == 1 { "has" } else { "have" };
        let absent = (!absent.is_empty()).then(|| format!("{} {verb} no account.", some(&absent)));
        let partly = |matrix: &&Matrix| !matrix.personas.is_empty() && !matrix.missing.is_empty();
        let partly = self.matrices.iter().filter(partly).map(|matrix| {
            let missing = words::list(&matrix.missing);
            format!("{} has no account for {missing}.", matrix.department)
        });
        let unsure = (!self.sees_accounts).then(|| "Not all accounts were shown.".to_owned());
        absent.into_iter().chain(partly).chain(unsure)
    }
}

impl Viewable for Rights {
    fn view(&self) -> Vec<Block> {
        if self.csv {
            return vec![Block::Verbatim(csv(&self.rights))];
        }
        let mut blocks = Vec::new();
        for ((template, personas, cells), departments) in alike(&self.matrices) {
            let mut table = Table::new(
                ["Kind", "Operation"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(personas.iter().cloned()),
            );
            for ((kind, operation), reaches) in cells.iter().filter(|(row, _)| is_told(**row)) {
                let given = reaches.iter().map(|reaches| {
                    let all: Vec<&str> = reaches.iter().map(|reach| reach.word()).collect();
                    Cell::Text(all.join(", "))
                });
                table.push(
                    [Cell::text(kind_word(*kind)), Cell::text(operation)]
                        .into_iter()
                        .chain(given),
                );
            }
            let template = template
                .map(|template| format!(" (template {template})"))
                .unwrap_or_default();
            let title = format!("{}{template}", some(&departments));
            blocks.push(Block::titled(title, [Block::Table(table)]));
        }
        let mut lines = vec![Line::from(
            "own: all that begins with the department's prefix; some: single names or accounts of it; shared: names \
             that Confluent makes all departments share; beyond: more than that; yes: the one of the stage. What is \
             not listed nobody in the department may do, but see the organization, the environment and the cluster.",
        )];
        lines.extend(self.missing().map(|text| Line::new().styled(Style::Warning, text)));
        for doubt in &self.doubts {
            lines.push(Line::new().styled(Style::Warning, format!("There may be more: {doubt}.")));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Whether a row tells anything: whoever holds a role sees the scopes that it lies in.
fn is_told((kind, operation): (ResourceKind, Operation)) -> bool {
    use ResourceKind::{Cluster, Environment, Organization};
    operation != Operation::Describe || !matches!(kind, Organization | Environment | Cluster)
}

/// The word for a kind, short enough for four personas in 80 columns.
fn kind_word(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::ServiceAccount => "account",
        kind => kind.word(),
    }
}

/// Departments that may do the same, together; in the order of the first of each.
fn alike(matrices: &[Matrix]) -> Vec<(Alike<'_>, Vec<&str>)> {
    let mut groups: Vec<(Alike<'_>, Vec<&str>)> = Vec::new();
    for matrix in matrices.iter().filter(|matrix| !matrix.personas.is_empty()) {
        let mut cells = Cells::new();
        for (column, persona) in matrix.personas.iter().enumerate() {
            for (row, reaches) in matrix.reaches(persona) {
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
fn some(departments: &[&str]) -> String {
    const SHOWN: usize = 3;
    match departments.len() {
        0..=SHOWN => words::list(departments),
        count => format!(
            "{} and {} more departments",
            departments[..SHOWN].join(", "),
            count - SHOWN
        ),
    }
}

/// One line per right.
fn csv(rights: &[RightRow]) -> String {
    let header = [
        "department",
        "template",
        "persona",
        "kind",
        "operation",
        "reach",
        "role",
        "on",
    ];
    let rows = rights.iter().map(|right| {
        vec![
            right.department.as_str(),
            right.template.as_deref().unwrap_or_default(),
            &right.persona,
            right.kind.word(),
            right.operation.word(),
            right.reach.word(),
            &right.what,
            &right.on,
        ]
    });
    crate::render::csv(&header, rows)
}
