//! Who gets a conversation: strategies, capacity, turns, and the queue of a team.
//!
//! One value of the bucket `rotation` for each workspace holds the turns of every team, what each agent holds, what
//! waits, and the last picks; it is changed by compare-and-set alone. The load of a pick is taken when it is made, so
//! picks at once never overshoot a capacity, in however many processes and teams. Truth is the log: a worker on EVENTS
//! brings the load to what decisions say, also those made by hand, and one process, elected, gives away what waits as
//! soon as somebody is free.
//!
//! Architecture Invariant: nothing here is real before a decision on the conversation is. A pick is a reservation; it
//! ends when it is settled, when a later decision says otherwise, or after a minute.

mod audit;
mod choose;
mod desk;
mod drain;
mod lease;
mod queue;
mod reconcile;
mod rotation;
mod spec;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Directory};

pub use desk::AssignError;
pub(crate) use queue::Queued;
pub(crate) use rotation::{Reflected, Rotation};
pub use spec::{Ask, Chosen, Fallback, Picked, Settled, Spec, Step, Strategy};

use desk::Desks;

/// How long the directory may take to be read for the first time.
const READY: Duration = Duration::from_secs(8);

/// How patient an [`Assigner`] is.
#[derive(Clone, Copy, Debug)]
pub struct AssignOptions {
    /// A pick that was neither settled nor decided in this time ends: 60 s, longer than any run works on an event
    /// before it asks again.
    pub undecided: Duration,
    /// How often picks that may have to end are looked for: 5 s.
    pub look: Duration,
    /// How often everything that is held is compared with the log: 10 minutes.
    pub compare: Duration,
}

impl Default for AssignOptions {
    fn default() -> AssignOptions {
        AssignOptions {
            undecided: Duration::from_secs(60),
            look: Duration::from_secs(5),
            compare: Duration::from_secs(600),
        }
    }
}

/// Assigns conversations. Cheap to clone.
#[derive(Clone)]
pub struct Assigner(Arc<Inner>);

struct Inner {
    bus: Bus,
    directory: Directory,
    desks: Desks,
    options: AssignOptions,
}

impl Assigner {
    /// An assigner that looks into `directory`, which somebody has to follow. [`Assigner::reconcile`] and
    /// [`Assigner::drain`] have to run in some process, and may run in each.
    pub fn new(bus: Bus, directory: Directory, options: AssignOptions) -> Assigner {
        let desks = Desks::new(bus.clone(), directory.clone());
        Assigner(Arc::new(Inner { bus, directory, desks, options }))
    }

    /// Chooses who is to have a conversation and takes the load. Asked again with the same trigger, it answers the same
    /// as long as that can stand. Whatever becomes of it has to be told to [`Assigner::settle`].
    ///
    /// # Errors
    /// [`AssignError`]; asking again with the same trigger is safe.
    pub async fn pick(&self, ask: &Ask) -> Result<Picked, AssignError> {
        self.ready().await?;
        let (trigger, asked) = (trigger(&ask.trigger), ask.clone());
        let desk = self.0.desks.of(&ask.workspace);
        let pick = move |rotation: &mut rotation::Rotation, staff: &bus::Staff, now| {
            if rotation.is_full() {
                return (Chosen::Nobody, "more conversations are held than are counted".to_owned());
            }
            rotation.pick(&asked, trigger, staff, now)
        };
        let (chosen, why) = desk.change(pick).await?;
        let (workspace, conversation) = (ask.workspace.clone(), ask.conversation.clone());
        Ok(Picked { workspace, conversation, chosen, why, trigger })
    }

    /// Says what became of a pick. Saying it again changes nothing.
    ///
    /// # Errors
    /// [`AssignError`]. A pick that is never settled ends by itself, after [`AssignOptions::undecided`].
    pub async fn settle(&self, picked: &Picked, settled: Settled) -> Result<(), AssignError> {
        if picked.chosen == Chosen::Nobody {
            return Ok(());
        }
        let trigger = picked.trigger;
        self.0.desks.of(&picked.workspace).change(move |rotation, _, _| rotation.settle(trigger, settled)).await
    }

    /// How many conversations each agent holds, or is about to; agents with none are left out.
    ///
    /// # Errors
    /// [`AssignError`].
    pub async fn loads(&self, workspace: &str) -> Result<BTreeMap<String, usize>, AssignError> {
        let loads = |rotation: &mut rotation::Rotation, _: &bus::Staff, _| {
            rotation.load.iter().map(|(agent, held)| (agent.clone(), held.len())).collect()
        };
        self.0.desks.of(workspace).change(loads).await
    }

    /// The conversations that wait for a team, oldest first.
    ///
    /// # Errors
    /// [`AssignError`].
    pub async fn queue(&self, workspace: &str, team: &str) -> Result<Vec<String>, AssignError> {
        let team = team.to_owned();
        let queue = move |rotation: &mut rotation::Rotation, _: &bus::Staff, _| {
            let queue = rotation.teams.get(&team).into_iter().flat_map(|turns| &turns.queue);
            queue.map(|queued| queued.conversation.clone()).collect()
        };
        self.0.desks.of(workspace).change(queue).await
    }

    async fn ready(&self) -> Result<(), AssignError> {
        let ready = tokio::time::timeout(READY, self.0.directory.ready()).await;
        ready.map_err(|_| AssignError::Away("the directory has not been read yet".to_owned()))
    }
}

/// The digest that a trigger is known by.
pub(crate) fn trigger(run: &str) -> u64 {
    bus::digest(&[b"pick", run.as_bytes()])
}
