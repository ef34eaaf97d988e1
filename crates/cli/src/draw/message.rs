//! What a message or a note says, in lines of text.

use proto::v1;

use super::text::{clean, clean_line, fit};
use super::{Line, Style, words};

/// How much of an earlier message a reply quotes, in cells.
const QUOTE: usize = 40;

/// What a message says: its words, and in brackets what it is besides words.
pub(crate) fn lines(message: &v1::Message) -> Vec<String> {
    if message.revoked {
        return vec!["[taken back]".to_owned()];
    }
    let mut lines = Vec::new();
    lines.extend(marker(message));
    lines.extend(body(message));
    lines.extend(message.errors.iter().map(|error| format!("[{}]", self::error(error))));
    if lines.is_empty() {
        lines.push(format!("[{}]", word(message)));
    }
    lines
}

/// What a message says in a few words, for quoting it.
pub(crate) fn quote(message: &v1::Message) -> String {
    fit(&clean_line(&lines(message).join(" ")), QUOTE)
}

/// How far a message to the customer has come; empty for one that nobody has reported about.
pub(crate) fn ticks(message: &v1::Message) -> Line {
    use v1::MessageStatus as Status;
    if message.direction() != v1::Direction::Outbound {
        return Line::default();
    }
    match message.status() {
        Status::Unspecified => Line::default(),
        Status::Queued => Line::of(Style::Dim, "…"),
        Status::Accepted | Status::Sent => Line::of(Style::Dim, "✓"),
        Status::Delivered => Line::of(Style::Dim, "✓✓"),
        Status::Read => Line::of(Style::Good, "✓✓ read"),
        Status::Played => Line::of(Style::Good, "✓✓ played"),
        Status::Failed => Line::of(Style::Bad, "✗ failed"),
    }
}

/// Whether more became of a message than that it was sent and delivered.
pub(crate) fn is_news(message: &v1::Message) -> bool {
    use v1::MessageStatus as Status;
    let seen = matches!(message.status(), Status::Failed | Status::Read | Status::Played);
    seen || message.edited || message.revoked || !message.reactions.is_empty()
}

/// Why a message did not reach the customer, from the newest report that says so.
pub(crate) fn failure(message: &v1::Message) -> Option<String> {
    if message.status() != v1::MessageStatus::Failed {
        return None;
    }
    let errors = message.statuses.iter().rev().flat_map(|report| &report.errors);
    errors.map(error).next()
}

/// The reactions to a message: "👍 Ana".
pub(crate) fn reactions(message: &v1::Message) -> Option<String> {
    let each = message.reactions.iter().filter(|reaction| !reaction.emoji.is_empty());
    let shown: Vec<String> = each
        .map(|reaction| format!("{} {}", clean_line(&reaction.emoji), words::actor(reaction.actor.as_ref())))
        .collect();
    (!shown.is_empty()).then(|| shown.join("  "))
}

fn error(error: &v1::StatusError) -> String {
    let parts = [error.code.to_string(), error.title.clone(), error.details.clone()];
    let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty() && part != "0").collect();
    clean_line(&said.join(" "))
}

fn word(message: &v1::Message) -> String {
    if message.r#type.is_empty() { "message".to_owned() } else { clean_line(&message.r#type) }
}

/// What it is besides words.
fn marker(message: &v1::Message) -> Vec<String> {
    let mut lines = Vec::new();
    if message.forwarded {
        lines.push("[forwarded]".to_owned());
    }
    if let Some(media) = &message.media {
        let what = if media.voice { "voice message".to_owned() } else { word(message) };
        let name = clean_line(&media.file_name);
        lines.push(if name.is_empty() { format!("[{what}]") } else { format!("[{what}: {name}]") });
    }
    if let Some(place) = &message.location {
        let named: Vec<&str> = [&*place.name, &*place.address].into_iter().filter(|text| !text.is_empty()).collect();
        let named = if named.is_empty() { String::new() } else { format!("{} ", clean_line(&named.join(", "))) };
        lines.push(format!("[location] {named}({:.5}, {:.5})", place.latitude, place.longitude));
    }
    for contact in &message.contacts {
        let said = std::iter::once(&contact.name).chain(&contact.phones).chain(&contact.emails);
        let said: Vec<&str> = said.map(String::as_str).filter(|text| !text.is_empty()).collect();
        lines.push(format!("[contact] {}", clean_line(&said.join(", "))));
    }
    if let Some(template) = &message.template {
        lines.push(clean_line(&format!("[template {} {}]", template.name, template.language)));
    }
    lines
}

fn body(message: &v1::Message) -> Vec<String> {
    let mut lines = Vec::new();
    match (&message.reply, message.r#type.as_str()) {
        (Some(reply), _) => lines.extend(choice(message, reply)),
        (None, "reaction") => {
            lines.push(format!("reacted {} to a message not in this chat", clean_line(&message.text)))
        }
        (None, _) if !message.text.is_empty() => lines.push(clean(&message.text)),
        (None, _) => {}
    }
    match (&message.media, message.text.is_empty()) {
        (Some(media), true) if !media.caption.is_empty() => lines.push(clean(&media.caption)),
        _ => {}
    }
    if let Some(interactive) = &message.interactive {
        lines.extend(choices(interactive, &message.text));
    }
    lines
}

/// What the customer chose.
fn choice(message: &v1::Message, reply: &v1::Reply) -> Option<String> {
    let title = if reply.title.is_empty() { &message.text } else { &reply.title };
    let said: Vec<&str> = [&**title, &*reply.description].into_iter().filter(|text| !text.is_empty()).collect();
    (!said.is_empty()).then(|| format!("▸ {}", clean_line(&said.join(" · "))))
}

/// What the customer is given to choose from.
fn choices(interactive: &v1::Interactive, text: &str) -> Vec<String> {
    let said = [&interactive.header, &interactive.body, &interactive.footer];
    let mut lines: Vec<String> =
        said.into_iter().filter(|line| !line.is_empty() && *line != text).map(|line| clean(line)).collect();
    let buttons: Vec<String> = interactive.buttons.iter().map(|button| format!("[{}]", button.title)).collect();
    if !buttons.is_empty() {
        lines.push(clean_line(&buttons.join(" ")));
    }
    for row in interactive.list_sections.iter().flat_map(|section| &section.rows) {
        lines.push(clean_line(&format!("• {}", row.title)));
    }
    lines
}
