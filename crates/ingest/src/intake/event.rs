//! From an item to an event: what is personal is sealed, the rest stands in the clear.

use bus::WorkspaceKeys;
use conversation::{ConversationId, TicketId, Time};
use proto::v1;
use proto::v1::event::Event as Kind;

use super::places::Place;
use crate::item::{Chat, Effect, Person, Source, Status};

/// The id of whoever writes from the business's own phone: WhatsApp does not say which human it was.
pub const PHONE_ACTOR: &str = "whatsapp-phone";

/// What every event of one request shares.
pub(crate) struct Frame<'a> {
    pub(crate) workspace: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) keys: &'a WorkspaceKeys,
    pub(crate) now: Time,
}

impl Frame<'_> {
    /// A fact about a conversation; its id starts its own chain.
    pub(crate) fn fact(
        &self,
        id: String,
        place: &ConversationId,
        actor: v1::Actor,
        occur: Time,
        kind: Kind,
    ) -> v1::Event {
        v1::Event {
            correlation_id: id.clone(),
            id,
            workspace: self.workspace.to_owned(),
            conversation: place.as_str().to_owned(),
            actor: Some(actor),
            occur_time: Some(proto::timestamp(occur)),
            record_time: Some(proto::timestamp(self.now)),
            causation_id: String::new(),
            depth: 0,
            channel: self.channel.to_owned(),
            event: Some(kind),
        }
    }

    /// Something in the chat.
    pub(crate) fn chat(&self, chat: &Chat, place: &Place) -> v1::Event {
        let own = &chat.message.channel_message_id;
        let (id, kind) = match &chat.effect {
            Effect::Message => (self.keys.message_ref(self.channel, own), self.message(chat, place)),
            effect => (self.keys.fact_id(&[source_name(effect), self.channel, own]), self.change(chat, place)),
        };
        let actor = match (&chat.effect, chat.direction) {
            (Effect::Contact { .. }, _) => actor(v1::actor::Kind::System),
            (_, v1::Direction::Outbound) => phone_actor(),
            _ => actor(v1::actor::Kind::Customer),
        };
        self.fact(id, &place.conversation, actor, Time::from_seconds(chat.seconds), kind)
    }

    fn message(&self, chat: &Chat, place: &Place) -> Kind {
        let (r#type, sealed) = (chat.message.r#type.clone(), seal(place, chat.person.contact(), &chat.message));
        let names_contact = !chat.person.name.is_empty();
        match chat.source {
            Source::Live => Kind::MessageReceived(v1::MessageReceived { r#type, sealed, names_contact }),
            Source::Echo => Kind::MessageEchoed(v1::MessageEchoed { r#type, sealed }),
            Source::History => {
                let direction = chat.direction.into();
                Kind::MessageBackfilled(v1::MessageBackfilled { direction, r#type, sealed })
            }
        }
    }

    fn change(&self, chat: &Chat, place: &Place) -> Kind {
        let direction = chat.direction.into();
        let sealed = seal(place, chat.person.contact(), &chat.message);
        let target_ref = |target: &str| self.keys.message_ref(self.channel, target);
        match &chat.effect {
            Effect::Message => self.message(chat, place),
            Effect::Reaction { target, removed } => Kind::ReactionChanged(v1::ReactionChanged {
                target_ref: target_ref(target),
                removed: *removed,
                direction,
                sealed,
                backfilled: chat.source == Source::History,
            }),
            Effect::Edit { target } => {
                let r#type = chat.message.r#type.clone();
                Kind::MessageEdited(v1::MessageEdited { target_ref: target_ref(target), r#type, direction, sealed })
            }
            Effect::Revoke { target } => {
                Kind::MessageRevoked(v1::MessageRevoked { target_ref: target_ref(target), direction, sealed })
            }
            Effect::Contact { word, now } => {
                let sealed = seal(place, became(&chat.person, now).contact(), &chat.message);
                self.contact(place, word, !chat.person.name.is_empty(), sealed)
            }
        }
    }

    fn contact(&self, place: &Place, word: &str, names_contact: bool, sealed: prost::bytes::Bytes) -> Kind {
        let continues = place.continues.as_ref().map(|older| older.as_str().to_owned()).unwrap_or_default();
        Kind::ContactChanged(v1::ContactChanged { continues, r#type: word.to_owned(), sealed, names_contact })
    }

    /// That a contact's conversation goes on from another one, which two addresses of one item told us.
    pub(crate) fn link(&self, contact: &v1::Contact, place: &Place, occur: Time) -> Option<v1::Event> {
        let older = place.continues.as_ref()?;
        let id = self.keys.fact_id(&["continues", place.conversation.as_str(), older.as_str()]);
        let sealed = seal(place, contact.clone(), &v1::Message::default());
        let kind = self.contact(place, "continues", !contact.display_name.is_empty(), sealed);
        Some(self.fact(id, &place.conversation, actor(v1::actor::Kind::System), occur, kind))
    }

    /// What became of a message that was sent.
    pub(crate) fn status(&self, status: &Status, place: &Place) -> v1::Event {
        let codes: Vec<i32> = status.report.errors.iter().map(|error| error.code).collect();
        let (seconds, recipient) = (status.seconds.to_string(), status.person.contact().id);
        let word = &status.report.channel_status;
        let id = self.keys.fact_id(&[
            "status",
            self.channel,
            &status.message_id,
            &recipient,
            word,
            &seconds,
            &format!("{codes:?}"),
        ]);
        let sealed =
            v1::SealedStatus { channel_message_id: status.message_id.clone(), report: Some(status.report.clone()) };
        let kind = Kind::MessageStatusChanged(v1::MessageStatusChanged {
            message_ref: self.keys.message_ref(self.channel, &status.message_id),
            message_id: own_message(&status.callback_data, &place.conversation),
            status: status.report.status,
            sealed: place.keyring.seal(&sealed).into(),
            error_codes: codes,
        });
        let (actor, occur) = (actor(v1::actor::Kind::System), Time::from_seconds(status.seconds));
        self.fact(id, &place.conversation, actor, occur, kind)
    }
}

/// An actor who is known by kind alone.
pub(crate) fn actor(kind: v1::actor::Kind) -> v1::Actor {
    v1::Actor { kind: kind.into(), ..v1::Actor::default() }
}

fn phone_actor() -> v1::Actor {
    v1::Actor { kind: v1::actor::Kind::Agent.into(), id: PHONE_ACTOR.to_owned(), display_name: "Phone".to_owned() }
}

fn seal(place: &Place, contact: v1::Contact, message: &v1::Message) -> prost::bytes::Bytes {
    place.keyring.seal(&v1::SealedMessage { contact: Some(contact), message: Some(message.clone()) }).into()
}

/// The name of the source that a fact's id is made from.
fn source_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Message => "message",
        Effect::Reaction { .. } => "reaction",
        Effect::Edit { .. } => "edit",
        Effect::Revoke { .. } => "revoke",
        Effect::Contact { .. } => "contact",
    }
}

/// The contact after a change of address.
fn became(person: &Person, now: &Person) -> Person {
    Person {
        number: now.number.clone().or_else(|| person.number.clone()),
        user_id: now.user_id.clone().or_else(|| person.user_id.clone()),
        name: person.name.clone(),
        username: person.username.clone(),
    }
}

/// Our own id of a message, if what was sent along with it is one of this conversation; else empty.
fn own_message(callback_data: &str, conversation: &ConversationId) -> String {
    let number = callback_data.strip_prefix(conversation.as_str()).and_then(|rest| rest.strip_prefix("-m"));
    // The same form as a ticket's id once the `m` is off: digits without leading zeros.
    let own = number.is_some_and(|number| TicketId::new(format!("{conversation}-{number}")).parts().is_some());
    if own { callback_data.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_of_the_same_conversation_is_our_own() {
        let conversation = ConversationId::parse("abc").unwrap();
        assert_eq!(own_message("abc-m12", &conversation), "abc-m12");
        for other in ["", "abc", "abc-12", "abc-m", "abc-m01", "abc-mx", "abcd-m1", "x-m1", "abc-m1-m2"] {
            assert_eq!(own_message(other, &conversation), "", "{other}");
        }
    }
}
