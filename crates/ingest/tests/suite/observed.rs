//! What a webhook's items say, in the words of the fixtures' index.

use ingest::whatsapp::{Chat, Effect, Item, Other, Status, Update};
use proto::v1;
use serde_json::{Map, Value, json};

/// A message, a reaction or a word of the channel, wherever it was found.
pub struct Seen<'a> {
    pub phone_number_id: &'a str,
    pub contact: v1::Contact,
    pub message: &'a v1::Message,
    pub seconds: i64,
    /// Of a reaction.
    pub removed: bool,
    /// Of a system message: its own word.
    pub system: Option<&'a str>,
    /// Of a system message: the new address.
    pub new_number: Option<&'a str>,
}

/// What the index expects of these items, with repeated ids told once.
pub fn expected(items: &[Item<'_>]) -> Value {
    let (mut messages, mut statuses, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let number = item.phone_number_id.as_deref().unwrap_or_default();
        match item.update.as_ref().expect("every item of a fixture can be taken") {
            Update::Chat(chat) => push_new(&mut messages, message(&seen(number, chat))),
            Update::Status(report) => push_new(&mut statuses, status(number, report)),
            Update::Other(change) => others.push(other(change)),
        }
    }
    whole(messages, statuses, others)
}

pub fn whole(messages: Vec<Value>, statuses: Vec<Value>, others: Vec<Value>) -> Value {
    let mut expected = Map::new();
    if !messages.is_empty() {
        expected.insert("messages".to_owned(), messages.into());
    }
    if !statuses.is_empty() {
        expected.insert("final_status".to_owned(), final_status(&statuses));
        expected.insert("statuses".to_owned(), statuses.into());
    }
    if !others.is_empty() {
        expected.insert("other".to_owned(), others.into());
    }
    expected.into()
}

/// Adds it unless its id is there: the first of several counts.
pub fn push_new(list: &mut Vec<Value>, value: Value) {
    let same = |other: &Value| (&other["id"], &other["status"]) == (&value["id"], &value["status"]);
    if !list.iter().any(same) {
        list.push(value);
    }
}

fn seen<'a>(phone_number_id: &'a str, chat: &'a Chat) -> Seen<'a> {
    let (system, new_number) = match &chat.effect {
        Effect::Contact { word, now } => (Some(word.as_str()), now.number.as_deref()),
        _ => (None, None),
    };
    Seen {
        phone_number_id,
        contact: chat.person.contact(),
        message: &chat.message,
        seconds: chat.seconds,
        removed: matches!(chat.effect, Effect::Reaction { removed: true, .. }),
        system,
        new_number,
    }
}

pub fn message(seen: &Seen<'_>) -> Value {
    let raw: Value = serde_json::from_str(&seen.message.raw_json).unwrap_or_default();
    let mut out = json!({
        "phone_number_id": seen.phone_number_id,
        "id": seen.message.channel_message_id,
        "type": seen.message.r#type,
        "timestamp": seen.seconds,
        "content": content(seen, &raw),
    });
    if seen.contact.id != seen.contact.user_id {
        out["from"] = json!(seen.contact.id);
    }
    if !seen.contact.user_id.is_empty() {
        out["from_user_id"] = json!(seen.contact.user_id);
    }
    if !seen.contact.display_name.is_empty() {
        out["profile_name"] = json!(seen.contact.display_name);
    }
    if !seen.message.reply_to.is_empty() && seen.message.r#type != "reaction" {
        out["context_id"] = json!(seen.message.reply_to);
    }
    if seen.message.forwarded {
        out["forwarded"] = json!(true);
    }
    if !seen.message.errors.is_empty() {
        out["error_codes"] = seen.message.errors.iter().map(|error| error.code).collect();
    }
    copy(&mut out, "referral_source_id", &raw["referral"]["source_id"]);
    copy(&mut out, "ctwa_clid", &raw["referral"]["ctwa_clid"]);
    out
}

