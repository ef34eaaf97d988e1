//! A language model that works, and one that does not.

use std::sync::Arc;
use std::time::Duration;

use bot::{BrainError, Llm, Passages, Source};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::v1;
use proto::v1::bot_turn::Deed;
use serde_json::json;
use service::{Secret, config};
use testkit::{ChatAnswer, ChatServer};

use crate::world::{World, deed};

/// What the model is given for every question.
pub(crate) struct OnePassage;

pub(crate) const PASSAGE: &str = "Parcels take 3 days: https://acme.example/track";
pub(crate) const KEY: &str = "sk-nobody-may-know";

impl Passages for OnePassage {
    fn search<'a>(&'a self, _: &'a str, _: &'a str, _: usize) -> BoxFuture<'a, Result<Vec<Source>, BrainError>> {
        let source = Source {
            document: "shipping".to_owned(),
            version: 1,
            title: "Times".to_owned(),
            text: PASSAGE.to_owned(),
            line: 1,
        };
        async { Ok(vec![source]) }.boxed()
    }
}

/// Everything, with a model over the scripted brain.
pub(crate) async fn modelled(server: &ChatServer, tokens_per_day: u64) -> World {
    let config = config::Llm {
        base_url: server.url(),
        model: "scripted".to_owned(),
        key: Secret::new(KEY),
        timeout_ms: 500,
        tokens_per_day,
        answer_tokens: 100,
    };
    World::thinking(|bus, scripted| Arc::new(Llm::new(bus, &config, Arc::new(OnePassage), Arc::new(scripted)).unwrap()))
        .await
}

fn reply() -> ChatAnswer {
    ChatAnswer::call("reply", &json!({ "text": "Three days.", "sources": [1] }))
}

fn said(chat: &[String]) -> &str {
    chat.last().unwrap()
}

#[tokio::test]
async fn a_model_replies_asks_back_or_hands_off_by_its_tools() {
    let server = ChatServer::start().await;
    let mut world = modelled(&server, 0).await;
    server.then(reply());
    let (conversation, run) = world.say("ana", "where is my parcel?").await;
    assert_eq!(deed(&run), Deed::Replied, "{run:#?}");
    assert_eq!(said(&world.chat(&conversation).await), "bot: Three days.\n\n— shipping: Times");
    server.then(ChatAnswer::call("reply", &json!({ "text": "Which parcel?", "sources": [] })));
    let (_, run) = world.say("ana", "and the other").await;
    assert_eq!(deed(&run), Deed::Clarified);
    server.then(ChatAnswer::call("hand_off", &json!({ "reason": "not_sure", "topic": "lost parcel" })));
    let (conversation, run) = world.say("ana", "the lost one").await;
    assert_eq!(deed(&run), Deed::HandedOff);
    assert!(run.actions[0].detail.contains("lost parcel"), "{run:#?}");
    server.then(ChatAnswer::call("close", &json!({})));
    let (_, run) = world.say("ana", "it has come, never mind").await;
    assert_eq!(deed(&run), Deed::Closed, "{run:#?}");
    assert_eq!(said(&world.chat(&conversation).await), "Ticket closed by Robo");
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.authorization == format!("Bearer {KEY}")));
    let data = asked[1].body["messages"][1]["content"].as_str().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["message"], &data["passages"][0]["text"]), (&json!("and the other"), &json!(PASSAGE)));
    assert_eq!(data["history"].as_array().unwrap().len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn without_a_model_that_helps_the_other_brain_answers() {
    let server = ChatServer::start().await;
    let mut world = modelled(&server, 0).await;
    let bad = [
        ChatAnswer::Never,
        ChatAnswer::Status(500, None),
        ChatAnswer::Raw(b"{ half a comple".to_vec()),
        ChatAnswer::Text("I would rather talk.".to_owned()),
    ];
    for (nth, answer) in bad.into_iter().enumerate() {
        server.then(answer);
        let (conversation, run) = world.say(&format!("c{nth}"), "a refund please").await;
        assert_eq!(deed(&run), Deed::Replied);
        assert!(said(&world.chat(&conversation).await).starts_with("bot: 30 days."));
        // One success in between, so that the breaker stays closed.
        server.then(reply());
        world.say(&format!("ok{nth}"), "parcel").await;
    }
    // What the other brain does not know either goes to humans.
    server.then(ChatAnswer::Raw(vec![b'x'; 2 * 1024 * 1024]));
    let (_, run) = world.say("unknown", "something else").await;
    assert_eq!(deed(&run), Deed::HandedOff);
    world.stop().await;
}

#[tokio::test]
async fn a_model_that_is_busy_or_fails_again_and_again_is_left_alone() {
    let server = ChatServer::start().await;
    let mut world = modelled(&server, 0).await;
    server.then(ChatAnswer::Status(429, Some(1)));
    world.say("a", "a refund please").await;
    // It said when to come again.
    world.say("b", "a refund please").await;
    assert_eq!(server.asked().len(), 1);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    server.then(reply());
    let (_, run) = world.say("c", "a refund please").await;
    assert_eq!((deed(&run), server.asked().len()), (Deed::Replied, 2));
    server.otherwise(ChatAnswer::Status(500, None));
    for nth in 0..8 {
        let (_, run) = world.say(&format!("f{nth}"), "a refund please").await;
        assert_eq!(deed(&run), Deed::Replied);
    }
    assert_eq!(server.asked().len(), 7, "five failures, then none");
    world.stop().await;
}

#[tokio::test]
async fn a_workspace_spends_no_more_than_its_budget() {
    let server = ChatServer::start().await;
    server.otherwise(reply());
    let mut world = modelled(&server, 2_500).await;
    let mut asked = 0;
    for nth in 0..40 {
        let (_, run) = world.say(&format!("c{nth}"), "a refund please").await;
        assert_eq!(deed(&run), Deed::Replied, "over budget, the other brain answers");
        if server.asked().len() == asked && nth > 0 {
            break;
        }
        asked = server.asked().len();
    }
    // Each costs 100; the question that would not fit for sure is not asked.
    assert!((10..=24).contains(&asked), "{asked}");
    let spent: v1::SpentTokens =
        world.bus.bucket(bus::BucketName::Once).get("acme.tokens").await.unwrap().value.unwrap();
    assert_eq!(spent.tokens, u64::try_from(asked).unwrap() * 100);
    world.stop().await;
}
