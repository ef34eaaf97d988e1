//! Bodies written here, for what the fixtures do not hold.

use ingest::whatsapp::{self, Chat, Effect, Item, Reject, Source, Update};
use proto::v1;
use serde_json::{Value, json};

use crate::bodies::{self, BUSINESS, CUSTOMER, NUMBER, body, change, echo, message, messages, text};

pub fn with_items<T>(body: &Value, look: impl FnOnce(&[Item<'_>]) -> T) -> T {
    look(&whatsapp::parse(body.to_string().as_bytes()).unwrap())
}

/// What the only item of a body says about the chat.
pub fn chat(body: &Value) -> Chat {
    let text = body.to_string();
    let mut items = whatsapp::parse(text.as_bytes()).unwrap();
    assert_eq!(items.len(), 1, "{items:?}");
    match items.pop().unwrap().update {
        Ok(Update::Chat(chat)) => *chat,
        other => panic!("{other:?}"),
    }
}

/// What the only message of a change says.
fn said(one: Value) -> v1::Message {
    chat(&body(&[messages(&[one])])).message
}

#[test]
fn everything_is_read_from_every_entry_and_change() {
    with_items(&bodies::everything(), |items| {
        assert!(items.iter().all(|item| item.update.is_ok()), "{items:#?}");
        let sources = items.iter().filter_map(|item| match item.update.as_ref().unwrap() {
            Update::Chat(chat) => Some(chat.source),
            _ => None,
        });
        let count = |wanted| sources.clone().filter(|source| *source == wanted).count();
        assert_eq!((count(Source::Live), count(Source::Echo), count(Source::History)), (14, 1, 3));
        assert_eq!(items.len(), 14 + 1 + 3 + 2 + 1);
    });
}

#[test]
fn only_what_is_not_understood_keeps_its_raw_json() {
    assert_eq!(said(text("m", "hi")).raw_json, "");
    assert_eq!(said(message("m", "image", json!({"id": "f", "mime_type": "image/png", "sha256": "x"}))).raw_json, "");
    let one = message("m", "image", json!({"id": "f", "mime_type": "image/png", "hdr": true}));
    assert_eq!(serde_json::from_str::<Value>(&said(one.clone()).raw_json).unwrap(), one);
    let mut one = text("m", "hi");
    one["mood"] = json!("good");
    assert_eq!(serde_json::from_str::<Value>(&said(one.clone()).raw_json).unwrap(), one);
    let new = said(message("m", "hologram", json!({"depth": 3})));
    assert_eq!((new.r#type.as_str(), new.text.as_str()), ("hologram", ""));
    assert!(new.raw_json.contains(r#"{"depth":3}"#));
}

#[test]
fn fields_that_cannot_be_read_stay_in_the_raw_json() {
    let place = said(message("m", "location", json!({"latitude": "north", "longitude": 1, "name": "Here"})));
    assert!(place.location.is_none() && place.raw_json.contains("north"));
    let image = said(message("m", "image", json!("not an object")));
    assert!(image.media.is_none() && image.raw_json.contains("not an object"));
    let mut one = text("m", "hi");
    one["context"] = json!({"id": "bad\nid", "forwarded": "yes"});
    let one = said(one);
    assert_eq!((one.text.as_str(), one.reply_to.as_str(), one.forwarded), ("hi", "", false));
    assert!(one.raw_json.contains("forwarded"));
    let card = said(message("m", "contacts", json!([{"name": {"formatted_name": "Bob"}}, 7])));
    assert!(card.contacts.len() == 1 && card.raw_json.contains('7'));
}

#[test]
fn a_missing_type_is_told_by_the_content() {
    let mut one = text("m", "hi");
    one.as_object_mut().unwrap().remove("type");
    assert_eq!((said(one.clone()).r#type.as_str(), said(one.clone()).raw_json.as_str()), ("text", ""));
    one["aside"] = json!({});
    assert_eq!(said(one).r#type, "text");
    let one = said(json!({"id": "m", "from": CUSTOMER, "timestamp": 1, "hologram": {}}));
    assert_eq!(one.r#type, "hologram");
    let one = said(json!({"id": "m", "from": CUSTOMER, "timestamp": 1}));
    assert!(one.r#type == "unknown" && !one.raw_json.is_empty());
}

#[test]
fn replies_carry_what_was_chosen() {
    let one =
        said(message("m", "interactive", json!({"type": "button_reply", "button_reply": {"id": "b", "title": "B"}})));
    let reply = one.reply.unwrap();
    assert_eq!(
        (one.text.as_str(), reply.kind.as_str(), reply.id.as_str(), reply.title.as_str()),
        ("B", "button_reply", "b", "B")
    );
    let one = said(message("m", "interactive", json!({"type": "dial_reply", "dial_reply": {"id": "b"}})));
    assert!(one.reply.is_none() && one.raw_json.contains("dial_reply"));
    let reply = said(message("m", "button", json!({"text": "T", "payload": "{\"a\":1}"}))).reply.unwrap();
    assert_eq!((reply.id.as_str(), reply.payload_json.as_str()), ("{\"a\":1}", r#""{\"a\":1}""#));
}

#[test]
fn context_says_what_is_answered_and_forwarded() {
    let mut one = text("m", "hi");
    one["context"] = json!({"from": "1", "id": "m-before"});
    assert_eq!((said(one.clone()).reply_to.as_str(), said(one.clone()).raw_json.as_str()), ("m-before", ""));
    one["context"] = json!({"frequently_forwarded": true});
    assert!(said(one.clone()).forwarded);
    one["context"] = json!({"id": "m-before", "referred_product": {"catalog_id": "c"}});
    assert!(said(one).raw_json.contains("referred_product"));
}

#[test]
fn reactions_edits_and_revocations_point_to_their_message() {
    let react = |content| chat(&body(&[messages(&[message("m", "reaction", content)])]));
    let made = react(json!({"message_id": "t", "emoji": "👍"}));
    assert_eq!(made.effect, Effect::Reaction { target: "t".to_owned(), removed: false });
    for gone in
        [json!({"message_id": "t"}), json!({"message_id": "t", "emoji": ""}), json!({"message_id": "t", "emoji": null})]
    {
        assert_eq!(react(gone).effect, Effect::Reaction { target: "t".to_owned(), removed: true });
    }
    // Without a target it can change nothing, and a human should see it.
    let lost = react(json!({"emoji": "👍"}));
    assert!(lost.effect == Effect::Message && !lost.message.raw_json.is_empty());

    let now = json!({"type": "text", "text": {"body": "new"}, "context": {"id": "c"}});
    let edit = chat(&body(&[messages(&[message("m", "edit", json!({"original_message_id": "t", "message": now}))])]));
    assert_eq!(edit.effect, Effect::Edit { target: "t".to_owned() });
    let message_now = &edit.message;
    assert_eq!(
        (message_now.r#type.as_str(), message_now.text.as_str(), message_now.reply_to.as_str()),
        ("text", "new", "c")
    );
    assert_eq!((message_now.channel_message_id.as_str(), message_now.raw_json.as_str()), ("m", ""));

    let revoke = chat(&body(&[messages(&[message("m", "revoke", json!({"original_message_id": "t"}))])]));
    assert_eq!(revoke.effect, Effect::Revoke { target: "t".to_owned() });
}

#[test]
fn echoes_are_what_the_business_said() {
    let chat = chat(&body(&[change("smb_message_echoes", json!({"message_echoes": [echo("e", "on our way")]}))]));
    assert_eq!((chat.source, chat.direction), (Source::Echo, v1::Direction::Outbound));
    assert_eq!((chat.person.number.as_deref(), chat.message.text.as_str()), (Some(CUSTOMER), "on our way"));
    let lost = json!({"id": "e", "from": "1", "timestamp": "1", "type": "text", "text": {"body": "x"}});
    with_items(&body(&[change("smb_message_echoes", json!({"message_echoes": [lost]}))]), |items| {
        assert_eq!(items[0].update.as_ref().unwrap_err(), &Reject::Nobody);
    });
}

#[test]
fn history_has_a_direction_by_who_wrote() {
    let old = |id: &str, from: &str| {
        json!({"id": id, "from": from, "timestamp": "1", "type": "text", "text": {"body": "x"},
            "history_context": {"status": "READ"}})
    };
    let threads = json!([{"id": CUSTOMER, "messages": [old("p-1", CUSTOMER), old("p-2", "49305550001"), old("p-3", "4930 5550001")]}]);
    with_items(&body(&[change("history", json!({"history": [{"threads": threads}]}))]), |items| {
        let found = items.iter().map(|item| match item.update.as_ref().unwrap() {
            Update::Chat(chat) => (chat.direction, chat.person.number.as_deref(), chat.message.status()),
            other => panic!("{other:?}"),
        });
        use v1::Direction::{Inbound, Outbound};
        let row = |direction| (direction, Some(CUSTOMER), v1::MessageStatus::Read);
        assert_eq!(found.collect::<Vec<_>>(), [row(Inbound), row(Outbound), row(Outbound)]);
    });
    // Files of the past come without threads, beside the business's number as people write it.
    let files = json!({"contacts": [{"wa_id": CUSTOMER, "profile": {"name": "Ada"}}], "messages": [
        {"id": "p-4", "from": CUSTOMER, "timestamp": "1", "type": "image", "image": {"id": "f"}}]});
    let chat = chat(&body(&[change("history", files)]));
    assert_eq!(
        (chat.source, chat.direction, chat.person.name.as_str()),
        (Source::History, v1::Direction::Inbound, "Ada")
    );
    assert!(BUSINESS.starts_with('+'));
    let declined = change("history", json!({"history": [{"errors": [{"code": 2593109}]}]}));
    with_items(&body(&[declined]), |items| {
        assert!(
            matches!(&items[0].update, Ok(Update::Other(other)) if other.field == "history" && other.json.contains("2593109"))
        );
    });
}

#[test]
fn statuses_are_kept_whatever_their_word() {
    let all = json!([bodies::status("o", "played", 5), bodies::status("o", "vanished", 6),
        {"id": "o", "status": "failed", "timestamp": 7, "recipient_user_id": "DE.1", "pricing": {"billable": true},
            "errors": [{"code": 131_026, "title": "t", "error_data": {"details": "d"}}, {"code": "x"}],
            "biz_opaque_callback_data": "conv-m1"},
        {"id": "o", "status": "sent", "timestamp": 8}, {"id": "o", "timestamp": 8, "recipient_id": "1"}]);
    with_items(&body(&[change("messages", json!({"statuses": all}))]), |items| {
        let status = |at: usize| match items[at].update.as_ref().unwrap() {
            Update::Status(status) => status,
            other => panic!("{other:?}"),
        };
        assert_eq!(status(0).report.status(), v1::MessageStatus::Played);
        assert_eq!(status(0).report.raw_json, "");
        assert_eq!(
            (status(1).report.status(), status(1).report.channel_status.as_str()),
            (v1::MessageStatus::Unspecified, "vanished")
        );
        let failed = status(2);
        assert_eq!((failed.person.user_id.as_deref(), failed.callback_data.as_str()), (Some("DE.1"), "conv-m1"));
        let error = &failed.report.errors[0];
        assert_eq!((error.code, error.title.as_str(), error.details.as_str()), (131_026, "t", "d"));
        assert!(failed.report.raw_json.contains("billable"));
        assert_eq!(items[3].update.as_ref().unwrap_err(), &Reject::Nobody);
        assert!(items[4].update.is_err());
    });
}

#[test]
fn what_is_no_chat_is_kept_as_a_channel_event() {
    let calls = json!({"calls": [{"id": "c"}]});
    let errors = json!({"errors": [{"code": 130_429}]});
    let whole = body(&[
        change("calls", calls),
        change("messages", errors),
        json!({"field": "future", "value": 7}),
        json!({"value": {"metadata": {"phone_number_id": NUMBER}, "messages": [text("m", "no field")]}}),
    ]);
    with_items(&whole, |items| {
        let other = |at: usize| match items[at].update.as_ref().unwrap() {
            Update::Other(other) => (other.field.as_str(), serde_json::from_str::<Value>(&other.json).unwrap()),
            other => panic!("{other:?}"),
        };
        let (field, json) = other(0);
        assert_eq!((field, &json["entry"], &json["value"]["calls"][0]["id"]), ("calls", &json!("waba-1"), &json!("c")));
        assert_eq!(items[0].phone_number_id.as_deref(), Some(NUMBER));
        assert_eq!(other(1).1["value"]["errors"][0]["code"], json!(130_429));
        assert_eq!(other(2), ("future", json!({"entry": "waba-1", "field": "future", "value": 7})));
        assert!(matches!(&items[3].update, Ok(Update::Chat(_))));
    });
}
