//! What an event means to rules. Pure: the same for what happens now and for what happened long ago.

use bytes::Bytes;
use conversation::{ConversationId, Revision, Time};
use proto::v1;
use proto::v1::event::Event as Kind;

use crate::condition::{ActorFields, AssigneeFields, EventFields, TicketFields};

/// One thing that rules may react to. An event of the log may be several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Happening {
    /// The trigger, for example "message.received".
    pub(crate) trigger: String,
    pub(crate) workspace: String,
    /// `None` where it concerns none.
    pub(crate) conversation: Option<ConversationId>,
    /// The address of the business; empty where it is not known.
    pub(crate) channel: String,
    /// The id of the event; of timers, of the event that armed them.
    pub(crate) event_id: String,
    /// Where the event stands in EVENTS; 0 for events that stand elsewhere.
    pub(crate) revision: Revision,
    /// Where an event of another system stands in EXTERNAL; 0 for others.
    pub(crate) outside_place: Revision,
    /// What stands in a run's id after the event: of timers, when they are due, in Unix milliseconds.
    pub(crate) due_ms: Option<i64>,
    pub(crate) correlation_id: String,
    pub(crate) depth: u32,
    /// When it was recorded.
    pub(crate) time: Time,
    pub(crate) occur_time: Option<Time>,
    pub(crate) actor: ActorFields,
    pub(crate) message: Option<Said>,
    /// The ticket that it concerns; empty for none.
    pub(crate) ticket: String,
    /// The ticket as the event tells of it: of ticket.opened and ticket.closed.
    pub(crate) ticket_told: Option<TicketFields>,
    pub(crate) tag: String,
    pub(crate) agent: String,
    pub(crate) assignee: AssigneeFields,
    pub(crate) error_codes: Vec<i64>,
    /// Of external events: the name.
    pub(crate) name: String,
    /// Of external events: the JSON.
    pub(crate) data: Option<serde_json::Value>,
    /// Whether it may be the first message of the customer ever: only the log knows.
    pub(crate) if_first: bool,
}

/// A message as the log holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) inbound: bool,
    /// `SealedMessage`.
    pub(crate) sealed: Bytes,
}

impl Happening {
    /// What conditions and texts see of it.
    pub(crate) fn fields(&self) -> EventFields {
        EventFields {
            id: self.event_id.clone(),
            kind: self.trigger.clone(),
            time: self.time,
            occur_time: self.occur_time,
            actor: self.actor.clone(),
            depth: i64::from(self.depth),
            tag: self.tag.clone(),
            agent: self.agent.clone(),
            assignee: self.assignee.clone(),
            error_codes: self.error_codes.clone(),
            name: self.name.clone(),
            data: self.data.clone(),
        }
    }
}

impl Happening {
    /// What an event means, with what all that it means has in common.
    fn on(self, base: Happening) -> Happening {
        let Happening { trigger, message, ticket, ticket_told, tag, assignee, error_codes, if_first, .. } = self;
        Happening { trigger, message, ticket, ticket_told, tag, assignee, error_codes, if_first, ..base }
    }
}

/// What an event of the log means, in the order of its entries. Back-filled messages mean nothing.
/// `may_be_first`: whether a message of the customer may be the first ever.
pub(crate) fn of_event(event: &v1::Event, revision: Revision, may_be_first: bool) -> Vec<Happening> {
    let parts = event.event.as_ref().map(|kind| parts(event, kind, may_be_first)).unwrap_or_default();
    if parts.is_empty() {
        return parts;
    }
    let bases = std::iter::repeat_n(base(event, revision), parts.len());
    parts.into_iter().zip(bases).map(|(part, base)| part.on(base)).collect()
}

