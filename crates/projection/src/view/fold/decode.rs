//! Events as far as the fold looks at them. What decisions carry for those who decide is as large as all the rest.

use bytes::Bytes;
use prost::{DecodeError, Message, Oneof};
use prost_types::Timestamp;
use proto::v1;

/// `threadmark.v1.Event` without causes.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    workspace: String,
    #[prost(string, tag = "3")]
    conversation: String,
    #[prost(message, optional, tag = "4")]
    actor: Option<v1::Actor>,
    #[prost(message, optional, tag = "5")]
    occur_time: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    record_time: Option<Timestamp>,
    #[prost(string, tag = "10")]
    channel: String,
    #[prost(oneof = "Kind", tags = "16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26")]
    event: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(message, tag = "16")]
    MessageReceived(v1::MessageReceived),
    #[prost(message, tag = "17")]
    MessageEchoed(v1::MessageEchoed),
    #[prost(message, tag = "18")]
    MessageBackfilled(v1::MessageBackfilled),
    #[prost(message, tag = "19")]
    MessageStatusChanged(v1::MessageStatusChanged),
    #[prost(message, tag = "20")]
    ReactionChanged(v1::ReactionChanged),
    #[prost(message, tag = "21")]
    MessageEdited(v1::MessageEdited),
    #[prost(message, tag = "22")]
    MessageRevoked(v1::MessageRevoked),
    #[prost(message, tag = "23")]
    ContactChanged(v1::ContactChanged),
    #[prost(message, tag = "24")]
    MessagesRead(v1::MessagesRead),
    #[prost(message, tag = "25")]
    Decided(Decided),
    #[prost(message, tag = "26")]
    ContactErased(v1::ContactErased),
}

/// `threadmark.v1.Decided` without the state that it leaves.
#[derive(Clone, PartialEq, Message)]
struct Decided {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<v1::DecidedEntry>,
    #[prost(string, repeated, tag = "2")]
    tags_added: Vec<String>,
    #[prost(string, repeated, tag = "3")]
    tags_removed: Vec<String>,
    #[prost(enumeration = "v1::decided::BotChange", tag = "4")]
    bot_change: i32,
}

/// The event, without its causes and without what a decision says about the state around it.
///
/// # Errors
/// When the bytes are no event.
pub(crate) fn decode(payload: Bytes) -> Result<v1::Event, DecodeError> {
    let event = Event::decode(payload)?;
    Ok(v1::Event {
        id: event.id,
        workspace: event.workspace,
        conversation: event.conversation,
        actor: event.actor,
        occur_time: event.occur_time,
        record_time: event.record_time,
        channel: event.channel,
        event: event.event.map(Kind::whole),
        ..v1::Event::default()
    })
}

impl Kind {
    fn whole(self) -> v1::event::Event {
        use v1::event::Event as Whole;
        match self {
            Self::MessageReceived(message) => Whole::MessageReceived(message),
            Self::MessageEchoed(message) => Whole::MessageEchoed(message),
            Self::MessageBackfilled(message) => Whole::MessageBackfilled(message),
            Self::MessageStatusChanged(status) => Whole::MessageStatusChanged(status),
            Self::ReactionChanged(reaction) => Whole::ReactionChanged(reaction),
            Self::MessageEdited(edit) => Whole::MessageEdited(edit),
            Self::MessageRevoked(revocation) => Whole::MessageRevoked(revocation),
            Self::ContactChanged(contact) => Whole::ContactChanged(contact),
            Self::MessagesRead(read) => Whole::MessagesRead(read),
            Self::ContactErased(erased) => Whole::ContactErased(erased),
            Self::Decided(decided) => Whole::Decided(v1::Decided {
                entries: decided.entries,
                tags_added: decided.tags_added,
                tags_removed: decided.tags_removed,
                bot_change: decided.bot_change,
                ..v1::Decided::default()
            }),
        }
    }
}
