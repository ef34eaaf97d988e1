//! A projection in a process of its own, so that its memory is its own: what the child does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bus::Bus;
use projection::{Engine, Options, Projection};
use service::config::Workspace;
use service::{Config, Doors, Grpc, Shutdown, Supervisor};
use tokio::io::AsyncReadExt as _;

use crate::bare::echo::Echo;

/// What the child is told.
#[derive(clap::Args)]
pub(crate) struct ViewArguments {
    url: String,
    dir: PathBuf,
    engine: Engine,
    workspace: String,
    /// Answer what the console asks besides: who works there, and which rules there are
    #[arg(long)]
    desk: bool,
}

/// Follows the log and answers queries, and echoes beside them, until standard input ends.
pub(crate) async fn serve(arguments: ViewArguments) -> anyhow::Result<()> {
    let shutdown = Shutdown::new();
    let supervisor = Supervisor::new(shutdown.clone());
    let address = start(&arguments, &supervisor).await?;
    println!("{address}");
    // Whoever started us has let go of the pipe, or is dead.
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    shutdown.begin();
    supervisor.finish().await;
    Ok(())
}

impl ViewArguments {
    fn options(&self) -> anyhow::Result<Options> {
        options(&self.dir, self.engine, &self.workspace)
    }
}

/// The defaults, of one workspace.
pub(crate) fn config(workspace: &str) -> anyhow::Result<Config> {
    let mut config = Config::load(None)?;
    config.workspaces = vec![Workspace::new(workspace)];
    Ok(config)
}

/// What `threadmark up` would use.
pub(crate) fn options(dir: &Path, engine: Engine, workspace: &str) -> anyhow::Result<Options> {
    let mut config = config(workspace)?;
    config.projection.engine = match engine {
        Engine::Sled => service::config::Engine::Sled,
        Engine::Fjall => service::config::Engine::Fjall,
    };
    Ok(Options::from_config(&config, dir.to_owned()))
}

async fn start(arguments: &ViewArguments, supervisor: &Supervisor) -> anyhow::Result<SocketAddr> {
    let bus = Bus::connect(&bus::Options::new(&arguments.url)).await?;
    let projection = Projection::open(bus.clone(), arguments.options()?).await?;
    let mut grpc = Grpc::bind(SocketAddr::from(([127, 0, 0, 1], 0)), Doors::open()).await?;
    grpc.add(projection.ticket_service(supervisor.shutdown())).await;
    grpc.add(projection.projection_service()).await;
    grpc.add(Echo::server()).await;
    let address = grpc.address()?;
    if arguments.desk {
        let config = config(&arguments.workspace)?;
        let desk = ingest::Options::from_config(&config);
        grpc.add(ingest::directory_service(&bus, &desk)).await;
        grpc.add(ingest::access_service(&bus, &desk)).await;
        let options = automation_engine::Options::from_config(&config, &format!("http://{address}"))?;
        let engine = automation_engine::Engine::new(bus, options)?;
        engine.prepare().await?;
        grpc.add(automation_engine::automation_service(engine)).await;
    }
    projection.start(supervisor);
    supervisor.essential("grpc", grpc.serve(supervisor.shutdown().clone()));
    Ok(address)
}
