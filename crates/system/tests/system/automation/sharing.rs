//! Three engines share one team's work while engines are killed: nobody gets more than one conversation more than
//! anybody else, and nothing is opened or assigned twice, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use proto::v1;
use proto::v1::run::Outcome;
use proto::v1::stamp::Kind as Stamp;

use super::log::{Stamped, count, say, stamps};
use super::town::{Town, WORKSPACE};
use crate::log::Collected;

/// The second rule always comes too late, and must not open a second ticket.
const RULES: &str = r#"
rules:
  - name: share
    on: message.received
    when: message.text.contains("refund") && conversation.open_ticket_count == 0
    do:
      - open_ticket: { topic: refund }
      - assign: { team: billing, strategy: round_robin, only_online: true, fallback: team_queue }
  - name: open-too
    on: message.received
    do:
      - open_ticket: { topic: other }
"#;
const AGENTS: [(&str, u32); 5] = [("ann", 0), ("bob", 0), ("cid", 0), ("dan", 0), ("eve", 0)];
/// Customers who write at once.
const LOAD: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn round_robin_is_even_and_nothing_is_doubled_while_engines_are_killed() {
    let customers = testkit::count("automation-sharing", 120, 3_000);
    let mut town = Town::start(3, "").await;
    let desk = town.desk.clone();
    desk.staff("billing", &AGENTS).await;
    for (agent, _) in AGENTS {
        desk.online(agent).await;
    }
    desk.apply(0, RULES).await;

    let wrote = Arc::new(AtomicUsize::new(0));
    let done = wrote.clone();
    let writing = tokio::spawn(async move {
        let write = |nth: usize| {
            let (desk, done) = (desk.clone(), done.clone());
            async move {
                let (contact, id) = (format!("c{nth}"), |message: &str| format!("c{nth}-{message}"));
                // Both at once: the first of them in the log opens, whichever that is.
                let (one, two) = (id("1"), id("2"));
                let both = (desk.receive(&contact, &one, "a refund"), desk.receive(&contact, &two, "a refund!"));
                let (one, _) = futures::join!(both.0, both.1);
                done.fetch_add(1, Ordering::SeqCst);
                one.0
            }
        };
        futures::stream::iter(0..customers).map(write).buffer_unordered(LOAD).collect::<BTreeSet<String>>().await
    });
    for (nth, part) in [(0, 1), (1, 2)] {
        testkit::eventually("the middle of the load", crate::deployment::DEADLINE * 10, async || {
            (wrote.load(Ordering::SeqCst) >= customers * part / 3).then_some(())
        })
        .await;
        town.kill_engine(nth, Duration::from_millis(500)).await;
    }
    let conversations = writing.await.unwrap();
    assert_eq!(conversations.len(), customers);

    let runs = await_runs(&mut town, customers).await;
    let mut collected = Collected::new(&town.bus);
    collected.up_to_date().await;
    let stamps = stamps(&collected.of_workspace(WORKSPACE));
    every_conversation_has_one(&stamps, &conversations);
    let shares = shares(&stamps);
    let (least, most) = (shares.values().min().unwrap(), shares.values().max().unwrap());
    say(&format!("round robin of {customers} conversations with 3 engines, 2 of them killed: {shares:?}"));
    assert!(shares.len() == AGENTS.len() && most - least <= 1, "{shares:?}");
    runs_are_told_once(&runs, customers);
}

/// Waits until the second rule has a run for each message: it comes after the first.
async fn await_runs(town: &mut Town, customers: usize) -> Vec<v1::Run> {
    let deadline = tokio::time::Instant::now() + crate::deployment::DEADLINE * 3;
    loop {
        town.keep_alive();
        let runs = town.desk.runs(v1::ListRunsRequest { include_not_matched: true, ..Default::default() }).await;
        let (told, all) = (runs.len(), customers * 4);
        if told >= all {
            return runs;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told} of {all} runs");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn every_conversation_has_one(stamps: &[Stamped], conversations: &BTreeSet<String>) {
    let once: BTreeMap<String, usize> = conversations.iter().map(|conversation| (conversation.clone(), 1)).collect();
    assert_eq!(count(stamps, |kind| matches!(kind, Stamp::Opened(_))), once, "one ticket each");
    assert_eq!(count(stamps, |kind| matches!(kind, Stamp::Assigned(_))), once, "one assignment each");
    assert_eq!(stamps.len(), 2 * conversations.len(), "{stamps:?}");
}

fn shares(stamps: &[Stamped]) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for holder in stamps.iter().filter_map(Stamped::holder) {
        assert_eq!(holder.team_id, "billing");
        *shares.entry(holder.agent_id).or_insert(0) += 1;
    }
    shares
}

/// Of each message, what each rule did: once.
fn runs_are_told_once(runs: &[v1::Run], customers: usize) {
    let told =
        |rule: &str, outcome: Outcome| runs.iter().filter(|run| run.rule == rule && run.outcome() == outcome).count();
    let distinct: BTreeSet<(&str, &str)> = runs.iter().map(|run| (run.rule.as_str(), run.event_id.as_str())).collect();
    assert_eq!((runs.len(), distinct.len()), (customers * 4, customers * 4), "each rule once for each message");
    assert_eq!(told("share", Outcome::Done), customers);
    assert_eq!(told("share", Outcome::NotMatched), customers, "the other message of each customer");
    assert_eq!(told("open-too", Outcome::Refused), 2 * customers);
}
