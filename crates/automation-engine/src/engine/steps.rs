//! The actions of a run, in order. Those on the conversation up to a wait, or a call of another rule, are one decision;
//! what goes outside follows it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bus::{
    Caused, DecideError, Error, HandlerError, Outcome as DecisionOutcome, Proposal, Span, SpanKind, Verdict,
    closed_words, digest, now,
};
use conversation::{Command, CommandKey, Recent};
use proto::v1;
use proto::v1::run_action::Outcome;
use tokio::time::Instant;

use super::Engine;
use super::compiled::Versioned;
use super::fire::command_of;
use super::judge::truth;
use super::picks::Picks;
use super::plan::{Accepted, Planned, accept, actor_of, plan};
use super::scene::{Scene, away};
use crate::outbound::Outgoing;
use crate::rule::{Action, OnRefusal, Step};

/// How long a decision is tried while others move the conversation on.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pause before it is tried again.
const PAUSE: Duration = Duration::from_millis(5);
/// So many low bits of a command's digest say which steps it took.
const STEP_BITS: u32 = 20;

/// How far a run came.
#[derive(Debug)]
pub(crate) enum Progress {
    /// To its end.
    Ended,
    /// To an action that waits.
    Waits,
    /// Nowhere: meanwhile its condition is no longer true.
    Changed(String),
}

impl Engine {
    /// Does the actions of a run from a step on.
    pub(crate) async fn proceed(
        &self,
        scene: &mut Scene,
        versioned: &Arc<Versioned>,
        nth: usize,
        run: &mut v1::Run,
        from: usize,
    ) -> Result<Progress, HandlerError> {
        let steps = &versioned.rule.steps;
        run.actions.truncate(from);
        let mut at = from;
        while at < steps.len() {
            let end = (at..steps.len()).find(|step| ends_segment(&steps[*step])).unwrap_or(steps.len());
            if at < end {
                let segment = Segment { versioned, nth, from: at, end };
                if let Some(progress) = self.segment(scene, &segment, run).await? {
                    return Ok(progress);
                }
                at = end;
            }
            match steps.get(at).map(|step| &step.action) {
                Some(Action::Wait(length)) => {
                    self.wait(scene, nth, run, at, *length).await?;
                    return Ok(Progress::Waits);
                }
                Some(Action::Run { rule }) => {
                    let action = Box::pin(self.call_rule(scene, rule, nth)).await?;
                    run.actions.push(action);
                    at += 1;
                }
                _ => {}
            }
        }
        Ok(Progress::Ended)
    }

    /// Does the steps of one decision, and what goes outside with them. `Some` when the run goes no further.
    async fn segment(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        run: &mut v1::Run,
    ) -> Result<Option<Progress>, HandlerError> {
        let deadline = Instant::now() + PATIENCE;
        let mut again = false;
        let (accepted, outgoing) = loop {
            self.need_state(scene).await?;
            if again
                && segment.from == 0
                && scene.decided(command_of(&run.id, 0)).is_none()
                && let Some(reason) = self.no_longer(scene, segment).await?
            {
                return Ok(Some(Progress::Changed(reason)));
            }
            match self.try_segment(scene, segment, run).await {
                Err(Trouble::MovedOn(error)) if Instant::now() < deadline => {
                    tracing::debug!(run = run.id, %error, "deciding again");
                    tokio::time::sleep(PAUSE).await;
                    scene.forget();
                    again = true;
                }
                Err(Trouble::MovedOn(error)) => return Err(HandlerError::Retry(error.to_string())),
                Err(Trouble::Handler(error)) => return Err(error),
                Ok(done) => break done,
            }
        };
        let stopped = accepted.stopped;
        tell(&segment.versioned.rule.steps, accepted, (segment.from, segment.end), run);
        for (step, outgoing) in outgoing {
            if stopped.is_none_or(|stopped| step < stopped) {
                self.send(scene, segment.nth, run, step, outgoing).await?;
            }
        }
        Ok(stopped.map(|_| Progress::Ended))
    }

