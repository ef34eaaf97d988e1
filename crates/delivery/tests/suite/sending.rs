//! What is said goes out once, in order, and its true state comes back.

use proto::v1::MessageStatus;
use proto::v1::actor::Kind;
use testkit::{Act, Fate, Which};

use crate::world::{DEADLINE, World, told};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_goes_out_and_its_ticks_come_back() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    world.graph.fate(Which::any(), Fate::read());
    let chat = world.receive("106", "4915", "where is my parcel?").await;
    let said = world.say(&chat, "on its way").await;
    let message = world.comes_to(&chat, &said, MessageStatus::Read).await;
    let words: Vec<&str> = message.statuses.iter().map(|report| report.channel_status.as_str()).collect();
    assert_eq!(words[0], "accepted", "{words:?}");
    assert!(message.channel_message_id.starts_with("wamid."), "{message:?}");
    assert_eq!(told(&world.graph, "4915"), ["on its way"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_one_customer_stays_in_order_and_holds_up_nobody() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let (slow, quick) = (world.receive("106", "1", "hi").await, world.receive("106", "2", "hi").await);
    world.graph.always(Which::to("1"), Act::slowly(std::time::Duration::from_millis(150)));
    let words: Vec<String> = (0..20).map(|nth| format!("word {nth}")).collect();
    for word in &words {
        world.say(&slow, word).await;
    }
    let last = world.say(&quick, "hello").await;
    world.comes_to(&quick, &last, MessageStatus::Read).await;
    assert!(told(&world.graph, "1").len() < words.len(), "the quick one waited for the slow one");
    testkit::eventually("all words", DEADLINE, async || (told(&world.graph, "1").len() == words.len()).then_some(()))
        .await;
    assert_eq!(told(&world.graph, "1"), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_bot_are_void_once_a_human_has_the_chat() {
    let mut world = World::start("").await;
    let chat = world.receive("106", "4915", "hi").await;
    let said = world.send(&chat, Kind::Bot, "I am a bot").await;
    world.assign(&chat).await;
    let human = world.say(&chat, "I am Ana").await;
    let _delivery = world.deliver().await;
    world.comes_to(&chat, &human, MessageStatus::Read).await;
    let cancelled = world.comes_to(&chat, &said, MessageStatus::Failed).await;
    assert_eq!(cancelled.statuses[0].channel_status, "cancelled");
    assert_eq!(told(&world.graph, "4915"), ["I am Ana"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_names_the_message_by_the_channels_id() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    let first = world.say(&chat, "first").await;
    let accepted = world.comes_to(&chat, &first, MessageStatus::Read).await;
    let mut request = proto::v1::SendMessageRequest {
        workspace: crate::world::WORKSPACE.to_owned(),
        conversation_id: chat.clone(),
        actor: Some(proto::v1::Actor { kind: Kind::Agent.into(), id: "ana".to_owned(), ..Default::default() }),
        content: Some(proto::v1::send_message_request::Content::Text("second".to_owned())),
        reply_to: first,
        ..Default::default()
    };
    world.conversations.send_message(request.clone()).await.unwrap();
    request.content = Some(proto::v1::send_message_request::Content::Reaction(proto::v1::OutboundReaction {
        message_id: "wamid.in1".to_owned(),
        emoji: "👍".to_owned(),
    }));
    request.reply_to = String::new();
    world.conversations.send_message(request).await.unwrap();
    testkit::eventually("three messages", DEADLINE, async || (world.graph.sent().len() == 3).then_some(())).await;
    let sent = world.graph.sent();
    assert_eq!(sent[1].body()["context"]["message_id"], accepted.channel_message_id.as_str());
    assert_eq!(sent[2].body()["reaction"]["message_id"], "wamid.in1");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_see_that_the_bot_types_and_that_an_agent_has_read() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    let said = world.say(&chat, "hello").await;
    world.comes_to(&chat, &said, MessageStatus::Read).await;
    // The line is known by now, and the chat is an agent's.
    let request = proto::v1::MarkReadRequest {
        workspace: crate::world::WORKSPACE.to_owned(),
        conversation_id: chat.clone(),
        actor: Some(proto::v1::Actor { kind: Kind::Agent.into(), id: "ana".to_owned(), ..Default::default() }),
        ..Default::default()
    };
    world.conversations.mark_read(request).await.unwrap();
    world.receive("106", "4916", "is anybody there?").await;
    testkit::eventually("both receipts", DEADLINE, async || {
        let seen = world.graph.seen();
        let read = seen.iter().any(|seen| seen.message_id == "wamid.in1" && !seen.typing);
        let typing = seen.iter().any(|seen| seen.message_id == "wamid.in2" && seen.typing);
        (read && typing).then_some(())
    })
    .await;
}
