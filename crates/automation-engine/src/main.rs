//! The automation engine alone: rules on events, timers and other systems; `AutomationService`.

use std::path::PathBuf;

use anyhow::ensure;
use automation_engine::{Engine, Options, automation_service};
use bus::{Bus, User};
use clap::Parser;
use service::access::Bearer;
use service::{Certificates, Config, Doors, Grpc, Shutdown, Supervisor, init_telemetry};

/// Runs rules.
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
    let _traces = service::init_traces(&config, "automation-engine")?;
    let certificates = Certificates::read(&config.tls)?;
    ensure!(!config.nats.url.is_empty(), "nats.url is empty: say where the bus is, as in nats://127.0.0.1:4222");
    let view = &config.automation.ticket_service;
    ensure!(!view.is_empty(), "automation.ticket_service is empty: say where the projection answers");
    let shutdown = Shutdown::on_signals()?;
    let bus = Bus::connect(&config.bus(&config.nats.url, User::AutomationEngine.name())).await?;
    bus.ensure_streams().await?;
    let supervisor = Supervisor::new(shutdown.clone());
    let doors = Doors::from_config(&config, &bus, &supervisor).await?;
    let bearer = Bearer::from_config(&config.access)?;
    let engine = Engine::new(bus.clone(), Options::from_config(&config, "")?.showing(bearer, certificates.clone()))?;
    engine.prepare().await?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&certificates);
    grpc.add(automation_service(engine.clone())).await;
    tracing::info!(grpc = %grpc.address()?, "ready");
    service::serve_metrics(&config, &supervisor).await?;
    engine.start(&supervisor);
    supervisor.essential("grpc", grpc.serve(shutdown));
    let in_order = supervisor.finish().await;
    bus.flush().await;
    ensure!(in_order, "some work did not end in time");
    Ok(())
}
