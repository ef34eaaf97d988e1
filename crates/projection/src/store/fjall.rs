//! The fjall engine.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use ::fjall::config::BlockSizePolicy;
use ::fjall::{Database, Guard, Iter, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};
use bytes::Bytes;

use super::home::Generation;
use super::{Batch, Engine, Error, Options, Pace, Scan, Store, View, files, holds_nothing};

/// Larger batches are no faster per row (measured with 1,000, 4,000 and 16,000 rows of 300 bytes).
const LIVE_LIMIT: usize = 4_000;

/// Batches of so many operations become tables at once: that is much faster, but each costs some files.
const INGEST_FROM: usize = 20_000;
const BEHIND_LIMIT: usize = 60_000;

/// The fewer tables, the less there is to merge: 300,000 events cost 5 µs each in the background with tables of 60,000
/// rows, 0.2 µs with these, for 50 MB more of memory.
const DRAFT_LIMIT: usize = 200_000;

/// The write buffer, fixed when a store is created. Up to four full ones may wait for the disk. With 64 MiB the peak of
/// 8 million puts was 354 MB resident, with 32 MiB it is 213 MB, and no slower; 16 MiB take no less.
const MEMTABLE_BYTES: u64 = 32 << 20;

/// Rows that are read and kept in memory together, fixed when a store is created. Each block has an entry in an index that
/// stays in memory: twice fjall's default is half as much of it.
const BLOCK_BYTES: u32 = 8 << 10;

/// Journals on disk, in bytes, before the oldest write buffer has to be written out.
const JOURNAL_BYTES: u64 = 256 << 20;

/// From so many cores on fjall has as many threads, its own default.
const MANY_CORES: usize = 4;

const KEYSPACE: &str = "projection";

pub(super) struct FjallStore {
    rows: Keyspace,
    db: Database,
    // Last, so that a directory is removed after fjall has let go of it.
    generation: Arc<Generation>,
}

impl FjallStore {
    pub(super) fn open(generation: Arc<Generation>, options: Options) -> Result<Self, Error> {
        let opening = |error| classify(&generation, error);
        let db = Database::builder(generation.path())
            .cache_size(options.cache_bytes)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(workers())
            .open()
            .map_err(opening)?;
        let rows = db
            .keyspace(KEYSPACE, || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(MEMTABLE_BYTES)
                    .data_block_size_policy(BlockSizePolicy::all(BLOCK_BYTES))
            })
            .map_err(opening)?;
        Ok(Self { rows, db, generation })
    }

    fn snapshot(&self) -> FjallView<'_> {
        FjallView { store: self, snapshot: self.db.snapshot() }
    }

    fn row(&self, row: Guard) -> Result<(Bytes, Bytes), Error> {
        row.into_inner().map(|(key, value)| (copy(&key), copy(&value))).map_err(|error| self.error(error))
    }

    /// Writes a large batch as tables of its own, past journal and write buffer.
    fn ingest(&self, batch: Batch) -> Result<(), Error> {
        let fail = |error| self.error(error);
        let mut tables = self.rows.start_ingestion().map_err(fail)?;
        for (key, value) in batch.into_operations()? {
            match value {
                Some(value) => tables.write(key, value).map_err(fail)?,
                None => tables.write_tombstone(key).map_err(fail)?,
            }
        }
        tables.finish().map_err(fail)
    }

    fn error(&self, error: ::fjall::Error) -> Error {
        classify(&self.generation, error)
    }
}

/// Threads that write out and compact.
///
/// fjall's first thread of several does not compact: it puts what is to be compacted back for the others, over and over
/// until one of them is free. That takes a whole core, so where cores are few there is one thread, which does it all.
fn workers() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if cores < MANY_CORES { 1 } else { MANY_CORES }
}

impl View for FjallStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let value = self.rows.get(key).map_err(|error| self.error(error))?;
        Ok(value.map(copy))
    }

    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.snapshot().rows(start, end, false)
    }

    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.snapshot().rows(start, end, true)
    }
}

impl Store for FjallStore {
    fn view(&self) -> Box<dyn View + '_> {
        Box::new(self.snapshot())
    }

    fn commit(&self, batch: Batch) -> Result<(), Error> {
        if batch.len() >= INGEST_FROM {
            return self.ingest(batch);
        }
        let operations = batch.into_operations()?;
        // Committing hands the batch to the operating system, so that it outlives this process.
        let mut writes = self.db.batch();
        for (key, value) in operations {
            match value {
                Some(value) => writes.insert(&self.rows, key, value),
                None => writes.remove(&self.rows, key),
            }
        }
        writes.commit().map_err(|error| self.error(error))
    }

    fn load(&self, batch: Batch) -> Result<(), Error> {
        self.commit(batch)
    }

    fn batch_limit(&self, pace: Pace) -> usize {
        match pace {
            Pace::Live => LIVE_LIMIT,
            Pace::Behind => BEHIND_LIMIT,
            Pace::Draft => DRAFT_LIMIT,
        }
    }

    fn flush(&self) -> Result<(), Error> {
        self.db.persist(PersistMode::SyncAll).map_err(|error| self.error(error))
    }

    fn disk_bytes(&self) -> u64 {
        files::disk_bytes(self.generation.path())
    }
}

/// The store as it was when the view was made; commits go on.
struct FjallView<'a> {
    store: &'a FjallStore,
    snapshot: Snapshot,
}

impl<'a> FjallView<'a> {
    /// The iterator keeps the snapshot alive by itself.
    fn rows(&self, start: &[u8], end: &[u8], back: bool) -> Scan<'a> {
        if holds_nothing(start, end) {
            return Box::new(std::iter::empty());
        }
        let store = self.store;
        let rows: Iter = if end.is_empty() {
            self.snapshot.range(&store.rows, start..)
        } else {
            self.snapshot.range(&store.rows, start..end)
        };
        if back { Box::new(rows.rev().map(|row| store.row(row))) } else { Box::new(rows.map(|row| store.row(row))) }
    }
}

impl View for FjallView<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let value = self.snapshot.get(&self.store.rows, key).map_err(|error| self.store.error(error))?;
        Ok(value.map(copy))
    }

    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.rows(start, end, false)
    }

    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.rows(start, end, true)
    }
}

/// Tells damaged files, which a rebuild mends, from an engine that gave up.
fn classify(generation: &Generation, error: ::fjall::Error) -> Error {
    use ::fjall::{Error as Fjall, LsmError as Tree};
    match error {
        Fjall::Io(source) | Fjall::Storage(Tree::Io(source)) => Error::reading(generation.path(), source),
        Fjall::Poisoned | Fjall::KeyspaceDeleted | Fjall::Locked => {
            Error::Engine { engine: Engine::Fjall, reason: error.to_string() }
        }
        _ => Error::corrupt(generation.path(), error),
    }
}

/// A copy, because a slice of fjall's would keep its whole block in memory.
fn copy(bytes: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_ref())
}
