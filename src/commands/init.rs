//! `confluent ebs init`.

use std::path::{Path, PathBuf};

use futures_util::future::try_join_all;
use serde::Serialize;

use super::{CommandOutput, Ctx};
use crate::{
    api::{
        cmk::ListClusters,
        org::{ListEnvironments, ListOrganizations},
        srcm::ListRegistries,
    },
    client::Client,
    config::{IfExists, save::save},
    error::{Error, ResultExt},
    manifest::{
        Stage,
        admin::AdminScript,
        new_platform::NewPlatform,
        platform::{DEFAULT_RESERVE_PERCENT, DEFAULT_TASK_CEILING},
        workspace::{DEPARTMENTS, PLATFORM_FILE},
    },
    model::{ClusterId, EnvironmentId, SchemaRegistryId},
    render::{Block, Viewable},
    session::{open_service_client, unknown_stage_error},
};

/// Create ebs.toml from an existing organization
///
/// With a Cloud API key of an administrator or of the provisioner, the command discovers the organization, its
/// environments and Kafka clusters, and writes one stage for each environment that has a cluster. With --print, it
/// prints the Confluent CLI commands with which an organization administrator creates the provisioner once; this needs
/// neither a key nor a network.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Write ebs.toml to the current directory.

  $ confluent ebs init

Show the commands that create the provisioner for the stages in ebs.toml.

  $ confluent ebs init --print")]
pub(super) struct InitArgs {
    /// Print the commands that create the provisioner, for an organization administrator.
    #[arg(long)]
    print: bool,
    /// Discover the organization with the login of the Confluent CLI instead of a Cloud API key.
    #[arg(long, conflicts_with = "print")]
    from_login: bool,
    /// Show ebs.toml without writing it.
    #[arg(long)]
    dry_run: bool,
}

impl InitArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<InitOutput>, Error> {
        if self.print {
            return render_admin_script(ctx).map(CommandOutput::new);
        }
        let here = ctx.run.environment.working_dir()?.to_owned();
        let path = here.join(PLATFORM_FILE);
        if path.exists() && !self.dry_run {
            return Err(Error::failed(format!("`{}` already exists", path.display()))
                .with_hint("Edit the file and check it with `confluent ebs department validate`."));
        }
        let found = if self.from_login {
            discover_from_login()?
        } else {
            let client = open_service_client(&ctx.run)?;
            ctx.block_on(discover(&client))?
        };
        let text = found.to_toml();
        if !self.dry_run {
            save(&path, text.as_bytes(), IfExists::Keep)?;
            std::fs::create_dir_all(here.join(DEPARTMENTS)).context("cannot create the `departments` directory")?;
        }
        Ok(CommandOutput::new(InitOutput::Written {
            file: path,
            dry_run: self.dry_run,
            text,
        }))
    }
}

/// Returns the commands that create the provisioner. The platform configuration only provides the ids.
fn render_admin_script(ctx: &Ctx) -> Result<InitOutput, Error> {
    let (workspace, _) = super::session::load_valid_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    let platform = &workspace.platform;
    let stages: Vec<&str> = match &ctx.run.options.stage {
        Some(stage) if !platform.stages.contains_key(stage) => {
            return Err(unknown_stage_error(&workspace, Some(stage)));
        }
        Some(stage) => vec![stage],
        None => platform.stages.keys().map(String::as_str).collect(),
    };
    Ok(InitOutput::Printed(AdminScript::new(platform, &stages)))
}

/// Stage to be written to ebs.toml.
#[derive(Debug, PartialEq, Eq)]
struct DiscoveredStage {
    name: String,
    environment: EnvironmentId,
    cluster: ClusterId,
    cluster_type: String,
    schema_registry: Option<SchemaRegistryId>,
    /// Other clusters of the environment, written as comments.
    other_clusters: Vec<String>,
}

/// Discovered organization.
#[derive(Debug)]
struct DiscoveredOrganization {
    organization: String,
    stages: Vec<DiscoveredStage>,
}

