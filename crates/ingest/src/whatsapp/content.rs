//! What a message says, by its type.

use proto::v1;

use super::json::{Raw, Read, Text};
use super::wire;

/// Types whose content this module reads. Of two contents in a message without a type, one of these is meant.
pub(crate) const KNOWN: &[&str] = &[
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contacts",
    "interactive",
    "button",
    "reaction",
    "order",
    "system",
    "edit",
    "revoke",
];

/// Reads what stands under the type's name into the fields of `message`. Answers whether something stands there
/// that the fields do not say, so that the raw JSON has to be kept.
pub(crate) fn fill(message: &mut v1::Message, raw: Raw<'_>) -> bool {
    let kind = message.r#type.clone();
    match kind.as_str() {
        "text" => with(raw, |body: wire::TextBody| {
            let (missing, more) = (body.body.is_none(), body.says_more());
            message.text = owned(body.body);
            missing || more
        }),
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
            with(raw, |media| fill_media(message, media, kind == "voice"))
        }
        "location" => with(raw, |location| fill_location(message, location)),
        "contacts" => with(raw, |cards: Vec<Raw>| fill_cards(message, &cards)),
        "interactive" => with(raw, |interactive| fill_interactive(message, interactive)),
        "button" => with(raw, |button| fill_button(message, button)),
        "order" => {
            with(raw, |order: wire::Order| {
                message.text = owned(order.text);
                true
            });
            true
        }
        _ => true,
    }
}

/// What the channel could not do, and whether some of it could not be read.
pub(crate) fn errors(raws: Option<&[Raw<'_>]>) -> (Vec<v1::StatusError>, bool) {
    let (errors, mut lost) = super::json::each::<wire::ErrorReport>(raws.unwrap_or_default());
    let errors = errors.into_iter().map(|error| {
        lost |= error.unreadable;
        let details = error.error_data.and_then(|data| data.details).or(error.details);
        v1::StatusError {
            code: error.code.and_then(|code| i32::try_from(code).ok()).unwrap_or_default(),
            title: owned(error.title.or_else(|| error.message.clone())),
            details: owned(details.or(error.message)),
        }
    });
    let errors = errors.collect();
    (errors, lost)
}

/// The text of a field; empty where it is absent.
pub(crate) fn owned(text: Option<Text<'_>>) -> String {
    text.map(|text| text.0.into_owned()).unwrap_or_default()
}

/// Whatever `read` answers of the value, or true if it has another shape.
fn with<'a, T: Read<'a>>(raw: Raw<'a>, read: impl FnOnce(T) -> bool) -> bool {
    T::read(raw.get()).is_none_or(read)
}

fn fill_media(message: &mut v1::Message, media: wire::Media<'_>, voice: bool) -> bool {
    let more = media.says_more() || (media.id.is_none() && media.url.is_none() && media.link.is_none());
    message.text = owned(media.caption.clone());
    message.media = Some(v1::Media {
        id: owned(media.id),
        mime_type: owned(media.mime_type),
        file_name: owned(media.filename),
        caption: owned(media.caption),
        link: owned(media.link.or(media.url)),
        voice: media.voice.unwrap_or(voice),
    });
    more
}

fn fill_location(message: &mut v1::Message, location: wire::Location<'_>) -> bool {
    let more = location.says_more();
    let (Some(latitude), Some(longitude)) = (location.latitude, location.longitude) else { return true };
    let (name, address) = (owned(location.name), owned(location.address));
    message.location = Some(v1::Location { latitude, longitude, name, address });
    more
}

fn fill_cards(message: &mut v1::Message, cards: &[Raw<'_>]) -> bool {
    let (cards, mut more) = super::json::each::<wire::Card>(cards);
    for card in cards {
        more |= card.says_more();
        let phones = card.phones.unwrap_or_default().into_iter().filter_map(|phone| phone.phone.or(phone.wa_id));
        let emails = card.emails.unwrap_or_default().into_iter().filter_map(|email| email.email);
        message.contacts.push(v1::SharedContact {
            name: card.name.map(card_name).unwrap_or_default(),
            phones: phones.map(|phone| owned(Some(phone))).collect(),
            emails: emails.map(|email| owned(Some(email))).collect(),
        });
    }
    more
}

fn card_name(name: wire::CardName<'_>) -> String {
    match name.formatted_name {
        Some(formatted) => owned(Some(formatted)),
        None => format!("{} {}", owned(name.first_name), owned(name.last_name)).trim().to_owned(),
    }
}

fn fill_interactive(message: &mut v1::Message, interactive: wire::Interactive<'_>) -> bool {
    let mut more = interactive.says_more();
    let kind = owned(interactive.kind);
    let reply = match (interactive.button_reply.or(interactive.list_reply), interactive.nfm_reply) {
        (Some(choice), None) => {
            more |= choice.says_more();
            v1::Reply {
                kind,
                id: owned(choice.id),
                title: owned(choice.title),
                description: owned(choice.description),
                payload_json: String::new(),
            }
        }
        (None, Some(form)) => {
            more |= form.says_more();
            v1::Reply {
                kind,
                id: owned(form.name),
                title: owned(form.body),
                description: String::new(),
                payload_json: owned(form.response_json),
            }
        }
        _ => return true,
    };
    message.text = reply.title.clone();
    message.reply = Some(reply);
    more
}

/// The payload of a template's button is any text: `id` has it as it is, `payload_json` as JSON.
fn fill_button(message: &mut v1::Message, button: wire::Button<'_>) -> bool {
    let more = button.says_more();
    let (text, payload) = (owned(button.text), owned(button.payload));
    message.text.clone_from(&text);
    message.reply = Some(v1::Reply {
        kind: "button".to_owned(),
        title: text,
        description: String::new(),
        payload_json: if payload.is_empty() {
            String::new()
        } else {
            serde_json::Value::from(payload.as_str()).to_string()
        },
        id: payload,
    });
    more
}
