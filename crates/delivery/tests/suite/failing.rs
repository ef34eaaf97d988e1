//! What the channel refuses, loses, and can't take for a while.

use std::time::Duration;

use proto::v1::MessageStatus;
use testkit::{Act, Which};

use crate::world::{DEADLINE, World, told};

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_fails_with_its_code_and_what_to_do() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 1, Act::error(131_047));
    let said = world.say(&chat, "too late").await;
    let failed = world.comes_to(&chat, &said, MessageStatus::Failed).await;
    let error = &failed.statuses[0].errors[0];
    assert_eq!(error.code, 131_047);
    assert!(error.details.contains("template"), "{error:?}");
    let next = world.say(&chat, "and now?").await;
    world.comes_to(&chat, &next, MessageStatus::Read).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_given_up_in_the_end() {
    let mut world = World::start("tries = 3").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 2, Act::error(131_000));
    let said = world.say(&chat, "third time lucky").await;
    world.comes_to(&chat, &said, MessageStatus::Read).await;
    world.graph.next(Which::any(), 3, Act::error(131_000));
    let said = world.say(&chat, "never").await;
    let failed = world.comes_to(&chat, &said, MessageStatus::Failed).await;
    assert_eq!(failed.statuses[0].errors[0].code, 131_000);
    assert_eq!(told(&world.graph, "4915"), ["third time lucky"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_again_by_the_status() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 1, Act::DropAfter);
    let said = world.say(&chat, "once").await;
    let message = world.comes_to(&chat, &said, MessageStatus::Read).await;
    assert!(message.statuses.iter().all(|report| report.channel_status != "resent"), "{message:?}");
    let next = world.say(&chat, "and again").await;
    world.comes_to(&chat, &next, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "4915"), ["once", "and again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_sent_again_once_and_says_so() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 1, Act::DropBefore);
    let said = world.say(&chat, "hello?").await;
    let message = world.comes_to(&chat, &said, MessageStatus::Read).await;
    assert_eq!(message.statuses[0].channel_status, "resent");
    assert_eq!(told(&world.graph, "4915"), ["hello?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_to_be_asked_is_asked() {
    let mut world = World::start("when_unknown = \"ask\"").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 1, Act::DropBefore);
    let said = world.say(&chat, "hello?").await;
    let failed = world.comes_to(&chat, &said, MessageStatus::Failed).await;
    assert!(failed.statuses[0].errors[0].title.contains("may have arrived"), "{failed:?}");
    assert_eq!(told(&world.graph, "4915"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_api_is_down_everything_waits_and_then_goes_out_in_order() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.go_down();
    let words: Vec<String> = (0..30).map(|nth| format!("word {nth}")).collect();
    for word in &words {
        world.say(&chat, word).await;
    }
    let down = Duration::from_secs(testkit::count("outage-seconds", 3, 60) as u64);
    tokio::time::sleep(down).await;
    world.graph.come_back();
    testkit::eventually("all words", 2 * DEADLINE, async || (told(&world.graph, "4915").len() == 30).then_some(()))
        .await;
    assert_eq!(told(&world.graph, "4915"), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_stopped_keeps_its_queue_and_leaves_others_alone() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let (stopped, other) = (world.receive("106", "1", "hi").await, world.receive("107", "2", "hi").await);
    world.graph.always(Which::of("106"), Act::error(190));
    let words: Vec<String> = (0..10).map(|nth| format!("word {nth}")).collect();
    let mut last = String::new();
    for word in &words {
        last = world.say(&stopped, word).await;
    }
    let said = world.say(&other, "hello").await;
    world.comes_to(&other, &said, MessageStatus::Read).await;
    let bus = bus::Bus::connect(&bus::Options::new(world.nats.url())).await.unwrap();
    let channels = bus.bucket(bus::BucketName::Channels);
    testkit::eventually("the stop", DEADLINE, async || {
        let states = channels.list::<proto::v1::ChannelState>("").await.ok()?;
        states.iter().any(|state| state.value.channel == "whatsapp:106" && state.value.code == 190).then_some(())
    })
    .await;
    assert!(world.graph.refused()[&190] < 10, "one at a time tries it: {:?}", world.graph.refused());
    world.graph.usual();
    world.comes_to(&stopped, &last, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "1"), words);
    let states = channels.list::<proto::v1::ChannelState>("").await.unwrap();
    assert!(states.iter().all(|state| state.value.stopped.is_empty()), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn storms_of_429_pass() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.next(Which::any(), 5, Act::too_many(1));
    let said = world.say(&chat, "patience").await;
    world.comes_to(&chat, &said, MessageStatus::Read).await;
    world.graph.next(Which::any(), 3, Act::error(130_429));
    let said = world.say(&chat, "more patience").await;
    world.comes_to(&chat, &said, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "4915"), ["patience", "more patience"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_always_answered_500_is_set_aside_while_others_go_out() {
    let mut world = World::start("tries = 3").await;
    let _delivery = world.deliver().await;
    let (poisoned, fine) = (world.receive("106", "1", "hi").await, world.receive("106", "2", "hi").await);
    world.graph.always(Which::to("1"), Act::status(500));
    let poison = world.say(&poisoned, "poison").await;
    let mut said = 0;
    let failed = testkit::eventually("the message to be set aside", DEADLINE, async || {
        let last = world.say(&fine, "hello").await;
        world.comes_to(&fine, &last, MessageStatus::Read).await;
        said += 1;
        let message = world.message(&poisoned, &poison).await;
        (message.status() == MessageStatus::Failed).then_some(message)
    })
    .await;
    let error = &failed.statuses[0].errors[0];
    assert!(error.title.contains("500") && error.details.contains("say it in another way"), "{error:?}");
    assert_eq!(told(&world.graph, "2").len(), said);
    world.graph.usual();
    let next = world.say(&poisoned, "better").await;
    world.comes_to(&poisoned, &next, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "1"), ["better"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_alone_on_its_number_is_not_set_aside_for_an_outage() {
    let mut world = World::start("tries = 3").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "1", "hi").await;
    world.graph.next(Which::any(), 6, Act::status(503));
    let said = world.say(&chat, "patience").await;
    world.comes_to(&chat, &said, MessageStatus::Read).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_renewed_in_the_configuration_is_taken_without_a_restart() {
    let mut world = World::start("").await;
    let _delivery = world.deliver().await;
    let chat = world.receive("106", "4915", "hi").await;
    world.graph.set_token("renewed");
    let said = world.say(&chat, "are you there?").await;
    testkit::eventually("the stop", DEADLINE, async || world.graph.refused().contains_key(&190).then_some(())).await;
    world.renew_token("renewed");
    world.comes_to(&chat, &said, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "4915"), ["are you there?"]);
}
