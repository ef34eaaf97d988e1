//! Ordered workers with failover: what the bot, the rules and delivery consume EVENTS with, and other streams.
//!
//! A few durable consumers, of eight partitions each for EVENTS. The server pins a consumer to one process and moves
//! it to another when that one is silent. Inside, one event of a conversation (or other key, see [`Source`]) is worked
//! on at a time while others go on. Whoever takes over first waits for what the one before was handed and did not
//! finish, so that nothing newer overtakes it. Pinning is not a lock: two processes may work on one event for a moment, so effects
//! have to be fenced, by the expected sequence or by an id of their own.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PriorityPolicy, PullConsumer, pull};
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::stream::Stream;
use conversation::Revision;
use futures::StreamExt;
use meter::meter;
use proto::v1::DeadLetter;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{Bus, Error, ErrorKind, Recorded, Source, dead, stream};

/// The one priority group of a consumer.
const PINNED: &str = "pinned";
/// A process that has not pulled for this long loses its consumers to another.
const FAILOVER: Duration = Duration::from_secs(3);
/// A pull has to end well before that.
const PULL: Duration = Duration::from_millis(1_000);
/// The server hands an event out again after this, unless it hears that work goes on.
const ACK_WAIT: Duration = Duration::from_secs(6);
const PROGRESS: Duration = Duration::from_secs(2);
/// How long events under way may take to end once the worker has to: half of what a process has for its end.
const FINISH: Duration = Duration::from_secs(5);
/// First and longest pause before an event is tried again.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often it is measured what is still to be done.
const MEASURE: Duration = Duration::from_secs(10);

/// Header by which the server tells who is pinned.
const PIN: &str = "Nats-Pin-Id";
/// How long what another process was handed is waited for when this one takes over: twice the time after which the
/// server hands it out again.
const TAKE_OVER: Duration = Duration::from_secs(12);
/// How often it is looked whether all of it has come.
const LOOK: Duration = Duration::from_millis(250);

/// What does the work.
pub trait Handler: Send + Sync + 'static {
    /// Works on one event. It is acknowledged when this returns `Ok`, so its effect has to be on the stream by then.
    /// `recorded.redelivered` tells whether someone may have worked on it before.
    fn handle(&self, recorded: &Recorded) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Why an event was not worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandlerError {
    /// Something is away: try again soon.
    Retry(String),
    /// It will never work: to DEAD with it.
    GiveUp(String),
}

/// What a failure of the bus means to a worker.
pub fn away(error: Error) -> HandlerError {
    match error.kind() {
        ErrorKind::Retry | ErrorKind::Conflict => HandlerError::Retry(error.to_string()),
        ErrorKind::Refused | ErrorKind::Fatal => HandlerError::GiveUp(error.to_string()),
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandlerError::Retry(why) => write!(f, "may pass: {why}"),
            HandlerError::GiveUp(why) => write!(f, "will not pass: {why}"),
        }
    }
}

/// How a worker consumes.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Names its durable consumers: the same on every replica.
    pub name: String,
    /// What it consumes.
    pub source: Source,
    /// The subjects within the source that it keeps to; `None` for all.
    pub within: Option<String>,
    /// Where a worker that never ran begins: after this revision.
    pub after: conversation::Revision,
    /// Events of one consumer under way or waiting for their conversation at once.
    pub in_flight: usize,
    /// An event that still fails after this time goes to DEAD.
    pub patience: Duration,
}

impl WorkerOptions {
    /// A worker that begins at the start of the log, with 256 events for each consumer and 10 minutes for each event.
    pub fn new(name: impl Into<String>) -> WorkerOptions {
        WorkerOptions {
            name: name.into(),
            source: Source::Events,
            within: None,
            after: 0,
            in_flight: 256,
            patience: Duration::from_secs(600),
        }
    }

    /// What metrics call it: without the digest that tells workers of one kind apart.
    fn label(&self) -> &str {
        let digest = |last: &str| last.len() == 16 && last.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.name.rsplit_once('-').filter(|(_, last)| digest(last)).map_or(self.name.as_str(), |(kind, _)| kind)
    }

