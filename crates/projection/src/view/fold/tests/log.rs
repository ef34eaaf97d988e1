//! Events as they would stand on the stream.

use std::collections::BTreeMap;

use bytes::Bytes;
use conversation::{
    Action, Actor, ActorKind, Assignee, Command, CommandKey, ConversationId, IfOpen, Revision, Settings, State, Time,
    Verdict, Which, decide,
};
use proto::v1;
use proto::v1::event::Event as Kind;

pub(super) const WORKSPACE: &str = "acme";
pub(super) const SECOND: i64 = 1_000_000_000;

/// What stands on the stream, from revision 1.
pub(super) struct Log {
    pub(super) events: Vec<(Revision, v1::Event)>,
    pub(super) states: BTreeMap<String, State>,
    /// The clock of whoever records next.
    pub(super) now: Time,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { events: Vec::new(), states: BTreeMap::new(), now: Time(0) }
    }

    /// Sets the clock, in seconds.
    pub(super) fn at(&mut self, seconds: i64) -> &mut Self {
        self.now = Time(seconds * SECOND);
        self
    }

    pub(super) fn revision(&self) -> Revision {
        self.events.last().map_or(0, |(revision, _)| *revision)
    }

    pub(super) fn append(&mut self, event: v1::Event) -> Revision {
        let revision = self.revision() + 1;
        self.events.push((revision, event));
        revision
    }

    /// A fact that happened at `occur`.
    pub(super) fn fact(&mut self, chat: &str, id: &str, actor: ActorKind, occur: Time, kind: Kind) -> Revision {
        self.append(v1::Event {
            id: id.to_owned(),
            workspace: WORKSPACE.to_owned(),
            conversation: chat.to_owned(),
            actor: Some(proto::actor_to(&Actor::new(actor, ""))),
            occur_time: Some(proto::timestamp(occur)),
            record_time: Some(proto::timestamp(self.now)),
            channel: "web:shop".to_owned(),
            event: Some(kind),
            ..v1::Event::default()
        })
    }

    pub(super) fn received(&mut self, chat: &str, id: &str) -> Revision {
        self.received_at(chat, id, self.now)
    }

    pub(super) fn received_at(&mut self, chat: &str, id: &str, occur: Time) -> Revision {
        let message = v1::MessageReceived { r#type: "text".to_owned(), sealed: sealed(id), names_contact: true };
        self.fact(chat, id, ActorKind::Customer, occur, Kind::MessageReceived(message))
    }

    pub(super) fn echoed(&mut self, chat: &str, id: &str) -> Revision {
        let message = v1::MessageEchoed { r#type: "text".to_owned(), sealed: sealed(id) };
        self.fact(chat, id, ActorKind::Agent, self.now, Kind::MessageEchoed(message))
    }

    pub(super) fn status(
        &mut self,
        chat: &str,
        id: &str,
        (reference, message): (&str, &str),
        status: v1::MessageStatus,
    ) -> Revision {
        let report = v1::MessageStatusChanged {
            message_ref: reference.to_owned(),
            message_id: message.to_owned(),
            status: status.into(),
            sealed: sealed(id),
            error_codes: Vec::new(),
        };
        self.fact(chat, id, ActorKind::System, self.now, Kind::MessageStatusChanged(report))
    }

    pub(super) fn read(&mut self, chat: &str, id: &str, through: Revision) -> Revision {
        let read = v1::MessagesRead { through_revision: through as i64 };
        self.fact(chat, id, ActorKind::Agent, self.now, Kind::MessagesRead(read))
    }

    /// What a command comes to, if it is not refused and changes anything.
    pub(super) fn decide(&mut self, chat: &str, actor: Actor, actions: Vec<Action>) -> Option<Revision> {
        let id = ConversationId::parse(chat).unwrap();
        let state = self.states.entry(chat.to_owned()).or_insert_with(|| State::new(id));
        let key = CommandKey { command: self.events.len() as u64 + 1, digest: 0, causation: 0 };
        let command = Command { actor: actor.clone(), actions, key, expected_revision: None };
        let Ok(Verdict::Append(decision)) = decide(state, &command, &Settings::default(), self.now) else {
            return None;
        };
        let revision = self.events.last().map_or(0, |(revision, _)| *revision) + 1;
        *state = decision.after.clone().recorded_at(revision);
        Some(self.append(v1::Event {
            id: format!("d{revision}"),
            workspace: WORKSPACE.to_owned(),
            conversation: chat.to_owned(),
            actor: Some(proto::actor_to(&actor)),
            occur_time: Some(proto::timestamp(decision.time)),
            record_time: Some(proto::timestamp(decision.time)),
            channel: "web:shop".to_owned(),
            event: Some(Kind::Decided(proto::decision_to(&decision))),
            ..v1::Event::default()
        }))
    }
}

/// Stands for what is sealed: nothing here ever opens it.
pub(super) fn sealed(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(super) fn agent(id: &str) -> Actor {
    Actor { display_name: id.to_uppercase(), ..Actor::new(ActorKind::Agent, id) }
}

pub(super) fn bot() -> Actor {
    Actor::new(ActorKind::Bot, "bot")
}

pub(super) fn open(topic: &str) -> Action {
    Action::OpenTicket { topic: topic.to_owned(), assignee: None, if_open: IfOpen::Nest }
}

pub(super) fn close() -> Action {
    Action::CloseTicket(Which::Last)
}

pub(super) fn assign(id: &str) -> Action {
    Action::Assign(Assignee::Agent(id.to_owned()))
}

pub(super) fn say(text: &str) -> Action {
    Action::SendMessage { kind: "text".to_owned(), sealed: text.as_bytes().to_vec() }
}
