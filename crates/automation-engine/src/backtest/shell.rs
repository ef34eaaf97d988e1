//! Around the simulation: the log is read, events are decoded and unsealed on all cores, and conversations that share
//! nothing are simulated side by side. Everything in between is bounded, and ends when nobody waits for it any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bus::{Bus, Keyring, Past, Recorded};
use conversation::Time;
use futures::{StreamExt, TryStreamExt, stream};
use proto::v1;
use proto::v1::event::Event as Kind;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::draft::{Draft, Words};
use super::lean;
use super::report::Found;
use super::sim::{Item, Sim};

/// Backtests that a process runs at once: each takes what it gets of all cores.
const AT_ONCE: usize = 2;
/// Most parts of a simulation.
const MAX_SHARDS: usize = 16;
/// Batches, of at most 1,000 events, that wait for a shard.
const WAITING: usize = 4;
/// Keys asked for at once.
const KEYS: usize = 64;
/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);
/// Writers' clocks differ by less than this: once an event is that much later than the period, none of it comes.
const CLOCKS: Duration = Duration::from_secs(5 * 60);

static RUNNING: Semaphore = Semaphore::const_new(AT_ONCE);

/// The right to run a backtest.
pub(crate) type Permit = SemaphorePermit<'static>;

/// Who may run.
pub(crate) struct Slots;

impl Slots {
    /// The right to run, if not too many do.
    pub(crate) fn take() -> Option<Permit> {
        RUNNING.try_acquire().ok()
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) total: u64,
    /// The latest record time that was read.
    pub(crate) time: Option<Time>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The log can't be read.
    #[error(transparent)]
    Bus(#[from] bus::Error),
    /// A part of it ended before its time.
    #[error("a part of the backtest broke down")]
    Broken(#[from] tokio::task::JoinError),
}

/// Ends the simulation with whoever waits for it.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a draft. Dropping this ends it.
///
/// # Errors
/// [`Trouble`].
pub(crate) async fn run(
    bus: &Bus,
    draft: Arc<Draft>,
    tell: impl FnMut(Progress),
) -> Result<v1::BacktestReport, Trouble> {
    let began = Instant::now();
    let stop = Stop(Arc::new(AtomicBool::new(false)));
    let past = bus.past(&draft.workspace, draft.end).await?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = if draft.rotates { 1 } else { cores.min(MAX_SHARDS) };
    let shards = Shards::start(bus, &draft, shards, &stop.0);
    let unreadable = feed(bus, &draft, past, cores, &shards, tell).await?;
    let mut found = Found::default();
    for shard in shards.finish() {
        found.merge(shard.await?);
    }
    let mut report = found.report(&draft);
    if unreadable > 0 {
        report.notes.push(format!("{unreadable} events can't be read, and were left out"));
    }
    report.took = Some(proto::duration(began.elapsed()));
    Ok(report)
}

/// Hands the past to the shards, in order. Returns how many events can't be read.
async fn feed(
    bus: &Bus,
    draft: &Arc<Draft>,
    past: Past,
    cores: usize,
    shards: &Shards,
    mut tell: impl FnMut(Progress),
) -> Result<u64, Trouble> {
    let mut progress = Progress { total: past.expected(), ..Progress::default() };
    tell(progress);
    let mut told = Instant::now();
    let batches =
        stream::try_unfold(
            past,
            |mut past| async move { Ok::<_, Trouble>(past.next().await?.map(|batch| (batch, past))) },
        );
    let prepared = batches.map_ok(|batch| prepare(bus.clone(), draft.clone(), batch)).try_buffered(cores + 1);
    let mut prepared = std::pin::pin!(prepared);
    let mut unreadable = 0;
    while let Some(batch) = prepared.try_next().await? {
        progress.done += batch.read;
        progress.total = progress.total.max(progress.done);
        progress.time = progress.time.max(batch.time);
        unreadable += batch.read - batch.items.len() as u64;
        shards.take(batch.items).await;
        if progress.time.is_some_and(|time| time >= draft.end.plus(CLOCKS)) {
            break;
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            tell(progress);
        }
    }
    progress.total = progress.done;
    tell(progress);
    Ok(unreadable)
}

/// Events ready to be simulated.
struct Prepared {
    read: u64,
    time: Option<Time>,
    items: Vec<Item>,
}

async fn prepare(bus: Bus, draft: Arc<Draft>, batch: Vec<Recorded>) -> Result<Prepared, Trouble> {
    let prepared = tokio::task::spawn_blocking(move || decode(batch)).await?;
    if !draft.reads_received {
        return Ok(prepared);
    }
    let keyrings = keyrings(&bus, &draft, &prepared.items).await?;
    Ok(tokio::task::spawn_blocking(move || unseal(prepared, &draft, &keyrings)).await?)
}

fn decode(batch: Vec<Recorded>) -> Prepared {
    let read = batch.len() as u64;
    let items = batch.into_iter().filter_map(|recorded| {
        let event = lean::decode(recorded.payload);
        let told = |error: &_| tracing::warn!(recorded.revision, %error, "left out of a backtest");
        Some(Item { revision: recorded.revision, event: event.inspect_err(told).ok()?, words: None })
    });
    let items: Vec<Item> = items.collect();
    let time = items.iter().filter_map(record_time).max();
    Prepared { read, time, items }
}

fn record_time(item: &Item) -> Option<Time> {
    item.event.record_time.as_ref().and_then(proto::time)
}

/// What the customer said in the period, sealed.
fn said<'a>(item: &'a Item, draft: &Draft) -> Option<&'a [u8]> {
    match &item.event.event {
        Some(Kind::MessageReceived(received)) if record_time(item).is_some_and(|time| time >= draft.start) => {
            Some(&received.sealed)
        }
        _ => None,
    }
}

