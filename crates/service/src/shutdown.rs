use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long everything may take to end before the process ends anyway.
pub const GRACE: Duration = Duration::from_secs(10);

/// The wish that everything ends in order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A wish that nobody has uttered yet.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// One that the first SIGINT or SIGTERM utters. The second ends the process at once.
    ///
    /// # Errors
    /// When the signals can't be listened to.
    pub fn on_signals() -> std::io::Result<Shutdown> {
        let shutdown = Shutdown::new();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let wish = shutdown.clone();
        tokio::spawn(async move {
            let mut uttered = false;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if uttered {
                    tracing::warn!("second signal, ending at once");
                    std::process::exit(130);
                }
                uttered = true;
                tracing::info!("ending in order, a second signal ends at once");
                wish.begin();
            }
        });
        Ok(shutdown)
    }

    /// Utters the wish.
    pub fn begin(&self) {
        self.0.cancel();
    }

    /// Whether it was uttered.
    pub fn is_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// The same as a flag that is raised, for whoever watches one.
    pub fn flag(&self) -> watch::Receiver<bool> {
        let (stop, stopping) = watch::channel(self.is_begun());
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.begun() => drop(stop.send(true)),
                () = stop.closed() => {}
            }
        });
        stopping
    }

    /// Waits until it is uttered.
    pub async fn begun(&self) {
        self.0.cancelled().await;
    }
}
