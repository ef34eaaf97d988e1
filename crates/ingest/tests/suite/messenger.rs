//! Messenger comes in by the same door.

use conversation::ConversationId;
use ingest::HttpOptions;
use ingest::messenger::parse;
use ingest::whatsapp::{Chat, Effect, Item, Source, Update};
use proto::v1;
use proto::v1::event::Event as Kind;
use serde_json::{Value, json};
use service::config::{Channel, ChannelKind};

use crate::world::{ACME, SECRET, World, channel, sign};

const PAGE: &str = "777";
const PERSON: &str = "9001";
const TIME: i64 = 1_700_000_000_123;

fn by(sender: &str, recipient: &str, kind: &str, content: Value) -> Value {
    let mut event = json!({ "sender": { "id": sender }, "recipient": { "id": recipient }, "timestamp": TIME });
    event[kind] = content;
    event
}

fn from_customer(kind: &str, content: Value) -> Value {
    by(PERSON, PAGE, kind, content)
}

fn body(events: Vec<Value>) -> Vec<u8> {
    let entry = json!([{ "id": PAGE, "time": TIME, "messaging": events }]);
    json!({ "object": "page", "entry": entry }).to_string().into_bytes()
}

/// What one event comes to.
fn chat(event: Value) -> Chat {
    let body = body(vec![event]);
    let items = parse(&body).unwrap();
    let [Item { phone_number_id: Some(page), update: Ok(Update::Chat(_)), .. }] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(page, PAGE);
    let Some(Item { update: Ok(Update::Chat(chat)), .. }) = items.into_iter().next() else { panic!() };
    assert_eq!((chat.person.user_id.as_deref(), chat.seconds), (Some(PERSON), TIME / 1_000));
    *chat
}

