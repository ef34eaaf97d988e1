//! The program is killed with SIGKILL at random moments under load, against an API that counts.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::v1::MessageStatus;

use crate::world::{DEADLINE, World, told};

/// Customers who are written to.
const CUSTOMERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_delivery_at_any_time_loses_nothing_and_doubles_only_what_it_marks() {
    let kills = testkit::count("delivery-kills", 6, 200);
    let mut random = fastrand::Rng::new();
    let mut world = World::start("when_unknown = \"resend\"\npair_burst = 100000\nper_second = 1000").await;
    world.graph.set_latency(Duration::from_millis(20));
    let mut chats = Vec::new();
    for customer in 0..CUSTOMERS {
        chats.push(world.receive("106", &format!("4915{customer}"), "hi").await);
    }
    let mut said: Vec<Vec<(String, String)>> = vec![Vec::new(); CUSTOMERS];
    for _ in 0..kills {
        let program = world.program();
        // One that has not taken over yet sends nothing: it has to be at work when it is killed.
        let (sent, started) = (world.graph.sent_count(), tokio::time::Instant::now());
        let mut until = None;
        while until.is_none_or(|until| tokio::time::Instant::now() < until) {
            assert!(started.elapsed() < DEADLINE, "a new process sends nothing");
            if until.is_none() && world.graph.sent_count() > sent {
                until = Some(tokio::time::Instant::now() + Duration::from_millis(random.u64(0..1_000)));
            }
            let customer = random.usize(0..CUSTOMERS);
            let text = format!("{customer}:{}", said[customer].len());
            let id = world.say(&chats[customer], &text).await;
            said[customer].push((id, text));
            tokio::time::sleep(Duration::from_millis(random.u64(0..80))).await;
        }
        // SIGKILL.
        drop(program);
    }
    let _delivery = world.deliver().await;
    let (mut resent, mut doubled, mut given_up) = (0, 0, 0);
    for (customer, said) in said.iter().enumerate() {
        let Some((last, _)) = said.last() else { continue };
        // What was said while nobody took over is a great deal.
        let patience = 2 * DEADLINE + Duration::from_secs(3) * u32::try_from(kills).unwrap();
        testkit::eventually("the last message", patience, async || {
            let message = world.message(&chats[customer], last).await;
            (message.status() >= MessageStatus::Accepted).then_some(())
        })
        .await;
        let told = told(&world.graph, &format!("4915{customer}"));
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        let mut firsts = Vec::new();
        for word in &told {
            let times = times.entry(word).or_default();
            *times += 1;
            if *times == 1 {
                firsts.push(word.as_str());
            }
        }
        let mut texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        let messages = world.messages(&chats[customer]).await;
        // Killed in the middle of its second call too: it goes out no third time, and a human is told to look.
        let told_of = |id: &String| {
            let message = &messages[id];
            let marked = message.statuses.iter().any(|report| report.channel_status == "resent");
            marked && message.status() == MessageStatus::Failed
        };
        let missing: Vec<_> = said.iter().filter(|(_, text)| !times.contains_key(text.as_str())).collect();
        let lost: Vec<_> =
            missing.iter().filter(|(id, _)| !told_of(id)).map(|(id, text)| (text, &messages[id])).collect();
        assert!(lost.is_empty(), "{} of {} did not come: {lost:?}", lost.len(), said.len());
        given_up += missing.len();
        texts.retain(|text| times.contains_key(text));
        let order = firsts.iter().zip(&texts).position(|(came, said)| came != said);
        assert_eq!(order, None, "all of it comes in order: {:?}", order.map(|at| &firsts[at..]));
        for (id, text) in said {
            let message = &messages[id];
            let marked = message.statuses.iter().any(|report| report.channel_status == "resent");
            let Some(&times) = times.get(text.as_str()) else { continue };
            assert!(times == 1 || (times == 2 && marked), "{text} came {times} times: {:?}", message.statuses);
            resent += usize::from(marked);
            doubled += usize::from(times == 2);
        }
    }
    let all: usize = said.iter().map(Vec::len).sum();
    println!("{kills} kills, {all} messages, {resent} sent again, {doubled} came twice, {given_up} left to humans");
    assert!(all > kills, "{all} messages are no load");
}
