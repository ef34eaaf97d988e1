//! Ordered workers with failover: what the bot, the rules and delivery consume EVENTS with, and other streams.
//!
//! A few durable consumers, of eight partitions each for EVENTS. The server pins a consumer to one process and moves
//! it to another when that one is silent. Inside, one event of a conversation (or other key, see [`Source`]) is worked
//! on at a time while others go on. Whoever takes over first waits for what the one before was handed and did not
//! finish, so that nothing newer overtakes it. Pinning is not a lock: two processes may work on one event for a moment, so effects
//! have to be fenced, by the expected sequence or by an id of their own.

pub(crate) mod balance;
mod group;
mod settle;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PriorityPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::Stream;
use meter::meter;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Bus, Error, ErrorKind, Recorded, Source, dead, stream};
use group::Group;

/// The one priority group of a consumer.
const PINNED: &str = "pinned";
/// A process that has not pulled for this long loses its consumers to another.
const FAILOVER: Duration = Duration::from_secs(3);
/// How long a process that leaves a consumer to another does not pull: longer than the server waits.
const AWAY: Duration = Duration::from_secs(5);
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
/// Events of a conversation that wait in memory behind the one that is worked on, where the stream can keep the others:
/// what customers are told in one go has seldom more parts, and a slow conversation holds no more places than these.
const KEPT: usize = 4;
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
            let seat = (!again).then(|| self.seat(options.label(), options.source.stream()));
            let group = Group::new(self, options, handler.clone(), seat);
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
