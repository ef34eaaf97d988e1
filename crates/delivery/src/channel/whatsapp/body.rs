//! What a message looks like to the Cloud API.

use proto::v1;
use serde::Serialize;
use serde_json::value::RawValue;

use super::interactive::{Interactive, interactive};
use crate::channel::{Advice, Failure, Outgoing, Recipient};

/// The body of a call that sends.
///
/// # Errors
/// [`Advice::Reword`] for what the channel can't say.
pub(super) fn message(outgoing: &Outgoing) -> Result<Vec<u8>, Failure> {
    let content = content(&outgoing.message, &outgoing.reply_to)?;
    // A reaction names the message in itself.
    let answers = !outgoing.reply_to.is_empty() && !matches!(content, Content::Reaction(_));
    let (to, recipient) = match &outgoing.to {
        Recipient::Number(number) => (number.as_str(), ""),
        Recipient::UserId(user_id) => ("", user_id.as_str()),
    };
    written(&Body {
        messaging_product: "whatsapp",
        recipient_type: "individual",
        to,
        recipient,
        r#type: content.name(),
        content,
        context: answers.then_some(Context { message_id: &outgoing.reply_to }),
        biz_opaque_callback_data: &outgoing.message_id,
    })
}

/// The body of a call that shows that a message was read.
pub(super) fn seen(channel_message_id: &str, typing: bool) -> Result<Vec<u8>, Failure> {
    written(&Seen {
        messaging_product: "whatsapp",
        status: "read",
        message_id: channel_message_id,
        typing_indicator: typing.then_some(Typing { r#type: "text" }),
    })
}

fn written(body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| unsaid(error.to_string()))
}

/// What the channel can't say.
fn unsaid(why: impl Into<String>) -> Failure {
    let title = "the channel can't say this".to_owned();
    Failure { advice: Advice::Reword, code: 0, title, details: why.into(), retry_after: None }
}

#[derive(Serialize)]
struct Body<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    to: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    recipient: &'a str,
    r#type: &'static str,
    #[serde(flatten)]
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    biz_opaque_callback_data: &'a str,
}

#[derive(Serialize)]
struct Context<'a> {
    message_id: &'a str,
}

#[derive(Serialize)]
struct Seen<'a> {
    messaging_product: &'static str,
    status: &'static str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    typing_indicator: Option<Typing>,
}

#[derive(Serialize)]
struct Typing {
    r#type: &'static str,
}

