//! What is taken from a channel, and how much of it.

use std::borrow::Cow;

/// Most items in one body. A channel sends up to 1,000 updates, and history in chunks of some thousands.
pub const MAX_ITEMS: usize = 20_000;
/// Longest id taken from a channel, in bytes.
pub const MAX_ID_BYTES: usize = 256;
/// Longest body of a message, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
/// Longest name kept of a contact, in bytes: a longer one is cut, since it stands beside every message.
pub const MAX_NAME_BYTES: usize = 256;
/// Longest type or field name kept as the channel's own word, in bytes.
pub const MAX_WORD_BYTES: usize = 64;
/// Largest single item, in bytes: an event with its raw JSON beside its fields has to fit the bus's 8 MB.
pub const MAX_ITEM_BYTES: usize = 1024 * 1024;
/// Latest time taken, in Unix seconds: 2100-01-01T00:00:00Z.
pub const MAX_SECONDS: i64 = 4_102_444_800;

/// Whether a channel's id can be kept: 1 to 256 bytes without control characters.
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && !id.chars().any(char::is_control)
}

/// Whether a time in Unix seconds is one that a channel can mean.
pub fn is_time(seconds: i64) -> bool {
    (0..=MAX_SECONDS).contains(&seconds)
}

/// `text` cut to at most `bytes`, at a character.
pub fn clip(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A word of a channel as a token that can stand in a subject: letters, digits, `_` and `-`.
pub fn token(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let word = clip(word, MAX_WORD_BYTES);
    match word {
        "" => Cow::Borrowed("unnamed"),
        word if word.chars().all(plain) => Cow::Borrowed(word),
        word => Cow::Owned(word.chars().map(|c| if plain(c) { c } else { '_' }).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_256_bytes_and_no_control_characters() {
        assert!(is_id("wamid.HBg=") && is_id(&"x".repeat(256)) && is_id("número 7"));
        assert!(!is_id("") && !is_id(&"x".repeat(257)) && !is_id("a\nb") && !is_id("a\u{85}b") && !is_id("\0"));
    }

    #[test]
    fn clipping_never_splits_a_character() {
        assert_eq!(clip("añb", 2), "a");
        assert_eq!(clip("añb", 3), "añ");
        assert_eq!(clip("a", 9), "a");
    }

    #[test]
    fn any_word_becomes_a_token() {
        assert_eq!(token("account_update"), "account_update");
        assert_eq!(token("a.b >*"), "a_b___");
        assert_eq!(token(""), "unnamed");
    }
}
