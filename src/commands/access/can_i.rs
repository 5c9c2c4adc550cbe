//! `confluent ebs access can-i`.

use serde::Serialize;

use super::{
    question::{Asked, Held, Named, doubt_lines, who},
    source::{From, Ground, Otherwise, Source},
};
use crate::{
    access::{Answer, Doubt, Operation, Permit, Scene},
    commands::{Ctx, Report},
    error::Error,
    exit::ExitCode,
    model::{Principal, ResourceKind},
    render::{Block, Line, Record, Style, Viewable},
};

/// Ask whether somebody may do something.
///
/// Answers with the role binding or ACL that allows it and where that came from. Exits with 0 for yes, with 5 for no, and with 4
/// if it cannot be told because something could not be looked at. Without "--as" and "--principal" it is about whoever
/// owns the key, or whom the profile is for. A name may end in "*": then the answer is yes only if it holds for
/// everything that begins so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask whether the operators of the department \"claims\" may delete a connector.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator

Ask the same of the platform's files, before anything is onboarded.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator --planned")]
pub(super) struct CanI {
    /// What is to be done, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// On what: a kind, and a name after a slash, such as "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    /// Ask about a persona of a department, as in "claims/operator".
    #[arg(long = "as", value_name = "string", conflicts_with = "principal")]
    as_who: Option<String>,
    /// Ask about a principal, by id or by the name of its account.
    #[arg(long, value_name = "string")]
    principal: Option<String>,
    #[command(flatten)]
    from: From,
}

impl CanI {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Answered>, Error> {
        let ground = self.from.look(ctx, Otherwise::Live)?;
        let asked = Asked::read(&ground, &self.operation, &self.resource)?;
        let principal = who(ctx, &ground, self.as_who.as_deref(), self.principal.as_deref())?;
        let answered = answer(ground, asked, &principal);
        let code = match answered.answer {
            Word::Yes => ExitCode::Ok,
            Word::No => ExitCode::Refused,
            Word::Unknown => ExitCode::Denied,
        };
        Ok(Report::new(answered).with_code(code))
    }
}

fn answer(ground: Ground, asked: Asked, principal: &Principal) -> Answered {
    let scene = &ground.scene;
    let (operation, on) = (asked.operation, &asked.crn_pattern);
    let decided = scene.can(principal, operation, on);
    let mut notes = Vec::new();
    if let (Answer::Yes(Permit::Role(through)), Some(fallback)) = (&decided, &scene.fallback)
        && !fallback.decide_pattern(principal, operation, on).is_allowed()
    {
        notes.push(format!(
            "If the service refuses {} there, the template's fallback takes its place, which does not allow it.",
            through.role
        ));
    }
    let allowed = matches!(decided, Answer::Yes(_));
    if allowed && operation == Operation::ViewMetrics && on.kind() == ResourceKind::Connector {
        // Two documents say two things (dossier `metrics.md` §6).
        notes.push(
            "So the published table of roles says. The Metrics API is documented to answer MetricsViewer and administrators \
             alone, and to refuse everybody else (assumption Q5 of `confluent ebs doctor --assumptions`)."
                .to_owned(),
        );
    }
    if let Answer::Forbidden(by) = &decided {
        let about = match by.acl.is_for_everybody() {
            true => "everybody".to_owned(),
            false => scene.title_of(&by.acl.principal),
        };
        let acl = by.acl.short();
        notes.push(format!(
            "An ACL for {about} forbids it, which nothing outweighs: {acl}."
        ));
    }
    let partly: Vec<Held> = match allowed {
        true => Vec::new(),
        false => scene
            .partly(principal, operation, on)
            .iter()
            .map(|permit| Held::new(scene, permit))
            .collect(),
    };
    if !allowed && let Some((account, by)) = scene.through_account(principal, operation, on) {
        notes.push(format!(
            "It controls {} ({} on it), which may: a connector that runs under that account does it.",
            scene.title_of(&account),
            by.role
        ));
    }
    let (word, through, doubts) = match decided {
        Answer::Yes(through) => (Word::Yes, Some(Held::new(scene, &through)), Vec::new()),
        Answer::No | Answer::Forbidden(_) => (Word::No, None, Vec::new()),
        Answer::Unknown(doubts) => (Word::Unknown, None, doubts),
    };
    Answered {
        answer: word,
        principal: Named::new(scene, principal),
        words: asked.words(scene),
        is_known: is_known(scene, principal),
        asked,
        through,
        partly,
        doubts,
        notes,
        source: ground.source,
    }
}

/// Whether the principal holds anything at all: a "no" about somebody who is not there may be a slip of the pen.
fn is_known(scene: &Scene, principal: &Principal) -> bool {
    let evaluator = &scene.evaluator;
    evaluator.any_binding(principal)
        || evaluator.acls_of(principal).next().is_some()
        || scene.names.contains_key(principal)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Yes,
    No,
    Unknown,
}

/// What `can-i` answers.
#[derive(Debug, Serialize)]
pub(super) struct Answered {
    answer: Word,
    #[serde(flatten)]
    asked: Asked,
    principal: Named,
    /// The binding or ACL that allows it.
    through: Option<Held>,
    /// Bindings and ACLs that allow it on a part of what was asked about.
    partly: Vec<Held>,
    /// What could not be looked at.
    doubts: Vec<Doubt>,
    /// What else is worth knowing.
    notes: Vec<String>,
    source: Source,
    #[serde(skip)]
    words: String,
    #[serde(skip)]
    is_known: bool,
}

impl Viewable for Answered {
    fn view(&self) -> Vec<Block> {
        let who = &self.principal.title;
        let words = &self.words;
        let (style, sentence) = match self.answer {
            Word::Yes => (Style::Ok, format!("Yes: {who} may {words}.")),
            Word::No => (Style::Error, format!("No: {who} may not {words}.")),
            Word::Unknown => (
                Style::Warning,
                format!("It cannot be told whether {who} may {words}: nothing that was seen allows it, but"),
            ),
        };
        let mut lines = vec![Line::new().styled(style, sentence)];
        lines.extend(doubt_lines(&self.doubts));
        let mut blocks = vec![Block::Lines(lines)];
        if let Some(through) = &self.through {
            let record = Record::new()
                .field("Through", through.words())
                .field("From", through.origin.to_string());
            blocks.push(Block::Record(record));
        }
        let mut lines = Vec::new();
        for held in &self.partly {
            lines.push(Line::from(format!("On a part of it: {} ({}).", held.words(), held.origin)).hang(2));
        }
        if !self.is_known {
            lines.push(Line::from(
                "No account, no role binding and no ACL of that principal was seen.",
            ));
        }
        lines.extend(self.notes.iter().map(|note| Line::from(note.as_str())));
        if self.answer == Word::Unknown {
            let hint = "A key that sees more can tell; `--planned` answers from the platform's files.";
            lines.push(Line::new().styled(Style::Hint, hint));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
