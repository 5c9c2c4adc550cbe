//! The profile that is acted with, the file it lies in, and what the environment says about keys.

use super::CheckResult;
use crate::{
    config::{CredentialsError, LoadedProfile, git::GitError},
    diag::Finding,
    env,
    hint::Advice,
    model::ApiKeyId,
};

/// The profile that is meant.
#[derive(Debug)]
pub struct NamedProfile<'a> {
    /// The name or the file, as written.
    pub written: &'a str,
    /// Who says so: `--profile`, a variable, `profile use`.
    pub origin: &'a str,
    /// What was read, or what is wrong with it.
    pub loaded: Result<&'a LoadedProfile, &'a [Finding]>,
    /// Why Git would pick its file up.
    pub in_git: Option<GitError>,
}

/// Where the key is that is acted with, or why there is none.
#[derive(Debug)]
pub enum DoctorKeyState<'a> {
    /// A key, and who says so.
    Present(&'a ApiKeyId, String),
    /// The sandbox's own way to act as somebody.
    Impersonating(String),
    /// None.
    Missing(&'a CredentialsError),
    /// None, for a reason of the sandbox's, and what to do about it.
    Unusable(String, String),
    /// Not looked for, and why: told elsewhere.
    Skipped(&'static str),
}

/// What the environment says about keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentKeys {
    /// Whether the id is set, and looks like one.
    pub id: Option<bool>,
    /// Whether the secret is set, and holds no blank.
    pub secret: Option<bool>,
    /// How many variables hold values for connector files.
    pub values: usize,
    /// Whether they are ignored, as on the sandbox.
    pub ignored: bool,
    /// Whether the profile has a key, which counts before them.
    pub overridden: bool,
}

impl EnvironmentKeys {
    /// Reads `variables`; of their values only what is said here is kept.
    #[must_use]
    pub fn from_variables(variables: &[(String, String)]) -> Self {
        let value = |name: &str| {
            let found = variables
                .iter()
                .find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        Self {
            id: value(env::CONFLUENT_CLOUD_API_KEY).map(ApiKeyId::is_plausible),
            secret: value(env::CONFLUENT_CLOUD_API_SECRET).map(|secret| !secret.contains(char::is_whitespace)),
            values: variables
                .iter()
                .filter(|(name, _)| name.starts_with("EBS_SECRET_"))
                .count(),
            ..Self::default()
        }
    }
}

/// Judges the profile.
#[must_use]
pub fn check_profile(named: Option<&NamedProfile<'_>>) -> CheckResult {
    const NAME: &str = "profile";
    let Some(named) = named else {
        return CheckResult::ok(NAME, "none named");
    };
    let whence = format!("{} ({})", named.written, named.origin);
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
            let what = first.map_or("it holds mistakes", |finding| finding.message.as_str());
            let fix = first.and_then(|finding| finding.fix.clone());
            CheckResult::problem(
                NAME,
                format!(
                    "{whence} cannot be used: {what}{}",
                    place.map(|place| format!(" ({place})")).unwrap_or_default()
                ),
                fix.unwrap_or_else(|| format!("`confluent ebs profile show {}` shows every mistake.", named.written)),
            )
        }
    }
}

/// Judges the file that the profile lies in.
#[must_use]
pub fn check_profile_file(named: Option<&NamedProfile<'_>>) -> CheckResult {
    const NAME: &str = "profile file";
    let Some(Ok(loaded)) = named.map(|named| named.loaded) else {
        return CheckResult::ok(NAME, "none");
    };
    if loaded.keys.is_empty() {
        return CheckResult::ok(NAME, "holds no key");
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
                "`confluent ebs profile import {}` keeps it outside; then delete the file.",
                loaded.path.display()
            ),
        );
    }
    match cfg!(unix) {
        true => CheckResult::ok(NAME, "readable by you alone"),
        false => CheckResult::ok(NAME, "as private as the folder that it lies in"),
    }
}

