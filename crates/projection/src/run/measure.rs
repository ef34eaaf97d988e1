//! What is measured of the view itself.

use std::time::Duration;

use meter::meter;
use service::Shutdown;

use super::{Error, Projection};
use crate::query::open_tickets;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

impl Projection {
    /// Brings the gauges of the view up to date until shutdown begins.
    pub(super) async fn measure(&self, shutdown: &Shutdown) -> Result<(), Error> {
        while !shutdown.is_begun() {
            meter().projection_revision.set([], self.applied());
            // While the bus is away the view is as far behind as it was.
            if let Ok(info) = self.0.bus.events_info().await {
                meter().projection_stream_revision.set([], info.state.last_sequence);
            }
            let projection = self.clone();
            let counted = tokio::task::spawn_blocking(move || {
                let store = projection.0.live.store();
                projection.0.options.queries.workspaces.iter().for_each(|workspace| {
                    match open_tickets(&*store, workspace) {
                        Ok(open) => meter().open_tickets.set([workspace], open),
                        Err(error) => tracing::debug!(workspace, %error, "open tickets were not counted"),
                    }
                });
            });
            counted.await.map_err(Error::panicked)?;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = shutdown.begun() => {}
            }
        }
        Ok(())
    }
}
