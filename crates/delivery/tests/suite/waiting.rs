//! What has to wait holds up nobody else, stays in order, and takes no memory.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use proto::v1::MessageStatus;
use testkit::{Act, Which};

use crate::world::{DEADLINE, World, told};

/// Said at once, where there is much to say.
const AT_ONCE: usize = 32;
/// Growth that is no growth, in bytes: pages of the allocator, buffers of connections.
const NOISE: u64 = 24 << 20;

fn words(count: usize) -> Vec<String> {
    (0..count).map(|nth| format!("word {nth}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_who_is_stuck_holds_up_nobody_of_the_number() {
    let mut world = World::start("in_flight = 16\npair_burst = 1000").await;
    let _delivery = world.deliver().await;
    let (stuck, fine) = (world.receive("106", "1", "hi").await, world.receive("106", "2", "hi").await);
    world.graph.always(Which::to("1"), Act::error(131_056));
    let words = words(100);
    let mut last = String::new();
    for word in &words {
        last = world.say(&stuck, word).await;
    }
    for _ in 0..20 {
        let said = world.say(&fine, "hello").await;
        world.comes_to(&fine, &said, MessageStatus::Read).await;
    }
    world.graph.usual();
    world.comes_to(&stuck, &last, MessageStatus::Read).await;
    assert_eq!(told(&world.graph, "1"), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_slow_or_storms_leaves_the_other_alone() {
    let mut world = World::start("in_flight = 16\nanswer_timeout_ms = 40000").await;
    let _delivery = world.deliver().await;
    let (slow, fine) = (world.receive("106", "1", "hi").await, world.receive("107", "2", "hi").await);
    let long = Duration::from_secs(testkit::count("slow-answer-seconds", 5, 30) as u64);
    let trouble = [
        (2, Act::slowly(long)),
        (2, Act::error(130_429)),
        (2, Act::too_many(2)),
        // Lost twice, it would be given up.
        (1, Act::DropBefore),
        (2, Act::status(503)),
    ];
    for (times, act) in trouble {
        world.graph.next(Which::of("106"), times, act.clone());
        let last = world.say(&slow, "patience").await;
        world.say(&slow, "and more").await;
        // The other number is through while the first waits for its answer, or for leave to ask again.
        let said = world.say(&fine, "hello").await;
        world.comes_to(&fine, &said, MessageStatus::Read).await;
        let waiting = world.message(&slow, &last).await;
        assert!(waiting.status() < MessageStatus::Accepted, "{act:?}: {waiting:?}");
        world.comes_to(&slow, &last, MessageStatus::Read).await;
    }
    testkit::eventually("all words", 2 * DEADLINE, async || (told(&world.graph, "1").len() == 10).then_some(())).await;
    assert_eq!(told(&world.graph, "1"), ["patience", "and more"].repeat(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_much_waits_the_process_stays_as_small() {
    let count = testkit::count("queued-messages", 3_000, 100_000);
    let mut world = World::start("in_flight = 256\npair_burst = 100000\nper_second = 10000").await;
    let mut chats = Vec::new();
    for customer in 0..16 {
        chats.push(world.receive("106", &format!("4915{customer}"), "hi").await);
    }
    world.graph.go_down();
    let program = world.program();
    // As many as are kept in memory, and then all the others.
    let few = count / 3;
    say(&world, &chats, 0..few).await;
    world.queued(few).await;
    let before = program.memory().unwrap();
    say(&world, &chats, few..count).await;
    world.queued(count).await;
    let after = program.memory().unwrap();
    println!("{few} messages queued: {} KiB resident; {count}: {} KiB", before >> 10, after >> 10);
    assert!(after < before + NOISE, "it grew from {before} to {after} bytes");
    world.graph.come_back();
    let all = Duration::from_secs(60 + count as u64 / 50);
    testkit::eventually("all of it", all, async || (world.graph.sent_count() == count as u64).then_some(())).await;
    world.queued(0).await;
    for customer in 0..chats.len() {
        let told = told(&world.graph, &format!("4915{customer}"));
        let wanted: Vec<String> =
            (0..count).filter(|nth| nth % chats.len() == customer).map(|nth| nth.to_string()).collect();
        assert!(told == wanted, "in order, each once");
    }
}

/// Says numbers, in order within a chat.
async fn say(world: &World, chats: &[String], numbers: std::ops::Range<usize>) {
    let chats = chats.iter().enumerate().map(|(customer, chat)| {
        let numbers = numbers.clone().filter(move |nth| nth % chats.len() == customer);
        async move {
            for nth in numbers {
                world.say(chat, &nth.to_string()).await;
            }
            Ok::<(), ()>(())
        }
    });
    futures::stream::iter(chats).buffer_unordered(AT_ONCE).try_collect::<()>().await.unwrap();
}
