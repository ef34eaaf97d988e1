//! The projection alone: it follows the log and answers queries.

use std::path::PathBuf;

use anyhow::ensure;
use bus::{Bus, User};
use clap::Parser;
use projection::{Options, Projection};
use service::{Certificates, Config, Doors, Grpc, Shutdown, Supervisor, init_telemetry};

/// Folds the log into ticket windows and answers queries over gRPC.
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
    let _traces = service::init_traces(&config, "projection")?;
    ensure!(!config.nats.url.is_empty(), "nats.url is empty: say where the bus is, as in nats://127.0.0.1:4222");
    let shutdown = Shutdown::on_signals()?;
    let bus = Bus::connect(&config.bus(&config.nats.url, User::Projection.name())).await?;
    bus.ensure_streams().await?;
    let supervisor = Supervisor::new(shutdown.clone());
    let doors = Doors::from_config(&config, &bus, &supervisor).await?;
    let projection = Projection::open(bus, Options::from_config(&config, config.data_dir.join("projection"))).await?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&Certificates::read(&config.tls)?);
    grpc.add(projection.ticket_service(&shutdown)).await;
    grpc.add(projection.projection_service()).await;
    grpc.add(projection.audit_service(&shutdown)).await;
    tracing::info!(grpc = %grpc.address()?, "ready");
    service::serve_metrics(&config, &supervisor).await?;
    projection.start(&supervisor);
    supervisor.essential("grpc", grpc.serve(shutdown));
    ensure!(supervisor.finish().await, "some requests did not end in time");
    Ok(())
}
