//! Hints: suggestions that accompany an error.

/// Name of the platform team in messages, unless its configuration names it.
pub const PLATFORM_TEAM: &str = "the platform team";

/// Hint: a whole sentence, with commands in backticks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    sentence: String,
    /// Position of [`PLATFORM_TEAM`] in the sentence, if the configured name can take its place.
    platform_team: Option<usize>,
}

impl Hint {
    /// Creates a hint from a sentence that ends in a full stop.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            platform_team: None,
        }
    }

    /// Creates a hint that names the platform team; `sentence` receives the name.
    /// [`Self::for_platform_team`] replaces it by the configured one.
    pub fn naming_platform_team(sentence: impl FnOnce(&str) -> String) -> Self {
        const MARK: &str = "\u{0}";
        let sentence = sentence(MARK);
        Self {
            platform_team: sentence.find(MARK),
            sentence: sentence.replacen(MARK, PLATFORM_TEAM, 1),
        }
    }

    /// Returns the hint with the configured name of the platform team.
    #[must_use]
    pub fn for_platform_team(mut self, name: &str) -> Self {
        if let Some(at) = self.platform_team.take() {
            self.sentence.replace_range(at..at + PLATFORM_TEAM.len(), name);
        }
        self
    }

    /// Creates the hint of an incomplete run.
    #[must_use]
    pub fn rerun() -> Self {
        Self::new("Re-run the command to finish; completed steps are skipped.")
    }

    /// Returns the sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.sentence
    }
}

impl<T: Into<String>> From<T> for Hint {
    fn from(sentence: T) -> Self {
        Self::new(sentence)
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.sentence)
    }
}

/// Errors that provide hints.
pub trait Advice {
    /// Returns the hints; empty if none is useful.
    fn hints(&self) -> Vec<Hint>;
}

/// Returns the closest match in `known` for "did you mean": at most a third of its characters differ.
#[must_use]
pub fn closest_match<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let length = written.chars().count();
    let limit = (length / 3).max(1);
    let distance = |name: &str| {
        let name = name.to_lowercase();
        // The distance is at least the difference of the lengths, and slow to compute.
        let is_possible = name.chars().count().abs_diff(length) <= limit;
        is_possible.then(|| strsim::damerau_levenshtein(&written, &name))
    };
    known
        .into_iter()
        .filter_map(|name| Some((distance(name)?, name)))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Returns the name in `known` of which `written` is a misspelling: equal without separators and case, or at most two
