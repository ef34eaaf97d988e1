//! Whose turn it is, who holds what, and what waits, in one workspace. Pure: the staff and the time are arguments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bus::Staff;
use conversation::{Assignee, Revision, Time};

use super::queue::Queued;

/// Picks of a workspace that are remembered until they are decided: twice what the workers of a deployment have under
/// way at once.
pub(crate) const MAX_PICKS: usize = 4_096;
/// Those that were decided are remembered for runs that were not seen to end.
pub(crate) const MAX_DECIDED: usize = 256;
/// Turns that a team owes its agents.
pub(crate) const MAX_OWED: usize = 1_000;
/// Conversations held in a workspace. With some 40 bytes each they stay well below the bus's 8 MB.
pub(crate) const MAX_HELD: usize = 100_000;

/// How the work of a workspace is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) teams: BTreeMap<String, Turns>,
    /// What each agent holds, by conversation. Nobody stands here with nothing.
    pub(crate) load: BTreeMap<String, BTreeMap<String, Held>>,
    /// Oldest first.
    pub(crate) picks: VecDeque<Pick>,
    /// Whether anything changed since this was last cleared.
    pub(crate) changed: bool,
}

/// The turns of a team, and what waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turns {
    /// Who is next, first.
    pub(crate) order: Vec<String>,
    /// Whose pick came to nothing, once for each such pick: they come before the order, which their turn has left.
    pub(crate) owed: VecDeque<String>,
    /// Oldest first.
    pub(crate) queue: VecDeque<Queued>,
}

/// That an agent holds a conversation, or is about to: at least one of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The decision that it is known from.
    pub(crate) certain: Option<Revision>,
    /// A pick that waits for its decision.
    pub(crate) reserved: Option<Reserved>,
}

/// A pick that waits for its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) trigger: u64,
    /// The last decision before it: any later one is its own, or ends it.
    pub(crate) base: Revision,
    pub(crate) time: Time,
}

/// A pick that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) trigger: u64,
    /// `None` where the conversation was queued.
    pub(crate) agent: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) conversation: String,
    /// Whether it was decided. Such ones are forgotten first: a run that was not seen to end may ask again.
    pub(crate) settled: bool,
}

/// What a decision says about who holds a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reflected {
    pub(crate) conversation: String,
    pub(crate) revision: Revision,
    /// After it.
    pub(crate) assignee: Option<Assignee>,
    /// Whether a ticket is open after it.
    pub(crate) open: bool,
    /// Whether it assigned the conversation.
    pub(crate) assigned: bool,
    /// Whether it closed a ticket.
    pub(crate) closed: bool,
}

impl Rotation {
    /// How many conversations an agent holds or is about to.
    pub(crate) fn held_by(&self, agent: &str) -> usize {
        self.load.get(agent).map_or(0, BTreeMap::len)
    }

    pub(super) fn holds(&self, agent: &str, conversation: &str) -> bool {
        self.load.get(agent).is_some_and(|held| held.contains_key(conversation))
    }

    /// How many more conversations an agent may be given, up to `capacity` or the agent's own; an agent who already has
    /// this one has room for it.
    pub(super) fn room(&self, staff: &Staff, agent: &str, conversation: &str, capacity: Option<u32>) -> usize {
        let Some(known) = staff.agent(agent) else { return 0 };
        let capacity = usize::try_from(capacity.unwrap_or(known.capacity)).unwrap_or(usize::MAX);
        match capacity {
            0 => usize::MAX,
            _ if self.holds(agent, conversation) => capacity.saturating_sub(self.held_by(agent)).max(1),
            _ => capacity.saturating_sub(self.held_by(agent)),
        }
    }

    /// Takes the load of a pick onto an agent before it is decided. What the agent holds anyway needs no more room.
    pub(super) fn reserve(&mut self, agent: &str, conversation: &str, base: Revision, trigger: u64, now: Time) {
        let known = self.load.get(agent).and_then(|held| held.get(conversation)).copied().unwrap_or_default();
        let same = known.reserved.is_some_and(|reserved| reserved.trigger == trigger && reserved.base >= base);
        if known.certain.is_none() && !same {
            self.put(agent, conversation, Held { reserved: Some(Reserved { trigger, base, time: now }), ..known });
        }
    }