    /// The same of another source.
    pub fn of(self, source: Source) -> WorkerOptions {
        WorkerOptions { source, ..self }
    }
}

impl Bus {
    /// Works on every event until `stop` is true, then finishes what is under way, for up to 5 s.
    ///
    /// # Errors
    /// When the consumers can't be made. What happens to the server later is waited out.
    pub async fn work<H: Handler>(
        &self,
        options: &WorkerOptions,
        handler: Arc<H>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let mut groups = JoinSet::new();
        let again = self.durable_again(options).await?;
        let consumers = self.durables(options).await?.into_iter().map(|consumer| (false, consumer));
        let consumers: Vec<(bool, PullConsumer)> = consumers.chain([(true, again)]).collect();
        // Ends with this.
        let mut measuring = JoinSet::new();
        measuring.spawn(measure(consumers.iter().map(|(_, consumer)| consumer.clone()).collect()));
        for (again, consumer) in consumers {
            let group = Group {
                bus: self.clone(),
                options: options.clone(),
                again,
                handler: handler.clone(),
                pin: None,
                held: None,
                in_hand: HashSet::new(),
                waiting: HashMap::new(),
                working: JoinSet::new(),
            };
            groups.spawn(group.run(consumer, stop.clone()));
        }
        while groups.join_next().await.is_some() {}
        self.flush().await;
        Ok(())
    }

    /// Makes a worker's consumers where there are none yet: what is appended once this has returned will be worked on,
    /// even if no process works until later.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn prepare(&self, options: &WorkerOptions) -> Result<(), Error> {
        self.durable_again(options).await?;
        self.durables(options).await.map(drop)
    }

    /// The consumer of what a worker gave up and is to work on again.
    async fn durable_again(&self, options: &WorkerOptions) -> Result<PullConsumer, Error> {
        let stream = self.jetstream().get_stream(stream::REQUEUED).await;
        let stream = stream.map_err(|error| Error::away("opening a stream", error))?;
        let name = format!("{}-{}", options.name, options.source.stream());
        let within = vec![format!("{}.*", dead::requeued(&options.name, options.source))];
        durable(&stream, name, within, &WorkerOptions { after: 0, ..options.clone() }).await
    }

    async fn durables(&self, options: &WorkerOptions) -> Result<Vec<PullConsumer>, Error> {
        let stream = self.stream(options.source).await?;
        let mut consumers = Vec::new();
        for group in 0..options.source.groups() {
            let name = format!("{}-{group}", options.name);
            let within = options.within.clone().map_or_else(|| options.source.filters(group), |within| vec![within]);
            consumers.push(durable(&stream, name, within, options).await?);
        }
        Ok(consumers)
    }
}

/// Says how much is still to be done, for as long as it is asked to.
async fn measure(consumers: Vec<PullConsumer>) {
    loop {
        for consumer in &consumers {
            // While the bus is away it is what it was.
            let Ok(info) = consumer.get_info().await else { continue };
            let labels = [info.stream_name.as_str(), info.name.as_str()];
            meter().consumer_pending.set(labels, info.num_pending);
            meter().consumer_ack_pending.set(labels, info.num_ack_pending as u64);
        }
        tokio::time::sleep(MEASURE).await;
    }
}

async fn durable(
    stream: &Stream,
    name: String,
    within: Vec<String>,
    options: &WorkerOptions,
) -> Result<PullConsumer, Error> {
    let config = pull::Config {
        durable_name: Some(name.clone()),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: options.after + 1 },
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: i64::try_from(options.in_flight).unwrap_or(i64::MAX),
        filter_subjects: within,
        priority_policy: PriorityPolicy::PinnedClient,
        priority_groups: vec![PINNED.to_owned()],
        priority_timeout: FAILOVER,
        ..pull::Config::default()
    };
    // One that exists keeps its place; where it began is no longer ours to say.
    match stream.get_consumer(&name).await {
        Ok(consumer) => Ok(consumer),
        Err(_) => {
            let made = stream.create_consumer(config).await;
            made.map_err(|error| Error::away("making the consumers of a worker", error))
        }
    }
}

