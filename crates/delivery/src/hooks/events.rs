//! What an event of the log means to who subscribed, and how it is told. The names are those that rules react to.

use bus::Keyring;
use proto::v1;
use proto::v1::event::Event as Kind;
use serde_json::{Value, json};

/// Every event type that can be subscribed to.
pub const EVENT_TYPES: [&str; 12] = [
    "message.received",
    "message.sent",
    "message.status",
    "message.failed",
    "note.added",
    "ticket.opened",
    "ticket.closed",
    "conversation.assigned",
    "conversation.unassigned",
    "tag.added",
    "tag.removed",
    "contact.changed",
];
/// Stands for all of them.
pub(super) const ALL: &str = "*";

/// One thing that an event means.
pub(crate) struct Part<'a> {
    pub(crate) kind: &'static str,
    what: What<'a>,
}

enum What<'a> {
    Message { id: &'a str, kind: &'a str, sealed: &'a [u8] },
    Note { id: &'a str, sealed: &'a [u8] },
    Contact { sealed: &'a [u8] },
    Clear(Value),
}

/// What an event means, in the order of its entries. Back-filled history means nothing. The place of each is stable:
/// what is queued names it by that.
pub(crate) fn parts(event: &v1::Event) -> Vec<Part<'_>> {
    match &event.event {
        Some(Kind::MessageReceived(message)) => {
            let what = What::Message { id: &event.id, kind: &message.r#type, sealed: &message.sealed };
            vec![Part { kind: "message.received", what }]
        }
        Some(Kind::MessageStatusChanged(status)) => of_status(status),
        Some(Kind::ContactChanged(changed)) => {
            vec![Part { kind: "contact.changed", what: What::Contact { sealed: &changed.sealed } }]
        }
        Some(Kind::Decided(decided)) => of_decision(decided),
        _ => Vec::new(),
    }
}

fn of_status(status: &v1::MessageStatusChanged) -> Vec<Part<'_>> {
    let word = status.status().as_str_name().to_ascii_lowercase();
    let told = json!({
        "message_id": status.message_id,
        "message_ref": status.message_ref,
        "status": word,
        "error_codes": status.error_codes,
    });
    let mut parts = vec![Part { kind: "message.status", what: What::Clear(told.clone()) }];
    if status.status() == v1::MessageStatus::Failed {
        parts.push(Part { kind: "message.failed", what: What::Clear(told) });
    }
    parts
}

fn of_decision(decided: &v1::Decided) -> Vec<Part<'_>> {
    let entries = decided.entries.iter().filter_map(|entry| entry.entry.as_ref());
    let mut parts: Vec<Part<'_>> = entries.filter_map(of_entry).collect();
    for (kind, tags) in [("tag.added", &decided.tags_added), ("tag.removed", &decided.tags_removed)] {
        parts.extend(tags.iter().map(|tag| Part { kind, what: What::Clear(json!({ "tag": tag })) }));
    }
    parts
}

fn of_entry(entry: &v1::decided_entry::Entry) -> Option<Part<'_>> {
    use v1::decided_entry::Entry;
    use v1::stamp::Kind as Stamp;
    let stamp = match entry {
        Entry::Message(message) => {
            let what = What::Message { id: &message.id, kind: &message.r#type, sealed: &message.sealed };
            return Some(Part { kind: "message.sent", what });
        }
        Entry::Note(note) => {
            return Some(Part { kind: "note.added", what: What::Note { id: &note.id, sealed: &note.sealed } });
        }
        Entry::Stamp(stamp) => stamp,
    };
    let (kind, told) = match stamp.kind.as_ref()? {
        Stamp::Opened(opened) => {
            let told = json!({ "ticket_id": opened.ticket_id, "primary_id": opened.primary_id, "topic": opened.topic });
            ("ticket.opened", told)
        }
        Stamp::Closed(closed) => ("ticket.closed", json!({ "ticket_id": closed.ticket_id })),
        Stamp::Assigned(assigned) => {
            let to = assigned.assignee.clone().unwrap_or_default();
            ("conversation.assigned", json!({ "agent_id": to.agent_id, "team_id": to.team_id }))
        }
        Stamp::Unassigned(_) => ("conversation.unassigned", json!({})),
    };
    Some(Part { kind, what: What::Clear(told) })
}

/// The id that a receiver knows a repeat by: the same at each try, and when the log holds a fact twice.
pub(crate) fn event_id(event: &v1::Event, part: u32) -> String {
    format!("{}.{part}", event.id)
}

/// What is posted: words unsealed, or `"erased": true` where the conversation's key is gone.
pub(crate) fn payload(event: &v1::Event, revision: u64, part: &Part<'_>, nth: u32, keyring: Option<&Keyring>) -> Value {
    let actor = event.actor.clone().unwrap_or_default();
    json!({
        "id": event_id(event, nth),
        "type": part.kind,
        "time": time(event.occur_time.as_ref()),
        "record_time": time(event.record_time.as_ref()),
        "workspace": event.workspace,
        "conversation_id": event.conversation,
        "channel": event.channel,
        "revision": revision,
        "actor": {
            "kind": actor.kind().as_str_name().to_ascii_lowercase(),
            "id": actor.id,
            "display_name": actor.display_name,
        },
        "data": part.data(keyring),
    })
}

impl Part<'_> {
    fn data(&self, keyring: Option<&Keyring>) -> Value {
        match &self.what {
            What::Clear(told) => told.clone(),
            What::Message { id, kind, sealed } => match open::<v1::SealedMessage>(keyring, sealed) {
                Some(words) => message(id, kind, &words),
                None => json!({ "message_id": id, "type": kind, "erased": true }),
            },
            What::Note { id, sealed } => match open::<v1::SealedNote>(keyring, sealed) {
                Some(note) => json!({ "note_id": id, "text": note.text }),
                None => json!({ "note_id": id, "erased": true }),
            },
            What::Contact { sealed } => match open::<v1::SealedMessage>(keyring, sealed) {
                Some(words) => json!({ "contact": contact(words.contact.as_ref()) }),
                None => json!({ "erased": true }),
            },
        }
    }
}

fn open<M: prost::Message + Default>(keyring: Option<&Keyring>, sealed: &[u8]) -> Option<M> {
    keyring?.open::<M>(sealed).ok()
}

fn message(id: &str, kind: &str, words: &v1::SealedMessage) -> Value {
    let said = words.message.clone().unwrap_or_default();
    let media = said.media.map(|media| {
        json!({ "id": media.id, "mime_type": media.mime_type, "file_name": media.file_name, "link": media.link })
    });
    let reply = said.reply.map(|reply| json!({ "id": reply.id, "title": reply.title }));
    json!({
        "message_id": id,
        "channel_message_id": said.channel_message_id,
        "type": kind,
        "text": said.text,
        "reply_to": said.reply_to,
        "media": media,
        "reply": reply,
        "template": said.template.map(|template| template.name),
        "contact": contact(words.contact.as_ref()),
    })
}

fn contact(contact: Option<&v1::Contact>) -> Option<Value> {
    contact.map(|contact| json!({ "id": contact.id, "user_id": contact.user_id, "display_name": contact.display_name }))
}

fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    let time = proto::time(time?)?;
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).map(|time| time.to_string()).ok()
}
