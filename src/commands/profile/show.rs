//! `confluent ebs profile show`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    config::LoadedProfile,
    error::Error,
    model::{KeyKind, PlatformTeam, Throughput},
    render::{Block, Record, Viewable},
    session::{profiles::load_profile, selected_profile},
};

/// Show a profile without its secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the default profile.

  $ confluent ebs profile show

Show an imported profile.

  $ confluent ebs profile show claims-operator

Show a profile file.

  $ confluent ebs profile show ./claims-operator.toml")]
pub(super) struct ProfileShowArgs {
    /// Name or file of the profile. Default: the current profile.
    #[arg(value_name = "profile")]
    named: Option<String>,
}

impl ProfileShowArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ProfileShowOutput>, Error> {
        let folders = ctx.run.environment.dirs()?;
        let named = self
            .named
            .or_else(|| selected_profile(&ctx.run, folders).map(|selected| selected.value))
            .or_else(|| folders.current_profile());
        let Some(named) = named else {
            return Err(Error::failed("no profile selected")
                .with_hint(
                    "Pass a name: `confluent ebs profile show NAME`. List profiles with `confluent ebs profile list`.",
                )
                .with_hint("Select a profile with `confluent ebs profile use NAME`."));
        };
        let loaded = load_profile(&ctx.run, &folders.profile(&named))?;
        Ok(CommandOutput::new(ProfileShowOutput::new(&loaded)))
    }
}

/// Replacement of a secret, as in responses of Confluent Cloud.
const MASK: &str = "****************";

/// Profile without its secrets.
#[derive(Debug, Serialize)]
pub(super) struct ProfileShowOutput {
    file: String,
    department: String,
    persona: String,
    prefix: String,
    endpoint: String,
    organization: String,
    stage: String,
    environment: String,
    cluster: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_account: Option<String>,
    connectors: u32,
    tasks: u32,
    tasks_per_connector: u32,
    plugins: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Throughput>,
    issued: String,
    #[serde(skip_serializing_if = "PlatformTeam::is_unnamed")]
    platform: PlatformTeam,
    keys: Vec<ProfileKeyRow>,
}

#[derive(Debug, Serialize)]
struct ProfileKeyRow {
    kind: &'static str,
    api_key: String,
    /// Mask that shows that a secret is present.
    api_secret: &'static str,
}

impl ProfileShowOutput {
    fn new(loaded: &LoadedProfile) -> Self {
        let profile = &loaded.profile;
        let facts = &profile.facts;
        let kinds = [
            (KeyKind::Cloud, "cloud"),
            (KeyKind::Kafka, "kafka"),
            (KeyKind::SchemaRegistry, "schema-registry"),
        ];
        let keys = kinds.into_iter().filter_map(|(kind, word)| {
            loaded.keys.get(kind).map(|pair| ProfileKeyRow {
                kind: word,
                api_key: pair.id.to_string(),
                api_secret: MASK,
            })
        });
        Self {
            file: loaded.path.display().to_string(),
            department: facts.department.to_string(),
            persona: facts.persona.clone(),
            prefix: facts.prefix.to_string(),
            endpoint: profile.endpoint.to_string(),
            organization: facts.organization.to_string(),
            stage: facts.stage.clone(),
            environment: facts.environment.to_string(),
            cluster: facts.cluster.to_string(),
            schema_registry: facts.schema_registry.as_ref().map(ToString::to_string),
            runtime_account: profile.runtime_account.as_ref().map(ToString::to_string),
            connectors: facts.quota.connectors,
            tasks: facts.quota.tasks,
            tasks_per_connector: facts.quota.tasks_per_connector,
            plugins: facts.quota.plugins.clone(),
            throughput: facts.quota.throughput,
            issued: profile.issued.to_string(),
            platform: facts.platform_team.clone(),
            keys: keys.collect(),
        }
    }
}

impl Viewable for ProfileShowOutput {
    fn view(&self) -> Vec<Block> {
        let keys: Vec<String> = self
            .keys
            .iter()
            .map(|key| format!("{} ({}), secret {}", key.api_key, key.kind, key.api_secret))
            .collect();
        let keys = if keys.is_empty() {
            "none; taken from the environment".to_owned()
        } else {
            keys.join("; ")
        };
        let record = Record::new()
            .field("File", self.file.clone())
            .field("Department", self.department.clone())
            .field("Persona", self.persona.clone())
            .field("Prefix", self.prefix.clone())
            .field("Endpoint", self.endpoint.clone())
            .field("Organization", self.organization.clone())
            .field("Stage", self.stage.clone())
            .field("Environment", self.environment.clone())
            .field("Cluster", self.cluster.clone())
            .optional("Schema Registry", self.schema_registry.clone())
            .optional("Runtime Account", self.runtime_account.clone())
            .field("Connectors", self.connectors)
            .field(
                "Tasks",
                format!("{}, at most {} per connector", self.tasks, self.tasks_per_connector),
            )
            .field("Plugins", self.plugins.join(", "))
            .field("Issued", self.issued.clone())
            .optional(
                "Platform Team",
                (!self.platform.is_unnamed()).then(|| self.platform.label()),
            )
            .field("API Keys", keys);
        vec![Block::Record(record)]
    }
}
