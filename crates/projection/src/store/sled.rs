//! The sled engine.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Config, Db, IVec, Mode};
use bytes::Bytes;

use super::batch::Operation;
use super::home::Generation;
use super::{Batch, Engine, Error, Options, Pace, Scan, Store, View, files, holds_nothing};

/// Readers wait while a batch is applied, some 10 ms for one of this size.
const LIVE_LIMIT: usize = 500;

/// The more events in a batch, the fewer rows are written again and again: it takes two thirds of the time and the disk
/// of [`LIVE_LIMIT`]. Twice as many take 50 MB more of memory, for replaced pages stay until its end; half as many take more
/// disk, and no less memory.
const BEHIND_LIMIT: usize = 4_000;

/// A draft is written in pieces, so that no page waits for the end. Much larger ones are no faster.
const DRAFT_LIMIT: usize = 50_000;
const PIECE: usize = 200;

/// How often sled syncs its log by itself: at most so much is applied again after a power loss.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Closing sled leaves its file lock to background threads for a moment; a store just closed is opened again within
/// this time.
const CLOSING: Duration = Duration::from_secs(10);

pub(super) struct SledStore {
    db: Db,
    /// Held shared by views and alone by commits, because sled has no snapshots.
    between_batches: RwLock<()>,
    // Last, so that a directory is removed after sled has let go of it.
    generation: Arc<Generation>,
}

impl SledStore {
    pub(super) fn open(generation: Arc<Generation>, options: Options) -> Result<Self, Error> {
        let db = open_db(generation.path(), options).map_err(|error| opening(generation.path(), error))?;
        Ok(Self { db, between_batches: RwLock::new(()), generation })
    }

    fn error(&self, error: ::sled::Error) -> Error {
        use ::sled::Error as Sled;
        match error {
            Sled::Corruption { .. } | Sled::ReportableBug(_) => Error::corrupt(self.generation.path(), error),
            Sled::Io(source) => Error::reading(self.generation.path(), source),
            _ => Error::Engine { engine: Engine::Sled, reason: error.to_string() },
        }
    }

    /// Applies operations, so many at once.
    fn apply(&self, operations: impl Iterator<Item = Operation>, at_once: usize) -> Result<(), Error> {
        let mut operations = operations.peekable();
        while operations.peek().is_some() {
            let mut count = 0;
            let mut writes = ::sled::Batch::default();
            for (key, value) in operations.by_ref().take(at_once) {
                count += 1;
                match value {
                    Some(value) => writes.insert(key, value),
                    None => writes.remove(key),
                }
            }
            let guard = self.between_batches.write().unwrap_or_else(PoisonError::into_inner);
            self.db.apply_batch(writes).map_err(|error| self.error(error))?;
            drop(guard);
            collect_garbage(count);
        }
        Ok(())
    }

    fn range(&self, start: &[u8], end: &[u8]) -> ::sled::Iter {
        if end.is_empty() { self.db.range(start..) } else { self.db.range(start..end) }
    }

    fn row(&self, row: ::sled::Result<(IVec, IVec)>) -> Result<(Bytes, Bytes), Error> {
        row.map(|(key, value)| (copy(&key), copy(&value))).map_err(|error| self.error(error))
    }
}

impl View for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let value = self.db.get(key).map_err(|error| self.error(error))?;
        Ok(value.as_deref().map(copy))
    }

    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        if holds_nothing(start, end) {
            return Box::new(std::iter::empty());
        }
        Box::new(self.range(start, end).map(|row| self.row(row)))
    }

    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        if holds_nothing(start, end) {
            return Box::new(std::iter::empty());
        }
        Box::new(self.range(start, end).rev().map(|row| self.row(row)))
    }
}

impl Store for SledStore {
    fn view(&self) -> Box<dyn View + '_> {
        let guard = self.between_batches.read().unwrap_or_else(PoisonError::into_inner);
        Box::new(SledView { store: self, _guard: guard })
    }

    fn commit(&self, batch: Batch) -> Result<(), Error> {
        self.apply(batch.into_operations()?, usize::MAX)
    }

    fn load(&self, batch: Batch) -> Result<(), Error> {
        self.apply(batch.into_operations()?, PIECE)
    }

    fn batch_limit(&self, pace: Pace) -> usize {
        match pace {
            Pace::Live => LIVE_LIMIT,
            Pace::Behind => BEHIND_LIMIT,
            Pace::Draft => DRAFT_LIMIT,
        }
    }

    fn flush(&self) -> Result<(), Error> {
        self.db.flush().map_err(|error| self.error(error))?;
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        files::disk_bytes(self.generation.path())
    }
}

/// The store while no batch is being applied.
struct SledView<'a> {
    store: &'a SledStore,
    _guard: RwLockReadGuard<'a, ()>,
}

impl View for SledView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.store.get(key)
    }

    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.store.scan(start, end)
    }

    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.store.scan_back(start, end)
    }
}

/// Frees the pages that a batch replaced.
///
/// sled leaves replaced pages to crossbeam-epoch, which frees at most 512 of them in every 128th pin of a thread. A
/// batch pins once, however many pages it replaces, so with larger batches memory grows without end (2.8 GB after 1.2
/// million puts in batches of 1,000, whatever the cache). Every flush of a fresh pin frees up to 512 more; one for
/// each hundred operations keeps memory flat, at any batch size (150 MB in the same run).
fn collect_garbage(operations: usize) {
    for _ in 0..=operations / 100 {
        ::sled::pin().flush();
    }
}

fn open_db(path: &Path, options: Options) -> ::sled::Result<Db> {
    let config = Config::new()
        .path(path)
        .mode(Mode::LowSpace)
        .cache_capacity(options.cache_bytes)
        .flush_every_ms(u64::try_from(FLUSH_EVERY.as_millis()).ok());
    let deadline = Instant::now() + CLOSING;
    loop {
        match config.open() {
            Err(error) if is_file_lock(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

/// No other process can hold it: the home's own lock comes first.
fn is_file_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}

/// Whatever a file holds that sled cannot open, a rebuild is the remedy.
fn opening(path: &Path, error: ::sled::Error) -> Error {
    match error {
        ::sled::Error::Io(source) => Error::reading(path, source),
        other => Error::corrupt(path, other),
    }
}

/// A copy, because a slice of sled's would keep its whole page in memory.
fn copy(bytes: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_ref())
}
