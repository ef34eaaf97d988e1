//! What starts waiting, and what ends it.

use std::time::Duration;

use bus::{Error, HandlerError, TimerSlot, now};
use conversation::Time;
use proto::v1;
use proto::v1::run_action::Outcome;

use crate::engine::{Engine, Happening, Scene, Versioned, away};
use crate::rule::{AnsweredBy, Trigger};

/// What arms the timers of schedules.
pub(super) const SCHEDULE: &str = "schedule";

impl Engine {
    /// Arms and ends the timers of rules that wait for what this event begins or ends.
    pub(crate) async fn arm_timers(&self, scene: &Scene) -> Result<(), HandlerError> {
        for happening in &scene.happenings {
            for versioned in scene.set.waiting() {
                self.arm_timer(happening, versioned).await.map_err(away)?;
            }
        }
        Ok(())
    }

    async fn arm_timer(&self, happening: &Happening, versioned: &Versioned) -> Result<(), Error> {
        let timer = |after: Duration| timer_of(happening, versioned, happening.time.plus(after));
        match (&versioned.rule.on, happening.trigger.as_str()) {
            (Trigger::CustomerIdle { after }, "message.sent")
            | (Trigger::TicketUnanswered { after } | Trigger::TicketOpenFor { after }, "ticket.opened") => {
                self.bus.arm(&timer(*after)).await
            }
            // Counted from the first message that waits: those that follow do not put it off.
            (Trigger::AgentIdle { after, .. }, "message.received") => {
                let timer = timer(*after);
                match self.bus.armed(&TimerSlot::of(&timer)).await? {
                    Some(_) => Ok(()),
                    None => self.bus.arm(&timer).await,
                }
            }
            (Trigger::AgentIdle { after, by }, "message.sent") if answers(happening, *by) => {
                self.bus.disarm(&TimerSlot::of(&timer(*after))).await
            }
            _ => Ok(()),
        }
    }

    /// Arms the timer of every schedule of a workspace that has none.
    pub(crate) async fn arm_schedules(&self, workspace: &str, now: Time) -> Result<(), Error> {
        let Some(set) = self.book.current(workspace) else { return Ok(()) };
        for versioned in set.enabled(|trigger| matches!(trigger, Trigger::Schedule(_))) {
            if let Some(timer) = schedule_timer(workspace, versioned, now)
                && self.bus.armed(&TimerSlot::of(&timer)).await?.is_none()
            {
                self.bus.arm(&timer).await?;
            }
        }
        Ok(())
    }

    /// Makes a run wait: what follows is done when its timer is due.
    pub(crate) async fn wait(
        &self,
        scene: &Scene,
        nth: usize,
        run: &mut v1::Run,
        step: usize,
        length: Duration,
    ) -> Result<(), HandlerError> {
        let happening = &scene.happenings[nth];
        let due = now().plus(length);
        let timer = v1::Timer {
            workspace: scene.workspace.clone(),
            conversation: run.conversation_id.clone(),
            rule: run.rule.clone(),
            rule_version: run.rule_version,
            ticket_id: happening.ticket.clone(),
            arming_event_id: run.event_id.clone(),
            arming_revision: i64::try_from(happening.revision.max(happening.outside_place)).unwrap_or(i64::MAX),
            due_time: Some(proto::timestamp(due)),
            next_action: u32::try_from(step).ok(),
            run_id: run.id.clone(),
            correlation_id: run.correlation_id.clone(),
            depth: run.depth,
        };
        self.bus.arm(&timer).await.map_err(away)?;
        run.actions.push(v1::RunAction {
            action: "wait".to_owned(),
            outcome: Outcome::Waiting.into(),
            detail: format!("for {}", crate::rule::length_text(length)),
            ..v1::RunAction::default()
        });
        run.outcome = v1::run::Outcome::Waiting.into();
        run.reason = String::new();
        Ok(())
    }
}

/// Whether a message to the customer is the answer that a rule waits for.
fn answers(happening: &Happening, by: AnsweredBy) -> bool {
    by == AnsweredBy::Anyone || happening.actor.kind == "agent"
}

fn timer_of(happening: &Happening, versioned: &Versioned, due: Time) -> v1::Timer {
    v1::Timer {
        workspace: happening.workspace.clone(),
        conversation: happening.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        rule: versioned.rule.name.clone(),
        rule_version: versioned.version,
        // Messages lie in whatever tickets are open: only what waits on a ticket is told apart by it.
        ticket_id: if versioned.rule.on.concerns_ticket() { happening.ticket.clone() } else { String::new() },
        arming_event_id: happening.event_id.clone(),
        arming_revision: i64::try_from(happening.revision).unwrap_or(i64::MAX),
        due_time: Some(proto::timestamp(due)),
        correlation_id: happening.correlation_id.clone(),
        depth: happening.depth,
        ..v1::Timer::default()
    }
}

/// The timer for the next time of a schedule; `None` where there is none.
pub(super) fn schedule_timer(workspace: &str, versioned: &Versioned, after: Time) -> Option<v1::Timer> {
    let Trigger::Schedule(schedule) = &versioned.rule.on else { return None };
    Some(v1::Timer {
        workspace: workspace.to_owned(),
        rule: versioned.rule.name.clone(),
        rule_version: versioned.version,
        arming_event_id: SCHEDULE.to_owned(),
        correlation_id: SCHEDULE.to_owned(),
        due_time: Some(proto::timestamp(schedule.next_after(after)?)),
        ..v1::Timer::default()
    })
}