/// Each thing that an event means, without what all of them have in common.
fn parts(event: &v1::Event, kind: &Kind, may_be_first: bool) -> Vec<Happening> {
    match kind {
        Kind::MessageReceived(received) => {
            let message = Said {
                id: event.id.clone(),
                kind: received.r#type.clone(),
                inbound: true,
                sealed: received.sealed.clone(),
            };
            let received = Happening { message: Some(message), ..of("message.received") };
            let started = may_be_first.then(|| Happening {
                trigger: "conversation.started".to_owned(),
                if_first: true,
                ..received.clone()
            });
            [received].into_iter().chain(started).collect()
        }
        Kind::MessageStatusChanged(status) if status.status() == v1::MessageStatus::Failed => {
            let id = if status.message_id.is_empty() { &status.message_ref } else { &status.message_id };
            let message = Said { id: id.clone(), ..Said::default() };
            let error_codes = status.error_codes.iter().map(|code| i64::from(*code)).collect();
            vec![Happening { message: Some(message), error_codes, ..of("message.failed") }]
        }
        Kind::ContactChanged(_) => vec![of("contact.changed")],
        Kind::Decided(decided) => of_decision(decided),
        _ => Vec::new(),
    }
}

fn of_decision(decided: &v1::Decided) -> Vec<Happening> {
    let entries = decided.entries.iter().filter_map(|entry| entry.entry.as_ref());
    let mut all: Vec<Happening> = entries.filter_map(|entry| of_entry(entry, decided)).collect();
    for (trigger, tags) in [("tag.added", &decided.tags_added), ("tag.removed", &decided.tags_removed)] {
        all.extend(tags.iter().map(|tag| Happening { tag: tag.clone(), ..of(trigger) }));
    }
    all
}

fn of(trigger: &str) -> Happening {
    Happening { trigger: trigger.to_owned(), ..Happening::default() }
}

fn of_entry(entry: &v1::decided_entry::Entry, decided: &v1::Decided) -> Option<Happening> {
    use v1::decided_entry::Entry;
    use v1::stamp::Kind as Stamp;
    let stamp = match entry {
        Entry::Message(message) => {
            let said = Said {
                id: message.id.clone(),
                kind: message.r#type.clone(),
                inbound: false,
                sealed: message.sealed.clone(),
            };
            return Some(Happening { message: Some(said), ..of("message.sent") });
        }
        Entry::Note(_) => return None,
        Entry::Stamp(stamp) => stamp,
    };
    Some(match stamp.kind.as_ref()? {
        Stamp::Opened(opened) => {
            let told = TicketFields {
                id: opened.ticket_id.clone(),
                primary_id: opened.primary_id.clone(),
                topic: opened.topic.clone(),
                opened_by: actor(stamp.actor.as_ref()),
                open_time: stamp.time.as_ref().and_then(proto::time).unwrap_or_default(),
                ..TicketFields::default()
            };
            Happening { ticket: opened.ticket_id.clone(), ticket_told: Some(told), ..of("ticket.opened") }
        }
        Stamp::Closed(closed) => {
            let told = closed_ticket(&closed.ticket_id, stamp, decided);
            Happening { ticket: closed.ticket_id.clone(), ticket_told: Some(told), ..of("ticket.closed") }
        }
        Stamp::Assigned(assigned) => {
            Happening { assignee: assignee(assigned.assignee.as_ref()), ..of("conversation.assigned") }
        }
        Stamp::Unassigned(_) => of("conversation.unassigned"),
    })
}

/// A ticket at the moment of its closing.
fn closed_ticket(id: &str, stamp: &v1::Stamp, decided: &v1::Decided) -> TicketFields {
    let window = decided.closed.iter().find(|closed| closed.window.as_ref().is_some_and(|open| open.ticket_id == id));
    let held_by = assignee(window.and_then(|closed| closed.assignee.as_ref()));
    let open = window.and_then(|closed| closed.window.clone()).unwrap_or_default();
    TicketFields {
        id: id.to_owned(),
        primary_id: open.primary_id,
        topic: open.topic,
        opened_by: actor(open.opened_by.as_ref()),
        open_time: open.open_time.as_ref().and_then(proto::time).unwrap_or_default(),
        closed_by: Some(actor(stamp.actor.as_ref())),
        close_time: stamp.time.as_ref().and_then(proto::time),
        assignee: held_by,
        metrics: None,
    }
}

