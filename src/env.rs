//! Every environment variable the program reads, in one list, so that none is read by surprise.

/// One variable: its name and the sentence the documentation shows.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The name as exported by the shell.
    pub name: &'static str,
    /// What it does, as one sentence.
    pub help: &'static str,
}

macro_rules! variables {
    ($(#[doc = $list_help:literal])+ $list:ident: $($(#[doc = $help:literal])+ $constant:ident = $name:literal;)+) => {
        $($(#[doc = $help])+ pub const $constant: &str = $name;)+
        $(#[doc = $list_help])+
        pub const $list: &[Variable] = &[$(Variable { name: $name, help: concat!($($help),+) }),+];
    };
}

variables! {
    /// All variables that are read, for the documentation.
    ALL:
    /// Profile to use: a name, or a file when it holds a path separator or ends in `.toml`.
    CONFLUENT_EBS_PROFILE = "CONFLUENT_EBS_PROFILE";
    /// Cloud API key, as other Confluent tooling names it.
    CONFLUENT_CLOUD_API_KEY = "CONFLUENT_CLOUD_API_KEY";
    /// Secret of the Cloud API key.
    CONFLUENT_CLOUD_API_SECRET = "CONFLUENT_CLOUD_API_SECRET";
    /// API key of the stage's Kafka cluster, with which ACLs are managed; only templates that ask for ACLs need it.
    CONFLUENT_EBS_KAFKA_API_KEY = "CONFLUENT_EBS_KAFKA_API_KEY";
    /// Secret of the API key of the Kafka cluster.
    CONFLUENT_EBS_KAFKA_API_SECRET = "CONFLUENT_EBS_KAFKA_API_SECRET";
    /// Folder in which ebs.toml, departments and templates are looked for instead of the working folder.
    CONFLUENT_EBS_PLATFORM = "CONFLUENT_EBS_PLATFORM";
    /// Folder for journals, hand-over files and the sandbox, instead of the user's state folder.
    CONFLUENT_EBS_STATE_DIR = "CONFLUENT_EBS_STATE_DIR";
    /// Where API keys are exchanged for tokens that open logs, instead of `https://confluent.cloud`.
    CONFLUENT_EBS_TOKEN_ENDPOINT = "CONFLUENT_EBS_TOKEN_ENDPOINT";
    /// Where connector logs are searched, instead of `https://api.logging.confluent.cloud`.
    CONFLUENT_EBS_LOGS_ENDPOINT = "CONFLUENT_EBS_LOGS_ENDPOINT";
    /// Where metrics are queried, instead of `https://api.telemetry.confluent.cloud`.
    CONFLUENT_EBS_METRICS_ENDPOINT = "CONFLUENT_EBS_METRICS_ENDPOINT";
    /// Any value switches colours off (no-color.org).
    NO_COLOR = "NO_COLOR";
    /// Width of the output when standard output is not a terminal.
    COLUMNS = "COLUMNS";
    /// Locale: without UTF-8 in it curves are drawn with letters.
    LC_ALL = "LC_ALL";
    /// The same, where LC_ALL is not set.
    LC_CTYPE = "LC_CTYPE";
    /// The same, where neither is set.
    LANG = "LANG";
    /// Kind of the terminal: on `linux` and `dumb` curves are drawn with letters.
    TERM = "TERM";
    /// Certificate file that is trusted besides the system's store.
    SSL_CERT_FILE = "SSL_CERT_FILE";
    /// Proxy for https; never used for loopback.
    HTTPS_PROXY = "HTTPS_PROXY";
    /// Proxy for http and, where HTTPS_PROXY is not set, for everything; never used for loopback.
    ALL_PROXY = "ALL_PROXY";
    /// Folder of certificates that are trusted instead of the system's store, where the system has no store of its own.
    SSL_CERT_DIR = "SSL_CERT_DIR";
    /// Folders of programs: `doctor` looks there for the Confluent CLI and for plugins, as the CLI does.
    PATH = "PATH";
    /// Ends of the names of programs, on Windows: looked at by `doctor`.
    PATHEXT = "PATHEXT";
    /// Hosts that are reached without the proxy.
    NO_PROXY = "NO_PROXY";
}

variables! {
    /// All variables that are set for the command of `--handover-command`, for the documentation.
    FOR_HANDOVER:
    /// Code of the department.
    HANDOVER_DEPARTMENT = "CONFLUENT_EBS_HANDOVER_DEPARTMENT";
    /// Name of the persona.
    HANDOVER_PERSONA = "CONFLUENT_EBS_HANDOVER_PERSONA";
    /// Name of the stage.
    HANDOVER_STAGE = "CONFLUENT_EBS_HANDOVER_STAGE";
    /// Name of the service account.
    HANDOVER_ACCOUNT = "CONFLUENT_EBS_HANDOVER_ACCOUNT";
    /// Public halves of the API keys in the profile, separated by blanks.
    HANDOVER_API_KEYS = "CONFLUENT_EBS_HANDOVER_API_KEYS";
    /// Name of the profile's file, which ends in `.toml.age` when it is encrypted and in `.toml` when it is not.
    HANDOVER_FILE = "CONFLUENT_EBS_HANDOVER_FILE";
}

/// The value of `name`, if it is set, is text and is not empty.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
