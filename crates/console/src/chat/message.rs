//! What a message says.

use maud::{Markup, html};
use proto::v1;
use v1::MessageStatus as Status;

use super::media::is_shown;
use crate::lang::{Lang, word};
use crate::page::unseen;
use crate::session::encode;
use crate::words;

/// How much of an earlier message a reply quotes, in characters.
const QUOTE: usize = 90;

/// The words of a message, and what it is besides words.
pub(crate) fn body(lang: Lang, conversation: &str, message: &v1::Message) -> Markup {
    if message.revoked {
        return html! { p.gone { (lang.t("This message was taken back.")) } };
    }
    html! {
        @if message.forwarded { p.hint { "↪ " (lang.t("Forwarded")) } }
        @if let Some(media) = &message.media { (self::media(lang, conversation, message, media)) }
        @if let Some(place) = &message.location { (location(lang, place)) }
        @for card in &message.contacts { (contact(lang, card)) }
        @if let Some(template) = &message.template { p.hint { (lang.t("Template")) " " b { (template.name) } " " (template.language) } }
        @match (&message.reply, message.r#type.as_str()) {
            (Some(reply), _) => { (choice(message, reply)) }
            (None, "reaction") => { p.hint { (lang.fill("Reacted {} to a message that is not in this chat", &[&message.text])) } }
            (None, _) => { (text(&message.text)) }
        }
        @if let Some(interactive) = &message.interactive { (offer(interactive, &message.text)) }
        @for error in &message.errors { p.hint { "⚠ " (self::error(error)) } }
        @if is_empty(message) { p.hint { (lang.fill("{} message", &[kind(message)])) } }
    }
}

fn is_empty(message: &v1::Message) -> bool {
    let silent = message.text.is_empty() && message.media.is_none() && message.location.is_none();
    let silent = silent && message.contacts.is_empty() && message.reply.is_none() && message.errors.is_empty();
    silent && message.template.is_none() && message.interactive.is_none()
}

/// A text as it was written, in its own direction.
pub(crate) fn text(text: &str) -> Markup {
    html! { @if !text.is_empty() { p.text dir="auto" { (text) } } }
}

fn kind(message: &v1::Message) -> &str {
    if message.r#type.is_empty() { "unknown" } else { &message.r#type }
}

/// A file: shown where that is harmless, to be kept otherwise. What became of one that is not here the page's script asks.
fn media(lang: Lang, conversation: &str, message: &v1::Message, media: &v1::Media) -> Markup {
    let (sign, what) = match message.r#type.as_str() {
        "image" => ("🖼", lang.t("Image")),
        "video" => ("🎞", lang.t("Video")),
        "audio" if media.voice => ("🎤", lang.t("Voice message")),
        "audio" => ("🎵", lang.t("Audio")),
        "sticker" => ("🏷", lang.t("Sticker")),
        "document" => ("📄", lang.t("Document")),
        other => ("📎", other),
    };
    let address = format!("/c/{}/media/{}", encode(conversation), encode(&media.id));
    let name = words::called(&media.file_name, what);
    let shown = Some(media.mime_type.split('/').next().unwrap_or_default()).filter(|_| is_shown(&media.mime_type));
    let link = |address: &str, elsewhere: bool| {
        html! {
            a.media href=(address) download=[(!elsewhere).then_some(name)] target=[elsewhere.then_some("_blank")] rel="noopener noreferrer" {
                span.sign aria-hidden="true" { (sign) }
                span { b { (what) } @if !media.file_name.is_empty() { " " bdi { (media.file_name) } } br; small { (media.mime_type) span.size {} } }
            }
        }
    };
    html! {
        @if media.id.is_empty() {
            // The file lies with the channel; anything but an address of the web is not led to.
            @let known = ["https://", "http://"].iter().any(|scheme| media.link.starts_with(scheme));
            @if known { (link(&media.link, true)) } @else { p.hint { (sign) " " (what) " " bdi { (media.file_name) } } }
        } @else {
            figure.file data-file=(address) data-what={ (sign) " " (what) } {
                @match shown {
                    Some("image") => { a.shown href=(address) target="_blank" { img src=(address) alt={ (what) " " (media.file_name) } loading="lazy" decoding="async"; } }
                    Some("video") => { video.shown src=(address) controls preload="metadata" aria-label=(name) {} }
                    Some("audio") => { audio.shown src=(address) controls preload="none" aria-label=(name) {} }
                    _ => {}
                }
                div.kept hidden[shown.is_some()] { (link(&address, false)) }
                p.hint.state role="status" hidden {}
            }
        }
        @if message.text.is_empty() { (text(&media.caption)) }
    }
}