/// edits away. Names that differ only in their numbers (`HttpSinkV2`, `us-east-1`) are different names.
#[must_use]
pub fn misspelling_of<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const MOST_EDITS: usize = 2;
    let limit = (written.chars().count() / 4).clamp(1, MOST_EDITS);
    let letters = |text: &str| {
        let text = text.to_lowercase();
        let base = text.trim_end_matches(|c: char| c.is_ascii_digit());
        // `V2`
        let base = if base.len() < text.len() {
            base.trim_end_matches('v')
        } else {
            base
        };
        base.replace(|c: char| !c.is_alphabetic(), "")
    };
    let plain = |text: &str| text.to_lowercase().replace(['.', '_', '-', ' '], "");
    let distance = |name: &str| match plain(written) == plain(name) {
        true => Some(0),
        false if letters(written) == letters(name) => None,
        false => Some(strsim::damerau_levenshtein(
            &written.to_lowercase(),
            &name.to_lowercase(),
        )),
    };
    let candidates = known.into_iter().filter_map(|name| Some((distance(name)?, name)));
    candidates
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Quotes an argument for a command to paste: in single quotes if a shell would interpret it. POSIX shells and
/// PowerShell expand nothing inside single quotes.
#[must_use]
pub fn shell_quote(argument: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-/:,+".contains(c) || (cfg!(windows) && c == '\\');
    match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

/// Returns the argument that selects a connector in a command to paste: its name, or its id if the name would be read
/// as a flag or pattern or contains characters that cannot be typed.
#[must_use]
pub fn connector_arg(id: &str, name: &str) -> String {
    let misread = |text: &str| text.is_empty() || text.starts_with('-') || text.contains(|c: char| c.is_control());
    if !misread(name) && !name.contains(['*', '?']) {
        shell_quote(name)
    } else if !misread(id) {
        shell_quote(id)
    } else {
        "ID".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Hint, closest_match, connector_arg, misspelling_of, shell_quote};

    #[test]
    fn a_configured_name_replaces_the_platform_team_only_where_the_hint_names_it() {
        let named = |hint: &Hint| hint.clone().for_platform_team("EBS (ebs@example.com)").to_string();
        let hint = Hint::naming_platform_team(|team| format!("Ask {team} to raise the quota."));
        assert_eq!(hint.as_str(), "Ask the platform team to raise the quota.");
        assert_eq!(named(&hint), "Ask EBS (ebs@example.com) to raise the quota.");
        let fixed = Hint::new("As the platform team, run `confluent ebs init`.");
        assert_eq!(named(&fixed), fixed.as_str());
    }

    #[test]
    fn a_quoted_argument_is_one_shell_word_without_expansion() {
        for (argument, expected) in [
            ("claims-orders_v1.2", "claims-orders_v1.2"),
            ("operators/claims.toml", "operators/claims.toml"),
            ("claims-big lake", "'claims-big lake'"),
            ("$(touch /tmp/pwn)", "'$(touch /tmp/pwn)'"),
            ("`id`", "'`id`'"),
            ("a\"; id; \"", "'a\"; id; \"'"),
            ("it's", r"'it'\''s'"),
            ("a\\", if cfg!(windows) { "a\\" } else { r"'a\'" }),
            ("~root", "'~root'"),
            ("=ls", "'=ls'"),
            ("a!b", "'a!b'"),
            ("a=b;c&d|e>f", "'a=b;c&d|e>f'"),
            ("", "''"),
        ] {
            assert_eq!(shell_quote(argument), expected, "{argument:?}");
        }
    }

    #[test]
    fn a_connector_whose_name_is_not_a_plain_argument_is_given_by_id() {
        for (id, name, expected) in [
            ("lcc-1", "claims-orders", "claims-orders"),
            ("lcc-1", "$(id)", "'$(id)'"),
            ("lcc-1", "--all", "lcc-1"),
            ("lcc-1", "claims\nid", "lcc-1"),
            ("lcc-1", "claims\u{1b}[2K", "lcc-1"),
            ("lcc-1", "claims-*", "lcc-1"),
            // Without an id, the service returns the name in its place.
            ("--all", "--all", "ID"),
            ("claims-*", "claims-*", "'claims-*'"),
        ] {
            assert_eq!(connector_arg(id, name), expected, "{name:?}");
        }
    }

    #[test]
    fn the_closest_match_finds_a_transposition_and_rejects_an_unrelated_name() {
        assert_eq!(
            closest_match("quickstrat", ["quickstart", "topics"]),
            Some("quickstart")
        );
        assert_eq!(closest_match("zebra", ["quickstart", "topics"]), None);
        assert_eq!(
            closest_match("Developerread", ["DeveloperRead", "DeveloperWrite"]),
            Some("DeveloperRead")
        );
    }
    #[test]
    fn a_misspelling_is_a_small_edit_and_no_other_version() {
        for (written, known, expected) in [
            ("quickstrat", "quickstart", true),
            ("flushSize", "flush.size", true),
            ("aws_access_key_id", "aws.access.key.id", true),
            ("avro", "AVRO", true),
            ("database.dbname", "database.hostname", false),
            ("database.names", "database.user", false),
            ("MongoDbCdcSource", "DynamoDbCdcSource", false),
            ("ElasticsearchSinkV2", "ElasticsearchSink", false),
            ("HttpSinkV3", "HttpSinkV2", false),
            ("eu-west-2", "eu-west-1", false),
            ("STRING", "AVRO", false),
        ] {
            assert_eq!(
                misspelling_of(written, [known]).is_some(),
                expected,
                "{written} {known}"
            );
        }
    }
}
