use std::fmt;

use sha2::{Digest, Sha256};

use super::{Error, View};

/// SHA-256 over the rows of a store, in key order. Prints as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ContentHash([u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// Hashes every row whose key begins with none of the `excluded` prefixes; the engine does not matter.
///
/// Reads the whole store. From a [`super::Store::view`] the hash is that of one moment, but with sled nothing is
/// committed meanwhile; over the store itself it means something only while nobody commits.
pub(crate) fn content_hash(rows: &dyn View, excluded: &[&[u8]]) -> Result<ContentHash, Error> {
    let mut hasher = Sha256::new();
    for row in rows.scan(&[], &[]) {
        let (key, value) = row?;
        if excluded.iter().any(|prefix| key.starts_with(prefix)) {
            continue;
        }
        // With lengths in front no two different stores feed the same bytes.
        for part in [key, value] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(&part);
        }
    }
    Ok(ContentHash(hasher.finalize().into()))
}
