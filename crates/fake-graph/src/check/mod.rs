//! Whether a body is one that the Cloud API takes. Limits are those of Meta's reference.

mod interactive;
mod messenger;
mod read;
mod template;

use serde_json::Value;

use crate::GraphError;
use crate::media::Shelf;

pub(crate) use template::Templates;

/// Longest text, in characters.
const MAX_TEXT: usize = 4_096;
/// Longest caption, in characters.
const MAX_CAPTION: usize = 1_024;
/// Longest data that comes back with statuses, in characters.
const MAX_CALLBACK: usize = 512;

/// What a body asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To send a message.
    Message { recipient: Recipient, kind: String, callback_data: String },
    /// To show that a message was read.
    Read { message_id: String, typing: bool },
}

impl Asked {
    /// Of a page, not of a number.
    fn of_page(body: &Value) -> Option<&Value> {
        body.get("recipient").filter(|recipient| recipient.is_object())
    }
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    Number(String),
    UserId(String),
    /// The page-scoped id of somebody on Messenger.
    Page(String),
}

impl Recipient {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Recipient::Number(id) | Recipient::UserId(id) | Recipient::Page(id) => id,
        }
    }
}

/// What exists at the API.
pub(crate) struct Known<'a> {
    pub(crate) templates: &'a Templates,
    pub(crate) media: &'a Shelf,
}

/// The recipient that a body names, whatever else is wrong with it.
pub(crate) fn recipient(body: &Value) -> &str {
    let of = |key: &str| body.get(key).and_then(Value::as_str);
    let of_page = || Asked::of_page(body)?.get("id")?.as_str();
    of("recipient").or_else(|| of("to")).or_else(of_page).unwrap_or_default()
}

/// Reads a body.
pub(crate) fn check(body: &Value, known: &Known<'_>) -> Result<Asked, GraphError> {
    if let Some(recipient) = Asked::of_page(body) {
        return messenger::check(body, recipient);
    }
    if read::optional(body, "messaging_product")? != Some("whatsapp") {
        return Err(wrong(100, "The parameter messaging_product is required."));
    }
    if body.get("status").is_some() {
        return receipt(body);
    }
    let kind = read::optional(body, "type")?.unwrap_or("text");
    let content = |key: &str| body.get(key).ok_or_else(|| missing(key));
    match kind {
        "text" => text(content(kind)?)?,
        "template" => known.templates.check(content(kind)?)?,
        "interactive" => interactive::check(content(kind)?)?,
        "image" | "video" | "audio" | "document" | "sticker" => media(content(kind)?, kind, known.media)?,
        "location" => location(content(kind)?)?,
        "contacts" => contacts(content(kind)?)?,
        "reaction" => reaction(content(kind)?)?,
        _ => {
            return Err(wrong(
                100,
                "Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, TEXT, VIDEO}",
            ));
        }
    }
    if let Some(context) = body.get("context") {
        read::text(context, "message_id", 1, usize::MAX)?;
    }
    let callback_data = read::optional(body, "biz_opaque_callback_data")?.unwrap_or_default();
    if callback_data.chars().count() > MAX_CALLBACK {
        return Err(wrong(100, "Param biz_opaque_callback_data must be at most 512 characters long."));
    }
    let (kind, callback_data) = (kind.to_owned(), callback_data.to_owned());
    Ok(Asked::Message { recipient: addressee(body)?, kind, callback_data })
}

fn addressee(body: &Value) -> Result<Recipient, GraphError> {
    if !matches!(read::optional(body, "recipient_type")?, None | Some("individual")) {
        return Err(wrong(100, "Param recipient_type must be one of {INDIVIDUAL}"));
    }
    match (read::optional(body, "to")?, read::optional(body, "recipient")?) {
        (_, Some(user_id)) if user_id.contains('.') => Ok(Recipient::UserId(user_id.to_owned())),
        (_, Some(_)) => Err(wrong(131_009, "recipient is no business-scoped user id")),
        (Some(number), None) => {
            let digits = number.chars().filter(char::is_ascii_digit).count();
            let fine = (1..=20).contains(&digits) && number.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c));
            if fine { Ok(Recipient::Number(number.to_owned())) } else { Err(wrong(131_009, "to is no phone number")) }
        }
        (None, None) => Err(wrong(100, "The parameter to is required.")),
    }
}

