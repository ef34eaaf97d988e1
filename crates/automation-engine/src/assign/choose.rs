//! Choosing an agent, and taking a choice back.

use bus::Staff;
use conversation::{Assignee, Revision, Time};

use super::queue::Queued;
use super::rotation::{Pick, Rotation};
use super::spec::{Ask, Chosen, Fallback, Settled, Step, Strategy};

/// Agents whose reasons for not being chosen are told.
const TOLD: usize = 5;

/// What keeps agents from being chosen.
#[derive(Clone, Copy)]
struct Bounds {
    only_online: bool,
    /// Instead of the agent's own.
    capacity: Option<u32>,
}

/// Who may be chosen, in the order of choice, and why others may not.
struct Candidates {
    free: Vec<String>,
    why_not: Vec<String>,
}

impl Candidates {
    /// As words behind a choice.
    fn others(&self) -> String {
        match self.why_not.len() {
            0 => String::new(),
            count if count > TOLD => format!(" ({}, and {} more)", self.why_not[..TOLD].join(", "), count - TOLD),
            _ => format!(" ({})", self.why_not.join(", ")),
        }
    }
}

impl Rotation {
    /// Chooses who is to have a conversation and takes the load; a trigger that asked before gets what it got then.
    /// Says why.
    pub(crate) fn pick(&mut self, ask: &Ask, trigger: u64, staff: &Staff, now: Time) -> (Chosen, String) {
        if let Some(again) = self.pick_again(ask, trigger, staff, now) {
            return again;
        }
        let mut tried = Vec::new();
        for step in &ask.spec.steps {
            match self.try_step(step, ask, trigger, staff, now) {
                Ok(found) => return found,
                Err(why) => tried.push(why),
            }
        }
        let why = if tried.is_empty() { "no way to choose was named".to_owned() } else { tried.join("; ") };
        match &ask.spec.fallback {
            Fallback::Unassigned => (Chosen::Nobody, why),
            Fallback::TeamQueue { team } => self.pick_queue(team, ask, trigger, staff, now, why),
        }
    }

    /// What this trigger was given before, if that can still stand.
    fn pick_again(&mut self, ask: &Ask, trigger: u64, staff: &Staff, now: Time) -> Option<(Chosen, String)> {
        let Pick { agent, team, .. } = self.picked(trigger)?.clone();
        let conversation = ask.conversation.as_str();
        let why = "as this run was told before".to_owned();
        match (agent, team) {
            (Some(agent), team) if self.room(staff, &agent, conversation, ask.spec.capacity) > 0 => {
                self.reserve(&agent, conversation, ask.base, trigger, now);
                Some((Chosen::Agent(assignee(&agent, team.as_deref())), why))
            }
            (None, Some(team)) if staff.members(&team).is_some() => {
                self.enqueue(&team, queued(ask, &team, now));
                Some((Chosen::Queued { team }, why))
            }
            // Gone, or without room by now: what was not decided then is chosen anew.
            _ => {
                self.unpick(trigger);
                None
            }
        }
    }

    fn try_step(
        &mut self,
        step: &Step,
        ask: &Ask,
        trigger: u64,
        staff: &Staff,
        now: Time,
    ) -> Result<(Chosen, String), String> {
        let (name, team, conversation) = (step.strategy.name(), step.strategy.team(), ask.conversation.as_str());
        let bounds = Bounds { only_online: step.only_online, capacity: ask.spec.capacity };
        let candidates = self.candidates(&step.strategy, bounds, conversation, staff, now);
        let candidates = candidates.map_err(|why| format!("{name}: {why}"))?;
        let of_team = team.map(|team| format!(" in {team}")).unwrap_or_default();
        let others = candidates.others();
        let agent = candidates.free.first().ok_or_else(|| format!("{name}: nobody is free{of_team}{others}"))?;
        if let Some(team) = team.filter(|_| in_turn(&step.strategy)) {
            let free = candidates.free.iter().map(|agent| self.room(staff, agent, conversation, bounds.capacity));
            let free = free.fold(0, usize::saturating_add);
            if free <= self.ripe(team, conversation, staff, now) {
                return Err(format!("{name}: those who are free{of_team} are for conversations that wait already"));
            }
        }
        let turn = if name == "round_robin" { ", whose turn it is" } else { "" };
        let why = format!("{name}{of_team}: {agent}{turn}{others}");
        if let Some(team) = team.filter(|_| in_turn(&step.strategy)) {
            self.take_turn(team, agent);
        }
        self.reserve(agent, conversation, ask.base, trigger, now);
        self.remember(Pick {
            trigger,
            agent: Some(agent.clone()),
            team: team.map(str::to_owned),
            conversation: conversation.to_owned(),
            settled: false,
        });
        Ok((Chosen::Agent(assignee(agent, team)), why))
    }

