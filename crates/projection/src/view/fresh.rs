//! What a store that began empty can't hold yet.

use std::hash::Hasher as _;

use bytes::Bytes;

use super::cache::DigestHasher;
use crate::store::{Batch, Error, Scan, View};

/// Blocks of 64 bytes, 8 MiB in all: at eight million keys one look in forty is in vain.
const BLOCKS: usize = 1 << 17;
/// Bits of each key, all in one block.
const BITS: u32 = 5;

/// The keys that were ever put into a store that began empty, or more (a Bloom filter). Most of what is folded is new:
/// that a key is not there is known without looking.
pub(crate) struct Fresh {
    /// Begin with one of these bytes; other keys are not remembered.
    tables: &'static [u8],
    blocks: Vec<[u64; 8]>,
}

impl Fresh {
    /// Of an empty store. Remembers keys that begin with one of the bytes in `tables`.
    pub(crate) fn new(tables: &'static [u8]) -> Self {
        Self { tables, blocks: vec![[0; 8]; BLOCKS] }
    }

    /// To be told of every batch before it is in the store.
    pub(crate) fn put(&mut self, batch: &Batch) {
        for key in batch.puts().filter(|key| self.tables.contains(&key[0])) {
            let (block, mask) = bits(key);
            self.blocks[block].iter_mut().zip(mask).for_each(|(word, mask)| *word |= mask);
        }
    }

    /// Reads from the store where it has to.
    pub(crate) fn over<'a>(&'a self, rows: &'a dyn View) -> Over<'a> {
        Over { fresh: self, rows }
    }

    fn may_hold(&self, key: &[u8]) -> bool {
        if !key.first().is_some_and(|table| self.tables.contains(table)) {
            return true;
        }
        let (block, mask) = bits(key);
        self.blocks[block].iter().zip(mask).all(|(word, mask)| word & mask == mask)
    }
}

/// The block of a key, and the bits that it has there.
fn bits(key: &[u8]) -> (usize, [u64; 8]) {
    let mut hasher = DigestHasher::default();
    hasher.write(key);
    // The lower bits are mixed least.
    hasher.write_u64(key.len() as u64);
    let hash = hasher.finish();
    let mut mask = [0; 8];
    for bit in 0..BITS {
        let at = hash >> (bit * 9);
        mask[(at >> 6 & 7) as usize] |= 1 << (at & 63);
    }
    ((hash >> 47) as usize % BLOCKS, mask)
}

/// See [`Fresh::over`].
pub(crate) struct Over<'a> {
    fresh: &'a Fresh,
    rows: &'a dyn View,
}

impl View for Over<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if self.fresh.may_hold(key) { self.rows.get(key) } else { Ok(None) }
    }

    fn scan(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.rows.scan(start, end)
    }

    fn scan_back(&self, start: &[u8], end: &[u8]) -> Scan<'_> {
        self.rows.scan_back(start, end)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Counts the looks.
    #[derive(Default)]
    struct Counting(Cell<usize>);

    impl View for Counting {
        fn get(&self, _: &[u8]) -> Result<Option<Bytes>, Error> {
            self.0.set(self.0.get() + 1);
            Ok(Some(Bytes::new()))
        }

        fn scan(&self, _: &[u8], _: &[u8]) -> Scan<'_> {
            Box::new(std::iter::empty())
        }

        fn scan_back(&self, _: &[u8], _: &[u8]) -> Scan<'_> {
            Box::new(std::iter::empty())
        }
    }

    #[test]
    fn what_was_put_is_looked_for_and_what_was_not_is_not() {
        let key =
            |n: u64| [b"E0123456789abcdef".as_slice(), &n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()].concat();
        let mut batch = Batch::default();
        (0..100_000).for_each(|n| batch.put(key(n), "row"));
        batch.delete(key(100_000));
        let mut fresh = Fresh::new(b"E");
        fresh.put(&batch);
        let rows = Counting::default();
        let over = fresh.over(&rows);
        assert!((0..100_000).all(|n| over.get(&key(n)).unwrap().is_some()), "what was put may be there");
        rows.0.set(0);
        let found = (100_000..200_000).filter(|n| over.get(&key(*n)).unwrap().is_some()).count();
        assert_eq!(found, rows.0.get());
        assert!(found < 1_000, "{found} looks in vain");
        assert!(over.get(b"T").unwrap().is_some(), "of other tables nothing is known");
    }
}
