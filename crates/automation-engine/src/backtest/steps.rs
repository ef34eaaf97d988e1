//! From what happened to what the draft does about it: the engine's own judging and planning, on the simulated state.

use std::sync::Arc;

use bytes::Bytes;
use conversation::State;
use prost::Message as _;
use proto::v1;
use proto::v1::run::Outcome;
use proto::v1::run_action::Outcome as Of;

use super::desk::Picks;
use super::draft::Words;
use super::replay::Cause;
use super::sim::Sim;
use super::timers::{Waiting, What};
use crate::condition::HistoryFields;
use crate::condition::{Context, LastMessageFields, Needs};
use crate::engine::{
    Accepted, Facts, Happening, MAX_DEPTH, Planned, Sealer, Versioned, accept, actor_of, build_context, did_nothing,
    finish, judge, plan, run_of, tell, ticket_id, truth,
};
use crate::outbound::Outgoing;
use crate::rule::{Action, Fires, OnRefusal, length_text};

/// First byte of what the simulation would seal: nothing sealed begins with it.
const CLEAR: u8 = 0xff;

/// One event being worked on, and what was looked up for it so far.
pub(super) struct Scene {
    /// The conversation, if it concerns one.
    pub(super) at: Option<usize>,
    happenings: Vec<Happening>,
    facts: Vec<(Needs, Facts)>,
    /// Rules that ran about it.
    pub(super) fired: Vec<usize>,
    before: Option<LastMessageFields>,
    words: Option<Box<v1::SealedMessage>>,
}

impl Scene {
    pub(super) fn new(
        at: Option<usize>,
        happenings: Vec<Happening>,
        before: Option<LastMessageFields>,
        words: Option<Box<v1::SealedMessage>>,
    ) -> Scene {
        let facts = happenings.iter().map(|_| Default::default()).collect();
        Scene { at, happenings, facts, fired: Vec::new(), before, words }
    }
}

/// Keeps what is said readable: it is never sent, and never stored.
struct Clear;

impl Sealer for Clear {
    fn message(&self, message: v1::SealedMessage) -> Vec<u8> {
        let mut clear = vec![CLEAR];
        clear.extend(message.encode_to_vec());
        clear
    }

    fn note(&self, _: v1::SealedNote) -> Vec<u8> {
        vec![CLEAR]
    }
}

impl<W: Words> Sim<W> {
    /// Something happened: timers are armed, and the rules of its triggers are judged and run.
    pub(super) fn happen(
        &mut self,
        at: usize,
        mut happenings: Vec<Happening>,
        before: Option<LastMessageFields>,
        words: Option<Box<v1::SealedMessage>>,
    ) {
        happenings.iter().for_each(|happening| self.arm_timers(at, happening));
        let draft = self.draft.clone();
        happenings.retain(|happening| draft.set.of(&happening.trigger).is_some());
        if happenings.is_empty() {
            return;
        }
        let mut scene = Scene::new(Some(at), happenings, before, words);
        for nth in 0..scene.happenings.len() {
            if let Some(bucket) = draft.set.of(&scene.happenings[nth].trigger) {
                self.need(&mut scene, nth, bucket.needs);
            }
        }
        let contexts: Vec<Context> = (0..scene.happenings.len()).map(|nth| self.context(&scene, nth)).collect();
        let judged = judge(&draft.set, &scene.happenings, &contexts);
        for rule in &judged.not_matched {
            if let Some(tally) = self.tally.get_mut(usize::try_from(rule.rule).unwrap_or(usize::MAX)) {
                tally.events += 1;
                tally.not_matched(usize::try_from(rule.condition).unwrap_or(0));
            }
        }
        let judged_at = self.place;
        for (rule, nth) in judged.matched {
            let Some(versioned) = draft.set.at(rule) else { continue };
            self.tally[rule].events += 1;
            // A rule before this one may have changed what this one was judged on.
            if self.place != judged_at && versioned.rule.when.is_some() {
                let context = self.context(&scene, nth);
                if let Err(part) = truth(versioned.rule.when.as_ref(), &context) {
                    self.tally[rule].not_matched(part);
                    continue;
                }
            }
            self.fire(&mut scene, rule, nth);
        }
    }

