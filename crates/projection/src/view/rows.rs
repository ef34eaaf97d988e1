//! The rows of the store, as protobuf messages of this crate alone: another shape is another [`SCHEMA`], and that is a
//! rebuild. What is sealed in the log is sealed here.

use bytes::Bytes;
use conversation::{Revision, Time};
use prost::Message;
use proto::v1;

use super::keys::Place;

/// The form of keys and rows. It names the directory of the store: raising it rebuilds.
pub(crate) const SCHEMA: u32 = 4;

/// How far the store has come; written with every batch.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PositionRow {
    #[prost(uint64, tag = "1")]
    pub(crate) revision: Revision,
    /// The event found there: another one means another stream.
    #[prost(string, tag = "2")]
    pub(crate) event_id: String,
}

/// A conversation as it stands.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ConversationRow {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) workspace: String,
    #[prost(string, tag = "3")]
    pub(crate) channel: String,
    /// Unset while nobody is assigned.
    #[prost(message, optional, tag = "4")]
    pub(crate) assignee: Option<v1::Assignee>,
    /// Who assigned them.
    #[prost(message, optional, tag = "5")]
    pub(crate) assigned_by: Option<v1::Actor>,
    /// The open tickets in the order of opening, the primary first.
    #[prost(message, repeated, tag = "6")]
    pub(crate) open: Vec<OpenRow>,
    #[prost(bool, tag = "7")]
    pub(crate) bot_paused: bool,
    /// Sorted.
    #[prost(string, repeated, tag = "8")]
    pub(crate) tags: Vec<String>,
    /// Place time of the newest live entry; unset while there is none.
    #[prost(sfixed64, optional, tag = "9")]
    pub(crate) last_entry_time: Option<i64>,
    /// Live messages of the customer that no agent has answered or marked as read.
    #[prost(uint32, tag = "10")]
    pub(crate) unread_count: u32,
    /// The newest live message of the customer.
    #[prost(uint64, tag = "11")]
    pub(crate) last_inbound: Revision,
    /// What an agent has seen, by writing or by marking as read.
    #[prost(uint64, tag = "12")]
    pub(crate) read_through: Revision,
    /// The newest entry whose sealed part says who the contact is (id, user id, username).
    #[prost(message, optional, tag = "13")]
    pub(crate) contact_entry: Option<PlaceRow>,
    /// The newest entry whose sealed part has the contact's display name.
    #[prost(message, optional, tag = "14")]
    pub(crate) named_entry: Option<PlaceRow>,
    /// The older conversation that this one goes on from.
    #[prost(string, tag = "15")]
    pub(crate) continues: String,
    /// The newest event that was applied.
    #[prost(uint64, tag = "16")]
    pub(crate) revision: Revision,
    /// The newest decision; 0 before the first.
    #[prost(uint64, tag = "17")]
    pub(crate) decision_revision: Revision,
    /// Open time of the earliest window, to place late entries quickly; unset before the first ticket.
    #[prost(sfixed64, optional, tag = "18")]
    pub(crate) first_open_time: Option<i64>,
    /// The latest time at which a late entry happened; unset while there is none.
    #[prost(sfixed64, optional, tag = "19")]
    pub(crate) last_late_time: Option<i64>,
    /// The highest ordinal of a ticket so far.
    #[prost(uint64, tag = "20")]
    pub(crate) last_ordinal: u64,
}

impl ConversationRow {
    /// Whether a human has it: a ticket is open or somebody is assigned.
    pub(crate) fn held(&self) -> bool {
        !self.open.is_empty() || self.assignee.is_some()
    }

    /// Where it stands in the activity.
    pub(crate) fn activity_time(&self) -> Time {
        self.last_entry_time.map_or(Time::MIN, Time)
    }

    /// The id of the ticket opened `ordinal`th.
    pub(crate) fn ticket_id(&self, ordinal: u64) -> String {
        ticket_id(&self.id, ordinal)
    }
}

