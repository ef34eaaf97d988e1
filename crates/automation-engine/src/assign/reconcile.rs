//! Bringing the rotation to what the log says.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Error, Handler, HandlerError, Recorded, WorkerOptions, now};
use conversation::{ConversationId, State};
use proto::v1;
use proto::v1::stamp::Kind;
use tokio::sync::watch;

use super::desk::AssignError;
use super::rotation::Reflected;
use super::{Assigner, Inner};

/// Names the durable consumers.
const NAME: &str = "assign";
/// What was decided longer ago may have been overtaken: whoever holds the conversation is asked of the log itself.
const FRESH: Duration = Duration::from_secs(5);

impl Assigner {
    /// Brings the rotations to what decisions say, until `stop` is true. Processes share the work.
    ///
    /// # Errors
    /// When the consumers can't be made.
    pub async fn reconcile(&self, stop: watch::Receiver<bool>) -> Result<(), Error> {
        self.0.bus.work(&WorkerOptions::new(NAME), Arc::new(Reconciler(self.0.clone())), stop).await
    }
}

struct Reconciler(Arc<Inner>);

impl Handler for Reconciler {
    async fn handle(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let event = recorded.event().map_err(|error| HandlerError::GiveUp(error.to_string()))?;
        let Some(mut told) = reflected(&event, recorded.revision) else { return Ok(()) };
        let recorded_at = event.record_time.as_ref().and_then(proto::time).unwrap_or_default();
        if recorded.redelivered || now().since(recorded_at) > FRESH {
            told = self.newest(&event, told).await?;
        }
        let desk = self.0.desks.of(&event.workspace);
        desk.change(move |rotation, _, _| rotation.reflect(&told)).await.map_err(failed)
    }
}

impl Reconciler {
    /// An old decision must not bring back what a later one ended: the later one may have been worked on already.
    async fn newest(&self, event: &v1::Event, told: Reflected) -> Result<Reflected, HandlerError> {
        let Some(conversation) = ConversationId::parse(&event.conversation) else { return Ok(told) };
        let state = load(&self.0.bus, &event.workspace, &conversation).await?;
        let same = |state: &State| {
            state.assignee.as_ref().and_then(|a| a.agent()) == told.assignee.as_ref().and_then(|a| a.agent())
        };
        if state.revision <= told.revision || same(&state) {
            return Ok(told);
        }
        Ok(Reflected { assignee: state.assignee, open: !state.open.is_empty(), assigned: false, ..told })
    }
}

async fn load(bus: &Bus, workspace: &str, conversation: &ConversationId) -> Result<State, HandlerError> {
    bus.state(workspace, conversation).await.map_err(|error| HandlerError::Retry(error.to_string()))
}

fn failed(error: AssignError) -> HandlerError {
    match error {
        AssignError::Away(why) => HandlerError::Retry(why),
        AssignError::Broken(why) => HandlerError::GiveUp(why),
    }
}

/// What an event says about who holds its conversation, if it says anything.
fn reflected(event: &v1::Event, revision: u64) -> Option<Reflected> {
    let Some(v1::event::Event::Decided(decided)) = &event.event else { return None };
    let stamps = decided.entries.iter().filter_map(|entry| match &entry.entry {
        Some(v1::decided_entry::Entry::Stamp(stamp)) => stamp.kind.as_ref(),
        _ => None,
    });
    let kinds: Vec<&Kind> = stamps.collect();
    if kinds.is_empty() {
        return None;
    }
    let after = decided.after.clone().unwrap_or_default();
    Some(Reflected {
        conversation: event.conversation.clone(),
        revision,
        assignee: after.assignee.as_ref().and_then(proto::assignee_from),
        open: !after.open.is_empty(),
        assigned: kinds.iter().any(|kind| matches!(kind, Kind::Assigned(_))),
        closed: kinds.iter().any(|kind| matches!(kind, Kind::Closed(_))),
    })
}
