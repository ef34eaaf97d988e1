//! Timers in simulated time: armed as the engine arms them, due between events, void for the same reasons.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use conversation::{Revision, Time};
use proto::v1;
use proto::v1::run::Outcome;

use super::chat::Armed;
use super::draft::Words;
use super::sim::Sim;
use super::steps::Scene;
use crate::engine::{Happening, Versioned, run_of, system, truth};
use crate::rule::{AnsweredBy, Trigger};

/// Times that a schedule comes in one backtest, at most: every minute of more than two months.
const MAX_SCHEDULED: u32 = 100_000;

/// What is to come, in order of time.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Due>>,
    order: u64,
}

struct Due {
    time: Time,
    order: u64,
    what: What,
}

pub(super) enum What {
    /// A timer of a conversation.
    Timer { at: usize, slot: u64 },
    /// A run goes on after a wait.
    Wait(Box<Waiting>),
    /// A rule's schedule, and how often it came.
    Schedule { rule: usize, count: u32 },
}

/// A run that waits.
pub(super) struct Waiting {
    pub(super) at: Option<usize>,
    pub(super) rule: usize,
    pub(super) run: v1::Run,
    pub(super) happening: Happening,
    /// The action that waits.
    pub(super) step: usize,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.order == other.order
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.time, self.order).cmp(&(other.time, other.order))
    }
}

impl Queue {
    /// Puts something in line; returns its number.
    pub(super) fn push(&mut self, time: Time, what: impl FnOnce(u64) -> What) -> u64 {
        self.order += 1;
        self.heap.push(Reverse(Due { time, order: self.order, what: what(self.order) }));
        self.order
    }

    fn pop(&mut self, until: Time) -> Option<(Time, What)> {
        if self.heap.peek()?.0.time > until {
            return None;
        }
        self.heap.pop().map(|Reverse(due)| (due.time, due.what))
    }
}

impl<W: Words> Sim<W> {
    /// Time goes on: what is due until then comes first.
    pub(super) fn advance(&mut self, until: Time) {
        while let Some((time, what)) = self.queue.pop(until) {
            if self.stopped() {
                return;
            }
            // What was put off since comes back to its place in line.
            let what = match what {
                What::Timer { at, slot } => match self.put_off(at, slot, time) {
                    Some(armed) => {
                        self.now = self.now.max(time);
                        self.place += 1;
                        self.ring(at, armed);
                        self.settle();
                        continue;
                    }
                    None => continue,
                },
                what => what,
            };
            self.now = self.now.max(time);
            self.place += 1;
            match what {
                What::Wait(waiting) => self.resume(*waiting),
                What::Schedule { rule, count } => self.scheduled(rule, count, time),
                What::Timer { .. } => {}
            }
            self.settle();
        }
    }

    /// The timer of a slot, if it is due; one that was put off waits on.
    fn put_off(&mut self, at: usize, slot: u64, time: Time) -> Option<Armed> {
        let timers = &mut self.chats[at].live().timers;
        let found = timers.iter().position(|armed| armed.slot == slot)?;
        let due = timers[found].due;
        if due <= time {
            return Some(timers.swap_remove(found));
        }
        let slot = self.queue.push(due, |slot| What::Timer { at, slot });
        self.chats[at].live().timers[found].slot = slot;
        None
    }

    /// Arms and ends the timers of rules that wait for what this begins or ends.
    pub(super) fn arm_timers(&mut self, at: usize, happening: &Happening) {
        if self.draft.waiting.is_empty() {
            return;
        }
        let draft = self.draft.clone();
        for rule in &draft.waiting {
            let Some(versioned) = draft.set.at(*rule) else { continue };
            match (&versioned.rule.on, happening.trigger.as_str()) {
                (Trigger::CustomerIdle { after }, "message.sent") => self.arm(at, *rule, "", happening, *after),
                (Trigger::TicketUnanswered { after } | Trigger::TicketOpenFor { after }, "ticket.opened") => {
                    self.arm(at, *rule, &happening.ticket, happening, *after);
                }
                // Counted from the first message that waits: those that follow do not put it off.
                (Trigger::AgentIdle { after, .. }, "message.received") => {
                    let armed = self.chats[at].live().timers.iter().any(|armed| armed.rule == *rule);
                    if !armed {
                        self.arm(at, *rule, "", happening, *after);
                    }
                }
                (Trigger::AgentIdle { by, .. }, "message.sent")
                    if *by == AnsweredBy::Anyone || happening.actor.kind == "agent" =>
                {
                    self.chats[at].live().timers.retain(|armed| armed.rule != *rule);
                }
                _ => {}
            }
        }
    }

    fn arm(&mut self, at: usize, rule: usize, ticket: &str, happening: &Happening, after: std::time::Duration) {
        let due = happening.time.plus(after);
        let armed = Armed {
            slot: 0,
            rule,
            ticket: ticket.to_owned(),
            due,
            place: self.place,
            event_id: happening.event_id.clone(),
            revision: happening.revision,
            correlation_id: happening.correlation_id.clone(),
            depth: happening.depth,
        };
        let timers = &mut self.chats[at].live().timers;
        let same = timers.iter_mut().find(|timer| timer.rule == rule && timer.ticket == ticket);
        match same {
            // Its place in line is earlier: it is put off when that comes.
            Some(timer) if timer.due <= due => *timer = Armed { slot: timer.slot, ..armed },
            found => {
                let slot = self.queue.push(due, |slot| What::Timer { at, slot });
                let armed = Armed { slot, ..armed };
                match found {
                    Some(timer) => *timer = armed,
                    None => timers.push(armed),
                }
            }
        }
    }

