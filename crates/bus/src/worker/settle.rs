//! One event, from the first try to its acknowledgement.

use std::sync::Arc;

use async_nats::jetstream::AckKind;
use async_nats::jetstream::message::Acker;
use meter::meter;
use proto::v1::DeadLetter;
use tokio::time::Instant;

use super::{Handler, HandlerError, LONGEST_PAUSE, PAUSE, PROGRESS, WorkerOptions};
use crate::{Bus, Error, Recorded, stream};

/// An event that has to be settled, exactly once.
pub(super) struct Taken {
    pub(super) recorded: Recorded,
    /// None of what was read back: the one that its conversation was set aside with has it.
    pub(super) acker: Option<Acker>,
    /// Of what is worked on again: the letter that it comes from. Then it stands on REQUEUED.
    pub(super) again: Option<DeadLetter>,
}

impl Taken {
    /// Tells the server that the event has not been forgotten.
    pub(super) async fn still_working(&self) {
        let Some(acker) = &self.acker else { return };
        if let Err(error) = acker.ack_with(AckKind::Progress).await {
            tracing::debug!(%error, "progress not told");
        }
    }

    /// The server need not hand it out again.
    pub(super) async fn acknowledge(&self) {
        let Some(acker) = &self.acker else { return };
        if let Err(error) = acker.ack().await {
            tracing::debug!(%error, "not acknowledged: it will be handed out again");
        }
    }
}

/// Works on an event until it is done or buried, then acknowledges it.
pub(super) async fn settle<H: Handler>(bus: &Bus, options: &WorkerOptions, handler: Arc<H>, mut taken: Taken) {
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
    taken.acknowledge().await;
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
            Err(_) => taken.still_working().await,
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