    /// Why a rule does not apply any more, now that the conversation has moved on.
    async fn no_longer(&self, scene: &mut Scene, segment: &Segment<'_>) -> Result<Option<String>, HandlerError> {
        let Some(condition) = &segment.versioned.rule.when else { return Ok(None) };
        self.need(scene, segment.nth, segment.versioned.condition_needs).await?;
        let part = truth(Some(condition), &scene.context(self, segment.nth)).err();
        Ok(part.map(|part| format!("meanwhile false: {}", condition.part(part).unwrap_or_default())))
    }

    async fn try_segment(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        run: &mut v1::Run,
    ) -> Result<(Accepted, Vec<(usize, Outgoing)>), Trouble> {
        let Segment { versioned, nth, from, end } = *segment;
        self.need(scene, nth, versioned.text_needs).await?;
        let context = scene.context(self, nth);
        let steps = &versioned.rule.steps;
        let mut outgoing: HashMap<usize, Result<Outgoing, String>> = HashMap::new();
        for (step, of) in steps.iter().enumerate().take(end).skip(from).filter(|(_, step)| !step.action.decides()) {
            if let Some(message) = Outgoing::of(&of.action, &scene.happenings[nth], run, &context) {
                outgoing.insert(step, message);
            }
        }
        let decides = steps[from..end].iter().any(|step| step.action.decides());
        if !decides || scene.loaded.is_none() {
            let planned = (from..end).filter_map(|step| outside(steps, step, &outgoing)).collect();
            let state = conversation::State::new(scene_id(scene));
            let settings = self.options.settings(&scene.workspace);
            let accepted = accept(&state, &settings, &actor_of(&versioned.rule), planned, now());
            return Ok((accepted, sendable(outgoing)));
        }
        if let Some(recent) = scene.decided(command_of(&run.id, from)) {
            run.revision = i64::try_from(recent.revision).unwrap_or(i64::MAX);
            return Ok((found_again(steps, from, end, recent), sendable(outgoing)));
        }
        let picks = self.picks(scene, segment, run).await?;
        let accepted = self.plan_segment(scene, segment, &context, &picks, &outgoing).await?;
        let decided = self.decide(scene, segment, run, &accepted).await;
        self.settle_picks(run, &picks, &accepted, decided.is_ok()).await?;
        decided?;
        Ok((accepted, sendable(outgoing)))
    }

    async fn plan_segment(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        context: &crate::condition::Context,
        picks: &Picks,
        outgoing: &HashMap<usize, Result<Outgoing, String>>,
    ) -> Result<Accepted, Trouble> {
        let Segment { versioned, nth, from, end } = *segment;
        let Some(keyring) = self.keyring(scene).await? else {
            return Err(HandlerError::GiveUp("the conversation is not known, or was erased".to_owned()).into());
        };
        let Some(state) = scene.state() else { return Ok(Accepted::default()) };
        let (rule, happening) = (&versioned.rule, &scene.happenings[nth]);
        let closed = self.closed_window(scene, &rule.steps[from..end], context).await?;
        let planned = (from..end).filter_map(|step| match outside(&rule.steps, step, outgoing) {
            Some(planned) => Some(planned),
            None => match (&closed, rule.steps.get(step)) {
                (Some(words), Some(of)) if of.action.is_free_form() => Some(refused(step, words, of)),
                _ => plan(rule, step, happening, state, context, picks.get(step), &keyring),
            },
        });
        let settings = self.options.settings(&scene.workspace);
        Ok(accept(state, &settings, &actor_of(rule), planned.collect(), now()))
    }

    /// Why free words can't be sent; `None` while they can, or where no step has any.
    async fn closed_window(
        &self,
        scene: &Scene,
        steps: &[Step],
        context: &crate::condition::Context,
    ) -> Result<Option<String>, HandlerError> {
        let (Some(conversation), Some(shown)) = (scene.conversation(), &context.conversation) else { return Ok(None) };
        if !steps.iter().any(|step| step.action.is_free_form()) {
            return Ok(None);
        }
        let window = self.bus.reply_window(&scene.workspace, conversation, &shown.channel).await.map_err(away)?;
        Ok((!window.is_open(now())).then(|| closed_words(window)))
    }

