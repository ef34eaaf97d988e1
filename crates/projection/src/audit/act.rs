//! What an event says that one of our own actors did. Ids, times and stamps alone: nothing sealed is opened here.

use bus::{Recorded, TraceParent};
use proto::v1;
use v1::decided::BotChange;
use v1::decided_entry::Entry;
use v1::deed::Kind;
use v1::event::Event;
use v1::stamp::Kind as Stamp;

/// The act that an event is; `None` for what the customer or the channel did, for marks of having read, and for what
/// can't be read.
pub(super) fn of(recorded: &Recorded) -> Option<v1::Act> {
    let event = recorded.event().ok()?;
    let deeds = deeds(&event)?;
    Some(v1::Act {
        revision: i64::try_from(recorded.revision).unwrap_or(i64::MAX),
        time: event.record_time,
        actor: event.actor,
        conversation_id: event.conversation,
        channel: event.channel,
        deeds,
        causation_id: event.causation_id,
        correlation_id: event.correlation_id,
        trace_id: recorded.trace.as_ref().map(TraceParent::trace_id).unwrap_or_default().to_owned(),
    })
}

fn deeds(event: &v1::Event) -> Option<Vec<v1::Deed>> {
    let outbound = v1::Direction::Outbound;
    match event.event.as_ref()? {
        Event::Decided(decided) => Some(decision(decided)),
        Event::MessageEchoed(echo) => Some(vec![v1::Deed {
            message_id: event.id.clone(),
            message_type: echo.r#type.clone(),
            ..deed(Kind::MessageSent)
        }]),
        Event::ReactionChanged(reaction) if reaction.direction() == outbound && !reaction.backfilled => {
            Some(vec![deed(Kind::Reacted)])
        }
        Event::MessageEdited(edit) if edit.direction() == outbound => Some(vec![deed(Kind::MessageEdited)]),
        Event::MessageRevoked(revoked) if revoked.direction() == outbound => Some(vec![deed(Kind::MessageRevoked)]),
        Event::ContactErased(_) => Some(vec![deed(Kind::ContactErased)]),
        Event::ReactionChanged(_) | Event::MessageEdited(_) | Event::MessageRevoked(_) => None,
        Event::MessageReceived(_)
        | Event::MessageBackfilled(_)
        | Event::MessageStatusChanged(_)
        | Event::ContactChanged(_)
        | Event::MessagesRead(_) => None,
    }
}

fn decision(decided: &v1::Decided) -> Vec<v1::Deed> {
    let tag = |kind| move |tag: &String| v1::Deed { tag: tag.clone(), ..deed(kind) };
    let bot = match decided.bot_change() {
        BotChange::Unspecified => None,
        BotChange::Paused => Some(deed(Kind::BotPaused)),
        BotChange::Resumed => Some(deed(Kind::BotResumed)),
    };
    let entries = decided.entries.iter().filter_map(|entry| entry.entry.as_ref()).filter_map(entry);
    let tags = decided.tags_added.iter().map(tag(Kind::TagAdded));
    entries.chain(tags).chain(decided.tags_removed.iter().map(tag(Kind::TagRemoved))).chain(bot).collect()
}

fn entry(entry: &Entry) -> Option<v1::Deed> {
    match entry {
        Entry::Stamp(stamp) => stamp.kind.as_ref().map(stamped),
        Entry::Message(message) => Some(v1::Deed {
            message_id: message.id.clone(),
            message_type: message.r#type.clone(),
            ..deed(Kind::MessageSent)
        }),
        Entry::Note(note) => Some(v1::Deed { message_id: note.id.clone(), ..deed(Kind::NoteAdded) }),
    }
}

fn stamped(stamp: &Stamp) -> v1::Deed {
    match stamp {
        Stamp::Opened(opened) => v1::Deed {
            ticket_id: opened.ticket_id.clone(),
            primary_id: opened.primary_id.clone(),
            topic: opened.topic.clone(),
            ..deed(Kind::TicketOpened)
        },
        Stamp::Closed(closed) => v1::Deed { ticket_id: closed.ticket_id.clone(), ..deed(Kind::TicketClosed) },
        Stamp::Assigned(assigned) => v1::Deed { assignee: assigned.assignee.clone(), ..deed(Kind::Assigned) },
        Stamp::Unassigned(_) => deed(Kind::Unassigned),
    }
}

fn deed(kind: Kind) -> v1::Deed {
    v1::Deed { kind: kind.into(), ..v1::Deed::default() }
}
