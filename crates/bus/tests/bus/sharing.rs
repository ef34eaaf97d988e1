//! A process that comes later gets its part of the work, in order and without loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Handler, HandlerError, Recorded, TraceParent, WorkerOptions};
use testkit::eventually;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::common::{bus, connect, received};

const CONVERSATIONS: usize = 256;
/// What a process can do: so many at once, each for so long. So one process does some 300 a second, whatever the cores.
const AT_ONCE: usize = 4;
const WORK: Duration = Duration::from_millis(10);
/// Events that wait at any time: enough for two processes.
const BACKLOG: usize = 1_500;
/// Looked at to say who does how much.
const LATELY: Duration = Duration::from_secs(3);

type Journal = Arc<Mutex<Vec<(usize, Instant, String, u64)>>>;

struct Worker {
    replica: usize,
    journal: Journal,
    capacity: Semaphore,
}

impl Handler for Worker {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let _permit = self.capacity.acquire().await;
        tokio::time::sleep(WORK).await;
        self.journal.lock().unwrap().push((self.replica, Instant::now(), event.conversation, recorded.revision));
        Ok(())
    }
}

fn start(bus: Bus, replica: usize, journal: &Journal) -> watch::Sender<bool> {
    let (stop, stopping) = watch::channel(false);
    let worker = Worker { replica, journal: journal.clone(), capacity: Semaphore::new(AT_ONCE) };
    tokio::spawn(async move { bus.work(&WorkerOptions::new("test"), Arc::new(worker), stopping).await.unwrap() });
    stop
}

/// How much each of two did lately.
fn shares(journal: &Journal) -> [usize; 2] {
    let from = Instant::now() - LATELY;
    let journal = journal.lock().unwrap();
    let lately = || journal.iter().rev().take_while(|(_, when, _, _)| *when > from);
    [0, 1].map(|replica| lately().filter(|(who, _, _, _)| *who == replica).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_takes_half_of_the_work() {
    let (server, bus) = bus().await;
    let (journal, enough) = (Journal::default(), Arc::new(AtomicBool::new(false)));
    let (log, done) = (journal.clone(), enough.clone());
    let publishing = tokio::spawn(async move {
        let mut published = Vec::new();
        while !done.load(Ordering::SeqCst) {
            if published.len() > log.lock().unwrap().len() + BACKLOG {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            let round = published.len();
            let events = (0..CONVERSATIONS).map(|nth| proto::v1::Event {
                conversation: format!("c{nth}"),
                ..received(&format!("m{round}-{nth}"))
            });
            for place in bus.publish_facts(events, &TraceParent::start()).await {
                published.push(place.unwrap());
            }
        }
        published
    });
    let _first = start(connect(&server.url()).await, 0, &journal);
    eventually("the first at work", Duration::from_secs(60), async || (shares(&journal)[0] > 500).then_some(())).await;
    tokio::time::sleep(LATELY).await;
    let alone = shares(&journal);
    let _second = start(connect(&server.url()).await, 1, &journal);
    let both = eventually("both at work", Duration::from_secs(120), async || {
        let [one, other] = shares(&journal);
        (one.min(other) * 3 >= one + other).then_some(())
    });
    both.await;
    tokio::time::sleep(LATELY).await;
    let both = shares(&journal);
    println!("in {LATELY:?}: one process {alone:?}, two {both:?}");
    enough.store(true, Ordering::SeqCst);
    let published: BTreeSet<u64> = publishing.await.unwrap().into_iter().collect();
    eventually("all of it", Duration::from_secs(120), async || {
        let done: BTreeSet<u64> = journal.lock().unwrap().iter().map(|(_, _, _, place)| *place).collect();
        (done.len() == published.len()).then_some(())
    })
    .await;
    let mut first: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (_, _, conversation, place) in journal.lock().unwrap().iter() {
        let seen = first.entry(conversation.clone()).or_default();
        if !seen.contains(place) {
            seen.push(*place);
        }
    }
    assert!(first.values().all(|places| places.is_sorted()), "in order within each conversation");
    let all = journal.lock().unwrap().len();
    println!("{} events, {} worked on twice", published.len(), all - published.len());
}
