use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Secret;

const PREFIX: &str = "tm_";
/// Enough that two are never drawn alike: 64 bits.
const ID_BYTES: usize = 8;
/// 256 bits of the operating system: nobody guesses them, so their plain SHA-256 is no help to who steals the bucket.
/// A slow hash is for what people think up.
const SECRET_BYTES: usize = 32;

/// A token as it is shown once and sent with each call: `tm_<id>_<secret>`, both in hex. It never shows its secret by
/// itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText {
    id: String,
    secret: String,
}

impl TokenText {
    /// A new one.
    pub fn draw() -> TokenText {
        TokenText { id: hex(&bus::random::<ID_BYTES>()), secret: hex(&bus::random::<SECRET_BYTES>()) }
    }

    /// Reads one; `None` for whatever is none. Space around it, as a file's last line has, is no part of it.
    pub fn parse(text: &str) -> Option<TokenText> {
        let (id, secret) = text.trim().strip_prefix(PREFIX)?.split_once('_')?;
        let is_hex = |part: &str, bytes: usize| {
            part.len() == 2 * bytes && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let whole = is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES);
        whole.then(|| TokenText { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// What it is kept under. No secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole text.
    pub fn expose(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}_{}", self.id, self.secret))
    }

    /// What is kept of the secret.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_(hidden)", self.id)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::TokenText;

    #[test]
    fn a_text_is_read_back_and_hides_its_secret() {
        let text = TokenText::draw();
        let shown = text.expose();
        assert_eq!(TokenText::parse(&format!(" {}\n", shown.expose())), Some(text.clone()));
        let debug = format!("{text:?} {shown:?}");
        assert!(!debug.contains(&text.secret) && debug.contains(text.id()), "{debug}");
        assert_ne!(text, TokenText::draw());
    }

    #[test]
    fn whatever_else_is_none() {
        let whole = TokenText::draw().expose();
        let whole = whole.expose();
        let upper = whole.to_uppercase();
        for text in ["", "tm_", "tm__", &whole[1..], &whole[..whole.len() - 1], &format!("{whole}0"), &upper] {
            assert_eq!(TokenText::parse(text), None, "{text}");
        }
    }
}
