//! XChaCha20-Poly1305 with random nonces: 24 bytes are enough to draw them without keeping count.

use chacha20poly1305::aead::rand_core::RngCore;
use chacha20poly1305::aead::{Aead, KeyInit, OsRng};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

/// First byte of everything sealed: the one way of sealing there is so far.
const VERSION: u8 = 1;
const NONCE: usize = 24;

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
        let nonce: [u8; NONCE] = random();
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        // Encryption fails only for more than 256 GiB: what we seal is bounded by the bus's 8 MB.
        let words = cipher.encrypt(XNonce::from_slice(&nonce), clear).unwrap_or_default();
        let mut sealed = Vec::with_capacity(1 + NONCE + words.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&words);
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

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{SealError, SealKey, random};

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