fn receipt(body: &Value) -> Result<Asked, GraphError> {
    if read::optional(body, "status")? != Some("read") {
        return Err(wrong(100, "Param status must be one of {READ}"));
    }
    let message_id = read::text(body, "message_id", 1, usize::MAX)?.to_owned();
    let typing = match body.get("typing_indicator") {
        None => false,
        Some(indicator) if read::optional(indicator, "type")? == Some("text") => true,
        Some(_) => return Err(wrong(100, "Param typing_indicator['type'] must be one of {TEXT}")),
    };
    Ok(Asked::Read { message_id, typing })
}

fn text(text: &Value) -> Result<(), GraphError> {
    read::text(text, "body", 1, MAX_TEXT)?;
    match text.get("preview_url") {
        None | Some(Value::Bool(_)) => Ok(()),
        Some(_) => Err(wrong(100, "Param text['preview_url'] must be a boolean")),
    }
}

fn media(media: &Value, kind: &str, shelf: &Shelf) -> Result<(), GraphError> {
    match (read::optional(media, "id")?, read::optional(media, "link")?) {
        (Some(id), None) if shelf.has(id) => {}
        (Some(id), None) => return Err(wrong(131_053, format!("There is no media {id}"))),
        (None, Some(link)) if ["http://", "https://"].iter().any(|scheme| link.starts_with(scheme)) => {}
        (None, Some(_)) => return Err(wrong(131_053, "The link is no http or https address")),
        _ => return Err(wrong(131_008, format!("{kind} needs one of id and link"))),
    }
    if let Some(caption) = read::optional(media, "caption")? {
        if !matches!(kind, "image" | "video" | "document") {
            return Err(wrong(100, format!("Unexpected key \"caption\" on param \"{kind}\".")));
        }
        if caption.chars().count() > MAX_CAPTION {
            return Err(wrong(100, format!("Param {kind}['caption'] must be at most {MAX_CAPTION} characters long.")));
        }
    }
    if media.get("filename").is_some() && kind != "document" {
        return Err(wrong(100, format!("Unexpected key \"filename\" on param \"{kind}\".")));
    }
    Ok(())
}

fn location(location: &Value) -> Result<(), GraphError> {
    for key in ["latitude", "longitude"] {
        let number = location.get(key).ok_or_else(|| missing(key))?;
        let fine = number.is_number() || number.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
        if !fine {
            return Err(wrong(131_009, format!("{key} is no number")));
        }
    }
    Ok(())
}

fn contacts(contacts: &Value) -> Result<(), GraphError> {
    let contacts = contacts.as_array().filter(|contacts| !contacts.is_empty()).ok_or_else(|| missing("contacts"))?;
    for contact in contacts {
        let name = contact.get("name").ok_or_else(|| missing("contacts.name"))?;
        read::text(name, "formatted_name", 1, usize::MAX)?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| name.get(part).is_some()) {
            return Err(wrong(
                131_008,
                "At least one of the optional parameters of name must be included along with the formatted_name parameter",
            ));
        }
    }
    Ok(())
}

fn reaction(reaction: &Value) -> Result<(), GraphError> {
    read::text(reaction, "message_id", 1, usize::MAX)?;
    match reaction.get("emoji") {
        Some(Value::String(_)) => Ok(()),
        _ => Err(missing("reaction.emoji")),
    }
}

fn wrong(code: i64, details: impl Into<String>) -> GraphError {
    GraphError::of(code).because(details)
}

fn missing(key: &str) -> GraphError {
    wrong(131_008, format!("Required parameter {key} is missing"))
}
