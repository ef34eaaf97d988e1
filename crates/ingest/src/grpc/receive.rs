//! ReceiveMessage: a message on a channel that has no webhook.

use bus::{Address, AddressKind, Keyring, TraceParent};
use proto::v1;
use serde_json::value::RawValue;
use service::status::{self, Mistakes};
use tonic::Status;

use super::check;
use super::desk::{Desk, to_wire};
use crate::intake::{Frame, Place};
use crate::limits::{MAX_ITEM_BYTES, MAX_TEXT_BYTES, MAX_WORD_BYTES, is_time};

/// The type of a message that names none.
const TEXT: &str = "text";
/// Channels of WhatsApp: their contacts are named by number or user id, as in webhooks.
const WHATSAPP: &str = "whatsapp:";

/// Notes what is wrong with the request.
pub(crate) fn check(mistakes: &mut Mistakes, request: &v1::ReceiveMessageRequest) {
    check::workspace(mistakes, &request.workspace);
    check::id(mistakes, "channel", &request.channel);
    check::command(mistakes, &request.command_id, request.expected_revision);
    match &request.contact {
        Some(contact) => check_contact(mistakes, contact),
        None => mistakes.add("contact", "is missing"),
    }
    match &request.message {
        Some(message) => check_message(mistakes, message),
        None => mistakes.add("message", "is missing"),
    }
}

fn check_contact(mistakes: &mut Mistakes, contact: &v1::Contact) {
    if contact.user_id.is_empty() || !contact.id.is_empty() {
        check::id(mistakes, "contact.id", &contact.id);
    }
    check::short(mistakes, "contact.user_id", &contact.user_id);
    check::short(mistakes, "contact.display_name", &contact.display_name);
    check::short(mistakes, "contact.username", &contact.username);
}

