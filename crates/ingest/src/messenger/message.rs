//! What a message of Messenger says.

use proto::v1;
use serde_json::Value;

use super::event::id;
use crate::item::Reject;
use crate::limits::{MAX_TEXT_BYTES, MAX_WORD_BYTES, clip, is_id};

/// Reads a message. What its fields can't say stands beside them as it came.
pub(super) fn read(content: &Value, mid: String, raw: &str) -> Result<v1::Message, Reject> {
    let mut message = text(content["text"].as_str().unwrap_or_default())?;
    message.channel_message_id = mid;
    let attachments = content["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut more = attachments.len() > 1 || content.get("referral").is_some();
    match attachments.first() {
        Some(attachment) => more |= !attach(&mut message, attachment),
        None => more |= message.text.is_empty(),
    }
    if content["is_deleted"].as_bool().unwrap_or_default() {
        message.revoked = true;
    }
    if let Some(reply) = content.get("reply_to").and_then(|reply| reply.get("mid")) {
        message.reply_to = id(reply, "reply_to.mid")?;
    }
    if let Some(payload) = content["quick_reply"]["payload"].as_str() {
        message.reply = Some(reply("quick_reply", payload, &message.text));
    }
    if more {
        raw.clone_into(&mut message.raw_json);
    }
    Ok(message)
}

/// A button that was pressed.
pub(super) fn postback(content: &Value, mid: String, raw: &str) -> Result<v1::Message, Reject> {
    let title = content["title"].as_str().unwrap_or_default();
    let mut message = v1::Message { channel_message_id: mid, r#type: "postback".to_owned(), ..text(title)? };
    message.reply = Some(reply("postback", content["payload"].as_str().unwrap_or_default(), title));
    if content.get("referral").is_some() {
        raw.clone_into(&mut message.raw_json);
    }
    Ok(message)
}

pub(super) fn text(text: &str) -> Result<v1::Message, Reject> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Reject::TextTooLong);
    }
    Ok(v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..v1::Message::default() })
}

fn reply(kind: &str, payload: &str, title: &str) -> v1::Reply {
    let payload_json = if payload.is_empty() { String::new() } else { Value::from(payload).to_string() };
    let (kind, id, title) = (kind.to_owned(), payload.to_owned(), title.to_owned());
    v1::Reply { kind, id, title, description: String::new(), payload_json }
}

/// Puts an attachment into the fields of the message; `false` if they do not say all of it.
fn attach(message: &mut v1::Message, attachment: &Value) -> bool {
    let kind = attachment["type"].as_str().filter(|kind| is_id(kind)).unwrap_or("unnamed");
    message.r#type = clip(kind, MAX_WORD_BYTES).to_owned();
    let payload = &attachment["payload"];
    match kind {
        "image" | "video" | "audio" | "file" => {
            let Some(link) = payload["url"].as_str() else { return false };
            let caption = message.text.clone();
            message.media = Some(v1::Media { link: link.to_owned(), caption, ..v1::Media::default() });
            payload.get("sticker_id").is_none()
        }
        "location" => {
            let coordinate = |key: &str| payload["coordinates"][key].as_f64();
            let (Some(latitude), Some(longitude)) = (coordinate("lat"), coordinate("long")) else { return false };
            message.location = Some(v1::Location { latitude, longitude, ..v1::Location::default() });
            true
        }
        _ => false,
    }
}
