use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use fake_graph::{FakeGraph, Fate, Which, signature};
use serde_json::Value;
use testkit::eventually;
use tokio::net::TcpListener;

use crate::{call, text};

/// What a receiver of webhooks got, once it took it: every second body is refused at first.
#[derive(Default)]
struct Got {
    refused: bool,
    statuses: Vec<Value>,
    messages: Vec<Value>,
}

async fn take(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut got = got.lock().unwrap();
    assert_eq!(headers["x-hub-signature-256"].to_str().unwrap(), signature("secret", &body));
    got.refused = !got.refused;
    if got.refused {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let value = &body["entry"][0]["changes"][0]["value"];
    assert_eq!(value["metadata"]["phone_number_id"], "1");
    got.statuses.extend(value["statuses"].as_array().cloned().unwrap_or_default());
    got.messages.extend(value["messages"].as_array().cloned().unwrap_or_default());
    StatusCode::OK
}

async fn told() -> (FakeGraph, Arc<Mutex<Got>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let got = Arc::new(Mutex::new(Got::default()));
    let routes = Router::new().route("/webhooks", post(take)).with_state(got.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (FakeGraph::builder().webhook(url, "secret").start().await.unwrap(), got)
}

fn words(got: &Mutex<Got>, recipient: &str) -> Vec<String> {
    let got = got.lock().unwrap();
    let of = got.statuses.iter().filter(|status| status["recipient_id"] == recipient);
    of.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_became_of_a_message_is_told_until_it_is_taken() {
    let (graph, got) = told().await;
    graph.fate(Which::any(), Fate::read());
    graph.fate(Which::to("2"), Fate::failed(131_026));
    graph.fate(Which::to("3"), Fate::delivered().backwards().doubled().contradicted(131_000));
    for to in ["1", "2", "3"] {
        call(&graph, &text(to)).await.unwrap();
    }
    let wanted = [("1", 3), ("2", 2), ("3", 5)];
    eventually("all reports", Duration::from_secs(20), async || {
        wanted.iter().all(|(to, count)| words(&got, to).len() == *count).then_some(())
    })
    .await;
    assert_eq!(words(&got, "1"), ["sent", "delivered", "read"]);
    assert_eq!(words(&got, "2"), ["sent", "failed"]);
    assert_eq!(words(&got, "3"), ["delivered", "delivered", "sent", "sent", "failed"]);
    let got = got.lock().unwrap();
    let failed = got.statuses.iter().find(|status| status["errors"][0]["code"] == 131_026).unwrap();
    assert_eq!(
        (&failed["biz_opaque_callback_data"], &failed["id"]),
        (&"c-m1".into(), &graph.sent()[1].id.clone().into())
    );
}

#[tokio::test]
async fn a_customer_writes() {
    let (graph, got) = told().await;
    let id = graph.customer_writes("1", "+49 15", "Ada", "hello").await;
    let message = eventually("the message", Duration::from_secs(10), async || got.lock().unwrap().messages.pop()).await;
    assert_eq!(
        (&message["id"], &message["from"], &message["text"]["body"]),
        (&id.into(), &"4915".into(), &"hello".into())
    );
}