/// An event that has to be settled, exactly once.
struct Taken {
    recorded: Recorded,
    acker: Acker,
    /// Of what is worked on again: the letter that it comes from. Then it stands on REQUEUED.
    again: Option<DeadLetter>,
}

/// One consumer's share of the work.
struct Group<H> {
    bus: Bus,
    options: WorkerOptions,
    /// Whether it is what was given up before.
    again: bool,
    handler: Arc<H>,
    /// As whom the server knows this process while it is pinned.
    pin: Option<String>,
    /// While taking over: what has come, by its place.
    held: Option<Held>,
    /// The places of all events that this process has.
    in_hand: HashSet<Revision>,
    /// Events behind the one that is worked on, for each conversation with one.
    waiting: HashMap<String, VecDeque<Taken>>,
    /// Yields the conversation whose event was settled, and that event's place.
    working: JoinSet<(String, Revision)>,
}

/// What has come since this process was pinned, until all that another one was handed before has come too: what is
/// newer must not overtake it.
struct Held {
    events: BTreeMap<Revision, Taken>,
    until: Instant,
}

impl<H: Handler> Group<H> {
    async fn run(mut self, consumer: PullConsumer, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.consume(&consumer, &mut stop).await {
                tracing::warn!(worker = self.options.name, again = self.again, %error, "pulling again");
                tokio::time::sleep(PAUSE).await;
            }
        }
        // What waits has not begun: the server hands it to the next process.
        self.waiting.clear();
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

