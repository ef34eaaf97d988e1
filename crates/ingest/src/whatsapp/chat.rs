//! From a message of the channel to a part of the chat.

use proto::v1;

use super::content::{self, owned};
use super::json::{Raw, Read, Text};
use super::people::{People, address};
use super::wire;
use crate::item::{Chat, Effect, Person, Reject, Source};
use crate::limits::{MAX_ITEM_BYTES, MAX_TEXT_BYTES, MAX_WORD_BYTES, is_id, is_time};

/// Where a message was found: that decides who said it to whom.
pub(crate) enum Place<'p> {
    /// Among the messages: the customer wrote.
    Inbox(&'p People),
    /// Among the echoes: the business wrote from its own phone.
    Echoes(&'p People),
    /// In the past of one contact.
    Thread { customer: &'p Person, business: &'p str },
    /// In the past, with the contacts beside it.
    Past { people: &'p People, business: &'p str },
}

/// Reads one message.
pub(crate) fn read(raw: Raw<'_>, wire: wire::Message<'_>, place: &Place<'_>) -> Result<Chat, Reject> {
    if raw.get().len() > MAX_ITEM_BYTES {
        return Err(Reject::TooLarge);
    }
    let id = id(wire.id.as_ref())?;
    let seconds = seconds(wire.timestamp.as_ref())?;
    let (direction, mut person) = place.parties(&wire)?;
    let kind = kind(&wire);
    let special = match (kind.as_str(), content_of(&kind, &wire)) {
        ("reaction", Some(raw)) => reaction(raw),
        ("edit", Some(raw)) => edit(raw)?,
        ("revoke", Some(raw)) => revoke(raw),
        ("system", raw) if matches!(place, Place::Inbox(_)) => Some(system(raw, &mut person)?),
        _ => None,
    };
    let (effect, mut message, mut more) = match special {
        Some(special) => (special.effect, special.message, special.more),
        None => plain(kind.clone(), &wire)?,
    };
    if person.is_nobody() {
        return Err(Reject::Nobody);
    }
    more |= wire.unreadable || wire.rest.iter().any(|(key, _)| *key != kind);
    // An edit has its own: that of the message as it reads now.
    if !matches!(effect, Effect::Edit { .. }) {
        more |= fill_context(&mut message, wire.context.as_ref());
    }
    more |= fill_errors(&mut message, &wire);
    message.channel_message_id = id;
    message.status = history_status(&wire).into();
    if more {
        raw.get().clone_into(&mut message.raw_json);
    }
    if message.text.len() > MAX_TEXT_BYTES {
        return Err(Reject::TextTooLong);
    }
    Ok(Chat { source: place.source(), direction, person, effect, message, seconds })
}

/// The id of an item, without which a repeat could not be known.
pub(crate) fn id(id: Option<&Text<'_>>) -> Result<String, Reject> {
    let id = id.ok_or(Reject::NoId)?;
    if is_id(id.as_str()) { Ok(id.as_str().to_owned()) } else { Err(Reject::Id("id")) }
}

/// The time of an item in Unix seconds: written as a text by most, as a number by some.
pub(crate) fn seconds(timestamp: Option<&Text<'_>>) -> Result<i64, Reject> {
    let seconds = timestamp.and_then(|text| text.as_str().parse().ok());
    seconds.filter(|seconds| is_time(*seconds)).ok_or(Reject::Time)
}

impl Place<'_> {
    fn source(&self) -> Source {
        match self {
            Place::Inbox(_) => Source::Live,
            Place::Echoes(_) => Source::Echo,
            Place::Thread { .. } | Place::Past { .. } => Source::History,
        }
    }

    /// Who said it, and the customer in question.
    fn parties(&self, wire: &wire::Message<'_>) -> Result<(v1::Direction, Person), Reject> {
        let from = (address(wire.from.clone(), "from")?, address(wire.from_user_id.clone(), "from_user_id")?);
        let to = (address(wire.to.clone(), "to")?, address(wire.to_user_id.clone(), "to_user_id")?);
        Ok(match self {
            Place::Inbox(_) if is_system(wire) => {
                (v1::Direction::Inbound, Person { number: from.0, user_id: from.1, ..Person::default() })
            }
            Place::Inbox(people) => (v1::Direction::Inbound, people.find(from)),
            Place::Echoes(people) => (v1::Direction::Outbound, people.find(to)),
            Place::Thread { customer, business } => {
                let theirs = from.0.is_some() && from.0 == customer.number;
                let ours = to.0.is_some() || to.1.is_some() || is_business(from.0.as_deref(), business);
                let other = from.0.is_some() && customer.number.is_some() && !theirs;
                (if ours || other { v1::Direction::Outbound } else { v1::Direction::Inbound }, (*customer).clone())
            }
            Place::Past { people, business } if is_business(from.0.as_deref(), business) || to.0.is_some() => {
                (v1::Direction::Outbound, people.find(to))
            }
            Place::Past { people, .. } => (v1::Direction::Inbound, people.find(from)),
        })
    }
}

/// Whether this is a word of the channel itself; no contacts stand beside those.
pub(crate) fn is_system(wire: &wire::Message<'_>) -> bool {
    wire.kind.as_ref().is_some_and(|kind| kind.as_str() == "system")
}

fn is_business(from: Option<&str>, business: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    from.is_some_and(|from| !business.is_empty() && digits(from) == digits(business))
}