async fn keyrings(bus: &Bus, draft: &Draft, items: &[Item]) -> Result<HashMap<String, Keyring>, Trouble> {
    let wanted = items.iter().filter(|item| said(item, draft).is_some());
    let wanted: HashSet<String> = wanted.map(|item| item.event.conversation.clone()).collect();
    let found = stream::iter(wanted).map(|conversation| {
        let (bus, workspace) = (bus.clone(), draft.workspace.clone());
        async move {
            let keyring = bus.conversation(&workspace, &conversation).await?;
            Ok::<_, Trouble>(keyring.map(|keyring| (conversation, keyring)))
        }
    });
    let found: Vec<Option<(String, Keyring)>> = found.buffer_unordered(KEYS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn unseal(mut prepared: Prepared, draft: &Draft, keyrings: &HashMap<String, Keyring>) -> Prepared {
    for item in &mut prepared.items {
        let words = said(item, draft).and_then(|sealed| {
            let keyring = keyrings.get(&item.event.conversation)?;
            keyring.open::<v1::SealedMessage>(sealed).ok()
        });
        item.words = words.map(Box::new);
    }
    prepared
}

/// The parts of a simulation, each on a thread of its own.
struct Shards {
    bus: Bus,
    senders: Vec<mpsc::Sender<Vec<Item>>>,
    found: Vec<JoinHandle<Found>>,
}

impl Shards {
    fn start(bus: &Bus, draft: &Arc<Draft>, count: usize, stop: &Arc<AtomicBool>) -> Shards {
        let mut shards = Shards { bus: bus.clone(), senders: Vec::new(), found: Vec::new() };
        for shard in 0..count {
            let (sender, mut receiver) = mpsc::channel::<Vec<Item>>(WAITING);
            let words = Keys { bus: shards.bus.clone(), workspace: draft.workspace.clone(), handle: Handle::current() };
            let mut sim = Sim::new(draft.clone(), words, shard == 0, stop.clone());
            shards.senders.push(sender);
            shards.found.push(tokio::task::spawn_blocking(move || {
                while let Some(items) = receiver.blocking_recv() {
                    if sim.stopped() {
                        return Found::default();
                    }
                    items.into_iter().for_each(|item| sim.take(item));
                }
                sim.finish()
            }));
        }
        shards
    }

    async fn take(&self, items: Vec<Item>) {
        let mut parts: Vec<Vec<Item>> = self.senders.iter().map(|_| Vec::new()).collect();
        let count = u32::try_from(parts.len()).unwrap_or(1).max(1);
        for item in items {
            let part = bus::partition("", &item.event.conversation) % count;
            if let Some(part) = parts.get_mut(part as usize) {
                part.push(item);
            }
        }
        for (sender, part) in self.senders.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
            // One that is gone has broken down, which its handle tells.
            let _ = sender.send(part).await;
        }
    }

    fn finish(self) -> Vec<JoinHandle<Found>> {
        self.found
    }
}

/// Unseals with the keys of the bus, which keeps them at hand.
struct Keys {
    bus: Bus,
    workspace: String,
    handle: Handle,
}

impl Words for Keys {
    fn open(&self, conversation: &str, sealed: &[u8]) -> Option<v1::SealedMessage> {
        let keyring = self.handle.block_on(self.bus.conversation(&self.workspace, conversation));
        // Away is as good as forgotten here: the texts that need it are refused, and the run says so.
        keyring.ok().flatten()?.open(sealed).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn only_so_many_run_at_once() {
        let (first, second) = (Slots::take(), Slots::take());
        assert!(first.is_some() && second.is_some() && Slots::take().is_none());
        drop(first);
        assert!(Slots::take().is_some());
    }
}
