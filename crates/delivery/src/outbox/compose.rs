//! A queued reference becomes what the channel is given: the words from the log, the address of the customer, and the
//! channel's id of the message that it answers.

use bus::{Bus, Error, Keyring, TraceParent};
use conversation::{ActorKind, ConversationId, State};
use proto::v1;
use proto::v1::decided_entry::Entry;
use proto::v1::event::Event as Kind;

use crate::channel::{Outgoing, Recipient};

/// Channels name their own messages so.
const CHANNEL_IDS: [&str; 2] = ["wamid.", "m_"];

/// A message with all that sending it takes.
pub(super) struct Composed {
    pub(super) outgoing: Outgoing,
    /// The decision that says it.
    pub(super) said: Said,
    pub(super) keyring: Keyring,
}

/// Where a message comes from.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) workspace: String,
    pub(super) conversation: ConversationId,
    pub(super) channel: String,
    pub(super) message_id: String,
    pub(super) event_id: String,
    pub(super) correlation_id: String,
    pub(super) depth: u32,
    pub(super) trace: TraceParent,
    pub(super) by: Option<ActorKind>,
    /// The conversation as that decision left it.
    pub(super) after: State,
}

/// Why a message can't be composed.
pub(super) enum Unsendable {
    /// Its conversation was erased: there are no words, and nobody to tell.
    Erased,
    /// There is something to tell.
    Because(Box<(Said, Keyring)>, &'static str),
    /// The bus is away.
    Bus(Error),
}

impl From<Error> for Unsendable {
    fn from(error: Error) -> Unsendable {
        Unsendable::Bus(error)
    }
}

/// Reads everything that it takes, side by side.
pub(super) async fn compose(bus: &Bus, queued: &v1::QueuedMessage) -> Result<Composed, Unsendable> {
    let (workspace, conversation) = (queued.workspace.as_str(), queued.conversation_id.as_str());
    let id = ConversationId::parse(conversation).ok_or(Unsendable::Erased)?;
    let revision = u64::try_from(queued.revision).unwrap_or_default();
    let (event, keyring, last, moved) = futures::join!(
        bus.recorded_at(revision),
        bus.conversation(workspace, conversation),
        bus.last_message(workspace, &id),
        bus.moved_contact(workspace, conversation),
    );
    let (Some(recorded), Some(keyring)) = (event?, keyring?) else { return Err(Unsendable::Erased) };
    let event = recorded.event()?;
    let trace = recorded.trace.unwrap_or_else(TraceParent::start);
    let index = usize::try_from(queued.index).unwrap_or(usize::MAX);
    let (said, sealed) = said(&event, queued, id, revision, index, trace).ok_or(Unsendable::Erased)?;
    let Ok(v1::SealedMessage { message: Some(message), .. }) = keyring.open(&sealed) else {
        return Err(Unsendable::Because(Box::new((said, keyring)), "its words can't be unsealed"));
    };
    let customer = Customer::of(&keyring, last?, moved?.value);
    let Some(to) = Recipient::of(&customer.contact) else {
        return Err(Unsendable::Because(Box::new((said, keyring)), "no address of the customer is known"));
    };
    let reply_to = channel_id(bus, &said, &keyring, &customer, &message.reply_to).await?;
    if message.r#type == "reaction" && reply_to.is_empty() {
        return Err(Unsendable::Because(
            Box::new((said, keyring)),
            "the channel's id of the message reacted to is not known",
        ));
    }
    let outgoing = Outgoing { to, message, reply_to, message_id: said.message_id.clone() };
    Ok(Composed { outgoing, said, keyring })
}

fn said(
    event: &v1::Event,
    queued: &v1::QueuedMessage,
    conversation: ConversationId,
    revision: u64,
    index: usize,
    trace: TraceParent,
) -> Option<(Said, prost::bytes::Bytes)> {
    let Some(Kind::Decided(decided)) = &event.event else { return None };
    let Some(Entry::Message(message)) = decided.entries.get(index)?.entry.as_ref() else { return None };
    if message.id != queued.message_id {
        return None;
    }
    let after = proto::state_from(conversation.clone(), decided.after.as_ref()?, revision);
    let correlation = if event.correlation_id.is_empty() { &event.id } else { &event.correlation_id };
    let said = Said {
        workspace: event.workspace.clone(),
        conversation,
        channel: event.channel.clone(),
        message_id: message.id.clone(),
        event_id: event.id.clone(),
        correlation_id: correlation.clone(),
        depth: event.depth,
        trace,
        by: event.actor.as_ref().and_then(proto::actor_from).map(|actor| actor.kind),
        after,
    };
    Some((said, message.sealed.clone()))
}

/// What the log says of the customer.
struct Customer {
    contact: v1::Contact,
    /// Our id, and the channel's, of the last message.
    last: (String, String),
}

impl Customer {
    /// The contact as the later of the last message and the last change of address has it.
    fn of(keyring: &Keyring, last: Option<(u64, v1::Event)>, moved: Option<v1::MovedContact>) -> Customer {
        let mut customer = Customer { contact: v1::Contact::default(), last: Default::default() };
        let mut revision = 0;
        if let Some((at, event)) = last
            && let Some(Kind::MessageReceived(received)) = &event.event
            && let Ok(sealed) = keyring.open::<v1::SealedMessage>(&received.sealed)
        {
            revision = at;
            customer.contact = sealed.contact.unwrap_or_default();
            customer.last = (event.id.clone(), sealed.message.unwrap_or_default().channel_message_id);
        }
        if let Some(moved) = moved
            && u64::try_from(moved.revision).is_ok_and(|moved| moved > revision)
            && let Ok(v1::SealedMessage { contact: Some(contact), .. }) = keyring.open(&moved.sealed)
        {
            customer.contact = contact;
        }
        customer
    }
}

/// The channel's id of a message that is named by that, by our id of what we said, or by our id of the customer's last.
/// Empty where it can't be told: the message goes out without the reference.
async fn channel_id(
    bus: &Bus,
    said: &Said,
    keyring: &Keyring,
    customer: &Customer,
    reply_to: &str,
) -> Result<String, Error> {
    if reply_to.is_empty() || CHANNEL_IDS.iter().any(|prefix| reply_to.starts_with(prefix)) {
        return Ok(reply_to.to_owned());
    }
    if reply_to == customer.last.0 || reply_to == customer.last.1 {
        return Ok(customer.last.1.clone());
    }
    let conversation = said.conversation.as_str();
    if !reply_to.strip_prefix(conversation).is_some_and(|rest| rest.starts_with("-m")) {
        return Ok(String::new());
    }
    let sent = bus.sent(&said.workspace, conversation, reply_to).await?.value.unwrap_or_default();
    let status = keyring.open::<v1::SealedStatus>(&sent.sealed).unwrap_or_default();
    Ok(status.channel_message_id)
}
