//! The ingest service alone: webhooks and commands in, events out.

use std::path::PathBuf;

use anyhow::ensure;
use bus::{Bus, User};
use clap::Parser;
use ingest::{Intake, Options, Webhooks, access_service, contact_service, conversation_service, directory_service};
use service::{Certificates, Config, Doors, Grpc, Shutdown, Supervisor, init_telemetry};

/// Takes webhooks over HTTP and commands over gRPC.
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
    let _traces = service::init_traces(&config, "ingest")?;
    ensure!(!config.nats.url.is_empty(), "nats.url is empty: say where the bus is, as in nats://127.0.0.1:4222");
    let shutdown = Shutdown::on_signals()?;
    // Webhooks come from outside: what takes them may append, and can read nothing.
    let intake = Bus::connect(&config.bus(&config.nats.url, User::Ingest.name())).await?;
    let bus = Bus::connect(&config.bus(&config.nats.url, User::Desk.name())).await?;
    bus.ensure_streams().await?;
    let supervisor = Supervisor::new(shutdown.clone());
    let doors = Doors::from_config(&config, &bus, &supervisor).await?;
    let options = Options::from_config(&config);
    let intake = Intake::new(intake, options.clone()).deciding_over(bus.clone());
    let webhooks = Webhooks::bind(config.http.listen, intake, options.http.clone()).await?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&Certificates::read(&config.tls)?);
    grpc.add(conversation_service(bus.clone(), &options)).await;
    grpc.add(directory_service(&bus, &options)).await;
    grpc.add(contact_service(bus.clone(), &options)).await;
    grpc.add(access_service(&bus, &options)).await;
    tracing::info!(http = %webhooks.address()?, grpc = %grpc.address()?, "ready");
    service::serve_metrics(&config, &supervisor).await?;
    supervisor.essential("webhooks", webhooks.serve(shutdown.clone()));
    supervisor.essential("grpc", grpc.serve(shutdown));
    let in_order = supervisor.finish().await;
    bus.flush().await;
    ensure!(in_order, "some requests did not end in time");
    Ok(())
}
