//! What stands on EVENTS, in the words of the oracle. Goes by the wire alone: no conversion of the system's own.

use oracle::{Actor, Assignee, Decided, Entry, Event, Kind, Log, Mark, Nanos, Stamp, What};
use proto::v1;
use proto::v1::decided::BotChange;
use proto::v1::event::Event as Wire;

/// The log of one workspace.
pub(crate) fn log<'a>(events: impl IntoIterator<Item = &'a (u64, v1::Event)>) -> Log {
    let mut log = Log::new();
    for (revision, event) in events {
        log.push(Event {
            revision: *revision,
            id: event.id.clone(),
            conversation: event.conversation.clone(),
            actor: actor(event.actor.as_ref().expect("an actor")),
            occur_time: nanos(event.occur_time.as_ref()),
            record_time: nanos(event.record_time.as_ref()),
            what: what(event.event.as_ref().expect("something that happened")),
        });
    }
    log
}

fn what(event: &Wire) -> What {
    let changed = |target: &str, backfilled| What::Changed { target: target.to_owned(), backfilled };
    match event {
        Wire::MessageReceived(_) => What::Received,
        Wire::MessageEchoed(_) => What::Echoed,
        Wire::MessageBackfilled(message) => What::BackFilled { inbound: message.direction() == v1::Direction::Inbound },
        Wire::MessageStatusChanged(status) => {
            What::Status { reference: status.message_ref.clone(), message: status.message_id.clone() }
        }
        Wire::ReactionChanged(change) => changed(&change.target_ref, change.backfilled),
        Wire::MessageEdited(change) => changed(&change.target_ref, false),
        Wire::MessageRevoked(change) => changed(&change.target_ref, false),
        Wire::ContactChanged(contact) if !contact.r#type.is_empty() => What::ContactChanged,
        Wire::ContactChanged(_) | Wire::MessagesRead(_) | Wire::ContactErased(_) => What::Silent,
        Wire::Decided(decided) => What::Decided(self::decided(decided)),
    }
}

/// What a decision did, by its entries alone: never by the state that it carries.
pub(crate) fn decided(decided: &v1::Decided) -> Decided {
    Decided {
        entries: decided.entries.iter().map(entry).collect(),
        tags_added: decided.tags_added.clone(),
        tags_removed: decided.tags_removed.clone(),
        bot_paused: match decided.bot_change() {
            BotChange::Unspecified => None,
            BotChange::Paused => Some(true),
            BotChange::Resumed => Some(false),
        },
    }
}

fn entry(entry: &v1::DecidedEntry) -> Entry {
    use v1::decided_entry::Entry as Wire;
    match entry.entry.as_ref().expect("an entry") {
        Wire::Message(message) => Entry::Message(message.id.clone()),
        Wire::Note(note) => Entry::Note(note.id.clone()),
        Wire::Stamp(given) => Entry::Stamp(stamp(given)),
    }
}

/// A stamp, of the log or of an answer.
pub(crate) fn stamp(stamp: &v1::Stamp) -> Stamp {
    use v1::stamp::Kind;
    let mark = match stamp.kind.as_ref().expect("a kind of stamp") {
        Kind::Opened(opened) => Mark::Opened {
            ticket: opened.ticket_id.clone(),
            primary: some(&opened.primary_id),
            topic: opened.topic.clone(),
        },
        Kind::Closed(closed) => Mark::Closed { ticket: closed.ticket_id.clone() },
        Kind::Assigned(assigned) => Mark::Assigned(assignee(assigned.assignee.as_ref().expect("an assignee"))),
        Kind::Unassigned(_) => Mark::Unassigned,
    };
    Stamp { actor: actor(stamp.actor.as_ref().expect("an actor")), time: nanos(stamp.time.as_ref()), mark }
}

pub(crate) fn actor(actor: &v1::Actor) -> Actor {
    let kind = match actor.kind() {
        v1::actor::Kind::Unspecified => panic!("an actor of no kind: {actor:?}"),
        v1::actor::Kind::Customer => Kind::Customer,
        v1::actor::Kind::Bot => Kind::Bot,
        v1::actor::Kind::Automation => Kind::Automation,
        v1::actor::Kind::Agent => Kind::Agent,
        v1::actor::Kind::System => Kind::System,
    };
    Actor { kind, id: actor.id.clone(), name: actor.display_name.clone() }
}

pub(crate) fn to_actor(actor: &Actor) -> v1::Actor {
    let kind = match actor.kind {
        Kind::Customer => v1::actor::Kind::Customer,
        Kind::Bot => v1::actor::Kind::Bot,
        Kind::Automation => v1::actor::Kind::Automation,
        Kind::Agent => v1::actor::Kind::Agent,
        Kind::System => v1::actor::Kind::System,
    };
    v1::Actor { kind: kind.into(), id: actor.id.clone(), display_name: actor.name.clone() }
}

pub(crate) fn assignee(assignee: &v1::Assignee) -> Assignee {
    Assignee::new(&assignee.agent_id, &assignee.team_id)
}

pub(crate) fn to_assignee(assignee: &Assignee) -> v1::Assignee {
    v1::Assignee { agent_id: assignee.agent.clone(), team_id: assignee.team.clone() }
}

/// Nothing where the wire has an empty text.
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// An instant that has to be there.
#[track_caller]
pub(crate) fn nanos(time: Option<&prost_types::Timestamp>) -> Nanos {
    let time = time.expect("a time");
    time.seconds * 1_000_000_000 + i64::from(time.nanos)
}

pub(crate) fn to_time(nanos: Nanos) -> prost_types::Timestamp {
    let (seconds, nanos) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    prost_types::Timestamp { seconds, nanos: i32::try_from(nanos).unwrap() }
}

/// A length of time.
pub(crate) fn length(duration: &prost_types::Duration) -> Nanos {
    duration.seconds * 1_000_000_000 + i64::from(duration.nanos)
}
