//! The fake refuses what the real one refuses, breaks as it is told, and counts right.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do about it")]

mod breaking;
mod fixtures;
mod media;
mod refusing;
mod telling;

use fake_graph::FakeGraph;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// A text to somebody.
pub fn text(to: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": to, "text": { "body": "hi" }, "biz_opaque_callback_data": "c-m1" })
}

/// The answer to a body sent from number 1.
pub async fn call(graph: &FakeGraph, body: &Value) -> reqwest::Result<Response> {
    let request = Client::new().post(format!("{}/1/messages", graph.url())).bearer_auth("token");
    request.body(body.to_string()).send().await
}

/// The status and body of an answer; the body is null where it is no JSON.
pub async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// The error code of the answer to a body; 0 for none.
pub async fn code(graph: &FakeGraph, body: &Value) -> i64 {
    read(call(graph, body).await.unwrap()).await.1["error"]["code"].as_i64().unwrap_or_default()
}
