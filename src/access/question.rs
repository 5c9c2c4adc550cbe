//! The words of a question, "may somebody do this to that?": an operation, and a kind with a name. Also the words that
//! people say instead.

use super::{Operation, OperationSet, roles::everything};
use crate::{
    hint,
    model::{NamePattern, ResourceKind},
};

/// What people call an operation on any kind of resource, besides its own word: their command's or their client's word.
const SYNONYMS: [(&str, Operation); 19] = [
    ("see", Operation::Describe),
    ("view", Operation::Describe),
    ("list", Operation::Describe),
    ("remove", Operation::Delete),
    ("change", Operation::Update),
    ("consume", Operation::Read),
    ("produce", Operation::Write),
    ("register", Operation::Write),
    ("config", Operation::ReadConfig),
    ("status", Operation::ReadStatus),
    ("logs", Operation::ViewLogs),
    ("metrics", Operation::ViewMetrics),
    ("pause", Operation::Lifecycle),
    ("resume", Operation::Lifecycle),
    ("restart", Operation::Lifecycle),
    ("use", Operation::Assign),
    ("attach", Operation::Assign),
    ("grant", Operation::AlterAccess),
    ("revoke", Operation::AlterAccess),
];

/// Words that mean another operation on one kind than elsewhere.
const ON_ONE_KIND: [(ResourceKind, Operation, Operation); 2] = [
    // `confluent ebs connector update` changes the configuration.
    (ResourceKind::Connector, Operation::Update, Operation::Configure),
    (ResourceKind::Topic, Operation::Update, Operation::AlterConfigs),
];

/// What people call a kind, besides its own word and its plural.
const KIND_SYNONYMS: [(&str, ResourceKind); 6] = [
    ("consumer-group", ResourceKind::Group),
    ("account", ResourceKind::ServiceAccount),
    ("sa", ResourceKind::ServiceAccount),
    ("schema", ResourceKind::Subject),
    ("env", ResourceKind::Environment),
    ("org", ResourceKind::Organization),
];

/// What is wrong with a word, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QuestionError {
    /// The rule that it breaks, for findings.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do, a whole sentence.
    pub fix: String,
}

/// What a question is about, before it is known where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The kind of resource.
    pub kind: ResourceKind,
    /// Its name or the beginning of names; nothing for all of that kind, or the one there is.
    pub name: Option<NamePattern>,
}

/// Reads the word for a kind that can be granted on.
///
/// # Errors
/// An unknown word, with the nearest one.
pub fn kind(word: &str) -> Result<ResourceKind, QuestionError> {
    let known = ResourceKind::GRANTABLE.map(|(kind, word)| (word, kind));
    let singular = word.strip_suffix('s').unwrap_or(word);
    let mut all = known.iter().chain(&KIND_SYNONYMS);
    if let Some((_, kind)) = all.find(|(known, _)| *known == word || *known == singular) {
        return Ok(*kind);
    }
    let words = || known.iter().map(|(word, _)| *word);
    Err(QuestionError {
        rule: "unknown-kind",
        message: format!("`{}` is not a kind of resource", word.escape_debug()),
        fix: did_you_mean(word, words()),
    })
}

/// Reads `kind`, `kind/name` or `kind/begin*`; a colon does as well, as in templates.
///
/// # Errors
/// An unknown kind, an empty name, or a `*` that is not at the end.
pub fn resource(text: &str) -> Result<Resource, QuestionError> {
    let (word, name) = match text.split_once(['/', ':']) {
        Some((word, name)) => (word, Some(name)),
        None => (text, None),
    };
    let kind = kind(word)?;
    let name = match name {
        None => None,
        Some("") => {
            return Err(QuestionError {
                rule: "resource-name",
                message: format!("a name is missing after `{}`", text.escape_debug()),
                fix: format!(
                    "Write `{}/NAME`, or `{}` alone for all of them.",
                    kind.word(),
                    kind.word()
                ),
            });
        }
        Some(name) => Some(NamePattern::parse(name).map_err(|error| QuestionError {
            rule: "resource-name",
            message: error.to_string(),
            fix: "Write a whole name, or the beginning of names and a `*`.".to_owned(),
        })?),
    };
    Ok(Resource { kind, name })
}

/// Reads the word for an operation on `kind`.
///
/// # Errors
/// A word that names no operation, or one that this kind does not have.
pub fn operation(word: &str, kind: ResourceKind) -> Result<Operation, QuestionError> {
    let synonym = SYNONYMS.iter().find(|(known, _)| *known == word);
    let meant = word.parse().ok().or(synonym.map(|(_, meant)| *meant));
    let possible = everything(kind);
    let Some(meant) = meant else {
        let words = || possible.iter().map(Operation::word);
        // A word that exists elsewhere is a better guess than none.
        let elsewhere = SYNONYMS.iter().map(|(known, _)| *known);
        let near = hint::nearest(word, words()).or_else(|| hint::nearest(word, elsewhere));
        return Err(QuestionError {
            rule: "unknown-operation",
            message: format!("`{}` is not an operation", word.escape_debug()),
            fix: near.map_or_else(|| known(kind), |near| format!("Did you mean `{near}`?")),
        });
    };
    let one_kind = ON_ONE_KIND
        .iter()
        .find(|(on, general, _)| *on == kind && *general == meant);
    let meant = one_kind.map_or(meant, |(_, _, special)| *special);
    if possible.contains(meant) {
        return Ok(meant);
    }
    Err(QuestionError {
        rule: "operation-misplaced",
        message: format!("kind `{}` has no operation `{}`", kind.word(), word.escape_debug()),
        fix: known(kind),
    })
}

