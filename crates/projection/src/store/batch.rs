use super::Error;

/// The longest key, in bytes: fjall keeps key lengths in 16 bits. The shortest is one byte.
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// A key and its new value; none is a delete.
pub(super) type Operation = (Vec<u8>, Option<Vec<u8>>);

/// Puts and deletes that a store applies together. The last operation on a key wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    operations: Vec<Operation>,
}

impl Batch {
    /// Gives a key a value.
    pub(crate) fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.operations.push((key.into(), Some(value.into())));
    }

    /// Takes a key out; one that is not there may be deleted too.
    pub(crate) fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.operations.push((key.into(), None));
    }

    /// The keys that get values.
    pub(crate) fn puts(&self) -> impl Iterator<Item = &[u8]> {
        self.operations.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key.as_slice())
    }

    /// Operations in the batch.
    pub(crate) fn len(&self) -> usize {
        self.operations.len()
    }

    /// The last operation on each key, in key order, so that engines touch neighbouring rows one after the other;
    /// once every key has a length that both engines can hold.
    pub(super) fn into_operations(self) -> Result<impl Iterator<Item = Operation>, Error> {
        let unfit = self.operations.iter().map(|(key, _)| key.len()).find(|bytes| !(1..=MAX_KEY_BYTES).contains(bytes));
        if let Some(bytes) = unfit {
            return Err(Error::KeyLength { bytes });
        }
        let mut operations = self.operations;
        // Stable: operations on one key stay in their order.
        operations.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut operations = operations.into_iter().peekable();
        Ok(std::iter::from_fn(move || {
            let mut last = operations.next()?;
            while let Some(later) = operations.next_if(|(key, _)| *key == last.0) {
                last = later;
            }
            Some(last)
        }))
    }
}
