//! Profile of a department's persona. All of it except the key may be committed to Git; the key has its own table and
//! can come from the environment instead.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    endpoint::ServiceEndpoint, hosts::ConfiguredHosts, profile_keys::ProfileKeys, profile_reader, profile_redaction,
    profile_text,
};
use crate::{
    diag::{Assignee, Finding, SourceFile, SourceSpan, has_errors},
    manifest::{ProfileFacts, toml::TomlDocument},
    model::{ApiKeyId, KeyKind, Secret, ServiceAccountId},
    redact::SecretRegistry,
};

/// Profile without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Facts from the platform's files.
    pub facts: ProfileFacts,
    /// Endpoint of the service.
    pub endpoint: ServiceEndpoint,
    /// Service account that connectors run as.
    pub runtime_account: Option<ServiceAccountId>,
    /// Variables besides `EBS_SECRET_…` that connector files may reference.
    pub secret_variables: Vec<String>,
    /// Creation date.
    pub issued: jiff::civil::Date,
}

/// Profile loaded from a file.
#[derive(Clone, Debug)]
pub struct LoadedProfile {
    /// Content.
    pub profile: Profile,
    /// Keys.
    pub keys: ProfileKeys,
    /// Configured hosts for tokens, logs and metrics.
    pub hosts: ConfiguredHosts,
    /// Path of the file.
    pub path: PathBuf,
    /// Warnings; errors prevent loading.
    pub warnings: Vec<Finding>,
}

impl LoadedProfile {
    /// Registers the secrets of the keys, and the variables that may hold secrets.
    pub fn register_secrets(&self, secrets: &SecretRegistry) {
        self.keys.register(secrets);
        secrets.add_variable_names(self.profile.secret_variables.iter().cloned());
    }
}

impl Profile {
    /// Returns the hash for the tag of the persona's account.
    pub fn profile_hash(&self) -> String {
        self.facts.hash()
    }

    /// Returns the file name: `<department>-<persona>.toml`, in a folder named after the stage unless it is the default
    /// stage.
    pub fn file_name(&self, default_stage: &str) -> PathBuf {
        self.facts.file_name(default_stage)
    }

    /// Returns the text of the file, with or without the Cloud key.
    pub fn render(&self, key: Option<(&ApiKeyId, &Secret)>) -> String {
        let keys: Vec<_> = key
            .map(|(id, secret)| (KeyKind::Cloud, id, secret))
            .into_iter()
            .collect();
        self.render_keys(&self.file_name(&self.facts.stage), &keys)
    }

    /// Returns the text of `file` with several keys.
    pub fn render_keys(&self, file: &Path, keys: &[(KeyKind, &ApiKeyId, &Secret)]) -> String {
        profile_text::render(self, file, keys)
    }

    /// Loads a profile. `trusted` are the hosts of `--trust-endpoint`.
    ///
    /// # Errors
    /// All findings, if one of them is an error. No finding contains a secret.
    pub fn load(path: &Path, trusted: &[String]) -> Result<LoadedProfile, Vec<Finding>> {
        let bytes = std::fs::read(path).map_err(|error| vec![unreadable_finding(path, &error)])?;
        if is_encrypted(&bytes) {
            return Err(vec![encrypted_finding(path)]);
        }
        let text =
            String::from_utf8(bytes).map_err(|_| vec![unreadable_finding(path, &io::ErrorKind::InvalidData.into())])?;
        let (read, keys, hosts, mut findings) = Self::read(path, text, trusted);
        if !keys.is_empty() && is_readable_by_others(path) {
            let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
            let finding = Finding::warning("profile-readable", "other users can read this profile and its key");
            let fix = format!(
                "Run `chmod 600 {}`, and rotate the key if other users have accounts on this computer.",
                path.display()
            );
            findings.push(
                finding
                    .with_span(place)
                    .with_fix(fix)
                    .with_assignee(Assignee::Department),
            );
        }
        match read {
            Some(profile) if !has_errors(&findings) => Ok(LoadedProfile {
                profile,
                keys,
                hosts,
                path: path.to_owned(),
                warnings: findings,
            }),
            _ => Err(findings),
        }
    }

    /// Parses a profile; findings refer to it as `path`.
    pub fn parse(path: &Path, text: String, trusted: &[String]) -> (Option<Self>, ProfileKeys, Vec<Finding>) {
        let (profile, keys, _, findings) = Self::read(path, text, trusted);
        (profile, keys, findings)
    }

