//! Rules of the linter, one file each. To add one, write the file and add it to [`RULES`].

use super::rule::LintRule;

pub mod auth_mode;
pub mod backslash_in_secret;
pub mod connector_name;
pub mod connector_naming;
pub mod credential_in_value;
pub mod dead_letter_loop;
pub mod duplicate_key;
pub mod file_name;
pub mod foreign_dead_letters;
pub mod foreign_group;
pub mod foreign_name;
pub mod foreign_runtime_account;
pub mod foreign_topic;
pub mod literal_secret;
pub mod masked_value;
pub mod missing_key;
pub mod not_a_string;
pub mod one_of;
pub mod out_of_range;
pub mod placeholder;
pub mod plugin_not_allowed;
pub mod secret_reference;
pub mod self_managed;
pub mod server_key;
pub mod several_classes;
pub mod silent_errors;
pub mod tasks_max;
pub mod transform;
pub mod unknown_key;
pub mod unknown_plugin;
pub mod value_not_allowed;
pub mod weak_secret;
pub mod wrong_type;

/// All rules, sorted by id.
pub const RULES: &[LintRule] = &[
    auth_mode::RULE,
    backslash_in_secret::RULE,
    connector_name::RULE,
    connector_naming::RULE,
    credential_in_value::RULE,
    dead_letter_loop::RULE,
    duplicate_key::RULE,
    file_name::RULE,
    foreign_dead_letters::RULE,
    foreign_group::RULE,
    foreign_name::RULE,
    foreign_runtime_account::RULE,
    foreign_topic::RULE,
    literal_secret::RULE,
    masked_value::RULE,
    missing_key::RULE,
    not_a_string::RULE,
    one_of::RULE,
    out_of_range::RULE,
    placeholder::RULE,
    plugin_not_allowed::RULE,
    secret_reference::RULE,
    self_managed::RULE,
    server_key::RULE,
    several_classes::RULE,
    silent_errors::RULE,
    tasks_max::RULE,
    transform::RULE,
    unknown_key::RULE,
    unknown_plugin::RULE,
    value_not_allowed::RULE,
    weak_secret::RULE,
    wrong_type::RULE,
];

/// Returns the rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static LintRule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_kebab_case_and_documented() {
        for pair in RULES.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} {}", pair[0].id, pair[1].id);
        }
        for rule in RULES {
            assert!(
                rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{}",
                rule.id
            );
            assert!(
                !rule.summary.ends_with('.') && rule.explanation.ends_with('.'),
                "{}",
                rule.id
            );
            assert!(find(rule.id).is_some());
        }
        assert!(find("no-such-rule").is_none());
    }
}
