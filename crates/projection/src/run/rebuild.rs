//! Building the view anew, beside the live one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use conversation::Revision;
use service::Shutdown;

use super::fold::{Target, feed, spawn_fold};
use super::follow::position;
use super::{Error, Projection};
use crate::store::{ContentHash, Store, content_hash};
use crate::view::live::Commit;

/// How far a rebuild has come, readable while it runs.
pub(crate) type Progress = Arc<AtomicU64>;

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Up to which event.
    pub revision: Revision,
    /// Hash of everything in the live view.
    pub live: String,
    /// Hash of everything in a view built anew.
    pub rebuilt: String,
}

impl Projection {
    /// Builds a new view beside the live one and puts it in its place.
    pub(super) async fn rebuild(&self, shutdown: &Shutdown) -> Result<(), Error> {
        let until = self.0.bus.events_info().await?.state.last_sequence;
        let draft = self.0.home.draft()?;
        tokio::select! {
            built = self.build(draft.store().clone(), until, Progress::default()) => built?,
            () = shutdown.begun() => return Ok(()),
        }
        let inner = self.0.clone();
        let promoted = tokio::task::spawn_blocking(move || inner.home.promote(draft));
        let store = promoted.await.map_err(Error::panicked)??;
        self.0.live.replace(store, until);
        tracing::info!(revision = until, "the view was built anew");
        Ok(())
    }

    /// Builds the view anew up to the live one's revision, and compares. The new one is thrown away.
    ///
    /// # Errors
    /// When the bus or a store fails.
    pub async fn verify(&self, progress: Progress) -> Result<Verified, Error> {
        let live = self.0.live.store();
        let (revision, live) = tokio::task::spawn_blocking(move || -> Result<(Revision, ContentHash), Error> {
            let picture = live.view();
            Ok((position(&*picture)?.revision, content_hash(&*picture, &[])?))
        })
        .await
        .map_err(Error::panicked)??;
        let draft = self.0.home.draft()?;
        self.build(draft.store().clone(), revision, progress).await?;
        let rebuilt = draft.store().clone();
        let rebuilt = tokio::task::spawn_blocking(move || content_hash(&*rebuilt.view(), &[]));
        let rebuilt = rebuilt.await.map_err(Error::panicked)??;
        Ok(Verified { revision, live: live.to_string(), rebuilt: rebuilt.to_string() })
    }

    async fn build(&self, store: Arc<dyn Store>, until: Revision, progress: Progress) -> Result<(), Error> {
        if until == 0 {
            return Ok(());
        }
        let told = move |commit: Commit| {
            progress.store(commit.revision, Ordering::Relaxed);
            tracing::info!(revision = commit.revision, of = until, "building a view");
        };
        let (batches, folding) = spawn_fold(Target::Draft(store, until), told)?;
        feed(self.0.bus.reader(0), batches).await;
        folding.await.map_err(Error::panicked)?
    }
}