    /// Ends a reservation that came to nothing. Whether there was one.
    pub(super) fn release(&mut self, agent: &str, conversation: &str, trigger: u64) -> bool {
        let reserved = self.reservation(agent, conversation, trigger);
        if let Some((held, _)) = reserved {
            self.put(agent, conversation, Held { reserved: None, ..held });
        }
        reserved.is_some()
    }

    /// Makes a reservation certain, by the decision at `revision`. One that was overtaken before the reservation was
    /// made is no reason for it.
    pub(super) fn confirm(&mut self, agent: &str, conversation: &str, trigger: u64, revision: Revision) {
        let Some((held, reserved)) = self.reservation(agent, conversation, trigger) else { return };
        let decided = Some(revision).filter(|revision| *revision >= reserved.base);
        self.put(agent, conversation, Held { certain: held.certain.max(decided), reserved: None });
    }

    fn reservation(&self, agent: &str, conversation: &str, trigger: u64) -> Option<(Held, Reserved)> {
        let held = *self.load.get(agent)?.get(conversation)?;
        let reserved = held.reserved.filter(|reserved| reserved.trigger == trigger)?;
        Some((held, reserved))
    }

    fn put(&mut self, agent: &str, conversation: &str, held: Held) {
        if held == Held::default() {
            return self.forget(agent, conversation);
        }
        let before = self.load.entry(agent.to_owned()).or_default().insert(conversation.to_owned(), held);
        self.changed |= before != Some(held);
    }

    pub(super) fn forget(&mut self, agent: &str, conversation: &str) {
        if let Some(held) = self.load.get_mut(agent) {
            self.changed |= held.remove(conversation).is_some();
            if held.is_empty() {
                self.load.remove(agent);
            }
        }
    }

    /// Takes in what a decision says. Decisions of a conversation may come again, and those that others have overtaken
    /// change nothing.
    pub(crate) fn reflect(&mut self, told: &Reflected) {
        let Reflected { conversation, revision, .. } = told;
        let holder = told.assignee.as_ref().and_then(Assignee::agent);
        let works = told.open || told.assigned;
        let find = |(agent, held): (&String, &BTreeMap<String, Held>)| Some((agent.clone(), *held.get(conversation)?));
        let concerned: Vec<(String, Held)> = self.load.iter().filter_map(find).collect();
        for (agent, held) in &concerned {
            // Whatever was picked before this decision is decided by it, or can't be any more.
            let reserved = held.reserved.filter(|reserved| reserved.base >= *revision);
            let was_reserved = held.reserved.is_some() && reserved.is_none();
            let newer = held.certain.is_none_or(|certain| certain < *revision);
            let keeps = holder == Some(agent) && (works || (!told.closed && (held.certain.is_some() || was_reserved)));
            let certain = match (newer, keeps) {
                (false, _) => held.certain,
                (true, true) => Some(*revision),
                (true, false) => None,
            };
            self.put(agent, conversation, Held { certain, reserved });
        }
        if let Some(holder) = holder.filter(|holder| works && !concerned.iter().any(|(agent, _)| agent == holder)) {
            self.hold(holder, conversation, *revision);
        }
        self.dequeue_unless_waiting(told);
    }

    fn hold(&mut self, agent: &str, conversation: &str, revision: Revision) {
        let all: usize = self.load.values().map(BTreeMap::len).sum();
        if all >= MAX_HELD {
            tracing::warn!(agent, conversation, "more than {MAX_HELD} conversations are held: this one does not count");
            return;
        }
        self.put(agent, conversation, Held { certain: Some(revision), reserved: None });
    }

    /// Whether there is room for one more conversation that is held.
    pub(super) fn is_full(&self) -> bool {
        self.load.values().map(BTreeMap::len).sum::<usize>() >= MAX_HELD
    }

