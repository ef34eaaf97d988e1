use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Dead, Handler, HandlerError, Recorded, Source, TraceParent, WorkerOptions};
use proto::v1;
use testkit::eventually;
use tokio::sync::watch;

use crate::common::{bus, received};

const DEADLINE: Duration = Duration::from_secs(60);

/// Gives up on everything until it is mended.
#[derive(Default)]
struct Broken {
    mended: AtomicBool,
    given_up: AtomicUsize,
    /// What was worked on: revision and payload.
    done: Mutex<Vec<(u64, Vec<u8>)>>,
}

impl Handler for Broken {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        if !self.mended.load(SeqCst) {
            self.given_up.fetch_add(1, SeqCst);
            return Err(HandlerError::GiveUp("it is broken".to_owned()));
        }
        self.done.lock().unwrap().push((recorded.revision, recorded.payload.to_vec()));
        Ok(())
    }
}

fn start(bus: &Bus, options: WorkerOptions) -> (Arc<Broken>, watch::Sender<bool>) {
    let (stop, stopping) = watch::channel(false);
    let (bus, broken) = (bus.clone(), Arc::new(Broken::default()));
    let worker = broken.clone();
    tokio::spawn(async move { bus.work(&options, worker, stopping).await.unwrap() });
    (broken, stop)
}

async fn letters(bus: &Bus, worker: Option<&str>, count: usize) -> Vec<Dead> {
    eventually("the letters", DEADLINE, async || {
        Some(bus.dead_letters(worker, 0, 100).await.unwrap()).filter(|letters| letters.len() == count)
    })
    .await
}

async fn publish(bus: &Bus, ids: &[&str]) {
    let events: Vec<v1::Event> = ids.iter().map(|id| received(id)).collect();
    for done in bus.publish_facts(events, &TraceParent::start()).await {
        done.unwrap();
    }
}

#[tokio::test]
async fn what_is_requeued_comes_to_the_worker_that_gave_up_and_once_however_often_it_is_asked_for() {
    let (_server, bus) = bus().await;
    let (first, _stop_first) = start(&bus, WorkerOptions::new("first"));
    let (second, _stop_second) = start(&bus, WorkerOptions::new("second"));
    publish(&bus, &["m1", "m2"]).await;
    letters(&bus, None, 4).await;
    let of_first = letters(&bus, Some("first"), 2).await;
    assert_eq!(of_first.iter().map(|dead| dead.letter.revision).collect::<Vec<_>>(), [1, 2]);
    first.mended.store(true, SeqCst);
    second.mended.store(true, SeqCst);
    for dead in of_first.iter().chain(&of_first) {
        bus.requeue(dead).await.unwrap();
    }
    let done = eventually("both to be worked on", DEADLINE, async || {
        let done = first.done.lock().unwrap().clone();
        (done.len() >= 2).then_some(done)
    })
    .await;
    let events =
        done.iter().map(|(revision, payload)| (*revision, prost::Message::decode(payload.as_slice()).unwrap()));
    let events: Vec<(u64, v1::Event)> = events.collect();
    assert_eq!(events.iter().map(|(at, event)| (*at, event.id.as_str())).collect::<Vec<_>>(), [(1, "m1"), (2, "m2")]);
    assert!(second.done.lock().unwrap().is_empty(), "the other gave up too, and was not asked");
    letters(&bus, Some("first"), 0).await;
    letters(&bus, Some("second"), 2).await;
    waits_for_nobody(&bus).await;
    assert_eq!(first.done.lock().unwrap().len(), 2, "once each");
}

#[tokio::test]
async fn what_is_given_up_again_is_a_letter_again_at_once() {
    // The window in which the server takes a repeated id for a repeat is longer than this test.
    let server = testkit::NatsServer::start().await;
    let bus = Bus::connect(&bus::Options::new(server.url())).await.unwrap();
    bus.ensure_streams().await.unwrap();
    let (broken, _stop) = start(&bus, WorkerOptions::new("first"));
    publish(&bus, &["m1"]).await;
    let before = letters(&bus, None, 1).await;
    bus.requeue(&before[0]).await.unwrap();
    let after = eventually("a new letter", DEADLINE, async || {
        let letters = bus.dead_letters(None, 0, 10).await.unwrap();
        letters.first().filter(|dead| dead.place > before[0].place).cloned()
    })
    .await;
    assert_eq!((after.letter.revision, &after.letter.subject), (1, &before[0].letter.subject));
    assert_eq!(broken.given_up.load(SeqCst), 2);
    waits_for_nobody(&bus).await;
}

#[tokio::test]
async fn what_was_taken_off_its_stream_is_kept_by_the_letter() {
    let (_server, bus) = bus().await;
    let (broken, _stop) = start(&bus, WorkerOptions::new("out").of(Source::Outbox));
    let queued = v1::QueuedMessage {
        workspace: "acme".to_owned(),
        channel: "web".to_owned(),
        conversation_id: "c1".to_owned(),
        message_id: "c1-m1".to_owned(),
        ..v1::QueuedMessage::default()
    };
    bus.queue_message(&queued).await.unwrap();
    let dead = letters(&bus, None, 1).await.remove(0);
    eventually("it to be taken off", DEADLINE, async || {
        let mut stream = bus.jetstream().get_stream("OUTBOX").await.unwrap();
        (stream.info().await.unwrap().state.messages == 0).then_some(())
    })
    .await;
    broken.mended.store(true, SeqCst);
    bus.requeue(&dead).await.unwrap();
    let done = eventually("it to be worked on", DEADLINE, async || broken.done.lock().unwrap().first().cloned()).await;
    assert_eq!(<v1::QueuedMessage as prost::Message>::decode(done.1.as_slice()).unwrap(), queued);
}

#[tokio::test]
async fn a_letter_about_nothing_stays_a_letter() {
    let (_server, bus) = bus().await;
    let (broken, _stop) = start(&bus, WorkerOptions::new("first").of(Source::External));
    bus.publish_external("acme", "order", "1", "{}".into(), &TraceParent::start()).await.unwrap();
    let dead = letters(&bus, None, 1).await.remove(0);
    broken.mended.store(true, SeqCst);
    let stream = bus.jetstream().get_stream("EXTERNAL").await.unwrap();
    assert!(stream.delete_message(1).await.unwrap());
    assert_eq!(bus.given_up(&dead.letter).await.unwrap().map(|found| found.revision), None);
    bus.requeue(&dead).await.unwrap();
    let again = eventually("the letter to come back", DEADLINE, async || {
        let letters = bus.dead_letters(None, 0, 10).await.unwrap();
        letters.into_iter().find(|found| found.place != dead.place)
    })
    .await;
    assert!(again.letter.reason.contains("gone"), "{}", again.letter.reason);
    assert!(bus.dead_letter(dead.place).await.unwrap().is_none());
}

async fn waits_for_nobody(bus: &Bus) {
    eventually("nothing to wait", DEADLINE, async || {
        let mut stream = bus.jetstream().get_stream("REQUEUED").await.unwrap();
        (stream.info().await.unwrap().state.messages == 0).then_some(())
    })
    .await;
}