/// The id of a conversation's ticket.
pub(crate) fn ticket_id(conversation: &str, ordinal: u64) -> String {
    format!("{conversation}-{ordinal}")
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct OpenRow {
    #[prost(uint64, tag = "1")]
    pub(crate) ordinal: u64,
    #[prost(sfixed64, tag = "2")]
    pub(crate) open_time: i64,
    #[prost(bool, tag = "3")]
    pub(crate) nested: bool,
}

/// A [`Place`] in a row.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct PlaceRow {
    #[prost(sfixed64, tag = "1")]
    pub(crate) time: i64,
    #[prost(uint64, tag = "2")]
    pub(crate) revision: Revision,
    #[prost(uint32, tag = "3")]
    pub(crate) index: u32,
}

impl From<Place> for PlaceRow {
    fn from(place: Place) -> Self {
        Self { time: place.time.0, revision: place.revision, index: place.index }
    }
}

impl From<PlaceRow> for Place {
    fn from(row: PlaceRow) -> Self {
        Self { time: Time(row.time), revision: row.revision, index: row.index }
    }
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum EntryKind {
    Unknown = 0,
    /// A message of the customer; sealed: `SealedMessage`.
    Received = 1,
    /// A message that the business sent from its own phone; sealed: `SealedMessage`.
    Echoed = 2,
    /// A message from before; sealed: `SealedMessage`.
    Backfilled = 3,
    /// A message that was decided; sealed: `SealedMessage`.
    Decided = 4,
    /// Sealed: `SealedNote`.
    Note = 5,
    /// Nothing is sealed; see [`EntryRow::stamp`].
    Stamp = 6,
    /// A reaction, edit or revocation of a message that is not known; sealed: `SealedMessage`.
    Reaction = 7,
    Edit = 8,
    Revocation = 9,
    /// The contact changed; sealed: `SealedMessage`.
    Contact = 10,
}

/// One entry of the chat log. Its key says place time, revision and index.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EntryRow {
    #[prost(enumeration = "EntryKind", tag = "1")]
    pub(crate) kind: i32,
    /// Of a message or note: the event's id, or the one that was decided.
    #[prost(string, tag = "2")]
    pub(crate) id: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) actor: Option<v1::Actor>,
    #[prost(enumeration = "v1::Direction", tag = "4")]
    pub(crate) direction: i32,
    /// The channel's own word.
    #[prost(string, tag = "5")]
    pub(crate) r#type: String,
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) sealed: Bytes,
    #[prost(sfixed64, tag = "7")]
    pub(crate) occur_time: i64,
    #[prost(sfixed64, tag = "8")]
    pub(crate) record_time: i64,
    #[prost(bool, tag = "9")]
    pub(crate) late: bool,
    /// Not to be shown: it only says who the contact is.
    #[prost(bool, tag = "10")]
    pub(crate) hidden: bool,
    /// Ordinals of the tickets that it lies in, the primary first.
    #[prost(uint64, repeated, tag = "11")]
    pub(crate) tickets: Vec<u64>,
    /// The event that changed it last; 0 until one does.
    #[prost(uint64, tag = "12")]
    pub(crate) change_revision: Revision,
    /// Every report, in the order of the log.
    #[prost(message, repeated, tag = "13")]
    pub(crate) reports: Vec<ReportRow>,
    /// The furthest that was reported.
    #[prost(enumeration = "v1::MessageStatus", tag = "14")]
    pub(crate) status: i32,
    /// The last of each who reacted, removed ones too.
    #[prost(message, repeated, tag = "15")]
    pub(crate) reactions: Vec<ReactionRow>,
    /// The last edit.
    #[prost(message, optional, tag = "16")]
    pub(crate) edit: Option<EditRow>,
    #[prost(bool, tag = "17")]
    pub(crate) revoked: bool,
    #[prost(message, optional, tag = "18")]
    pub(crate) stamp: Option<v1::Stamp>,
}

