use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Recorded, Source, TraceParent, WorkerOptions};
use testkit::eventually;
use tokio::sync::watch;

use crate::common::{bus, connect, received};

/// What was worked on, by whom, in order.
#[derive(Default)]
struct Journal(Mutex<Vec<(usize, String, u64)>>);

struct Worker {
    replica: usize,
    journal: Arc<Journal>,
    behave: fn(&str) -> Result<Duration, HandlerError>,
}

impl Handler for Worker {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        tokio::time::sleep((self.behave)(&event.id)?).await;
        self.journal.0.lock().unwrap().push((self.replica, event.conversation, recorded.revision));
        Ok(())
    }
}

fn start(
    bus: &Bus,
    replica: usize,
    journal: &Arc<Journal>,
    behave: fn(&str) -> Result<Duration, HandlerError>,
) -> (watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let (stop, stopping) = watch::channel(false);
    let (bus, worker) = (bus.clone(), Arc::new(Worker { replica, journal: journal.clone(), behave }));
    let work = async move { bus.work(&WorkerOptions::new("test"), worker, stopping).await.unwrap() };
    (stop, tokio::spawn(work))
}

async fn publish(bus: &Bus, ids: impl Iterator<Item = (String, String)>) {
    let events = ids.map(|(conversation, id)| proto::v1::Event { conversation, ..received(&id) });
    for done in bus.publish_facts(events, &TraceParent::start()).await {
        done.unwrap();
    }
}

async fn worked_on(journal: &Journal, count: usize) -> BTreeMap<String, Vec<u64>> {
    eventually("all events to be worked on", Duration::from_secs(60), async || {
        let entries = journal.0.lock().unwrap();
        let distinct: BTreeSet<u64> = entries.iter().map(|(_, _, revision)| *revision).collect();
        (distinct.len() >= count).then(|| {
            let mut each: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for (_, conversation, revision) in entries.iter() {
                each.entry(conversation.clone()).or_default().push(*revision);
            }
            each
        })
    })
    .await
}

fn quick(_: &str) -> Result<Duration, HandlerError> {
    Ok(Duration::from_millis(1))
}