    async fn consume(&mut self, consumer: &PullConsumer, stop: &mut watch::Receiver<bool>) -> Result<(), Error> {
        let pull = consumer.stream().expires(PULL).heartbeat(PULL / 3).group(PINNED).messages().await;
        let mut messages = pull.map_err(|error| Error::away("pulling", error))?;
        let mut progress = tokio::time::interval(PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => {
                    let message = message.ok_or_else(|| Error::away("pulling", "the consumer ended"))?;
                    let message = message.map_err(|error| Error::away("pulling", error))?;
                    self.take(message)?;
                }
                Some(done) = self.working.join_next() => {
                    if let Ok((conversation, revision)) = done {
                        self.in_hand.remove(&revision);
                        self.next_of(conversation);
                    }
                }
                _ = look.tick(), if self.held.is_some() => self.release(consumer).await,
                _ = progress.tick() => self.still_waiting().await,
                changed = stop.changed() => {
                    if changed.is_err() || *stop.borrow() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn take(&mut self, message: async_nats::jetstream::Message) -> Result<(), Error> {
        let (recorded, acker) = Recorded::of(message).map_err(|error| Error::unreadable("a message", error))?;
        if self.in_hand.contains(&recorded.revision) {
            // Handed out again while it is worked on: one acknowledgement does for both.
            return Ok(());
        }
        self.in_hand.insert(recorded.revision);
        let pin = recorded.header(PIN).map(str::to_owned);
        if pin.is_some() && pin != self.pin {
            self.pin = pin;
            self.held.get_or_insert(Held { events: BTreeMap::new(), until: Instant::now() + TAKE_OVER });
        }
        let again = self.again.then(|| dead::read(recorded.payload.clone()).unwrap_or_default());
        let taken = Taken { recorded, acker, again };
        match &mut self.held {
            Some(held) => drop(held.events.insert(taken.recorded.revision, taken)),
            None => self.queue(taken),
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
            events.into_values().for_each(|taken| self.queue(taken));
        }
    }

    fn queue(&mut self, taken: Taken) {
        let subject = taken.again.as_ref().map_or(taken.recorded.subject.as_str(), |letter| letter.subject.as_str());
        let conversation = self.options.source.key(subject);
        match self.waiting.get_mut(&conversation) {
            Some(queue) => queue.push_back(taken),
            None => {
                self.waiting.insert(conversation.clone(), VecDeque::new());
                self.start(conversation, taken);
            }
        }
    }

    fn next_of(&mut self, conversation: String) {
        match self.waiting.get_mut(&conversation).and_then(VecDeque::pop_front) {
            Some(taken) => self.start(conversation, taken),
            None => drop(self.waiting.remove(&conversation)),
        }
    }

    fn start(&mut self, conversation: String, taken: Taken) {
        let (bus, options, handler) = (self.bus.clone(), self.options.clone(), self.handler.clone());
        self.working.spawn(async move {
            let revision = taken.recorded.revision;
            settle(&bus, &options, handler, taken).await;
            (conversation, revision)
        });
    }

    /// Tells the server that events which wait for their turn have not been forgotten.
    async fn still_waiting(&self) {
        let held = self.held.iter().flat_map(|held| held.events.values());
        for taken in self.waiting.values().flatten().chain(held) {
            still_working(taken).await;
        }
    }
}

/// Works on an event until it is done or buried, then acknowledges it.
async fn settle<H: Handler>(bus: &Bus, options: &WorkerOptions, handler: Arc<H>, mut taken: Taken) {
    let started = Instant::now();
    let mut pause = PAUSE;
    let revision = taken.recorded.revision;
    loop {
        let error = match attempt(bus, handler.clone(), &taken).await {
            Ok(()) => {
                meter().worker_events.one([options.label(), "done"]);
                break;
            }
            Err(error) => error,
        };
        let hopeless = matches!(error, HandlerError::GiveUp(_)) || started.elapsed() > options.patience;
        if hopeless && give_up(bus, options, &taken, &error).await.is_ok() {
            tracing::error!(worker = options.name, revision, %error, "gave up on an event");
            meter().worker_events.one([options.label(), "gave_up"]);
            meter().dead_letters.one([options.label()]);
            break;
        }
        meter().worker_events.one([options.label(), "again"]);
        tracing::debug!(worker = options.name, revision, %error, "trying an event again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        // The try before may have left something behind.
        taken.recorded.redelivered = true;
    }
    meter().worker_seconds.took([options.label()], started.elapsed());
    let taken_off = match (&taken.again, options.source.takes_off()) {
        (Some(_), _) => bus.remove(stream::REQUEUED, revision).await,
        (None, true) => bus.remove(options.source.stream(), revision).await,
        (None, false) => Ok(()),
    };
    if let Err(error) = taken_off {
        // Not acknowledged either: it is handed out again, and taken off then.
        tracing::debug!(worker = options.name, %error, "not taken off");
        return;
    }
    if let Err(error) = taken.acker.ack().await {
        tracing::debug!(%error, "not acknowledged: it will be handed out again");
    }
}

async fn give_up(bus: &Bus, options: &WorkerOptions, taken: &Taken, error: &HandlerError) -> Result<(), Error> {
    let again = taken.again.as_ref().map(|letter| (taken.recorded.revision, letter));
    bus.bury(&options.name, options.source, &taken.recorded, again, &error.to_string()).await
}

/// One try, in a task of its own so that a panic is an error like any other.
async fn attempt<H: Handler>(bus: &Bus, handler: Arc<H>, taken: &Taken) -> Result<(), HandlerError> {
    let recorded = match &taken.again {
        None => taken.recorded.clone(),
        Some(letter) => given_up(bus, letter).await?,
    };
    let mut working = tokio::spawn(async move { handler.handle(&recorded).await });
    loop {
        match tokio::time::timeout(PROGRESS, &mut working).await {
            Ok(Ok(done)) => return done,
            Ok(Err(panic)) => return Err(HandlerError::GiveUp(panic.to_string())),
            Err(_) => still_working(taken).await,
        }
    }
}

/// What was given up before, as it stands.
async fn given_up(bus: &Bus, letter: &DeadLetter) -> Result<Recorded, HandlerError> {
    let found = bus.given_up(letter).await.map_err(|error| HandlerError::Retry(error.to_string()))?;
    let mut found = found.ok_or_else(|| HandlerError::GiveUp("what it refers to is gone".to_owned()))?;
    // Somebody worked on it before, as far as they came.
    found.redelivered = true;
    Ok(found)
}

async fn still_working(taken: &Taken) {
    if let Err(error) = taken.acker.ack_with(AckKind::Progress).await {
        tracing::debug!(%error, "progress not told");
    }
}