#[test]
fn what_customers_say() {
    let text = chat(from_customer("message", json!({ "mid": "m1", "text": "hi", "reply_to": { "mid": "m0" } })));
    assert_eq!((text.source, text.direction, text.effect), (Source::Live, v1::Direction::Inbound, Effect::Message));
    assert_eq!((text.message.text.as_str(), text.message.reply_to.as_str()), ("hi", "m0"));
    assert!(text.message.raw_json.is_empty());
    let picture = json!({ "type": "image", "payload": { "url": "https://x/y" } });
    let image = chat(from_customer("message", json!({ "mid": "m2", "attachments": [picture] }))).message;
    assert_eq!((image.r#type.as_str(), image.media.unwrap().link.as_str()), ("image", "https://x/y"));
    let two = json!({ "mid": "m3", "attachments": [picture, { "type": "fallback" }] });
    assert!(chat(from_customer("message", two)).message.raw_json.contains("fallback"));
    let quick =
        chat(from_customer("message", json!({ "mid": "m4", "text": "Yes", "quick_reply": { "payload": "y" } })));
    assert_eq!(quick.message.reply.unwrap().id, "y");
    let pressed = chat(from_customer("postback", json!({ "title": "Start", "payload": "go" }))).message;
    assert_eq!((pressed.r#type.as_str(), pressed.text.as_str()), ("postback", "Start"));
    assert_eq!(pressed.channel_message_id, format!("postback:{PERSON}:{TIME}"));
    let place = json!({ "type": "location", "payload": { "coordinates": { "lat": 1.5, "long": 2.5 } } });
    let place = chat(from_customer("message", json!({ "mid": "m5", "attachments": [place] }))).message;
    assert_eq!(place.location.map(|at| (at.latitude, at.longitude)), Some((1.5, 2.5)));
}

#[test]
fn reactions_and_edits_name_their_message() {
    let content = |action: &str| json!({ "mid": "m1", "action": action, "emoji": "👍", "reaction": "like" });
    let effect = |chat: Chat| (chat.effect, chat.message.text);
    let (target, removed) = ("m1".to_owned(), false);
    let shown = effect(chat(from_customer("reaction", content("react"))));
    assert_eq!(shown, (Effect::Reaction { target: target.clone(), removed }, "👍".to_owned()));
    let gone = effect(chat(from_customer("reaction", content("unreact"))));
    assert_eq!(gone, (Effect::Reaction { target: target.clone(), removed: true }, String::new()));
    let edit = json!({ "mid": "m1", "text": "better", "num_edit": 1 });
    assert_eq!(effect(chat(from_customer("message_edit", edit))), (Effect::Edit { target }, "better".to_owned()));
}

#[test]
fn an_echo_of_ours_is_a_status_and_any_other_a_human() {
    let human = json!({ "mid": "m1", "text": "hi", "is_echo": true, "app_id": 1 });
    assert_eq!(chat(by(PAGE, PERSON, "message", human)).source, Source::Echo);
    let ours = by(PAGE, PERSON, "message", json!({ "mid": "m1", "is_echo": true, "metadata": "abc-m7", "text": "hi" }));
    let delivered = from_customer("delivery", json!({ "mids": ["m1", "m2"], "watermark": TIME }));
    let body = body(vec![ours, delivered]);
    let told: Vec<_> = parse(&body).unwrap().into_iter().map(|item| item.update.unwrap()).collect();
    let told = told.iter().map(|update| match update {
        Update::Status(status) => {
            (status.message_id.as_str(), status.report.channel_status.as_str(), status.callback_data.as_str())
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(Vec::from_iter(told), [("m1", "sent", "abc-m7"), ("m1", "delivered", ""), ("m2", "delivered", "")]);
}

#[test]
fn what_names_no_message_is_kept_as_something_else_and_nonsense_is_told() {
    let watermark = from_customer("read", json!({ "watermark": TIME }));
    let optin = from_customer("optin", json!({ "ref": "x" }));
    let wrong = [
        from_customer("message", json!({ "text": "no id" })),
        by("", PAGE, "message", json!({ "mid": "m", "text": "nobody" })),
        by(PAGE, PERSON, "message", json!({ "mid": "m", "text": "no echo" })),
        json!({ "sender": { "id": PERSON }, "recipient": { "id": PAGE }, "timestamp": "x", "message": { "mid": "m" } }),
        from_customer("message", json!({ "mid": "m", "text": "x".repeat(70_000) })),
    ];
    let mut events = vec![watermark, optin];
    events.extend(wrong);
    let whole = body(events);
    let items = parse(&whole).unwrap();
    let fields = items.iter().map(|item| match &item.update {
        Ok(Update::Other(other)) => other.field.clone(),
        Ok(other) => panic!("{other:?}"),
        Err(_) => "rejected".to_owned(),
    });
    let fields: Vec<String> = fields.collect();
    assert_eq!(fields, [&["read", "optin"][..], &["rejected"; 5]].concat());
    for bytes in [&b"\xff"[..], b"[]", b"{", br#"{"object":"user","entry":[]}"#, br#"{"object":"page"}"#] {
        assert!(parse(bytes).is_err());
    }
    for cut in 0..whole.len().min(2_000) {
        assert!(parse(&whole[..cut]).is_err());
    }
}

#[tokio::test]
async fn a_page_has_its_own_door_secret_and_conversations() {
    let page = Channel { kind: ChannelKind::Messenger, ..channel(ACME, PAGE, "page secret") };
    let world = World::with(vec![page, channel(ACME, "*", SECRET)], HttpOptions::default()).await;
    let body = body(vec![from_customer("message", json!({ "mid": "m1", "text": "hi" }))]);
    let post = async |path: &str, secret: &str| {
        let url = world.url("").replace("whatsapp", path);
        let request = world.client.post(url).header("X-Hub-Signature-256", sign(secret, &body)).body(body.clone());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("messenger", SECRET).await, 401, "the secret of another channel");
    assert_eq!(post("whatsapp", "page secret").await, 401, "the door of another channel");
    assert_eq!(post("pigeon", "page secret").await, 404);
    for _ in 0..2 {
        assert_eq!(post("messenger", "page secret").await, 200);
    }
    let events = world.events().await;
    let [first, ..] = events.as_slice() else { panic!("nothing came") };
    assert!(events.iter().all(|found| found.event.id == first.event.id), "the same twice");
    assert_eq!(first.event.channel, "messenger:777");
    let Some(Kind::MessageReceived(message)) = &first.event.event else { panic!("{first:?}") };
    let sealed: v1::SealedMessage = world.unseal(&first.event, &message.sealed).await;
    assert_eq!((sealed.contact.unwrap().id.as_str(), sealed.message.unwrap().text.as_str()), (PERSON, "hi"));
    assert!(ConversationId::parse(&first.event.conversation).is_some());
}
