use std::collections::BTreeMap;

use super::Error;

/// The longest key, in bytes: fjall keeps key lengths in 16 bits. The shortest is one byte.
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// Puts and deletes that a store applies together. The last operation on a key wins.
///
/// Kept in key order: engines then touch neighbouring rows one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    operations: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Gives a key a value.
    pub(crate) fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.operations.insert(key.into(), Some(value.into()));
    }

    /// Takes a key out; one that is not there may be deleted too.
    pub(crate) fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.operations.insert(key.into(), None);
    }

    /// What the batch will do to a key: `Some(None)` is a delete, `None` nothing.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.operations.get(key).map(Option::as_deref)
    }

    /// Operations in the batch, one per key.
    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The operations in key order, once every key has a length that both engines can hold.
    pub(super) fn into_operations(self) -> Result<impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>, Error> {
        let unfit = self.operations.keys().map(Vec::len).find(|bytes| !(1..=MAX_KEY_BYTES).contains(bytes));
        match unfit {
            Some(bytes) => Err(Error::KeyLength { bytes }),
            None => Ok(self.operations.into_iter()),
        }
    }
}
