use std::time::Duration;

use fake_graph::{Act, FakeGraph, GraphError, Which};
use testkit::eventually;

use crate::{call, code, read, text};

#[tokio::test]
async fn calls_break_as_they_are_told() {
    let graph = FakeGraph::builder().start().await.unwrap();
    graph.next(Which::to("1"), 1, Act::DropBefore);
    graph.next(Which::to("1"), 1, Act::DropAfter);
    graph.next(Which::to("1"), 1, Act::Garble);
    assert!(call(&graph, &text("1")).await.is_err());
    assert_eq!(graph.sent_count(), 0);
    assert!(call(&graph, &text("1")).await.is_err());
    assert_eq!(graph.sent_count(), 1);
    assert_eq!(read(call(&graph, &text("1")).await.unwrap()).await, (200, serde_json::Value::Null));
    assert_eq!(graph.sent_count(), 2);
    assert_eq!(code(&graph, &text("1")).await, 0);
}

#[tokio::test]
async fn every_code_is_answered_on_demand() {
    let graph = FakeGraph::builder().start().await.unwrap();
    for wanted in GraphError::codes() {
        graph.next(Which::any(), 1, Act::error(wanted));
        let (status, answer) = read(call(&graph, &text("1")).await.unwrap()).await;
        assert_eq!((status, answer["error"]["code"].as_i64()), (GraphError::of(wanted).status, Some(wanted)));
    }
    graph.always(Which::of("1"), Act::too_many(7));
    let answer = call(&graph, &text("1")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    graph.usual();
    assert_eq!((code(&graph, &text("1")).await, graph.sent_count()), (0, 1));
}

#[tokio::test]
async fn a_late_answer_is_to_what_was_accepted_at_once() {
    let graph = FakeGraph::builder().start().await.unwrap();
    graph.always(Which::any(), Act::Late(Duration::from_secs(600), Box::new(Act::Usual)));
    let body = text("1");
    tokio::select! {
        _ = call(&graph, &body) => panic!("it was answered"),
        () = eventually("acceptance", Duration::from_secs(10), async || (graph.sent_count() == 1).then_some(())) => {}
    }
}

#[tokio::test]
async fn down_it_refuses_connections_and_then_comes_back_to_its_address() {
    let graph = FakeGraph::builder().start().await.unwrap();
    graph.go_down();
    eventually("a refused connection", Duration::from_secs(10), async || {
        call(&graph, &text("1")).await.err().filter(reqwest::Error::is_connect)
    })
    .await;
    graph.come_back();
    eventually("an answer", Duration::from_secs(10), async || call(&graph, &text("1")).await.ok()).await;
    assert_eq!(graph.sent_count(), 1);
}
