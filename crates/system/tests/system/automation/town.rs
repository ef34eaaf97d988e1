//! Ingest, a projection and engines as processes, and how each of them is killed.

use std::path::Path;
use std::time::Duration;

use bus::Bus;
use tempfile::TempDir;
use testkit::NatsServer;

use super::desk::Desk;
use crate::deployment::Settings;
use crate::programs::{Program, free_port};

pub(super) const WORKSPACE: &str = "acme";
pub(super) const CHANNEL: &str = "web:1";

/// All processes.
pub(super) struct Town {
    pub(super) engines: Vec<Program>,
    ingest: Program,
    projection: Program,
    pub(super) nats: NatsServer,
    /// How clients see it.
    pub(super) desk: Desk,
    pub(super) bus: Bus,
    _dir: TempDir,
}

impl Town {
    /// With so many engines, and more lines of configuration, which begin with those of the workspace `acme`.
    pub(super) async fn start(engines: usize, more: &str) -> Town {
        let nats = NatsServer::start().await;
        let dir = tempfile::tempdir().unwrap();
        let (commands, queries) = (free_port(), free_port());
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let view = url(queries);
        let program = |own: &str, name: &str, grpc: u16| {
            let settings = Settings::new(&nats.url(), &dir.path().join(own), "sled").listening(grpc, free_port());
            let section =
                format!("[automation]\nticket_service = \"{view}\"\n[[workspaces]]\nname = \"{WORKSPACE}\"\n");
            let config = write(dir.path(), own, &format!("{}{section}{more}\n", settings.text()));
            Program::start_as(own, name, &["--config", &config], dir.path())
        };
        let ingest = program("ingest", "ingest", commands);
        let projection = program("projection", "projection", queries);
        let ports: Vec<u16> = (0..engines).map(|_| free_port()).collect();
        let start = |(nth, port): (usize, &u16)| program(&format!("engine-{nth}"), "automation-engine", *port);
        let engines = ports.iter().enumerate().map(start).collect();
        let rules: Vec<String> = ports.iter().copied().map(url).collect();
        let bus = Bus::connect(&bus::Options::new(nats.url())).await.unwrap();
        let desk = Desk::new(WORKSPACE, &url(commands), &view, &rules);
        Town { engines, ingest, projection, nats, desk, bus, _dir: dir }
    }

    /// SIGKILL for an engine; it is started again after a while.
    pub(super) async fn kill_engine(&mut self, nth: usize, dead_for: Duration) {
        self.engines[nth].kill();
        tokio::time::sleep(dead_for).await;
        self.engines[nth].restart();
        self.keep_alive();
    }

    /// SIGKILL for the nats-server and an engine at once.
    pub(super) async fn kill_engine_and_nats(&mut self, nth: usize, dead_for: Duration) {
        self.engines[nth].kill();
        self.nats.kill();
        tokio::time::sleep(dead_for).await;
        self.nats.restart().await;
        self.engines[nth].restart();
        self.keep_alive();
    }

    /// Starts again what gave up because the bus was away, as whatever runs services does.
    pub(super) fn keep_alive(&mut self) {
        self.ingest.keep_alive();
        self.projection.keep_alive();
        self.engines.iter_mut().for_each(Program::keep_alive);
    }
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let file = dir.join(format!("{name}.toml"));
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}