    /// A timer is due.
    fn ring(&mut self, at: usize, armed: Armed) {
        let draft = self.draft.clone();
        let Some(versioned) = draft.set.at(armed.rule) else { return };
        let happening = Happening {
            trigger: versioned.trigger.clone(),
            workspace: draft.workspace.clone(),
            conversation: Some(self.chats[at].id.clone()),
            event_id: armed.event_id.clone(),
            revision: Revision::from(armed.revision),
            due_ms: Some(armed.due.0 / 1_000_000),
            correlation_id: armed.correlation_id.clone(),
            depth: armed.depth,
            time: armed.due,
            ticket: armed.ticket.clone(),
            ..system()
        };
        self.tally[armed.rule].events += 1;
        if let Some(reason) = self.void(at, versioned, &armed) {
            let run = v1::Run {
                outcome: Outcome::Skipped.into(),
                reason: format!("void: {reason}"),
                ..run_of(versioned, &happening)
            };
            return self.record(armed.rule, run, false);
        }
        let before = self.before(at);
        let mut scene = Scene::new(Some(at), vec![happening], before, None);
        self.consider(&mut scene, armed.rule);
    }

    fn void(&mut self, at: usize, versioned: &Versioned, armed: &Armed) -> Option<&'static str> {
        let chat = &mut self.chats[at];
        let closed = !chat.state().open.iter().any(|open| open.id.as_str() == armed.ticket);
        let live = chat.live();
        let answered = live.metrics.of(&armed.ticket).is_some_and(|counted| counted.first_response.is_some());
        match &versioned.rule.on {
            Trigger::CustomerIdle { .. } => (live.customer_said > armed.place).then_some("the customer wrote"),
            Trigger::AgentIdle { by: AnsweredBy::Agent, .. } => {
                (live.agent_said > armed.place).then_some("an agent answered")
            }
            Trigger::AgentIdle { by: AnsweredBy::Anyone, .. } => {
                (live.business_said > armed.place).then_some("it was answered")
            }
            Trigger::TicketOpenFor { .. } | Trigger::TicketUnanswered { .. } if closed => Some("the ticket is closed"),
            Trigger::TicketUnanswered { .. } if answered => Some("an agent answered"),
            _ => None,
        }
    }

    /// A rule about one happening that concerns it alone.
    fn consider(&mut self, scene: &mut Scene, rule: usize) {
        let draft = self.draft.clone();
        let Some(versioned) = draft.set.at(rule) else { return };
        if versioned.rule.when.is_some() {
            self.need(scene, 0, versioned.condition_needs);
            let context = self.context(scene, 0);
            if let Err(part) = truth(versioned.rule.when.as_ref(), &context) {
                self.tally[rule].not_matched(part);
                return;
            }
        }
        self.fire(scene, rule, 0);
    }

    /// Puts the first time of every schedule in line.
    pub(super) fn arm_schedules(&mut self) {
        let draft = self.draft.clone();
        for rule in &draft.scheduled {
            self.schedule(*rule, 0, Time(draft.start.0.saturating_sub(1)));
        }
    }

    fn schedule(&mut self, rule: usize, count: u32, after: Time) {
        let draft = self.draft.clone();
        let Some(versioned) = draft.set.at(rule) else { return };
        let Trigger::Schedule(schedule) = &versioned.rule.on else { return };
        if count >= MAX_SCHEDULED {
            let name = &versioned.rule.name;
            self.notes.push(format!("rule {name}: its schedule came {MAX_SCHEDULED} times, and was then left out"));
            return;
        }
        if let Some(time) = schedule.next_after(after).filter(|time| *time < draft.end) {
            self.queue.push(time, |_| What::Schedule { rule, count });
        }
    }

    fn scheduled(&mut self, rule: usize, count: u32, time: Time) {
        let draft = self.draft.clone();
        let Some(versioned) = draft.set.at(rule) else { return };
        let happening = Happening {
            trigger: versioned.trigger.clone(),
            workspace: draft.workspace.clone(),
            event_id: "schedule".to_owned(),
            correlation_id: "schedule".to_owned(),
            due_ms: Some(time.0 / 1_000_000),
            time,
            ..system()
        };
        self.tally[rule].events += 1;
        let mut scene = Scene::new(None, vec![happening], None, None);
        self.consider(&mut scene, rule);
        self.schedule(rule, count + 1, time);
    }

    /// A run goes on after a wait: what it needs is read anew.
    fn resume(&mut self, waiting: Waiting) {
        let Waiting { at, rule, mut run, happening, step } = waiting;
        let before = at.and_then(|at| self.before(at));
        let mut scene = Scene::new(at, vec![happening], before, None);
        scene.fired.push(rule);
        if let Some(action) = run.actions.get_mut(step) {
            action.outcome = v1::run_action::Outcome::Done.into();
        }
        run.outcome = Outcome::Unspecified.into();
        self.proceed(&mut scene, rule, 0, &mut run, step + 1);
        self.record(rule, run, true);
    }
}
