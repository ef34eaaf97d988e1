//! From the bytes of a body to its items.

use super::chat::{self, Place};
use super::content::owned;
use super::json::{Raw, Read as _, Text};
use super::people::{People, address};
use super::{status, wire};
use crate::item::{BodyError, Item, Other, Person, Reject, Update};
use crate::limits::{MAX_ITEMS, MAX_NAME_BYTES, MAX_WORD_BYTES, clip, is_id};

/// The field of what the business writes from its own phone.
const ECHOES: &str = "smb_message_echoes";
/// The field of what was written before the channel was connected.
const HISTORY: &str = "history";

/// Every item of a webhook's body, in order: of each entry, each change, each message and status. What can't be
/// read becomes a rejected item and spoils no other.
///
/// # Errors
/// The body is no webhook at all, so that there is nothing to take apart.
pub fn parse(body: &[u8]) -> Result<Vec<Item<'_>>, BodyError> {
    let body = std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)?;
    let envelope = wire::Envelope::read(body).ok_or_else(|| not_an_object(body))?;
    match envelope.object.as_ref().map(Text::as_str) {
        Some("whatsapp_business_account") => {}
        _ => return Err(BodyError::NotAWebhook("`object` is not \"whatsapp_business_account\"")),
    }
    let entries = envelope.entry.ok_or(BodyError::NotAWebhook("no array `entry`"))?;
    let mut items = Items::default();
    for entry in entries {
        items.entry(entry)?;
    }
    Ok(items.items)
}

/// What is wrong with a body that could not be read as an object.
fn not_an_object(body: &str) -> BodyError {
    match serde_json::from_str::<Raw>(body) {
        Ok(_) => BodyError::NotAWebhook("not an object"),
        Err(error) => BodyError::NotJson(error.to_string()),
    }
}

#[derive(Default)]
struct Items<'a> {
    items: Vec<Item<'a>>,
}

/// What all items of one change share.
struct Change<'a> {
    entry_id: String,
    entry_time: String,
    phone_number_id: Option<String>,
    /// The number of the business as people read it; may be empty.
    business: String,
    field: String,
    value: Raw<'a>,
}

impl<'a> Items<'a> {
    fn push(&mut self, number: Option<&str>, raw: Raw<'a>, update: Result<Update, Reject>) -> Result<(), BodyError> {
        if self.items.len() >= MAX_ITEMS {
            return Err(BodyError::TooManyItems);
        }
        let update = update.and_then(|update| match (&update, number) {
            (Update::Chat(_) | Update::Status(_), None) => Err(Reject::NoNumber),
            _ => Ok(update),
        });
        self.items.push(Item { phone_number_id: number.map(str::to_owned), raw: raw.get(), update });
        Ok(())
    }

    fn reject(&mut self, number: Option<&str>, raw: Raw<'a>, reason: &'static str) -> Result<(), BodyError> {
        self.push(number, raw, Err(Reject::Shape(reason)))
    }

    fn entry(&mut self, raw: Raw<'a>) -> Result<(), BodyError> {
        let Some(entry) = wire::Entry::read(raw.get()) else {
            return self.reject(None, raw, "entry is not an object");
        };
        let Some(changes) = entry.changes else {
            return self.reject(None, raw, "entry has no array `changes`");
        };
        let id = clip(&owned(entry.id), MAX_NAME_BYTES).to_owned();
        let time = clip(&owned(entry.time), MAX_WORD_BYTES).to_owned();
        for change in changes {
            self.change(change, &id, &time)?;
        }
        Ok(())
    }

    fn change(&mut self, raw: Raw<'a>, entry_id: &str, entry_time: &str) -> Result<(), BodyError> {
        let Some(wire) = wire::Change::read(raw.get()) else {
            return self.reject(None, raw, "change is not an object");
        };
        let Some(value) = wire.value else {
            return self.reject(None, raw, "change has no `value`");
        };
        let mut found = wire::Value::read(value.get());
        let metadata = found.as_mut().and_then(|found| found.metadata.take()).unwrap_or_default();
        let phone_number_id = metadata.phone_number_id.map(|id| id.0.into_owned()).filter(|id| is_id(id));
        let field = owned(wire.field);
        let change = Change {
            entry_id: entry_id.to_owned(),
            entry_time: entry_time.to_owned(),
            phone_number_id,
            business: owned(metadata.display_phone_number),
            field,
            value,
        };
        match change.field.as_str() {
            "messages" | ECHOES | HISTORY => self.chat(&change, found),
            "" => match found {
                Some(chat) if chat.messages.is_some() || chat.statuses.is_some() => self.chat(&change, Some(chat)),
                _ => self.reject(change.phone_number_id.as_deref(), raw, "change has no `field`"),
            },
            _ => self.other(&change, value),
        }
    }

