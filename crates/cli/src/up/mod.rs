//! `threadmark up`: every service in one process beside a real nats-server.
// What it prints is for the person, or the script, that started it.
#![allow(clippy::print_stdout)]

mod data_dir;
mod demo;
mod demo_bot;
mod nats;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bus::Bus;
use clap::Args as ClapArgs;
use fake_graph::FakeGraph;
use proto::v1::token::Role;
use service::access::{Bearer, NewToken};
use service::{Certificates, Config, Doors, Grpc, Secret, Shutdown, Supervisor};

use crate::client::Access;
use crate::token::{self, Left};
use data_dir::DataDir;
use nats::NatsChild;
use threadmark_console::Console;

/// The file in the data directory that holds the token of this process.
const KEY: &str = "service.token";
/// How long the page may take until it answers, and how often it is looked at.
const PAGE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Start everything: nats-server, every service, and a demo workspace with live customers.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  threadmark up                                   the demo, in ./threadmark-data
  threadmark up --no-demo --config acme.toml      your own workspace and channels
  threadmark up --dump-config > acme.toml         every setting with its value

Ctrl-C ends everything in order and loses nothing; started again, it goes on. A second Ctrl-C ends at once.")]
pub(crate) struct Args {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept [default: threadmark-data].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where gRPC answers [default: 127.0.0.1:7070]; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    grpc: Option<SocketAddr>,
    /// Where webhooks come in [default: 127.0.0.1:7080]; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Where the page is [default: 127.0.0.1:7090]; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    console: Option<SocketAddr>,
    /// Where Prometheus reads metrics [default: a free port of loopback]
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
    /// Without the demo workspace and its customers.
    #[arg(long)]
    no_demo: bool,
    /// Print every setting with its value, and end.
    #[arg(long)]
    dump_config: bool,
}

/// What stands between the parent and its nats-server. Not for people.
#[derive(Debug, ClapArgs)]
pub(crate) struct GuardArgs {
    binary: PathBuf,
    config: PathBuf,
}

/// Runs until a signal, then ends in order.
///
/// # Errors
/// When something that is needed can't be had: the text says what to do.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut config = args.config()?;
    if args.dump_config {
        print!("{}", config.dump()?);
        return Ok(ExitCode::SUCCESS);
    }
    service::init_telemetry(&config.log);
    let _traces = service::init_traces(&config, "threadmark")?;
    let demo = !args.no_demo;
    if demo {
        demo::prepare(&mut config);
    }
    let shutdown = Shutdown::on_signals().context("can't listen to signals")?;
    let supervisor = Supervisor::new(shutdown.clone());
    let data = DataDir::lock(&config.data_dir)?;
    let nats = if config.nats.url.is_empty() { Some(NatsChild::start(&data).await?) } else { None };
    let url = nats.as_ref().map_or_else(|| config.nats.url.clone(), NatsChild::url);
    let started = start(&config, &data, &url, demo, &supervisor).await;
    match &started {
        Ok(addresses) => {
            addresses.print(&config, &data, &url, demo);
            if demo {
                demo::start(addresses.http, addresses.grpc, &addresses.access, &supervisor);
            }
        }
        Err(_) => shutdown.begin(),
    }
    let ended = end(nats, &supervisor).await;
    started?;
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The guard's whole life.
///
/// # Errors
/// When the server can't be run.
pub(crate) async fn guard(args: GuardArgs) -> anyhow::Result<ExitCode> {
    let status = nats::guard(&args.binary, &args.config).await?;
    // The read of standard input may still be waiting in a thread that nothing can interrupt.
    std::process::exit(status.code().unwrap_or(1));
}

/// Where everything answers.
struct Addresses {
    grpc: SocketAddr,
    http: SocketAddr,
    console: SocketAddr,
    metrics: Option<SocketAddr>,
    /// What opens every door here, and where client commands find it; none where there are no doors.
    key: Option<Secret>,
    access: Access,
    _left: Option<Left>,
    /// What takes the demo's messages, as long as this is kept.
    _graph: Option<FakeGraph>,
}

impl Args {
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data_dir) = &self.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        config.grpc.listen = self.grpc.unwrap_or(config.grpc.listen);
        config.http.listen = self.http.unwrap_or(config.http.listen);
        config.console.listen = self.console.unwrap_or(config.console.listen);
        if let Some(metrics) = self.metrics {
            config.metrics.listen = metrics.to_string();
        } else if config.metrics.listen.is_empty() {
            config.metrics.listen = "127.0.0.1:0".to_owned();
        }
        Ok(config)
    }
}

