use std::time::Duration;

use proto::v1::bot_turn::Deed;

use crate::world::{PAUSE, deed, world};

#[tokio::test]
async fn three_quick_messages_get_one_answer() {
    let mut world = world().await;
    let mut revisions = Vec::new();
    for (id, text) in [("m1", "hello"), ("m2", "I have a question"), ("m3", "about a refund")] {
        revisions.push(world.receive("ana", id, text).await);
    }
    let conversation = revisions[0].0.clone();
    let mut deeds = Vec::new();
    for (_, revision) in &revisions {
        deeds.push(deed(&world.run_of(*revision).await));
    }
    assert_eq!(deeds, [Deed::Joined, Deed::Joined, Deed::Replied]);
    let asked = world.brain.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].text, "hello\nI have a question\nabout a refund");
    assert_eq!(world.chat(&conversation).await.len(), 4);
    // Who pauses begins another turn.
    tokio::time::sleep(PAUSE).await;
    world.say("ana", "thanks").await;
    let asked = world.brain.asked();
    assert_eq!(asked[1].text, "thanks");
    assert_eq!(asked[1].history.len(), 4);
    world.stop().await;
}

#[tokio::test]
async fn what_comes_while_the_bot_thinks_is_answered_with_it() {
    let mut world = world().await;
    world.brain.takes(Duration::from_millis(600));
    let (conversation, first) = world.receive("ana", "m1", "I want").await;
    testkit::eventually("the bot to think", crate::world::DEADLINE, async || world.brain.asked().first().cloned())
        .await;
    let (_, second) = world.receive("ana", "m2", "a refund").await;
    assert_eq!(deed(&world.run_of(second).await), Deed::Replied);
    assert_eq!(deed(&world.run_of(first).await), Deed::Joined);
    assert_eq!(world.chat(&conversation).await.len(), 3, "one answer");
    assert_eq!(world.brain.asked().last().unwrap().text, "I want\na refund");
    world.stop().await;
}

#[tokio::test]
async fn who_never_pauses_is_answered_in_between() {
    let mut world = world().await;
    let mut last = 0;
    for nth in 0..20 {
        last = world.receive("ana", &format!("m{nth}"), "refund").await.1;
    }
    world.run_of(last).await;
    let asked = world.brain.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].text.lines().count(), asked[1].text.lines().count()), (16, 4));
    world.stop().await;
}