/// The message's type; where that is missing, the name of the content tells it.
fn kind(wire: &wire::Message<'_>) -> String {
    let named = wire.kind.as_ref().map(Text::as_str).filter(|kind| is_id(kind) && kind.len() <= MAX_WORD_BYTES);
    if let Some(named) = named {
        return named.to_owned();
    }
    let mut contents = wire.rest.iter().map(|(key, _)| key.as_ref());
    let known = contents.clone().find(|key| content::KNOWN.contains(key));
    known
        .or_else(|| contents.next().filter(|key| is_id(key) && key.len() <= MAX_WORD_BYTES))
        .unwrap_or("unknown")
        .to_owned()
}

fn content_of<'a>(kind: &str, wire: &wire::Message<'a>) -> Option<Raw<'a>> {
    wire.rest.iter().find(|(key, _)| key == kind).map(|(_, raw)| *raw)
}

/// A message of its own, and whether it says more than its fields.
fn plain(kind: String, wire: &wire::Message<'_>) -> Result<(Effect, v1::Message, bool), Reject> {
    let raw = content_of(&kind, wire);
    let mut message = v1::Message { r#type: kind, ..v1::Message::default() };
    let more = raw.is_none_or(|raw| content::fill(&mut message, raw));
    Ok((Effect::Message, message, more))
}

/// A message that is there to change something.
struct Special {
    effect: Effect,
    message: v1::Message,
    more: bool,
}

fn reaction(raw: Raw<'_>) -> Option<Special> {
    let reaction = wire::Reaction::read(raw.get())?;
    let (target, more) = (target(reaction.message_id.as_ref())?, reaction.says_more());
    let text = owned(reaction.emoji);
    let message = v1::Message { r#type: "reaction".to_owned(), reply_to: target.clone(), ..v1::Message::default() };
    let effect = Effect::Reaction { target, removed: text.is_empty() };
    Some(Special { effect, message: v1::Message { text, ..message }, more })
}

fn revoke(raw: Raw<'_>) -> Option<Special> {
    let revoke = wire::Revoke::read(raw.get())?;
    let (target, more) = (target(revoke.original_message_id.as_ref())?, revoke.says_more());
    let message = v1::Message { r#type: "revoke".to_owned(), reply_to: target.clone(), ..v1::Message::default() };
    Some(Special { effect: Effect::Revoke { target }, message, more })
}

/// The message as it reads now; `None` where it can't be told which message was edited or into what.
fn edit(raw: Raw<'_>) -> Result<Option<Special>, Reject> {
    let Some(edit) = wire::Edit::read(raw.get()) else { return Ok(None) };
    let more = edit.says_more();
    let (Some(target), Some(now)) = (target(edit.original_message_id.as_ref()), edit.message) else { return Ok(None) };
    let kind = kind(&now);
    let (_, mut message, mut says_more) = plain(kind.clone(), &now)?;
    says_more |= more || now.unreadable || now.rest.iter().any(|(key, _)| *key != kind);
    says_more |= fill_context(&mut message, now.context.as_ref());
    Ok(Some(Special { effect: Effect::Edit { target }, message, more: says_more }))
}

fn target(id: Option<&Text<'_>>) -> Option<String> {
    id.map(Text::as_str).filter(|id| is_id(id)).map(str::to_owned)
}

/// What the channel says about the contact. `person` becomes the contact as it was known before.
fn system(raw: Option<Raw<'_>>, person: &mut Person) -> Result<Special, Reject> {
    let system = raw.and_then(|raw| wire::System::read(raw.get())).unwrap_or_default();
    let word = system.kind.as_ref().map(Text::as_str).filter(|word| is_id(word) && word.len() <= MAX_WORD_BYTES);
    let word = word.unwrap_or("system").to_owned();
    let mut now = Person::default();
    if word.starts_with("user_changed") {
        let new_number = address(system.wa_id.or(system.new_wa_id), "system.wa_id")?;
        let customer = address(system.customer, "system.customer")?;
        now.user_id = address(system.user_id, "system.user_id")?;
        let previous = address(system.previous_user_id, "system.previous_user_id")?;
        if person.user_id == now.user_id {
            person.user_id = None;
        }
        person.user_id = previous.or(person.user_id.take());
        // The documented meaning of `customer` is the old number; some senders put the new one there.
        if person.number.is_none() {
            person.number.clone_from(&customer);
        }
        now.number = new_number.or(customer.filter(|customer| Some(customer) != person.number.as_ref()));
    }
    let message = v1::Message { r#type: "system".to_owned(), text: owned(system.body), ..v1::Message::default() };
    Ok(Special { effect: Effect::Contact { word, now }, message, more: true })
}

/// What the message answers, and whether the context says more than that.
fn fill_context(message: &mut v1::Message, context: Option<&wire::Context<'_>>) -> bool {
    let Some(context) = context else { return false };
    let id = context.id.as_ref().map(Text::as_str).filter(|id| !id.is_empty());
    let readable = id.is_none_or(is_id);
    if let (Some(id), true, true) = (id, readable, message.reply_to.is_empty()) {
        id.clone_into(&mut message.reply_to);
    }
    message.forwarded = context.forwarded.unwrap_or(false) || context.frequently_forwarded.unwrap_or(false);
    context.says_more() || !readable
}

fn fill_errors(message: &mut v1::Message, wire: &wire::Message<'_>) -> bool {
    let (errors, lost) = content::errors(wire.errors.as_deref());
    message.errors = errors;
    lost
}

/// How far a message of the past had come.
fn history_status(wire: &wire::Message<'_>) -> v1::MessageStatus {
    let status = wire.history_context.as_ref().and_then(|context| context.status.as_ref());
    status.map_or(v1::MessageStatus::Unspecified, |status| super::status::status(&status.as_str().to_ascii_lowercase()))
}