/// What all that one event means has in common.
fn base(event: &v1::Event, revision: Revision) -> Happening {
    let time = |time: Option<&prost_types::Timestamp>| time.and_then(proto::time);
    let correlation_id = if event.correlation_id.is_empty() { &event.id } else { &event.correlation_id };
    Happening {
        workspace: event.workspace.clone(),
        conversation: ConversationId::parse(&event.conversation),
        channel: event.channel.clone(),
        event_id: event.id.clone(),
        revision,
        correlation_id: correlation_id.clone(),
        depth: event.depth,
        time: time(event.record_time.as_ref()).unwrap_or_default(),
        occur_time: time(event.occur_time.as_ref()),
        actor: actor(event.actor.as_ref()),
        ..Happening::default()
    }
}

/// An actor as conditions see one.
pub(crate) fn actor(actor: Option<&v1::Actor>) -> ActorFields {
    let Some(actor) = actor else { return ActorFields { kind: "system".to_owned(), ..ActorFields::default() } };
    let kind = match actor.kind() {
        v1::actor::Kind::Customer => "customer",
        v1::actor::Kind::Bot => "bot",
        v1::actor::Kind::Automation => "automation",
        v1::actor::Kind::Agent => "agent",
        v1::actor::Kind::System | v1::actor::Kind::Unspecified => "system",
    };
    ActorFields { kind: kind.to_owned(), id: actor.id.clone(), name: actor.display_name.clone() }
}

/// An assignee as conditions see one.
pub(crate) fn assignee(assignee: Option<&v1::Assignee>) -> AssigneeFields {
    let assignee = assignee.cloned().unwrap_or_default();
    AssigneeFields { agent: assignee.agent_id, team: assignee.team_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind) -> v1::Event {
        v1::Event {
            id: "e1".to_owned(),
            workspace: "acme".to_owned(),
            conversation: "c1".to_owned(),
            event: Some(kind),
            ..v1::Event::default()
        }
    }

    fn triggers(kind: Kind) -> Vec<String> {
        of_event(&event(kind), 7, true).into_iter().map(|happening| happening.trigger).collect()
    }

    fn stamp(kind: v1::stamp::Kind) -> v1::DecidedEntry {
        let stamp = v1::Stamp { kind: Some(kind), ..v1::Stamp::default() };
        v1::DecidedEntry { entry: Some(v1::decided_entry::Entry::Stamp(stamp)) }
    }

    #[test]
    fn facts_mean_what_they_say_and_back_fill_means_nothing() {
        assert_eq!(triggers(Kind::MessageReceived(Default::default())), ["message.received", "conversation.started"]);
        assert!(triggers(Kind::MessageBackfilled(Default::default())).is_empty());
        assert!(triggers(Kind::MessagesRead(Default::default())).is_empty());
        let status = |status: v1::MessageStatus| {
            triggers(Kind::MessageStatusChanged(v1::MessageStatusChanged {
                status: status.into(),
                ..Default::default()
            }))
        };
        assert_eq!(status(v1::MessageStatus::Failed), ["message.failed"]);
        assert!(status(v1::MessageStatus::Read).is_empty());
    }

    #[test]
    fn a_decision_means_each_of_its_entries_and_tags() {
        let opened = v1::TicketOpened { ticket_id: "c1-1".to_owned(), ..Default::default() };
        let assigned = v1::ConversationAssigned {
            assignee: Some(v1::Assignee { agent_id: "ann".to_owned(), team_id: "billing".to_owned() }),
        };
        let decided = v1::Decided {
            entries: vec![stamp(v1::stamp::Kind::Opened(opened)), stamp(v1::stamp::Kind::Assigned(assigned))],
            tags_added: vec!["vip".to_owned()],
            ..Default::default()
        };
        let all = of_event(&event(Kind::Decided(decided)), 7, true);
        let triggers: Vec<&str> = all.iter().map(|happening| happening.trigger.as_str()).collect();
        assert_eq!(triggers, ["ticket.opened", "conversation.assigned", "tag.added"]);
        assert_eq!(
            (all[0].ticket.as_str(), all[1].assignee.agent.as_str(), all[2].tag.as_str()),
            ("c1-1", "ann", "vip")
        );
        assert!(all.iter().all(|happening| happening.event_id == "e1" && happening.correlation_id == "e1"));
    }
}
