//! One consumer's share of the work: what is in order goes one after the other, everything else side by side.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use async_nats::jetstream::consumer::PullConsumer;
use conversation::Revision;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::balance::Seat;
use super::settle::{Taken, settle};
use super::{AWAY, FINISH, Handler, KEPT, LOOK, PAUSE, PIN, PINNED, PROGRESS, PULL, TAKE_OVER, WorkerOptions};
use crate::{Bus, Error, Recorded, dead};

/// One consumer's share of the work.
pub(super) struct Group<H> {
    bus: Bus,
    options: WorkerOptions,
    /// Among those of all processes; none for what was given up before, which is too little to be shared.
    seat: Option<Arc<Seat>>,
    handler: Arc<H>,
    /// As whom the server knows this process while it is pinned.
    pin: Option<String>,
    /// While taking over: what has come, by its place.
    held: Option<Held>,
    /// The places of all events that this process has.
    in_hand: HashSet<Revision>,
    /// Events behind the one that is worked on, for each conversation with one.
    waiting: HashMap<String, VecDeque<Taken>>,
    /// Conversations that are read back from the stream, each with the newest event of it that was handed out: while
    /// that is not acknowledged, whoever takes over is told that there is something to read back.
    aside: HashMap<String, Taken>,
    /// Yields the conversation that has nothing under way any more.
    working: JoinSet<(String, Done)>,
}

/// Why nothing is consumed any more.
enum Ended {
    /// The worker has to end.
    Stopped,
    /// Another process is to have the consumer.
    Left,
}

/// When another process is to have the consumer of this seat.
async fn left(seat: Option<&Seat>) {
    match seat {
        Some(seat) => seat.left().await,
        None => std::future::pending().await,
    }
}

/// What a task has done.
enum Done {
    /// The event at this place is settled.
    Settled(Revision),
    /// One that stood on the stream is settled.
    ReadBack,
    /// Nothing of the conversation stood on the stream when this was the newest that had been handed out.
    Empty(Revision),
}

/// What has come since this process was pinned, until all that another one was handed before has come too: what is
/// newer must not overtake it.
struct Held {
    events: BTreeMap<Revision, Taken>,
    until: Instant,
}

impl<H: Handler> Group<H> {
    /// One that has nothing under way. Without a seat it is that of what was given up before.
    pub(super) fn new(bus: &Bus, options: &WorkerOptions, handler: Arc<H>, seat: Option<Arc<Seat>>) -> Group<H> {
        Group {
            bus: bus.clone(),
            options: options.clone(),
            seat,
            handler,
            pin: None,
            held: None,
            in_hand: HashSet::new(),
            waiting: HashMap::new(),
            aside: HashMap::new(),
            working: JoinSet::new(),
        }
    }

