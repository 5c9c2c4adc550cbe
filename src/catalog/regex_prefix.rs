//! Proof that every match of a regular expression starts with a prefix. The answer is no if that cannot be proved.

use regex_syntax::{
    Error, ParserBuilder,
    ast::ErrorKind,
    hir::{Hir, Look, literal::Extractor},
};

/// Returns whether every name that `regex` matches starts with `prefix`. Kafka matches whole names, so a leading `^` is
/// optional.
///
/// Kafka uses Java's syntax. What `regex-syntax` does not know, such as `\Q`, proves nothing, and neither does an
/// assertion other than `^` and `$`, because `\<` is a plain `<` in Java.
pub(super) fn always_starts_with(regex: &str, prefix: &str) -> bool {
    parse(regex).is_some_and(|hir| hir_starts_with(&hir, prefix))
}

/// Returns whether every match of a parsed expression starts with `prefix`.
pub(super) fn hir_starts_with(hir: &Hir, prefix: &str) -> bool {
    let mut assertions = hir.properties().look_set().iter();
    if assertions.any(|look| !matches!(look, Look::Start | Look::StartLF | Look::End | Look::EndLF)) {
        return false;
    }
    let beginnings = Extractor::new().limit_literal_len(prefix.len()).extract(hir);
    // There are no literals if the number of beginnings is not finite, or above the limit of the extractor.
    beginnings.literals().is_some_and(|literals| {
        literals
            .iter()
            .all(|literal| literal.as_bytes().starts_with(prefix.as_bytes()))
    })
}

/// Parses `regex` with Java's meaning of `\d` and `\w` (ASCII).
///
/// A look-around only removes matches, and consumes nothing. It is replaced by a group that may be empty, so that the
/// result matches at least as much as `regex`.
pub(super) fn parse(regex: &str) -> Option<Hir> {
    let mut regex = regex.to_owned();
    loop {
        match ParserBuilder::new().unicode(false).utf8(false).build().parse(&regex) {
            Ok(hir) => return Some(hir),
            Err(Error::Parse(error)) if *error.kind() == ErrorKind::UnsupportedLookAround => {
                regex.replace_range(error.span().start.offset..error.span().end.offset, "(?:|");
            }
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchored_expressions_start_with_the_prefix() {
        for regex in [
            "claims-.*",
            "^claims-.*",
            "^claims-.*$",
            r"claims\-.*",
            "claims[-].*",
            "claims-(orders|items)",
            "(claims-orders|claims-items)",
            "(?:claims-a|claims-b).*",
            "claims-orders|claims-items",
            "c(laims-a|laims-b)",
            "claims-+x",
            "claims-++x",
            r"claims-\d+",
            "(claims-)+",
            "(claims-){2}x",
            "claims-",
            "claims-(?!internal|x).*",
            "claims-(?<=-).*(?=b)",
        ] {
            assert!(always_starts_with(regex, "claims-"), "{regex}");
        }
        assert!(always_starts_with(r"claims\.orders", "claims."));
        assert!(always_starts_with("claims[.]orders", "claims."));
    }

    #[test]
    fn other_expressions_do_not_start_with_the_prefix() {
        for regex in [
            ".*",
            "",
            "claims",
            "claims-*",
            "claims-?x",
            "claims-{0,1}x",
            "claims.orders",
            ".*claims-.*",
            "(claims-)?orders",
            "(claims-)*orders",
            "claims-a|fraud-b",
            "(claims-a|fraud-b)",
            "(?i)claims-.*",
            "[cf]laims-.*",
            "[^c]laims-.*",
            r"\claims-.*",
            "(claims-.*",
            "claims-.*)",
            "claims-a|",
            "|claims-a",
            r"\<claims-.*",
            r"\Qclaims-\E.*",
            "(?!fraud)claims-.*",
            "(claims-){0}x",
        ] {
            assert!(!always_starts_with(regex, "claims-"), "{regex}");
        }
        assert!(
            !always_starts_with("claims.orders", "claims."),
            "a dot is any character"
        );
        // More beginnings than the limit of the extractor prove nothing, so that the search always ends.
        let bomb = "(a|b)".repeat(40);
        assert!(!always_starts_with(&bomb, &"a".repeat(40)));
    }
}
