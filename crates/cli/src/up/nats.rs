//! A nats-server of our own: a child that ends with us, even when we are killed.
//!
//! Between us and the server stands a guard, this same binary, whose standard input is a pipe that we hold. When we
//! end, however that happens, the pipe closes and the guard ends the server.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use super::data_dir::DataDir;

/// How long the server may take until it accepts connections: it reads its whole store first.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end.
const END: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);
/// Before a server that ended is started again.
const PAUSE: Duration = Duration::from_millis(100);

/// The server, by way of its guard.
pub(crate) struct NatsChild {
    guard: Child,
    /// The pipe whose end is the guard's sign. It is kept apart, for waiting for a child closes its standard input.
    pipe: Option<ChildStdin>,
    port: u16,
    files: Files,
    binary: PathBuf,
}

/// Where the server's things are.
#[derive(Clone)]
struct Files {
    config: PathBuf,
    pid: PathBuf,
    log: PathBuf,
}

impl NatsChild {
    /// Starts the server on a free loopback port, after ending one that an earlier guard could not end.
    ///
    /// # Errors
    /// When there is no binary, or it does not come up within a minute.
    pub(crate) async fn start(data: &DataDir) -> anyhow::Result<NatsChild> {
        let binary = find_binary()?;
        let files = Files { config: data.join("nats.conf"), pid: data.join("nats.pid"), log: data.join("nats.log") };
        end_leftover(&binary, &files).await;
        let port = free_port()?;
        write_config(&files, &data.join("jetstream"), port)?;
        let (guard, pipe) = spawn_guard(&binary, &files)?;
        let mut child = NatsChild { guard, pipe, port, files, binary };
        child.wait_until_up().await?;
        Ok(child)
    }

    /// Where clients connect; the same for as long as this process lives.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Waits until the server ends by itself, and starts it again on its port.
    ///
    /// # Errors
    /// When it can't be started again.
    pub(crate) async fn keep_alive(&mut self) -> anyhow::Result<()> {
        let status = self.guard.wait().await?;
        tracing::warn!(%status, "nats-server ended, starting it again");
        end_leftover(&self.binary, &self.files).await;
        sleep(PAUSE).await;
        (self.guard, self.pipe) = spawn_guard(&self.binary, &self.files)?;
        self.wait_until_up().await
    }

    /// Ends the server in order.
    pub(crate) async fn stop(mut self) {
        drop(self.pipe.take());
        match timeout(END + POLL, self.guard.wait()).await {
            Ok(Ok(_)) => tracing::debug!("nats-server ended"),
            _ => tracing::warn!("nats-server did not end in time"),
        }
    }