    /// Reservations that were made before `time` and not decided since: agent, conversation and trigger.
    pub(crate) fn reserved_before(&self, time: Time) -> Vec<(String, String, Held)> {
        let mut found = Vec::new();
        for (agent, held) in &self.load {
            let stale = held.iter().filter(|(_, held)| held.reserved.is_some_and(|reserved| reserved.time < time));
            found.extend(stale.map(|(conversation, held)| (agent.clone(), conversation.clone(), *held)));
        }
        found
    }

    /// Everything that is held: agent, conversation, and from which decision that is known.
    pub(crate) fn all_held(&self) -> Vec<(String, String, Held)> {
        let each = |(agent, held): (&String, &BTreeMap<String, Held>)| {
            let all = held.iter().map(|(conversation, held)| (agent.clone(), conversation.clone(), *held));
            all.collect::<Vec<_>>()
        };
        self.load.iter().flat_map(each).collect()
    }

    pub(super) fn remember(&mut self, pick: Pick) {
        if self.picks.iter().filter(|pick| pick.settled).count() > MAX_DECIDED {
            self.picks.remove(self.picks.iter().position(|pick| pick.settled).unwrap_or(0));
        }
        if self.picks.len() >= MAX_PICKS {
            self.picks.pop_front();
        }
        self.picks.push_back(pick);
        self.changed = true;
    }

    pub(super) fn picked(&self, trigger: u64) -> Option<&Pick> {
        self.picks.iter().rev().find(|pick| pick.trigger == trigger)
    }

    pub(super) fn mark_settled(&mut self, trigger: u64) {
        if let Some(pick) = self.picks.iter_mut().rev().find(|pick| pick.trigger == trigger && !pick.settled) {
            pick.settled = true;
            self.changed = true;
        }
    }

    pub(super) fn unpick(&mut self, trigger: u64) {
        let before = self.picks.len();
        self.picks.retain(|pick| pick.trigger != trigger);
        self.changed |= self.picks.len() != before;
    }

    /// Brings the turns of a team to who is in it: those who left are gone, those who came are last.
    pub(super) fn align(&mut self, staff: &Staff, team: &str) -> Vec<String> {
        let Some(members) = staff.members(team) else { return Vec::new() };
        let present: BTreeSet<&str> = members.iter().copied().collect();
        let turns = self.teams.entry(team.to_owned()).or_default();
        if turns.order.len() != present.len() || !turns.order.iter().all(|agent| present.contains(agent.as_str())) {
            turns.order.retain(|agent| present.contains(agent.as_str()));
            turns.owed.retain(|agent| present.contains(agent.as_str()));
            let known: BTreeSet<String> = turns.order.iter().cloned().collect();
            turns.order.extend(members.iter().filter(|id| !known.contains(**id)).map(|id| (*id).to_owned()));
            self.changed = true;
        }
        turns.order.clone()
    }

    /// Whoever is next in a team, first.
    pub(super) fn line(&mut self, staff: &Staff, team: &str) -> Vec<String> {
        let order = self.align(staff, team);
        let owed = self.teams.get(team).into_iter().flat_map(|turns| turns.owed.iter().cloned());
        let mut seen = BTreeSet::new();
        owed.chain(order).filter(|agent| seen.insert(agent.clone())).collect()
    }

    /// The agent has a turn: the one that is owed, else the regular one, after which the others come first.
    pub(super) fn take_turn(&mut self, team: &str, agent: &str) {
        let Some(turns) = self.teams.get_mut(team) else { return };
        self.changed = true;
        if let Some(at) = turns.owed.iter().position(|id| id == agent) {
            turns.owed.remove(at);
        } else if let Some(at) = turns.order.iter().position(|id| id == agent) {
            let agent = turns.order.remove(at);
            turns.order.push(agent);
        }
    }

    /// The agent's turn came to nothing: it is next again.
    pub(super) fn give_back(&mut self, team: &str, agent: &str) {
        let Some(turns) = self.teams.get_mut(team) else { return };
        if turns.owed.len() < MAX_OWED && turns.order.iter().any(|id| id == agent) {
            turns.owed.push_front(agent.to_owned());
            self.changed = true;
        }
    }
}
