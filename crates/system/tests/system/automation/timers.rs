//! Many timers that are due at about the same time, while an engine and the nats-server are killed: each fires once, or
//! is void and says why.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use proto::v1;
use proto::v1::run::Outcome;

use super::log::{decisions, percentile, say};
use super::town::{Town, WORKSPACE};
use crate::deployment::DEADLINE;
use crate::log::Collected;

/// Every so many customers answer, which makes their timers void.
const ANSWERS: usize = 5;
/// Chats that are begun at once.
const LOAD: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn idle_timers_fire_once_or_are_void_while_everything_is_killed() {
    let timers = testkit::count("automation-timers", 300, 10_000);
    // All of them are due within the time that it takes to arm them.
    let after = if timers > 1_000 { "60s" } else { "12s" };
    let mut town = Town::start(2, "").await;
    let desk = town.desk.clone();
    // A note is no message: it arms nothing.
    let rule = format!("name: silence\non: {{ customer.idle: {{ for: {after} }} }}\ndo: [add_note: Silence.]");
    desk.apply(0, &rule).await;

    let begin = move |nth: usize| {
        let desk = desk.clone();
        async move {
            let (contact, id) = (format!("c{nth}"), |message: &str| format!("c{nth}-{message}"));
            let (conversation, _) = desk.receive(&contact, &id("1"), "hello").await;
            desk.send(&conversation, "ann", &id("2"), "what is it?").await;
            let answers = nth.is_multiple_of(ANSWERS);
            if answers {
                desk.receive(&contact, &id("3"), "nothing").await;
            }
            (conversation, answers)
        }
    };
    let begun = futures::stream::iter(0..timers).map(begin).buffer_unordered(LOAD);
    let answered: BTreeMap<String, bool> = tokio::spawn(begun.collect()).await.unwrap();
    assert_eq!(answered.len(), timers);

    // In the midst of it, everything that timers need is gone for a while.
    for nth in [0, 1] {
        let so_far = (1 + nth * timers / 3).min(timers / 2);
        await_runs(&mut town, so_far).await;
        town.kill_engine_and_nats(nth, Duration::from_secs(1)).await;
    }
    let runs = await_runs(&mut town, timers).await;
    check(&runs, &answered);
    let mut collected = Collected::new(&town.bus);
    collected.up_to_date().await;
    noted_once(&collected.of_workspace(WORKSPACE), &answered);

    let mut late: Vec<i64> = runs.iter().map(lateness).collect();
    let [half, tail, most] = [50, 99, 100].map(|percent| percentile(&mut late, percent));
    let (due, last) = (runs.iter().map(due).min().unwrap(), runs.iter().map(due).max().unwrap());
    say(&format!(
        "{timers} timers due within {} ms, 2 kills of engine and nats-server: late by p50 {half} ms, p99 {tail} ms, \
         at most {most} ms",
        last - due
    ));
}

/// Waits for so many runs.
async fn await_runs(town: &mut Town, count: usize) -> Vec<v1::Run> {
    let deadline = tokio::time::Instant::now() + DEADLINE * 4;
    loop {
        town.keep_alive();
        let runs = town.desk.runs_of("silence").await;
        if runs.len() >= count {
            return runs;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} of {count} timers came to anything", runs.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn check(runs: &[v1::Run], answered: &BTreeMap<String, bool>) {
    let mut of: BTreeMap<&str, Vec<&v1::Run>> = BTreeMap::new();
    for run in runs {
        of.entry(run.conversation_id.as_str()).or_default().push(run);
    }
    assert_eq!(of.len(), answered.len(), "some timers came to nothing");
    for (conversation, runs) in of {
        let [run] = runs[..] else { panic!("{runs:#?}") };
        if answered[conversation] {
            assert_eq!(
                (run.outcome(), run.reason.as_str()),
                (Outcome::Skipped, "void: the customer wrote"),
                "{run:#?}"
            );
        } else {
            assert_eq!(run.outcome(), Outcome::Done, "{run:#?}");
        }
    }
}

/// Whoever was silent has one note, and nobody else has any.
fn noted_once(events: &[(u64, v1::Event)], answered: &BTreeMap<String, bool>) {
    let mut notes: BTreeMap<String, usize> = BTreeMap::new();
    for (event, decided) in decisions(events) {
        let of = |entry: &&v1::DecidedEntry| matches!(entry.entry, Some(v1::decided_entry::Entry::Note(_)));
        *notes.entry(event.conversation.clone()).or_default() += decided.entries.iter().filter(of).count();
    }
    for (conversation, answered) in answered {
        assert_eq!(notes[conversation], usize::from(!answered), "notes in {conversation}");
    }
}

/// When a run was due, in Unix milliseconds: its id says so.
fn due(run: &v1::Run) -> i64 {
    run.id.rsplit_once('/').unwrap().1.parse().unwrap()
}

/// In milliseconds.
fn lateness(run: &v1::Run) -> i64 {
    run.time.as_ref().and_then(proto::time).unwrap().0 / 1_000_000 - due(run)
}
