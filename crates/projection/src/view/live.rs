use std::sync::{Arc, PoisonError, RwLock};

use conversation::Revision;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, timeout_at};

use super::keys::{ConversationKey, WorkspaceKey};
use crate::store::Store;

/// Commits that a slow watcher may lag behind before it has to look for itself.
const COMMITS_KEPT: usize = 256;

/// The view as queries see it: the store that is live now, how far it has come, and what changes in it.
pub(crate) struct Live {
    store: RwLock<Arc<dyn Store>>,
    applied: watch::Sender<Revision>,
    commits: broadcast::Sender<Arc<Commit>>,
}

/// What one batch changed. It is in the store when this is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The newest event in the store.
    pub(crate) revision: Revision,
    /// Conversations with new or changed entries; sorted.
    pub(crate) conversations: Vec<ConversationKey>,
    /// Workspaces with new or changed tickets; sorted.
    pub(crate) tickets: Vec<WorkspaceKey>,
    /// The whole store was replaced: anything may have changed.
    pub(crate) rebuilt: bool,
}

/// The view did not come as far in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the view has applied revision {applied}, not yet {wanted}")]
pub(crate) struct Behind {
    pub(crate) wanted: Revision,
    pub(crate) applied: Revision,
}

impl Live {
    /// The view of a store that has come as far as `applied`.
    pub(crate) fn new(store: Arc<dyn Store>, applied: Revision) -> Arc<Self> {
        Arc::new(Self {
            store: RwLock::new(store),
            applied: watch::Sender::new(applied),
            commits: broadcast::Sender::new(COMMITS_KEPT),
        })
    }

    /// The store that is live now. Hold it for one request: after a rebuild another one is.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest event in the store.
    pub(crate) fn applied(&self) -> Revision {
        *self.applied.borrow()
    }

    /// Returns once the store has this revision.
    ///
    /// # Errors
    /// [`Behind`] when the deadline passes first.
    pub(crate) async fn wait_for(&self, wanted: Revision, deadline: Instant) -> Result<(), Behind> {
        let mut applied = self.applied.subscribe();
        let reached = timeout_at(deadline, applied.wait_for(|applied| *applied >= wanted)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Behind { wanted, applied: self.applied() }),
        }
    }

    /// Every commit from now on. Whoever lags behind gets `Lagged`, and must take it that anything may have changed.
    pub(crate) fn commits(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.commits.subscribe()
    }

    /// Tells what a batch in the store has changed.
    pub(crate) fn committed(&self, commit: Commit) {
        self.applied.send_replace(commit.revision);
        // Nobody watching is no failure.
        let _ = self.commits.send(Arc::new(commit));
    }

    /// Puts a rebuilt store in the place of the live one.
    pub(crate) fn replace(&self, store: Arc<dyn Store>, revision: Revision) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = store;
        self.committed(Commit { revision, rebuilt: true, ..Commit::default() });
    }
}
