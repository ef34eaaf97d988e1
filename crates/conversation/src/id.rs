use std::fmt;

/// A place in the log: the sequence of an event on the stream. 0 is before every event.
pub type Revision = u64;

/// The opaque id of a conversation. Holds no `-` and no `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(String);

impl ConversationId {
    /// Longest id taken, in bytes: what we make has 23.
    pub const MAX_BYTES: usize = 64;

    /// `None` unless `id` has 1 to 64 letters, digits or underscores: it becomes part of a subject.
    pub fn parse(id: &str) -> Option<ConversationId> {
        let fits = !id.is_empty() && id.len() <= Self::MAX_BYTES;
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (fits && plain).then(|| ConversationId(id.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the ticket opened `ordinal`th, from 1.
    pub fn ticket(&self, ordinal: u64) -> TicketId {
        TicketId(format!("{}-{ordinal}", self.0))
    }

    /// The id of the message or note said `ordinal`th by the business, from 1.
    pub fn message(&self, ordinal: u64) -> MessageId {
        MessageId(format!("{}-m{ordinal}", self.0))
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a ticket: its conversation's, and its ordinal there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(String);

impl TicketId {
    /// Takes any text: an id that names no ticket finds none.
    pub fn new(id: impl Into<String>) -> TicketId {
        TicketId(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The conversation and the ordinal, or `None` if this can't be a ticket's id.
    pub fn parts(&self) -> Option<(ConversationId, u64)> {
        let (conversation, ordinal) = self.0.rsplit_once('-')?;
        let canonical = ordinal.bytes().all(|b| b.is_ascii_digit()) && !ordinal.starts_with('0');
        let ordinal = ordinal.parse().ok().filter(|_| canonical)?;
        Some((ConversationId::parse(conversation)?, ordinal))
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a message or note that was decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Takes any text, as it came from the log.
    pub fn new(id: impl Into<String>) -> MessageId {
        MessageId(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
