//! A child process that does not outlive the test, however the test ends.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running nats-server. Dropping it kills and reaps it.
#[derive(Debug)]
pub(crate) struct Process {
    guard: Child,
    child: Child,
}

impl Process {
    /// Starts `binary` with a configuration file.
    pub(crate) fn spawn(binary: &Path, config: &Path) -> io::Result<Self> {
        let mut child = Command::new(binary)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        match guard(child.id()) {
            Ok(guard) => Ok(Self { guard, child }),
            Err(error) => {
                reap(&mut child);
                Err(error)
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard first: once the child is reaped, its process id may become another's.
        reap(&mut self.guard);
        reap(&mut self.child);
    }
}

/// A shell that waits at a pipe which only this process holds, and kills the server when the pipe closes without a
/// word: that is what is left to do for a test process that was itself killed.
fn guard(pid: u32) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", r#"read -r _; kill -9 "$1""#, "guard", &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// SIGKILL by the child's handle. Both calls can only fail when the process is already gone.
fn reap(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::time::Duration;

    use super::*;
    use crate::wait::eventually;

    #[tokio::test]
    async fn the_server_dies_with_a_test_process_that_is_killed() {
        let mut server = Command::new("sleep").arg("600").spawn().unwrap();
        let mut guard = guard(server.id()).unwrap();
        // What the system does with the pipe of a killed process.
        drop(guard.stdin.take());
        let status = eventually("the server's end", Duration::from_secs(30), async || server.try_wait().unwrap()).await;
        assert_eq!(status.signal(), Some(9));
        guard.wait().unwrap();
    }
}
