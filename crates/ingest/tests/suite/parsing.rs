//! Bodies written here, for what the fixtures do not hold.

use ingest::whatsapp::{self, BodyError, Chat, Effect, Item, Reject, Source, Update};
use proto::v1;
use serde_json::{Value, json};

use crate::bodies::{self, BUSINESS, CUSTOMER, NUMBER, body, change, echo, message, messages, text};

fn with_items<T>(body: &Value, look: impl FnOnce(&[Item<'_>]) -> T) -> T {
    look(&whatsapp::parse(body.to_string().as_bytes()).unwrap())
}

/// What the only item of a body says about the chat.
fn chat(body: &Value) -> Chat {
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

/// Why each message is rejected; `None` for one that is taken.
fn verdicts(all: &[Value]) -> Vec<Option<Reject>> {
    with_items(&body(&[messages(all)]), |items| items.iter().map(|item| item.update.as_ref().err().cloned()).collect())
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
fn a_bad_item_spoils_no_other() {
    let bad = [
        json!({"from": CUSTOMER, "timestamp": "1", "type": "text"}),
        json!({"id": "", "from": CUSTOMER, "timestamp": "1", "type": "text"}),
        json!({"id": "x".repeat(257), "from": CUSTOMER, "timestamp": "1", "type": "text"}),
        json!({"id": "a\u{7}b", "from": CUSTOMER, "timestamp": "1", "type": "text"}),
        json!({"id": "m", "from": "a\nb", "timestamp": "1", "type": "text"}),
        json!({"id": "m", "from": CUSTOMER, "timestamp": "-1", "type": "text"}),
        json!({"id": "m", "from": CUSTOMER, "timestamp": "4102444801", "type": "text"}),
        json!({"id": "m", "from": CUSTOMER, "timestamp": 1.5, "type": "text"}),
        json!({"id": "m", "from": CUSTOMER, "type": "text"}),
        json!("a text"),
        text("m", &"x".repeat(64 * 1024 + 1)),
        message("m", "hologram", json!("x".repeat(1024 * 1024))),
    ];
    let why = |bad: &Value| {
        let mut found = verdicts(&[text("good-1", "a"), bad.clone(), text("good-2", "b")]);
        assert_eq!((found.len(), &found[0], &found[2]), (3, &None, &None), "{bad}");
        found.swap_remove(1).unwrap()
    };
    use Reject::{Id, NoId, Shape, TextTooLong, Time, TooLarge};
    let wanted = [
        NoId,
        Id("id"),
        Id("id"),
        Id("id"),
        Id("from"),
        Time,
        Time,
        Time,
        Time,
        Shape("message is not an object"),
        TextTooLong,
        TooLarge,
    ];
    assert_eq!(bad.iter().map(why).collect::<Vec<_>>(), wanted);
    let edges = [
        json!({"id": "m", "from": CUSTOMER, "timestamp": 4_102_444_800_i64, "type": "text", "text": {"body": ""}}),
        json!({"id": "x".repeat(256), "from": CUSTOMER, "timestamp": "0", "type": "text", "text": {"body": ""}}),
        text("m", &"x".repeat(64 * 1024)),
    ];
    assert_eq!(verdicts(&edges), [None, None, None]);
}

#[test]
fn a_lone_surrogate_spoils_only_its_message() {
    let whole = body(&[messages(&[text("m-1", "@@"), text("m-2", "good")])]).to_string().replace("@@", r"\ud800");
    let items = whatsapp::parse(whole.as_bytes()).unwrap();
    assert_eq!(items.len(), 2);
    let first = items[0].update.as_ref().unwrap();
    assert!(
        matches!(first, Update::Chat(chat) if chat.message.text.is_empty() && chat.message.raw_json.contains("ud800"))
    );
}

#[test]
fn nobody_is_made_up() {
    let nobody = json!({"id": "m", "timestamp": "1", "type": "text", "text": {"body": "hi"}});
    let none = change("messages", json!({"messages": [nobody]}));
    with_items(&body(&[none]), |items| assert_eq!(items[0].update.as_ref().unwrap_err(), &Reject::Nobody));
    // Beside a message of someone else, the only contact is that one's.
    let mixed = messages(&[text("m-1", "hi"), nobody]);
    with_items(&body(&[mixed]), |items| assert_eq!(items[1].update.as_ref().unwrap_err(), &Reject::Nobody));
}

#[test]
fn contacts_are_matched_by_id_never_by_position() {
    let from =
        |id: &str, from: &str| json!({"id": id, "from": from, "timestamp": "1", "type": "text", "text": {"body": "x"}});
    let contacts = json!([
        {"wa_id": "22", "profile": {"name": "Bea", "username": "bea"}, "user_id": "DE.b"},
        {"wa_id": "11", "profile": {"name": "Abe"}},
    ]);
    let list = json!([from("m-1", "11"), from("m-2", "22"), from("m-3", "33")]);
    with_items(&body(&[change("messages", json!({"contacts": contacts, "messages": list}))]), |items| {
        let people = items.iter().map(|item| match item.update.as_ref().unwrap() {
            Update::Chat(chat) => {
                (chat.person.name.as_str(), chat.person.user_id.as_deref(), chat.person.username.as_str())
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(people.collect::<Vec<_>>(), [("Abe", None, ""), ("Bea", Some("DE.b"), "bea"), ("", None, "")]);
    });
    // One contact and two senders: it is not known whose name it is.
    let contacts = json!([{"wa_id": "22", "profile": {"name": "Bea"}}]);
    let list = json!([from("m-1", "11"), from("m-3", "33")]);
    with_items(&body(&[change("messages", json!({"contacts": contacts, "messages": list}))]), |items| {
        assert!(items.iter().all(|item| matches!(&item.update, Ok(Update::Chat(chat)) if chat.person.name.is_empty())));
    });
}

#[test]
fn a_user_id_is_enough_of_a_sender() {
    let one = json!({"id": "m", "from_user_id": "DE.1", "timestamp": "1", "type": "text", "text": {"body": "x"}});
    let contacts = json!([{"user_id": "DE.1", "profile": {"name": "Ada", "username": "ada"}}, {"user_id": "DE.2"}]);
    let chat = chat(&body(&[change("messages", json!({"contacts": contacts, "messages": [one]}))]));
    let wanted = v1::Contact {
        id: "DE.1".to_owned(),
        display_name: "Ada".to_owned(),
        user_id: "DE.1".to_owned(),
        username: "ada".to_owned(),
    };
    assert_eq!((chat.person.contact(), chat.message.raw_json.as_str()), (wanted, ""));
}

#[test]
fn a_change_of_address_names_the_old_and_the_new() {
    let system = |top: Value, system: Value| {
        let mut one = json!({"id": "m", "timestamp": "1", "type": "system", "system": system});
        one.as_object_mut().unwrap().extend(top.as_object().unwrap().clone());
        let chat = chat(&body(&[change("messages", json!({"messages": [one]}))]));
        let Effect::Contact { word, now } = chat.effect else { panic!("{:?}", chat.effect) };
        let text = |address: Option<String>| address.unwrap_or_default();
        [word, text(chat.person.number), text(chat.person.user_id), text(now.number), text(now.user_id)]
    };
    let number = "user_changed_number";
    for new in ["wa_id", "new_wa_id"] {
        let found = system(json!({"from": "11"}), json!({"type": number, new: "22", "body": "x"}));
        assert_eq!(found, [number, "11", "", "22", ""]);
    }
    let found = system(json!({"from": "11"}), json!({"type": number, "customer": "11", "wa_id": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let found = system(json!({}), json!({"type": number, "customer": "11", "wa_id": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let found = system(json!({"from": "11"}), json!({"type": number, "customer": "22"}));
    assert_eq!(found, [number, "11", "", "22", ""]);
    let ids = json!({"type": number, "wa_id": "22", "user_id": "DE.new", "previous_user_id": "DE.old"});
    assert_eq!(system(json!({"from": "11", "from_user_id": "DE.new"}), ids), [number, "11", "DE.old", "22", "DE.new"]);
    let user_id = "user_changed_user_id";
    let ids = json!({"type": user_id, "user_id": "DE.new", "previous_user_id": "DE.old"});
    assert_eq!(system(json!({}), ids), [user_id, "", "DE.old", "", "DE.new"]);
    let found = system(json!({"from": "11"}), json!({"type": "customer_identity_changed", "body": "x"}));
    assert_eq!(found, ["customer_identity_changed", "11", "", "", ""]);
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

#[test]
fn a_message_needs_the_number_it_was_sent_to() {
    let mut lost = messages(&[text("m", "hi")]);
    lost["value"].as_object_mut().unwrap().remove("metadata");
    with_items(&body(&[lost]), |items| assert_eq!(items[0].update.as_ref().unwrap_err(), &Reject::NoNumber));
}

#[test]
fn broken_containers_are_rejected_beside_good_ones() {
    let good = body(&[messages(&[text("m", "hi")])])["entry"][0].clone();
    let broken = [
        json!(7),
        json!({"id": "e"}),
        json!({"changes": {"field": "messages"}}),
        json!({"changes": [3]}),
        json!({"changes": [{"field": "messages"}]}),
        json!({"changes": [{"field": "messages", "value": "x"}]}),
        json!({"changes": [{"field": "messages", "value": {"messages": "x"}}]}),
        json!({"changes": [{"value": {}}]}),
        json!({"changes": [{"field": "history", "value": {"history": [1]}}]}),
        json!({"changes": [{"field": "history", "value": {"history": [{"threads": [1]}]}}]}),
        json!({"changes": [{"field": "history", "value": {"history": [{"threads": [{"id": "1"}]}]}}]}),
    ];
    for broken in broken {
        let whole = json!({"object": "whatsapp_business_account", "entry": [good, broken, good]});
        with_items(&whole, |items| {
            let kinds: Vec<bool> = items.iter().map(|item| item.update.is_ok()).collect();
            assert_eq!(kinds, [true, false, true], "{broken}");
        });
    }
}

#[test]
fn what_is_no_webhook_has_no_items() {
    let error = |body: &[u8]| whatsapp::parse(body).unwrap_err();
    assert_eq!(error(b"\xff{}"), BodyError::NotUtf8);
    for body in ["", "{", "{}x", r#"{"object":"whatsapp_business_account","entry":[}"#, &"[".repeat(100_000)] {
        assert!(matches!(error(body.as_bytes()), BodyError::NotJson(_)), "{body:.40}");
    }
    let others = [
        "null",
        "7",
        "[]",
        "{}",
        r#"{"entry":[{"id":"123"}]}"#,
        r#"{"object":"page","entry":[]}"#,
        r#"{"object":"whatsapp_business_account"}"#,
        r#"{"object":"whatsapp_business_account","entry":{}}"#,
    ];
    for body in others {
        assert!(matches!(error(body.as_bytes()), BodyError::NotAWebhook(_)), "{body}");
    }
    let many = format!(r#"{{"object":"whatsapp_business_account","entry":[{}1]}}"#, "1,".repeat(whatsapp::MAX_ITEMS));
    assert_eq!(error(many.as_bytes()), BodyError::TooManyItems);
    assert!(whatsapp::parse(br#"{"object":"whatsapp_business_account","entry":[]}"#).unwrap().is_empty());
}

#[test]
fn a_deep_body_is_bounded() {
    let deep = format!("{}{}", "[".repeat(400_000), "]".repeat(400_000));
    let whole = body(&[messages(&[message("m", "hologram", json!("@@"))])]).to_string().replace("\"@@\"", &deep);
    let items = whatsapp::parse(whole.as_bytes());
    assert!(items.is_ok_and(|items| items.len() == 1), "nested values are kept as they are");
}
