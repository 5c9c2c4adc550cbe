//! `confluent ebs access who-can`.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use super::{
    question::{Asked, Held, doubt_lines},
    source::{From, Otherwise, Source},
};
use crate::{
    access::{Doubt, Permit},
    commands::{Ctx, Report},
    error::Error,
    model::Principal,
    render::{Block, Line, Style, Table, Viewable, words},
};

/// Ask who may do something.
///
/// Lists every principal with the role binding or ACL that allows it and where that came from: a template with its version and
/// reason, the provisioner's work, or by hand. A name may end in "*": then everybody is listed who may do it to anything
/// that begins so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask who may delete a connector.

  $ confluent ebs access who-can delete connector/claims-orders

Ask who may use an account as the identity of a connector.

  $ confluent ebs access who-can assign service-account/claims/runtime")]
pub(super) struct WhoCan {
    /// What is to be done, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// On what: a kind, and a name after a slash, such as "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    #[command(flatten)]
    from: From,
}

impl WhoCan {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Everybody>, Error> {
        let ground = self.from.look(ctx, Otherwise::Live)?;
        let asked = Asked::read(&ground, &self.operation, &self.resource)?;
        let scene = &ground.scene;
        let found = scene.who_can(asked.operation, &asked.crn_pattern);
        let mut grants: Vec<Held> = found.iter().map(|permit| Held::new(scene, permit)).collect();
        grants.sort_by_cached_key(|grant| grant.cells(0));
        let able: BTreeSet<&Principal> = found.iter().map(Permit::principal).collect();
        let controllers: BTreeSet<_> = able.iter().flat_map(|account| scene.controllers(account)).collect();
        let controllers = controllers
            .iter()
            .filter(|binding| !able.contains(&binding.principal))
            .map(|binding| Held::new(scene, &Permit::Role(Arc::clone(binding))));
        Ok(Report::new(Everybody {
            controllers: controllers.collect(),
            words: asked.words(scene),
            grants,
            doubts: scene.doubts(None, asked.operation, &asked.crn_pattern),
            asked,
            source: ground.source,
        }))
    }
}

/// How many of those who can by way of an account are shown to people.
const CONTROLLERS: usize = 4;

/// What `who-can` answers.
#[derive(Debug, Serialize)]
pub(super) struct Everybody {
    #[serde(flatten)]
    asked: Asked,
    /// The bindings and ACLs that allow it.
    grants: Vec<Held>,
    /// Bindings that make one of these accounts act for somebody else.
    controllers: Vec<Held>,
    /// What could not be looked at.
    doubts: Vec<Doubt>,
    source: Source,
    #[serde(skip)]
    words: String,
}

impl Viewable for Everybody {
    fn view(&self) -> Vec<Block> {
        let asked = &self.words;
        let mut blocks = Vec::new();
        if self.grants.is_empty() {
            let who = if self.doubts.is_empty() {
                "Nobody"
            } else {
                "Nobody who was seen"
            };
            blocks.push(Block::line(format!("{who} may {asked}.")));
        } else {
            let mut table = Table::new(["Principal", "Role", "On", "From"]);
            for (grant, more) in together(&self.grants) {
                table.push(grant.cells(more));
            }
            blocks.push(Block::titled(format!("Who may {asked}"), [Block::Table(table)]));
            // Many hold the same for the same reason.
            let reasons: BTreeSet<String> = self.grants.iter().filter_map(Held::reason).collect();
            if !reasons.is_empty() {
                let line = |reason: String| Line::new().styled(Style::Muted, format!("  {reason}")).hang(4);
                let lines = std::iter::once(Line::from("Why:")).chain(reasons.into_iter().map(line));
                blocks.push(Block::Lines(lines.collect()));
            }
        }
        let mut lines = Vec::new();
        for held in self.controllers.iter().take(CONTROLLERS) {
            let text = format!(
                "Also {}, by way of that account: {}.",
                held.principal.title,
                held.words()
            );
            lines.push(Line::from(text).hang(2));
        }
        let more = self.controllers.len().saturating_sub(CONTROLLERS);
        if more > 0 {
            let text = format!(
                "And {} more, by way of others of these accounts.",
                words::count(more, "role binding")
            );
            lines.push(Line::from(text));
        }
        if !self.doubts.is_empty() {
            lines.push(Line::new().styled(Style::Warning, "There may be more:"));
            lines.extend(doubt_lines(&self.doubts));
        }
        lines.push(self.source.line());
        lines.extend(self.source.limit().map(Line::from));
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Bindings that differ only in the resource they are on, as the first of them and how many more there are: whoever owns
/// all accounts would fill the screen.
fn together(grants: &[Held]) -> Vec<(&Held, usize)> {
    let mut rows: Vec<(&Held, usize)> = Vec::new();
    for grant in grants {
        match rows.last_mut() {
            Some((first, more)) if first.is_like(grant) => *more += 1,
            _ => rows.push((grant, 0)),
        }
    }
    rows
}