    fn candidates(
        &mut self,
        strategy: &Strategy,
        bounds: Bounds,
        conversation: &str,
        staff: &Staff,
        now: Time,
    ) -> Result<Candidates, String> {
        let mut named = match strategy {
            Strategy::RoundRobin { team } | Strategy::LeastOpen { team } => {
                staff.members(team).ok_or_else(|| format!("there is no team {team}"))?;
                self.line(staff, team)
            }
            Strategy::Default { team } => {
                let found = staff.team(team).ok_or_else(|| format!("there is no team {team}"))?;
                let default = Some(found.default_assignee).filter(|agent| !agent.is_empty());
                vec![default.ok_or_else(|| format!("{team} has no default assignee"))?]
            }
            Strategy::Sticky { agent, team } => {
                let agent = agent.as_ref().ok_or("nobody had the last ticket")?;
                let fits = team
                    .as_ref()
                    .is_none_or(|team| staff.members(team).is_some_and(|members| members.contains(&agent.as_str())));
                if !fits {
                    return Err(format!("{agent} is not in the team"));
                }
                vec![agent.clone()]
            }
        };
        if matches!(strategy, Strategy::LeastOpen { .. }) {
            // Stable: of those who hold as many, whose turn it is.
            named.sort_by_key(|agent| self.held_by(agent));
        }
        let mut candidates = Candidates { free: Vec::new(), why_not: Vec::new() };
        for agent in named {
            match self.why_not(&agent, bounds, conversation, staff, now) {
                None => candidates.free.push(agent),
                Some(why) => candidates.why_not.push(why),
            }
        }
        if candidates.free.is_empty() && candidates.why_not.is_empty() {
            return Err("the team has no agents".to_owned());
        }
        Ok(candidates)
    }

    fn why_not(&self, agent: &str, bounds: Bounds, conversation: &str, staff: &Staff, now: Time) -> Option<String> {
        let Some(known) = staff.agent(agent) else { return Some(format!("{agent} is not in the directory")) };
        if bounds.only_online && !staff.is_online(agent, now) {
            return Some(format!("{agent} is not online"));
        }
        let full = self.room(staff, agent, conversation, bounds.capacity) == 0;
        full.then(|| format!("{agent} holds {} of {}", self.held_by(agent), bounds.capacity.unwrap_or(known.capacity)))
    }

    /// How many of the conversations that wait for a team could be given away right now: they come first.
    fn ripe(&mut self, team: &str, but: &str, staff: &Staff, now: Time) -> usize {
        let order = self.align(staff, team);
        let free = self.free(&order, staff, now);
        let queue = self.teams.get(team).into_iter().flat_map(|turns| &turns.queue);
        let waiting = queue.filter(|queued| queued.conversation != but);
        let waiting = waiting.filter(|queued| free.for_queued(queued));
        // One that somebody holds already is on its way out of the queue.
        waiting.filter(|queued| !order.iter().any(|agent| self.holds(agent, &queued.conversation))).count()
    }

    fn pick_queue(
        &mut self,
        team: &str,
        ask: &Ask,
        trigger: u64,
        staff: &Staff,
        now: Time,
        why: String,
    ) -> (Chosen, String) {
        if staff.members(team).is_none() {
            return (Chosen::Nobody, format!("{why}; there is no team {team} to wait for"));
        }
        if !self.enqueue(team, queued(ask, team, now)) {
            return (Chosen::Nobody, format!("{why}; the queue of {team} is full"));
        }
        let conversation = ask.conversation.as_str().to_owned();
        self.remember(Pick { trigger, agent: None, team: Some(team.to_owned()), conversation, settled: false });
        (Chosen::Queued { team: team.to_owned() }, format!("{why}; it waits for {team}"))
    }

    /// Ends a pick, one way or the other. Without effect when it is repeated.
    pub(crate) fn settle(&mut self, trigger: u64, settled: Settled) {
        let Some(pick) = self.picked(trigger).cloned() else { return };
        if matches!(settled, Settled::Decided(_)) {
            self.mark_settled(trigger);
        }
        match (pick.agent, settled) {
            (Some(agent), Settled::Decided(revision)) => self.confirm(&agent, &pick.conversation, trigger, revision),
            (None, Settled::Decided(_)) => {}
            (Some(agent), Settled::Refused) => {
                self.unpick(trigger);
                self.release(&agent, &pick.conversation, trigger);
                if let Some(team) = &pick.team {
                    self.give_back(team, &agent);
                }
            }
            (None, Settled::Refused) => {
                self.unpick(trigger);
                let team = pick.team.unwrap_or_default();
                let queue = self.teams.get(&team).into_iter().flat_map(|turns| &turns.queue);
                let ours = queue.filter(|queued| queued.conversation == pick.conversation);
                if ours.into_iter().any(|queued| queued.trigger() == trigger) {
                    self.dequeue(&team, &pick.conversation);
                }
            }
        }
    }

