//! A projection in a process of its own, as the parent sees it.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use projection::Engine;
use proto::v1;
use proto::v1::projection_service_client::ProjectionServiceClient;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;

/// Starting takes some milliseconds.
const START: Duration = Duration::from_secs(60);
/// Nobody waits longer for a view, however slow its engine.
const CATCH_UP: Duration = Duration::from_secs(1_800);
/// How often it is asked how far it has come.
const POLL: Duration = Duration::from_millis(50);

/// A running view. Dropping it ends its process and removes its store.
pub(crate) struct View {
    process: Child,
    address: String,
    channel: Channel,
    _dir: TempDir,
}

impl View {
    /// Starts one that follows the log of the server at `url` from the beginning.
    pub(crate) async fn start(url: &str, engine: Engine, workspace: &str) -> anyhow::Result<View> {
        View::start_with(url, engine, workspace, &[]).await
    }

    /// The same with all that the console asks besides.
    pub(crate) async fn start_with_desk(url: &str, engine: Engine, workspace: &str) -> anyhow::Result<View> {
        View::start_with(url, engine, workspace, &["--desk"]).await
    }

    async fn start_with(url: &str, engine: Engine, workspace: &str, more: &[&str]) -> anyhow::Result<View> {
        let dir = tempfile::Builder::new().prefix("threadmark-bench-").tempdir()?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("view")
            .arg(url)
            .arg(dir.path())
            .arg(engine.to_string())
            .arg(workspace)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().context("no pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = timeout(START, lines.next_line()).await.context("the view did not start")??;
        let address = address.context("the view ended at once")?;
        let address = format!("http://{address}");
        let channel = Channel::from_shared(address.clone())?.tcp_nodelay(true).connect().await?;
        Ok(View { process, address, channel, _dir: dir })
    }

    /// Its address, for others to connect to.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where it answers.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Returns once it has applied `revision`. `say` hears how far it has come.
    pub(crate) async fn catch_up(&mut self, revision: u64, say: impl Fn(i64)) -> anyhow::Result<()> {
        let deadline = Instant::now() + CATCH_UP;
        let mut said = Instant::now();
        loop {
            let applied = self.status().await?.applied_revision;
            if u64::try_from(applied)? >= revision {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the view ended: {status}");
            }
            if Instant::now() > deadline {
                bail!("the view has come to {applied} of {revision} in {CATCH_UP:?}");
            }
            if said.elapsed() > Duration::from_secs(2) {
                said = Instant::now();
                say(applied);
            }
            sleep(POLL).await;
        }
    }

    /// Megabytes on disk.
    pub(crate) async fn disk(&self) -> anyhow::Result<f64> {
        Ok(self.status().await?.disk_bytes as f64 / 1e6)
    }

    /// The most megabytes that its process had resident so far.
    pub(crate) fn peak_resident(&self) -> anyhow::Result<f64> {
        let pid = self.process.id().context("the view has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kibibytes: f64 = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    async fn status(&self) -> anyhow::Result<v1::GetProjectionStatusResponse> {
        let mut client = ProjectionServiceClient::new(self.channel.clone());
        Ok(client.get_projection_status(v1::GetProjectionStatusRequest {}).await?.into_inner())
    }
}
