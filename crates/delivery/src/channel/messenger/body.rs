//! What a message looks like to the Send API.

use proto::v1;
use serde_json::{Value, json};

use crate::channel::graph::unfit;
use crate::channel::{Failure, Outgoing, Recipient};

/// The body of a call that sends. Our id of the message goes along as metadata, which comes back with its echo.
///
/// # Errors
/// [`crate::channel::Advice::Reword`] for what the channel can't say.
pub(super) fn message(outgoing: &Outgoing) -> Result<Vec<u8>, Failure> {
    let mut message = content(&outgoing.message)?;
    if !outgoing.message_id.is_empty() {
        message["metadata"] = outgoing.message_id.as_str().into();
    }
    let mut body = json!({ "recipient": recipient(&outgoing.to), "messaging_type": "RESPONSE", "message": message });
    if !outgoing.reply_to.is_empty() {
        body["reply_to"] = json!({ "mid": outgoing.reply_to });
    }
    written(&body)
}

/// The body of a call that shows something to the customer.
pub(super) fn action(to: &Recipient, action: &str) -> Result<Vec<u8>, Failure> {
    written(&json!({ "recipient": recipient(to), "sender_action": action }))
}

fn written(body: &Value) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| unsaid(error.to_string()))
}

fn recipient(to: &Recipient) -> Value {
    match to {
        Recipient::Number(id) | Recipient::UserId(id) => json!({ "id": id }),
    }
}

fn unsaid(why: String) -> Failure {
    unfit("the channel can't say this", why)
}

fn content(message: &v1::Message) -> Result<Value, Failure> {
    let kind = message.r#type.as_str();
    match (kind, &message.media, &message.interactive) {
        ("text", ..) => Ok(json!({ "text": message.text })),
        ("interactive", _, Some(interactive)) => Ok(quick_replies(interactive)),
        ("image" | "sticker", Some(media), _) => attachment("image", media),
        ("video", Some(media), _) => attachment("video", media),
        ("audio" | "voice", Some(media), _) => attachment("audio", media),
        ("document" | "file", Some(media), _) => attachment("file", media),
        _ => Err(unsaid(format!("messages of the type {kind:?} can't be sent to Messenger"))),
    }
}

/// A file by its address, or by its id at the channel.
fn attachment(kind: &str, media: &v1::Media) -> Result<Value, Failure> {
    if !media.caption.is_empty() {
        return Err(unsaid("a file has no words beside it there: send them as a message of their own".to_owned()));
    }
    if media.id.starts_with("tm-") {
        return Err(unsaid("an uploaded file can't be sent there yet: send a link to it".to_owned()));
    }
    let payload = if media.id.is_empty() {
        json!({ "url": media.link, "is_reusable": false })
    } else {
        json!({ "attachment_id": media.id })
    };
    Ok(json!({ "attachment": { "type": kind, "payload": payload } }))
}

/// Buttons and rows become quick replies below the words; descriptions of rows have no place.
fn quick_replies(interactive: &v1::Interactive) -> Value {
    let v1::Interactive { header, body, footer, buttons, list_sections, .. } = interactive;
    let words: Vec<&str> = [header, body, footer].into_iter().map(String::as_str).filter(|t| !t.is_empty()).collect();
    let reply = |id: &str, title: &str| json!({ "content_type": "text", "title": title, "payload": id });
    let rows = list_sections.iter().flat_map(|section| &section.rows).map(|row| reply(&row.id, &row.title));
    let replies: Vec<Value> = buttons.iter().map(|button| reply(&button.id, &button.title)).chain(rows).collect();
    json!({ "text": words.join("\n\n"), "quick_replies": replies })
}
