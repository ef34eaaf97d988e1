//! What the engine consumes, and who watches over it.

use std::sync::Arc;
use std::time::Duration;

use bus::{DirectoryChange, Handler, HandlerError, Recorded, Source, Span, WorkerOptions, now};
use service::{Shutdown, Supervisor};

use super::happening::of_event;
use super::{Engine, EngineError, Scene, away};

/// Names the durable consumers: the same in every process.
const NAME: &str = "automation-engine";
/// How often timers of schedules are looked after, besides whenever rules change.
const LOOK_AFTER: Duration = Duration::from_secs(30);
/// Tries for what no worker hands out again.
const TRIES: u32 = 8;

/// Works on events of the log.
struct OnEvents(Engine);
/// Works on events of other systems.
struct OnExternal(Engine);
/// Works on timers that are due.
struct OnTimers(Engine);

impl Handler for OnEvents {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        self.0.on_event(recorded).await
    }
}

impl Handler for OnExternal {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        self.0.on_external(recorded).await
    }
}

impl Handler for OnTimers {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        self.0.on_due(recorded).await
    }
}

impl Engine {
    /// Makes the consumers: what is recorded after this is worked on, and rules may be applied. Comes before
    /// `AutomationService` answers.
    ///
    /// # Errors
    /// [`EngineError::Bus`].
    pub async fn prepare(&self) -> Result<(), EngineError> {
        for options in self.sources().await? {
            self.bus.prepare(&options).await?;
        }
        Ok(())
    }

    /// Starts everything, as tasks that the supervisor watches.
    pub fn start(&self, supervisor: &Supervisor) {
        let shutdown = supervisor.shutdown().clone();
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("rules in force", move || {
            let (engine, stop) = (engine.clone(), stop.clone());
            async move {
                engine.book.follow(&stop).await;
                Ok::<(), EngineError>(())
            }
        });
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("directory", move || {
            let (engine, stop) = (engine.clone(), stop.clone());
            async move {
                engine.directory.follow(stop.flag()).await;
                Ok::<(), EngineError>(())
            }
        });
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("rules on events", move || work(engine.clone(), Source::Events, OnEvents, stop.clone()));
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("rules on timers", move || work(engine.clone(), Source::TimersDue, OnTimers, stop.clone()));
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor
            .restart("rules on external", move || work(engine.clone(), Source::External, OnExternal, stop.clone()));
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("rules on presence", move || presence(engine.clone(), stop.clone()));
        let (engine, stop) = (self.clone(), shutdown.clone());
        supervisor.restart("schedules of rules", move || schedules(engine.clone(), stop.clone()));
        self.start_assigning(supervisor);
    }

    fn start_assigning(&self, supervisor: &Supervisor) {
        let (engine, stop) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("loads of agents", move || {
            let (engine, stop) = (engine.clone(), stop.clone());
            async move { engine.assigner.reconcile(stop.flag()).await }
        });
        let (engine, stop) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("queues of teams", move || {
            let (engine, stop) = (engine.clone(), stop.clone());
            async move {
                engine.assigner.drain(stop.flag()).await;
                Ok::<(), EngineError>(())
            }
        });
    }

    async fn sources(&self) -> Result<Vec<WorkerOptions>, EngineError> {
        let mut all = Vec::new();
        for source in [Source::Events, Source::External, Source::TimersDue] {
            all.push(self.source(source).await?);
        }
        Ok(all)
    }

    /// A worker that never ran begins now: rules could not be applied before. Timers wait for whoever comes.
    async fn source(&self, source: Source) -> Result<WorkerOptions, EngineError> {
        let after = match source {
            Source::TimersDue => 0,
            _ => self.bus.newest(source).await?,
        };
        Ok(WorkerOptions { after, ..WorkerOptions::new(NAME).of(source) })
    }

    /// Works on an event of the log.
    async fn on_event(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        // ev.<p>.<workspace>.<conversation>.<kind>
        let workspace = recorded.subject.split('.').nth(2).unwrap_or_default();
        self.book.up_to(recorded.appended).await.map_err(away)?;
        if !self.book.knows(workspace) {
            return Ok(());
        }
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let time = event.record_time.as_ref().and_then(proto::time).unwrap_or(recorded.appended);
        self.book.up_to(time).await.map_err(away)?;
        let Some(set) = self.book.at(workspace, time).filter(|set| !set.is_idle()) else { return Ok(()) };
        let happenings = of_event(&event, recorded.revision, true);
        if happenings.is_empty() {
            return Ok(());
        }
        let span = Span::process(NAME, recorded.trace.as_ref());
        let trace = Some(span.trace().clone());
        let mut scene = Scene::new(workspace, set, happenings, recorded.redelivered, trace);
        self.arm_timers(&scene).await?;
        self.react(&mut scene).await
    }
}

async fn work<H: Handler>(
    engine: Engine,
    source: Source,
    handler: impl FnOnce(Engine) -> H,
    shutdown: Shutdown,
) -> Result<(), EngineError> {
    let options = engine.source(source).await?;
    let handler = Arc::new(handler(engine.clone()));
    engine.bus.work(&options, handler, shutdown.flag()).await?;
    Ok(())
}

/// Rules on agents who come and go.
async fn presence(engine: Engine, shutdown: Shutdown) -> Result<(), EngineError> {
    let mut changes = engine.directory.changes();
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            () = shutdown.begun() => return Ok(()),
        };
        let (workspace, agent, since, online) = match change {
            DirectoryChange::Online { workspace, agent, since } => (workspace, agent, since, true),
            DirectoryChange::Offline { workspace, agent, since } => (workspace, agent, since, false),
            DirectoryChange::Staff { .. } | DirectoryChange::Anything => continue,
        };
        let engine = engine.clone();
        tokio::spawn(async move {
            for attempt in 0..TRIES {
                match engine.on_presence(&workspace, &agent, since, online, attempt > 0).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!(workspace, agent, %error, "rules on an agent who came or went"),
                }
                tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
            }
        });
    }
}

/// Keeps a timer armed for every schedule in force.
async fn schedules(engine: Engine, shutdown: Shutdown) -> Result<(), EngineError> {
    loop {
        let changed = engine.book.changed();
        for workspace in engine.book.workspaces() {
            engine.arm_schedules(&workspace, now()).await?;
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(LOOK_AFTER) => {}
            () = shutdown.begun() => return Ok(()),
        }
    }
}