    /// Looks up what is needed of a happening and was not looked up yet.
    pub(super) fn need(&mut self, scene: &mut Scene, nth: usize, needs: Needs) {
        let Some(at) = scene.at else { return };
        let had = scene.facts[nth].0;
        if needs.words && !had.words {
            let sealed = scene.happenings[nth].message.as_ref().map(|said| said.sealed.clone()).unwrap_or_default();
            let opened = match scene.words.take() {
                Some(words) => Some(*words),
                None => self.open(at, &sealed),
            };
            let contact = opened.as_ref().and_then(|opened| opened.contact.clone());
            scene.facts[nth].1.words = opened.and_then(|opened| opened.message);
            scene.facts[nth].1.contact = contact.or_else(|| {
                let sealed = self.chats[at].last_sealed.as_deref()?;
                self.words.open(self.chats[at].id.as_str(), sealed)?.contact
            });
        }
        let chat = &mut self.chats[at];
        if needs.history && !had.history {
            scene.facts[nth].1.history = Some(HistoryFields {
                unread_count: i64::from(chat.unread),
                last_message: scene.before.clone(),
                continues: String::new(),
            });
        }
        if needs.last_ticket && !had.last_ticket {
            scene.facts[nth].1.last_ticket = chat.last_ticket.as_deref().cloned();
        }
        if needs.ticket_metrics
            && !had.ticket_metrics
            && let Some(id) = ticket_id(&scene.happenings[nth], Some(chat.state()))
        {
            scene.facts[nth].1.metrics = chat.live().metrics.of(&id).cloned();
        }
        scene.facts[nth].0 = had.and(needs);
    }

    fn open(&self, at: usize, sealed: &Bytes) -> Option<v1::SealedMessage> {
        match sealed.split_first() {
            None => None,
            Some((&CLEAR, clear)) => v1::SealedMessage::decode(clear).ok(),
            Some(_) => self.words.open(self.chats[at].id.as_str(), sealed),
        }
    }

    /// What conditions and texts see of a happening.
    pub(super) fn context(&mut self, scene: &Scene, nth: usize) -> Context {
        let (fields, now) = (self.workspace_fields(), self.now);
        let chat = scene.at.and_then(|at| self.chats.get(at));
        let state = chat.and_then(|chat| chat.state.as_deref());
        let mut context = build_context(&scene.happenings[nth], state, &scene.facts[nth].1, fields, now);
        if let (Some(conversation), Some(chat)) = (&mut context.conversation, chat)
            && conversation.channel.is_empty()
        {
            conversation.channel = chat.channel.to_string();
        }
        context
    }

    /// Runs a rule that applies, unless it ran about this event before.
    pub(super) fn fire(&mut self, scene: &mut Scene, rule: usize, nth: usize) -> Option<String> {
        let draft = self.draft.clone();
        let versioned = draft.set.at(rule)?;
        if scene.fired.contains(&rule) {
            return None;
        }
        scene.fired.push(rule);
        self.tally[rule].matches += 1;
        let mut run = run_of(versioned, &scene.happenings[nth]);
        let id = run.id.clone();
        let mut claim = None;
        match self.may_not(scene, versioned, rule, nth, &mut claim) {
            Some(reason) => {
                run.outcome = Outcome::Skipped.into();
                run.reason = reason;
            }
            None => {
                self.proceed(scene, rule, nth, &mut run, 0);
                if let (Some(of), Some(at)) = (claim, scene.at)
                    && did_nothing(&run)
                {
                    self.chats[at].live().fired.retain(|(fired, what)| *fired != rule || *what != of);
                }
            }
        }
        self.record(rule, run, false);
        Some(id)
    }

