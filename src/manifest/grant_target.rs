//! `on = "kind:pattern"`: parsed first and filled in later, typed, so that no name can turn into a wider pattern.

use crate::{
    hint,
    model::{GrantTarget, NamePattern, ResourceKind},
};

/// What is wrong with an `on`, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// The rule that it breaks.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

fn target_error(message: impl Into<String>, fix: impl Into<String>) -> TargetError {
    TargetError {
        rule: "grant-target",
        message: message.into(),
        fix: Some(fix.into()),
    }
}

/// Reads an `on`. `personas` are the names that may stand in braces after `service-account:`.
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
                format!(
                    "`{word}` is the one of the stage and takes no name, but `{}` follows",
                    name.escape_debug()
                ),
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
        message: format!("`{}` is not a kind that can be granted on", word.escape_debug()),
        fix: Some(match hint::closest_match(word, known()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Known: {}.", known().collect::<Vec<_>>().join(", ")),
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
                "service accounts are granted on by id, and ids do not begin with a prefix",
                "Name the persona whose account is meant, as in `service-account:{runtime}`.",
            ));
        }
        if !rest.is_empty() {
            return Err(target_error(
                format!(
                    "`{}` follows `{{{inside}}}`, which is already the whole account",
                    rest.escape_debug()
                ),
                format!("Write `on = \"service-account:{{{inside}}}\"`."),
            ));
        }
        return match personas.contains(&inside) {
            true => Ok(GrantTarget::Account(inside.to_owned())),
            false => Err(TargetError {
                rule: "unknown-persona",
                message: format!("this template has no persona `{}`", inside.escape_debug()),
                fix: Some(super::suggest_name(inside, personas.iter().copied())),
            }),
        };
    }
    if inside != "prefix" {
        let message = format!("`{{{}}}` cannot be filled in for a {word}", inside.escape_debug());
        return Err(target_error(
            message,
            format!("Only `{{prefix}}` can, as in `{word}:{{prefix}}*`."),
        ));
    }
    match rest {
        "*" => Ok(GrantTarget::Prefix(kind)),
        "" => Err(target_error(
            format!("`{{prefix}}` alone means one {word} whose whole name is the prefix"),
            format!("Write `{word}:{{prefix}}*` for everything that begins with it."),
        )),
        name if name.contains('*') => Err(target_error(
            format!("`{}` after `{{prefix}}` is neither `*` nor a name", name.escape_debug()),
            "Write `{prefix}*` for everything that begins with the prefix, or `{prefix}` and the rest of one name.",
        )),
        name => check_characters(name).map(|()| GrantTarget::Prefixed(kind, name.to_owned())),
    }
}

fn parse_fixed(kind: ResourceKind, pattern: &str) -> Result<GrantTarget, TargetError> {
    if pattern.contains('{') {
        return Err(target_error(
            format!("`{}` does not begin with its placeholder", pattern.escape_debug()),
            "Names of a department begin with its prefix: put `{prefix}` first.",
        ));
    }
    if kind == ResourceKind::ServiceAccount && pattern.ends_with('*') {
        return Err(target_error(
            "a pattern of service accounts would reach every account of the organization",
            "Name the persona whose account is meant, as in `service-account:{runtime}`.",
        ));
    }
    let name = NamePattern::parse(pattern).map_err(|error| {
        target_error(
            error.to_string(),
            "The service knows only whole names and beginnings of names.",
        )
    })?;
    check_characters(name.stem())?;
    Ok(GrantTarget::Fixed(kind, name))
}

/// Characters that mean something in a CRN would change what is granted on.
fn check_characters(name: &str) -> Result<(), TargetError> {
    let safe = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    match name.chars().find(|c| !safe(*c)) {
        None => Ok(()),
        Some(character) => Err(target_error(
            format!("{character:?} cannot stand in a name that is granted on"),
            "Use letters, digits, `.`, `-`, `_`, and `:` for schema contexts.",
        )),
    }
}
