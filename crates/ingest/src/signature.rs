//! Who signed a body.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Something that must never be seen: it does not show itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// A secret from configuration.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was configured: nothing can be signed by that.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `given` is this secret, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &str) -> bool {
        let tag = self.mac(b"same").finalize().into_bytes();
        !self.is_empty() && Secret::new(given).mac(b"same").verify_slice(&tag).is_ok()
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = match Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(bytes);
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(…)" })
    }
}

/// The place in `secrets` of the one under which `header` (`sha256=<hex>`) signs exactly these bytes. Compares in
/// constant time, and tries every secret whichever fits.
pub fn signed_by(body: &[u8], header: &str, secrets: &[Secret]) -> Option<usize> {
    let tag = tag(header)?;
    let fits = |secret: &Secret| !secret.is_empty() && secret.mac(body).verify_slice(&tag).is_ok();
    secrets.iter().enumerate().fold(None, |found, (at, secret)| if fits(secret) { found.or(Some(at)) } else { found })
}

/// Whether a header can be a signature at all.
pub(crate) fn is_signature(header: &str) -> bool {
    tag(header).is_some()
}

fn tag(header: &str) -> Option<[u8; 32]> {
    let hex = header.strip_prefix("sha256=")?;
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut tag = [0; 32];
    for (at, byte) in tag.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231, test case 2.
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SIGNATURE: &str = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn finds_the_secret_that_signed() {
        let secrets = [Secret::new("x"), Secret::new(KEY)];
        assert_eq!(signed_by(BODY, SIGNATURE, &secrets), Some(1));
        assert_eq!(signed_by(BODY, &SIGNATURE.to_uppercase().replace("SHA", "sha"), &secrets), Some(1));
        assert_eq!(signed_by(b"what do ya want for nothing!", SIGNATURE, &secrets), None);
        assert_eq!(signed_by(BODY, SIGNATURE, &secrets[..1]), None);
    }

    #[test]
    fn malformed_headers_sign_nothing() {
        for header in ["", "sha256=", "sha1=00", &SIGNATURE[..70], &format!("{SIGNATURE}0"), "sha256=+1"] {
            assert_eq!(signed_by(BODY, header, &[Secret::new(KEY)]), None, "{header}");
        }
        let plus = format!("sha256=+1{}", &SIGNATURE[9..]);
        assert_eq!(signed_by(BODY, &plus, &[Secret::new(KEY)]), None);
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"").unwrap();
        mac.update(BODY);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(signed_by(BODY, &format!("sha256={hex}"), &[Secret::new("")]), None);
        assert!(!Secret::new("").is("") && Secret::new("a").is("a") && !Secret::new("a").is("b"));
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
