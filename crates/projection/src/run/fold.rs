//! The thread that folds: events in, batches into the store, and word of every commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Reader, Recorded};
use conversation::Revision;
use proto::v1;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::Error;
use super::follow::position;
use crate::store::{Pace, Store};
use crate::view::fold::{Fold, decode};
use crate::view::fresh::Fresh;
use crate::view::keys::table;
use crate::view::live::Commit;

/// Batches of events read ahead of the fold, and their bytes: a large commit takes some tenths of a second.
const AHEAD: usize = 32;
const AHEAD_BYTES: usize = 32 << 20;
/// With so many of them waiting there is much to catch up with: speed counts, and nobody waits for a single event.
const BEHIND: usize = 4;
/// Rows kept in memory until they are committed, in bytes.
const UNCOMMITTED_BYTES: usize = 32 << 20;
/// A batch of so many events has others behind it, most likely: worth this long a wait for them.
const MANY: usize = 64;
const LINGER: Duration = Duration::from_millis(2);
/// The longest that an event waits for others before it is committed with them.
const LONGEST_LINGER: Duration = Duration::from_millis(50);

/// Events on their way to the fold. They take their bytes from a common room.
pub(super) struct Ahead {
    events: Vec<Recorded>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Hands what is read to the fold until the fold ends.
pub(super) async fn feed(mut reader: Reader, batches: mpsc::Sender<Ahead>) {
    let room = Arc::new(Semaphore::new(AHEAD_BYTES));
    loop {
        let events = tokio::select! {
            events = reader.next() => events,
            () = batches.closed() => return,
        };
        let bytes: usize = events.iter().map(|recorded| recorded.payload.len()).sum();
        // More than the whole room is let in alone.
        let bytes = u32::try_from(bytes.min(AHEAD_BYTES)).unwrap_or(u32::MAX);
        let taken = tokio::select! {
            taken = room.clone().acquire_many_owned(bytes) => taken.ok(),
            () = batches.closed() => return,
        };
        if batches.send(Ahead { events, _room: taken }).await.is_err() {
            return;
        }
    }
}

pub(super) type Folding = tokio::task::JoinHandle<Result<(), Error>>;

/// What is folded into.
pub(super) enum Target {
    /// The store that is read, for ever.
    Live(Arc<dyn Store>),
    /// A store that nobody reads before it has come as far as this revision.
    Draft(Arc<dyn Store>, Revision),
}

impl Target {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Live(store) | Self::Draft(store, _) => &**store,
        }
    }

    fn until(&self) -> Revision {
        match self {
            Self::Live(_) => Revision::MAX,
            Self::Draft(_, until) => *until,
        }
    }
}

/// Folds in a thread of its own what is sent to it, and tells every commit. It ends when nobody sends any more, or a
/// draft is done.
pub(super) fn spawn_fold(
    into: Target,
    told: impl Fn(Commit) + Send + 'static,
) -> Result<(mpsc::Sender<Ahead>, Folding), Error> {
    let position = position(into.store())?;
    let fresh = (position.revision == 0).then(|| Fresh::new(table::MOSTLY_NEW));
    let (sender, batches) = mpsc::channel(AHEAD);
    let runtime = Handle::current();
    let folding = tokio::task::spawn_blocking(move || {
        let mut folder = Folder { fold: Fold::new(position), into: &into, fresh, told: &told, since: None };
        folder.run(batches, &runtime)
    });
    Ok((sender, folding))
}

struct Folder<'a> {
    fold: Fold,
    into: &'a Target,
    /// If the store began empty under this fold.
    fresh: Option<Fresh>,
    told: &'a dyn Fn(Commit),
    /// When the first event was folded that is not committed yet.
    since: Option<Instant>,
}

impl Folder<'_> {
    fn run(&mut self, mut batches: mpsc::Receiver<Ahead>, runtime: &Handle) -> Result<(), Error> {
        let until = self.into.until();
        let mut next = None;
        while self.fold.position().revision < until {
            let Some(batch) = next.take().or_else(|| batches.blocking_recv()) else { break };
            let many = batch.events.len() >= MANY;
            for recorded in batch.events.into_iter().take_while(|recorded| recorded.revision <= until) {
                self.take(recorded, batches.len())?;
            }
            next = batches.try_recv().ok();
            // With more to fold at hand, a larger batch costs less; with nothing, somebody is waiting for this one.
            if next.is_none() && many && self.may_linger() {
                next = runtime.block_on(timeout(LINGER, batches.recv())).ok().flatten();
            }
            if next.is_none() && self.is_awaited() {
                self.commit()?;
            }
        }
        // Half a draft is of no use.
        if self.is_awaited() || self.fold.position().revision >= until { self.commit() } else { Ok(()) }
    }

    /// Whether anybody waits for single events.
    fn is_awaited(&self) -> bool {
        matches!(self.into, Target::Live(_))
    }

    fn may_linger(&self) -> bool {
        self.is_awaited() && self.since.is_some_and(|since| since.elapsed() < LONGEST_LINGER)
    }

    fn pace(&self, waiting: usize) -> Pace {
        match self.into {
            Target::Live(_) if waiting < BEHIND => Pace::Live,
            Target::Live(_) => Pace::Behind,
            Target::Draft(..) => Pace::Draft,
        }
    }

    fn take(&mut self, recorded: Recorded, waiting: usize) -> Result<(), Error> {
        self.since.get_or_insert_with(Instant::now);
        match decode(recorded.payload) {
            Ok(event) => self.apply(recorded.revision, event)?,
            Err(error) => {
                tracing::warn!(revision = recorded.revision, %error, "skipping what is no event");
                self.fold.skip(recorded.revision);
            }
        }
        let limit = self.into.store().batch_limit(self.pace(waiting));
        if self.fold.operations() >= limit || self.fold.bytes() >= UNCOMMITTED_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn apply(&mut self, revision: Revision, event: v1::Event) -> Result<(), Error> {
        let store = self.into.store();
        match &self.fresh {
            Some(fresh) => self.fold.apply(&fresh.over(store), revision, event)?,
            None => self.fold.apply(store, revision, event)?,
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        if self.since.take().is_none() {
            return Ok(());
        }
        let (batch, commit) = self.fold.write()?;
        self.fresh.iter_mut().for_each(|fresh| fresh.put(&batch));
        match self.into {
            Target::Live(store) => store.commit(batch)?,
            Target::Draft(store, _) => store.load(batch)?,
        }
        (self.told)(commit);
        Ok(())
    }
}
