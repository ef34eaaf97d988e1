use bytes::Bytes;
use serde_json::Value;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its place among all that were accepted, from 0.
    pub nth: u64,
    /// The number, or page, of the business.
    pub number: String,
    /// To whom: the number, the user id, or the page-scoped id.
    pub recipient: String,
    /// "text", "template", …; empty for Messenger.
    pub kind: String,
    /// What comes back with each status; empty for none.
    pub callback_data: String,
    /// The id that it was given.
    pub id: String,
    /// The body of the call.
    pub raw: Bytes,
}

impl Sent {
    /// The body of the call.
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap_or_default()
    }
}

/// A receipt that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The number, or page, of the business.
    pub number: String,
    /// The message that was seen; of Messenger, the customer.
    pub message_id: String,
    /// Whether typing is shown.
    pub typing: bool,
}
