//! Following the log: read, fold, commit, tell.

use std::time::Duration;

use prost::Message as _;
use service::Shutdown;

use super::fold::{Target, feed, spawn_fold};
use super::{Error, Projection};
use crate::store::View;
use crate::view;
use crate::view::keys;
use crate::view::rows::PositionRow;

/// How often it is made sure that the log is still the one that the view was made from.
const SAME_LOG: Duration = Duration::from_secs(30);

/// With so many events for an empty store, some tenths of a second of work, it is built beside: that is faster, and
/// nobody is shown the past as if it were now.
const BUILD_BESIDE: u64 = 10_000;

/// Where a store stands.
pub(crate) fn position(rows: &dyn View) -> Result<PositionRow, view::error::Error> {
    let row = rows.get(&keys::position())?;
    row.map_or(Ok(PositionRow::default()), |row| {
        PositionRow::decode(row).map_err(|_| view::error::Error::row(keys::table::POSITION))
    })
}

impl Projection {
    /// Follows the log from where the store stands until shutdown begins; builds the store anew where it has to be.
    ///
    /// # Errors
    /// Whatever a new try may mend.
    pub(super) async fn follow(&self, shutdown: &Shutdown) -> Result<(), Error> {
        let position = position(&*self.0.live.store())?;
        if !self.stands_on_this_log(&position).await? {
            tracing::warn!(revision = position.revision, "the view stands on another log, building it anew");
            self.rebuild(shutdown).await?;
        } else if position.revision == 0 && self.0.bus.events_info().await?.state.last_sequence >= BUILD_BESIDE {
            self.rebuild(shutdown).await?;
        }
        match self.follow_live(shutdown).await {
            Err(error) if error.is_corrupt() => {
                tracing::error!(%error, "building the view anew");
                self.rebuild(shutdown).await
            }
            done => done,
        }
    }

    async fn follow_live(&self, shutdown: &Shutdown) -> Result<(), Error> {
        let (store, live) = (self.0.live.store(), self.0.live.clone());
        let from = position(&*store)?.revision;
        tracing::info!(revision = from, "following the log");
        let (batches, folding) = spawn_fold(Target::Live(store.clone()), move |commit| live.committed(commit))?;
        let same_log = tokio::select! {
            () = feed(self.0.bus.reader(from), batches) => true,
            () = self.another_log() => false,
            () = shutdown.begun() => true,
        };
        folding.await.map_err(Error::panicked)??;
        if shutdown.is_begun() {
            tokio::task::spawn_blocking(move || store.flush()).await.map_err(Error::panicked)??;
        }
        if same_log { Ok(()) } else { Err(Error::AnotherLog) }
    }

    /// Returns when the log is no longer the one that the view was made from: a server that was restored from a
    /// backup while we were connected.
    async fn another_log(&self) {
        loop {
            tokio::time::sleep(SAME_LOG).await;
            let Ok(position) = position(&*self.0.live.store()) else { continue };
            // While the bus is away nothing can be told; reading says so already.
            if let Ok(false) = self.stands_on_this_log(&position).await {
                return;
            }
        }
    }
}
