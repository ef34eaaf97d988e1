//! Webhooks: events of a workspace posted to other systems, signed as Standard Webhooks lays down, at least once.
//!
//! A worker reads EVENTS and queues a reference for each endpoint that wants an event; a durable consumer of each
//! endpoint hands them out, and what is not taken is handed out again, later each time. So a dead or slow endpoint
//! holds up nothing but itself, and whatever is killed when, nothing is lost.

mod events;
mod grpc;
mod post;
mod sign;
mod store;

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Endpoint, Error, Handler, HandlerError, Recorded, Source, WorkerOptions};
use conversation::Revision;
use proto::v1;
use service::outbound::OutboundClient;
use service::{Config, Shutdown, Supervisor};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use events::EVENT_TYPES;
pub use grpc::{Webhooks, webhook_service};
use store::{Store, Subscription};

/// How often it is looked which endpoints there are.
const LOOK: Duration = Duration::from_millis(500);
/// Tries of one endpoint under way at once, in each process.
const AT_ONCE: usize = 16;
/// Pause before a queue that broke is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// How webhooks are posted.
#[derive(Clone, Debug)]
pub struct HookOptions {
    /// Whether addresses that are not public may be posted to.
    pub allow_private_targets: bool,
    /// How long one try may take.
    pub timeout: Duration,
    /// Pause before the second try; each is four times the one before, up to 8 h.
    pub pause: Duration,
    /// An endpoint that took nothing for this long is disabled.
    pub disable_after: Duration,
    /// The workspaces there are.
    pub workspaces: BTreeSet<String>,
}

impl HookOptions {
    /// As configured.
    pub fn from_config(config: &Config) -> HookOptions {
        let hooks = &config.webhooks;
        HookOptions {
            allow_private_targets: hooks.allow_private_targets,
            timeout: Duration::from_millis(hooks.timeout_ms),
            pause: Duration::from_millis(hooks.pause_ms),
            disable_after: Duration::from_secs(hooks.disable_after_s),
            workspaces: config.workspaces().into_keys().collect(),
        }
    }
}

/// Posts events to those who subscribed. Cheap to clone.
#[derive(Clone)]
pub struct Hooks(Arc<Inner>);

struct Inner {
    bus: Bus,
    options: HookOptions,
    store: Store,
    client: OutboundClient,
}

impl Hooks {
    /// # Errors
    /// When no TLS can be had.
    pub fn new(bus: Bus, options: HookOptions) -> Result<Hooks, service::outbound::NoTls> {
        let client = OutboundClient::new(options.allow_private_targets, "webhooks.allow_private_targets")?;
        let store = Store::new(bus.clone());
        Ok(Hooks(Arc::new(Inner { bus, options, store, client })))
    }

    /// Makes the worker's consumers where there are none yet: what is recorded from then on is posted.
    ///
    /// # Errors
    /// [`Error::Away`].
    pub async fn prepare(&self) -> Result<(), Error> {
        let after = self.0.bus.newest(Source::Events).await?;
        self.0.bus.prepare(&worker(after)).await
    }

    /// Works until shutdown.
    pub fn start(&self, supervisor: &Supervisor) {
        let (hooks, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("webhook fan-out", move || {
            let (hooks, shutdown) = (hooks.clone(), shutdown.clone());
            async move {
                let stop = told(shutdown);
                hooks.0.bus.work(&worker(0), Arc::new(FanOut(hooks.clone())), stop).await
            }
        });
        let (hooks, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("webhook endpoints", move || hooks.clone().endpoints(shutdown.clone()));
    }

    /// Runs a task for each endpoint that is enabled, as they come and go.
    async fn endpoints(self, shutdown: Shutdown) -> Result<(), Error> {
        let mut running: HashMap<Endpoint, (Subscription, tokio::task::AbortHandle)> = HashMap::new();
        let mut tasks = JoinSet::new();
        while !shutdown.is_begun() {
            let all = self.0.store.all().await?;
            let wanted: HashMap<&Endpoint, &Subscription> =
                all.values().flatten().filter(|one| one.webhook.enabled).map(|one| (&one.endpoint, one)).collect();
            running.retain(|endpoint, (held, task)| {
                let same = wanted.get(endpoint).is_some_and(|one| one.url == held.url && one.secret == held.secret);
                if !same {
                    task.abort();
                }
                same && !task.is_finished()
            });
            for (endpoint, subscription) in wanted {
                if !running.contains_key(endpoint) {
                    let task = tasks.spawn(self.clone().endpoint(subscription.clone()));
                    running.insert(endpoint.clone(), (subscription.clone(), task));
                }
            }
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = shutdown.begun() => {}
            }
        }
        // What is under way is not settled: it is handed out again.
        Ok(())
    }

    /// Posts what waits for one endpoint, for ever. A try that is cut off is handed out again.
    async fn endpoint(self, subscription: Subscription) {
        let subscription = Arc::new(subscription);
        loop {
            let Err(error) = self.drain(&subscription).await;
            tracing::warn!(webhook = subscription.endpoint.id, %error, "pulling again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn drain(&self, subscription: &Arc<Subscription>) -> Result<Infallible, Error> {
        let queue = self.0.bus.hook_queue(&subscription.endpoint).await?;
        let attempt = |item| {
            let (hooks, subscription) = (self.clone(), subscription.clone());
            async move { hooks.attempt(&subscription, item).await }
        };
        queue.work(AT_ONCE, attempt).await
    }
}

/// Shutdown as workers want to hear of it.
fn told(shutdown: Shutdown) -> watch::Receiver<bool> {
    let (stop, stopping) = watch::channel(shutdown.is_begun());
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown.begun() => drop(stop.send(true)),
            () = stop.closed() => {}
        }
    });
    stopping
}

fn worker(after: Revision) -> WorkerOptions {
    WorkerOptions { after, ..WorkerOptions::new("webhooks") }
}

/// Queues references to what was recorded.
struct FanOut(Hooks);

impl Handler for FanOut {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let retry = |error: Error| HandlerError::Retry(error.to_string());
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let parts = events::parts(&event);
        if parts.is_empty() {
            return Ok(());
        }
        let all = self.0.0.store.all().await.map_err(retry)?;
        let Some(subscriptions) = all.get(&event.workspace) else { return Ok(()) };
        let here = wire(recorded.revision);
        for subscription in subscriptions.iter().filter(|one| one.after < here) {
            for (nth, part) in (0..).zip(&parts) {
                if subscription.wants(part.kind) {
                    let queued = v1::QueuedWebhook { revision: here, part: nth };
                    let name = events::event_id(&event, nth);
                    self.0.0.bus.queue_hook(&subscription.endpoint, &name, &queued).await.map_err(retry)?;
                }
            }
        }
        Ok(())
    }
}

fn wire(revision: Revision) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
