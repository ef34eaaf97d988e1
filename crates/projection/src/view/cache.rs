use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A map by keys that are, or begin with, digests: they are spread well already and hashed by a multiplication.
pub(crate) type DigestMap<K, V> = HashMap<K, V, BuildHasherDefault<DigestHasher>>;

/// See [`DigestMap`].
#[derive(Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (parts, rest) = bytes.as_chunks::<8>();
        parts.iter().for_each(|part| self.write_u64(u64::from_le_bytes(*part)));
        if !rest.is_empty() {
            self.write_u64(rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio.
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        // The map takes its place from the low bits, which a multiplication mixes least.
        self.0 ^ self.0 >> 32
    }
}

/// Rows in memory that are changed there and written together.
///
/// Changed rows stay until they are written. Of the others, those used most recently are kept: two generations, of
/// which the older is forgotten when the younger has grown to half of the capacity.
pub(crate) struct WriteBack<K, V> {
    young: DigestMap<K, Slot<V>>,
    old: DigestMap<K, Slot<V>>,
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
        Self { young: DigestMap::default(), old: DigestMap::default(), changed: Vec::new(), capacity }
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
