//! The console alone: the page of those who answer customers.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Parser;
use service::{Config, Shutdown, Supervisor, init_telemetry};
use threadmark_console::{Console, Options};

/// Serves the inbox, the chats and the dashboard as web pages.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The configuration; the environment (THREADMARK_…) goes on top of it.
    #[arg(long, value_name = "FILE", env = "THREADMARK_CONFIG")]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::load(Args::parse().config.as_deref())?;
    init_telemetry(&config.log);
    let _traces = service::init_traces(&config, "console")?;
    let shutdown = Shutdown::on_signals()?;
    let options = Options::from_config(&config, "")?;
    ensure!(
        !options.services.is_empty(),
        "console.services is empty: say where the other services answer, as in http://127.0.0.1:7070"
    );
    let console = Console::bind(config.console.listen, options, shutdown.clone()).await?;
    tracing::info!(console = %console.address()?, "ready");
    let supervisor = Supervisor::new(shutdown.clone());
    service::serve_metrics(&config, &supervisor).await?;
    supervisor.essential("console", console.serve());
    ensure!(supervisor.finish().await, "some work did not end in time");
    Ok(())
}
