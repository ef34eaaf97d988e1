//! Delivery alone: sends what is queued, and posts events to who subscribed; `WebhookService`.

use std::path::PathBuf;

use anyhow::ensure;
use bus::{Bus, User};
use clap::Parser;
use delivery::{Delivery, HookOptions, Hooks, Options, webhook_service};
use service::{Certificates, Config, Doors, Grpc, Shutdown, Supervisor, init_telemetry};

/// Sends what agents, the bot and rules say to customers.
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
    let _traces = service::init_traces(&config, "delivery")?;
    ensure!(!config.nats.url.is_empty(), "nats.url is empty: say where the bus is, as in nats://127.0.0.1:4222");
    let shutdown = Shutdown::on_signals()?;
    let bus = Bus::connect(&config.bus(&config.nats.url, User::Delivery.name())).await?;
    bus.ensure_streams().await?;
    let supervisor = Supervisor::new(shutdown.clone());
    let doors = Doors::from_config(&config, &bus, &supervisor).await?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&Certificates::read(&config.tls)?);
    let hooks = Hooks::new(bus.clone(), HookOptions::from_config(&config))?;
    hooks.prepare().await?;
    grpc.add(webhook_service(hooks.clone())).await;
    let delivery = Delivery::new(bus.clone(), Options::from_config(&config), grpc.health());
    delivery.prepare().await?;
    tracing::info!(grpc = %grpc.address()?, "ready");
    service::serve_metrics(&config, &supervisor).await?;
    delivery.start(&supervisor);
    hooks.start(&supervisor);
    supervisor.essential("grpc", grpc.serve(shutdown));
    let in_order = supervisor.finish().await;
    bus.flush().await;
    ensure!(in_order, "some messages were left to the next process");
    Ok(())
}
