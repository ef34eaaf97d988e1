//! Ids of any kind as tokens that may stand in keys and subjects.

use std::fmt::Write as _;

/// What the empty id is written as: an escape that escapes nothing.
const EMPTY: &str = "=";

/// An id as a token of a key or a subject: letters, digits, `-` and `_` as they are, every other byte as `=` and two hex
/// digits. At most three times as long as the id; [`untoken`] reads it back.
pub fn token(id: &str) -> String {
    if id.is_empty() {
        return EMPTY.to_owned();
    }
    let mut token = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            token.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(token, "={byte:02x}");
        }
    }
    token
}

/// The id that a token stands for; `None` for anything that [`token`] would not have written.
pub fn untoken(token: &str) -> Option<String> {
    if token == EMPTY {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'=' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    let id = String::from_utf8(bytes).ok()?;
    // One way of writing each id, so that no two keys mean the same.
    (self::token(&id) == token).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{token, untoken};

    #[test]
    fn any_id_becomes_a_legal_token_and_comes_back() {
        let long = "é".repeat(128);
        for id in ["ana", "", "a.b", "a b", "*", ">", "=", "=2e", "ana@shop.example", "número 7", "\u{0}", "a/b", &long]
        {
            let written = token(id);
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
            assert!(!written.is_empty() && written.bytes().all(legal), "{written}");
            assert_eq!(untoken(&written).as_deref(), Some(id));
        }
        assert_eq!(token("a.b"), "a=2eb");
    }

    #[test]
    fn what_is_written_otherwise_is_no_token() {
        for text in ["", "=2", "=zz", "=61", "=2E", "a.b", "=ff", "=+1", "a=", "é", "=é"] {
            assert_eq!(untoken(text), None, "{text}");
        }
    }
}
