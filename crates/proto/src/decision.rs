use bytes::Bytes;
use conversation::{BotChange, ClosedTicket, Decision, Entry, MessageId, Stamp, StampKind, State, TicketId};

use crate::state::{ticket_id, window_from, window_to};
use crate::{actor_from, actor_to, assignee_from, assignee_to, state_to, time, timestamp, v1};

/// A decision as the log holds it.
pub fn decision_to(decision: &Decision) -> v1::Decided {
    v1::Decided {
        entries: decision.entries.iter().map(entry_to).collect(),
        tags_added: decision.tags_added.clone(),
        tags_removed: decision.tags_removed.clone(),
        bot_change: match decision.bot_change {
            None => v1::decided::BotChange::Unspecified.into(),
            Some(BotChange::Paused) => v1::decided::BotChange::Paused.into(),
            Some(BotChange::Resumed) => v1::decided::BotChange::Resumed.into(),
        },
        closed: decision.closed.iter().map(closed_to).collect(),
        after: Some(state_to(&decision.after)),
    }
}

/// A decision from the log, with the state that it left; `None` when who decided or when is missing.
pub fn decision_from(event: &v1::Event, decided: &v1::Decided, after: State) -> Option<Decision> {
    Some(Decision {
        actor: event.actor.as_ref().and_then(actor_from)?,
        time: event.record_time.as_ref().and_then(time)?,
        entries: decided.entries.iter().filter_map(entry_from).collect(),
        tags_added: decided.tags_added.clone(),
        tags_removed: decided.tags_removed.clone(),
        bot_change: match decided.bot_change() {
            v1::decided::BotChange::Unspecified => None,
            v1::decided::BotChange::Paused => Some(BotChange::Paused),
            v1::decided::BotChange::Resumed => Some(BotChange::Resumed),
        },
        closed: decided.closed.iter().filter_map(closed_from).collect(),
        after,
    })
}

/// An entry from the log; `None` when it is of no kind that is known, or says too little.
pub fn entry_from(entry: &v1::DecidedEntry) -> Option<Entry> {
    use v1::decided_entry::Entry as Wire;
    match entry.entry.as_ref()? {
        Wire::Stamp(stamp) => stamp_from(stamp).map(Entry::Stamp),
        Wire::Message(message) => Some(Entry::Message {
            id: MessageId::new(message.id.clone()),
            kind: message.r#type.clone(),
            sealed: message.sealed.to_vec(),
        }),
        Wire::Note(note) => Some(Entry::Note { id: MessageId::new(note.id.clone()), sealed: note.sealed.to_vec() }),
    }
}

fn entry_to(entry: &Entry) -> v1::DecidedEntry {
    use v1::decided_entry::Entry as Wire;
    let entry = match entry {
        Entry::Stamp(stamp) => Wire::Stamp(stamp_to(stamp)),
        Entry::Message { id, kind, sealed } => Wire::Message(v1::DecidedMessage {
            id: id.as_str().to_owned(),
            r#type: kind.clone(),
            sealed: Bytes::copy_from_slice(sealed),
        }),
        Entry::Note { id, sealed } => {
            Wire::Note(v1::DecidedNote { id: id.as_str().to_owned(), sealed: Bytes::copy_from_slice(sealed) })
        }
    };
    v1::DecidedEntry { entry: Some(entry) }
}

fn stamp_to(stamp: &Stamp) -> v1::Stamp {
    use v1::stamp::Kind;
    let kind = match &stamp.kind {
        StampKind::Opened { ticket, primary, topic } => Kind::Opened(v1::TicketOpened {
            ticket_id: ticket.as_str().to_owned(),
            primary_id: primary.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            topic: topic.clone(),
        }),
        StampKind::Closed { ticket } => Kind::Closed(v1::TicketClosed { ticket_id: ticket.as_str().to_owned() }),
        StampKind::Assigned { assignee } => {
            Kind::Assigned(v1::ConversationAssigned { assignee: Some(assignee_to(assignee)) })
        }
        StampKind::Unassigned => Kind::Unassigned(v1::ConversationUnassigned {}),
    };
    v1::Stamp {
        actor: Some(actor_to(&stamp.actor)),
        time: Some(timestamp(stamp.time)),
        text: stamp.text(),
        kind: Some(kind),
    }
}

fn stamp_from(stamp: &v1::Stamp) -> Option<Stamp> {
    use v1::stamp::Kind;
    let kind = match stamp.kind.as_ref()? {
        Kind::Opened(opened) => StampKind::Opened {
            ticket: TicketId::new(opened.ticket_id.clone()),
            primary: ticket_id(&opened.primary_id),
            topic: opened.topic.clone(),
        },
        Kind::Closed(closed) => StampKind::Closed { ticket: TicketId::new(closed.ticket_id.clone()) },
        Kind::Assigned(assigned) => {
            StampKind::Assigned { assignee: assigned.assignee.as_ref().and_then(assignee_from)? }
        }
        Kind::Unassigned(_) => StampKind::Unassigned,
    };
    Some(Stamp { actor: stamp.actor.as_ref().and_then(actor_from)?, time: stamp.time.as_ref().and_then(time)?, kind })
}

fn closed_to(closed: &ClosedTicket) -> v1::ClosedWindow {
    v1::ClosedWindow { window: Some(window_to(&closed.ticket)), assignee: closed.assignee.as_ref().map(assignee_to) }
}

fn closed_from(closed: &v1::ClosedWindow) -> Option<ClosedTicket> {
    Some(ClosedTicket {
        ticket: closed.window.as_ref().and_then(window_from)?,
        assignee: closed.assignee.as_ref().and_then(assignee_from),
    })
}
