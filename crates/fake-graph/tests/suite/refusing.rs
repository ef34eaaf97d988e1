use fake_graph::{FakeGraph, Limits};
use serde_json::{Value, json};

use crate::{call, code, read, text};

fn of(kind: &str, content: Value) -> Value {
    let mut body = json!({ "messaging_product": "whatsapp", "to": "4915", "type": kind });
    body[kind] = content;
    body
}

fn buttons(count: usize) -> Value {
    let button = |n| json!({ "type": "reply", "reply": { "id": format!("b{n}"), "title": format!("B{n}") } });
    let buttons: Vec<Value> = (0..count).map(button).collect();
    of("interactive", json!({ "type": "button", "body": { "text": "?" }, "action": { "buttons": buttons } }))
}

fn list(rows: usize) -> Value {
    let row = |n| json!({ "id": format!("r{n}"), "title": format!("R{n}") });
    let rows: Vec<Value> = (0..rows).map(row).collect();
    let action = json!({ "button": "Show", "sections": [{ "rows": rows }] });
    of("interactive", json!({ "type": "list", "body": { "text": "?" }, "action": action }))
}

#[tokio::test]
async fn what_the_real_one_refuses() {
    let graph = FakeGraph::builder().start().await.unwrap();
    graph.template("welcome", "en_US", 1);
    let known = graph.put_media("image/png", "bytes");
    let template = |name: &str, values: usize| {
        let values = vec![json!({ "type": "text", "text": "x" }); values];
        let components = json!([{ "type": "body", "parameters": values }]);
        of("template", json!({ "name": name, "language": { "code": "en_US" }, "components": components }))
    };
    let cases = [
        (text("4915"), 0),
        (json!({ "to": "4915", "text": { "body": "hi" } }), 100),
        (json!({ "messaging_product": "whatsapp", "text": { "body": "hi" } }), 100),
        (of("text", json!({ "body": "x".repeat(4_096) })), 0),
        (of("text", json!({ "body": "x".repeat(4_097) })), 100),
        (of("text", json!({ "body": "" })), 131_008),
        (of("dance", json!({})), 100),
        (buttons(3), 0),
        (buttons(4), 131_009),
        (list(10), 0),
        (list(11), 131_009),
        (template("welcome", 1), 0),
        (template("welcome", 2), 132_000),
        (template("farewell", 1), 132_001),
        (of("image", json!({ "id": known })), 0),
        (of("image", json!({ "id": "another" })), 131_053),
        (of("image", json!({ "link": "ftp://x" })), 131_053),
        (of("audio", json!({ "link": "https://x", "caption": "no" })), 100),
        (of("reaction", json!({ "message_id": "wamid.1", "emoji": "" })), 0),
        (of("reaction", json!({ "emoji": "x" })), 131_008),
        (of("contacts", json!([{ "name": { "formatted_name": "A" } }])), 131_008),
        (text("nobody"), 131_009),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&graph, &body).await, expected, "{body}");
    }
    assert_eq!((graph.sent_count(), graph.refused()[&131_009]), (7, 3));
}

#[tokio::test]
async fn accepted_ones_are_answered_and_remembered() {
    let graph = FakeGraph::builder().start().await.unwrap();
    let (status, answer) = read(call(&graph, &text("+49 15")).await.unwrap()).await;
    let sent = graph.sent();
    let [sent] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((status, answer["contacts"][0].clone()), (200, json!({ "input": "+49 15", "wa_id": "4915" })));
    assert_eq!(answer["messages"][0]["id"], sent.id.as_str());
    assert_eq!((sent.number.as_str(), sent.callback_data.as_str(), sent.nth), ("1", "c-m1", 0));
    let read_body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.7",
        "typing_indicator": { "type": "text" } });
    assert_eq!(read(call(&graph, &read_body).await.unwrap()).await, (200, json!({ "success": true })));
    assert_eq!((graph.seen()[0].message_id.as_str(), graph.seen()[0].typing), ("wamid.7", true));
}

#[tokio::test]
async fn a_token_expires_and_limits_hold() {
    let graph = FakeGraph::builder().start().await.unwrap();
    graph.expire_token();
    assert_eq!(code(&graph, &text("4915")).await, 190);
    graph.set_token("token");
    graph.set_limits(Limits { per_second: None, pair_burst: 2, ..Limits::REAL });
    let codes = [code(&graph, &text("1")).await, code(&graph, &text("1")).await, code(&graph, &text("1")).await];
    assert_eq!((codes, code(&graph, &text("2")).await), ([0, 0, 131_056], 0));
}
