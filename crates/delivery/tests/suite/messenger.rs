//! Messenger's Send API, through the same port.

use std::time::Duration;

use delivery::channel::messenger::{Messenger, Options};
use delivery::channel::{Advice, Channel, Outgoing, Recipient};
use proto::v1;
use serde_json::{Value, json};
use service::Secret;
use testkit::{Act, FakeGraph, GraphError, Which};

async fn world() -> (FakeGraph, Messenger) {
    let graph = FakeGraph::builder().start().await.unwrap();
    let options = Options {
        api_base: graph.url(),
        page_id: "777".to_owned(),
        access_token: Secret::new("token"),
        connect_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(20),
    };
    assert!(!format!("{options:?}").contains("token\""));
    (graph, Messenger::new(&options).unwrap())
}

fn outgoing(message: v1::Message) -> Outgoing {
    let to = Recipient::UserId("9001".to_owned());
    Outgoing { to, message, reply_to: String::new(), message_id: "abc-m1".to_owned() }
}

fn text(text: &str) -> v1::Message {
    v1::Message { r#type: "text".to_owned(), text: text.to_owned(), ..v1::Message::default() }
}

fn file(kind: &str, caption: &str) -> v1::Message {
    let (link, caption) = ("https://x/y".to_owned(), caption.to_owned());
    let media = Some(v1::Media { link, caption, ..v1::Media::default() });
    v1::Message { r#type: kind.to_owned(), media, ..v1::Message::default() }
}

fn choice() -> v1::Message {
    let button = |id: &str| v1::Button { id: id.to_owned(), title: id.to_uppercase() };
    let buttons = vec![button("yes"), button("no")];
    let interactive = Some(v1::Interactive { body: "Sure?".to_owned(), buttons, ..v1::Interactive::default() });
    v1::Message { r#type: "interactive".to_owned(), interactive, ..v1::Message::default() }
}

#[tokio::test]
async fn every_kind_of_message_that_it_knows_is_taken() {
    let (graph, channel) = world().await;
    let reply = |id: &str| json!({ "content_type": "text", "title": id.to_uppercase(), "payload": id });
    let attachment = |kind: &str| json!({ "attachment": { "type": kind, "payload": { "url": "https://x/y", "is_reusable": false } } });
    let cases: [(v1::Message, Value); 4] = [
        (text("hi"), json!({ "text": "hi" })),
        (choice(), json!({ "text": "Sure?", "quick_replies": [reply("yes"), reply("no")] })),
        (file("image", ""), attachment("image")),
        (file("document", ""), attachment("file")),
    ];
    for (message, mut expected) in cases {
        expected["metadata"] = "abc-m1".into();
        let accepted = channel.send(&outgoing(message)).await.unwrap();
        let sent = graph.sent().pop().unwrap();
        assert_eq!((sent.body()["message"].clone(), sent.id), (expected, accepted.channel_message_id));
        assert_eq!(
            (sent.number.as_str(), sent.recipient.as_str(), sent.callback_data.as_str()),
            ("777", "9001", "abc-m1")
        );
    }
    channel.send(&Outgoing { reply_to: "m0".to_owned(), ..outgoing(text("hi")) }).await.unwrap();
    assert_eq!(graph.sent().pop().unwrap().body()["reply_to"]["mid"], "m0");
}

#[tokio::test]
async fn what_it_cannot_say_is_told_before_it_is_tried() {
    let (graph, channel) = world().await;
    for message in [file("image", "words"), v1::Message { r#type: "template".to_owned(), ..v1::Message::default() }] {
        assert_eq!(channel.send(&outgoing(message)).await.unwrap_err().advice, Advice::Reword);
    }
    assert_eq!(graph.calls(), 0);
    let long = channel.send(&outgoing(text(&"x".repeat(2_001)))).await.unwrap_err();
    assert_eq!((long.advice, long.code), (Advice::Reword, 100));
}

#[tokio::test]
async fn codes_mean_what_they_mean_there() {
    let (graph, channel) = world().await;
    let raw = |code: i64, subcode: i64| {
        let error = json!({ "error": { "code": code, "error_subcode": subcode, "message": "x" } });
        Act::Raw { status: 400, body: error.to_string(), retry_after: None }
    };
    let cases = [
        (raw(613, 0), Advice::SlowNumber),
        (raw(1_200, 0), Advice::Retry),
        (raw(10, 2_018_278), Advice::Reword),
        (raw(10, 0), Advice::StopChannel),
        (raw(100, 2_018_001), Advice::Unreachable),
        (raw(100, 0), Advice::Reword),
        (raw(551, 1_545_041), Advice::Unreachable),
        (raw(200, 1_545_041), Advice::Unreachable),
        (Act::Error(GraphError::of(190)), Advice::StopChannel),
        (Act::status(500), Advice::Retry),
        (Act::DropAfter, Advice::Unknown),
    ];
    for (act, advice) in cases {
        graph.next(Which::to("9001"), 1, act.clone());
        assert_eq!(channel.send(&outgoing(text("hi"))).await.unwrap_err().advice, advice, "{act:?}");
    }
}

#[tokio::test]
async fn a_message_is_shown_to_be_seen_and_answered() {
    let (graph, channel) = world().await;
    let to = Recipient::UserId("9001".to_owned());
    channel.seen_of(&to, "m1", true).await.unwrap();
    let seen: Vec<_> = graph.seen().into_iter().map(|seen| (seen.message_id, seen.typing)).collect();
    assert_eq!(seen, [("9001".to_owned(), false), ("9001".to_owned(), true)]);
    channel.seen("m1", false).await.unwrap();
    assert_eq!(graph.seen().len(), 2);
}
