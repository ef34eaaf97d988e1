//! A child process that does not outlive the test, however the test ends.

use std::io;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A running program that ends with the test, also when the test is killed. Dropping it kills it with SIGKILL and
/// waits until it is gone.
#[derive(Debug)]
pub struct Process {
    guard: Child,
    child: Child,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// When it, or the shell that guards it, can't be started.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        match guard(child.id()) {
            Ok(guard) => Ok(Self { guard, child }),
            Err(error) => {
                reap(&mut child);
                Err(error)
            }
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Memory that it holds, in bytes: what the kernel counts as resident.
    ///
    /// # Errors
    /// When the process is gone, or the kernel is no Linux.
    pub fn memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.map(|kibibytes| kibibytes << 10).ok_or_else(|| io::Error::other("no VmRSS in the status"))
    }

    /// How the process ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What the program prints, once, if the command pipes it.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
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
