//! Checks of the selected profile, its file, and keys in the environment.

use std::collections::BTreeMap;

use super::CheckResult;
use crate::{
    catalog::secret::VARIABLE_PREFIX,
    config::{CredentialsError, LoadedProfile, SettingSource, git::GitError},
    diag::Finding,
    env,
    hint::Advice,
    model::ApiKeyId,
    session::Options,
};

/// Selected profile.
#[derive(Debug)]
pub struct NamedProfile<'a> {
    /// Name or file, as written.
    pub written: &'a str,
    /// Source of the selection.
    pub source: &'a SettingSource,
    /// Loaded profile, or its errors.
    pub loaded: Result<&'a LoadedProfile, &'a [Finding]>,
    /// Reason why Git would commit the file.
    pub in_git: Option<GitError>,
}

/// State of the caller's API key.
#[derive(Debug)]
pub enum DoctorKeyState {
    /// Key id and source.
    Present(ApiKeyId, String),
    /// The sandbox impersonates a principal; the text names it.
    Impersonating(String),
    /// No key is configured.
    Missing(CredentialsError),
    /// The sandbox cannot use a key: reason and suggestion.
    Unusable(String, String),
    /// Not checked, with the reason; another check reports it.
    Skipped(&'static str),
}

impl DoctorKeyState {
    /// Returns the id of the key, if one was found.
    #[must_use]
    pub fn key(&self) -> Option<&ApiKeyId> {
        match self {
            Self::Present(id, _) => Some(id),
            _ => None,
        }
    }
}

/// API keys and secrets in environment variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentKeys {
    /// Whether the key id is set, and whether it is plausible.
    pub id: Option<bool>,
    /// Whether the secret is set, and whether it contains no whitespace.
    pub secret: Option<bool>,
    /// Number of variables with values for connector files.
    pub values: usize,
    /// Whether these variables are ignored, as in the sandbox.
    pub ignored: bool,
    /// Whether the profile's key takes precedence.
    pub overridden: bool,
}

