//! Who signed a body.

use hmac::{Hmac, Mac};
use service::Secret;
use sha2::Sha256;

/// The place in `secrets` of the one under which `header` (`sha256=<hex>`) signs exactly these bytes. Compares in
/// constant time, and tries every secret whichever fits. An empty secret signs nothing.
pub fn signed_by(body: &[u8], header: &str, secrets: &[Secret]) -> Option<usize> {
    let tag = tag(header)?;
    let fits = |secret: &Secret| !secret.is_empty() && mac(secret.expose(), body).verify_slice(&tag).is_ok();
    secrets.iter().enumerate().fold(None, |found, (at, secret)| if fits(secret) { found.or(Some(at)) } else { found })
}

/// Whether `given` is the secret, in a time that does not tell how much of it is right. Nothing is an empty one.
pub(crate) fn is_secret(secret: &Secret, given: &str) -> bool {
    const SAME: &[u8] = b"same";
    let tag = mac(secret.expose(), SAME).finalize().into_bytes();
    !secret.is_empty() && mac(given, SAME).verify_slice(&tag).is_ok()
}

/// Whether a header can be a signature at all.
pub(crate) fn is_signature(header: &str) -> bool {
    tag(header).is_some()
}

fn mac(key: &str, bytes: &[u8]) -> Hmac<Sha256> {
    let mut mac = match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mac) => mac,
        Err(_) => unreachable!("HMAC takes keys of any length"),
    };
    mac.update(bytes);
    mac
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
        let plus = format!("sha256=+1{}", &SIGNATURE[9..]);
        for header in ["", "sha256=", "sha1=00", &SIGNATURE[..70], &format!("{SIGNATURE}0"), &plus] {
            assert_eq!(signed_by(BODY, header, &[Secret::new(KEY)]), None, "{header}");
        }
    }

    #[test]
    fn an_empty_secret_is_nobodys() {
        let hex: String = mac("", BODY).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(signed_by(BODY, &format!("sha256={hex}"), &[Secret::new("")]), None);
        assert!(!is_secret(&Secret::new(""), ""));
    }

    #[test]
    fn a_secret_is_itself_alone() {
        assert!(is_secret(&Secret::new("a"), "a"));
        assert!(!is_secret(&Secret::new("a"), "b") && !is_secret(&Secret::new("a"), ""));
    }
}