/// One report about a message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReportRow {
    #[prost(enumeration = "v1::MessageStatus", tag = "1")]
    pub(crate) status: i32,
    /// `SealedStatus`.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) sealed: Bytes,
    #[prost(int32, repeated, tag = "3")]
    pub(crate) error_codes: Vec<i32>,
    #[prost(uint64, tag = "4")]
    pub(crate) revision: Revision,
    #[prost(sfixed64, tag = "5")]
    pub(crate) occur_time: i64,
    /// The channel's id of the message, hashed; kept while the message itself is unknown.
    #[prost(string, tag = "6")]
    pub(crate) message_ref: String,
    /// First 8 bytes of the SHA-256 of the event's id: a repeat is skipped.
    #[prost(fixed64, tag = "7")]
    pub(crate) event: u64,
}

/// What someone last did to react to a message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReactionRow {
    #[prost(message, optional, tag = "1")]
    pub(crate) actor: Option<v1::Actor>,
    #[prost(enumeration = "v1::Direction", tag = "2")]
    pub(crate) direction: i32,
    #[prost(bool, tag = "3")]
    pub(crate) removed: bool,
    /// `SealedMessage`: `text` is the emoji.
    #[prost(bytes = "bytes", tag = "4")]
    pub(crate) sealed: Bytes,
    #[prost(sfixed64, tag = "5")]
    pub(crate) occur_time: i64,
    #[prost(uint64, tag = "6")]
    pub(crate) revision: Revision,
}

/// How a message reads now.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct EditRow {
    #[prost(string, tag = "1")]
    pub(crate) r#type: String,
    /// `SealedMessage`.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) sealed: Bytes,
    #[prost(sfixed64, tag = "3")]
    pub(crate) occur_time: i64,
    #[prost(uint64, tag = "4")]
    pub(crate) revision: Revision,
}

/// What is known of an id of an event or a message.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct KnownRow {
    /// An event of this id was applied: a repeat is skipped. Status reports are known by the entry that has them.
    #[prost(bool, tag = "1")]
    pub(crate) applied: bool,
    /// The entry that the id names.
    #[prost(message, optional, tag = "2")]
    pub(crate) entry: Option<PlaceRow>,
    /// Reports about a message that is not known yet.
    #[prost(message, repeated, tag = "3")]
    pub(crate) pending: Vec<ReportRow>,
}

/// The window of a ticket, among those of its conversation.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct WindowRow {
    #[prost(sfixed64, tag = "1")]
    pub(crate) open_time: i64,
    /// Unset while open.
    #[prost(sfixed64, optional, tag = "2")]
    pub(crate) close_time: Option<i64>,
    #[prost(bool, tag = "3")]
    pub(crate) nested: bool,
}

/// A ticket.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TicketRow {
    #[prost(string, tag = "1")]
    pub(crate) conversation: String,
    #[prost(uint64, tag = "2")]
    pub(crate) ordinal: u64,
    /// Ordinal of the primary; 0 on a primary.
    #[prost(uint64, tag = "3")]
    pub(crate) primary: u64,
    #[prost(string, tag = "4")]
    pub(crate) topic: String,
    #[prost(string, tag = "5")]
    pub(crate) channel: String,
    #[prost(sfixed64, tag = "6")]
    pub(crate) open_time: i64,
    #[prost(uint64, tag = "7")]
    pub(crate) open_revision: Revision,
    #[prost(message, optional, tag = "8")]
    pub(crate) opened_by: Option<v1::Actor>,
    /// Unset while open.
    #[prost(sfixed64, optional, tag = "9")]
    pub(crate) close_time: Option<i64>,
    #[prost(uint64, tag = "10")]
    pub(crate) close_revision: Revision,
    #[prost(message, optional, tag = "11")]
    pub(crate) closed_by: Option<v1::Actor>,
    /// Now, or at closing.
    #[prost(message, optional, tag = "12")]
    pub(crate) assignee: Option<v1::Assignee>,
    #[prost(message, repeated, tag = "13")]
    pub(crate) assignments: Vec<SpanRow>,
    /// From the opening, in nanoseconds.
    #[prost(uint64, optional, tag = "14")]
    pub(crate) first_response: Option<u64>,
    #[prost(uint64, optional, tag = "15")]
    pub(crate) first_bot_response: Option<u64>,
    #[prost(uint32, tag = "16")]
    pub(crate) inbound_count: u32,
    #[prost(uint32, tag = "17")]
    pub(crate) outbound_count: u32,
    /// The event that last opened, assigned, answered or closed it.
    #[prost(uint64, tag = "18")]
    pub(crate) change_revision: Revision,
}

