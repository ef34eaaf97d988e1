//! Where the next page of a list begins.

use prost::Message;
use sha2::{Digest as _, Sha256};

/// Raised when the meaning of positions changes: older tokens are then refused rather than misread.
const VERSION: u8 = 1;
const DIGEST_BYTES: usize = 8;
/// Far above what any position needs: the longest is an id of 256 bytes.
const MAX_TEXT_BYTES: usize = 1_024;

/// Makes and reads the page tokens of one query.
///
/// A token holds the place where the next page begins, never an offset, so pages stay whole while new entries arrive.
/// It carries a digest of everything else that was asked, so one that is used with other filters, or that was
/// damaged on its way, is refused. The digest is no secret: a position only ever names a place within what the request may see.
#[derive(Clone, Debug)]
pub struct PageTokens {
    asked: Vec<u8>,
}

/// A token that this query did not give out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a token of this query: pass next_page_token of the previous page with the same filters, or nothing")]
pub struct Foreign;

impl PageTokens {
    /// `request` without its page size, page token and min_revision: these may differ from page to page.
    pub fn new(query: &str, request: &impl Message) -> PageTokens {
        let mut asked = query.as_bytes().to_vec();
        asked.push(0);
        asked.extend(request.encode_to_vec());
        PageTokens { asked }
    }

    /// The token of the page that begins at `position`.
    pub fn token(&self, position: &[u8]) -> String {
        let bytes = [&[VERSION], &self.digest(position)[..], position].concat();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The position in a token; `None` for no token, which asks for the first page.
    ///
    /// # Errors
    /// [`Foreign`] for anything that [`PageTokens::token`] did not make of the same request.
    pub fn position(&self, token: &str) -> Result<Option<Vec<u8>>, Foreign> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = from_hex(token).ok_or(Foreign)?;
        let (version, rest) = bytes.split_first().ok_or(Foreign)?;
        let (digest, position) = rest.split_at_checked(DIGEST_BYTES).ok_or(Foreign)?;
        let known = *version == VERSION && digest == self.digest(position);
        if known { Ok(Some(position.to_vec())) } else { Err(Foreign) }
    }

    fn digest(&self, position: &[u8]) -> [u8; DIGEST_BYTES] {
        let hash = Sha256::new()
            .chain_update([VERSION])
            .chain_update(self.asked.len().to_be_bytes())
            .chain_update(&self.asked)
            .chain_update(position)
            .finalize();
        std::array::from_fn(|at| hash[at])
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let plain =
        text.len() <= MAX_TEXT_BYTES && text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !plain {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proto::v1::ListTicketsRequest;

    use super::*;

    fn tokens(topic: &str) -> PageTokens {
        let request = ListTicketsRequest { topic: Some(topic.to_owned()), ..ListTicketsRequest::default() };
        PageTokens::new("ListTickets", &request)
    }

    #[test]
    fn a_token_brings_its_position_back() {
        for position in [&[][..], &[0], &[7; 40], &[7; 256]] {
            let token = tokens("refund").token(position);
            assert_eq!(tokens("refund").position(&token), Ok(Some(position.to_vec())));
        }
        assert_eq!(tokens("refund").position(""), Ok(None));
    }

    #[test]
    fn a_token_of_another_query_is_foreign() {
        let token = tokens("refund").token(&[1, 2, 3]);
        assert_eq!(tokens("billing").position(&token), Err(Foreign));
        let other = PageTokens::new("ListTimeline", &ListTicketsRequest::default());
        assert_eq!(other.position(&token), Err(Foreign));
    }

    #[test]
    fn a_damaged_token_is_foreign() {
        let token = tokens("refund").token(&[1, 2, 3]);
        for at in 0..token.len() {
            let mut damaged = token.clone().into_bytes();
            damaged[at] = if damaged[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(tokens("refund").position(&String::from_utf8(damaged).expect("ascii")), Err(Foreign));
            assert!(at == 0 || tokens("refund").position(&token[..at]) == Err(Foreign));
        }
        for nonsense in ["x", "é", "zz", "00", "page 2", "+1", &"0".repeat(100_000), &"ab".repeat(20)] {
            assert_eq!(tokens("refund").position(nonsense), Err(Foreign), "{nonsense:.20}");
        }
    }
}
