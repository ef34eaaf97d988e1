//! A candidate over the recorded turns of a period: what it would have done about each, beside what was really done.
//!
//! Customers, agents, rules and the bot of the time say and do what they did; a candidate is asked about each turn that
//! came while the bot might have answered, with the chat as it really was. What it asked back or counted as unhelpful is
//! its own.
//!
//! Architecture Invariant: nothing here writes anywhere, and [`log`] and [`tally`] are pure. What is done about a thought
//! comes from the same code as in the live bot.

mod ask;
mod log;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error, Recorded};
use conversation::{Revision, Time};
use futures::{StreamExt, stream};
use prost::Message;
use proto::v1;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use ask::{Ask, Verdict};
use log::{Log, Out};
use tally::Tally;

use super::mark::Mark;
use super::options::TurnOptions;
use crate::brain::Brain;

pub(crate) use ask::Candidate;

/// Shadows that a process runs at once: each may think all the time.
const AT_ONCE: usize = 2;
/// Conversations that a candidate thinks about at once.
const THINKING: usize = 16;
/// How often progress is told.
const TELL: Duration = Duration::from_millis(500);
/// Writers' clocks differ by less than this: once an event is that much later than the period, none of it comes.
const CLOCKS: Duration = Duration::from_secs(5 * 60);

static RUNNING: Semaphore = Semaphore::const_new(AT_ONCE);

/// The right to run a shadow.
pub(crate) type Permit = SemaphorePermit<'static>;

/// The right to run, if not too many do.
pub(crate) fn permit() -> Option<Permit> {
    RUNNING.try_acquire().ok()
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) total: u64,
    /// The latest record time that was read.
    pub(crate) time: Option<Time>,
    pub(crate) turns: u64,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The log or a key can't be read.
    #[error(transparent)]
    Bus(#[from] Error),
    /// A part of it ended before its time.
    #[error("a part of the shadow broke down")]
    Broken(#[from] tokio::task::JoinError),
}

impl Candidate {
    /// A brain in a workspace, with the settings that its bot has; `None` where there is no such workspace.
    pub(crate) fn new(brain: Arc<dyn Brain>, name: &str, options: &TurnOptions) -> Option<Candidate> {
        let workspace = options.workspace(name)?.clone();
        let (pause, think, unhelpful) = (options.pause, options.think, options.unhelpful);
        Some(Candidate { brain, name: name.to_owned(), workspace, pause, think, unhelpful })
    }
}

/// Runs a candidate over the turns of `period`, [start, end). Dropping this ends it.
///
/// # Errors
/// [`Trouble`].
pub(crate) async fn run(
    bus: &Bus,
    candidate: &Candidate,
    period: (Time, Time),
    max_examples: usize,
    tell: impl FnMut(Progress),
) -> Result<v1::ShadowReport, Trouble> {
    let began = Instant::now();
    let mut past = bus.past(&candidate.name, period.1).await?;
    let progress = Progress { total: past.expected(), ..Progress::default() };
    let mut shadow = Shadow {
        bus,
        candidate,
        log: Log::new(period, candidate.pause),
        tally: Tally::new(max_examples),
        progress,
        told: began,
        tell,
    };
    (shadow.tell)(progress);
    let mut unreadable = 0;
    while let Some(batch) = past.next().await? {
        let read = batch.len() as u64;
        let events = tokio::task::spawn_blocking(move || decode(batch)).await?;
        unreadable += read - events.len() as u64;
        shadow.take(read, events).await?;
        if shadow.progress.time.is_some_and(|time| time >= period.1.plus(CLOCKS)) {
            break;
        }
    }
    shadow.log.finish();
    shadow.think().await?;
    let Shadow { log, tally, progress, mut tell, .. } = shadow;
    tell(Progress { total: progress.done, turns: tally.turns, ..progress });
    let mut report = tally.report();
    report.turns_with_humans = wire(log.with_humans);
    report.events = wire(progress.done);
    if unreadable > 0 {
        report.notes.push(format!("{unreadable} events can't be read, and were left out"));
    }
    if log.given_up > 0 {
        let words = "turns waited among too many for somebody to do something, and count as if nobody did";
        report.notes.push(format!("{} {words}", log.given_up));
    }
    report.took = Some(proto::duration(began.elapsed()));
    Ok(report)
}

/// A run.
struct Shadow<'a, T> {
    bus: &'a Bus,
    candidate: &'a Candidate,
    log: Log,
    tally: Tally,
    progress: Progress,
    told: Instant,
    tell: T,
}

