//! More for one conversation than a worker may be handed: it stays on the stream, and nobody else waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Recorded, Source, WorkerOptions};
use prost::Message as _;
use proto::v1::QueuedMessage;
use testkit::eventually;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::common::{bus, connect};

/// What may be handed to a worker at once.
const IN_FLIGHT: usize = 16;
const SLOW: &str = "slow";
const DEADLINE: Duration = Duration::from_secs(60);

/// Sends everything but what is for the slow conversation, until that is let through.
struct Sender {
    sent: Arc<Mutex<Vec<(String, String)>>>,
    open: watch::Receiver<bool>,
}

impl Handler for Sender {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let queued = QueuedMessage::decode(recorded.payload.clone()).unwrap();
        if queued.conversation_id == SLOW {
            self.open.clone().wait_for(|open| *open).await.map_err(|error| HandlerError::Retry(error.to_string()))?;
        }
        self.sent.lock().unwrap().push((queued.conversation_id, queued.message_id));
        Ok(())
    }
}

struct World {
    bus: Bus,
    sent: Arc<Mutex<Vec<(String, String)>>>,
    open: watch::Sender<bool>,
    server: testkit::NatsServer,
}

impl World {
    async fn start() -> World {
        let (server, bus) = bus().await;
        World { bus, sent: Arc::default(), open: watch::Sender::new(false), server }
    }

    async fn work(&self) -> (watch::Sender<bool>, JoinHandle<()>) {
        let (stop, stopping) = watch::channel(false);
        let bus = connect(&self.server.url()).await;
        let sender = Arc::new(Sender { sent: self.sent.clone(), open: self.open.subscribe() });
        let options = WorkerOptions {
            in_flight: IN_FLIGHT,
            within: Some(bus.queue_subjects("acme", "whatsapp:1")),
            ..WorkerOptions::new("delivery").of(Source::Outbox)
        };
        (stop, tokio::spawn(async move { bus.work(&options, sender, stopping).await.unwrap() }))
    }

    async fn queue(&self, conversation: &str, numbers: std::ops::Range<usize>) {
        for number in numbers {
            let queued = QueuedMessage {
                workspace: "acme".to_owned(),
                conversation_id: conversation.to_owned(),
                channel: "whatsapp:1".to_owned(),
                message_id: format!("{conversation}-m{number}"),
                ..QueuedMessage::default()
            };
            self.bus.queue_message(&queued).await.unwrap();
        }
    }

    /// Waits until so many of a conversation are sent, and returns them in the order of their sending.
    async fn sent(&self, conversation: &str, count: usize) -> Vec<String> {
        eventually(&format!("{count} of {conversation}"), DEADLINE, async || {
            let sent = self.sent.lock().unwrap().clone();
            let of_it = sent.into_iter().filter(|(of, _)| of == conversation).map(|(_, message)| message);
            Some(of_it.collect::<Vec<_>>()).filter(|sent| sent.len() >= count)
        })
        .await
    }

    async fn left(&self) -> u64 {
        self.bus.jetstream().get_stream("OUTBOX").await.unwrap().cached_info().state.messages
    }
}

fn in_order(conversation: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{conversation}-m{number}")).collect()
}

#[tokio::test]
async fn a_conversation_with_more_than_may_be_handed_out_holds_up_nobody() {
    let world = World::start().await;
    let (_stop, _work) = world.work().await;
    world.queue(SLOW, 0..10 * IN_FLIGHT).await;
    for nth in 0..3 * IN_FLIGHT {
        world.queue(&format!("c{nth}"), 0..3).await;
    }
    for nth in 0..3 * IN_FLIGHT {
        assert_eq!(world.sent(&format!("c{nth}"), 3).await, in_order(&format!("c{nth}"), 3));
    }
    world.queue(SLOW, 10 * IN_FLIGHT..11 * IN_FLIGHT).await;
    world.open.send(true).unwrap();
    assert_eq!(world.sent(SLOW, 11 * IN_FLIGHT).await, in_order(SLOW, 11 * IN_FLIGHT));
    eventually("an empty queue", DEADLINE, async || (world.left().await == 0).then_some(())).await;
    // What comes after goes the short way again.
    world.queue(SLOW, 11 * IN_FLIGHT..12 * IN_FLIGHT).await;
    assert_eq!(world.sent(SLOW, 12 * IN_FLIGHT).await, in_order(SLOW, 12 * IN_FLIGHT));
}

#[tokio::test]
async fn what_a_process_left_on_the_stream_the_next_one_sends_in_order() {
    let world = World::start().await;
    let (stop, work) = world.work().await;
    world.queue(SLOW, 0..5 * IN_FLIGHT).await;
    world.queue("c1", 0..1).await;
    world.sent("c1", 1).await;
    // Cut off without a word, as by kill -9.
    work.abort();
    drop(stop);
    let (stop, work) = world.work().await;
    world.queue(SLOW, 5 * IN_FLIGHT..6 * IN_FLIGHT).await;
    world.open.send(true).unwrap();
    // Whoever was cut off in the middle of one has it sent once more.
    let sent = world.sent(SLOW, 2 * IN_FLIGHT).await;
    assert!(in_order(SLOW, 6 * IN_FLIGHT).starts_with(&once(sent.clone())), "{sent:?}");
    work.abort();
    drop(stop);
    let (_stop, _work) = world.work().await;
    eventually("an empty queue", DEADLINE, async || (world.left().await == 0).then_some(())).await;
    let sent = world.sent(SLOW, 6 * IN_FLIGHT).await;
    assert_eq!(once(sent), in_order(SLOW, 6 * IN_FLIGHT));
}

/// The messages in the order in which each was sent first.
fn once(sent: Vec<String>) -> Vec<String> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (at, message) in sent.into_iter().enumerate() {
        first.entry(message).or_insert(at);
    }
    let mut messages: Vec<(usize, String)> = first.into_iter().map(|(message, at)| (at, message)).collect();
    messages.sort();
    messages.into_iter().map(|(_, message)| message).collect()
}
