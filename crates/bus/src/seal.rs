//! XChaCha20-Poly1305 with random nonces: 24 bytes are enough to draw them without keeping count.
//!
//! The rounds are those of `ring`, which seals a sentence in a third of the time that the plain crate needs; what it
//! lacks is only the first step, which makes a key of the key and two thirds of the nonce.

use std::cell::RefCell;

use chacha20::cipher::consts::U10;
use chacha20::hchacha;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};

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
        let mut sealed = Vec::with_capacity(1 + NONCE + clear.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(clear);
        // Encryption fails only for more than 256 GiB: what we seal is bounded by the bus's 8 MB.
        let words = &mut sealed[1 + NONCE..];
        match self.of(&nonce).and_then(|(key, nonce)| key.seal_in_place_separate_tag(nonce, Aad::empty(), words)) {
            Ok(tag) => sealed.extend_from_slice(tag.as_ref()),
            Err(Unspecified) => sealed.clear(),
        }
        sealed
    }

    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, words) = match sealed.split_first() {
            Some((&VERSION, rest)) => rest.split_first_chunk().ok_or(SealError::Damaged)?,
            _ => return Err(SealError::Damaged),
        };
        let mut words = words.to_vec();
        let opened =
            self.of(nonce).and_then(|(key, nonce)| Ok(key.open_in_place(nonce, Aad::empty(), &mut words)?.len()));
        words.truncate(opened.map_err(|Unspecified| SealError::Damaged)?);
        Ok(words)
    }

    /// The key and the nonce that ChaCha20-Poly1305 takes, of ours (draft-irtf-cfrg-xchacha-03, section 2.3).
    fn of(&self, nonce: &[u8; NONCE]) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let (first, last) = nonce.split_at(16);
        let key = hchacha::<U10>((&self.0).into(), first.into());
        let mut short = [0; 12];
        short[4..].copy_from_slice(last);
        Ok((LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key)?), Nonce::assume_unique_for_key(short)))
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
            let bytes: [u8; NONCE * DRAWN] = random();
            let (fresh, _) = bytes.as_chunks::<NONCE>();
            nonces.extend_from_slice(&fresh[1..]);
            fresh[0]
        }
    })
}

/// Bytes from the operating system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => bytes,
        Err(Unspecified) => unreachable!("the operating system has a generator"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chacha20poly1305::aead::{Aead, KeyInit};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};

    use super::{DRAWN, NONCE, SealError, SealKey, nonce, random};

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

    #[test]
    fn is_what_others_call_xchacha20_poly1305() {
        let bytes: [u8; 32] = random();
        let (ours, theirs) = (SealKey::new(bytes), XChaCha20Poly1305::new(&bytes.into()));
        for len in [0, 1, 63, 64, 65, 300, 5_000] {
            let clear = vec![7; len];
            let sealed = ours.seal(&clear);
            let (nonce, words) = sealed[1..].split_at(NONCE);
            let nonce = XNonce::from_slice(nonce);
            assert_eq!(theirs.decrypt(nonce, words).unwrap(), clear);
            let words = theirs.encrypt(nonce, clear.as_slice()).unwrap();
            assert_eq!(ours.open(&[&[1], nonce.as_slice(), &words].concat()).unwrap(), clear);
        }
    }
}