impl<T: FnMut(Progress)> Shadow<'_, T> {
    async fn take(&mut self, read: u64, events: Vec<(Revision, v1::Event)>) -> Result<(), Trouble> {
        for (revision, event) in events {
            let time = event.record_time.as_ref().and_then(proto::time);
            self.progress.time = self.progress.time.max(time);
            self.log.take(revision, event);
        }
        self.progress.done += read;
        self.progress.total = self.progress.total.max(self.progress.done);
        self.think().await
    }

    /// Asks about what came out of the log: conversations side by side, the turns of each one after another.
    async fn think(&mut self) -> Result<(), Trouble> {
        let mut asks: HashMap<Arc<str>, Vec<Ask>> = HashMap::new();
        for out in self.log.drain() {
            match out {
                Out::Ask(ask) => asks.entry(ask.conversation.clone()).or_default().push(*ask),
                Out::Done(revision, actual) => self.tally.was(revision, actual),
            }
        }
        let (bus, candidate, log) = (self.bus, self.candidate, &self.log);
        let asked = asks.into_values().map(|asks| {
            let era = asks.first().map_or(0, |ask| ask.era);
            let before = asks.first().map_or_else(Mark::default, |ask| log.mark(&ask.conversation, era));
            judge(bus, candidate, asks, (era, before))
        });
        let mut asked = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(THINKING);
        let mut marks = Vec::new();
        while let Some(judged) = asked.next().await {
            let Judged { conversation, verdicts, era, mark } = judged?;
            verdicts.into_iter().for_each(|(revision, verdict)| self.tally.would(revision, verdict));
            marks.push((conversation, era, mark));
            self.progress.turns = self.tally.turns;
            if self.told.elapsed() >= TELL {
                self.told = Instant::now();
                (self.tell)(self.progress);
            }
        }
        drop(asked);
        for (conversation, era, mark) in marks {
            self.log.remember(&conversation, era, mark);
        }
        Ok(())
    }
}

/// What came of the turns of a conversation.
struct Judged {
    conversation: Arc<str>,
    verdicts: Vec<(Revision, Option<Verdict>)>,
    era: u32,
    mark: Mark,
}

async fn judge(
    bus: &Bus,
    candidate: &Candidate,
    asks: Vec<Ask>,
    (mut era, mut mark): (u32, Mark),
) -> Result<Judged, Error> {
    let conversation = asks.first().map_or_else(|| "".into(), |ask| ask.conversation.clone());
    let mut verdicts = Vec::with_capacity(asks.len());
    for ask in asks {
        if ask.era != era {
            (era, mark) = (ask.era, Mark::default());
        }
        let (verdict, after) = candidate.judge(bus, &ask, mark).await?;
        mark = after;
        verdicts.push((ask.revision, verdict));
    }
    Ok(Judged { conversation, verdicts, era, mark })
}

fn decode(batch: Vec<Recorded>) -> Vec<(Revision, v1::Event)> {
    let events = batch.into_iter().filter_map(|recorded| {
        let event = v1::Event::decode(recorded.payload);
        let told = |error: &_| tracing::warn!(recorded.revision, %error, "left out of a shadow");
        Some((recorded.revision, event.inspect_err(told).ok()?))
    });
    events.collect()
}

fn wire(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