    /// A reservation was never decided: as if it had been refused.
    pub(crate) fn lapse(&mut self, agent: &str, conversation: &str, trigger: u64) {
        if self.picked(trigger).is_some_and(|pick| pick.agent.as_deref() == Some(agent) && !pick.settled) {
            self.settle(trigger, Settled::Refused);
        } else {
            self.release(agent, conversation, trigger);
        }
    }

    /// Who in a team could take a conversation that waits, if anybody is free.
    fn taker(&mut self, team: &str, queued: &Queued, staff: &Staff, now: Time) -> Option<String> {
        let team = team.to_owned();
        let strategy = if queued.least_open { Strategy::LeastOpen { team } } else { Strategy::RoundRobin { team } };
        let bounds = Bounds { only_online: queued.only_online, capacity: queued.capacity };
        let candidates = self.candidates(&strategy, bounds, &queued.conversation, staff, now);
        candidates.ok()?.free.into_iter().next()
    }

    /// Chooses an agent for a conversation that waits, whose last decision is at `revision`, and takes the load.
    pub(crate) fn offer(
        &mut self,
        team: &str,
        conversation: &str,
        revision: Revision,
        staff: &Staff,
        now: Time,
    ) -> Option<String> {
        let queue = self.teams.get(team).into_iter().flat_map(|turns| &turns.queue);
        let queued = queue.into_iter().find(|queued| queued.conversation == conversation)?.clone();
        let trigger = queued.drain_trigger(revision);
        if let Some(agent) = self.reserved_by(trigger, conversation) {
            return Some(agent);
        }
        let agent = self.taker(team, &queued, staff, now)?;
        self.take_turn(team, &agent);
        self.reserve(&agent, conversation, revision, trigger, now);
        Some(agent)
    }

    fn reserved_by(&self, trigger: u64, conversation: &str) -> Option<String> {
        let ours = |held: &super::rotation::Held| held.reserved.is_some_and(|reserved| reserved.trigger == trigger);
        let found = self.load.iter().find(|(_, held)| held.get(conversation).is_some_and(ours));
        found.map(|(agent, _)| agent.clone())
    }

    /// An offer was decided at `revision`: the conversation waits no longer.
    pub(crate) fn taken(&mut self, team: &str, conversation: &str, agent: &str, trigger: u64, revision: Revision) {
        self.confirm(agent, conversation, trigger, revision);
        self.dequeue(team, conversation);
    }

    /// An offer came to nothing: the turn goes back to the agent.
    pub(crate) fn withdraw(&mut self, team: &str, conversation: &str, agent: &str, trigger: u64) {
        if self.release(agent, conversation, trigger) {
            self.give_back(team, agent);
        }
    }
}

/// Whether a strategy takes turns.
fn in_turn(strategy: &Strategy) -> bool {
    matches!(strategy, Strategy::RoundRobin { .. } | Strategy::LeastOpen { .. })
}

fn assignee(agent: &str, team: Option<&str>) -> Assignee {
    match team {
        Some(team) => Assignee::Member { agent: agent.to_owned(), team: team.to_owned() },
        None => Assignee::Agent(agent.to_owned()),
    }
}

/// It is given away as the last step for that team would have; by turns among those who are there, if there is none.
fn queued(ask: &Ask, team: &str, now: Time) -> Queued {
    let of_team = |step: &&Step| in_turn(&step.strategy) && step.strategy.team() == Some(team);
    let step = ask.spec.steps.iter().rev().find(of_team);
    Queued {
        conversation: ask.conversation.as_str().to_owned(),
        least_open: step.is_some_and(|step| matches!(step.strategy, Strategy::LeastOpen { .. })),
        only_online: step.is_none_or(|step| step.only_online),
        capacity: ask.spec.capacity,
        since: now,
        run: ask.trigger.clone(),
        rule: ask.rule.clone(),
        base: ask.base,
        causation_id: ask.causation_id.clone(),
        correlation_id: ask.correlation_id.clone(),
        depth: ask.depth,
    }
}
