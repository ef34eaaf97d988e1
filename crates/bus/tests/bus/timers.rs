use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Recorded, Source, TimerSlot, WorkerOptions, now};
use conversation::Time;
use prost::Message;
use proto::v1;
use testkit::eventually;
use tokio::sync::watch;

use crate::common::bus;

const DEADLINE: Duration = Duration::from_secs(60);

fn timer(conversation: &str, due_in_ms: i64, arming_event_id: &str) -> v1::Timer {
    v1::Timer {
        workspace: "acme".to_owned(),
        conversation: conversation.to_owned(),
        rule: "close after silence".to_owned(),
        rule_version: 2,
        arming_event_id: arming_event_id.to_owned(),
        due_time: Some(proto::timestamp(Time(now().0 + due_in_ms * 1_000_000))),
        ..v1::Timer::default()
    }
}

/// What came due: what armed it, and whether it came too early.
#[derive(Clone, Default)]
struct Bell(Arc<Mutex<Vec<(String, bool)>>>);

impl Handler for Bell {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let timer = v1::Timer::decode(recorded.payload.clone()).unwrap();
        let early = now() < timer.due_time.as_ref().and_then(proto::time).unwrap();
        self.0.lock().unwrap().push((timer.arming_event_id, early));
        Ok(())
    }
}

impl Bell {
    async fn listen(&self, bus: &Bus) -> watch::Sender<bool> {
        let (stop, stopping) = watch::channel(false);
        let (bus, bell) = (bus.clone(), Arc::new(self.clone()));
        let options = WorkerOptions::new("bell").of(Source::TimersDue);
        bus.prepare(&options).await.unwrap();
        tokio::spawn(async move {
            // As a supervisor would: the server may be away while the consumers are looked for.
            while bus.work(&options, bell.clone(), stopping.clone()).await.is_err() {}
        });
        stop
    }

    async fn rang(&self, count: usize) -> BTreeMap<String, usize> {
        eventually("timers to come due", DEADLINE, async || {
            let rang = self.0.lock().unwrap();
            assert!(rang.iter().all(|(_, early)| !early), "one came early");
            let mut each = BTreeMap::new();
            rang.iter().for_each(|(id, _)| *each.entry(id.clone()).or_insert(0) += 1);
            (each.len() >= count).then_some(each)
        })
        .await
    }
}

#[tokio::test]
async fn a_timer_comes_due_once_the_last_one_armed_counts_and_a_cancelled_one_never_comes() {
    let (_server, bus) = bus().await;
    let bell = Bell::default();
    let _stop = bell.listen(&bus).await;
    // What is armed again for a different time comes at that time; one due in the past comes at once.
    bus.arm(&timer("replaced", 300, "first")).await.unwrap();
    bus.arm(&timer("replaced", 1_500, "second")).await.unwrap();
    bus.arm(&timer("past", -60_000, "past")).await.unwrap();
    let cancelled = timer("cancelled", 600, "cancelled");
    bus.arm(&cancelled).await.unwrap();
    let slot = TimerSlot::of(&cancelled);
    assert_eq!(bus.armed(&slot).await.unwrap().as_ref(), Some(&cancelled));
    bus.disarm(&slot).await.unwrap();
    assert_eq!(bus.armed(&slot).await.unwrap(), None);
    // Another ticket of the same conversation and rule has a timer of its own.
    let ticket = v1::Timer { ticket_id: "t2".to_owned(), ..timer("replaced", 400, "of t2") };
    bus.arm(&ticket).await.unwrap();
    let last = timer("last", 2_500, "last");
    bus.arm(&last).await.unwrap();
    let rang = bell.rang(4).await;
    let once = |id: &str| (id.to_owned(), 1);
    assert_eq!(rang, BTreeMap::from([once("past"), once("of t2"), once("second"), once("last")]));
    eventually("worked timers to be taken off", DEADLINE, async || {
        let stream = bus.jetstream().get_stream("TIMERS").await.unwrap();
        (stream.cached_info().state.messages == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn timers_survive_kill_9_of_the_server_and_come_due_once_each() {
    let (mut server, bus) = bus().await;
    let count = testkit::count("bus-timers", 200, 10_000);
    for n in 0..count {
        let due = 500 + i64::try_from(n).unwrap() % 2_000;
        bus.arm(&timer(&format!("c{n}"), due, &format!("e{n}"))).await.unwrap();
        if n == count / 2 {
            server.kill();
            server.restart().await;
        }
    }
    let bell = Bell::default();
    let _stop = bell.listen(&bus).await;
    server.kill();
    server.restart().await;
    let rang = bell.rang(count).await;
    assert_eq!(rang.len(), count);
    let doubled = rang.values().filter(|times| **times > 1).count();
    // The server may hand out again what was worked on when it died; never more than was under way.
    assert!(doubled <= 4 * 256, "{doubled} doubled");
}
