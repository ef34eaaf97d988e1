//! A run goes on after a wait, or a call is tried again.

use std::sync::Arc;

use bus::{Error, HandlerError, Recorded, now};
use conversation::{ConversationId, Revision};
use proto::v1;
use proto::v1::run::Outcome;
use proto::v1::run_action::Outcome as Of;

use super::due::happening_of;
use crate::engine::{Engine, Happening, Progress, Scene, Versioned, away, external, finish, of_event, system};

impl Engine {
    /// Goes on with the action of a run that waits.
    pub(super) async fn resume(&self, timer: &v1::Timer, step: usize, recorded: &Recorded) -> Result<(), HandlerError> {
        let named = v1::Run {
            id: timer.run_id.clone(),
            rule: timer.rule.clone(),
            rule_version: timer.rule_version,
            event_id: timer.arming_event_id.clone(),
            conversation_id: timer.conversation.clone(),
            ..v1::Run::default()
        };
        let found = self.bus.recorded_run(&timer.workspace, &named).await.map_err(away)?;
        // Not recorded: whoever works on the event again arms again.
        let Some((place, run)) = found else { return Ok(()) };
        let waits = |action: &v1::RunAction| action.outcome() == Of::Waiting;
        match run.actions.get(step) {
            Some(action) if waits(action) && action.action == "wait" => {
                self.go_on(timer, step, place, run, recorded).await
            }
            Some(action) if waits(action) => self.hooks.remind(&timer.workspace, run, place, step).await.map_err(away),
            _ => Ok(()),
        }
    }

    async fn go_on(
        &self,
        timer: &v1::Timer,
        step: usize,
        place: Revision,
        mut run: v1::Run,
        recorded: &Recorded,
    ) -> Result<(), HandlerError> {
        let workspace = timer.workspace.as_str();
        let set = self.book.current(workspace);
        let versioned = set.as_ref().and_then(|set| set.named(&run.rule)).cloned();
        let versioned = versioned.filter(|versioned| versioned.version == run.rule_version);
        let (Some(set), Some(versioned)) = (set, versioned) else {
            let reason = format!("void: version {} of the rule is not in force any more", run.rule_version);
            return self.give_up(workspace, run, place, step, reason).await;
        };
        let Some(happening) = self.origin(timer, &run, &versioned).await? else {
            return self
                .give_up(workspace, run, place, step, "void: its event can't be read any more".to_owned())
                .await;
        };
        let mut scene = Scene::new(workspace, set, vec![happening], true, recorded.trace.clone());
        scene.fired.insert(run.rule.clone());
        if let Some(action) = run.actions.get_mut(step) {
            action.outcome = Of::Done.into();
        }
        run.outcome = Outcome::Unspecified.into();
        let progress = self.proceed(&mut scene, &versioned, 0, &mut run, step + 1).await?;
        if let Progress::Changed(reason) = progress {
            run.reason = reason;
        }
        finish(&mut run, now());
        match self.bus.replace_run(workspace, &run, place).await {
            Ok(place) => {
                self.hooks.start(workspace, &run, place);
                Ok(())
            }
            // A call of this run was told of meanwhile, or another process went on with it: look again.
            Err(Error::Conflict) => Err(HandlerError::Retry("the record of the run has changed".to_owned())),
            Err(error) => Err(away(error)),
        }
    }

    async fn give_up(
        &self,
        workspace: &str,
        mut run: v1::Run,
        place: Revision,
        step: usize,
        reason: String,
    ) -> Result<(), HandlerError> {
        if let Some(action) = run.actions.get_mut(step) {
            action.outcome = Of::NotTried.into();
            action.detail.clone_from(&reason);
        }
        run.outcome = Outcome::Skipped.into();
        run.reason = reason;
        self.bus.replace_run(workspace, &run, place).await.map(drop).map_err(away)
    }

    /// What set the run off.
    async fn origin(
        &self,
        timer: &v1::Timer,
        run: &v1::Run,
        versioned: &Arc<Versioned>,
    ) -> Result<Option<Happening>, HandlerError> {
        let place = Revision::try_from(timer.arming_revision).unwrap_or(0);
        let conversation = ConversationId::parse(&run.conversation_id);
        if versioned.rule.on.waits().is_some() || run.event_id == super::arm::SCHEDULE {
            let due_ms = run.id.rsplit_once('/').and_then(|(_, due)| due.parse().ok());
            return Ok(Some(Happening { due_ms, ..happening_of(timer, &run.trigger) }));
        }
        let simple = Happening {
            trigger: run.trigger.clone(),
            workspace: timer.workspace.clone(),
            conversation: conversation.clone(),
            event_id: run.event_id.clone(),
            correlation_id: run.correlation_id.clone(),
            depth: run.depth,
            time: run.time.as_ref().and_then(proto::time).unwrap_or_default(),
            ..system()
        };
        if run.trigger.starts_with("external.") {
            let Some(recorded) = self.bus.external_at(place).await.map_err(away)? else { return Ok(None) };
            let found = external(&recorded)?.map(|(_, happening)| happening);
            return Ok(found.map(|happening| Happening { conversation, ..happening }));
        }
        if place == 0 {
            return Ok(Some(simple));
        }
        let Some(event) = self.bus.event_at(place).await.map_err(away)? else { return Ok(None) };
        let fits = |happening: &Happening| {
            happening.trigger == run.trigger && (timer.ticket_id.is_empty() || happening.ticket == timer.ticket_id)
        };
        Ok(of_event(&event, place, true).into_iter().find(fits))
    }
}
