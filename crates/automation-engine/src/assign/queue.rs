//! What waits for a team.

use bus::Staff;
use conversation::{Assignee, Revision, Time};

use super::rotation::{Reflected, Rotation};

/// Conversations that may wait for a team.
pub(crate) const MAX_QUEUE: usize = 10_000;

/// A conversation that waits for someone to be free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) conversation: String,
    /// Who holds the fewest is chosen, else whose turn it is.
    pub(crate) least_open: bool,
    pub(crate) only_online: bool,
    /// Instead of the agent's own.
    pub(crate) capacity: Option<u32>,
    pub(crate) since: Time,
    /// The trigger of the pick that queued it.
    pub(crate) run: String,
    pub(crate) rule: String,
    /// The last decision before the one that assigned it to the team.
    pub(crate) base: Revision,
    pub(crate) causation_id: String,
    pub(crate) correlation_id: String,
    pub(crate) depth: u32,
}

/// Who of a team could take something: the least that one of them holds, and the most room under their own capacities.
pub(super) struct Free {
    anybody: Side,
    online: Side,
}

#[derive(Default)]
struct Side {
    /// Whether somebody has room under a capacity of their own.
    own: bool,
    /// How many conversations whoever holds the fewest of them holds; `None` without agents.
    fewest: Option<usize>,
}

impl Free {
    /// Whether somebody could take it.
    pub(super) fn for_queued(&self, queued: &Queued) -> bool {
        let side = if queued.only_online { &self.online } else { &self.anybody };
        match queued.capacity {
            None => side.own,
            Some(capacity) => side.fewest.is_some_and(|held| u32::try_from(held).is_ok_and(|held| held < capacity)),
        }
    }
}

impl Queued {
    /// The trigger of the pick that queued it.
    pub(crate) fn trigger(&self) -> u64 {
        super::trigger(&self.run)
    }

    /// The trigger under which it is given away, on the state at `revision`.
    pub(crate) fn drain_trigger(&self, revision: Revision) -> u64 {
        bus::digest(&[b"drain", self.run.as_bytes(), self.conversation.as_bytes(), &revision.to_be_bytes()])
    }
}

impl Rotation {
    /// Who of a team's agents is free.
    pub(super) fn free(&self, order: &[String], staff: &Staff, now: Time) -> Free {
        let side = |agents: &mut dyn Iterator<Item = &String>| {
            agents.filter(|agent| staff.agent(agent).is_some()).fold(Side::default(), |side, agent| {
                let held = self.held_by(agent);
                Side {
                    own: side.own || self.room(staff, agent, "", None) > 0,
                    fewest: Some(side.fewest.map_or(held, |fewest| fewest.min(held))),
                }
            })
        };
        let online = side(&mut order.iter().filter(|agent| staff.is_online(agent, now)));
        Free { anybody: side(&mut order.iter()), online }
    }

    /// Queues a conversation for a team, in place of what the team's queue had of it. Whether there was room.
    pub(super) fn enqueue(&mut self, team: &str, queued: Queued) -> bool {
        let queue = &mut self.teams.entry(team.to_owned()).or_default().queue;
        if let Some(found) = queue.iter_mut().find(|found| found.conversation == queued.conversation) {
            if found.run != queued.run || found.base < queued.base {
                // It waits since it was queued first.
                *found = Queued { since: found.since, ..queued };
                self.changed = true;
            }
            return true;
        }
        let room = queue.len() < MAX_QUEUE;
        if room {
            queue.push_back(queued);
            self.changed = true;
        }
        room
    }

    /// Takes a conversation out of a team's queue, whatever put it there.
    pub(crate) fn dequeue(&mut self, team: &str, conversation: &str) {
        if let Some(turns) = self.teams.get_mut(team) {
            let before = turns.queue.len();
            turns.queue.retain(|queued| queued.conversation != conversation);
            self.changed |= turns.queue.len() != before;
        }
    }

    /// Takes a conversation out of a team's queue, unless it was queued anew meanwhile.
    pub(crate) fn dequeue_same(&mut self, team: &str, queued: &Queued) {
        if self.teams.get(team).is_some_and(|turns| turns.queue.contains(queued)) {
            self.dequeue(team, &queued.conversation);
        }
    }

    /// Takes a conversation out of every queue but that of the team which has it after a decision.
    pub(super) fn dequeue_unless_waiting(&mut self, told: &Reflected) {
        let over = told.closed && !told.open;
        for (team, turns) in &mut self.teams {
            let waits = !over && matches!(&told.assignee, Some(Assignee::Team(holder)) if holder == team);
            let before = turns.queue.len();
            let stays = |queued: &Queued| queued.conversation != told.conversation || queued.base >= told.revision;
            turns.queue.retain(|queued| waits || stays(queued));
            self.changed |= turns.queue.len() != before;
        }
    }

    /// The conversations of each team's queue that could be given away now if each were alone, oldest first, at most
    /// `limit` of each.
    pub(crate) fn ready(&mut self, staff: &Staff, now: Time, limit: usize) -> Vec<(String, Queued)> {
        let waiting = self.teams.iter().filter(|(_, turns)| !turns.queue.is_empty());
        let waiting: Vec<String> = waiting.map(|(team, _)| team.clone()).collect();
        let mut ready = Vec::new();
        for team in waiting {
            let order = self.align(staff, &team);
            let free = self.free(&order, staff, now);
            let fits = |queued: &&Queued| {
                // One that was offered to somebody already needs nobody else.
                let offered = || order.iter().any(|agent| self.holds(agent, &queued.conversation));
                free.for_queued(queued) || offered()
            };
            let queue = self.teams.get(&team).into_iter().flat_map(|turns| &turns.queue);
            ready.extend(queue.filter(fits).take(limit).map(|queued| (team.clone(), queued.clone())));
        }
        ready
    }

    /// Ends the turns and the queue of a team that was gone at `time`: what waited for it waits no longer.
    pub(crate) fn end_team(&mut self, team: &str, time: Time) {
        let Some(turns) = self.teams.get_mut(team) else { return };
        self.changed = true;
        turns.queue.retain(|queued| queued.since > time);
        if turns.queue.is_empty() {
            self.teams.remove(team);
        }
    }
}
