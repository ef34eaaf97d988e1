//! What is said to the customer.

use std::collections::HashSet;

use proto::v1;
use proto::v1::send_message_request::Content;
use serde_json::value::RawValue;
use service::status::Mistakes;

use super::check;

/// Longest text, in characters: the channel's limit.
const MAX_TEXT: usize = 4_096;
/// Longest caption, header or footer, in characters.
const MAX_CAPTION: usize = 1_024;
/// Longest label of a button or row, in characters.
const MAX_LABEL: usize = 256;
/// Most buttons of a message.
const MAX_BUTTONS: usize = 3;
/// Most rows of a list, over all its sections.
const MAX_ROWS: usize = 10;
/// Longest name of a template, in bytes.
const MAX_TEMPLATE_NAME: usize = 512;
/// Longest components of a template, in bytes.
const MAX_COMPONENTS: usize = 16 * 1024;
/// Longest emoji, in bytes: families and flags are many characters.
const MAX_EMOJI: usize = 64;

/// The types of files that can be sent.
const MEDIA_TYPES: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// Notes what is wrong with the content of a message.
pub(crate) fn check(mistakes: &mut Mistakes, request: &v1::SendMessageRequest) {
    check::short(mistakes, "reply_to", &request.reply_to);
    match &request.content {
        None => mistakes.add("content", "is missing: one of text, template, interactive, media or reaction"),
        Some(Content::Text(text)) => check::characters(mistakes, "text", text, MAX_TEXT),
        Some(Content::Template(template)) => check_template(mistakes, template),
        Some(Content::Interactive(interactive)) => check_interactive(mistakes, interactive),
        Some(Content::Media(media)) => check_media(mistakes, media),
        Some(Content::Reaction(reaction)) => {
            check::id(mistakes, "reaction.message_id", &reaction.message_id);
            check::bytes(mistakes, "reaction.emoji", &reaction.emoji, MAX_EMOJI);
        }
    }
}

/// The message as it stands in the chat.
pub(crate) fn message(request: v1::SendMessageRequest) -> v1::Message {
    let mut message = v1::Message { reply_to: request.reply_to, ..v1::Message::default() };
    match request.content {
        None => {}
        Some(Content::Text(text)) => {
            message.r#type = "text".to_owned();
            message.text = text;
        }
        Some(Content::Template(template)) => {
            message.r#type = "template".to_owned();
            message.template = Some(template);
        }
        Some(Content::Interactive(interactive)) => {
            message.r#type = "interactive".to_owned();
            message.text.clone_from(&interactive.body);
            message.interactive = Some(interactive);
        }
        Some(Content::Media(media)) => {
            message.r#type = media.r#type;
            message.text = media.media.as_ref().map(|media| media.caption.clone()).unwrap_or_default();
            message.media = media.media;
        }
        Some(Content::Reaction(reaction)) => {
            message.r#type = "reaction".to_owned();
            message.text = reaction.emoji;
            message.reply_to = reaction.message_id;
        }
    }
    message
}

fn check_template(mistakes: &mut Mistakes, template: &v1::Template) {
    mistakes.unless(!template.name.is_empty(), "template.name", "is empty");
    check::bytes(mistakes, "template.name", &template.name, MAX_TEMPLATE_NAME);
    check::id(mistakes, "template.language", &template.language);
    let components = &template.components_json;
    check::bytes(mistakes, "template.components_json", components, MAX_COMPONENTS);
    let fine = components.is_empty() || serde_json::from_str::<Vec<&RawValue>>(components).is_ok();
    mistakes.unless(fine, "template.components_json", "is no JSON array");
}

fn check_interactive(mistakes: &mut Mistakes, interactive: &v1::Interactive) {
    check::characters(mistakes, "interactive.body", &interactive.body, MAX_TEXT);
    for (field, text) in [("header", &interactive.header), ("footer", &interactive.footer)] {
        if !text.is_empty() {
            check::characters(mistakes, &format!("interactive.{field}"), text, MAX_CAPTION);
        }
    }
    match (interactive.buttons.is_empty(), interactive.list_sections.is_empty()) {
        (true, true) => mistakes.add("interactive.buttons", "are missing, and so is a list"),
        (false, false) => mistakes.add("interactive.list_sections", "can't stand beside buttons"),
        (false, true) => check_buttons(mistakes, &interactive.buttons),
        (true, false) => check_list(mistakes, interactive),
    }
}

fn check_buttons(mistakes: &mut Mistakes, buttons: &[v1::Button]) {
    mistakes.unless(buttons.len() <= MAX_BUTTONS, "interactive.buttons", format!("are more than {MAX_BUTTONS}"));
    let mut ids = HashSet::new();
    for (at, button) in buttons.iter().enumerate() {
        let path = format!("interactive.buttons[{at}]");
        check_label(mistakes, &path, &button.id, &button.title, &mut ids);
    }
}

fn check_list(mistakes: &mut Mistakes, interactive: &v1::Interactive) {
    check::characters(mistakes, "interactive.list_button", &interactive.list_button, MAX_LABEL);
    let rows: usize = interactive.list_sections.iter().map(|section| section.rows.len()).sum();
    let fine = (1..=MAX_ROWS).contains(&rows);
    mistakes.unless(fine, "interactive.list_sections", format!("have {rows} rows: 1 to {MAX_ROWS} are taken"));
    let mut ids = HashSet::new();
    for (at, section) in interactive.list_sections.iter().enumerate() {
        check::short(mistakes, &format!("interactive.list_sections[{at}].title"), &section.title);
        for (row_at, row) in section.rows.iter().enumerate() {
            let path = format!("interactive.list_sections[{at}].rows[{row_at}]");
            check_label(mistakes, &path, &row.id, &row.title, &mut ids);
            check::short(mistakes, &format!("{path}.description"), &row.description);
        }
    }
}

fn check_label<'a>(mistakes: &mut Mistakes, path: &str, id: &'a str, title: &str, ids: &mut HashSet<&'a str>) {
    check::id(mistakes, &format!("{path}.id"), id);
    mistakes.unless(ids.insert(id), &format!("{path}.id"), "is there twice");
    check::characters(mistakes, &format!("{path}.title"), title, MAX_LABEL);
}

fn check_media(mistakes: &mut Mistakes, outbound: &v1::OutboundMedia) {
    let known = MEDIA_TYPES.contains(&outbound.r#type.as_str());
    mistakes.unless(known, "media.type", format!("has to be one of {}", MEDIA_TYPES.join(", ")));
    let Some(media) = &outbound.media else { return mistakes.add("media.media", "is missing") };
    check::media(mistakes, "media.media", media);
    match (media.id.is_empty(), media.link.is_empty()) {
        (true, true) => mistakes.add("media.media.id", "is missing, and so is a link"),
        (false, false) => mistakes.add("media.media.link", "can't stand beside an id"),
        _ => {}
    }
    if !media.caption.is_empty() {
        check::characters(mistakes, "media.media.caption", &media.caption, MAX_CAPTION);
    }
}
