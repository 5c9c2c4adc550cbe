//! Registry of all environment variables that the program reads.

use crate::hint::misspelling_of;

/// Environment variable with its description for the documentation.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Name in the environment.
    pub name: &'static str,
    /// Description, one sentence.
    pub help: &'static str,
    /// Sensitivity of its value.
    pub kind: VariableKind,
}

/// Sensitivity of a variable's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// Setting, which child processes inherit.
    Setting,
    /// Id of a credential: shown, but child processes do not inherit it.
    CredentialId,
    /// Secret: redacted by every writer, and child processes do not inherit it.
    Secret,
}

macro_rules! variables {
    ($(#[doc = $list_help:literal])+ $list:ident: $($(#[doc = $help:literal])+ $constant:ident$(: $kind:ident)? = $name:literal;)+) => {
        $($(#[doc = $help])+ pub const $constant: &str = $name;)+
        $(#[doc = $list_help])+
        pub const $list: &[Variable] = &[$(Variable {
            name: $name,
            help: concat!($($help),+),
            kind: variables!(@kind $($kind)?),
        }),+];
    };
    (@kind $kind:ident) => { VariableKind::$kind };
    (@kind) => { VariableKind::Setting };
}

variables! {
    /// All variables that the program reads.
    ALL:
    /// Profile to use: a name, or a file if it contains a path separator or ends in `.toml`.
    CONFLUENT_EBS_PROFILE = "CONFLUENT_EBS_PROFILE";
    /// Cloud API key, named as in other Confluent tools.
    CONFLUENT_CLOUD_API_KEY: CredentialId = "CONFLUENT_CLOUD_API_KEY";
    /// Secret of the Cloud API key.
    CONFLUENT_CLOUD_API_SECRET: Secret = "CONFLUENT_CLOUD_API_SECRET";
    /// API key of the stage's Kafka cluster, used to manage ACLs; only templates with ACLs need it.
    CONFLUENT_EBS_KAFKA_API_KEY: CredentialId = "CONFLUENT_EBS_KAFKA_API_KEY";
    /// Secret of the API key of the Kafka cluster.
    CONFLUENT_EBS_KAFKA_API_SECRET: Secret = "CONFLUENT_EBS_KAFKA_API_SECRET";
    /// Folder with `ebs.toml`, departments and templates, instead of the current directory.
    CONFLUENT_EBS_PLATFORM = "CONFLUENT_EBS_PLATFORM";
    /// Folder for journals, profiles to deliver and the sandbox, instead of the user's state folder.
    CONFLUENT_EBS_STATE_DIR = "CONFLUENT_EBS_STATE_DIR";
    /// Start time of a new sandbox, such as `2026-11-22T10:00:00Z`. Its clock then moves only by waits, advances and
    /// serving, so that tests do not depend on the time of day.
    CONFLUENT_EBS_SANDBOX_START = "CONFLUENT_EBS_SANDBOX_START";
    /// Host that exchanges API keys for log tokens, instead of `https://confluent.cloud`.
    CONFLUENT_EBS_TOKEN_ENDPOINT = "CONFLUENT_EBS_TOKEN_ENDPOINT";
    /// Host of the connector log search, instead of `https://api.logging.confluent.cloud`.
    CONFLUENT_EBS_LOGS_ENDPOINT = "CONFLUENT_EBS_LOGS_ENDPOINT";
    /// Host of the Metrics API, instead of `https://api.telemetry.confluent.cloud`.
    CONFLUENT_EBS_METRICS_ENDPOINT = "CONFLUENT_EBS_METRICS_ENDPOINT";
    /// Any value disables colours (no-color.org), also with `FORCE_COLOR` and `CLICOLOR_FORCE`.
    NO_COLOR = "NO_COLOR";
    /// Any value except `0` and `false` enables colours, also in a pipe or a file.
    FORCE_COLOR = "FORCE_COLOR";
    /// The same as `FORCE_COLOR`.
    CLICOLOR_FORCE = "CLICOLOR_FORCE";
    /// `0` disables colours on a terminal.
    CLICOLOR = "CLICOLOR";
    /// Any value enables colours on a terminal without `TERM`, and limits `gitops apply` to changes with a normal risk.
    CI = "CI";
    /// Width of the output if standard output is not a terminal.
    COLUMNS = "COLUMNS";
    /// Locale: without UTF-8, sparklines use ASCII characters.
    LC_ALL = "LC_ALL";
    /// Locale if `LC_ALL` is not set.
    LC_CTYPE = "LC_CTYPE";
    /// Locale if neither `LC_ALL` nor `LC_CTYPE` is set.
    LANG = "LANG";
    /// Terminal type: on `linux` and `dumb`, sparklines use ASCII characters; on `dumb`, there are no colours.
    TERM = "TERM";
    /// Certificate file trusted in addition to the system's store.
    SSL_CERT_FILE = "SSL_CERT_FILE";
    /// Proxy for HTTPS; never used for loopback.
    HTTPS_PROXY = "HTTPS_PROXY";
    /// Proxy for HTTP and, if `HTTPS_PROXY` is not set, for HTTPS; never used for loopback.
    ALL_PROXY = "ALL_PROXY";
    /// Folder of certificates trusted instead of the system's store, on systems without such a store.
    SSL_CERT_DIR = "SSL_CERT_DIR";
    /// Search path: `doctor` looks there for the Confluent CLI and for plugins, as the Confluent CLI does.
    PATH = "PATH";
    /// Extensions of executable files on Windows, used by `doctor`.
    PATHEXT = "PATHEXT";
    /// Hosts to reach without the proxy.
    NO_PROXY = "NO_PROXY";
}

variables! {
    /// All variables set for the command of `--handover-command`.
    FOR_HANDOVER:
    /// Code of the department.
    HANDOVER_DEPARTMENT = "CONFLUENT_EBS_HANDOVER_DEPARTMENT";
    /// Name of the persona.
    HANDOVER_PERSONA = "CONFLUENT_EBS_HANDOVER_PERSONA";
    /// Name of the stage.
    HANDOVER_STAGE = "CONFLUENT_EBS_HANDOVER_STAGE";
    /// Name of the service account.
    HANDOVER_ACCOUNT = "CONFLUENT_EBS_HANDOVER_ACCOUNT";
    /// Ids of the API keys in the profile, separated by spaces.
    HANDOVER_API_KEYS = "CONFLUENT_EBS_HANDOVER_API_KEYS";
    /// `new` for a profile with new keys; `reissued` for a profile whose other content changed, which contains no key: the
    /// existing key stays, so the receiver must keep it.
    HANDOVER_KIND = "CONFLUENT_EBS_HANDOVER_KIND";
    /// Name of the profile's file, which ends in `.toml.age` if it is encrypted, else in `.toml`.
    HANDOVER_FILE = "CONFLUENT_EBS_HANDOVER_FILE";
}

/// Returns the variables in `names` that look like a misspelt variable of this program, each with the variable that was
/// probably meant.
pub fn misspelt_variables<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, &'static str)> {
    // The names of other tools' variables are none of our business.
    const PREFIX: &str = "CONFLUENT";
    let known = || {
        let all = ALL.iter().chain(FOR_HANDOVER).map(|variable| variable.name);
        all.filter(|name| name.starts_with(PREFIX))
    };
    // On Windows, upper and lower case are the same variable.
    let is_known =
        |name: &str| known().any(|known| known == name || (cfg!(windows) && known.eq_ignore_ascii_case(name)));
    let names = names.into_iter().filter(|name| {
        let beginning = name.get(..PREFIX.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(PREFIX)) && !is_known(name)
    });
    names
        .filter_map(|name| Some((name, misspelling_of(name, known())?)))
        .collect()
}

/// Returns the value of `name` if it is set, valid Unicode and not empty.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::misspelt_variables;

    #[test]
    fn a_misspelt_variable_is_found_and_variables_of_other_tools_are_not() {
        for (written, meant) in [
            ("CONFLUENT_EBS_PROFIL", Some("CONFLUENT_EBS_PROFILE")),
            ("CONFLUENT_ESB_PROFILE", Some("CONFLUENT_EBS_PROFILE")),
            ("CONFLUENT_EBS_STATEDIR", Some("CONFLUENT_EBS_STATE_DIR")),
            ("CONFLUENT_EBS_LOG_ENDPOINT", Some("CONFLUENT_EBS_LOGS_ENDPOINT")),
            ("CONFLUENT_CLOUD_APIKEY", Some("CONFLUENT_CLOUD_API_KEY")),
            ("CONFLUENT_EBS_PROFILE", None),
            ("CONFLUENT_EBS_HANDOVER_FILE", None),
            // Variables of the Confluent CLI.
            ("CONFLUENT_CLOUD_EMAIL", None),
            ("CONFLUENT_CLOUD_ORGANIZATION_ID", None),
            ("CONFLUENT_HOME", None),
            ("CONFLUENT_PLATFORM_MDS_URL", None),
            ("NO_COLOUR", None),
        ] {
            let found = misspelt_variables([written]);
            assert_eq!(found.first().map(|(_, known)| *known), meant, "{written}");
        }
        #[cfg(not(windows))]
        assert_eq!(
            misspelt_variables(["confluent_ebs_platform"]),
            [("confluent_ebs_platform", "CONFLUENT_EBS_PLATFORM")]
        );
    }
}
