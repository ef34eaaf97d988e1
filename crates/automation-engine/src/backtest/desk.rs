//! Who gets a conversation in the simulation: the engine's own rotation, with the staff and the presence of today.

use std::collections::BTreeMap;

use conversation::{Action as Deed, Actor, ActorKind, Assignee, Revision};
use proto::v1;

use super::draft::{Words, assign_of};
use super::replay::Cause;
use super::sim::Sim;
use crate::assign::{Ask, Chosen, Queued, Settled, trigger};
use crate::engine::{Happening, Picked, Versioned, spec, wants_last};
use crate::rule::Strategy;

/// Conversations of one team that are given away in one pass.
const PASS: usize = 256;

/// The picks of one segment, by step.
#[derive(Default)]
pub(super) struct Picks(BTreeMap<usize, (Picked, Option<u64>)>);

impl Picks {
    pub(super) fn get(&self, step: usize) -> Option<&Picked> {
        self.0.get(&step).map(|(picked, _)| picked)
    }
}

impl<W: Words> Sim<W> {
    /// Chooses for every step of a segment that assigns.
    pub(super) fn picks(
        &mut self,
        at: Option<usize>,
        versioned: &Versioned,
        (from, end): (usize, usize),
        run: &v1::Run,
        happening: &Happening,
    ) -> Picks {
        let mut picks = Picks::default();
        let Some(at) = at else { return picks };
        for step in from..end {
            let Some(assign) = versioned.rule.steps.get(step).and_then(|step| assign_of(&step.action)) else {
                continue;
            };
            if let Strategy::Team(team) = &assign.strategy {
                let detail = format!("assigned to team {team}");
                picks.0.insert(step, (Picked { assignee: Some(Assignee::Team(team.clone())), detail }, None));
                continue;
            }
            let chat = &mut self.chats[at];
            let last = chat.last_ticket.as_ref().map(|ticket| ticket.assignee.agent.clone());
            let sticky = last.filter(|agent| wants_last(assign) && !agent.is_empty());
            let ask = Ask {
                workspace: self.draft.workspace.clone(),
                conversation: chat.id.clone(),
                trigger: format!("{}#{step}", run.id),
                base: chat.state().revision,
                spec: spec(assign, sticky.as_deref()),
                rule: versioned.rule.name.clone(),
                causation_id: happening.event_id.clone(),
                correlation_id: happening.correlation_id.clone(),
                depth: happening.depth.saturating_add(1),
            };
            let digest = trigger(&ask.trigger);
            let (chosen, detail) = self.rotation.pick(&ask, digest, &self.draft.staff, self.now);
            let assignee = match chosen {
                Chosen::Agent(assignee) => Some(assignee),
                Chosen::Queued { team } => Some(Assignee::Team(team)),
                Chosen::Nobody => None,
            };
            picks.0.insert(step, (Picked { assignee, detail }, Some(digest)));
        }
        picks
    }

    /// Tells the rotation what became of its picks.
    pub(super) fn settle_picks(&mut self, picks: &Picks, taken: u64) {
        for (step, (picked, digest)) in &picks.0 {
            let (Some(digest), Some(_)) = (digest, &picked.assignee) else { continue };
            let decided = taken & (1 << (*step).min(63)) != 0;
            let settled = if decided { Settled::Decided(self.place) } else { Settled::Refused };
            self.rotation.settle(*digest, settled);
        }
    }

    /// Gives away what waits, to whoever is free. Whether anything was.
    pub(super) fn give_away(&mut self) -> bool {
        if !self.rotation.teams.values().any(|turns| !turns.queue.is_empty()) {
            return false;
        }
        let mut any = false;
        for (team, queued) in self.rotation.ready(&self.draft.staff, self.now, PASS) {
            any |= self.offer(&team, &queued);
        }
        any
    }

    fn offer(&mut self, team: &str, queued: &Queued) -> bool {
        let Some(at) = self.found(&queued.conversation) else {
            self.rotation.dequeue(team, &queued.conversation);
            return false;
        };
        let state = self.chats[at].state();
        let (revision, waits): (Revision, bool) =
            (state.revision, matches!(&state.assignee, Some(Assignee::Team(holder)) if holder == team));
        if !waits {
            self.rotation.dequeue(team, &queued.conversation);
            return false;
        }
        let offered = self.rotation.offer(team, &queued.conversation, revision, &self.draft.staff, self.now);
        let Some(agent) = offered else { return false };
        let trigger = queued.drain_trigger(revision);
        let cause = Cause {
            event_id: queued.causation_id.clone(),
            revision: 0,
            correlation_id: queued.correlation_id.clone(),
            depth: queued.depth,
            rule: self.draft.places.get(&queued.rule).copied(),
        };
        let by = Actor::new(ActorKind::Automation, queued.rule.clone());
        let assignee = Assignee::Member { agent: agent.clone(), team: team.to_owned() };
        match self.decide(at, &by, &[Deed::Assign(assignee)], &cause) {
            Ok(_) => {
                self.rotation.taken(team, &queued.conversation, &agent, trigger, self.place);
                true
            }
            Err(()) => {
                self.rotation.withdraw(team, &queued.conversation, &agent, trigger);
                self.rotation.dequeue(team, &queued.conversation);
                false
            }
        }
    }
}
