//! From a configuration to a server that takes connections.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::binary::{BinaryError, nats_server_binary};
use crate::config::{Settings, render};
use crate::health::is_healthy;
use crate::process::Process;
use crate::wait::POLL;

/// Starting takes some 50 ms; a busy machine and a store with much to recover take longer.
pub(crate) const START_DEADLINE: Duration = Duration::from_secs(60);

/// How much of the server's log goes into an error.
const LOG_TAIL: usize = 20;

/// Why a server did not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Binary(#[from] BinaryError),
    #[error("nats-server: {0}")]
    Io(#[from] io::Error),
    #[error("nats-server ended at once ({status}); the end of its log:\n{log}")]
    Exited { status: ExitStatus, log: String },
    #[error("nats-server was not {awaited} within {START_DEADLINE:?}; the end of its log:\n{log}")]
    TimedOut { awaited: &'static str, log: String },
}

/// A server that runs and listens.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) port: u16,
    monitoring: SocketAddr,
    log: PathBuf,
}

/// Starts a server in `dir` and waits until it listens: on `port`, or without one on a port that it chooses.
pub(crate) async fn launch(settings: &Settings, dir: &Path, port: Option<u16>) -> Result<Running, StartError> {
    let binary = nats_server_binary()?;
    let config = dir.join("nats-server.conf");
    fs::write(&config, render(settings, dir, port))?;
    let mut command = Command::new(binary);
    command.arg("--config").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = Process::spawn(&mut command)?;
    let log = dir.join("nats-server.log");
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        if let Some((port, monitoring)) = read_ports(dir, process.pid())? {
            return Ok(Running { process, port, monitoring, log });
        }
        if let Some(status) = process.exited() {
            return Err(StartError::Exited { status, log: tail(&log) });
        }
        if Instant::now() > deadline {
            return Err(StartError::TimedOut { awaited: "listening", log: tail(&log) });
        }
        sleep(POLL).await;
    }
}

impl Running {
    /// Waits until JetStream answers, too.
    pub(crate) async fn healthy(&mut self) -> Result<(), StartError> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(status) = self.process.exited() {
                return Err(StartError::Exited { status, log: tail(&self.log) });
            }
            if matches!(tokio::time::timeout_at(deadline, is_healthy(self.monitoring)).await, Ok(Ok(true))) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(StartError::TimedOut { awaited: "healthy", log: tail(&self.log) });
            }
            sleep(POLL).await;
        }
    }
}

/// The client port and the monitoring address, once the server with this process id has written them down. Its file
/// is not written in one step, so half a file counts as none.
fn read_ports(dir: &Path, pid: u32) -> io::Result<Option<(u16, SocketAddr)>> {
    let suffix = format!("_{pid}.ports");
    for file in fs::read_dir(dir)? {
        let path = file?.path();
        if path.to_string_lossy().ends_with(&suffix) {
            let ports: Value = serde_json::from_slice(&fs::read(path)?).unwrap_or_default();
            let address = |of: &str| ports[of][0].as_str()?.rsplit('/').next()?.parse::<SocketAddr>().ok();
            return Ok(address("nats")
                .zip(address("monitoring"))
                .map(|(client, monitoring)| (client.port(), monitoring)));
        }
    }
    Ok(None)
}

fn tail(log: &Path) -> String {
    let log = fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
}
