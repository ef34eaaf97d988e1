//! What can't be taken, and what beside it can.

use ingest::whatsapp::{self, BodyError, Reject, Update};
use serde_json::{Value, json};

use crate::bodies::{CUSTOMER, body, message, messages, text};
use crate::parsing::with_items;

/// Why each message is rejected; `None` for one that is taken.
fn verdicts(all: &[Value]) -> Vec<Option<Reject>> {
    with_items(&body(&[messages(all)]), |items| items.iter().map(|item| item.update.as_ref().err().cloned()).collect())
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