    fn read(
        path: &Path,
        text: String,
        trusted: &[String],
    ) -> (Option<Self>, ProfileKeys, ConfiguredHosts, Vec<Finding>) {
        let shown = SourceFile::new(path, profile_redaction::redact_profile(&text));
        let source = SourceFile::new(path, text);
        let document = TomlDocument::parse(&source);
        let (profile, keys, hosts) = profile_reader::read(&document.root(), trusted);
        let findings = document
            .into_findings()
            .into_iter()
            .map(|finding| redact_finding(finding, &shown));
        (profile, keys, hosts, findings.collect())
    }
}

/// Replaces the source of a finding by its redacted text.
fn redact_finding(mut finding: Finding, shown: &Arc<SourceFile>) -> Finding {
    finding.span = finding.span.map(|span| SourceSpan::new(shown, span.range));
    finding.with_assignee(Assignee::Department)
}

/// Returns whether the content is encrypted with `age`, binary or armored.
#[must_use]
pub fn is_encrypted(bytes: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 2] = [b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----"];
    let bytes = bytes.trim_ascii_start();
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

fn encrypted_finding(path: &Path) -> Finding {
    let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
    let finding = Finding::error("profile-encrypted", "cannot read an encrypted profile");
    let fix = format!(
        "Decrypt it with `confluent ebs profile import {} --identity KEYFILE`, then select it by name.",
        path.display()
    );
    finding
        .with_span(place)
        .with_fix(fix)
        .with_assignee(Assignee::Department)
}

fn unreadable_finding(path: &Path, error: &io::Error) -> Finding {
    let message = match error.kind() {
        io::ErrorKind::NotFound => "the profile does not exist".to_owned(),
        io::ErrorKind::InvalidData => "the profile is not UTF-8 text".to_owned(),
        _ => format!("cannot read the profile: {error}"),
    };
    let place = SourceSpan::new(&SourceFile::new(path, ""), 0..0);
    let finding = Finding::error("unreadable-file", message)
        .with_span(place)
        .with_assignee(Assignee::Department);
    finding.with_fix("List profiles with `confluent ebs profile list`.")
}

/// Returns whether other users can read a file.
#[cfg(unix)]
pub(crate) fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

/// Always returns false: Windows has access control lists, and the user's folder is private by default.
#[cfg(not(unix))]
pub(crate) fn is_readable_by_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::KeyPair;
    use crate::{manifest::Workspace, model::PlatformTeam};

    fn facts() -> ProfileFacts {
        let workspace = Workspace::embedded().workspace;
        let (name, stage) = workspace.platform.stage(None).unwrap();
        let address = stage.address(workspace.platform.organization.as_ref().unwrap());
        let claims = workspace.department(&"claims".parse().unwrap()).unwrap();
        let desired = workspace.desired_department(claims, name, &address).unwrap();
        desired.persona("operator").unwrap().facts.clone()
    }

    fn profile() -> Profile {
        let mut facts = facts();
        facts.lint_exceptions = vec![("tasks-max".into(), "agreed until \"summer\"".into())];
        Profile {
            facts,
            endpoint: ServiceEndpoint::confluent_cloud(),
            runtime_account: Some("sa-abc123".parse().unwrap()),
            secret_variables: vec!["DB_PASSWORD".into()],
            issued: jiff::civil::date(2026, 11, 22),
        }
    }

    /// Returns a profile with a key, as if loaded from `claims-operator.toml`.
    pub(crate) fn loaded() -> LoadedProfile {
        let mut keys = ProfileKeys::default();
        keys.set(KeyKind::Cloud, pair("ABCDEFGHIJKLMNOP", "canary"));
        LoadedProfile {
            profile: profile(),
            keys,
            hosts: ConfiguredHosts::default(),
            path: "claims-operator.toml".into(),
            warnings: Vec::new(),
        }
    }

    fn pair(id: &str, secret: &str) -> KeyPair {
        KeyPair {
            id: id.parse().unwrap(),
            secret: Secret::new(secret),
        }
    }

    fn parse(text: &str) -> (Option<Profile>, ProfileKeys, Vec<Finding>) {
        Profile::parse(Path::new("p.toml"), text.to_owned(), &[])
    }

    #[test]
    fn a_rendered_profile_parses_to_the_same_profile() {
        let profile = profile();
        let text = profile.render(None);
        let (read, keys, findings) = parse(&text);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(read.as_ref(), Some(&profile));
        assert!(keys.is_empty());

        let (cloud, kafka) = (pair("CLOUDCLOUDCLOUD1", "s\"1\\"), pair("KAFKAKAFKAKAFKA1", "s2"));
        let text = profile.render_keys(
            Path::new("claims-operator.toml"),
            &[
                (KeyKind::Kafka, &kafka.id, &kafka.secret),
                (KeyKind::Cloud, &cloud.id, &cloud.secret),
            ],
        );
        let (read, keys, findings) = parse(&text);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(read, Some(profile));
        assert_eq!(keys.cloud.unwrap().secret.expose(), "s\"1\\");
        assert_eq!(keys.kafka.unwrap().id, kafka.id);
    }

    #[test]
    fn the_rendered_profile_explains_itself() {
        let key = pair("ABCDEFGHIJKLMNOP", "canary");
        insta::assert_snapshot!(profile().render(Some((&key.id, &key.secret))), @r##"
        # Profile of Claims (claims): persona operator, stage prod.
        #
        # This file contains a secret: keep it out of Git, mail and tickets. If it leaks, ask EBS (ebs@example.com) to rotate the key.
        # Without the [key] table the file may be committed; the key is then read from CONFLUENT_CLOUD_API_KEY and
        # CONFLUENT_CLOUD_API_SECRET.
        #
        # Use it:   confluent ebs connector list --profile ./claims-operator.toml
        # Keep it:  confluent ebs profile import ./claims-operator.toml

        department = "claims"
        name = "Claims"
        persona = "operator"
        prefix = "claims-"
        issued = 2026-11-22

        stage = "prod"
        endpoint = "https://api.confluent.cloud"
        organization = "11111111-2222-3333-4444-555555555555"
        environment = "env-prod01"
        cluster = "lkc-prod01"
        schema_registry = "lsrc-prod01"

        # Service account that connectors run as; it needs no key.
        runtime = "ebs-prod-claims-runtime"
        runtime_account = "sa-abc123"

        # Variables besides EBS_SECRET_… that connector files may reference.
        secret_variables = ["DB_PASSWORD"]

        [quota]
        connectors = 12
        tasks = 20
        tasks_per_connector = 4
        plugins = ["PostgresSource", "S3_SINK", "DatagenSource"]

        # Whom to ask.
        [platform]
        team = "EBS"
        contact = "ebs@example.com"

        # Excepted lint rules, each with its reason.
        [lint]
        tasks-max = 'agreed until "summer"'

        [key]
        id = "ABCDEFGHIJKLMNOP"
        secret = "canary"
        "##);
    }

    #[test]
    fn the_documented_example_is_valid() {
        let (_, rest) = include_str!("../../docs/files.md").split_once("# profile\n").unwrap();
        let (read, keys, findings) = parse(rest.split_once("```").unwrap().0);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(read.unwrap().facts.quota, facts().quota);
        assert!(keys.cloud.is_some());
    }

    #[test]
    fn the_hash_depends_on_the_facts_and_not_on_date_or_path() {
        let profile = profile();
        let hash = profile.profile_hash();
        let mut other = profile.clone();
        other.issued = jiff::civil::date(2027, 1, 1);
        other.endpoint = ServiceEndpoint::Sandbox(None);
        other.runtime_account = None;
        other.facts.quota.plugins.reverse();
        assert_eq!(other.profile_hash(), hash);
        other.facts.quota.tasks += 1;
        assert_ne!(other.profile_hash(), hash);
        let mut other = profile.clone();
        other.facts.platform_team.contact = None;
        assert_ne!(other.profile_hash(), hash);
    }

    #[test]
    fn a_profile_without_a_platform_team_still_works() {
        let mut profile = profile();
        profile.facts.platform_team = PlatformTeam::default();
        let text = profile.render(Some((&"ABCDEFGHIJKLMNOP".parse().unwrap(), &Secret::new("canary"))));
        assert!(text.contains("ask the platform team to rotate the key"), "{text}");
        assert!(!text.contains("[platform]"), "{text}");
        let (read, _, findings) = parse(&text);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(read, Some(profile));
    }

    #[test]
    fn an_invalid_platform_team_in_a_profile_is_a_finding() {
        let text = profile().render(None);
        for (old, new, expected) in [
            ("\"EBS\"", "\" \"", "the value is empty"),
            ("\"EBS\"", "\"E\\nBS\"", "the value contains a control character"),
            ("team = ", "tema = ", "unknown key `platform.tema`"),
        ] {
            let (_, _, findings) = parse(&text.replace(old, new));
            let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(messages, [expected]);
            assert!(has_errors(&findings));
        }
    }

    #[test]
    fn no_finding_shows_a_secret() {
        let good = profile().render(None);
        for bad in [
            "[key]\nid = \"ABCDEFGHIJKLMNOP\"\nsecret = \"canary\nx = 1\n",
            "[key]\nid = \"canary canary\"\nsecret = \"canary\"\n",
            "[key]\nid = \"A\"\nsecrt = \"canary\"\n",
            "[key]\nid = \"A\"\nsecret = \"canary\"\nsecret = \"canary\"\n",
            "[key]\nid = \"A\"\nsecret = [\"canary\"]\n",
            "[kee]\nsecret = \"canary\"\n",
            "[key]\nid = \"A\"\nsecret = \"\"\"\ncanary\n",
            "key = \"canary\"\n",
        ] {
            let text = if bad.starts_with('[') {
                format!("{good}\n{bad}")
            } else {
                format!("{bad}\n{good}")
            };
            let (_, _, findings) = parse(&text);
            assert!(has_errors(&findings), "{bad}");
            assert!(!format!("{findings:?}").contains("canary"), "{bad}: {findings:?}");
            assert!(!serde_json::to_string(&findings).unwrap().contains("canary"), "{bad}");
        }
    }

    #[test]
    fn an_untrusted_endpoint_and_an_unknown_key_are_reported_with_their_spans() {
        let text = profile().render(None);
        let text = text.replace("https://api.confluent.cloud", "https://api.confluent.cloud.example.com");
        let text = text.replace("persona =", "perzona =");
        let (_, _, findings) = parse(&text);
        let seen: Vec<_> = findings
            .iter()
            .map(|finding| format!("{} {}", finding.span.as_ref().unwrap().location(), finding.rule))
            .collect();
        assert_eq!(
            seen,
            [
                "p.toml:16:12 endpoint-not-trusted",
                "p.toml:1:1 missing-key",
                "p.toml:11:1 unknown-key"
            ]
        );
    }

    #[test]
    fn telemetry_hosts_are_checked_like_the_endpoint() {
        let with = |table: &str| {
            let text = format!("{}\n[endpoints]\n{table}\n", profile().render(None));
            let (_, _, hosts, findings) = Profile::read(Path::new("p.toml"), text, &[]);
            let rules: Vec<_> = findings.iter().map(|finding| finding.rule.to_string()).collect();
            (hosts, rules)
        };
        let (hosts, rules) = with("logs = \"https://logs.eu.confluent.cloud\"\nmetrics = \"http://127.0.0.1:9\"");
        assert!(rules.is_empty(), "{rules:?}");
        assert_eq!(hosts.logs.as_deref(), Some("https://logs.eu.confluent.cloud"));
        assert_eq!(
            (hosts.metrics.as_deref(), hosts.token),
            (Some("http://127.0.0.1:9"), None)
        );
        assert_eq!(with("logs = \"https://logs.example.com\"").1, ["endpoint-not-trusted"]);
        assert_eq!(with("log = \"https://confluent.cloud\"").1, ["unknown-key"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_profile_readable_by_others_is_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claims-operator.toml");
        let key = pair("ABCDEFGHIJKLMNOP", "canary");
        std::fs::write(&path, profile().render(Some((&key.id, &key.secret)))).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let loaded = Profile::load(&path, &[]).unwrap();
        assert_eq!(loaded.warnings[0].rule, "profile-readable");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Profile::load(&path, &[]).unwrap().warnings.is_empty());
    }

    #[test]
    fn an_encrypted_profile_is_reported_and_not_decrypted() {
        let folder = tempfile::tempdir().unwrap();
        for head in ["age-encryption.org/v1\n", "\n-----BEGIN AGE ENCRYPTED FILE-----\n"] {
            let path = folder.path().join("claims-operator.toml.age");
            std::fs::write(&path, [head.as_bytes(), &[0xff, 0x00]].concat()).unwrap();
            let findings = Profile::load(&path, &[]).unwrap_err();
            assert_eq!(findings[0].rule, "profile-encrypted");
            assert!(findings[0].fix.as_ref().unwrap().contains("profile import"));
        }
    }

    #[test]
    fn only_non_default_stages_have_a_folder() {
        let profile = profile();
        assert_eq!(profile.file_name("prod"), Path::new("claims-operator.toml"));
        assert_eq!(profile.file_name("test"), Path::new("prod/claims-operator.toml"));
    }
}
