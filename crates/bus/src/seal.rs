//! XChaCha20-Poly1305 with random nonces: 24 bytes are enough to draw them without keeping count.

use std::cell::RefCell;

use chacha20poly1305::aead::rand_core::RngCore;
use chacha20poly1305::aead::{Aead, AeadInPlace, KeyInit, OsRng};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// First byte of everything sealed: the one way of sealing there is so far.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Nonces drawn at once: asking the operating system for each costs a quarter of sealing a sentence.
const DRAWN: usize = 64;

/// Why sealed words can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Sealed under another key, or damaged.
    #[error("sealed under another key, or damaged")]
    Damaged,
    /// Unsealed, but not the message that was expected.
    #[error("unsealed, but not what was expected")]
    Malformed,
}

/// A key that seals. It never shows itself.
#[derive(Clone)]
pub(crate) struct SealKey([u8; 32]);

impl SealKey {
    pub(crate) fn new(bytes: [u8; 32]) -> SealKey {
        SealKey(bytes)
    }

    pub(crate) fn seal(&self, clear: &[u8]) -> Vec<u8> {
        let nonce = nonce();
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let mut sealed = Vec::with_capacity(1 + NONCE + clear.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(clear);
        // Encryption fails only for more than 256 GiB: what we seal is bounded by the bus's 8 MB.
        match cipher.encrypt_in_place_detached(XNonce::from_slice(&nonce), &[], &mut sealed[1 + NONCE..]) {
            Ok(tag) => sealed.extend_from_slice(&tag),
            Err(_) => sealed.clear(),
        }
        sealed
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, words) = match sealed.split_first() {
            Some((&VERSION, rest)) => rest.split_at_checked(NONCE).ok_or(SealError::Damaged)?,
            _ => return Err(SealError::Damaged),
        };
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        cipher.decrypt(XNonce::from_slice(nonce), words).map_err(|_| SealError::Damaged)
    }
}

/// A nonce that was never used. Nonces are no secret, so those to come may lie in memory.
fn nonce() -> [u8; NONCE] {
    thread_local! {
        static NONCES: RefCell<Vec<[u8; NONCE]>> = const { RefCell::new(Vec::new()) };
    }
    NONCES.with_borrow_mut(|nonces| match nonces.pop() {
        Some(nonce) => nonce,
        None => {
            let mut bytes = [0; NONCE * DRAWN];
            OsRng.fill_bytes(&mut bytes);
            let (fresh, _) = bytes.as_chunks::<NONCE>();
            nonces.extend_from_slice(&fresh[1..]);
            fresh[0]
        }
    })
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DRAWN, SealError, SealKey, nonce, random};

    #[test]
    fn no_nonce_comes_twice() {
        let draw = || (0..DRAWN * 3).map(|_| nonce()).collect::<Vec<_>>();
        let other_thread = std::thread::spawn(draw).join().unwrap();
        let all: BTreeSet<_> = draw().into_iter().chain(other_thread).collect();
        assert_eq!(all.len(), DRAWN * 6);
        assert!(!all.contains(&[0; 24]));
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let key = SealKey::new(random());
        let sealed = key.seal(b"where is my order?");
        assert_eq!(key.open(&sealed).unwrap(), b"where is my order?");
        assert_eq!(SealKey::new(random()).open(&sealed), Err(SealError::Damaged));
        for cut in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..cut]), Err(SealError::Damaged));
            let mut bent = sealed.clone();
            bent[cut] ^= 1;
            assert_eq!(key.open(&bent), Err(SealError::Damaged));
        }
    }
}
