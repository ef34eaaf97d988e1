//! From what was decided to what was sent.
//!
//! A worker reads the log: each message in a decision becomes a reference in the queue of its channel, and what statuses
//! tell is written down. For each channel another worker takes its queue off, in order within a conversation, so that a
//! channel that is slow or stopped holds up nobody else, and what waits for it stays on the bus.

mod blame;
mod cancel;
mod compose;
mod evidence;
mod registry;
mod report;
mod route;
mod send;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error, Files, Source, Update, WorkerOptions, away, digest};
use prost::Message;
use proto::v1;
use service::{Health, Shutdown, Supervisor};
use tokio::task::JoinSet;

use crate::channel::Failure;
use crate::courtesy::Courtesy;
use crate::line::Line;
use crate::lines::Lines;
use crate::media::Inbound;
use crate::options::Options;
use crate::renew;
use registry::Registry;
use send::Sender;
use watch::Watcher;

/// Names the durable consumers: the same in every process.
const NAME: &str = "delivery";
/// How long a message may wait in its queue while something of ours is away; then it goes to DEAD. What the channel
/// does has bounds of its own.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Pause before a worker that failed starts again.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends what is said to customers. Cheap to clone.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    bus: Bus,
    options: Options,
    lines: Lines,
    registry: Registry,
    courtesy: Courtesy,
    health: Health,
    inbound: Inbound,
}

impl Delivery {
    /// One that does nothing until [`Delivery::start`]. It tells `health` how each channel is, as
    /// `delivery/<workspace>/<channel>`.
    pub fn new(bus: Bus, options: Options, health: Health) -> Delivery {
        let files = Files::new(bus.clone(), options.media_directory.clone());
        let lines = Lines::new(options.clone(), files.clone());
        let known = lines.clone();
        let find = Arc::new(move |workspace: &str, channel: &str| known.api(workspace, channel));
        let inbound = Inbound::new(bus.clone(), files, find, options.media.clone());
        let courtesy = Courtesy::new(bus.clone(), lines.clone());
        let registry = Registry::new(bus.clone());
        Delivery(Arc::new(Inner { bus, options, lines, registry, courtesy, health, inbound }))
    }

    /// Makes the consumers on the log, if anything is sent anywhere: what is decided after this goes out.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn prepare(&self) -> Result<(), Error> {
        match self.0.options.anywhere() {
            true => {
                self.0.bus.prepare(&self.log().await?).await?;
                self.0.inbound.prepare().await
            }
            false => Ok(()),
        }
    }

    /// Starts everything, as tasks that the supervisor watches.
    pub fn start(&self, supervisor: &Supervisor) {
        if !self.0.options.anywhere() {
            return;
        }
        let (delivery, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("delivery of the log", move || {
            let (delivery, stop) = (delivery.clone(), shutdown.flag());
            async move {
                let options = delivery.log().await?;
                delivery.0.bus.work(&options, Arc::new(Watcher(delivery.clone())), stop).await
            }
        });
        if let Some(file) = self.0.options.file.clone() {
            let (delivery, shutdown) = (self.clone(), supervisor.shutdown().clone());
            supervisor.restart("tokens", move || {
                let (file, options, lines) = (file.clone(), delivery.0.options.clone(), delivery.0.lines.clone());
                let shutdown = shutdown.clone();
                async move {
                    renew::follow(file, options, lines, shutdown).await;
                    Ok::<(), Error>(())
                }
            });
        }
        let (inbound, shutdown) = (self.0.inbound.clone(), supervisor.shutdown().clone());
        supervisor.restart("files of customers", move || {
            let (inbound, stop) = (inbound.clone(), shutdown.flag());
            async move { inbound.work(stop).await }
        });
        let (delivery, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("lines", move || delivery.clone().lines(shutdown.clone()));
    }

    /// A worker that never ran begins now: what was said before there was delivery stays as it is.
    async fn log(&self) -> Result<WorkerOptions, Error> {
        let after = self.0.bus.newest(Source::Events).await?;
        Ok(WorkerOptions { after, ..WorkerOptions::new(NAME) })
    }

    /// Works for every channel that is named or turns up, until shutdown begins and all of them have ended.
    async fn lines(self, shutdown: Shutdown) -> Result<(), Error> {
        for (workspace, channel) in self.0.options.named() {
            self.0.registry.register(&workspace, &channel).await?;
        }
        let mut workers = JoinSet::new();
        let mut watch = self.0.registry.watch();
        loop {
            let updates = tokio::select! {
                updates = watch.next() => updates,
                () = shutdown.begun() => break,
            };
            for state in updates.into_iter().flat_map(entries).filter_map(|entry| read(&entry)) {
                if let Some(line) = self.0.lines.add(&state.workspace, &state.channel) {
                    self.0.health.set(&health_name(&line), true).await;
                    workers.spawn(self.clone().line(line, shutdown.clone()));
                }
            }
        }
        while workers.join_next().await.is_some() {}
        Ok(())
    }

    /// Sends what stands in one queue until shutdown begins.
    async fn line(self, line: Arc<Line>, shutdown: Shutdown) {
        let subjects = self.0.bus.queue_subjects(&line.workspace, &line.channel);
        let options = WorkerOptions {
            within: Some(subjects.clone()),
            in_flight: self.0.options.delivery.in_flight,
            patience: PATIENCE,
            // Names of consumers hold neither dots nor what else a channel may be called.
            ..WorkerOptions::new(format!("{NAME}-{:016x}", digest(&[subjects.as_bytes()]))).of(Source::Outbox)
        };
        let sender = Arc::new(Sender { delivery: self.clone(), line });
        while !shutdown.is_begun() {
            if let Err(error) = self.0.bus.work(&options, sender.clone(), shutdown.flag()).await {
                tracing::warn!(subjects, %error, "working for a channel again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Tells everybody that nothing goes out on a line any more, or that it does again.
    async fn tell_line(&self, line: &Line, stopped: Option<&Failure>) {
        self.0.health.set(&health_name(line), stopped.is_none()).await;
        if let Err(error) = self.0.registry.tell(line, stopped).await {
            tracing::warn!(channel = line.channel, %error, "nobody was told how the channel is");
        }
    }
}

fn health_name(line: &Line) -> String {
    format!("delivery/{}/{}", line.workspace, line.channel)
}

fn entries(update: Update) -> Vec<bus::Entry> {
    match update {
        Update::Snapshot(entries) => entries,
        Update::Changed(entry) => vec![entry],
    }
}

fn read(entry: &bus::Entry) -> Option<v1::ChannelState> {
    v1::ChannelState::decode(entry.value.clone()?).ok()
}
