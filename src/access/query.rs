//! Parser for access queries: an operation, and a resource kind with a name; accepts common synonyms.

use super::{Operation, OperationSet, roles::all_operations};
use crate::{
    hint,
    model::{NamePattern, ResourceKind},
};

/// Synonyms for operations on any resource kind, taken from commands and clients.
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

/// Operations whose name means a different operation on one kind.
const KIND_SPECIFIC_OPERATIONS: [(ResourceKind, Operation, Operation); 2] = [
    // `confluent ebs connector update` changes the configuration.
    (ResourceKind::Connector, Operation::Update, Operation::Configure),
    (ResourceKind::Topic, Operation::Update, Operation::AlterConfigs),
];

/// Synonyms for resource kinds, besides the plural.
const KIND_SYNONYMS: [(&str, ResourceKind); 6] = [
    ("consumer-group", ResourceKind::Group),
    ("account", ResourceKind::ServiceAccount),
    ("sa", ResourceKind::ServiceAccount),
    ("schema", ResourceKind::Subject),
    ("env", ResourceKind::Environment),
    ("org", ResourceKind::Organization),
];

/// Error of a query, with a suggestion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Rule id for findings.
    pub rule: &'static str,
    /// Description of the error, without the suggestion.
    pub message: String,
    /// Suggestion, a whole sentence.
    pub fix: String,
}

/// Resource of a query, not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceQuery {
    /// Kind of the resource, such as a topic or a connector.
    pub kind: ResourceKind,
    /// Name or name prefix; `None` for all resources of the kind, or for the single one.
    pub name: Option<NamePattern>,
}

/// Parses a resource kind that can be granted on.
///
/// # Errors
/// An unknown kind, with the nearest known one.
pub fn parse_kind(word: &str) -> Result<ResourceKind, QueryError> {
    let known = ResourceKind::GRANTABLE.map(|(kind, word)| (word, kind));
    let singular = word.strip_suffix('s').unwrap_or(word);
    let mut all = known.iter().chain(&KIND_SYNONYMS);
    if let Some((_, kind)) = all.find(|(known, _)| *known == word || *known == singular) {
        return Ok(*kind);
    }
    let words = || known.iter().map(|(word, _)| *word);
    Err(QueryError {
        rule: "unknown-kind",
        message: format!("`{}` is not a kind of resource", word.escape_debug()),
        fix: suggest_word(word, words()),
    })
}

/// Parses `kind`, `kind/name` or `kind/prefix*`; a colon also separates, as in templates.
///
/// # Errors
/// An unknown kind, an empty name, or a `*` that is not at the end.
pub fn parse_resource(text: &str) -> Result<ResourceQuery, QueryError> {
    let (word, name) = match text.split_once(['/', ':']) {
        Some((word, name)) => (word, Some(name)),
        None => (text, None),
    };
    let kind = parse_kind(word)?;
    let name = match name {
        None => None,
        Some("") => {
            return Err(QueryError {
                rule: "resource-name",
                message: format!("missing name after `{}`", text.escape_debug()),
                fix: format!(
                    "Write `{}/NAME`, or `{}` for all of them.",
                    kind.display_name(),
                    kind.display_name()
                ),
            });
        }
        Some(name) => Some(NamePattern::parse(name).map_err(|error| QueryError {
            rule: "resource-name",
            message: error.to_string(),
            fix: "Write a complete name, or a prefix followed by `*`.".to_owned(),
        })?),
    };
    Ok(ResourceQuery { kind, name })
}

/// Parses an operation on `kind`.
///
/// # Errors
/// An unknown operation, or one that does not exist on this kind.
pub fn parse_operation(word: &str, kind: ResourceKind) -> Result<Operation, QueryError> {
    let synonym = SYNONYMS.iter().find(|(known, _)| *known == word);
    let meant = word.parse().ok().or(synonym.map(|(_, meant)| *meant));
    let possible = all_operations(kind);
    let Some(meant) = meant else {
        let words = || possible.iter().map(Operation::as_str);
        // Prefer an operation of another kind over no suggestion.
        let elsewhere = SYNONYMS.iter().map(|(known, _)| *known);
        let near = hint::closest_match(word, words()).or_else(|| hint::closest_match(word, elsewhere));
        return Err(QueryError {
            rule: "unknown-operation",
            message: format!("`{}` is not an operation", word.escape_debug()),
            fix: near.map_or_else(|| list_operations(kind), |near| format!("Did you mean `{near}`?")),
        });
    };
    let one_kind = KIND_SPECIFIC_OPERATIONS
        .iter()
        .find(|(on, general, _)| *on == kind && *general == meant);
    let meant = one_kind.map_or(meant, |(_, _, special)| *special);
    if possible.contains(meant) {
        return Ok(meant);
    }
    Err(QueryError {
        rule: "operation-misplaced",
        message: format!(
            "kind `{}` has no operation `{}`",
            kind.display_name(),
            word.escape_debug()
        ),
        fix: list_operations(kind),
    })
}