/// The operations that `words` name on `kind`; `*` is all of them.
///
/// # Errors
/// As for [`operation`], for the first word that is wrong.
pub fn operations(word: &str, kind: ResourceKind) -> Result<OperationSet, QuestionError> {
    match word {
        "*" => Ok(everything(kind)),
        word => operation(word, kind).map(|operation| OperationSet::of(&[operation])),
    }
}

/// What is wrong with a word that names no operation on any kind.
#[must_use]
pub fn unknown(word: &str) -> Option<QuestionError> {
    let is_known = word == "*" || word.parse::<Operation>().is_ok() || SYNONYMS.iter().any(|(known, _)| *known == word);
    let words = || Operation::ALL.iter().map(|operation| operation.word());
    (!is_known).then(|| QuestionError {
        rule: "unknown-operation",
        message: format!("`{}` is not an operation", word.escape_debug()),
        fix: did_you_mean(word, words()),
    })
}

fn known(kind: ResourceKind) -> String {
    format!("It has: {}.", everything(kind))
}

fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match hint::nearest(word, known.clone()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Known: {}.", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_of_every_kind_are_understood() {
        for (expected, word) in ResourceKind::GRANTABLE {
            assert_eq!(kind(word), Ok(expected));
            assert_eq!(kind(&format!("{word}s")), Ok(expected));
            for own in everything(expected).iter() {
                let special = ON_ONE_KIND
                    .iter()
                    .any(|(on, general, _)| *on == expected && *general == own);
                assert!(!special, "{own} of {word} would be taken for something else");
                assert_eq!(operation(own.word(), expected), Ok(own), "{word}");
            }
        }
    }

    #[test]
    fn no_synonym_hides_an_operation() {
        for (word, _) in SYNONYMS {
            assert!(word.parse::<Operation>().is_err(), "{word}");
        }
    }

    #[test]
    fn people_may_use_the_words_of_their_commands() {
        let on = |word, kind| operation(word, kind).map(Operation::word);
        assert_eq!(on("pause", ResourceKind::Connector), Ok("lifecycle"));
        assert_eq!(on("update", ResourceKind::Connector), Ok("configure"));
        assert_eq!(on("change", ResourceKind::Connector), Ok("configure"));
        assert_eq!(on("update", ResourceKind::ServiceAccount), Ok("update"));
        assert_eq!(on("consume", ResourceKind::Topic), Ok("read"));
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_nearest() {
        let said = |result: Result<_, QuestionError>| result.map_err(|error| format!("{error}. {}", error.fix));
        let on = |word, kind| said(operation(word, kind).map(drop)).unwrap_err();
        assert_eq!(
            on("delte", ResourceKind::Connector),
            "`delte` is not an operation. Did you mean `delete`?"
        );
        assert_eq!(
            on("paus", ResourceKind::Connector),
            "`paus` is not an operation. Did you mean `pause`?"
        );
        assert_eq!(
            on("pause", ResourceKind::Group),
            "kind `group` has no operation `pause`. It has: describe, delete, read, describe-access, alter-access."
        );
        assert_eq!(
            on("frobnicate", ResourceKind::TransactionalId),
            "`frobnicate` is not an operation. It has: describe, write, describe-access, alter-access."
        );
        let what = |text| said(resource(text).map(drop)).unwrap_err();
        assert_eq!(
            what("conector/claims-a"),
            "`conector` is not a kind of resource. Did you mean `connector`?"
        );
        assert!(what("cheese").contains("Known: organization, environment, cluster, topic,"));
        assert_eq!(
            what("topic/"),
            "a name is missing after `topic/`. Write `topic/NAME`, or `topic` alone for all of them."
        );
        assert!(what("topic/a*b").ends_with("Write a whole name, or the beginning of names and a `*`."));
    }

    #[test]
    fn the_first_slash_or_colon_separates() {
        let read = |text| resource(text).unwrap();
        assert_eq!(read("cluster").name, None);
        assert_eq!(
            read("subject/:.claims:x").name,
            Some(NamePattern::Literal(":.claims:x".into()))
        );
        assert_eq!(read("subject::.claims:x").name, read("subject/:.claims:x").name);
        assert_eq!(
            read("topics/claims-*").name,
            Some(NamePattern::Prefixed("claims-".into()))
        );
        assert_eq!(
            read("account/claims/runtime").name,
            Some(NamePattern::Literal("claims/runtime".into()))
        );
    }
}
