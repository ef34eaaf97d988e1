//! A timer is due.

use std::time::Duration;

use bus::{HandlerError, Recorded, now};
use conversation::{ConversationId, Revision, Time};
use prost::Message;
use proto::v1;
use proto::v1::run::Outcome;

use super::arm::schedule_timer;
use crate::engine::{Engine, Happening, Scene, away, finish, system};

impl Engine {
    /// Works on a timer that is due.
    pub(crate) async fn on_due(&self, recorded: &Recorded) -> Result<(), HandlerError> {
        let timer = v1::Timer::decode(recorded.payload.clone());
        let timer = timer.map_err(|error| HandlerError::GiveUp(format!("a timer can't be read: {error}")))?;
        if let Some(due) = timer.due_time.as_ref().and_then(proto::time) {
            let late = Duration::from_nanos(u64::try_from(now().0.saturating_sub(due.0)).unwrap_or(0));
            meter::meter().timer_late_seconds.took([], late);
        }
        self.book.up_to(recorded.appended).await.map_err(away)?;
        match timer.next_action {
            Some(step) => self.resume(&timer, usize::try_from(step).unwrap_or(usize::MAX), recorded).await,
            None => self.ring(&timer, recorded).await,
        }
    }

    /// Runs the rule that waited, if its reason still holds.
    async fn ring(&self, timer: &v1::Timer, recorded: &Recorded) -> Result<(), HandlerError> {
        let workspace = timer.workspace.as_str();
        let in_force = self.book.current(workspace).and_then(|set| {
            let versioned = set.named(&timer.rule).filter(|versioned| versioned.version == timer.rule_version).cloned();
            Some((set, versioned?))
        });
        let Some((set, versioned)) = in_force else {
            return self.void_for_good(timer).await;
        };
        let happening = happening_of(timer, &versioned.trigger);
        let mut scene = Scene::new(workspace, set, vec![happening], recorded.redelivered, recorded.trace.clone());
        match self.void(&mut scene, &versioned, timer).await? {
            Some(reason) => {
                self.conclude(&scene, &versioned, Outcome::Skipped, format!("void: {reason}")).await?;
            }
            None => {
                self.consider(&mut scene, &versioned).await?;
            }
        }
        let due = due(timer);
        match schedule_timer(workspace, &versioned, due.max(now())) {
            Some(next) => self.bus.arm(&next).await.map_err(away),
            None => Ok(()),
        }
    }

    /// The version of the rule is not in force any more.
    async fn void_for_good(&self, timer: &v1::Timer) -> Result<(), HandlerError> {
        let mut run = v1::Run {
            id: run_id(timer),
            rule: timer.rule.clone(),
            rule_version: timer.rule_version,
            event_id: timer.arming_event_id.clone(),
            event_revision: timer.arming_revision,
            conversation_id: timer.conversation.clone(),
            outcome: Outcome::Skipped.into(),
            reason: format!("void: version {} of the rule is not in force any more", timer.rule_version),
            depth: timer.depth,
            correlation_id: timer.correlation_id.clone(),
            ..v1::Run::default()
        };
        finish(&mut run, now());
        self.bus.record_run(&timer.workspace, &run).await.map(drop).map_err(away)
    }
}

pub(super) fn due(timer: &v1::Timer) -> Time {
    timer.due_time.as_ref().and_then(proto::time).unwrap_or_default()
}

fn run_id(timer: &v1::Timer) -> String {
    format!("{}@{}/{}/{}", timer.rule, timer.rule_version, timer.arming_event_id, due(timer).0 / 1_000_000)
}

/// What a timer means.
pub(super) fn happening_of(timer: &v1::Timer, trigger: &str) -> Happening {
    let due = due(timer);
    Happening {
        trigger: trigger.to_owned(),
        workspace: timer.workspace.clone(),
        conversation: ConversationId::parse(&timer.conversation),
        event_id: timer.arming_event_id.clone(),
        revision: Revision::try_from(timer.arming_revision).unwrap_or(0),
        due_ms: Some(due.0 / 1_000_000),
        correlation_id: timer.correlation_id.clone(),
        depth: timer.depth,
        time: due,
        ticket: timer.ticket_id.clone(),
        ..system()
    }
}