    /// Why a rule that applies does nothing, if that is so.
    fn may_not(
        &mut self,
        scene: &Scene,
        versioned: &Versioned,
        rule: usize,
        nth: usize,
        claim: &mut Option<String>,
    ) -> Option<String> {
        let happening = &scene.happenings[nth];
        if happening.depth >= MAX_DEPTH {
            return Some(format!("chain of {MAX_DEPTH}: rules set each other off"));
        }
        let now = self.now;
        let chat = self.chats.get_mut(scene.at?)?;
        let of = match versioned.rule.fires {
            Fires::Always => None,
            Fires::OncePerTicket => ticket_id(happening, chat.state.as_deref()),
            Fires::OncePerConversation => Some(chat.id.as_str().to_owned()),
        };
        let live = chat.live();
        let times = match live.rates.iter().position(|(of, _)| *of == rule) {
            Some(place) => &mut live.rates[place].1,
            None => {
                live.rates.push((rule, Default::default()));
                &mut live.rates.last_mut()?.1
            }
        };
        let limit = versioned.rule.rate_limit;
        while times.front().is_some_and(|first| now.since(*first) >= limit.per) {
            times.pop_front();
        }
        if times.len() >= usize::try_from(limit.times).unwrap_or(usize::MAX) {
            return Some(format!("rate limit: it fired {} times within {}", limit.times, length_text(limit.per)));
        }
        times.push_back(now);
        let of = of.filter(|of| !of.is_empty())?;
        if live.fired.iter().any(|(fired, what)| *fired == rule && *what == of) {
            return Some("it fired before".to_owned());
        }
        live.fired.push((rule, of.clone()));
        *claim = Some(of);
        None
    }

    /// Does the actions of a run from a step on.
    pub(super) fn proceed(&mut self, scene: &mut Scene, rule: usize, nth: usize, run: &mut v1::Run, from: usize) {
        let draft = self.draft.clone();
        let Some(versioned) = draft.set.at(rule) else { return };
        let steps = &versioned.rule.steps;
        run.actions.truncate(from);
        let mut at = from;
        while at < steps.len() {
            let ends = |step: &usize| matches!(steps[*step].action, Action::Wait(_) | Action::Run { .. });
            let end = (at..steps.len()).find(ends).unwrap_or(steps.len());
            if at < end {
                if self.segment(scene, versioned, (rule, nth, at, end), run) {
                    return;
                }
                at = end;
            }
            match steps.get(at).map(|step| &step.action) {
                Some(Action::Wait(length)) => return self.wait(scene, (rule, nth, at), run, *length),
                Some(Action::Run { rule }) => {
                    let action = self.call_rule(scene, rule, nth);
                    run.actions.push(action);
                    at += 1;
                }
                _ => {}
            }
        }
    }

    /// Does the steps of one decision, and counts what goes outside with them. Whether the run ends here.
    fn segment(
        &mut self,
        scene: &mut Scene,
        versioned: &Arc<Versioned>,
        (rule, nth, from, end): (usize, usize, usize, usize),
        run: &mut v1::Run,
    ) -> bool {
        self.need(scene, nth, versioned.text_needs);
        let context = self.context(scene, nth);
        let picks = self.picks(scene.at, versioned, (from, end), run, &scene.happenings[nth]);
        let accepted = self.accepted(scene, versioned, (nth, from, end), run, &context, &picks);
        if let Some(at) = scene.at.filter(|_| !accepted.deeds.is_empty()) {
            let happening = &scene.happenings[nth];
            let cause = Cause {
                event_id: happening.event_id.clone(),
                revision: happening.revision,
                correlation_id: happening.correlation_id.clone(),
                depth: happening.depth.saturating_add(1),
                rule: Some(rule),
            };
            // Rehearsed just now, on the same state.
            let _ = self.decide(at, &actor_of(&versioned.rule), &accepted.deeds, &cause);
        }
        self.settle_picks(&picks, accepted.taken);
        let stopped = accepted.stopped;
        let steps = &versioned.rule.steps;
        tell(steps, accepted, (from, end), run);
        for (step, of) in steps.iter().enumerate().take(end).skip(from) {
            let done = run.actions.get(step).is_some_and(|action| action.outcome() == Of::Nothing);
            if of.action.decides() || !done || stopped.is_some_and(|stopped| step >= stopped) {
                continue;
            }
            let (words, tally) = match &of.action {
                Action::CallWebhook(_) => ("would be called", &mut self.tally[rule].webhooks),
                _ => ("would be published", &mut self.tally[rule].published),
            };
            *tally += 1;
            if let Some(action) = run.actions.get_mut(step) {
                action.outcome = Of::Done.into();
                words.clone_into(&mut action.detail);
            }
        }
        stopped.is_some()
    }

