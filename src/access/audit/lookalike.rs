//! Names that people take for each other.

use unicode_security::skeleton;

/// Returns the form that names have in common if they differ only in case, or in characters that look alike: the
/// skeleton of Unicode TR39 (`confusables.txt`), in lower case. In addition to the table, `i` equals `1`, `l` and `I`,
/// and `_` equals `-`; invisible characters are removed.
pub(super) fn fold_lookalikes(name: &str) -> String {
    let visible: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    // The table is case-sensitive: it maps `I` and Cyrillic capitals to Latin letters, some of them capitals.
    let lower = skeleton(&visible).collect::<String>().to_lowercase();
    let folded = skeleton(&lower).map(|c| match c {
        'i' => 'l',
        '_' => '-',
        other => other,
    });
    folded.collect()
}

/// Whether a character has no width of its own: soft hyphen, zero-width and direction characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::fold_lookalikes;

    // Source: Unicode TR39, `confusables.txt`.
    #[test]
    fn names_that_look_alike_have_one_form() {
        let name = "ebs-prod-claims-0perator1";
        for alike in [
            "EBS-PROD-CLAIMS-0PERATOR1",
            "ebs_prod_claims_0perator1",
            "ebs-prod-claims-Operator1",
            "ebs-prod-claims-0peratorl",
            "ebs-prod-cIaims-0peratorI",
            // Cyrillic `е`, `р`, `о`, `с`, `а`, and Greek `ο`.
            "\u{435}bs-prod-claims-0perator1",
            "ebs-\u{440}r\u{43e}d-\u{441}l\u{430}ims-0perator1",
            "ebs-pr\u{3bf}d-claims-0perator1",
            // A hyphen of another block, and an invisible character.
            "ebs\u{2010}prod-claims-0perator1",
            "ebs-prod-\u{200b}claims-0perator1",
        ] {
            assert_eq!(
                fold_lookalikes(alike),
                fold_lookalikes(name),
                "{}",
                alike.escape_unicode()
            );
        }
        for other in [
            "ebs-prod-claims-0perator",
            "ebs-prod-claim-0perator1",
            "ebs-prod-fraud-0perator1",
        ] {
            assert_ne!(fold_lookalikes(other), fold_lookalikes(name), "{other}");
        }
    }
}