    async fn wait_until_up(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START;
        while tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_err() {
            if let Some(status) = self.guard.try_wait()? {
                bail!("nats-server ended at once ({status}): {}", log_end(&self.files.log));
            }
            if Instant::now() > deadline {
                bail!("nats-server did not come up within {START:?}: {}", log_end(&self.files.log));
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// What the guard does: runs the server until standard input closes, then ends it.
///
/// # Errors
/// When the server can't be run.
pub(crate) async fn guard(binary: &Path, config: &Path) -> anyhow::Result<ExitStatus> {
    let mut server = Command::new(binary)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("can't run {}", binary.display()))?;
    let mut pipe = tokio::io::stdin();
    let parent_gone = async {
        let mut byte = [0];
        while !matches!(tokio::io::AsyncReadExt::read(&mut pipe, &mut byte).await, Ok(0) | Err(_)) {}
    };
    tokio::select! {
        status = server.wait() => return Ok(status?),
        () = parent_gone => {}
    }
    if let Some(pid) = server.id() {
        terminate(binary, pid).await;
    }
    match timeout(END, server.wait()).await {
        Ok(status) => Ok(status?),
        Err(_) => {
            server.kill().await?;
            Ok(server.wait().await?)
        }
    }
}

fn spawn_guard(binary: &Path, files: &Files) -> anyhow::Result<(Child, Option<ChildStdin>)> {
    let mut guard = Command::new(std::env::current_exe()?)
        .arg("nats-guard")
        .arg(binary)
        .arg(&files.config)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // A group of its own: Ctrl-C is for us alone, and we end the server when everything else has ended.
        .process_group(0)
        .spawn()
        .context("can't start the guard of nats-server")?;
    let pipe = guard.stdin.take();
    Ok((guard, pipe))
}

/// Asks a server to end, by the server's own command line: that takes no system call of ours.
async fn terminate(binary: &Path, pid: u32) {
    let asked = Command::new(binary).arg("--signal").arg(format!("term={pid}")).stderr(Stdio::null()).status().await;
    if !asked.is_ok_and(|status| status.success()) {
        tracing::debug!(pid, "nats-server can't be asked to end");
    }
}

/// Ends the server of an earlier run whose guard was killed. The process has to be one that runs our configuration.
async fn end_leftover(binary: &Path, files: &Files) {
    let Some(pid) = leftover(files) else { return };
    tracing::warn!(pid, "ending a nats-server that an earlier run left behind");
    terminate(binary, pid).await;
    let gone = async {
        while leftover(files).is_some() {
            sleep(POLL).await;
        }
    };
    if timeout(END, gone).await.is_err() {
        tracing::warn!(pid, "it does not end");
    }
}

fn leftover(files: &Files) -> Option<u32> {
    let pid: u32 = std::fs::read_to_string(&files.pid).ok()?.trim().parse().ok()?;
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let config = files.config.as_os_str().as_encoded_bytes();
    command.split(|byte| *byte == 0).any(|argument| argument == config).then_some(pid)
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
    Ok(listener.local_addr()?.port())
}

fn write_config(files: &Files, store: &Path, port: u16) -> anyhow::Result<()> {
    let text = format!(
        "# Written by `threadmark up` at each start.\n\
         listen: \"127.0.0.1:{port}\"\n\
         server_name: \"threadmark\"\n\
         pid_file: {pid:?}\n\
         log_file: {log:?}\n\
         logfile_size_limit: 10MB\n\
         max_payload: 8MB\n\
         jetstream {{ store_dir: {store:?} }}\n",
        pid = files.pid,
        log = files.log,
    );
    std::fs::write(&files.config, text).with_context(|| format!("can't write {}", files.config.display()))
}

/// The binary that `THREADMARK_NATS_SERVER` names, else one on PATH, else the one that `cargo xtask tools` installed.
fn find_binary() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("THREADMARK_NATS_SERVER") {
        return Ok(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nats-server"));
    let installed = installed_tools();
    on_path.chain(installed).find(|candidate| candidate.is_file() && is_recent(candidate)).context(
        "no nats-server 2.14 or later found: run `cargo xtask tools` in the checkout, put one on PATH, or name one in \
         THREADMARK_NATS_SERVER",
    )
}

/// Whether a binary says that it is 2.14 or a later 2.x: distributions carry older ones.
fn is_recent(binary: &Path) -> bool {
    let Ok(output) = std::process::Command::new(binary).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().rsplit('v').next().unwrap_or_default();
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    matches!(numbers.as_slice(), [2, minor, ..] if *minor >= 14)
}

/// `target/tools/nats-server-…/nats-server` as seen from `target/release/threadmark`.
fn installed_tools() -> Option<PathBuf> {
    let target = std::env::current_exe().ok()?.parent()?.parent()?.join("tools");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(target).ok()?.flatten().map(|entry| entry.path().join("nats-server")).collect();
    found.retain(|candidate| candidate.is_file());
    found.sort();
    found.pop()
}

fn log_end(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    if lines.is_empty() { "it left no log".to_owned() } else { lines.into_iter().rev().collect::<Vec<_>>().join(" / ") }
}
