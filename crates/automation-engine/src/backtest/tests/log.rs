//! A log as the services would have written it: decisions are made by the rules of the window.

use std::collections::HashMap;

use conversation::{
    Action as Deed, Actor, ActorKind, Command, CommandKey, ConversationId, IfOpen, Settings, State, Time, Verdict,
    Which,
};
use prost::Message;
use proto::v1;
use proto::v1::event::Event as Kind;

use super::super::draft::Words;
use super::super::sim::Item;

/// Words are not sealed at all here.
pub(super) struct Plain;

impl Words for Plain {
    fn open(&self, _: &str, sealed: &[u8]) -> Option<v1::SealedMessage> {
        v1::SealedMessage::decode(sealed).ok()
    }
}

/// Events in order.
#[derive(Default)]
pub(super) struct Log {
    events: Vec<v1::Event>,
    states: HashMap<String, State>,
    seconds: i64,
}

impl Log {
    pub(super) fn items(&self) -> impl Iterator<Item = Item> {
        let item = |(nth, event): (usize, &v1::Event)| Item {
            revision: nth as u64 + 1,
            event: v1::Event { workspace: String::new(), ..event.clone() },
            words: None,
        };
        self.events.iter().enumerate().map(item)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// What follows happens at this time, in seconds.
    pub(super) fn at(&mut self, seconds: i64) -> &mut Log {
        assert!(seconds >= self.seconds, "a log goes on");
        self.seconds = seconds;
        self
    }

    /// The customer writes.
    pub(super) fn customer(&mut self, conversation: &str, text: &str) -> &mut Log {
        let message = v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..v1::Message::default() };
        let contact = v1::Contact {
            id: format!("number of {conversation}"),
            display_name: "Ada".to_owned(),
            ..v1::Contact::default()
        };
        let sealed = v1::SealedMessage { contact: Some(contact), message: Some(message) }.encode_to_vec().into();
        let received = v1::MessageReceived { r#type: "text".to_owned(), sealed, names_contact: true };
        self.push(conversation, ActorKind::Customer, "", Kind::MessageReceived(received));
        self
    }

    /// The last event is on the log once more.
    pub(super) fn again(&mut self) -> &mut Log {
        let last = self.events.last().unwrap().clone();
        self.events.push(last);
        self
    }

    /// The channel could not deliver a message.
    pub(super) fn failed(&mut self, conversation: &str, message: &str) -> &mut Log {
        let failed = v1::MessageStatusChanged {
            message_id: message.to_owned(),
            status: v1::MessageStatus::Failed.into(),
            error_codes: vec![131_047],
            ..Default::default()
        };
        self.push(conversation, ActorKind::System, "", Kind::MessageStatusChanged(failed));
        self
    }

    pub(super) fn agent(&mut self, conversation: &str, agent: &str, deeds: Vec<Deed>) -> &mut Log {
        self.decide(conversation, &Actor::new(ActorKind::Agent, agent), deeds)
    }

    pub(super) fn bot(&mut self, conversation: &str, deeds: Vec<Deed>) -> &mut Log {
        self.decide(conversation, &Actor::new(ActorKind::Bot, "bot"), deeds)
    }

    pub(super) fn rule(&mut self, conversation: &str, rule: &str, deeds: Vec<Deed>) -> &mut Log {
        self.decide(conversation, &Actor::new(ActorKind::Automation, rule), deeds)
    }

    fn decide(&mut self, conversation: &str, by: &Actor, actions: Vec<Deed>) -> &mut Log {
        let place = self.events.len() as u64 + 1;
        let command = Command {
            actor: by.clone(),
            actions,
            key: CommandKey { command: place, digest: 0, causation: 0 },
            expected_revision: None,
        };
        let id = ConversationId::parse(conversation).unwrap();
        let state = self.states.entry(conversation.to_owned()).or_insert_with(|| State::new(id));
        let now = Time::from_seconds(self.seconds);
        let decided = conversation::decide(state, &command, &Settings::default(), now).unwrap();
        let Verdict::Append(decision) = decided else { panic!("nothing was decided: {decided:?}") };
        *state = decision.after.clone().recorded_at(place);
        let kind = Kind::Decided(proto::decision_to(&decision));
        self.push(conversation, by.kind, &by.id, kind);
        self
    }

    fn push(&mut self, conversation: &str, kind: ActorKind, id: &str, event: Kind) {
        let time = Some(proto::timestamp(Time::from_seconds(self.seconds)));
        self.events.push(v1::Event {
            id: format!("e{}", self.events.len() + 1),
            workspace: "acme".to_owned(),
            conversation: conversation.to_owned(),
            actor: Some(proto::actor_to(&Actor::new(kind, id))),
            occur_time: time,
            record_time: time,
            channel: "web:1".to_owned(),
            event: Some(event),
            ..v1::Event::default()
        });
    }
}

pub(super) fn open(topic: &str) -> Deed {
    Deed::OpenTicket { topic: topic.to_owned(), assignee: None, if_open: IfOpen::Nest }
}

pub(super) fn close() -> Deed {
    Deed::CloseTicket(Which::Last)
}

pub(super) fn say(text: &str) -> Deed {
    let message = v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..v1::Message::default() };
    let sealed = v1::SealedMessage { contact: None, message: Some(message) }.encode_to_vec();
    Deed::SendMessage { kind: "text".to_owned(), sealed }
}
