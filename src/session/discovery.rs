//! Discovery of an organization, its environments and clusters, before `ebs.toml` exists.

use futures_util::future::try_join_all;

use super::{ConnectionBuilder, RunContext, Settings, load_selected_profile, load_valid_workspace};
use crate::{
    api::{
        cmk::ListClusters,
        iam::ListServiceAccounts,
        keys::ListApiKeys,
        org::{ListEnvironments, ListOrganizations},
        srcm::ListRegistries,
    },
    child,
    client::Client,
    error::{Error, ResultExt},
    manifest::{
        Stage,
        admin::PROVISIONER,
        new_platform::NewPlatform,
        platform::{DEFAULT_RESERVE_PERCENT, DEFAULT_TASK_CEILING},
    },
    model::{ApiKeyId, ClusterId, EnvironmentId, SchemaRegistryId, ServiceAccountId},
};

/// Stage to be written to ebs.toml.
#[derive(Debug)]
struct DiscoveredStage {
    name: String,
    stage: Stage,
    cluster_type: String,
    /// Other clusters of the environment, written as comments.
    other_clusters: Vec<String>,
}

/// Organization with the stages that `ebs.toml` can name.
#[derive(Debug)]
pub struct DiscoveredOrganization {
    organization: String,
    provisioner: Option<ServiceAccountId>,
    provisioner_keys: Vec<ApiKeyId>,
    stages: Vec<DiscoveredStage>,
}

impl DiscoveredOrganization {
    /// Discovers the organization with the selected Cloud API key.
    ///
    /// # Errors
    /// There is no key, or it cannot see an environment that has a Kafka cluster.
    pub async fn from_key(run: &RunContext) -> Result<Self, Error> {
        let client = &open_client(run)?;
        let organization = client.list(ListOrganizations).await?.into_iter().next();
        let organization =
            organization.ok_or_else(|| Error::failed("Confluent Cloud returned no organization for this key"))?;
        let environments = client.list(ListEnvironments).await?;
        let stages = try_join_all(environments.into_iter().map(|environment| async move {
            let clusters = client.list(ListClusters(environment.id.clone())).await?;
            let registries = client
                .list(ListRegistries(environment.id.clone()))
                .await
                .unwrap_or_default();
            let clusters = clusters
                .into_iter()
                .map(|c| (c.id, c.spec.display_name, c.spec.config.kind))
                .collect();
            let registry = registries.into_iter().next().map(|registry| registry.id);
            Ok::<_, Error>(select_stage(
                &environment.display_name,
                environment.id,
                clusters,
                registry,
            ))
        }))
        .await?;
        let stages: Vec<DiscoveredStage> = stages.into_iter().flatten().collect();
        if stages.is_empty() {
            return Err(
                Error::failed("this key cannot see an environment that has a Kafka cluster").with_hint(
                    "A provisioner sees its cluster only after its roles are bound; `confluent ebs init --print` prints the commands.",
                ),
            );
        }
        let (provisioner, provisioner_keys) = find_provisioner(client).await.unzip();
        Ok(Self {
            organization: organization.id.to_string(),
            provisioner,
            provisioner_keys: provisioner_keys.unwrap_or_default(),
            stages,
        })
    }

    /// Discovers the organization through the Confluent CLI and its login. Only its output is used, never its files.
    ///
    /// # Errors
    /// The Confluent CLI is missing or logged out, or its login cannot see an environment that has a Kafka cluster.
    pub fn from_login(run: &RunContext) -> Result<Self, Error> {
        let organizations = run_confluent_cli(run, &["organization", "list"])?;
        let current = |row: &&serde_json::Value| row["is_current"].as_bool().unwrap_or(false);
        let rows = organizations.as_array().cloned().unwrap_or_default();
        let organization = rows.iter().find(current).or_else(|| rows.first());
        let organization = organization.ok_or_else(|| Error::failed("the Confluent CLI returned no organization"))?;
        let mut stages = Vec::new();
        for environment in run_confluent_cli(run, &["environment", "list"])?
            .as_array()
            .into_iter()
            .flatten()
        {
            let id: EnvironmentId = json_text(environment, "id").parse()?;
            let clusters = run_confluent_cli(run, &["kafka", "cluster", "list", "--environment", id.as_str()])?;
            let clusters = clusters.as_array().into_iter().flatten().filter_map(|cluster| {
                // The Confluent CLI prints cluster types in upper case.
                let mut kind = json_text(cluster, "type").to_ascii_lowercase();
                if let Some(first) = kind.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                Some((json_text(cluster, "id").parse().ok()?, json_text(cluster, "name"), kind))
            });
            let registry = run_confluent_cli(
                run,
                &["schema-registry", "cluster", "describe", "--environment", id.as_str()],
            )
            .ok()
            .and_then(|registry| {
                ["cluster_id", "cluster", "id"]
                    .iter()
                    .find_map(|key| json_text(&registry, key).parse().ok())
            });
            stages.extend(select_stage(
                &json_text(environment, "name"),
                id,
                clusters.collect(),
                registry,
            ));
        }
        if stages.is_empty() {
            return Err(Error::failed(
                "this login cannot see an environment that has a Kafka cluster",
            ));
        }
        Ok(Self {
            organization: json_text(organization, "id"),
            provisioner: None,
            provisioner_keys: Vec::new(),
            stages,
        })
    }