/// Parses one operation on `kind`; `*` means all operations.
///
/// # Errors
/// As for [`parse_operation`].
pub fn parse_operations(word: &str, kind: ResourceKind) -> Result<OperationSet, QueryError> {
    match word {
        "*" => Ok(all_operations(kind)),
        word => parse_operation(word, kind).map(|operation| OperationSet::new(&[operation])),
    }
}

/// Returns an error if `word` is not an operation on any kind.
#[must_use]
pub fn check_operation_word(word: &str) -> Option<QueryError> {
    let is_known = word == "*" || word.parse::<Operation>().is_ok() || SYNONYMS.iter().any(|(known, _)| *known == word);
    let words = || Operation::ALL.iter().map(|operation| operation.as_str());
    (!is_known).then(|| QueryError {
        rule: "unknown-operation",
        message: format!("`{}` is not an operation", word.escape_debug()),
        fix: suggest_word(word, words()),
    })
}

fn list_operations(kind: ResourceKind) -> String {
    format!("Known operations: {}.", all_operations(kind))
}

fn suggest_word<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match hint::closest_match(word, known.clone()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Known: {}.", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_and_operations_are_parsed() {
        for (expected, word) in ResourceKind::GRANTABLE {
            assert_eq!(parse_kind(word), Ok(expected));
            assert_eq!(parse_kind(&format!("{word}s")), Ok(expected));
            for own in all_operations(expected).iter() {
                let special = KIND_SPECIFIC_OPERATIONS
                    .iter()
                    .any(|(on, general, _)| *on == expected && *general == own);
                assert!(!special, "`{own}` of `{word}` is parsed as another operation");
                assert_eq!(parse_operation(own.as_str(), expected), Ok(own), "{word}");
            }
        }
    }

    #[test]
    fn no_synonym_equals_an_operation_name() {
        for (word, _) in SYNONYMS {
            assert!(word.parse::<Operation>().is_err(), "{word}");
        }
    }

    #[test]
    fn cli_synonyms_are_parsed() {
        let on = |word, kind| parse_operation(word, kind).map(Operation::as_str);
        assert_eq!(on("pause", ResourceKind::Connector), Ok("lifecycle"));
        assert_eq!(on("update", ResourceKind::Connector), Ok("configure"));
        assert_eq!(on("change", ResourceKind::Connector), Ok("configure"));
        assert_eq!(on("update", ResourceKind::ServiceAccount), Ok("update"));
        assert_eq!(on("consume", ResourceKind::Topic), Ok("read"));
    }

    #[test]
    fn an_unknown_word_yields_the_nearest_known_one() {
        let said = |result: Result<_, QueryError>| result.map_err(|error| format!("{error}. {}", error.fix));
        let on = |word, kind| said(parse_operation(word, kind).map(drop)).unwrap_err();
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
            "kind `group` has no operation `pause`. Known operations: describe, delete, read, describe-access, alter-access."
        );
        assert_eq!(
            on("frobnicate", ResourceKind::TransactionalId),
            "`frobnicate` is not an operation. Known operations: describe, write, describe-access, alter-access."
        );
        let what = |text| said(parse_resource(text).map(drop)).unwrap_err();
        assert_eq!(
            what("conector/claims-a"),
            "`conector` is not a kind of resource. Did you mean `connector`?"
        );
        assert!(what("cheese").contains("Known: organization, environment, cluster, topic,"));
        assert_eq!(
            what("topic/"),
            "missing name after `topic/`. Write `topic/NAME`, or `topic` for all of them."
        );
        assert!(what("topic/a*b").ends_with("Write a complete name, or a prefix followed by `*`."));
    }

    #[test]
    fn a_resource_is_split_at_the_first_slash_or_colon() {
        let read = |text| parse_resource(text).unwrap();
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
