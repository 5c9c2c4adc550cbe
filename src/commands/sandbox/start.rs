//! `confluent ebs sandbox start`.

use std::net::{Ipv4Addr, SocketAddr};

use super::{info::SandboxInfoOutput, open_default_sandbox, settings::SandboxBehaviourArgs};
use crate::{
    commands::{CommandOutput, Ctx},
    error::{Error, ResultExt},
    render::Viewable,
    session::to_error_with_hints,
};

/// Serve the sandbox on loopback for the Confluent CLI, Terraform and curl
///
/// Runs until Ctrl-C. While it runs, all commands with --sandbox use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Serve the sandbox where the Confluent CLI expects it.

  $ confluent ebs sandbox start

Serve the sandbox on another port, with the delays of Confluent Cloud.

  $ confluent ebs sandbox start --port 8080 --timing real")]
pub(super) struct SandboxStartArgs {
    /// Port on 127.0.0.1; 0 selects a free port. The Confluent CLI finds connector logs only on port 1024.
    #[arg(long, value_name = "int", default_value_t = 1024)]
    port: u16,
    /// Seconds that pass in the sandbox per second of real time.
    #[arg(long, value_name = "float")]
    time_scale: Option<f64>,
    #[command(flatten)]
    behaviour: SandboxBehaviourArgs,
}

impl SandboxStartArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<SandboxInfoOutput>, Error> {
        let sandbox = open_default_sandbox(ctx)?;
        let now = sandbox.settings()?;
        let mut settings = self.behaviour.apply(&now)?;
        if let Some(scale) = self.time_scale {
            settings.get_or_insert(now).time_scale = scale;
        }
        if let Some(settings) = settings {
            sandbox.set_settings(settings)?;
        }
        ctx.block_on(async {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let listener = tokio::net::TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on port {}", self.port))
                .hint("Select a free port with `--port 0`.")?;
            let url = format!("http://{}", listener.local_addr()?);
            let served = sandbox.clone();
            let serving = tokio::spawn(async move { served.serve(listener).await });
            // Reports a server that cannot start immediately.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            if serving.is_finished() {
                serving.await?.map_err(to_error_with_hints)?;
                return Ok(CommandOutput::empty());
            }
            let mut info = sandbox.info(false)?;
            info.url = Some(url);
            ctx.ui.print_preview(&SandboxInfoOutput::new(info).view())?;
            ctx.run.cancel.cancelled().await;
            serving.abort();
            Ok(CommandOutput::empty())
        })
    }
}
