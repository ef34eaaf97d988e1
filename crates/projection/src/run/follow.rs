//! Following the log: read, fold, commit, tell.

use std::sync::Arc;

use bus::{Reader, Recorded};
use conversation::Revision;
use prost::Message as _;
use service::Shutdown;
use tokio::sync::mpsc;

use super::{Error, Projection};
use crate::store::{Store, View};
use crate::view;
use crate::view::fold::Fold;
use crate::view::keys;
use crate::view::live::Commit;
use crate::view::rows::PositionRow;

/// Batches of events read ahead of the fold.
const AHEAD: usize = 8;

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
        let (batches, folding) = spawn_fold(store.clone(), Revision::MAX, move |commit| live.committed(commit))?;
        tokio::select! {
            () = feed(self.0.bus.reader(from), batches) => {}
            () = shutdown.begun() => {}
        }
        folding.await.map_err(Error::panicked)??;
        if shutdown.is_begun() {
            tokio::task::spawn_blocking(move || store.flush()).await.map_err(Error::panicked)??;
        }
        Ok(())
    }
}

/// Hands what is read to the fold until the fold ends.
pub(super) async fn feed(mut reader: Reader, batches: mpsc::Sender<Vec<Recorded>>) {
    loop {
        tokio::select! {
            batch = reader.next() => if batches.send(batch).await.is_err() { return },
            () = batches.closed() => return,
        }
    }
}

type Folding = tokio::task::JoinHandle<Result<(), Error>>;

/// Folds in a thread of its own what is sent to it, up to and including the revision `until`, and tells every commit.
/// It ends when nobody sends any more, or `until` is reached.
pub(super) fn spawn_fold(
    store: Arc<dyn Store>,
    until: Revision,
    told: impl Fn(Commit) + Send + 'static,
) -> Result<(mpsc::Sender<Vec<Recorded>>, Folding), Error> {
    let fold = Fold::new(position(&*store)?);
    let (sender, receiver) = mpsc::channel(AHEAD);
    let folding = tokio::task::spawn_blocking(move || fold_all(fold, &*store, receiver, until, &told));
    Ok((sender, folding))
}

fn fold_all(
    mut fold: Fold,
    store: &dyn Store,
    mut batches: mpsc::Receiver<Vec<Recorded>>,
    until: Revision,
    told: &dyn Fn(Commit),
) -> Result<(), Error> {
    while fold.position().revision < until {
        let Some(batch) = batches.blocking_recv() else { break };
        for recorded in batch.into_iter().take_while(|recorded| recorded.revision <= until) {
            match recorded.event() {
                Ok(event) => fold.apply(store, recorded.revision, &event)?,
                Err(error) => {
                    tracing::warn!(revision = recorded.revision, %error, "skipping what is no event");
                    fold.skip(recorded.revision);
                }
            }
            if fold.operations() >= store.batch_limit() {
                commit(&mut fold, store, told)?;
            }
        }
        // With more to fold at hand, a larger batch costs less; with nothing, somebody is waiting for this one.
        if batches.is_empty() {
            commit(&mut fold, store, told)?;
        }
    }
    commit(&mut fold, store, told)
}

fn commit(fold: &mut Fold, store: &dyn Store, told: &dyn Fn(Commit)) -> Result<(), Error> {
    let (batch, commit) = fold.write()?;
    store.commit(batch)?;
    told(commit);
    Ok(())
}