fn location(lang: Lang, place: &v1::Location) -> Markup {
    html! {
        div.media {
            span.sign aria-hidden="true" { "📍" }
            span {
                b { (words::called(&place.name, lang.t("Location"))) } br;
                @if !place.address.is_empty() { bdi { (place.address) } br; }
                small { (format!("{:.5}, {:.5}", place.latitude, place.longitude)) }
            }
        }
    }
}

fn contact(lang: Lang, card: &v1::SharedContact) -> Markup {
    html! {
        div.media {
            span.sign aria-hidden="true" { "👤" }
            span { b { bdi { (words::called(&card.name, lang.t("Contact"))) } } br; small { (card.phones.iter().chain(&card.emails).cloned().collect::<Vec<_>>().join(", ")) } }
        }
    }
}

/// What the customer chose.
fn choice(message: &v1::Message, reply: &v1::Reply) -> Markup {
    html! {
        p.text dir="auto" { "▸ " (words::called(&reply.title, &message.text)) }
        @if !reply.description.is_empty() { p.hint dir="auto" { (reply.description) } }
    }
}

/// What the customer is given to choose from.
fn offer(interactive: &v1::Interactive, said: &str) -> Markup {
    html! {
        @for line in [&interactive.header, &interactive.body, &interactive.footer] {
            @if line != said { (text(line)) }
        }
        ul.offer {
            @for button in &interactive.buttons { li dir="auto" { (button.title) } }
            @for row in interactive.list_sections.iter().flat_map(|section| &section.rows) { li dir="auto" { (row.title) } }
        }
    }
}

/// What a message says in a few words, for quoting it.
pub(crate) fn quote(lang: Lang, message: &v1::Message) -> String {
    if message.revoked {
        return lang.t("taken back").to_owned();
    }
    let caption = message.media.as_ref().map_or("", |media| media.caption.as_str());
    let said = words::short(words::called(&message.text, caption), QUOTE);
    if said.is_empty() { format!("[{}]", kind(message)) } else { said }
}

/// How far a message to the customer has come.
pub(crate) fn ticks(lang: Lang, message: &v1::Message) -> Markup {
    if message.direction() != v1::Direction::Outbound {
        return html! {};
    }
    let (class, sign, word) = match message.status() {
        // Not on its way yet. Where a channel never says how far it came, the chat hides this.
        Status::Unspecified if message.channel_message_id.is_empty() => ("unsent", "◷", word("queued")),
        Status::Unspecified => return html! {},
        Status::Queued => ("", "◷", word("queued")),
        Status::Accepted => ("", "✓", word("accepted")),
        Status::Sent => ("", "✓", word("sent")),
        Status::Delivered => ("", "✓✓", word("delivered")),
        Status::Read => ("good", "✓✓", word("read")),
        Status::Played => ("good", "✓✓", word("played")),
        Status::Failed => ("bad", "✗", word("failed")),
    };
    html! { span class={ "ticks " (class) } data-is=(word) title=(lang.t(word)) { span aria-hidden="true" { (sign) } (unseen(lang.t(word))) } }
}

/// Why a message did not reach the customer, from the newest report that says so.
pub(crate) fn failure(lang: Lang, message: &v1::Message) -> Option<String> {
    if message.status() != Status::Failed {
        return None;
    }
    let errors = message.statuses.iter().rev().flat_map(|report| &report.errors);
    Some(errors.map(error).next().unwrap_or_else(|| lang.t("The channel did not say why.").to_owned()))
}

fn error(error: &v1::StatusError) -> String {
    let code = if error.code == 0 { String::new() } else { error.code.to_string() };
    let said: Vec<&str> =
        [&*code, &*error.title, &*error.details].into_iter().filter(|part| !part.is_empty()).collect();
    said.join(" ")
}

/// The reactions to a message.
pub(crate) fn reactions(lang: Lang, message: &v1::Message) -> Markup {
    let each: Vec<_> = message.reactions.iter().filter(|reaction| !reaction.emoji.is_empty()).collect();
    html! {
        @if !each.is_empty() {
            ul.reactions aria-label=(lang.t("Reactions")) {
                @for reaction in each { li title=(words::actor(reaction.actor.as_ref(), lang)) { (reaction.emoji) } }
            }
        }
    }
}
