//! The small store under the projection: ordered byte keys in one tree, atomic batches, range scans.
//!
//! Two engines stand behind the port and pass one behavioural suite: sled, the default, and fjall for large
//! installations. A [`Home`] owns the directory of one engine and schema version, lets one process in, and swaps a
//! rebuilt store for the live one. Nothing here knows what the rows mean.
//!
//! The log is the journal: no batch is synced to disk by itself. After a kill or a power loss a store may lack its
//! newest batches, never a part of one, and never a batch older than one that it kept. Whoever writes its position
//! into the same batch as the rows therefore continues exactly where the store stands.
//!
//! Files that are damaged otherwise are [`Error::Corrupt`], when opening or when reading, as far as the engine notices:
//! fjall checks every block it reads; sled noticed 32 of 34 harmful scribbles over 64 bytes and lost rows unsaid in the
//! others. [`content_hash`] beside a rebuild's tells for sure.

mod batch;
mod engine;
mod error;
mod files;
mod fjall;
mod hash;
mod home;
mod sled;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod suite;

use bytes::Bytes;

pub(crate) use batch::{Batch, MAX_KEY_BYTES};
pub use engine::{Engine, Options};
pub use error::Error;
pub(crate) use hash::{ContentHash, content_hash};
pub(crate) use home::Home;

/// Rows of a scan: key and value, in the scan's order. It ends after the first error.
pub(crate) type Scan<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), Error>> + 'a>;

/// What can be read from a store, or from a [`Store::view`] of it.
pub(crate) trait View {
    /// The value of a key, if it has one.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// Rows with `start <= key < end`, ascending. An empty `end` is no bound; bounds the wrong way round hold nothing.
    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_>;

    /// The same rows, descending.
    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_>;
}

/// An open store. Read directly, every single `get` is atomic, but a scan may meet a batch that is committed while it
/// runs; what must fit together is read from one [`Store::view`].
pub(crate) trait Store: View + Send + Sync + 'static {
    /// A picture of the store between two batches, for one request.
    ///
    /// With sled a commit waits until the views before it are gone, so a view is short-lived, a thread holds one at a
    /// time, and never while it commits.
    fn view(&self) -> Box<dyn View + '_>;

    /// Applies a batch, all or nothing. [`Store::flush`] puts it on disk.
    fn commit(&self, batch: Batch) -> Result<(), Error>;

    /// Applies a batch to a draft, as fast as the engine can: it may be torn by a kill, and so the draft be worth
    /// nothing.
    fn load(&self, batch: Batch) -> Result<(), Error>;

    /// Operations after which a batch should end. A larger one is still applied whole.
    fn batch_limit(&self, pace: Pace) -> usize;

    /// Returns when everything committed before is on disk.
    fn flush(&self) -> Result<(), Error>;

    /// Bytes that the store occupies on disk now.
    fn disk_bytes(&self) -> u64;
}

/// What counts while a store is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Somebody waits for each event.
    Live,
    /// There is much to catch up with: a batch may take some tenths of a second.
    Behind,
    /// Nobody reads what is being filled.
    Draft,
}

/// The end of the range of all keys that begin with `prefix`: empty, which is no bound, if no key lies behind them.
pub(crate) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX).map_or(0, |last| last + 1);
    let mut end = prefix[..kept].to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// Whether no key can lie in `[start, end)`; engines differ in what they do with such bounds.
fn holds_nothing(start: &[u8], end: &[u8]) -> bool {
    !end.is_empty() && start >= end
}
