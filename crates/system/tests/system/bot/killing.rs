//! Bots are killed with SIGKILL in the middle of turns: each turn gets one answer or one handoff, never both, never two,
//! and never none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use proto::v1;
use proto::v1::actor::Kind;
use proto::v1::decided_entry::Entry;
use proto::v1::event::Event;

use super::town::{Town, WORKSPACE};
use crate::automation::say;
use crate::deployment::DEADLINE;
use crate::log::Collected;

/// Customers who write at once.
const LOAD: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_turn_gets_one_answer_or_one_handoff_while_bots_are_killed() {
    let customers = testkit::count("bot-killing", 100, 3_000);
    let mut town = Town::start(2, "").await;
    let mut bots = std::mem::take(&mut town.bots);
    let town = Arc::new(town);
    let wrote = Arc::new(AtomicBool::new(false));
    let (desk, done) = (town.clone(), wrote.clone());
    let writing = tokio::spawn(async move {
        let write = |nth: usize| {
            let desk = desk.clone();
            async move {
                let contact = format!("c{nth}");
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..800))).await;
                let known = nth.is_multiple_of(2);
                let first = if known { "Good evening" } else { "My parrot sings in the shower" };
                desk.receive(&contact, &format!("{contact}-1"), first).await;
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..100))).await;
                let second =
                    if known { "How long do I have to return something?" } else { "I want to talk to a human" };
                desk.receive(&contact, &format!("{contact}-2"), second).await
            }
        };
        futures::stream::iter(0..customers).map(write).buffer_unordered(LOAD).for_each(async |_| {}).await;
        done.store(true, Ordering::SeqCst);
    });
    let mut kills = 0;
    while !wrote.load(Ordering::SeqCst) || kills < 12 {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(150..700))).await;
        let nth = kills % bots.len();
        bots[nth].restart();
        kills += 1;
    }
    writing.await.unwrap();
    testkit::eventually("every message to be worked on", DEADLINE * 4, async || {
        town.pending().await.filter(|pending| *pending == 0)
    })
    .await;
    let mut collected = Collected::new(&town.bus);
    collected.up_to_date().await;
    let turns = turns(&collected.of_workspace(WORKSPACE));
    assert_eq!(turns.len(), customers, "a bot decided in every conversation, after {kills} kills");
    // Whoever paused between the two messages, by the clock of a busy machine, has two turns.
    let fine = |did: &[&str]| matches!(did, ["reply" | "handoff"]) || matches!(did, ["reply", "reply" | "handoff"]);
    let odd: Vec<_> = turns.iter().filter(|(_, did)| !fine(did)).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    let count = |what: &str| turns.values().filter(|did| did.last() == Some(&what)).count();
    let (replies, handoffs) = (count("reply"), count("handoff"));
    assert_eq!((replies, handoffs), (customers.div_ceil(2), customers / 2));
    let twice = turns.values().filter(|did| did.len() > 1).count();
    assert!(twice <= customers / 10, "{twice} customers paused between their two messages");
    say(&format!(
        "{customers} turns with 2 bots, killed {kills} times: {replies} replies, {handoffs} handoffs, {twice} customers paused in between"
    ));
}

/// What bots did in each conversation.
fn turns(events: &[(u64, v1::Event)]) -> BTreeMap<String, Vec<&'static str>> {
    let mut turns: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let mut answered = BTreeSet::new();
    for (_, event) in events {
        let Some(Event::Decided(decided)) = &event.event else { continue };
        assert_eq!(event.actor.as_ref().unwrap().kind(), Kind::Bot);
        assert!(answered.insert(event.causation_id.clone()), "a message was answered twice: {event:?}");
        let is = |test: fn(&Entry) -> bool| decided.entries.iter().filter_map(|entry| entry.entry.as_ref()).any(test);
        let words = is(|entry| matches!(entry, Entry::Message(_)));
        let stamp = is(|entry| matches!(entry, Entry::Stamp(_)));
        let note = is(|entry| matches!(entry, Entry::Note(_)));
        let did = match (words, stamp, note) {
            (true, false, false) => "reply",
            (true, true, true) => "handoff",
            _ => "half a handoff",
        };
        turns.entry(event.conversation.clone()).or_default().push(did);
    }
    turns
}