#[tokio::test]
async fn each_conversation_is_worked_on_in_order_by_one_replica_and_by_the_other_when_it_goes() {
    let (server, bus) = bus().await;
    let other = connect(&server.url()).await;
    let journal = Arc::new(Journal::default());
    let (first_stop, first) = start(&bus, 1, &journal, quick);
    let (second_stop, second) = start(&other, 2, &journal, quick);
    publish(&bus, (0..600).map(|n| (format!("c{}", n % 20), format!("a{n}")))).await;
    let before = worked_on(&journal, 600).await;
    assert!(before.values().all(|revisions| revisions.is_sorted()), "in order");
    // One replica is cut off without a word, as by kill -9.
    first.abort();
    drop(first_stop);
    publish(&other, (0..600).map(|n| (format!("c{}", n % 20), format!("b{n}")))).await;
    worked_on(&journal, 1_200).await;
    let taken_over = journal.0.lock().unwrap().iter().rev().take(100).any(|(replica, ..)| *replica == 2);
    assert!(taken_over, "the other took over");
    second_stop.send(true).unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn a_slow_conversation_does_not_hold_up_the_others() {
    let (_server, bus) = bus().await;
    let journal = Arc::new(Journal::default());
    let (_stop, _work) =
        start(&bus, 1, &journal, |id| Ok(Duration::from_millis(if id.starts_with("slow") { 3_600_000 } else { 1 })));
    let slow = (0..5).map(|n| ("slow".to_owned(), format!("slow{n}")));
    publish(&bus, slow.chain((0..200).map(|n| (format!("c{}", n % 10), format!("m{n}"))))).await;
    worked_on(&journal, 200).await;
}

#[tokio::test]
async fn poison_goes_to_dead_with_its_reason_and_the_stream_moves_on() {
    let (_server, bus) = bus().await;
    let journal = Arc::new(Journal::default());
    let (_stop, _work) = start(&bus, 1, &journal, |id| match id {
        "poison" => Err(HandlerError::GiveUp("it can't be read".to_owned())),
        "bomb" => panic!("it blew up"),
        _ => Ok(Duration::ZERO),
    });
    let ids = ["m1", "poison", "m2", "bomb", "m3"];
    publish(&bus, ids.iter().map(|id| ("c1".to_owned(), (*id).to_owned()))).await;
    worked_on(&journal, 3).await;
    let letters = dead_letters(&bus).await;
    assert_eq!(letters.len(), 2);
    assert_eq!((letters[0].consumer.as_str(), letters[0].revision), ("test", 2));
    assert!(letters[0].reason.contains("it can't be read"), "{}", letters[0].reason);
    assert_eq!(letters[1].revision, 4);
}

async fn dead_letters(bus: &Bus) -> Vec<proto::v1::DeadLetter> {
    let stream = bus.jetstream().get_stream("DEAD").await.unwrap();
    let last = stream.cached_info().state.last_sequence;
    let mut letters = Vec::new();
    for sequence in 1..=last {
        let message = stream.get_raw_message(sequence).await.unwrap();
        letters.push(prost::Message::decode(message.payload).unwrap());
    }
    letters
}

#[tokio::test]
async fn events_of_other_systems_and_of_the_directory_are_worked_on_too() {
    let (_server, bus) = bus().await;
    let seen = Arc::new(Seen::default());
    let (_stop, stopping) = watch::channel(false);
    for source in [Source::External, Source::Directory] {
        let options =
            WorkerOptions { after: bus.newest(source).await.unwrap(), ..WorkerOptions::new("test").of(source) };
        bus.prepare(&options).await.unwrap();
        let (bus, seen, stopping) = (bus.clone(), seen.clone(), stopping.clone());
        tokio::spawn(async move { bus.work(&options, seen, stopping).await.unwrap() });
    }
    let trace = TraceParent::start();
    bus.publish_external("acme", "order.shipped", "1", "{}".into(), &trace).await.unwrap();
    let directory = bus.jetstream().get_key_value("directory").await.unwrap();
    directory.put("acme.presence.ann", "x".into()).await.unwrap();
    let wanted = ["$KV.directory.acme.presence.ann", "ext.acme.order.shipped"];
    eventually("both to be seen", Duration::from_secs(30), async || {
        let subjects = seen.0.lock().unwrap();
        (subjects.keys().map(String::as_str).eq(wanted)).then_some(())
    })
    .await;
}

/// How often each subject was handed out, and whether that was told.
#[derive(Default)]
struct Seen(Mutex<BTreeMap<String, Vec<bool>>>);

impl Handler for Seen {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let first = {
            let mut seen = self.0.lock().unwrap();
            let times = seen.entry(recorded.subject.to_string()).or_default();
            times.push(recorded.redelivered);
            times.len() == 1
        };
        // The process that has it first is cut off in the middle of it.
        if first && recorded.subject.contains("crashed") {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn whoever_gets_an_event_after_another_process_is_told_so() {
    let (server, bus) = bus().await;
    let other = connect(&server.url()).await;
    let seen = Arc::new(Seen::default());
    let (_stop, stopping) = watch::channel(false);
    let work = |bus: Bus| {
        let (seen, stopping) = (seen.clone(), stopping.clone());
        async move { bus.work(&WorkerOptions::new("test"), seen, stopping).await.unwrap() }
    };
    let first = tokio::spawn(work(bus.clone()));
    publish(&bus, [("crashed".to_owned(), "m1".to_owned())].into_iter()).await;
    let times = async || seen.0.lock().unwrap().values().next().cloned();
    eventually("the event to be under way", Duration::from_secs(30), times).await;
    first.abort();
    drop(bus);
    tokio::spawn(work(other));
    let told = eventually("the event to be handed out again", Duration::from_secs(60), async || {
        times().await.filter(|times| times.len() > 1)
    });
    assert_eq!(told.await[..2], [false, true]);
}