    /// A change that is about chat. Lists of another shape are rejected as a whole.
    fn chat(&mut self, change: &Change<'a>, value: Option<wire::Value<'a>>) -> Result<(), BodyError> {
        let number = change.phone_number_id.as_deref();
        let Some(value) = value else {
            return self.reject(number, change.value, "value is not an object");
        };
        if value.unreadable {
            self.reject(number, change.value, "value holds a list or an object of another shape")?;
        }
        let lists = [&value.messages, &value.statuses, &value.message_echoes, &value.history];
        if !value.unreadable && (!value.rest.is_empty() || lists.iter().all(|list| list.is_none())) {
            self.leftover(change, &value)?;
        }
        let contacts = value.contacts.as_deref();
        if let Some(messages) = &value.messages {
            let messages = read_all(messages);
            let people = People::new(contacts, senders(&messages, change.field == ECHOES));
            let business = change.business.as_str();
            let place = match change.field.as_str() {
                HISTORY => Place::Past { people: &people, business },
                ECHOES => Place::Echoes(&people),
                _ => Place::Inbox(&people),
            };
            self.messages(number, messages, &place)?;
        }
        if let Some(messages) = &value.message_echoes {
            let messages = read_all(messages);
            let people = People::new(contacts, senders(&messages, true));
            self.messages(number, messages, &Place::Echoes(&people))?;
        }
        for chunk in value.history.iter().flatten() {
            self.history(change, chunk)?;
        }
        for raw in value.statuses.iter().flatten() {
            self.push(number, raw, status::read(raw).map(|status| Update::Status(Box::new(status))))?;
        }
        Ok(())
    }

    fn messages(&mut self, number: Option<&str>, messages: Vec<Read<'a>>, place: &Place<'_>) -> Result<(), BodyError> {
        for (raw, wire) in messages {
            let wire = wire.ok_or(Reject::Shape("message is not an object"));
            let chat = wire.and_then(|wire| chat::read(raw, wire, place));
            self.push(number, raw, chat.map(|chat| Update::Chat(Box::new(chat))))?;
        }
        Ok(())
    }

    /// A chunk of the past. One without threads says why there are none, which is no chat.
    fn history(&mut self, change: &Change<'a>, raw: Raw<'a>) -> Result<(), BodyError> {
        let number = change.phone_number_id.as_deref();
        let Some(chunk) = wire::HistoryChunk::read(raw.get()) else {
            return self.reject(number, raw, "history is not an object");
        };
        if chunk.unreadable {
            return self.reject(number, raw, "history has `threads` of another shape");
        }
        if chunk.threads.is_none() || !chunk.rest.is_empty() {
            self.other(change, raw)?;
        }
        for raw in chunk.threads.iter().flatten() {
            self.thread(change, raw)?;
        }
        Ok(())
    }

    fn thread(&mut self, change: &Change<'a>, raw: Raw<'a>) -> Result<(), BodyError> {
        let number = change.phone_number_id.as_deref();
        let Some(thread) = wire::Thread::read(raw.get()) else {
            return self.reject(number, raw, "thread is not an object");
        };
        let Some(messages) = thread.messages else {
            return self.reject(number, raw, "thread has no array `messages`");
        };
        let context = thread.context.unwrap_or_default();
        let addresses =
            (address(thread.id.or(context.wa_id), "thread.id"), address(context.user_id, "thread.context.user_id"));
        let (Ok(customer), Ok(user_id)) = addresses else {
            return self.reject(number, raw, "thread has an id that can't be kept");
        };
        let username = clip(&owned(context.username), MAX_NAME_BYTES).to_owned();
        let customer = Person { number: customer, user_id, username, name: String::new() };
        let place = Place::Thread { customer: &customer, business: &change.business };
        self.messages(number, read_all(&messages), &place)
    }

    /// Something on the channel that is no chat: `value` is the part of the change that says it.
    fn other(&mut self, change: &Change<'a>, value: Raw<'a>) -> Result<(), BodyError> {
        let other = other(change, value.get());
        self.push(change.phone_number_id.as_deref(), value, Ok(Update::Other(Box::new(other))))
    }

    /// What stands in a change about chat and is none: errors, and fields not yet invented.
    fn leftover(&mut self, change: &Change<'a>, value: &wire::Value<'a>) -> Result<(), BodyError> {
        let fields: Vec<String> = value.rest.iter().map(|(key, raw)| format!("{}:{raw}", quoted(key))).collect();
        let other = other(change, &format!("{{{}}}", fields.join(",")));
        self.push(change.phone_number_id.as_deref(), change.value, Ok(Update::Other(Box::new(other))))
    }
}

fn other(change: &Change<'_>, value: &str) -> Other {
    let field = if change.field.is_empty() { "unnamed" } else { clip(&change.field, MAX_WORD_BYTES) };
    let json = format!(r#"{{"entry":{},"field":{},"value":{value}}}"#, quoted(&change.entry_id), quoted(field));
    Other { field: field.to_owned(), time: change.entry_time.clone(), json }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A message as it came, and as it was read if it could be.
type Read<'a> = (Raw<'a>, Option<wire::Message<'a>>);

fn read_all<'a>(messages: &[Raw<'a>]) -> Vec<Read<'a>> {
    messages.iter().map(|raw| (*raw, wire::Message::read(raw.get()))).collect()
}

/// The addresses of the customer in each message that someone wrote.
fn senders<'m>(messages: &'m [Read<'_>], echoes: bool) -> impl Iterator<Item = (Option<&'m str>, Option<&'m str>)> {
    let written = messages.iter().filter_map(|(_, wire)| wire.as_ref()).filter(|wire| !chat::is_system(wire));
    written.map(move |wire| {
        let (number, user_id) = if echoes { (&wire.to, &wire.to_user_id) } else { (&wire.from, &wire.from_user_id) };
        (number.as_ref().map(Text::as_str), user_id.as_ref().map(Text::as_str))
    })
}