/// What is said, under the name of its type.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Content<'a> {
    Text(Text<'a>),
    Template(Template<'a>),
    Interactive(Interactive<'a>),
    Image(Media<'a>),
    Video(Media<'a>),
    Audio(Media<'a>),
    Document(Media<'a>),
    Sticker(Media<'a>),
    Location(Location<'a>),
    Contacts(Vec<Card<'a>>),
    Reaction(Reaction<'a>),
}

impl Content<'_> {
    fn name(&self) -> &'static str {
        match self {
            Content::Text(_) => "text",
            Content::Template(_) => "template",
            Content::Interactive(_) => "interactive",
            Content::Image(_) => "image",
            Content::Video(_) => "video",
            Content::Audio(_) => "audio",
            Content::Document(_) => "document",
            Content::Sticker(_) => "sticker",
            Content::Location(_) => "location",
            Content::Contacts(_) => "contacts",
            Content::Reaction(_) => "reaction",
        }
    }
}

fn content<'a>(message: &'a v1::Message, reply_to: &'a str) -> Result<Content<'a>, Failure> {
    let without = |what: &str| unsaid(format!("it is of the type {:?} without {what}", message.r#type));
    let media = || message.media.as_ref().ok_or_else(|| without("a file"));
    Ok(match message.r#type.as_str() {
        "text" => Content::Text(Text { preview_url: has_link(&message.text), body: &message.text }),
        "template" => Content::Template(template(message.template.as_ref().ok_or_else(|| without("a template"))?)?),
        "interactive" => {
            Content::Interactive(interactive(message.interactive.as_ref().ok_or_else(|| without("buttons or a list"))?))
        }
        "image" => Content::Image(file(media()?, Beside::CAPTION)),
        "video" => Content::Video(file(media()?, Beside::CAPTION)),
        "audio" | "voice" => Content::Audio(file(media()?, Beside { voice: true, ..Beside::NOTHING })),
        "document" => Content::Document(file(media()?, Beside { name: true, ..Beside::CAPTION })),
        "sticker" => Content::Sticker(file(media()?, Beside::NOTHING)),
        "location" => Content::Location(location(message.location.as_ref().ok_or_else(|| without("a place"))?)),
        "contacts" if message.contacts.is_empty() => return Err(without("a card")),
        "contacts" => Content::Contacts(message.contacts.iter().map(card).collect()),
        "reaction" if reply_to.is_empty() => return Err(without("a message that it is to")),
        "reaction" => Content::Reaction(Reaction { message_id: reply_to, emoji: &message.text }),
        other => return Err(unsaid(format!("messages of the type {other:?} can't be sent"))),
    })
}

/// Whether there is something to show a preview of.
fn has_link(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.contains(scheme))
}

#[derive(Serialize)]
struct Text<'a> {
    preview_url: bool,
    body: &'a str,
}

#[derive(Serialize)]
struct Template<'a> {
    name: &'a str,
    language: Language<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Language<'a> {
    code: &'a str,
}

fn template(template: &v1::Template) -> Result<Template<'_>, Failure> {
    let json = template.components_json.as_str();
    let components = (!json.is_empty()).then(|| serde_json::from_str(json)).transpose();
    let components = components.map_err(|error| unsaid(format!("the template's components are no JSON: {error}")))?;
    Ok(Template { name: &template.name, language: Language { code: &template.language }, components })
}

#[derive(Serialize)]
struct Media<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    link: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    caption: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    filename: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    voice: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What the channel takes beside a file of some type.
struct Beside {
    caption: bool,
    name: bool,
    voice: bool,
}

impl Beside {
    const NOTHING: Beside = Beside { caption: false, name: false, voice: false };
    const CAPTION: Beside = Beside { caption: true, ..Beside::NOTHING };
}

fn file(media: &v1::Media, beside: Beside) -> Media<'_> {
    Media {
        id: &media.id,
        link: if media.id.is_empty() { &media.link } else { "" },
        caption: if beside.caption { &media.caption } else { "" },
        filename: if beside.name { &media.file_name } else { "" },
        voice: beside.voice && media.voice,
    }
}

#[derive(Serialize)]
struct Location<'a> {
    latitude: f64,
    longitude: f64,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    address: &'a str,
}

fn location(location: &v1::Location) -> Location<'_> {
    let v1::Location { latitude, longitude, name, address } = location;
    Location { latitude: *latitude, longitude: *longitude, name, address }
}

#[derive(Serialize)]
struct Card<'a> {
    name: CardName<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phones: Vec<Phone<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<Email<'a>>,
}

/// The channel wants one part of the name beside the whole.
#[derive(Serialize)]
struct CardName<'a> {
    formatted_name: &'a str,
    first_name: &'a str,
}

#[derive(Serialize)]
struct Phone<'a> {
    phone: &'a str,
}

#[derive(Serialize)]
struct Email<'a> {
    email: &'a str,
}

fn card(card: &v1::SharedContact) -> Card<'_> {
    Card {
        name: CardName { formatted_name: &card.name, first_name: &card.name },
        phones: card.phones.iter().map(|phone| Phone { phone }).collect(),
        emails: card.emails.iter().map(|email| Email { email }).collect(),
    }
}

#[derive(Serialize)]
struct Reaction<'a> {
    message_id: &'a str,
    emoji: &'a str,
}
