//! One private nats-server.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::config::Settings;
use crate::start::{Running, START_DEADLINE, StartError, launch};
use crate::wait::POLL;

/// A real nats-server with JetStream, of one test alone: its own port on loopback, its own store in a temporary
/// directory. It is killed and its directory removed when this is dropped.
///
/// ```no_run
/// # async fn example() {
/// let mut nats = testkit::NatsServer::start().await;
/// // connect to nats.url(), publish …
/// nats.kill();
/// nats.restart().await; // the same port, the same store
/// # }
/// ```
#[derive(Debug)]
pub struct NatsServer {
    // Before the directory, because fields are dropped in this order.
    running: Option<Running>,
    settings: Settings,
    port: u16,
    dir: TempDir,
}

/// A server that differs from the usual one, from [`NatsServer::builder`].
#[derive(Clone, Debug, Default)]
pub struct NatsServerBuilder {
    settings: Settings,
}

impl NatsServerBuilder {
    /// Every acknowledged message is on the disk, as in production. Without it the server syncs every two minutes:
    /// nothing is lost by a kill, only by a power failure.
    pub fn sync_always(mut self) -> Self {
        self.settings.sync_always = true;
        self
    }

    /// Adds text to the configuration file, such as an `authorization` section.
    pub fn config(mut self, text: &str) -> Self {
        self.settings.extra.push_str(text);
        self
    }

    /// Starts the server and waits until JetStream answers.
    ///
    /// # Panics
    /// As [`NatsServer::start`].
    pub async fn start(self) -> NatsServer {
        let mut server = NatsServer::spawn(self.settings).await.unwrap_or_else(|error| panic!("{error}"));
        server.healthy().await;
        server
    }
}

impl NatsServer {
    /// Starts a server and waits until JetStream answers.
    ///
    /// # Panics
    /// If no server is found (then it says what to run), or if it does not come up within a minute (then with the end
    /// of its log).
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A server with other settings.
    pub fn builder() -> NatsServerBuilder {
        NatsServerBuilder::default()
    }

    /// Where clients connect: `nats://127.0.0.1:<port>`, the same for the life of this value.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The directory of the JetStream store.
    pub fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// What the server logs.
    pub fn log_file(&self) -> PathBuf {
        self.dir.path().join("nats-server.log")
    }

    /// The process id, or `None` while the server is killed.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.process.pid())
    }

    /// Ends the server with SIGKILL and waits until it is gone. Without effect on a killed one.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts the server again on its port and its store, killing it first if it runs, and waits until JetStream
    /// answers.
    ///
    /// # Panics
    /// If it does not come up within a minute.
    pub async fn restart(&mut self) {
        self.respawn().await;
        self.healthy().await;
    }

    /// Starts a server that listens, but may not be ready yet.
    pub(crate) async fn spawn(settings: Settings) -> Result<Self, StartError> {
        let dir = tempfile::Builder::new().prefix("threadmark-nats-").tempdir()?;
        let running = launch(&settings, dir.path(), None).await?;
        Ok(Self { port: running.port, running: Some(running), settings, dir })
    }

    /// Starts the server again, listening, but maybe not ready yet. In the meantime another process may hold its port
    /// for a moment, as the near end of a connection: then it tries again.
    pub(crate) async fn respawn(&mut self) {
        self.kill();
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            match launch(&self.settings, self.dir.path(), Some(self.port)).await {
                Ok(running) => break self.running = Some(running),
                Err(StartError::Exited { .. }) if Instant::now() < deadline => sleep(POLL).await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits until JetStream answers. Without effect on a killed server.
    pub(crate) async fn healthy(&mut self) {
        if let Some(running) = &mut self.running {
            running.healthy().await.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
