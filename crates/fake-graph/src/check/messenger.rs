//! Whether a body is one that Messenger's Send API takes.

use serde_json::Value;

use super::{Asked, Recipient, missing, read, wrong};
use crate::GraphError;

/// Longest text, in characters.
const MAX_TEXT: usize = 2_000;
/// Most quick replies.
const MAX_REPLIES: usize = 13;

pub(super) fn check(body: &Value, recipient: &Value) -> Result<Asked, GraphError> {
    let to = read::text(recipient, "id", 1, 256)?.to_owned();
    match (read::optional(body, "sender_action")?, body.get("message")) {
        (Some("mark_seen"), None) => return Ok(Asked::Read { message_id: to, typing: false }),
        (Some("typing_on"), None) => return Ok(Asked::Read { message_id: to, typing: true }),
        (None, Some(message)) => check_message(message)?,
        _ => return Err(wrong(100, "One of message and sender_action is needed")),
    }
    let callback_data = read::optional(&body["message"], "metadata")?.unwrap_or_default().to_owned();
    Ok(Asked::Message { recipient: Recipient::Page(to), kind: String::new(), callback_data })
}

fn check_message(message: &Value) -> Result<(), GraphError> {
    match (message.get("text"), message.get("attachment")) {
        (Some(_), None) => drop(read::text(message, "text", 1, MAX_TEXT)?),
        (None, Some(attachment)) => {
            if !matches!(read::optional(attachment, "type")?, Some("image" | "video" | "audio" | "file")) {
                return Err(wrong(100, "The attachment has no type that is known"));
            }
            let payload = attachment.get("payload").ok_or_else(|| missing("payload"))?;
            if payload.get("url").is_none() && payload.get("attachment_id").is_none() {
                return Err(missing("payload.url"));
            }
        }
        _ => return Err(wrong(100, "One of text and attachment is needed")),
    }
    if message.get("quick_replies").is_some() && read::list(message, "quick_replies")?.len() > MAX_REPLIES {
        return Err(wrong(100, "There are more than 13 quick replies"));
    }
    Ok(())
}
