//! One run of one rule: whether it may fire, its actions in order, and the record of what it did.
//!
//! The order is: decision, then what goes outside, then the record, then the acknowledgement of the event. A run that is
//! worked on again finds its decision by the command id, which is derived from the run's id, or the record.

use std::sync::Arc;

use bus::{HandlerError, Recording, digest, now};
use conversation::Time;
use proto::v1;
use proto::v1::run::Outcome;

use super::Engine;
use super::compiled::Versioned;
use super::context::ticket_id;
use super::happening::Happening;
use super::once::Claim;
use super::scene::{Scene, away};
use super::steps::Progress;
use crate::rule::Fires;

/// A chain of rules that set each other off ends here.
pub(crate) const MAX_DEPTH: u32 = 8;

/// The run of a rule version about a happening, before anything was done.
pub(crate) fn run_of(versioned: &Versioned, happening: &Happening) -> v1::Run {
    let Versioned { rule, version, .. } = versioned;
    let due = happening.due_ms.map(|due| format!("/{due}")).unwrap_or_default();
    v1::Run {
        id: format!("{}@{version}/{}{due}", rule.name, happening.event_id),
        rule: rule.name.clone(),
        rule_version: *version,
        trigger: happening.trigger.clone(),
        event_id: happening.event_id.clone(),
        event_revision: i64::try_from(happening.revision).unwrap_or(i64::MAX),
        conversation_id: happening.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        depth: happening.depth,
        correlation_id: happening.correlation_id.clone(),
        ..v1::Run::default()
    }
}

impl Engine {
    /// The command id, as the state remembers it, of what a run decides from a step on.
    pub(crate) fn command(&self, versioned: &Versioned, happening: &Happening, from: usize) -> u64 {
        command_of(&run_of(versioned, happening).id, from)
    }

    /// Runs a rule that applies, unless it ran about this event before. Returns the run if it is known, be it from now
    /// or from before.
    pub(crate) async fn fire(
        &self,
        scene: &mut Scene,
        versioned: &Arc<Versioned>,
        nth: usize,
    ) -> Result<Option<v1::Run>, HandlerError> {
        if !scene.fired.insert(versioned.rule.name.clone()) {
            return Ok(None);
        }
        self.need_state(scene).await?;
        let mut run = run_of(versioned, &scene.happenings[nth]);
        if scene.has_to_look(versioned)
            && let Some((_, found)) = self.bus.recorded_run(&scene.workspace, &run).await.map_err(away)?
        {
            return Ok(Some(found));
        }
        let mut claim = None;
        if scene.decided(command_of(&run.id, 0)).is_none() {
            let skip = self.may_not(scene, versioned, nth, &run, &mut claim).await?;
            if let Some(reason) = skip {
                run.outcome = Outcome::Skipped.into();
                run.reason = reason;
                return self.record(scene, run).await.map(Some);
            }
        }
        let progress = self.proceed(scene, versioned, nth, &mut run, 0).await?;
        if let Some(claim) = claim.filter(|_| did_nothing(&run)) {
            self.release(&scene.workspace, claim).await?;
        }
        if let Progress::Changed(reason) = progress {
            run.outcome = Outcome::NotMatched.into();
            run.reason = reason;
        }
        self.record(scene, run).await.map(Some)
    }

    /// Why a rule that applies does nothing, if that is so.
    async fn may_not(
        &self,
        scene: &Scene,
        versioned: &Versioned,
        nth: usize,
        run: &v1::Run,
        claim: &mut Option<Claim>,
    ) -> Result<Option<String>, HandlerError> {
        if run.depth >= MAX_DEPTH {
            return Ok(Some(format!("chain of {MAX_DEPTH}: rules set each other off")));
        }
        if let Some(reason) = self.limits.take(&scene.workspace, run, versioned.rule.rate_limit, now()) {
            return Ok(Some(reason));
        }
        let of = match versioned.rule.fires {
            Fires::Always => None,
            Fires::OncePerTicket => ticket_id(&scene.happenings[nth], scene.state()),
            Fires::OncePerConversation => Some(run.conversation_id.clone()),
        };
        let Some(of) = of.filter(|of| !of.is_empty()) else { return Ok(None) };
        match self.claim(&scene.workspace, run, &of).await? {
            Ok(held) => {
                *claim = Some(held);
                Ok(None)
            }
            Err(by) => Ok(Some(format!("it fired before: {by}"))),
        }
    }

    /// Records a run, once; returns what is on record after this. Then sends what it has for others.
    pub(crate) async fn record(&self, scene: &Scene, mut run: v1::Run) -> Result<v1::Run, HandlerError> {
        finish(&mut run, now());
        match self.bus.record_run(&scene.workspace, &run).await.map_err(away)? {
            Recording::New(place) => {
                self.hooks.start(&scene.workspace, &run, place);
                Ok(run)
            }
            Recording::Found(_, found) => Ok(*found),
        }
    }
}

/// As the state remembers it. A run that waits decides several times, each from another step on.
pub(crate) fn command_of(run_id: &str, from: usize) -> u64 {
    digest(&[b"run", run_id.as_bytes(), &from.to_be_bytes()])
}

/// Says when, and sums up what became of the actions unless that was said.
pub(crate) fn finish(run: &mut v1::Run, now: Time) {
    use v1::run_action::Outcome as Of;
    run.time.get_or_insert_with(|| proto::timestamp(now));
    if run.outcome() != Outcome::Unspecified {
        return;
    }
    let first = |of: Of| run.actions.iter().find(|action| action.outcome() == of);
    let (outcome, reason) = match (first(Of::Failed), first(Of::Refused)) {
        (Some(failed), _) => (Outcome::Failed, format!("{}: {}", failed.action, failed.detail)),
        (None, Some(refused)) => (Outcome::Refused, format!("{}: {}", refused.action, refused.detail)),
        (None, None) => (Outcome::Done, String::new()),
    };
    run.outcome = outcome.into();
    run.reason = reason;
}

pub(crate) fn did_nothing(run: &v1::Run) -> bool {
    use v1::run_action::Outcome as Of;
    !run.actions.iter().any(|action| matches!(action.outcome(), Of::Done | Of::Waiting | Of::Nothing))
}
