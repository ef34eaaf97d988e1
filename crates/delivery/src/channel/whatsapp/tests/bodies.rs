use proto::v1;
use serde_json::{Value, json};

use super::super::body;
use crate::channel::{Advice, Outgoing, Recipient};

fn body(outgoing: &Outgoing) -> Value {
    serde_json::from_slice(&body::message(outgoing).unwrap()).unwrap()
}

fn text(text: &str) -> Outgoing {
    let message = v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..v1::Message::default() };
    let to = Recipient::Number("4915".to_owned());
    Outgoing { to, message, reply_to: String::new(), message_id: String::new() }
}

#[test]
fn a_text_to_a_user_id_with_our_own_id_and_what_it_answers() {
    let outgoing = Outgoing {
        to: Recipient::UserId("DE.1".to_owned()),
        reply_to: "wamid.1".to_owned(),
        message_id: "abc-m1".to_owned(),
        ..text("see https://example.com")
    };
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "recipient": "DE.1", "type": "text",
        "text": { "preview_url": true, "body": "see https://example.com" }, "context": { "message_id": "wamid.1" },
        "biz_opaque_callback_data": "abc-m1",
    });
    assert_eq!(body(&outgoing), expected);
}

#[test]
fn a_reaction_names_its_message_once() {
    let mut outgoing = Outgoing { reply_to: "wamid.1".to_owned(), ..text("👍") };
    outgoing.message.r#type = "reaction".to_owned();
    let body = body(&outgoing);
    assert_eq!((&body["reaction"]["message_id"], body.get("context")), (&json!("wamid.1"), None));
}

#[test]
fn files_have_only_what_the_channel_takes_beside_them() {
    let media = v1::Media {
        id: "7".to_owned(),
        caption: "look".to_owned(),
        file_name: "a.pdf".to_owned(),
        link: "https://x".to_owned(),
        voice: true,
        ..v1::Media::default()
    };
    let of = |kind: &str| {
        let message = v1::Message { r#type: kind.to_owned(), media: Some(media.clone()), ..v1::Message::default() };
        body(&Outgoing { message, ..text("") })[kind].clone()
    };
    assert_eq!(of("document"), json!({ "id": "7", "caption": "look", "filename": "a.pdf" }));
    assert_eq!(of("video"), json!({ "id": "7", "caption": "look" }));
    assert_eq!(of("audio"), json!({ "id": "7", "voice": true }));
}

#[test]
fn what_the_channel_cannot_say_is_not_sent() {
    for kind in ["order", "image", "template", "interactive", "location", "contacts", "reaction", ""] {
        let mut outgoing = text("x");
        outgoing.message.r#type = kind.to_owned();
        assert_eq!(body::message(&outgoing).unwrap_err().advice, Advice::Reword, "{kind}");
    }
    let template = v1::Template { components_json: "[".to_owned(), ..v1::Template::default() };
    let message = v1::Message { r#type: "template".to_owned(), template: Some(template), ..v1::Message::default() };
    assert_eq!(body::message(&Outgoing { message, ..text("") }).unwrap_err().advice, Advice::Reword);
}
