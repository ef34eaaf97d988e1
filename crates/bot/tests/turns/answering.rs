use proto::v1;
use proto::v1::bot_turn::Deed;

use crate::world::{deed, world};

#[tokio::test]
async fn what_is_known_is_answered_with_its_source_in_one_decision() {
    let mut world = world().await;
    let (conversation, revision) = world.receive("ana", "m1", "a refund please").await;
    let run = world.run_of(revision).await;
    assert_eq!(deed(&run), Deed::Replied, "{run:#?}");
    assert_eq!(run.actions[0].detail, "answered from faq: Returns");
    assert_eq!((run.event_revision, run.outcome()), (revision, v1::run::Outcome::Done));
    let turn = run.turn.as_ref().unwrap();
    assert_eq!((turn.score, turn.intent.as_str()), (0.75, "a"));
    assert_eq!(world.chat(&conversation).await, ["customer: a refund please", "bot: 30 days.\n\n— faq: Returns"]);
    let event = world.bus.event_at(u64::try_from(run.revision).unwrap()).await.unwrap().unwrap();
    let cause = world.bus.event_at(u64::try_from(revision).unwrap()).await.unwrap().unwrap();
    assert_eq!((event.causation_id, event.correlation_id, event.depth), (cause.id.clone(), cause.id, 1));
    assert_eq!(event.actor.unwrap().display_name, "Robo");
    world.stop().await;
}

#[tokio::test]
async fn it_asks_back_once_then_hands_off() {
    let mut world = world().await;
    let (conversation, run) = world.say("ana", "hm").await;
    assert_eq!(deed(&run), Deed::Clarified);
    let (_, run) = world.say("ana", "hm hm").await;
    assert_eq!(deed(&run), Deed::HandedOff);
    assert!(world.brain.asked()[1].clarified);
    let chat = world.chat(&conversation).await;
    assert_eq!(chat[..3], ["customer: hm", "bot: Which one?", "customer: hm hm"]);
    assert_eq!(chat[3], "Ticket opened by Robo");
    world.stop().await;
}

#[tokio::test]
async fn thanks_and_greetings_open_nothing() {
    let mut world = world().await;
    let (conversation, run) = world.say("ana", "thanks").await;
    assert_eq!((deed(&run), run.reason.as_str()), (Deed::Silent, "nothing was asked"));
    world.say("ana", "hello").await;
    let sticker = v1::ReceivedMessage { id: "s".to_owned(), r#type: "sticker".to_owned(), ..Default::default() };
    let (_, revision) = world.receive_message("ana", sticker).await;
    assert_eq!(world.run_of(revision).await.reason, "nothing was said");
    let chat = world.chat(&conversation).await;
    assert_eq!(chat, ["customer: thanks", "customer: hello", "bot: Hello!", "customer: "]);
    world.stop().await;
}

#[tokio::test]
async fn a_long_answer_is_several_messages_of_one_decision() {
    let mut world = world().await;
    let (conversation, run) = world.say("ana", "long").await;
    let entries = world.timeline(&conversation).await;
    assert_eq!(entries.len(), 3);
    assert!(entries[1..].iter().all(|entry| entry.revision == run.revision));
    world.stop().await;
}

#[tokio::test]
async fn a_message_that_stands_on_the_stream_twice_or_came_late_gets_no_second_answer() {
    let mut world = world().await;
    let other = world.another_bot().await;
    let (conversation, revision) = world.receive("ana", "m1", "a refund please").await;
    world.run_of(revision).await;
    // The same item again, outside of the dedupe window.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let (_, again) = world.receive("ana", "m1", "a refund please").await;
    let occur_time = Some(proto::timestamp(conversation::Time(bus::now().0 - 600_000_000_000)));
    let late = v1::ReceivedMessage { id: "m0".to_owned(), text: "refund".to_owned(), occur_time, ..Default::default() };
    let (_, late) = world.receive_message("ana", late).await;
    let (_, last) = world.receive("ana", "m2", "hello").await;
    assert!(revision < again || again == revision);
    world.run_of(last).await;
    let chat = world.chat(&conversation).await;
    let bot: Vec<&String> = chat.iter().filter(|line| line.starts_with("bot:")).collect();
    assert_eq!(bot, ["bot: 30 days.\n\n— faq: Returns", "bot: Hello!"], "{chat:?}");
    let event = world.bus.event_at(u64::try_from(late).unwrap()).await.unwrap().unwrap();
    assert_eq!(world.recorded(&event).await, None);
    other.shutdown().begin();
    assert!(other.finish().await);
    world.stop().await;
}

#[tokio::test]
async fn only_workspaces_that_want_a_bot_have_one() {
    let mut world = world().await;
    let request = v1::ReceiveMessageRequest {
        workspace: "rival".to_owned(),
        channel: "web:2".to_owned(),
        contact: Some(v1::Contact { id: "ana".to_owned(), ..v1::Contact::default() }),
        message: Some(v1::ReceivedMessage { id: "m".to_owned(), text: "refund".to_owned(), ..Default::default() }),
        ..v1::ReceiveMessageRequest::default()
    };
    world.conversations.receive_message(request).await.unwrap();
    world.say("ana", "hello").await;
    world.idle().await;
    assert!(world.brain.asked().iter().all(|question| question.workspace == "acme"));
    world.stop().await;
}
