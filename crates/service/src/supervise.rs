use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{GRACE, Shutdown};

/// First and longest pause before a failed task starts again.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A task that ran this long starts again without a longer pause.
const HEALTHY: Duration = Duration::from_secs(60);

/// Keeps tasks alive: none dies unseen.
#[derive(Clone)]
pub struct Supervisor {
    shutdown: Shutdown,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Supervisor {
    /// Supervises until `shutdown` begins.
    pub fn new(shutdown: Shutdown) -> Supervisor {
        Supervisor { shutdown, tasks: Arc::default() }
    }

    /// The wish that tasks have to listen to.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Runs a task, and runs it again with growing pauses when it fails or panics. It ends when shutdown begins and
    /// it returns.
    pub fn restart<F, Fut, E>(&self, name: &'static str, task: F)
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.spawn(async move {
            let mut pause = PAUSE;
            while !shutdown.is_begun() {
                let started = Instant::now();
                match tokio::spawn(task()).await {
                    Ok(Ok(())) if shutdown.is_begun() => return,
                    Ok(Ok(())) => tracing::warn!(task = name, "task ended, starting it again"),
                    Ok(Err(error)) => tracing::error!(task = name, %error, "task failed, starting it again"),
                    Err(error) => tracing::error!(task = name, %error, "task panicked, starting it again"),
                }
                pause = if started.elapsed() > HEALTHY { PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.begun() => {}
                }
            }
        });
    }

    /// Runs a task that the process can't do without: when it ends early, everything ends.
    pub fn essential<Fut, E>(&self, name: &'static str, task: Fut)
    where
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.spawn(async move {
            match tokio::spawn(task).await {
                Ok(Ok(())) if shutdown.is_begun() => {}
                Ok(Ok(())) => tracing::error!(task = name, "essential task ended, ending the process"),
                Ok(Err(error)) => tracing::error!(task = name, %error, "essential task failed, ending the process"),
                Err(error) => tracing::error!(task = name, %error, "essential task panicked, ending the process"),
            }
            shutdown.begin();
        });
    }

    /// Waits until shutdown begins, then up to [`GRACE`] for the tasks. Whether all ended in time.
    pub async fn finish(&self) -> bool {
        self.shutdown.begun().await;
        let mut tasks = match self.tasks.lock() {
            Ok(mut tasks) => std::mem::take(&mut *tasks),
            Err(_) => return false,
        };
        let all = async { while tasks.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(GRACE, all).await.is_ok();
        if !ended {
            tracing::warn!("some tasks did not end in time");
        }
        ended
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Ok(mut tasks) = self.tasks.lock() {
            tasks.spawn(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Shutdown, Supervisor};

    #[tokio::test]
    async fn a_task_that_panics_or_fails_starts_again() {
        let supervisor = Supervisor::new(Shutdown::new());
        let runs = Arc::new(AtomicUsize::new(0));
        let (seen, shutdown) = (runs.clone(), supervisor.shutdown().clone());
        supervisor.restart("test", move || {
            let (run, shutdown) = (seen.fetch_add(1, Ordering::SeqCst), shutdown.clone());
            async move {
                match run {
                    0 => panic!("first"),
                    1 => Err("second"),
                    _ => {
                        shutdown.begin();
                        Ok(())
                    }
                }
            }
        });
        assert!(supervisor.finish().await);
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn the_end_of_an_essential_task_ends_everything() {
        let supervisor = Supervisor::new(Shutdown::new());
        supervisor.essential("test", async { Err::<(), _>("gone") });
        assert!(supervisor.finish().await);
    }
}