    /// Works until `stop` is true, then finishes what is under way, for up to [`FINISH`].
    pub(super) async fn run(mut self, consumer: PullConsumer, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.consume(&consumer, &mut stop).await {
                Ok(Ended::Stopped) => {}
                Ok(Ended::Left) => self.leave(&mut stop).await,
                Err(error) => {
                    self.holds(false);
                    tracing::warn!(worker = self.options.name, again = self.is_again(), %error, "pulling again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        // What waits has not begun: the server hands it to the next process.
        self.waiting.clear();
        self.aside.clear();
        self.held = None;
        let finished = tokio::time::timeout(FINISH, async { while self.working.join_next().await.is_some() {} }).await;
        if finished.is_err() {
            // Not acknowledged: they are handed out again. What they are about to do is fenced, as for any other repeat.
            tracing::warn!(
                worker = self.options.name,
                events = self.working.len(),
                "events are left to the next process"
            );
        }
    }

    /// Leaves the consumer to another process: what has not begun is handed to it, and so is what does not end in time.
    async fn leave(&mut self, stop: &mut watch::Receiver<bool>) {
        self.holds(false);
        self.pin = None;
        let held = self.held.take().map(|held| held.events).unwrap_or_default().into_values();
        let aside = std::mem::take(&mut self.aside).into_values();
        // The conversations stay: those that are worked on are not begun again beside.
        let waiting = self.waiting.values_mut().flat_map(|queue| queue.drain(..));
        for taken in held.chain(aside).chain(waiting) {
            self.in_hand.remove(&taken.recorded.revision);
        }
        let back = Instant::now() + AWAY;
        loop {
            tokio::select! {
                Some(done) = self.working.join_next() => {
                    if let Ok((conversation, done)) = done {
                        self.done(conversation, done).await;
                    }
                }
                () = tokio::time::sleep_until(back) => break,
                _ = stop.changed() => return,
            }
        }
        // Handed out again, in its order, to whoever has the consumer now; what it is about to do here is fenced.
        self.working = JoinSet::new();
        self.waiting.clear();
        self.in_hand.clear();
    }

    fn holds(&self, held: bool) {
        if let Some(seat) = &self.seat {
            seat.hold(held);
        }
    }

    /// Whether it is what was given up before.
    fn is_again(&self) -> bool {
        self.seat.is_none()
    }

    async fn consume(&mut self, consumer: &PullConsumer, stop: &mut watch::Receiver<bool>) -> Result<Ended, Error> {
        let pull = consumer.stream().expires(PULL).heartbeat(PULL / 3).group(PINNED).messages().await;
        let mut messages = pull.map_err(|error| Error::away("pulling", error))?;
        let mut progress = tokio::time::interval(PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let seat = self.seat.clone();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or_else(|| Error::away("pulling", "the consumer ended"))?;
                    let message = message.map_err(|error| Error::away("pulling", error))?;
                    self.take(message).await?;
                }
                Some(done) = self.working.join_next() => {
                    if let Ok((conversation, done)) = done {
                        self.done(conversation, done).await;
                    }
                }
                _ = look.tick(), if self.held.is_some() => self.release(consumer).await,
                _ = progress.tick() => self.still_waiting().await,
                () = left(seat.as_deref()) => return Ok(Ended::Left),
                changed = stop.changed() => {
                    if changed.is_err() || *stop.borrow() {
                        return Ok(Ended::Stopped);
                    }
                }
            }
        }
    }

    async fn take(&mut self, message: async_nats::jetstream::Message) -> Result<(), Error> {
        let (recorded, acker) = Recorded::of(message).map_err(|error| Error::unreadable("a message", error))?;
        if self.in_hand.contains(&recorded.revision) {
            // Handed out again while it is worked on: one acknowledgement does for both.
            return Ok(());
        }
        self.in_hand.insert(recorded.revision);
        let pin = recorded.header(PIN).map(str::to_owned);
        self.holds(true);
        if pin.is_some() && pin != self.pin {
            self.pin = pin;
            self.held.get_or_insert(Held { events: BTreeMap::new(), until: Instant::now() + TAKE_OVER });
        }
        let again = self.is_again().then(|| dead::read(recorded.payload.clone()).unwrap_or_default());
        let taken = Taken { recorded, acker: Some(acker), again };
        match &mut self.held {
            Some(held) => drop(held.events.insert(taken.recorded.revision, taken)),
            None => self.queue(taken).await,
        }
        Ok(())
    }

    /// Begins with what was held back, in order, once everything that was handed out and not acknowledged is here.
    async fn release(&mut self, consumer: &PullConsumer) {
        let Some(held) = &self.held else { return };
        let all = match consumer.clone().info().await {
            Ok(info) => info.num_ack_pending <= self.in_hand.len(),
            Err(_) => false,
        };
        if all || held.until <= Instant::now() {
            let events = self.held.take().map(|held| held.events).unwrap_or_default();
            for taken in events.into_values() {
                self.queue(taken).await;
            }
        }
    }

    async fn queue(&mut self, taken: Taken) {
        let subject = taken.again.as_ref().map_or(taken.recorded.subject.as_str(), |letter| letter.subject.as_str());
        let conversation = self.options.source.key(subject);
        if self.goes_aside(&conversation, &taken) {
            return self.set_aside(conversation, taken).await;
        }
        match self.waiting.get_mut(&conversation) {
            Some(queue) => queue.push_back(taken),
            None => {
                self.waiting.insert(conversation.clone(), VecDeque::new());
                self.start(conversation, taken);
            }
        }
    }

    /// Whether the stream keeps what waits for this conversation: when it has too much waiting already, and when somebody
    /// may have set more of it aside before.
    fn goes_aside(&self, conversation: &str, taken: &Taken) -> bool {
        let full = |queue: &VecDeque<Taken>| queue.len() >= KEPT;
        self.options.source.keeps_what_waits()
            && !self.is_again()
            && (taken.recorded.redelivered
                || self.aside.contains_key(conversation)
                || self.waiting.get(conversation).is_some_and(full))
    }

    /// Leaves an event on the stream until everything of its conversation before it is done. It takes the place of the one
    /// that was left before: however much waits for one conversation, it holds one place among what is handed out. One
    /// that comes again after a newer one does not: the newer one would be acknowledged, and this one has been already.
    async fn set_aside(&mut self, conversation: String, taken: Taken) {
        let superseded = match self.aside.remove(&conversation) {
            Some(newer) if newer.recorded.revision > taken.recorded.revision => {
                self.aside.insert(conversation.clone(), newer);
                Some(taken)
            }
            before => {
                self.aside.insert(conversation.clone(), taken);
                before
            }
        };
        if let Some(superseded) = superseded {
            self.let_go(superseded).await;
        }
        if !self.waiting.contains_key(&conversation) {
            self.waiting.insert(conversation.clone(), VecDeque::new());
            self.next_of(conversation);
        }
    }

    async fn let_go(&mut self, taken: Taken) {
        self.in_hand.remove(&taken.recorded.revision);
        taken.acknowledge().await;
    }

    async fn done(&mut self, conversation: String, done: Done) {
        match done {
            Done::Settled(revision) => drop(self.in_hand.remove(&revision)),
            Done::ReadBack => {}
            Done::Empty(newest) => {
                if self.aside.get(&conversation).is_some_and(|taken| taken.recorded.revision == newest)
                    && let Some(taken) = self.aside.remove(&conversation)
                {
                    self.let_go(taken).await;
                }
            }
        }
        self.next_of(conversation);
    }

    fn next_of(&mut self, conversation: String) {
        match self.waiting.get_mut(&conversation).and_then(VecDeque::pop_front) {
            Some(taken) => self.start(conversation, taken),
            None => match self.aside.get(&conversation) {
                Some(newest) => {
                    let newest = newest.recorded.revision;
                    self.read_back(conversation, newest);
                }
                None => drop(self.waiting.remove(&conversation)),
            },
        }
    }

    fn start(&mut self, conversation: String, taken: Taken) {
        let (bus, options, handler) = (self.bus.clone(), self.options.clone(), self.handler.clone());
        self.working.spawn(async move {
            let revision = taken.recorded.revision;
            settle(&bus, &options, handler, taken).await;
            (conversation, Done::Settled(revision))
        });
    }

    /// Works on the oldest event of a conversation that stands on the stream.
    fn read_back(&mut self, conversation: String, newest: Revision) {
        let (bus, options, handler) = (self.bus.clone(), self.options.clone(), self.handler.clone());
        self.working.spawn(async move {
            let found = loop {
                match bus.oldest(options.source, &conversation).await {
                    Ok(found) => break found,
                    Err(error) => {
                        // The bus is away. It is asked for as long as the worker works, as for any event.
                        tracing::debug!(worker = options.name, %error, "reading back again");
                        tokio::time::sleep(LOOK).await;
                    }
                }
            };
            let Some(mut recorded) = found else { return (conversation, Done::Empty(newest)) };
            // Somebody may have worked on it before.
            recorded.redelivered = true;
            settle(&bus, &options, handler, Taken { recorded, acker: None, again: None }).await;
            (conversation, Done::ReadBack)
        });
    }

    /// Tells the server that events which wait for their turn have not been forgotten.
    async fn still_waiting(&self) {
        let held = self.held.iter().flat_map(|held| held.events.values());
        for taken in self.waiting.values().flatten().chain(held).chain(self.aside.values()) {
            taken.still_working().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use conversation::Time;

    use super::*;
    use crate::{HandlerError, Options, Source};

    struct Slow;

    impl Handler for Slow {
        async fn handle(&self, _: &Recorded) -> Result<(), HandlerError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn what_comes_again_late_does_not_take_the_place_of_what_is_newer() {
        let nats = testkit::NatsServer::start().await;
        let bus = Bus::connect(&Options::new(nats.url())).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let options = WorkerOptions::new("slow").of(Source::Outbox);
        let mut group = Group::new(&bus, &options, Arc::new(Slow), Some(bus.seat("slow", "OUTBOX")));
        for revision in [5, 6, 5] {
            let mut recorded = Recorded::kept(revision, "out.acme.w.c1.m", Bytes::new(), Time(0));
            recorded.redelivered = true;
            group.in_hand.insert(revision);
            group.queue(Taken { recorded, acker: None, again: None }).await;
        }
        assert_eq!(group.aside["out.acme.w.c1"].recorded.revision, 6, "whoever takes over is told of the newest");
        assert_eq!(group.in_hand, HashSet::from([6]), "and of that alone");
    }
}