fn check_message(mistakes: &mut Mistakes, message: &v1::ReceivedMessage) {
    check::id(mistakes, "message.id", &message.id);
    check::bytes(mistakes, "message.text", &message.text, MAX_TEXT_BYTES);
    check::short(mistakes, "message.type", &message.r#type);
    check::bytes(mistakes, "message.type", &message.r#type, MAX_WORD_BYTES);
    check::short(mistakes, "message.reply_to", &message.reply_to);
    if let Some(time) = &message.occur_time {
        let fine =
            proto::time(time).is_some() && is_time(time.seconds) && (time.nanos == 0 || is_time(time.seconds + 1));
        mistakes.unless(fine, "message.occur_time", "is not within 1970-01-01 and 2100-01-01");
    }
    if let Some(media) = &message.media {
        check::media(mistakes, "message.media", media);
        check::bytes(mistakes, "message.media.caption", &media.caption, MAX_TEXT_BYTES);
    }
    if let Some(location) = &message.location {
        check_location(mistakes, location);
    }
    let raw = &message.raw_json;
    check::bytes(mistakes, "message.raw_json", raw, MAX_ITEM_BYTES);
    let fine = raw.is_empty() || serde_json::from_str::<&RawValue>(raw).is_ok();
    mistakes.unless(fine, "message.raw_json", "is no JSON");
}

fn check_location(mistakes: &mut Mistakes, location: &v1::Location) {
    let (latitude, longitude) = (location.latitude, location.longitude);
    mistakes.unless((-90.0..=90.0).contains(&latitude), "message.location.latitude", "is not within -90 and 90");
    mistakes.unless((-180.0..=180.0).contains(&longitude), "message.location.longitude", "is not within -180 and 180");
    check::short(mistakes, "message.location.name", &location.name);
    check::bytes(mistakes, "message.location.address", &location.address, MAX_TEXT_BYTES);
}

impl Desk {
    /// Records a checked message.
    ///
    /// # Errors
    /// NOT_FOUND, ABORTED, UNAVAILABLE.
    pub(crate) async fn receive(
        &self,
        request: v1::ReceiveMessageRequest,
        trace: &TraceParent,
    ) -> Result<v1::ReceiveMessageResponse, Status> {
        self.workspace(&request.workspace)?;
        let away = |error: bus::Error| status::bus(&error);
        let contact = request.contact.clone().unwrap_or_default();
        let addresses = addresses(&request.channel, &contact);
        let place = self.bus.resolve(&request.workspace, &request.channel, &addresses).await.map_err(away)?;
        self.expect(&request.workspace, &place.conversation, request.expected_revision).await?;
        let keyring = self.bus.keyring(&request.workspace, &place.conversation).await.map_err(away)?;
        let keys = self.bus.workspace(&request.workspace).await.map_err(away)?;
        let message = request.message.unwrap_or_default();
        let id = keys.message_ref(&request.channel, &message.id);
        let frame = Frame { workspace: &request.workspace, channel: &request.channel, keys: &keys, now: bus::now() };
        let occur = message.occur_time.as_ref().and_then(proto::time).unwrap_or(frame.now);
        let place = Place { conversation: place.conversation, keyring, continues: place.continues };
        if let Some(link) = frame.link(&contact, &place, occur) {
            self.publish(link, trace).await?;
        }
        let kind = v1::event::Event::MessageReceived(received(&place.keyring, contact, message));
        let customer = v1::Actor { kind: v1::actor::Kind::Customer.into(), ..v1::Actor::default() };
        let event = frame.fact(id.clone(), &place.conversation, customer, occur, kind);
        let revision = self.publish(v1::Event { causation_id: request.command_id, ..event }, trace).await?;
        Ok(v1::ReceiveMessageResponse {
            conversation_id: place.conversation.as_str().to_owned(),
            revision,
            message_id: id,
        })
    }

    /// Appends one fact.
    ///
    /// # Errors
    /// UNAVAILABLE.
    pub(crate) async fn publish(&self, event: v1::Event, trace: &TraceParent) -> Result<i64, Status> {
        let published = self.bus.publish_facts(vec![event], trace).await.pop();
        match published {
            Some(Ok(revision)) => Ok(to_wire(revision)),
            Some(Err(error)) => Err(status::bus(&error)),
            None => Err(Status::internal("nothing was appended")),
        }
    }
}

/// The names of a contact on the channel, the strongest first.
fn addresses(channel: &str, contact: &v1::Contact) -> Vec<Address> {
    let mut addresses = Vec::new();
    if !contact.user_id.is_empty() {
        addresses.push(Address { kind: AddressKind::UserId, value: contact.user_id.clone() });
    }
    if !contact.id.is_empty() && contact.id != contact.user_id {
        let kind = if channel.starts_with(WHATSAPP) { AddressKind::Number } else { AddressKind::Id };
        addresses.push(Address { kind, value: contact.id.clone() });
    }
    addresses
}

/// What is said, and by whom, sealed.
fn received(keyring: &Keyring, contact: v1::Contact, message: v1::ReceivedMessage) -> v1::MessageReceived {
    let id = if contact.id.is_empty() { contact.user_id.clone() } else { contact.id };
    let caption = message.media.as_ref().map(|media| media.caption.clone()).unwrap_or_default();
    let message = v1::Message {
        channel_message_id: message.id,
        r#type: if message.r#type.is_empty() { TEXT.to_owned() } else { message.r#type },
        text: if message.text.is_empty() { caption } else { message.text },
        media: message.media,
        location: message.location,
        reply_to: message.reply_to,
        raw_json: message.raw_json,
        ..v1::Message::default()
    };
    let names_contact = !contact.display_name.is_empty();
    let r#type = message.r#type.clone();
    let sealed = v1::SealedMessage { contact: Some(v1::Contact { id, ..contact }), message: Some(message) };
    v1::MessageReceived { r#type, names_contact, sealed: keyring.seal(&sealed).into() }
}