impl TicketRow {
    pub(crate) fn nested(&self) -> bool {
        self.primary != 0
    }

    /// From the opening to the closing, in nanoseconds.
    pub(crate) fn resolution(&self) -> Option<u64> {
        self.close_time.map(|close| nanos_between(self.open_time, close))
    }
}

/// What lists choose a [`TicketRow`] by. Its tags are those of the row, so that it reads the same bytes and skips the
/// rest, which is most of the work.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TicketGist {
    #[prost(string, tag = "1")]
    pub(crate) conversation: String,
    #[prost(uint64, tag = "3")]
    pub(crate) primary: u64,
    #[prost(string, tag = "4")]
    pub(crate) topic: String,
    #[prost(sfixed64, tag = "6")]
    pub(crate) open_time: i64,
    #[prost(message, optional, tag = "8")]
    pub(crate) opened_by: Option<ActorGist>,
    #[prost(sfixed64, optional, tag = "9")]
    pub(crate) close_time: Option<i64>,
    #[prost(message, optional, tag = "12")]
    pub(crate) assignee: Option<v1::Assignee>,
}

/// The kind of a [`v1::Actor`].
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct ActorGist {
    #[prost(enumeration = "v1::actor::Kind", tag = "1")]
    pub(crate) kind: i32,
}

impl From<&TicketRow> for TicketGist {
    fn from(row: &TicketRow) -> Self {
        Self {
            conversation: row.conversation.clone(),
            primary: row.primary,
            topic: row.topic.clone(),
            open_time: row.open_time,
            opened_by: row.opened_by.as_ref().map(|actor| ActorGist { kind: actor.kind }),
            close_time: row.close_time,
            assignee: row.assignee.clone(),
        }
    }
}

/// From one instant to a later one, in nanoseconds; 0 if it is not later.
pub(crate) fn nanos_between(from: i64, to: i64) -> u64 {
    u64::try_from(i128::from(to) - i128::from(from)).unwrap_or(0)
}

/// Who held the conversation for a part of a window.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SpanRow {
    #[prost(message, optional, tag = "1")]
    pub(crate) assignee: Option<v1::Assignee>,
    #[prost(message, optional, tag = "2")]
    pub(crate) actor: Option<v1::Actor>,
    #[prost(sfixed64, tag = "3")]
    pub(crate) start_time: i64,
    #[prost(sfixed64, optional, tag = "4")]
    pub(crate) end_time: Option<i64>,
}

/// What a list of conversations is chosen by.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ActivityRow {
    #[prost(message, optional, tag = "1")]
    pub(crate) assignee: Option<v1::Assignee>,
    #[prost(uint32, tag = "2")]
    pub(crate) open_count: u32,
    #[prost(bool, tag = "3")]
    pub(crate) bot_paused: bool,
    #[prost(string, tag = "4")]
    pub(crate) channel: String,
}

/// What a value of a dimension stands for: the field of its dimension is set. Nobody and nothing set none.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ValueRow {
    #[prost(message, optional, tag = "1")]
    pub(crate) actor: Option<v1::Actor>,
    #[prost(message, optional, tag = "2")]
    pub(crate) assignee: Option<v1::Assignee>,
    #[prost(string, tag = "3")]
    pub(crate) channel: String,
    #[prost(string, tag = "4")]
    pub(crate) topic: String,
}
