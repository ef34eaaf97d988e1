//! Events in the words of the oracle.

use conversation::{Actor, ActorKind, Assignee, Entry, StampKind, Time};
use oracle::{Decided, Event, Kind, Log, Mark, Stamp, What};
use proto::v1;
use proto::v1::event::Event as Wire;

pub(super) fn translate(events: &[(u64, v1::Event)]) -> Log {
    let mut log = Log::new();
    for (revision, event) in events {
        let time = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(proto::time).unwrap().0;
        log.push(Event {
            revision: *revision,
            id: event.id.clone(),
            conversation: event.conversation.clone(),
            actor: actor(&proto::actor_from(event.actor.as_ref().unwrap()).unwrap()),
            occur_time: time(&event.occur_time),
            record_time: time(&event.record_time),
            what: what(event.event.as_ref().unwrap()),
        });
    }
    log
}

fn what(event: &Wire) -> What {
    match event {
        Wire::MessageReceived(_) => What::Received,
        Wire::MessageEchoed(_) => What::Echoed,
        Wire::MessageBackfilled(message) => What::BackFilled { inbound: message.direction() == v1::Direction::Inbound },
        Wire::MessageStatusChanged(status) => {
            What::Status { reference: status.message_ref.clone(), message: status.message_id.clone() }
        }
        Wire::ReactionChanged(change) => {
            What::Changed { target: change.target_ref.clone(), backfilled: change.backfilled }
        }
        Wire::MessageEdited(change) => What::Changed { target: change.target_ref.clone(), backfilled: false },
        Wire::MessageRevoked(change) => What::Changed { target: change.target_ref.clone(), backfilled: false },
        Wire::ContactChanged(contact) if contact.r#type.is_empty() => What::Silent,
        Wire::ContactChanged(_) => What::ContactChanged,
        Wire::MessagesRead(_) | Wire::ContactErased(_) => What::Silent,
        Wire::Decided(decided) => What::Decided(Decided {
            entries: decided.entries.iter().map(|entry| self::entry(&proto::entry_from(entry).unwrap())).collect(),
            tags_added: decided.tags_added.clone(),
            tags_removed: decided.tags_removed.clone(),
            bot_paused: match decided.bot_change() {
                v1::decided::BotChange::Unspecified => None,
                change => Some(change == v1::decided::BotChange::Paused),
            },
        }),
    }
}

fn entry(entry: &Entry) -> oracle::Entry {
    match entry {
        Entry::Stamp(given) => oracle::Entry::Stamp(stamp(given)),
        Entry::Message { id, .. } => oracle::Entry::Message(id.as_str().to_owned()),
        Entry::Note { id, .. } => oracle::Entry::Note(id.as_str().to_owned()),
    }
}

fn stamp(stamp: &conversation::Stamp) -> Stamp {
    let Time(time) = stamp.time;
    let mark = match &stamp.kind {
        StampKind::Opened { ticket, primary, topic } => Mark::Opened {
            ticket: ticket.as_str().to_owned(),
            primary: primary.as_ref().map(|id| id.as_str().to_owned()),
            topic: topic.clone(),
        },
        StampKind::Closed { ticket } => Mark::Closed { ticket: ticket.as_str().to_owned() },
        StampKind::Assigned { assignee: to } => Mark::Assigned(assignee(to)),
        StampKind::Unassigned => Mark::Unassigned,
    };
    Stamp { actor: actor(&stamp.actor), time, mark }
}

pub(super) fn actor(actor: &Actor) -> oracle::Actor {
    let kind = match actor.kind {
        ActorKind::Customer => Kind::Customer,
        ActorKind::Bot => Kind::Bot,
        ActorKind::Automation => Kind::Automation,
        ActorKind::Agent => Kind::Agent,
        ActorKind::System => Kind::System,
    };
    oracle::Actor { kind, id: actor.id.clone(), name: actor.display_name.clone() }
}

fn assignee(assignee: &Assignee) -> oracle::Assignee {
    oracle::Assignee::new(assignee.agent().unwrap_or_default(), assignee.team().unwrap_or_default())
}

pub(super) fn wire_actor(given: &v1::Actor) -> oracle::Actor {
    actor(&proto::actor_from(given).unwrap())
}

pub(super) fn wire_assignee(assignee: &v1::Assignee) -> oracle::Assignee {
    oracle::Assignee::new(&assignee.agent_id, &assignee.team_id)
}
