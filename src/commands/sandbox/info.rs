//! `confluent ebs sandbox info`.

use serde::Serialize;

use super::open_default_sandbox;
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Cell, Record, Table, Viewable},
    sandbox::SandboxInfo,
};

/// Show the sandbox, and how other clients connect to it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the endpoints and keys of the sandbox.

  $ confluent ebs sandbox info

Read the secret of the provisioner in a script.

  $ confluent ebs sandbox info -o json --show-secrets")]
pub(super) struct SandboxInfoArgs {
    /// Also show the secrets of the seeded keys.
    #[arg(long)]
    show_secrets: bool,
}

impl SandboxInfoArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<SandboxInfoOutput>, Error> {
        Ok(CommandOutput::new(SandboxInfoOutput::new(
            open_default_sandbox(ctx)?.info(self.show_secrets)?,
        )))
    }
}

/// Facts that a user needs to connect to the sandbox with any client.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct SandboxInfoOutput {
    info: SandboxInfo,
}

impl SandboxInfoOutput {
    pub(super) fn new(info: SandboxInfo) -> Self {
        Self { info }
    }

    /// Returns examples for other clients of a served sandbox. Connector logs require port 1024.
    fn client_examples(&self, url: &str) -> Vec<Block> {
        let authority = url.trim_start_matches("http://");
        let stock = format!(
            "  export HOME=$(mktemp -d) && mkdir -p $HOME/.confluent\n  \
             echo '{{\"disable_feature_flags\":true,\"disable_update_check\":true}}' > $HOME/.confluent/config.json\n  \
             export CONFLUENT_CLOUD_EMAIL={} CONFLUENT_CLOUD_PASSWORD={}\n  \
             confluent login --url http://cpdev.cloud@{authority}\n",
            self.info.admin_email, self.info.admin_password
        );
        let terraform = format!(
            "  provider \"confluent\" {{\n    endpoint         = \"{url}\"\n    \
             cloud_api_key    = \"{}\"\n    \
             cloud_api_secret = var.secret   # confluent ebs sandbox info -o json --show-secrets\n  }}\n",
            self.info.admin_key
        );
        vec![
            Block::titled("Confluent CLI, as the administrator", [Block::Verbatim(stock)]),
            Block::titled("Terraform, as the administrator", [Block::Verbatim(terraform)]),
        ]
    }
}

impl Viewable for SandboxInfoOutput {
    fn shows_secrets(&self) -> bool {
        self.info.admin_secret.is_some()
    }

    fn view(&self) -> Vec<Block> {
        let info = &self.info;
        let url = info.url.as_deref();
        let first = info.stages.first();
        let record = Record::new()
            .field(
                "URL",
                url.unwrap_or("not served; start it with `confluent ebs sandbox start`")
                    .to_owned(),
            )
            .field("Organization", info.organization.clone())
            .field("Administrator", format!("{} ({})", info.admin_email, info.admin))
            .field("Administrator's key", info.admin_key.clone())
            .optional("Administrator's secret", info.admin_secret.clone())
            .field("Provisioner", info.provisioner.clone())
            .field("Provisioner's key", info.provisioner_key.clone())
            .optional("Provisioner's secret", info.provisioner_secret.clone())
            .optional(
                "Provisioner's Kafka key",
                first.map(|stage| stage.provisioner_kafka_key.clone()),
            )
            .optional(
                "Provisioner's Kafka secret",
                first.and_then(|stage| stage.provisioner_kafka_secret.clone()),
            );
        let mut stages = Table::new(["Stage", "Environment", "Cluster", "Type", "Schema Registry"]);
        for stage in &info.stages {
            stages.push([
                Cell::text(&stage.name),
                Cell::text(&stage.environment),
                Cell::text(&stage.cluster),
                Cell::from(stage.cluster_kind.as_str()),
                stage.schema_registry.clone().into(),
            ]);
        }
        let mut blocks = vec![Block::Record(record), Block::Table(stages)];
        if let Some(url) = url {
            blocks.extend(self.client_examples(url));
        }
        blocks
    }
}