impl EnvironmentKeys {
    /// Reads `variables` and keeps none of their values.
    #[must_use]
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Self {
        let value = |name: &str| {
            variables
                .get(name)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        Self {
            id: value(env::CONFLUENT_CLOUD_API_KEY).map(ApiKeyId::is_plausible),
            secret: value(env::CONFLUENT_CLOUD_API_SECRET).map(|secret| !secret.contains(char::is_whitespace)),
            values: variables
                .keys()
                .filter(|name| name.starts_with(VARIABLE_PREFIX))
                .count(),
            ..Self::default()
        }
    }
}

/// Checks the profile.
#[must_use]
pub fn check_profile(named: Option<&NamedProfile<'_>>) -> CheckResult {
    const NAME: &str = "profile";
    let Some(named) = named else {
        return CheckResult::ok(NAME, "none selected");
    };
    let whence = format!("{} ({})", named.written, named.source);
    match named.loaded {
        Ok(loaded) => {
            let facts = &loaded.profile.facts;
            CheckResult::ok(
                NAME,
                format!(
                    "{whence}: {} of {}, stage {}, issued {}",
                    facts.persona, facts.department, facts.stage, loaded.profile.issued
                ),
            )
        }
        Err(findings) => {
            let first = findings.first();
            let place = first
                .and_then(|finding| finding.span.as_ref())
                .map(crate::diag::SourceSpan::location);
            let what = first.map_or("it contains errors", |finding| finding.message.as_str());
            let fix = first.and_then(|finding| finding.fix.clone());
            CheckResult::problem(
                NAME,
                format!(
                    "{whence} is invalid: {what}{}",
                    place.map(|place| format!(" ({place})")).unwrap_or_default()
                ),
                fix.unwrap_or_else(|| format!("List all errors with `confluent ebs profile show {}`.", named.written)),
            )
        }
    }
}

/// Checks the file of the profile.
#[must_use]
pub fn check_profile_file(named: Option<&NamedProfile<'_>>) -> CheckResult {
    const NAME: &str = "profile file";
    let Some(Ok(loaded)) = named.map(|named| named.loaded) else {
        return CheckResult::ok(NAME, "none");
    };
    if loaded.keys.is_empty() {
        return CheckResult::ok(NAME, "contains no key");
    }
    if let Some(open) = loaded
        .warnings
        .iter()
        .find(|warning| warning.rule == "profile-readable")
    {
        return CheckResult::problem(NAME, open.message.clone(), open.fix.clone().unwrap_or_default());
    }
    if let Some(error) = named.and_then(|named| named.in_git.as_ref()) {
        return CheckResult::problem(
            NAME,
            error.to_string(),
            format!(
                "Run `confluent ebs profile import {}` to store it outside of Git, then delete the file.",
                loaded.path.display()
            ),
        );
    }
    match cfg!(unix) {
        true => CheckResult::ok(NAME, "readable only by you"),
        false => CheckResult::ok(NAME, "protected by the permissions of its folder"),
    }
}

/// Checks the environment variables that may hold keys and secrets.
#[must_use]
pub fn check_environment_keys(keys: &EnvironmentKeys) -> CheckResult {
    const NAME: &str = "secrets in the environment";
    let (id, secret) = (env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET);
    let also = match keys.values {
        0 => String::new(),
        1 => "; 1 value for connector files".to_owned(),
        many => format!("; {many} values for connector files"),
    };
    let clear = format!("Clear them with `unset {id} {secret}`.");
    match (keys.id, keys.secret) {
        (None, None) => CheckResult::ok(NAME, format!("no key{also}")),
        _ if keys.ignored => CheckResult::ok(NAME, format!("a key, which the sandbox ignores{also}")),
        (Some(_), Some(_)) if keys.overridden => {
            CheckResult::ok(NAME, format!("a key, overridden by the profile's key{also}")).with_fix(clear)
        }
        (Some(_), None) => CheckResult::problem(
            NAME,
            format!("`{id}` is set, but `{secret}` is not"),
            format!("Set `{secret}` as well, or run `unset {id}`."),
        ),
        (None, Some(_)) => CheckResult::problem(
            NAME,
            format!("`{secret}` is set, but `{id}` is not"),
            format!("Set `{id}` as well, or run `unset {secret}`."),
        ),
        (Some(false), Some(_)) => CheckResult::problem(
            NAME,
            format!("`{id}` is not the id of an API key; id and secret may be swapped"),
            format!("Set `{id}` to the id of the key: 16 upper-case letters and digits."),
        ),
        (Some(true), Some(false)) => CheckResult::problem(
            NAME,
            format!("`{secret}` contains whitespace"),
            format!("Set `{secret}` again without quotes and line breaks."),
        ),
        (Some(true), Some(true)) => CheckResult::ok(
            NAME,
            format!("a key, readable by every program started from this shell{also}"),
        ),
    }
}

/// Checks whether there is a key. `platform` tells whether the platform's files exist, which only the platform team
/// has; its suggested commands have the flags of `options`.
#[must_use]
pub fn check_key(held: &DoctorKeyState, platform: bool, options: &Options) -> CheckResult {
    const NAME: &str = "key";
    match held {
        DoctorKeyState::Present(id, source) => CheckResult::ok(NAME, format!("{id}, from {source}")),
        DoctorKeyState::Impersonating(who) => CheckResult::ok(NAME, format!("not needed: {who}")),
        DoctorKeyState::Unusable(why, fix) => CheckResult::problem(NAME, why.clone(), fix.clone()),
        DoctorKeyState::Skipped(why) => CheckResult::unknown(NAME, *why),
        DoctorKeyState::Missing(CredentialsError::NotFound) if platform => CheckResult::problem(
            NAME,
            "no API key",
            format!(
                "Set `{}` and `{}` to the provisioner's key; `{}` shows how to create it.",
                env::CONFLUENT_CLOUD_API_KEY,
                env::CONFLUENT_CLOUD_API_SECRET,
                options.suggest("init --print")
            ),
        ),
        DoctorKeyState::Missing(CredentialsError::NotFound) => CheckResult::problem(
            NAME,
            "no API key",
            "Select the profile of the platform team with `--profile FILE`. As the platform team, start with `confluent ebs init`. \
             Without an account, try `confluent ebs onboard claims --sandbox`.",
        ),
        DoctorKeyState::Missing(error) => {
            let fix = error.hints().first().map(ToString::to_string).unwrap_or_default();
            CheckResult::problem(NAME, error.to_string(), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::CheckState,
        config::{ProfileKeys, profile::tests::loaded},
        diag::Assignee,
    };

    fn named<'a>(loaded: Result<&'a LoadedProfile, &'a [Finding]>) -> NamedProfile<'a> {
        NamedProfile {
            written: "claims-operator",
            source: &SettingSource::Flag("--profile"),
            loaded,
            in_git: None,
        }
    }

    #[test]
    fn a_profile_is_reported_with_the_setting_that_names_it() {
        let good = loaded();
        let check = check_profile(Some(&named(Ok(&good))));
        assert_eq!(
            (check.state, check.detail.as_str()),
            (
                CheckState::Ok,
                "claims-operator (--profile): operator of claims, stage prod, issued 2026-11-22"
            )
        );
        let finding =
            Finding::error("unreadable-file", "the profile does not exist").with_assignee(Assignee::Department);
        let findings = [finding.with_fix("List profiles with `confluent ebs profile list`.")];
        let check = check_profile(Some(&named(Err(&findings))));
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(check.fix.unwrap(), "List profiles with `confluent ebs profile list`.");
        assert_eq!(check_profile(None).state, CheckState::Ok);
    }

    #[test]
    fn a_key_readable_by_others_or_tracked_by_git_is_a_problem() {
        let mut good = loaded();
        assert_eq!(check_profile_file(Some(&named(Ok(&good)))).state, CheckState::Ok);
        let in_git = Some(GitError::NotIgnored {
            folder: "here".into(),
            tree: "here".into(),
        });
        let tracked = NamedProfile {
            in_git,
            ..named(Ok(&good))
        };
        assert_eq!(check_profile_file(Some(&tracked)).state, CheckState::Problem);
        // Without a key, the file may be in Git.
        let mut bare = loaded();
        bare.keys = ProfileKeys::default();
        let tracked = NamedProfile {
            loaded: Ok(&bare),
            ..tracked
        };
        assert_eq!(check_profile_file(Some(&tracked)).state, CheckState::Ok);
        let warning =
            Finding::warning("profile-readable", "others can read it").with_fix("Close it with `chmod 600 x`.");
        good.warnings.push(warning);
        let check = check_profile_file(Some(&named(Ok(&good))));
        assert_eq!(check.fix.as_deref(), Some("Close it with `chmod 600 x`."));
    }

    fn variables(pairs: &[(&str, &str)]) -> EnvironmentKeys {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        EnvironmentKeys::from_variables(&pairs.collect())
    }

    #[test]
    fn an_incomplete_or_swapped_key_is_reported_without_printing_it() {
        let (id, secret) = (env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET);
        let good = [(id, "ABCDEFGHIJKLMNOP"), (secret, "cflt/canary+")];
        for (pairs, expected) in [
            (&good[..], CheckState::Ok),
            (&[], CheckState::Ok),
            (&good[..1], CheckState::Problem),
            (&good[1..], CheckState::Problem),
            (&[(id, "cfltcanary"), (secret, "ABCDEFGHIJKLMNOP")], CheckState::Problem),
            (&[good[0], (secret, "canary\r")], CheckState::Problem),
            (&[good[0], (secret, "")], CheckState::Problem),
        ] {
            let check = check_environment_keys(&variables(pairs));
            assert_eq!(check.state, expected, "{pairs:?}");
            assert!(!format!("{check:?}").contains("canary"));
        }
        let counted = check_environment_keys(&variables(&[("EBS_SECRET_DB", "canary"), ("EBS_SECRET_S3", "canary")]));
        assert_eq!(counted.detail, "no key; 2 values for connector files");
        let ignored = EnvironmentKeys {
            ignored: true,
            ..variables(&good[..1])
        };
        assert_eq!(check_environment_keys(&ignored).state, CheckState::Ok);
        let overruled = EnvironmentKeys {
            overridden: true,
            ..variables(&good)
        };
        assert!(check_environment_keys(&overruled).fix.unwrap().contains("`unset "));
    }

    #[test]
    fn a_missing_key_is_reported_with_its_source() {
        let missing = DoctorKeyState::Missing(CredentialsError::NotFound);
        assert!(
            check_key(&missing, false, &Options::default())
                .fix
                .unwrap()
                .contains("`--profile FILE`")
        );
        assert!(
            check_key(&missing, true, &Options::default())
                .fix
                .unwrap()
                .contains("`confluent ebs init --print`")
        );
        let held = DoctorKeyState::Present("ABCDEFGHIJKLMNOP".parse().unwrap(), "profile x.toml".into());
        assert_eq!(
            check_key(&held, false, &Options::default()).detail,
            "ABCDEFGHIJKLMNOP, from profile x.toml"
        );
    }
}