/// Starts every service; each is a task that the supervisor watches.
async fn start(
    config: &Config,
    data: &DataDir,
    url: &str,
    demo: bool,
    supervisor: &Supervisor,
) -> anyhow::Result<Addresses> {
    let bus = Bus::connect(&config.bus(url, bus::User::Admin.name())).await?;
    bus.ensure_streams().await?;
    let doors = Doors::from_config(config, &bus, supervisor).await?;
    let certificates = Certificates::read(&config.tls)?;
    let mut grpc = Grpc::bind(config.grpc.listen, doors).await?.secured(&certificates);
    let key = match config.access.required {
        true => Some(key(&bus, data).await?),
        false => None,
    };
    let bearer = key.as_ref().map_or(Ok(Bearer::none()), |key| Bearer::of(key, KEY))?;

    let ingest = ingest::Options::from_config(config);
    grpc.add(ingest::conversation_service(bus.clone(), &ingest)).await;
    grpc.add(ingest::directory_service(&bus, &ingest)).await;
    grpc.add(ingest::contact_service(bus.clone(), &ingest)).await;
    grpc.add(ingest::access_service(&bus, &ingest)).await;
    let intake = ingest::Intake::new(bus.clone(), ingest.clone());
    let webhooks = ingest::Webhooks::bind(config.http.listen, intake, ingest.http).await?;

    let options = projection::Options::from_config(config, data.join("projection"));
    let projection = projection::Projection::open(bus.clone(), options).await?;
    grpc.add(projection.ticket_service(supervisor.shutdown())).await;
    grpc.add(projection.projection_service()).await;
    grpc.add(projection.audit_service(supervisor.shutdown())).await;
    projection.start(supervisor);

    let view = format!("{}://{}", certificates.scheme(), reached(grpc.address()?));
    let library = bot::Library::new(bus.clone());
    grpc.add(bot::bot_service(bus.clone(), library.clone(), bot::Options::from_config(config))).await;
    library.start(supervisor);
    let brain = bot::brain(&bus, config, &library)?;
    let options = bot::TurnOptions::from_config(config, &view).showing(bearer.clone(), certificates.clone());
    let turns = bot::Turns::new(bus.clone(), brain, options)?;
    turns.prepare().await?;
    turns.start(supervisor);

    let hooks = delivery::Hooks::new(bus.clone(), delivery::HookOptions::from_config(config))?;
    hooks.prepare().await?;
    grpc.add(delivery::webhook_service(hooks.clone())).await;
    hooks.start(supervisor);

    let options = automation_engine::Options::from_config(config, &view)?.showing(bearer.clone(), certificates.clone());
    let engine = automation_engine::Engine::new(bus.clone(), options)?;
    engine.prepare().await?;
    grpc.add(automation_engine::automation_service(engine.clone())).await;
    engine.start(supervisor);

    let mut config = config.clone();
    let graph = if demo { Some(demo::graph(&mut config, webhooks.address()?).await?) } else { None };
    let delivery = delivery::Delivery::new(bus, delivery::Options::from_config(&config), grpc.health());
    delivery.prepare().await?;
    delivery.start(supervisor);

    let options = threadmark_console::Options::from_config(&config, &view)?;
    let console = Console::bind(config.console.listen, options, supervisor.shutdown().clone()).await?;

    let metrics = service::serve_metrics(&config, supervisor).await?;
    let addresses = Addresses {
        grpc: grpc.address()?,
        http: webhooks.address()?,
        console: console.address()?,
        metrics,
        _left: key.as_ref().and_then(|key| Left::leave(grpc.address().ok()?.port(), key)),
        key,
        access: Access { bearer, certificates },
        _graph: graph,
    };
    supervisor.essential("webhooks", webhooks.serve(supervisor.shutdown().clone()));
    supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
    supervisor.essential("console", console.serve());
    page_answers(reached(addresses.console)).await?;
    Ok(addresses)
}

/// A token of role service for this process and whoever sits at this machine: the one of the last start while it holds.
async fn key(bus: &Bus, data: &DataDir) -> anyhow::Result<Secret> {
    let new = NewToken { name: "development".to_owned(), role: Role::Service, ..NewToken::default() };
    token::keep(bus, &data.join(KEY), new).await.map_err(|failure| anyhow::anyhow!("{failure}"))
}

/// Waits until the page answers, and what it shows can be had.
async fn page_answers(console: SocketAddr) -> anyhow::Result<()> {
    let page = format!("http://{console}/sign-in");
    let answers = async {
        while !reqwest::get(&page).await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PAGE, answers).await.with_context(|| format!("the page does not answer at {page}"))
}

/// Where a service that listens on every address is reached from this machine.
fn reached(listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listening.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listening.port()),
        _ => listening,
    }
}

/// Keeps the nats-server alive until everything else has ended, then ends it. Whether all ended in time.
async fn end(nats: Option<NatsChild>, supervisor: &Supervisor) -> bool {
    let Some(mut nats) = nats else { return supervisor.finish().await };
    let ended = loop {
        tokio::select! {
            ended = supervisor.finish() => break ended,
            kept = nats.keep_alive() => if let Err(error) = kept {
                tracing::error!(%error, "nats-server can't be kept alive");
                supervisor.shutdown().begin();
                break supervisor.finish().await;
            },
        }
    };
    nats.stop().await;
    ended
}

impl Addresses {
    fn print(&self, config: &Config, data: &DataDir, url: &str, demo: bool) {
        let names: Vec<String> = config.workspaces().into_keys().collect();
        let scheme = self.access.certificates.scheme();
        println!("gRPC        {scheme}://{}", self.grpc);
        println!("webhooks    http://{}/webhooks/whatsapp", self.http);
        println!("console     http://{}", reached(self.console));
        if let Some(metrics) = self.metrics {
            println!("metrics     http://{metrics}/metrics");
        }
        println!("nats        {url}");
        println!("data        {}", data.join("").display());
        if names.is_empty() {
            println!("workspaces  none: name one in --config, or leave out --no-demo");
        } else {
            println!("workspaces  {}", names.join(", "));
        }
        if demo {
            let server =
                if self.grpc.port() == 7070 { String::new() } else { format!(" --server {scheme}://{}", self.grpc) };
            println!("try         threadmark{server} conversations");
        }
        match &self.key {
            Some(key) if self.grpc.ip().is_loopback() => {
                println!("key         {}", key.expose());
                println!(
                    "            opens everything here; client commands on this machine find it by themselves, others"
                );
                println!(
                    "            show it with THREADMARK_TOKEN. 'threadmark admin token create' makes lesser ones"
                );
            }
            Some(_) => println!("key         in {}", data.join(KEY).display()),
            None => println!("key         none: access.required is false"),
        }
        println!("ready");
    }
}
