//! Parser for grant targets, `on = "kind:pattern"`. Parsing before resolving ensures that no name can produce a wider
//! pattern.

use crate::{
    hint,
    model::{GrantTarget, NamePattern, ResourceKind},
};

/// Error in an `on`, with a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// Rule id.
    pub rule: &'static str,
    /// Message.
    pub message: String,
    /// Suggestion.
    pub fix: Option<String>,
}

fn target_error(message: impl Into<String>, fix: impl Into<String>) -> TargetError {
    TargetError {
        rule: "grant-target",
        message: message.into(),
        fix: Some(fix.into()),
    }
}

/// Parses an `on`. `personas` are the names allowed in braces after `service-account:`.
pub fn parse(text: &str, personas: &[&str]) -> Result<GrantTarget, TargetError> {
    let (word, pattern) = match text.split_once(':') {
        Some((word, pattern)) => (word, Some(pattern)),
        None => (text, None),
    };
    let kind = parse_kind(word)?;
    if matches!(
        kind,
        ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster
    ) {
        return match pattern {
            None | Some("*") => Ok(GrantTarget::Fixed(kind, NamePattern::Prefixed(String::new()))),
            Some(name) => Err(target_error(
                format!("`{word}` takes no name, but has `{}`", name.escape_debug()),
                format!("Write `on = \"{word}\"`."),
            )),
        };
    }
    let pattern = pattern.filter(|pattern| !pattern.is_empty());
    let Some(pattern) = pattern else {
        let example = match kind {
            ResourceKind::ServiceAccount => "{runtime}",
            _ => "{prefix}*",
        };
        return Err(target_error(
            format!("`{word}` needs a name after a colon"),
            format!("Write `on = \"{word}:{example}\"`."),
        ));
    };
    match pattern.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((inside, rest)) => parse_placeholder(kind, inside, rest, personas),
        None => parse_fixed(kind, pattern),
    }
}

fn parse_kind(word: &str) -> Result<ResourceKind, TargetError> {
    let known = || ResourceKind::GRANTABLE.iter().map(|(_, word)| *word);
    let exact = ResourceKind::GRANTABLE.iter().find(|(_, known)| *known == word);
    exact.map(|(kind, _)| *kind).ok_or_else(|| TargetError {
        rule: "unknown-kind",
        message: format!("grants on kind `{}` are not supported", word.escape_debug()),
        fix: Some(match hint::closest_match(word, known()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known kinds: {}.", known().collect::<Vec<_>>().join(", ")),
        }),
    })
}

fn parse_placeholder(
    kind: ResourceKind,
    inside: &str,
    rest: &str,
    personas: &[&str],
) -> Result<GrantTarget, TargetError> {
    let word = kind.display_name();
    if kind == ResourceKind::ServiceAccount {
        if inside == "prefix" {
            return Err(target_error(
                "`{prefix}` is not allowed for service accounts, because their ids have no prefix",
                "Name the persona of the account, as in `service-account:{runtime}`.",
            ));
        }
        if !rest.is_empty() {
            return Err(target_error(
                format!("unexpected `{}` after `{{{inside}}}`", rest.escape_debug()),
                format!("Write `on = \"service-account:{{{inside}}}\"`."),
            ));
        }
        return match personas.contains(&inside) {
            true => Ok(GrantTarget::Account(inside.to_owned())),
            false => Err(TargetError {
                rule: "unknown-persona",
                message: format!("no persona `{}` in this template", inside.escape_debug()),
                fix: Some(super::suggest_name(inside, personas.iter().copied())),
            }),
        };
    }
    if inside != "prefix" {
        let message = format!("`{{{}}}` is not supported for a {word}", inside.escape_debug());
        return Err(target_error(
            message,
            format!("Use `{{prefix}}`, as in `{word}:{{prefix}}*`."),
        ));
    }
    match rest {
        "*" => Ok(GrantTarget::Prefix(kind)),
        "" => Err(target_error(
            format!("`{{prefix}}` alone would match only a {word} named exactly like the prefix"),
            format!("Write `{word}:{{prefix}}*` for all names with the prefix."),
        )),
        rest => match NamePattern::parse(rest) {
            Ok(names) => check_characters(names.stem()).map(|()| GrantTarget::Prefixed(kind, names)),
            Err(_) => Err(target_error(
                format!(
                    "`{}` after `{{prefix}}` is neither a name nor a beginning of names",
                    rest.escape_debug()
                ),
                "Write `{prefix}*` for all names with the prefix, `{prefix}audit-*` for some of them, or `{prefix}` and \
                 the rest of one name.",
            )),
        },
    }
}

fn parse_fixed(kind: ResourceKind, pattern: &str) -> Result<GrantTarget, TargetError> {
    if pattern.contains('{') {
        return Err(target_error(
            format!(
                "the placeholder in `{}` is not at the beginning",
                pattern.escape_debug()
            ),
            "Put `{prefix}` first, because names of a department begin with its prefix.",
        ));
    }
    if kind == ResourceKind::ServiceAccount && pattern.ends_with('*') {
        return Err(target_error(
            "a prefix of service account ids would cover accounts of all departments",
            "Name the persona of the account, as in `service-account:{runtime}`.",
        ));
    }
    let name = NamePattern::parse(pattern)
        .map_err(|error| target_error(error.to_string(), "Write a complete name, or a prefix followed by `*`."))?;
    check_characters(name.stem())?;
    Ok(GrantTarget::Fixed(kind, name))
}

/// Checks that the name contains no characters with a meaning in CRNs, which could change the target.
fn check_characters(name: &str) -> Result<(), TargetError> {
    let safe = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    match name.chars().find(|c| !safe(*c)) {
        None => Ok(()),
        Some(character) => Err(target_error(
            format!("{character:?} is not allowed in the name of a grant target"),
            "Use letters, digits, `.`, `-`, `_`, and `:` for schema contexts.",
        )),
    }
}