async fn discover(client: &Client) -> Result<DiscoveredOrganization, Error> {
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
    Ok(DiscoveredOrganization {
        organization: organization.id.to_string(),
        stages,
    })
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
    let others = clusters
        .map(|(id, name, kind)| format!("{id} ({name}, {kind})"))
        .collect();
    Some(DiscoveredStage {
        name: stage_name(name),
        environment,
        cluster,
        cluster_type,
        schema_registry,
        other_clusters: others,
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

/// Discovers the organization through the Confluent CLI and its login. Only its output is used, never its files.
fn discover_from_login() -> Result<DiscoveredOrganization, Error> {
    let organizations = run_confluent_cli(&["organization", "list"])?;
    let current = |row: &&serde_json::Value| row["is_current"].as_bool().unwrap_or(false);
    let rows = organizations.as_array().cloned().unwrap_or_default();
    let organization = rows.iter().find(current).or_else(|| rows.first());
    let organization = organization.ok_or_else(|| Error::failed("the Confluent CLI returned no organization"))?;
    let mut stages = Vec::new();
    for environment in run_confluent_cli(&["environment", "list"])?
        .as_array()
        .into_iter()
        .flatten()
    {
        let id: EnvironmentId = json_text(environment, "id").parse()?;
        let clusters = run_confluent_cli(&["kafka", "cluster", "list", "--environment", id.as_str()])?;
        let clusters = clusters.as_array().into_iter().flatten().filter_map(|cluster| {
            let kind = json_text(cluster, "type");
            // The Confluent CLI prints cluster types in upper case.
            let kind: String = kind
                .char_indices()
                .map(|(place, c)| {
                    if place == 0 {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect();
            Some((json_text(cluster, "id").parse().ok()?, json_text(cluster, "name"), kind))
        });
        let registry = run_confluent_cli(&["schema-registry", "cluster", "describe", "--environment", id.as_str()])
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
    Ok(DiscoveredOrganization {
        organization: json_text(organization, "id"),
        stages,
    })
}

fn json_text(row: &serde_json::Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn run_confluent_cli(arguments: &[&str]) -> Result<serde_json::Value, Error> {
    let shown = format!("confluent {}", arguments.join(" "));
    let output = std::process::Command::new("confluent")
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

impl DiscoveredOrganization {
    /// Returns the text of ebs.toml, with skipped clusters as comments at its end.
    fn to_toml(&self) -> String {
        let mut stages: Vec<&DiscoveredStage> = self.stages.iter().collect();
        // The first stage becomes the default.
        stages.sort_by_key(|stage| !stage.name.contains("prod"));
        let platform = NewPlatform {
            organization: self.organization.parse().ok(),
            provisioner: None,
            stages: stages
                .iter()
                .map(|stage| (stage.name.clone(), stage.to_stage()))
                .collect(),
        };
        let mut text = platform.render();
        for stage in stages {
            let observed = format!("{} of stage {} is {}", stage.cluster, stage.name, stage.cluster_type);
            let others = match stage.other_clusters.is_empty() {
                true => String::new(),
                false => format!("; other clusters: {}", stage.other_clusters.join(", ")),
            };
            // Names are free text; a line break in a name would end the comment.
            let remark: String = format!("{observed}{others}")
                .chars()
                .filter(|c| !c.is_control())
                .collect();
            text = format!("{text}\n# {remark}.");
        }
        text.push('\n');
        text
    }
}

impl DiscoveredStage {
    fn to_stage(&self) -> Stage {
        Stage {
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            schema_registry: self.schema_registry.clone(),
            task_ceiling: DEFAULT_TASK_CEILING,
            reserve_percent: DEFAULT_RESERVE_PERCENT,
        }
    }
}

/// Result of `init`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum InitOutput {
    Printed(AdminScript),
    Written { file: PathBuf, dry_run: bool, text: String },
}

impl Viewable for InitOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Printed(script) => vec![Block::Verbatim(script.to_text())],
            Self::Written {
                dry_run: true, text, ..
            } => vec![Block::Verbatim(text.clone())],
            Self::Written { file, .. } => vec![
                Block::line(format!("Created `{}`.", file_name(file))),
                Block::line(
                    "Next: run `confluent ebs department new CODE`, and `confluent ebs init --print` to create the provisioner.",
                ),
            ],
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
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
        assert_eq!(found.cluster.as_str(), "lkc-2");
        assert_eq!(found.other_clusters, ["lkc-1 (x, Basic)"]);
        let text = DiscoveredOrganization {
            organization: "o".into(),
            stages: vec![found],
        }
        .to_toml();
        let source = crate::diag::SourceFile::new("ebs.toml", text);
        let (_, findings) = crate::manifest::platform::read(&source);
        assert!(!crate::diag::has_errors(&findings), "{findings:?}");
    }
}
