use std::collections::HashMap;
use std::hash::Hash;

/// Rows in memory that are changed there and written together.
///
/// Changed rows stay until they are written. Of the others, those used most recently are kept: two generations, of
/// which the older is forgotten when the younger has grown to half of the capacity.
pub(crate) struct WriteBack<K, V> {
    young: HashMap<K, Slot<V>>,
    old: HashMap<K, Slot<V>>,
    changed: Vec<K>,
    capacity: usize,
}

struct Slot<V> {
    value: V,
    changed: bool,
}

impl<K: Copy + Eq + Hash, V> WriteBack<K, V> {
    /// Keeps at most `capacity` rows beside those that are to be written.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), changed: Vec::new(), capacity }
    }

    /// A row to be changed, loaded if it is not in memory.
    pub(crate) fn change<E>(&mut self, key: K, load: impl FnOnce() -> Result<V, E>) -> Result<&mut V, E> {
        use std::collections::hash_map::Entry;
        let slot = match self.young.entry(key) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(space) => match self.old.remove(&key) {
                Some(slot) => space.insert(slot),
                None => space.insert(Slot { value: load()?, changed: false }),
            },
        };
        if !slot.changed {
            slot.changed = true;
            self.changed.push(key);
        }
        Ok(&mut slot.value)
    }

    /// Rows to be written.
    pub(crate) fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Hands every changed row to `write`, after which none is changed.
    pub(crate) fn write<E>(&mut self, mut write: impl FnMut(&K, &mut V) -> Result<(), E>) -> Result<(), E> {
        for key in self.changed.drain(..) {
            if let Some(slot) = self.young.get_mut(&key) {
                slot.changed = false;
                write(&key, &mut slot.value)?;
            }
        }
        if self.young.len() > self.capacity / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        Ok(())
    }
}
