//! Parser for the tables of a profile. Findings are redacted by [`redact_profile`](super::redact_profile) before they
//! are shown.

use std::str::FromStr;

use toml::Spanned;

use super::{
    credentials::KeyPair, endpoint::ServiceEndpoint, hosts::ConfiguredHosts, profile::Profile,
    profile_keys::ProfileKeys,
};
use crate::{
    diag::Finding,
    hint::Advice,
    manifest::{ProfileFacts, lint, platform, quota::read_throughput, toml::TomlTable},
    model::{ApiKeyId, DepartmentQuota, Prefix, Secret, prefix::PrefixError},
};

/// Reads the file: the profile, if it is complete, its keys, and its hosts.
pub(super) fn read(root: &TomlTable<'_>, trusted: &[String]) -> (Option<Profile>, ProfileKeys, ConfiguredHosts) {
    root.hint_misplaced_keys(&["id", "secret"], "Move it below `[key]`.");
    root.hint_misplaced_keys(
        &["connectors", "tasks", "tasks_per_connector", "plugins"],
        "Move it below `[quota]`.",
    );
    let keys = root.table("key").map(|table| read_keys(&table)).unwrap_or_default();
    let endpoint = read_endpoint(root, "endpoint", trusted);
    let hosts = root.table("endpoints").map(|table| read_hosts(&table, trusted));
    let organization = root.require_parse("organization");
    let stage = root.require::<String>("stage");
    let environment = root.require_parse("environment");
    let cluster = root.require_parse("cluster");
    let schema_registry = root.parse("schema_registry");
    let department = root.require_parse("department");
    let department_name = root.require::<String>("name");
    let persona = root.require::<String>("persona");
    let prefix = root.require_parse::<ParsedPrefix>("prefix");
    let runtime = root.get::<String>("runtime");
    let runtime_account = root.parse("runtime_account").map(Spanned::into_inner);
    let secret_variables = root.list("secret_variables").unwrap_or_default();
    let issued = root.require::<jiff::civil::Date>("issued");
    let quota = root.require_table("quota").and_then(|table| read_quota(&table));
    let naming = root.table("naming").and_then(|table| table.parse("connector"));
    let lint_exceptions = root.table("lint").map(|table| lint::read(&table)).unwrap_or_default();
    let platform_team = root
        .table("platform")
        .map(|table| platform::read_team(&table))
        .unwrap_or_default();
    let profile = || {
        Some(Profile {
            facts: ProfileFacts {
                organization: organization?.into_inner(),
                stage: stage?.into_inner(),
                environment: environment?.into_inner(),
                cluster: cluster?.into_inner(),
                schema_registry: schema_registry.map(Spanned::into_inner),
                department: department?.into_inner(),
                department_name: department_name?.into_inner(),
                persona: persona?.into_inner(),
                prefix: prefix?.into_inner().0,
                quota: quota?,
                connector_names: naming.map(Spanned::into_inner).unwrap_or_default(),
                lint_exceptions,
                runtime: runtime.map(Spanned::into_inner),
                platform_team,
            },
            endpoint: endpoint?,
            runtime_account,
            secret_variables: secret_variables.into_iter().map(Spanned::into_inner).collect(),
            issued: issued?.into_inner(),
        })
    };
    (profile(), keys, hosts.unwrap_or_default())
}

/// Reads the optional hosts.
fn read_hosts(table: &TomlTable<'_>, trusted: &[String]) -> ConfiguredHosts {
    let one = |key: &'static str| match table
        .get::<String>(key)
        .and_then(|text| parse_endpoint(table, &text, trusted))?
    {
        ServiceEndpoint::Url(url) => Some(url),
        ServiceEndpoint::Sandbox(_) => None,
    };
    ConfiguredHosts {
        token: one("token"),
        logs: one("logs"),
        metrics: one("metrics"),
    }
}

fn read_endpoint(root: &TomlTable<'_>, key: &'static str, trusted: &[String]) -> Option<ServiceEndpoint> {
    let text = root.require::<String>(key)?;
    parse_endpoint(root, &text, trusted)
}

fn parse_endpoint(root: &TomlTable<'_>, text: &Spanned<String>, trusted: &[String]) -> Option<ServiceEndpoint> {
    match ServiceEndpoint::parse(text.get_ref(), trusted) {
        Ok(endpoint) => Some(endpoint),
        Err(error) => {
            let mut finding = Finding::error("endpoint-not-trusted", error.to_string());
            finding.fix = error.hints().first().map(ToString::to_string);
            root.report(text.span(), finding);
            None
        }
    }
}

fn read_quota(table: &TomlTable<'_>) -> Option<DepartmentQuota> {
    let connectors = table.require::<u32>("connectors");
    let tasks = table.require::<u32>("tasks");
    let tasks_per_connector = table.require::<u32>("tasks_per_connector");
    let plugins = table.require_list("plugins");
    let throughput = read_throughput(table);
    Some(DepartmentQuota {
        connectors: connectors?.into_inner(),
        tasks: tasks?.into_inner(),
        tasks_per_connector: tasks_per_connector?.into_inner(),
        plugins: plugins?.into_iter().map(Spanned::into_inner).collect(),
        throughput,
    })
}

fn read_keys(table: &TomlTable<'_>) -> ProfileKeys {
    let kafka = table.table("kafka").and_then(|table| read_pair(&table));
    let schema_registry = table.table("schema_registry").and_then(|table| read_pair(&table));
    // A persona may have only data keys.
    let only_others = table.key_range("id").is_none() && table.key_range("secret").is_none();
    let others = table.key_range("kafka").is_some() || table.key_range("schema_registry").is_some();
    let cloud = if only_others && others { None } else { read_pair(table) };
    ProfileKeys {
        cloud,
        kafka,
        schema_registry,
    }
}

/// Reads `id` and `secret`. Messages contain neither, because they are easily swapped.
fn read_pair(table: &TomlTable<'_>) -> Option<KeyPair> {
    let id = table.require::<String>("id");
    let secret = table.require::<String>("secret");
    let (id, secret) = (id?, secret?);
    let plausible = ApiKeyId::is_plausible(id.get_ref());
    let Some(parsed) = ApiKeyId::from_str(id.get_ref()).ok().filter(|_| plausible) else {
        let finding = Finding::error("invalid-value", "this is not the id of an API key");
        table.report(
            id.span(),
            finding.with_fix("Use the id of the key, 16 upper-case letters and digits, not its secret."),
        );
        return None;
    };
    if secret.get_ref().trim().is_empty() {
        let finding = Finding::error("invalid-value", "the secret is empty");
        table.report(
            secret.span(),
            finding.with_fix("Remove the whole `[key]` table to use the key from the environment."),
        );
        return None;
    }
    Some(KeyPair {
        id: parsed,
        secret: Secret::new(secret.into_inner()),
    })
}

/// `Prefix` has no `FromStr`, because parsing a prefix elsewhere needs the naming rules.
struct ParsedPrefix(Prefix);

impl FromStr for ParsedPrefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Prefix::parse(text).map(Self)
    }
}
