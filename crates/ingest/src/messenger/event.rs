//! One event of `messaging`.

use proto::v1;
use serde_json::Value;

use super::message;
use crate::item::{Chat, Effect, Other, Person, Reject, Source, Status, Update};
use crate::limits::{is_id, is_time};

/// The parts of an event that tell what it is, and are no names of people or times.
const KINDS: [&str; 6] = ["message", "message_edit", "reaction", "postback", "delivery", "read"];

/// What every event has.
struct Event {
    /// The page-scoped id of the customer.
    customer: String,
    /// Whether the page is the one who did it.
    by_page: bool,
    /// Milliseconds.
    time: i64,
}

/// Reads one event of a page: several items where it tells of several messages.
pub(super) fn read(raw: &str, page: &str) -> Result<Vec<Update>, Reject> {
    let value: Value = serde_json::from_str(raw).map_err(|_| Reject::Shape("event can't be read"))?;
    let kind = KINDS.into_iter().find(|kind| value.get(kind).is_some());
    let Some(kind) = kind else { return Ok(vec![other(&value, raw)]) };
    let event = Event::read(&value, page)?;
    let content = &value[kind];
    match kind {
        "message" => Ok(vec![event.message(content, raw)?]),
        "message_edit" => Ok(vec![event.edit(content)?]),
        "reaction" => Ok(vec![event.reaction(content)?]),
        "postback" => Ok(vec![event.postback(content, raw)?]),
        "delivery" if content["mids"].as_array().is_some_and(|mids| !mids.is_empty()) => event.delivered(content),
        // A watermark alone names no message.
        _ => Ok(vec![other(&value, raw)]),
    }
}

/// What is no chat, or names no message of it.
fn other(value: &Value, raw: &str) -> Update {
    let people = ["sender", "recipient", "timestamp"];
    let field = value.as_object().and_then(|event| event.keys().find(|key| !people.contains(&key.as_str())));
    let field = field.cloned().unwrap_or_default();
    Update::Other(Box::new(Other { field, time: value["timestamp"].to_string(), json: raw.to_owned() }))
}

/// An id that has to be there.
pub(super) fn id(value: &Value, field: &'static str) -> Result<String, Reject> {
    match value.as_str() {
        Some(id) if is_id(id) => Ok(id.to_owned()),
        Some("") | None => Err(Reject::NoId),
        Some(_) => Err(Reject::Id(field)),
    }
}

impl Event {
    fn read(value: &Value, page: &str) -> Result<Event, Reject> {
        let party = |key: &str| value[key]["id"].as_str().unwrap_or_default();
        let (sender, recipient) = (party("sender"), party("recipient"));
        let by_page = sender == page;
        let customer = if by_page { recipient } else { sender };
        if customer.is_empty() || customer == page {
            return Err(Reject::Nobody);
        }
        let time = value["timestamp"].as_i64().filter(|time| is_time(time / 1_000)).ok_or(Reject::Time)?;
        let customer = Some(customer.to_owned()).filter(|id| is_id(id)).ok_or(Reject::Id("sender.id"))?;
        Ok(Event { customer, by_page, time })
    }

    fn person(&self) -> Person {
        Person { user_id: Some(self.customer.clone()), ..Person::default() }
    }

    fn chat(&self, source: Source, effect: Effect, message: v1::Message) -> Update {
        let direction = if self.by_page { v1::Direction::Outbound } else { v1::Direction::Inbound };
        let (person, seconds) = (self.person(), self.time / 1_000);
        Update::Chat(Box::new(Chat { source, direction, person, effect, message, seconds }))
    }

    fn message(&self, content: &Value, raw: &str) -> Result<Update, Reject> {
        let mid = id(&content["mid"], "message.mid")?;
        let is_echo = content["is_echo"].as_bool().unwrap_or_default();
        if is_echo && let Some(ours) = content["metadata"].as_str().filter(|metadata| is_ours(metadata)) {
            return Ok(self.status(mid, "sent", ours));
        }
        if is_echo != self.by_page {
            return Err(Reject::Shape("an echo that is not the page's, or a page's message that is no echo"));
        }
        let source = if is_echo { Source::Echo } else { Source::Live };
        Ok(self.chat(source, Effect::Message, message::read(content, mid, raw)?))
    }

    fn edit(&self, content: &Value) -> Result<Update, Reject> {
        let target = id(&content["mid"], "message_edit.mid")?;
        let own = format!("edit:{target}:{}", content["num_edit"]);
        let mut message = message::text(content["text"].as_str().unwrap_or_default())?;
        message.channel_message_id = Some(own).filter(|id| is_id(id)).ok_or(Reject::Id("message_edit.mid"))?;
        Ok(self.chat(Source::Live, Effect::Edit { target }, message))
    }

    fn reaction(&self, content: &Value) -> Result<Update, Reject> {
        let target = id(&content["mid"], "reaction.mid")?;
        let removed = content["action"] == "unreact";
        let own =
            format!("reaction:{}:{}:{}", self.customer, self.time, content["action"].as_str().unwrap_or_default());
        let emoji = if removed { "" } else { content["emoji"].as_str().unwrap_or_default() };
        let message = v1::Message {
            r#type: "reaction".to_owned(),
            channel_message_id: Some(own).filter(|id| is_id(id)).ok_or(Reject::Id("reaction"))?,
            reply_to: target.clone(),
            ..message::text(emoji)?
        };
        Ok(self.chat(Source::Live, Effect::Reaction { target, removed }, message))
    }

    fn postback(&self, content: &Value, raw: &str) -> Result<Update, Reject> {
        // Buttons that were pressed long ago have no id of their own: nobody presses two in one millisecond.
        let mid = match content["mid"].as_str() {
            Some(_) => id(&content["mid"], "postback.mid")?,
            None => format!("postback:{}:{}", self.customer, self.time),
        };
        Ok(self.chat(Source::Live, Effect::Message, message::postback(content, mid, raw)?))
    }

    fn delivered(&self, content: &Value) -> Result<Vec<Update>, Reject> {
        let mids = content["mids"].as_array().into_iter().flatten();
        mids.map(|mid| Ok(self.status(id(mid, "delivery.mids")?, "delivered", ""))).collect()
    }

    fn status(&self, message_id: String, word: &str, callback_data: &str) -> Update {
        let seconds = self.time / 1_000;
        let report = v1::StatusReport {
            status: crate::whatsapp::status_of(word).into(),
            channel_status: word.to_owned(),
            time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            ..v1::StatusReport::default()
        };
        let callback_data = callback_data.to_owned();
        Update::Status(Box::new(Status { message_id, person: self.person(), seconds, callback_data, report }))
    }
}

/// Whether the metadata of an echo is our own id of a message, which goes along with what we send: then the echo says
/// that it was sent, and no human at the page wrote it.
fn is_ours(metadata: &str) -> bool {
    let number = metadata.rsplit_once("-m").map(|(_, number)| number);
    is_id(metadata) && number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
