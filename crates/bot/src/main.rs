//! The bot alone: answers and handoffs; `BotService`.

use std::path::PathBuf;

use anyhow::ensure;
use bot::{Library, Options, TurnOptions, Turns, bot_service, brain};
use bus::{Bus, User};
use clap::Parser;
use service::access::Bearer;
use service::{Certificates, Config, Doors, Grpc, Shutdown, Supervisor, init_telemetry};

/// Answers what it knows, and hands off when it can't.
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
    let _traces = service::init_traces(&config, "bot")?;
    let certificates = Certificates::read(&config.tls)?;
    ensure!(!config.nats.url.is_empty(), "nats.url is empty: say where the bus is, as in nats://127.0.0.1:4222");
    let shutdown = Shutdown::on_signals()?;
    let bus = Bus::connect(&config.bus(&config.nats.url, User::Bot.name())).await?;
    bus.ensure_streams().await?;
    let supervisor = Supervisor::new(shutdown.clone());
    let doors = Doors::from_config(&config, &bus, &supervisor).await?;
    let library = Library::new(bus.clone());
    let bearer = Bearer::from_config(&config.access)?;
    let options = TurnOptions::from_config(&config, "").showing(bearer, certificates.clone());
    ensure!(
        !options.ticket_service.is_empty(),
        "bot.ticket_service is empty: say where the projection answers, as in http://127.0.0.1:7070"
    );
    let turns = Turns::new(bus.clone(), brain(&bus, &config, &library)?, options)?;
    turns.prepare().await?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&certificates);
    grpc.add(bot_service(bus.clone(), library.clone(), Options::from_config(&config))).await;
    tracing::info!(grpc = %grpc.address()?, "ready");
    service::serve_metrics(&config, &supervisor).await?;
    library.start(&supervisor);
    turns.start(&supervisor);
    supervisor.essential("grpc", grpc.serve(shutdown));
    let in_order = supervisor.finish().await;
    bus.flush().await;
    ensure!(in_order, "some work did not end in time");
    Ok(())
}