    /// Appends what was accepted, on exactly the state that it was accepted on.
    async fn decide(
        &self,
        scene: &mut Scene,
        segment: &Segment<'_>,
        run: &mut v1::Run,
        accepted: &Accepted,
    ) -> Result<(), Trouble> {
        let (Some(loaded), Some(conversation)) = (&scene.loaded, scene.conversation()) else { return Ok(()) };
        if accepted.deeds.is_empty() {
            return Ok(());
        }
        let happening = &scene.happenings[segment.nth];
        let mut span = Span::start("run rule", SpanKind::Internal, Some(&scene.trace));
        span.set("threadmark.rule.name", segment.versioned.rule.name.clone());
        let proposal = Proposal {
            workspace: scene.workspace.clone(),
            conversation: conversation.clone(),
            channel: happening.channel.clone(),
            command: Command {
                actor: actor_of(&segment.versioned.rule),
                actions: accepted.deeds.clone(),
                key: CommandKey {
                    command: command_of(&run.id, segment.from),
                    digest: digest_of(&run.id, accepted.taken),
                    causation: digest(&[happening.event_id.as_bytes()]),
                },
                expected_revision: Some(loaded.revision()),
            },
            settings: self.options.settings(&scene.workspace),
            causation_id: happening.event_id.clone(),
            correlation_id: happening.correlation_id.clone(),
            depth: happening.depth.saturating_add(1),
            trace: span.trace().clone(),
        };
        match self.bus.decide_on(loaded, &proposal).await {
            Ok(outcome) => {
                let DecisionOutcome { revision, verdict } = &outcome;
                if matches!(verdict, Verdict::Decided { .. }) {
                    run.revision = i64::try_from(*revision).unwrap_or(i64::MAX);
                }
                scene.loaded = loaded.after(&outcome);
                Ok(())
            }
            Err(DecideError::Bus(error)) => match error.kind() {
                bus::ErrorKind::Retry | bus::ErrorKind::Conflict => Err(Trouble::MovedOn(error)),
                _ => Err(Trouble::Handler(away(error))),
            },
            // The clock has moved on since it was accepted, and nothing else: what is refused now is tried anew.
            Err(DecideError::Refused(refusal)) => {
                let source = Error::Away { doing: "deciding", source: refusal.to_string().into() };
                Err(Trouble::MovedOn(source))
            }
        }
    }

    /// Runs another rule about the same happening.
    async fn call_rule(&self, scene: &mut Scene, name: &str, nth: usize) -> Result<v1::RunAction, HandlerError> {
        let mut action = v1::RunAction { action: "run".to_owned(), ..v1::RunAction::default() };
        let (outcome, detail) = match scene.set.named(name).cloned() {
            None => (Outcome::Failed, format!("rule {name:?} is not in force")),
            Some(called) => {
                self.need(scene, nth, called.condition_needs).await?;
                match truth(called.rule.when.as_ref(), &scene.context(self, nth)) {
                    Err(_) => (Outcome::Nothing, format!("rule {name:?} does not apply")),
                    Ok(()) => match self.fire(scene, &called, nth).await? {
                        Some(run) => (Outcome::Done, format!("ran {}", run.id)),
                        None => (Outcome::Nothing, format!("rule {name:?} ran about this event before")),
                    },
                }
            }
        };
        action.outcome = outcome.into();
        action.detail = detail;
        Ok(action)
    }

    /// Hands what goes outside to those who carry it.
    async fn send(
        &self,
        scene: &mut Scene,
        nth: usize,
        run: &mut v1::Run,
        step: usize,
        outgoing: Outgoing,
    ) -> Result<(), HandlerError> {
        match outgoing {
            Outgoing::Webhook(webhook) => {
                let sealed = self.seal_webhook(scene, &webhook).await?;
                self.hooks.arm_first(&scene.workspace, run, step).await.map_err(away)?;
                if let Some(action) = run.actions.get_mut(step) {
                    action.outcome = Outcome::Waiting.into();
                    action.detail = "not answered yet".to_owned();
                    action.sealed = sealed.into();
                }
            }
            Outgoing::Event { name, json } => {
                let happening = &scene.happenings[nth];
                let caused = Caused {
                    workspace: scene.workspace.clone(),
                    name: name.clone(),
                    id: format!("{}/{step}", run.id),
                    json,
                    correlation_id: happening.correlation_id.clone(),
                    depth: happening.depth.saturating_add(1),
                };
                self.bus.publish_caused(&caused, &scene.trace).await.map_err(away)?;
                if let Some(action) = run.actions.get_mut(step) {
                    action.outcome = Outcome::Done.into();
                    action.detail = format!("published {name:?}");
                }
            }
        }
        Ok(())
    }
}