/// Judges the variables that may hold keys and secrets.
#[must_use]
pub fn check_environment_keys(keys: &EnvironmentKeys) -> CheckResult {
    const NAME: &str = "secrets in the environment";
    let (id, secret) = (env::CONFLUENT_CLOUD_API_KEY, env::CONFLUENT_CLOUD_API_SECRET);
    let also = match keys.values {
        0 => String::new(),
        1 => "; 1 value for connector files".to_owned(),
        many => format!("; {many} values for connector files"),
    };
    let clear = format!("`unset {id} {secret}` clears them.");
    match (keys.id, keys.secret) {
        (None, None) => CheckResult::ok(NAME, format!("no key{also}")),
        _ if keys.ignored => CheckResult::ok(NAME, format!("a key, which the sandbox ignores{also}")),
        (Some(_), Some(_)) if keys.overridden => {
            CheckResult::ok(NAME, format!("a key, which the profile's own comes before{also}")).with_fix(clear)
        }
        (Some(_), None) => CheckResult::problem(
            NAME,
            format!("{id} is set, but {secret} is not"),
            format!("Set `{secret}` as well, or `unset {id}`."),
        ),
        (None, Some(_)) => CheckResult::problem(
            NAME,
            format!("{secret} is set, but {id} is not"),
            format!("Set `{id}` as well, or `unset {secret}`."),
        ),
        (Some(false), Some(_)) => CheckResult::problem(
            NAME,
            format!("{id} does not hold the id of a key; perhaps the two halves are swapped"),
            "An id is 16 upper-case letters and digits; the long half is the secret.",
        ),
        (Some(true), Some(false)) => CheckResult::problem(
            NAME,
            format!("{secret} holds a blank or a line break, which no secret does"),
            format!("Set `{secret}` again, without quotes and line breaks inside."),
        ),
        (Some(true), Some(true)) => CheckResult::ok(
            NAME,
            format!("a key, which every program that is started from here can read{also}"),
        ),
    }
}

/// Judges whether there is a key to act with. `platform` is whether there are the platform's files, which only the
/// platform team has.
#[must_use]
pub fn check_key(held: &DoctorKeyState<'_>, platform: bool) -> CheckResult {
    const NAME: &str = "key";
    match held {
        DoctorKeyState::Present(id, source) => CheckResult::ok(NAME, format!("{id}, from {source}")),
        DoctorKeyState::Impersonating(who) => CheckResult::ok(NAME, format!("none needed: {who}")),
        DoctorKeyState::Unusable(why, fix) => CheckResult::problem(NAME, why.clone(), fix.clone()),
        DoctorKeyState::Skipped(why) => CheckResult::unknown(NAME, *why),
        DoctorKeyState::Missing(CredentialsError::NotFound) if platform => CheckResult::problem(
            NAME,
            "no key to act with",
            format!(
                "Set `{}` and `{}` to the provisioner's key; `confluent ebs init --print` shows how it is made.",
                env::CONFLUENT_CLOUD_API_KEY,
                env::CONFLUENT_CLOUD_API_SECRET
            ),
        ),
        DoctorKeyState::Missing(CredentialsError::NotFound) => CheckResult::problem(
            NAME,
            "no key to act with",
            "Name the profile that EBS handed over with `--profile FILE`; as EBS, begin with `confluent ebs init`; \
             without an account, try `confluent ebs onboard claims --sandbox`.",
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
            origin: "--profile",
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
        let finding = Finding::error("unreadable-file", "there is no such profile").with_assignee(Assignee::Department);
        let findings = [finding.with_fix("`confluent ebs profile list` shows them.")];
        let check = check_profile(Some(&named(Err(&findings))));
        assert_eq!(check.state, CheckState::Problem);
        assert_eq!(check.fix.unwrap(), "`confluent ebs profile list` shows them.");
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
        // Without a key it may well lie there.
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
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        EnvironmentKeys::from_variables(&pairs)
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
        assert!(check_environment_keys(&overruled).fix.unwrap().starts_with("`unset "));
    }

    #[test]
    fn a_missing_key_is_reported_with_its_source() {
        let missing = DoctorKeyState::Missing(&CredentialsError::NotFound);
        assert!(check_key(&missing, false).fix.unwrap().contains("`--profile FILE`"));
        assert!(
            check_key(&missing, true)
                .fix
                .unwrap()
                .contains("`confluent ebs init --print`")
        );
        let id = "ABCDEFGHIJKLMNOP".parse().unwrap();
        let held = DoctorKeyState::Present(&id, "profile x.toml".into());
        assert_eq!(check_key(&held, false).detail, "ABCDEFGHIJKLMNOP, from profile x.toml");
    }
}
