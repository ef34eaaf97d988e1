//! Turns of customers: one answer each, as a decision on exactly the state that was read, or none.
//!
//! A worker takes the messages of customers, in order for each conversation. It waits until the customer pauses, reads
//! what was said since the bot has had the conversation, lets a brain think, and decides. A message that another one
//! follows in time leaves the answer to that one. Nothing is acknowledged before the decision or the record of the turn is
//! on the stream, so a kill at any moment loses nothing, and what is handed out again does nothing.
//!
//! What [`chat`], [`reading`], [`deed`], [`decision`] and [`split`] do is pure.

mod chat;
mod decision;
mod deed;
mod gather;
mod heard;
mod mark;
mod note;
mod options;
mod reading;
mod record;
pub(crate) mod shadow;
mod split;
mod take;
mod view;
mod words;

use std::sync::Arc;

use bus::{Bus, Directory, Handler, HandlerError, Recorded, Source, WorkerOptions, away};
use service::Supervisor;

use crate::brain::Brain;
use heard::Heard;
use view::View;

pub use options::TurnOptions;

/// Names the durable consumers: the same in every process.
const NAME: &str = "bot";
/// Messages of one consumer that are worked on, or wait for their conversation, at once. A turn takes its pause and the
/// time to think, a second or several, so there are many.
const IN_FLIGHT: usize = 2_048;

/// Why there is no worker on turns.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// The address of `TicketService` is none.
    #[error("bot.ticket_service is no address: {0}")]
    TicketService(#[from] tonic::transport::Error),
    /// The bus did not do it.
    #[error(transparent)]
    Bus(#[from] bus::Error),
}

/// Answers customers. Cheap to clone.
#[derive(Clone)]
pub struct Turns(Arc<Inner>);

struct Inner {
    bus: Bus,
    brain: Arc<dyn Brain>,
    options: TurnOptions,
    directory: Directory,
    view: View,
}

impl Turns {
    /// A worker that does nothing until [`Turns::start`].
    ///
    /// # Errors
    /// [`TurnsError::TicketService`].
    pub fn new(bus: Bus, brain: Arc<dyn Brain>, options: TurnOptions) -> Result<Turns, TurnsError> {
        let view = View::at(&options.ticket_service, options.bearer.clone(), &options.certificates)?;
        let directory = Directory::new(bus.clone());
        Ok(Turns(Arc::new(Inner { bus, brain, options, directory, view })))
    }

    /// Makes the consumers, if the bot answers anywhere: what is recorded after this is worked on.
    ///
    /// # Errors
    /// [`TurnsError::Bus`].
    pub async fn prepare(&self) -> Result<(), TurnsError> {
        if self.0.options.anywhere() {
            self.0.bus.prepare(&self.source().await?).await?;
        }
        Ok(())
    }

    /// Starts everything, as tasks that the supervisor watches.
    pub fn start(&self, supervisor: &Supervisor) {
        if !self.0.options.anywhere() {
            return;
        }
        let (turns, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("directory of the bot", move || {
            let (turns, stop) = (turns.clone(), shutdown.flag());
            async move {
                turns.0.directory.follow(stop).await;
                Ok::<(), TurnsError>(())
            }
        });
        let (turns, shutdown) = (self.clone(), supervisor.shutdown().clone());
        supervisor.restart("turns", move || {
            let (turns, stop) = (turns.clone(), shutdown.flag());
            async move {
                let options = turns.source().await?;
                turns.0.bus.work(&options, Arc::new(OnMessages(turns.clone())), stop).await?;
                Ok::<(), TurnsError>(())
            }
        });
    }

    /// A worker that never ran begins now: nobody expects an answer to what was said before there was a bot.
    async fn source(&self) -> Result<WorkerOptions, TurnsError> {
        let after = self.0.bus.newest(Source::Messages).await?;
        Ok(WorkerOptions { after, in_flight: IN_FLIGHT, ..WorkerOptions::new(NAME).of(Source::Messages) })
    }
}

/// Works on messages of customers.
struct OnMessages(Turns);

impl Handler for OnMessages {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let inner = &self.0.0;
        // ev.<p>.<workspace>.<conversation>.message
        let workspace = recorded.subject.split('.').nth(2).unwrap_or_default();
        let Some(workspace) = inner.options.workspace(workspace) else { return Ok(()) };
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        match Heard::of(&event, recorded) {
            Some(heard) => inner.take(&heard, workspace).await,
            None => Ok(()),
        }
    }
}