/// Steps [from, end) of a rule, about a happening.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) versioned: &'a Arc<Versioned>,
    pub(crate) nth: usize,
    pub(crate) from: usize,
    pub(crate) end: usize,
}

/// Why a segment was not done.
pub(crate) enum Trouble {
    /// The conversation moved on, or it is not known whether it did: look again.
    MovedOn(Error),
    Handler(HandlerError),
}

impl From<HandlerError> for Trouble {
    fn from(error: HandlerError) -> Trouble {
        Trouble::Handler(error)
    }
}

fn ends_segment(step: &Step) -> bool {
    matches!(step.action, Action::Wait(_) | Action::Run { .. })
}

fn scene_id(scene: &Scene) -> conversation::ConversationId {
    let none = || conversation::ConversationId::parse("_");
    match scene.conversation().cloned().or_else(none) {
        Some(id) => id,
        None => unreachable!("an underscore is an id"),
    }
}

/// A step that goes outside takes its place in the order, and decides nothing.
fn outside(steps: &[Step], step: usize, outgoing: &HashMap<usize, Result<Outgoing, String>>) -> Option<Planned> {
    let deeds = outgoing.get(&step)?.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
    Some(Planned { step, deeds, detail: String::new(), on_refusal: steps.get(step)?.on_refusal })
}

fn refused(step: usize, words: &str, of: &Step) -> Planned {
    Planned { step, deeds: Err(words.to_owned()), detail: String::new(), on_refusal: of.on_refusal }
}

fn sendable(outgoing: HashMap<usize, Result<Outgoing, String>>) -> Vec<(usize, Outgoing)> {
    let mut all: Vec<_> = outgoing.into_iter().filter_map(|(step, message)| Some((step, message.ok()?))).collect();
    all.sort_unstable_by_key(|(step, _)| *step);
    all
}

/// The digest of a run's command: its low bits say which steps were taken, so that a run that is worked on again after
/// its decision knows.
fn digest_of(run_id: &str, taken: u64) -> u64 {
    let mask = (1 << STEP_BITS) - 1;
    (digest(&[b"steps", run_id.as_bytes()]) & !mask) | (taken & mask)
}

/// What a decision of this run took, as its digest tells.
fn found_again(steps: &[Step], from: usize, end: usize, recent: Recent) -> Accepted {
    let mut accepted = Accepted { taken: recent.key.digest, ..Accepted::default() };
    for (step, of) in steps.iter().enumerate().take(end).skip(from) {
        if recent.key.digest & (1 << step.min(63)) != 0 {
            accepted.outcomes.push((step, Outcome::Done, format!("done at revision {}", recent.revision)));
        } else {
            accepted.outcomes.push((step, Outcome::Refused, "refused when it was decided".to_owned()));
            if of.on_refusal == OnRefusal::Stop {
                accepted.stopped = Some(step);
                break;
            }
        }
    }
    accepted
}

/// Writes down what became of the steps.
pub(crate) fn tell(steps: &[Step], accepted: Accepted, (from, end): (usize, usize), run: &mut v1::Run) {
    let mut of: HashMap<usize, (Outcome, String)> =
        accepted.outcomes.into_iter().map(|(step, outcome, detail)| (step, (outcome, detail))).collect();
    let end = if accepted.stopped.is_some() { steps.len() } else { end };
    for (step, action) in steps.iter().enumerate().take(end).skip(from) {
        let (outcome, detail) = of.remove(&step).unwrap_or((Outcome::NotTried, String::new()));
        run.actions.push(v1::RunAction {
            action: action.action.name().to_owned(),
            outcome: outcome.into(),
            detail,
            ..v1::RunAction::default()
        });
    }
}