    /// Returns the text of `ebs.toml`, with skipped clusters as comments at its end.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut stages: Vec<&DiscoveredStage> = self.stages.iter().collect();
        // The first stage becomes the default.
        stages.sort_by_key(|stage| !stage.name.contains("prod"));
        let platform = NewPlatform {
            organization: self.organization.parse().ok(),
            provisioner: self.provisioner.clone(),
            provisioner_keys: self.provisioner_keys.clone(),
            stages: stages
                .iter()
                .map(|found| (found.name.clone(), found.stage.clone()))
                .collect(),
        };
        let mut text = platform.render();
        for found in stages {
            let mut remark = format!(
                "{} of stage {} is {}",
                found.stage.cluster, found.name, found.cluster_type
            );
            if !found.other_clusters.is_empty() {
                remark = format!("{remark}; other clusters: {}", found.other_clusters.join(", "));
            }
            // Names are free text; a line break in a name would end the comment.
            remark.retain(|c| !c.is_control());
            text = format!("{text}\n# {remark}.");
        }
        text.push('\n');
        text
    }
}

/// Opens a client without a platform configuration.
fn open_client(run: &RunContext) -> Result<Client, Error> {
    let profile = load_selected_profile(run, run.environment.dirs()?)?;
    let settings = Settings::resolve(run, profile.as_ref(), None);
    let builder = ConnectionBuilder::new(run, &settings, profile.as_ref());
    if settings.sandbox_dir().is_none() {
        return builder.open()?.client();
    }
    let (workspace, _) = load_valid_workspace(run, true)?;
    builder.workspace(&workspace).open()?.client()
}

/// Returns the account called like the provisioner and its API keys, as far as the key of the caller shows them.
async fn find_provisioner(client: &Client) -> Option<(ServiceAccountId, Vec<ApiKeyId>)> {
    let accounts = client.list(ListServiceAccounts::default()).await.ok()?;
    let account = accounts
        .into_iter()
        .find(|account| account.display_name == PROVISIONER)?;
    let keys = client.list(ListApiKeys::default()).await.unwrap_or_default();
    let own = keys.into_iter().filter(|key| key.spec.owner.id == account.id.as_str());
    let mut keys: Vec<ApiKeyId> = own.map(|key| key.id).collect();
    keys.sort();
    Some((account.id, keys))
}

/// Builds the stage of an environment with its first cluster that supports granular roles.
fn select_stage(
    name: &str,
    environment: EnvironmentId,
    mut clusters: Vec<(ClusterId, String, String)>,
    schema_registry: Option<SchemaRegistryId>,
) -> Option<DiscoveredStage> {
    clusters.sort_by(|a, b| (a.2 == "Basic", &a.0).cmp(&(b.2 == "Basic", &b.0)));
    let mut clusters = clusters.into_iter();
    let (cluster, _, cluster_type) = clusters.next()?;
    Some(DiscoveredStage {
        name: stage_name(name),
        stage: Stage {
            environment,
            cluster,
            schema_registry,
            task_ceiling: DEFAULT_TASK_CEILING,
            reserve_percent: DEFAULT_RESERVE_PERCENT,
        },
        cluster_type,
        other_clusters: clusters
            .map(|(id, name, kind)| format!("{id} ({name}, {kind})"))
            .collect(),
    })
}

/// Derives the name of a stage from the name of an environment: lower case, letters and digits only, because dashes
/// separate the parts of an account name.
fn stage_name(name: &str) -> String {
    let safe: String = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    match safe.as_str() {
        "" => "stage".to_owned(),
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("s{name}"),
        name => name.to_owned(),
    }
}

fn json_text(row: &serde_json::Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn run_confluent_cli(run: &RunContext, arguments: &[&str]) -> Result<serde_json::Value, Error> {
    let shown = format!("confluent {}", arguments.join(" "));
    let output = child::command("confluent", &run.environment.secrets)
        .args(arguments)
        .args(["-o", "json"])
        .output()
        .with_context(|| format!("cannot run `{shown}`"))
        .hint("Install the Confluent CLI, or use a Cloud API key instead of `--from-login`.")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("unknown reason")
            .to_owned();
        return Err(Error::failed(format!("`{shown}` failed: {first}")).with_hint("Log in with `confluent login`."));
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("`{shown}` did not return valid JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_name_becomes_a_valid_stage_name() {
        let names = [
            ("Production", "production"),
            ("PRE prod / EU", "preprodeu"),
            ("2nd", "s2nd"),
            ("***", "stage"),
        ];
        for (name, expected) in names {
            assert_eq!(stage_name(name), expected);
        }
    }

    #[test]
    fn a_basic_cluster_is_chosen_only_without_an_alternative() {
        let cluster = |id: &str, kind: &str| (id.parse().unwrap(), "x".to_owned(), kind.to_owned());
        let clusters = vec![cluster("lkc-1", "Basic"), cluster("lkc-2", "Standard")];
        let found = select_stage("prod", "env-1".parse().unwrap(), clusters, None).unwrap();
        assert_eq!(found.stage.cluster.as_str(), "lkc-2");
        assert_eq!(found.other_clusters, ["lkc-1 (x, Basic)"]);
        let text = DiscoveredOrganization {
            provisioner: None,
            provisioner_keys: Vec::new(),
            organization: "o".into(),
            stages: vec![found],
        }
        .to_toml();
        let source = crate::diag::SourceFile::new("ebs.toml", text);
        let (_, findings) = crate::manifest::platform::read(&source);
        assert!(!crate::diag::has_errors(&findings), "{findings:?}");
    }
}