    fn accepted(
        &mut self,
        scene: &Scene,
        versioned: &Versioned,
        (nth, from, end): (usize, usize, usize),
        run: &v1::Run,
        context: &Context,
        picks: &Picks,
    ) -> Accepted {
        let (settings, now) = (self.draft.settings, self.now);
        let (rule, happening) = (&versioned.rule, &scene.happenings[nth]);
        let nobody;
        let state: &State = match scene.at {
            Some(at) => self.chats[at].state(),
            None => match conversation::ConversationId::parse("_") {
                Some(id) => {
                    nobody = State::new(id);
                    &nobody
                }
                None => return Accepted::default(),
            },
        };
        let outside = |step: usize| -> Option<Planned> {
            let on_refusal: OnRefusal = rule.steps[step].on_refusal;
            let outgoing = Outgoing::of(&rule.steps[step].action, happening, run, context)?;
            Some(Planned { step, deeds: outgoing.map(|_| Vec::new()), detail: String::new(), on_refusal })
        };
        let planned = (from..end)
            .filter_map(|step| {
                outside(step).or_else(|| plan(rule, step, happening, state, context, picks.get(step), &Clear))
            })
            .collect();
        accept(state, &settings, &actor_of(rule), planned, now)
    }

    fn wait(
        &mut self,
        scene: &Scene,
        (rule, nth, step): (usize, usize, usize),
        run: &mut v1::Run,
        length: std::time::Duration,
    ) {
        run.actions.push(v1::RunAction {
            action: "wait".to_owned(),
            outcome: Of::Waiting.into(),
            detail: format!("for {}", length_text(length)),
            ..v1::RunAction::default()
        });
        run.outcome = Outcome::Waiting.into();
        run.reason = String::new();
        let happening = scene.happenings[nth].clone();
        let waiting = Waiting { at: scene.at, rule, run: run.clone(), happening, step };
        self.queue.push(self.now.plus(length), |_| What::Wait(Box::new(waiting)));
    }

    /// Runs another rule about the same happening.
    fn call_rule(&mut self, scene: &mut Scene, name: &str, nth: usize) -> v1::RunAction {
        let mut action = v1::RunAction { action: "run".to_owned(), ..v1::RunAction::default() };
        let draft = self.draft.clone();
        let place = draft.places.get(name).copied();
        let called = place.and_then(|place| Some((place, draft.set.at(place)?)));
        let (outcome, detail) = match called.filter(|(_, called)| called.rule.enabled) {
            None => (Of::Failed, format!("rule {name:?} is not in force")),
            Some((place, called)) => {
                self.tally[place].events += 1;
                self.need(scene, nth, called.condition_needs);
                let context = self.context(scene, nth);
                match truth(called.rule.when.as_ref(), &context) {
                    Err(part) => {
                        self.tally[place].not_matched(part);
                        (Of::Nothing, format!("rule {name:?} does not apply"))
                    }
                    Ok(()) => match self.fire(scene, place, nth) {
                        Some(id) => (Of::Done, format!("ran {id}")),
                        None => (Of::Nothing, format!("rule {name:?} ran about this event before")),
                    },
                }
            }
        };
        action.outcome = outcome.into();
        action.detail = detail;
        action
    }

    /// Takes down what became of a run. `again`: it was taken down when it began to wait.
    pub(super) fn record(&mut self, rule: usize, mut run: v1::Run, again: bool) {
        finish(&mut run, self.now);
        if let Some(tally) = self.tally.get_mut(rule) {
            tally.record(run, again);
        }
    }
}