fn content(seen: &Seen<'_>, raw: &Value) -> Value {
    let message = seen.message;
    match message.r#type.as_str() {
        "text" => json!({"text": message.text}),
        "image" | "video" | "audio" | "document" | "sticker" => media(message.media.as_ref().unwrap()),
        "location" => location(message.location.as_ref(), &raw["location"]),
        "contacts" => json!({"contacts": message.contacts.iter().map(|card| &card.name).collect::<Vec<_>>()}),
        "interactive" => interactive(message.reply.as_ref().unwrap()),
        "button" => {
            let reply = message.reply.as_ref().unwrap();
            assert_eq!(serde_json::from_str::<Value>(&reply.payload_json).unwrap(), json!(reply.id));
            json!({"text": message.text, "payload": reply.id})
        }
        "reaction" if seen.removed => json!({"target_id": message.reply_to, "removed": true}),
        "reaction" => json!({"target_id": message.reply_to, "emoji": message.text, "removed": false}),
        "order" => {
            let order = &raw["order"];
            json!({"catalog_id": order["catalog_id"], "text": message.text, "items": order["product_items"]})
        }
        "system" => {
            let name = if raw["system"]["new_wa_id"].is_null() { "wa_id" } else { "new_wa_id" };
            let mut out = json!({"system_type": seen.system, "body": message.text, name: seen.new_number});
            copy(&mut out, "customer", &raw["system"]["customer"]);
            out
        }
        "unknown" | "unsupported" => json!({}),
        other => panic!("no fixture was of the type {other}"),
    }
}

fn media(media: &v1::Media) -> Value {
    let mut out = json!({"media_id": media.id, "mime_type": media.mime_type});
    for (name, value) in [("caption", &media.caption), ("filename", &media.file_name)] {
        if !value.is_empty() {
            out[name] = json!(value);
        }
    }
    out
}

/// Coordinates that are no numbers, and what a location has besides, stand in the raw JSON.
fn location(location: Option<&v1::Location>, raw: &Value) -> Value {
    let mut out = match location {
        Some(location) => json!({
            "latitude": location.latitude,
            "longitude": location.longitude,
            "name": location.name,
            "address": location.address,
        }),
        None => raw.clone(),
    };
    copy(&mut out, "url", &raw["url"]);
    out
}

fn interactive(reply: &v1::Reply) -> Value {
    if reply.kind == "nfm_reply" {
        return json!({
            "interactive_type": reply.kind,
            "flow_name": reply.id,
            "flow_response_raw": reply.payload_json,
            "flow_response": serde_json::from_str::<Value>(&reply.payload_json).unwrap(),
        });
    }
    let mut out = json!({"interactive_type": reply.kind, "reply_id": reply.id, "title": reply.title});
    if !reply.description.is_empty() {
        out["description"] = json!(reply.description);
    }
    out
}

fn status(phone_number_id: &str, status: &Status) -> Value {
    let recipient = status.person.number.as_deref().unwrap_or_default();
    report(phone_number_id, &status.message_id, recipient, &status.report)
}

pub fn report(phone_number_id: &str, message_id: &str, recipient: &str, report: &v1::StatusReport) -> Value {
    let raw: Value = serde_json::from_str(&report.raw_json).unwrap_or_default();
    assert_ne!(report.status(), v1::MessageStatus::Unspecified, "every status of a fixture is known");
    let mut out = json!({
        "phone_number_id": phone_number_id,
        "id": message_id,
        "status": report.channel_status,
        "timestamp": report.time.as_ref().unwrap().seconds,
        "recipient_id": recipient,
    });
    if !report.errors.is_empty() {
        out["error_codes"] = report.errors.iter().map(|error| error.code).collect();
    }
    copy(&mut out, "conversation_id", &raw["conversation"]["id"]);
    copy(&mut out, "origin", &raw["conversation"]["origin"]["type"]);
    copy(&mut out, "pricing_model", &raw["pricing"]["pricing_model"]);
    copy(&mut out, "pricing_category", &raw["pricing"]["category"]);
    copy(&mut out, "billable", &raw["pricing"]["billable"]);
    out
}

/// The furthest status of each message: no fixture reports about one message twice.
fn final_status(statuses: &[Value]) -> Value {
    statuses.iter().map(|status| (status["id"].as_str().unwrap().to_owned(), status["status"].clone())).collect()
}

fn other(change: &Other) -> Value {
    let whole: Value = serde_json::from_str(&change.json).unwrap();
    assert_eq!(whole["field"], json!(change.field));
    external(&whole)
}

/// Of the JSON of a channel event.
pub fn external(whole: &Value) -> Value {
    let value = whole["value"].as_object().unwrap();
    let mut keys: Vec<&String> = value.keys().collect();
    keys.sort();
    let mut out = json!({"field": whole["field"], "keys": keys});
    copy(&mut out, "event", &whole["value"]["event"]);
    out
}

fn copy(out: &mut Value, name: &str, value: &Value) {
    if !value.is_null() {
        out[name] = value.clone();
    }
}
